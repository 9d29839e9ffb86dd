"""Stop and delete are barriers: once one has answered, the carrier's own record holds nothing later."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import runs
from heliograph.errors import NotFound, Stopping
from heliograph.store import locks
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

TRIALS = 12


@pytest.mark.parametrize("verb", [runs.stop, runs.delete, runs.pause], ids=["stop", "delete", "pause"])
async def test_nothing_leaves_after_the_answer(world: World, verb: object) -> None:
    await world.add_numbers("People", 0, 6000)
    moments = random.Random(7)  # a repeatable spread of moments, not a secret
    cut_off = 0
    async with world.working():
        for trial in range(TRIALS):
            playing = await world.play(await world.campaign(f"Trial {trial}", ["People"]))
            if trial % 4:  # most in the middle of sending, some before the first text
                await world.taken(1, playing)
            await asyncio.sleep(moments.uniform(0, 0.2))
            await verb(world.db, world.app, playing.public_id, now=world.clock())  # type: ignore[operator]
            answered = time.time()
            await asyncio.sleep(0.15)
            taken = world.transcript(playing)
            assert all(t["at"] <= answered for t in taken)
            cut_off += 0 < len(taken) < 6000
    assert cut_off > TRIALS / 3, "the trials must stop campaigns in the middle"


async def test_a_stop_drops_the_rest_and_the_numbers_add_up(world: World) -> None:
    await world.rate(20)
    await world.add_numbers("People", 0, 300)
    campaign = await world.campaign("Dropped", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(1, campaign)
        stopped = await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
        await asyncio.sleep(0.3)
        ledger = await world.ledger(playing)
    assert stopped.status.value == "Stopped"
    sent = len(world.transcript(campaign))
    assert (ledger.total, ledger.sent, ledger.expired) == (300, sent, 300 - sent)


async def test_pausing_at_random_moments_texts_everybody_once(world: World) -> None:
    await world.add_numbers("People", 0, 3000)
    campaign = await world.campaign("Paused", ["People"])
    moments = random.Random(11)
    async with world.working():
        playing = await world.play(campaign)
        for _ in range(6):
            await asyncio.sleep(moments.uniform(0, 0.15))
            if await world.status(playing) != "Active":
                break
            await runs.pause(world.db, world.app, playing.public_id, now=world.clock())
            quiet = len(world.transcript(playing))
            await asyncio.sleep(0.1)
            assert len(world.transcript(playing)) == quiet
            await runs.resume(world.db, world.app, playing.public_id, now=world.clock())
        ledger = await world.until(playing)
    assert sorted(t["to"] for t in world.transcript(playing)) == [number(n) for n in range(3000)]
    assert ledger.sent == 3000


async def test_a_deleted_campaign_is_gone_and_its_sent_texts_stay(world: World) -> None:
    await world.rate(20)
    await world.add_numbers("People", 0, 300)
    campaign = await world.campaign("Gone", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(1, campaign)
        answer = await runs.delete(world.db, world.app, playing.public_id, now=world.clock())
        assert answer.status.value == "Stopped"
        with pytest.raises(NotFound):
            await runs.delete(world.db, world.app, playing.public_id, now=world.clock())
        async with asyncio.timeout(10):
            while (await world.ledger(playing)).expired:
                await asyncio.sleep(0.05)
        ledger = await world.ledger(playing)
    sent = len(world.transcript(campaign))
    assert sent > 0
    assert ledger.total == ledger.sent == sent


async def test_a_frozen_worker_makes_the_stop_say_so(world: World) -> None:
    """A gate that nobody leaves: no false success, and nothing changed."""
    await world.add_numbers("People", 0, 1)
    playing = await world.play(await world.campaign("Frozen", ["People"]))
    frozen = await world.db.connect()
    async with frozen:
        assert await locks.enter_gate(frozen, playing.campaign_id)
        with pytest.raises(Stopping, match="send the request again"):
            await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
    assert await world.status(playing) == "Active"
    await runs.stop(world.db, world.app, playing.public_id, now=world.clock())


async def test_a_waiting_stop_is_not_held_off_by_new_batches(world: World) -> None:
    await world.add_numbers("People", 0, 1)
    playing = await world.play(await world.campaign("Queue", ["People"]))
    first, second = await world.db.connect(), await world.db.connect()
    async with first, second:
        assert await locks.enter_gate(first, playing.campaign_id)
        stop = asyncio.create_task(runs.stop(world.db, world.app, playing.public_id, now=world.clock()))
        await asyncio.sleep(0.2)
        assert not await locks.enter_gate(second, playing.campaign_id)
        await locks.leave_gate(first, playing.campaign_id)
        assert (await stop).status.value == "Stopped"
