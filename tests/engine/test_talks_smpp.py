"""Conversations over SMPP with simulated people, each transcript held against what the pure machine says.

``TALKS=1000`` makes it as large as the promise is.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from heliograph import config
from heliograph.actions import flow_book, runs
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from heliograph.rules import demo_support, optout_settings
from heliograph.rules.flow import acts, machine
from heliograph.rules.flow.session import Session
from tests.engine.conftest import make_world, number
from tests.engine.test_smpp import attach

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from heliograph.config import Settings
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

TALKS = int(os.environ.get("TALKS", "60"))
PATIENCE = 60 + TALKS / 5
LIFE = timedelta(hours=25)  # longer than the flow waits for anybody
PEOPLE: tuple[tuple[str, ...], ...] = (
    ("1", "1002", "no"),
    ("order", "9999", "1003", "thanks"),
    ("2", "The box was empty", "nothing"),
    ("T-1002", "3", "6", "bye"),
    ("4",),
    ("STOP",),
    ("hm?", "what", "why"),
    (),
)
"""What people write, each as the answer to one text."""


class Shifted:
    """The system's clock, some time ahead."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return config.utc_now() + self.ahead


class Crowd:
    """People who answer each text they get with the next thing they have to say."""

    def __init__(self) -> None:
        self.got: defaultdict[str, list[str]] = defaultdict(list)

    def __call__(self, to: str, text: str) -> tuple[float, str] | None:
        said = PEOPLE[int(to[-5:]) % len(PEOPLE)]
        place = len(self.got[to])
        self.got[to].append(text)
        return (0.005, said[place]) if place < len(said) else None


@asynccontextmanager
async def crowd(world: World, record: Path) -> AsyncIterator[Crowd]:
    """A message centre with people behind it, through which the app sends."""
    people = Crowd()
    centre = Centre(scripts.read({"behaviour": {"latency_ms": [1, 5]}}), record)
    centre.people = people
    await attach(world, await centre.listen("127.0.0.1", 0))
    try:
        yield people
    finally:
        await centre.close()


async def expected(world: World, campaign: Campaign, answers: tuple[str, ...], fields: dict[str, str]) -> list[str]:
    """What the pure machine says to somebody who writes this."""
    async with world.db.connection() as conn:
        book = await flow_book.load(conn, world.app.app_id)
    assert campaign.flow_id is not None
    session = Session("any", campaign.flow_id, 1)
    said: list[str] = []

    def step(event: acts.Event, later: timedelta = timedelta()) -> None:
        nonlocal session
        person = acts.Person("+1", fields, world.clock() + later)
        session, done = machine.advance(book, session, event, person)
        said.extend(act.text for act in done if isinstance(act, acts.Say))
        for act in done:
            if isinstance(act, acts.Call):
                step(acts.Called(act.number, demo_support.answer(dict(act.body or {}))))

    step(acts.Begin())
    for answer in answers:
        if answer == "STOP":
            return [*said, optout_settings.TEXTS["stop"]]
        step(acts.Answered(answer))
    if not session.over:
        step(acts.Passed(), LIFE)
    return said


async def begin(world: World) -> Campaign:
    people = [{"number": number(n), "First Name": f"P{n}"} for n in range(TALKS)]
    await world.add_list("People", people)
    made = await world.campaign("Support", ["People"], format="advanced", experienceFlowName="SMS Support Flow")
    return await world.play(made)


def transcript(record: Path) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in record.read_text().splitlines():
        taken: dict[str, Any] = json.loads(line)
        assert taken["status"] == 0
        found[taken["to"]].append(taken["text"])
    return found


async def test_every_conversation_comes_to_its_end_as_the_machine_says(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    clock = Shifted()
    world = await make_world(db, settings, clock)
    record = tmp_path / "smsc.jsonl"
    async with crowd(world, record) as people:
        campaign = await begin(world)
        async with world.working():
            async with asyncio.timeout(PATIENCE):
                while await _busy(world):
                    await asyncio.sleep(0.05)
            clock.ahead = LIFE
            ledger = await world.until(campaign, seconds=PATIENCE)
    assert ledger.total == ledger.sent == TALKS
    assert people.got == transcript(record)
    for kind, answers in enumerate(PEOPLE):
        for n in range(kind, TALKS, len(PEOPLE)):
            told = await expected(world, campaign, answers, {"First Name": f"P{n}"}) if n < 2 * len(PEOPLE) else None
            heard = people.got[number(n)]
            assert heard[0].startswith(f"Hello P{n},")
            if told is not None:
                assert heard == told, (n, answers)
            assert heard[1:] == people.got[number(kind)][1:]


async def _busy(world: World) -> bool:
    """Whether anybody who answers still talks, or has not got a text yet."""
    silent = [number(n) for n in range(TALKS) if not PEOPLE[n % len(PEOPLE)]]
    async with world.db.connection() as conn:
        cursor = await conn.execute(
            "SELECT (SELECT count(*) FROM session WHERE ended_at IS NULL AND number <> ALL(%s)),"
            " (SELECT count(*) FROM session), (SELECT count(*) FROM reply WHERE handled_at IS NULL)",
            [silent],
        )
        talking, begun, unread = cast("tuple[int, int, int]", await cursor.fetchone())
    return bool(talking or unread) or begun < TALKS


async def test_a_campaign_that_is_deleted_in_the_middle_is_silent_from_then_on(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    world = await make_world(db, settings, config.utc_now)
    record = tmp_path / "smsc.jsonl"
    async with crowd(world, record) as people:
        campaign = await begin(world)
        async with world.working():
            async with asyncio.timeout(PATIENCE):
                while sum(map(len, people.got.values())) < TALKS:
                    await asyncio.sleep(0.01)
            await runs.delete(world.db, world.app, campaign.public_id, now=world.clock())
            said = _of_flow(people)
            await asyncio.sleep(0.5)
            async with asyncio.timeout(PATIENCE):
                while await _unread(world):
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
    assert _of_flow(people) == said
    async with db.connection() as conn:
        rows = await (await conn.execute("SELECT DISTINCT ended_at IS NULL, result FROM session")).fetchall()
        assert {(open_, result) for open_, result in rows if open_ or result == "deleted"} <= {
            (False, "deleted"),
            (True, None),
        }
        cursor = await conn.execute("SELECT count(*) FROM reply WHERE became = 'flow' AND session_id IS NULL")
        assert await cursor.fetchone() == (0,)


def _of_flow(people: Crowd) -> int:
    """Texts of the flow that have left; a STOP is confirmed whatever becomes of the campaign."""
    stopped = optout_settings.TEXTS["stop"]
    return sum(text != stopped for texts in people.got.values() for text in texts)


async def _unread(world: World) -> bool:
    async with world.db.connection() as conn:
        row = await (await conn.execute("SELECT EXISTS (SELECT FROM reply WHERE handled_at IS NULL)")).fetchone()
    return row == (True,)
