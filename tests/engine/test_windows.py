"""A carrier with a window, under a campaign: the lane waits for room, so that nothing is turned away for want of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from heliograph.carriers.base import FULL, Deferred, Outcome, Text
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from heliograph.engine.lines import Line
from heliograph.engine.meter import Meter
from heliograph.store import carrier_accounts
from heliograph.store import senders as sender_rows
from heliograph.store.session import Session
from tests.engine.conftest import World, number
from tests.engine.test_smpp import attach

pytestmark = pytest.mark.anyio

PEOPLE = 200


@pytest.mark.parametrize(("text", "parts"), [("Hello", 1), ("Señora, 5 € " * 40, 4)], ids=["short", "long"])
async def test_a_campaign_keeps_within_a_small_window(world: World, tmp_path: Path, text: str, parts: int) -> None:
    script = {"window": 10, "behaviour": {"latency_ms": [1, 10], "receipt_ms": [1, 20], "receipt_early": 0.2}}
    centre = Centre(scripts.read(script), tmp_path / "smsc.jsonl")
    try:
        await attach(world, await centre.listen("127.0.0.1", 0), window=5, binds=2)
        await world.add_numbers("People", 0, PEOPLE)
        campaign = await world.play(await world.campaign("Windowed", ["People"], text=text))
        async with world.working():
            ledger = await world.until(campaign)
    finally:
        await centre.close()
    taken = [json.loads(line) for line in (tmp_path / "smsc.jsonl").read_text().splitlines()]
    assert {line["status"] for line in taken} == {0}
    assert len(taken) == PEOPLE * parts
    assert {line["to"] for line in taken} == {number(n) for n in range(PEOPLE)}
    assert ledger.sent == ledger.total == PEOPLE


class _Away:
    """A carrier that takes nothing, and says why."""

    def __init__(self, code: str) -> None:
        self._code = code

    async def submit(self, texts: Sequence[Text]) -> list[asyncio.Future[Outcome]]:
        answers: list[asyncio.Future[Outcome]] = [asyncio.get_running_loop().create_future() for _ in texts]
        for answer in answers:
            answer.set_result(Deferred(self._code, 0.1))
        return answers

    async def close(self) -> None: ...


@pytest.mark.parametrize(("code", "told"), [(FULL, False), ("throttled", True)])
async def test_want_of_room_on_our_side_says_nothing_of_what_a_carrier_takes(
    world: World, code: str, told: bool
) -> None:
    async with world.db.connection() as conn:
        account = (await carrier_accounts.list_all(conn, world.app.app_id))[0]
        (sender,) = await sender_rows.list_all(conn, world.app.app_id)
    async with Session.open(world.db) as session:
        meter = Meter(sender, session)
        texts = [Text(f"msg-{n}", "+12025550100", number(n), "Hello", 1) for n in range(10)]
        for answer in await meter.write(Line(account, _Away(code)), texts):
            await answer
        await asyncio.sleep(0)
    assert (meter._away_at is not None) is told  # pyright: ignore[reportPrivateUsage]
