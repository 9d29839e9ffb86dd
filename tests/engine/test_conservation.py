"""The kept numbers equal a recount at every look, whatever goes wrong in between and whatever people decide."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import app_settings, asking, checkups, unknowns
from heliograph.actions import runs as running
from heliograph.actions import seal as seals
from heliograph.actions.checkups import Verdict
from heliograph.actions.seal import Seal
from heliograph.actions.unknowns import By, Choice
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import checkups as rows
from heliograph.store import unknowns as store
from heliograph.store.unknowns import Wanted
from tests.engine.conftest import number
from tests.engine.test_crash import DROP_CONNECTIONS
from tests.engine.test_unknowns import left_unknown

if TYPE_CHECKING:
    from heliograph.actions.checkups import Check
    from heliograph.store.campaigns import Campaign
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

PEOPLE = 240
STEPS = 14


class Storm:
    """Somebody who breaks and decides at random, and looks at the numbers after each step."""

    def __init__(self, world: World, playing: Campaign, seed: int) -> None:
        self.world = world
        self.playing = playing
        self.dice = random.Random(seed)
        self.looks = 0

    async def step(self) -> None:
        await asyncio.sleep(self.dice.random() * 0.15)
        # A step may meet its own connection among those that were cut, or a campaign that just ended.
        with contextlib.suppress(HeliographError):
            await self.dice.choice([self.cut, self.pause, self.accept, self.wait, self.resend, self.ask])()
        with contextlib.suppress(StoreUnavailable):
            await self.look()

    async def look(self) -> None:
        """The law itself, and the doctor's own count, must agree with what is kept."""
        ledger = await self.world.ledger(self.playing)
        assert ledger.total == sum(
            getattr(ledger, name) for name in rows.COLUMNS if name not in ("total", "waiting")
        ) + (ledger.held + ledger.ready)
        assert self.playing.run_id is not None
        async with self.world.db.connection() as conn:
            count = await rows.recount(conn, self.world.app.app_id, self.playing.run_id)
            assert (count.wrong, count.nowhere) == ({}, 0)
            assert await rows.count_wrong_chunks(conn, self.world.app.app_id, self.playing.run_id) == 0
        self.looks += 1

    async def cut(self) -> None:
        admin = await self.world.db.connect()
        async with admin:
            await admin.execute(DROP_CONNECTIONS)

    async def pause(self) -> None:
        app, campaign_id = self.world.app, self.playing.public_id
        await running.pause(self.world.db, app, campaign_id, now=self.world.clock())
        await self.look()
        await running.resume(self.world.db, app, campaign_id, now=self.world.clock())

    async def some(self) -> Choice:
        """A few of those who are unknown."""
        async with self.world.db.connection() as conn:
            found = await store.page(conn, self.world.app.app_id, Wanted(), offset=0, limit=1000)
        chosen = self.dice.sample(found, min(len(found), 1 + self.dice.randrange(20)))
        return Choice(message_ids=tuple(unknowns.name_of(one) for one in chosen))

    def by(self) -> By:
        return By("cli:storm", self.world.clock())

    async def accept(self) -> None:
        await unknowns.accept(self.world.db, self.world.app, await self.some(), self.by())

    async def wait(self) -> None:
        until = self.world.clock() + timedelta(hours=1)
        await unknowns.wait(self.world.db, self.world.app, await self.some(), self.by(), until=until)

    async def resend(self) -> None:
        await unknowns.resend(self.world.db, self.world.app, await self.some(), self.by())

    async def ask(self) -> None:
        seal = seals.from_settings(self.world.settings)
        transcript = self.world.settings.transcript
        await asking.ask(
            self.world.db, seal, self.world.app, await self.some(), self.by(), transcript=transcript, networks=()
        )


@pytest.mark.parametrize("seed", range(3))
async def test_the_numbers_add_up_in_every_storm(world: World, seed: int) -> None:
    dice = random.Random(1000 + seed)
    await app_settings.update(world.db, world.app, {"unknownAsk": dice.random() < 0.5}, now=world.clock())
    await world.sandbox(
        seed=seed,
        latency_ms=[1, 120],
        refuse=0.1,
        temporary=0.1,
        lost_answer=0.3,
        answer_timeout_s=0.2,
        down=0.05,
        receipt_ms=[1, 200],
        receipt_failed=0.2,
        receipt_early=0.2,
        receipt_duplicate=0.1,
        throttle_per_second=600,
    )
    await world.block(*(number(n) for n in range(0, PEOPLE, 20)))
    await world.add_numbers("People", 0, PEOPLE)
    playing = await world.play(await world.campaign("Storm", ["People"]))
    storm = Storm(world, playing, seed)
    async with world.working(), world.working():
        for _ in range(STEPS):
            await storm.step()
        async with asyncio.timeout(60):  # whose connections were cut again and again may not have begun before
            while (await world.ledger(playing)).total < PEOPLE:
                await asyncio.sleep(0.05)
    await storm.look()
    assert storm.looks > STEPS / 2
    assert (await world.ledger(playing)).total == PEOPLE


async def doctor(world: World, seal: Seal | None = None, *, repair: bool = False) -> dict[str, Check]:
    opened = seal or seals.from_settings(world.settings)
    found = await checkups.look(world.db, opened, world.settings, world.clock, repair=repair)
    assert len({check.name for check in found}) == len(found)
    assert all(check.do for check in found if check.state is not Verdict.OK)
    return {check.name: check for check in found}


async def test_the_doctor_finds_and_repairs_numbers_that_differ_from_the_rows(frozen_world: World) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    assert (await doctor(world))["tallies"].state is Verdict.OK
    async with world.db.connection() as conn:
        await conn.execute("UPDATE tally SET waiting = waiting + 3, accepted = accepted - 1 WHERE sender_id = 0")
    found = (await doctor(world))["tallies"]
    assert found.state is Verdict.FAULT
    assert f"{playing.run_public_id} of Left (waiting -3, accepted +1)" in found.words
    assert (await doctor(world, repair=True))["tallies"].state is Verdict.WARN
    assert (await doctor(world))["tallies"].state is Verdict.OK
    await world.ledger(playing)


async def test_the_doctor_finds_people_whom_nobody_would_text_and_chunks_that_miscount(frozen_world: World) -> None:
    world = frozen_world
    await left_unknown(world)
    async with world.db.connection() as conn:
        await conn.execute("UPDATE chunk SET unsettled = 2")
    found = await doctor(world)
    assert found["chunks"].state is Verdict.FAULT
    assert found["lanes"].state is Verdict.WARN
    async with world.db.connection() as conn:
        await conn.execute("DELETE FROM chunk")
        await conn.execute("DELETE FROM outcome WHERE seq = 1")
    assert "1 person" in (await doctor(world))["places"].words


async def test_the_doctor_tells_what_a_person_has_to_do(frozen_world: World) -> None:
    world = frozen_world
    await left_unknown(world)
    found = await doctor(world, Seal(bytes(32)))
    assert found["secrets"].state is Verdict.FAULT
    assert found["unknown"].words == "the fate of 6 messages is unknown"
    assert found["workers"].state is Verdict.WARN
    assert found["clocks"].state is Verdict.FAULT, "a frozen clock is wrong"
    assert found["durability"].state is Verdict.FAULT, "tests give up on fsync"
    (world.settings.data / "sandbox").mkdir(parents=True, exist_ok=True)
    world.settings.transcript.write_text("")
    world.settings.transcript.chmod(0o644)
    assert "transcript.jsonl" in (await doctor(world))["data folder"].words
