"""Pacing with the engine, as the carrier sees it: takeovers, hidden limits, shares, texts that somebody waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from bisect import bisect_left
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import runs, senders, singles
from heliograph.store import sender_pace
from heliograph.store import senders as sender_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from heliograph.store.campaigns import Campaign
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

LONG = "Seventy characters say little, and so this text says it again, until it has to be cut. " * 3


def most(times: Sequence[float], seconds: float = 1.0) -> int:
    """The most that any window of so long holds, half-open."""
    times = sorted(times)
    return max(bisect_left(times, at + seconds) - place for place, at in enumerate(times))


async def change(world: World, **limits: object) -> None:
    await senders.update(world.db, world.app, "*", limits, now=world.clock())


async def stop(world: World, *campaigns: Campaign) -> None:
    for campaign in campaigns:
        await runs.stop(world.db, world.app, campaign.public_id, now=world.clock())


@asynccontextmanager
async def process(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """``heliograph work`` as a process of its own."""
    environ = os.environ | {"HELIOGRAPH_DATABASE_URL": world.settings.database_url or ""}
    command = [sys.executable, "-m", "heliograph", "work", "--data", str(world.settings.data)]
    worker = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def standing(world: World) -> sender_pace.Standing | None:
    async with world.db.connection() as conn:
        sender = await sender_rows.get_named(conn, world.app.app_id, "*")
        return await sender_pace.find(conn, world.app.app_id, sender.sender_id)


async def test_no_second_around_a_takeover_holds_more_than_the_rate(world: World) -> None:
    """Two workers killed with SIGKILL in the middle of a second, each time with another one waiting to go on."""
    await change(world, partsPerSecond=40)
    await world.add_numbers("People", 0, 600)
    playing = await world.play(await world.campaign("Handed over", ["People"]))
    async with world.working() as last:
        for taken in (30, 110):
            async with process(world) as worker:
                if taken == 30:
                    last.stop()  # the first one goes in good order, the others do not
                await world.taken(taken, seconds=60)
                worker.send_signal(signal.SIGKILL)
                await worker.wait()
    async with world.working():
        await world.taken(190, seconds=60)
        await stop(world, playing)
    times = [t["at"] for t in world.transcript()]
    assert most(times) <= 40
    assert len({t["to"] for t in world.transcript()}) == len(times)


async def test_a_campaign_begins_evenly_so_that_whoever_waits_for_a_text_finds_room(world: World) -> None:
    """Half a second's worth at once would leave nothing for anybody until that half second is over."""
    await change(world, partsPerSecond=400)
    await world.add_numbers("People", 0, 300)
    await world.play(await world.campaign("Even", ["People"]))
    async with world.working():
        await world.taken(200, seconds=60)
    times = sorted(t["at"] for t in world.transcript())
    assert bisect_left(times, times[0] + 0.2) <= 0.2 * 400 + 2 * 20


async def test_a_slow_sender_keeps_its_interval_across_a_restart(world: World) -> None:
    await change(world, partsPerSecond=0.5)
    await world.add_numbers("People", 0, 10)
    playing = await world.play(await world.campaign("Slow", ["People"]))
    for so_many in (1, 2):
        async with world.working():
            await world.taken(so_many)
    await stop(world, playing)
    first, second = (t["at"] for t in world.transcript())
    assert second - first >= 2.0


async def test_a_first_start_waits_for_nothing_and_a_worker_that_leaves_says_so(world: World) -> None:
    await change(world, partsPerSecond=5)
    assert await standing(world) is None
    await world.add_numbers("People", 0, 3)
    async with world.working():
        await world.until(await world.play(await world.campaign("Few", ["People"])))
        there = await standing(world)
        assert there is not None
        assert there.sending_s > 0
    gone = await standing(world)
    assert gone is not None
    assert gone.sending_s <= 0
    assert gone.hold_s == pytest.approx(1.0)


async def test_a_carrier_that_throttles_costs_nobody_their_text_and_is_asked_less(world: World) -> None:
    await world.sandbox(throttle_per_second=100, receipt_lost=1)
    await world.add_numbers("People", 0, 420)
    async with world.working():
        playing = await world.play(await world.campaign("Throttled", ["People"]))
        async with asyncio.timeout(30):
            while (there := await standing(world)) is None or there.learned is None:
                await asyncio.sleep(0.02)
        ledger = await world.until(playing, seconds=60)
    assert ledger.total == ledger.accepted == 420
    assert len({t["to"] for t in world.transcript()}) == len(world.transcript()) == 420
    assert 40 <= there.learned <= 300, "it found about what the carrier takes"


async def test_whoever_was_turned_away_goes_before_those_whose_turn_had_not_come(world: World) -> None:
    await world.sandbox(throttle_per_second=50, receipt_lost=1)
    await world.add_numbers("People", 0, 600)
    async with world.working():
        playing = await world.play(await world.campaign("In turn", ["People"]))
        await world.taken(300, seconds=60)
        await stop(world, playing)
    order = [int(t["to"][-4:]) for t in world.transcript()][:300]
    waited = [n for n in range(250) if n not in set(order)]
    assert len(waited) < 100, "the first of the queue are not left to its end"


async def test_campaigns_share_a_sender_by_priority_in_parts(world: World) -> None:
    """5 : 3 : 1, one with texts of two parts, one that starts late, and one that is held meanwhile."""
    await change(world, partsPerSecond=300)
    texts = {5: "Hello", 3: LONG, 1: "Hello"}
    campaigns = {}
    for priority, text in texts.items():
        await world.add_numbers(f"People {priority}", priority * 10_000, 1500)
        campaigns[priority] = await world.campaign(f"P{priority}", [f"People {priority}"], text=text, priority=priority)
    async with world.working():
        playing = [await world.play(campaigns[5]), await world.play(campaigns[1])]
        await world.taken(200)
        playing.append(await world.play(campaigns[3]))
        await world.taken(20, campaigns[3])
        since = len(world.transcript())
        await world.taken(since + 900)
        await stop(world, *playing)
    parts: Counter[str] = Counter()
    for text in world.transcript()[since : since + 900]:
        parts[text["campaignId"]] += text["parts"]
    for priority, campaign in campaigns.items():
        assert parts[campaign.public_id] / parts.total() == pytest.approx(priority / 9, abs=0.02)


async def test_texts_that_jump_the_queue_change_nothing_between_the_others(world: World) -> None:
    await change(world, partsPerSecond=200)
    campaigns = {}
    for priority in (5, 1):
        await world.add_numbers(f"People {priority}", priority * 10_000, 1500)
        campaigns[priority] = await world.campaign(f"P{priority}", [f"People {priority}"], priority=priority)
    async with world.working():
        playing = [await world.play(each) for each in campaigns.values()]
        await world.taken(20, campaigns[1])
        since = len(world.transcript())
        for n in range(60):
            body = {"fromNo": "+12025550100", "toNo": f"+4479460{n:05d}", "message": "Code"}
            await singles.send(world.db, world.app, body, now=world.clock())
            await asyncio.sleep(0.02)
        await world.taken(since + 600)
        await stop(world, *playing)
    taken = [t["campaignId"] for t in world.transcript()[since : since + 600]]
    sent = {priority: taken.count(each.public_id) for priority, each in campaigns.items()}
    assert sent[5] / sum(sent.values()) == pytest.approx(5 / 6, abs=0.025)
    assert len(taken) - sum(sent.values()) >= 10


@pytest.mark.parametrize("rate", [50, None])
async def test_a_text_that_somebody_waits_for_goes_before_a_campaign(world: World, rate: float | None) -> None:
    await change(world, partsPerSecond=rate)
    await world.add_numbers("People", 0, 8000)
    async with world.working():
        playing = await world.play(await world.campaign("Large", ["People"]))
        await world.taken(60)
        for n in range(5):
            body = {"fromNo": "+12025550100", "toNo": f"+4479460000{n:02d}", "message": "Code"}
            await singles.send(world.db, world.app, body, now=world.clock())
        since = len(world.transcript())
        await world.taken(since + 5)
        async with asyncio.timeout(30):
            while len([t for t in world.transcript() if t["to"].startswith("+4479460")]) < 5:
                await asyncio.sleep(0.02)
        waiting = await world.ledger(playing)
        await stop(world, playing)
    assert waiting.ready > 500, "long before the campaign is over"


async def test_a_new_limit_of_a_second_or_a_day_counts_at_once(world: World) -> None:
    await change(world, partsPerSecond=1)
    await world.add_numbers("People", 0, 2000)
    playing = await world.play(await world.campaign("Changed", ["People"]))
    async with world.working():
        await world.taken(2)
        await change(world, partsPerSecond=100)
        faster = world.clock()
        await world.taken(20)
        await change(world, partsPerDay=len(world.transcript()))
        async with asyncio.timeout(30):
            while not (await world.ledger(playing)).held:
                await asyncio.sleep(0.02)
        await stop(world, playing)
    times = [t["at"] for t in world.transcript()]
    assert times[10] < (faster + timedelta(seconds=4)).timestamp(), "at one a second it would take twice as long"
    assert len(times) < 20 + 100, "less than a second's worth"
