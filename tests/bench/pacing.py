"""Pacing, as the carrier sees it: never over the rate in any second, hardly under it, across kills."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from bisect import bisect_left
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import runs, senders
from heliograph.errors import IllegalMove
from tests.bench import processes, urgency
from tests.bench import rig as rigs
from tests.bench.evidence import Evidence
from tests.bench.report import Floor, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

TITLE = "Pacing, fairness and urgency"
ABOUT = """\
A campaign is sent through one sender with a rate, by worker processes of their own, and the sandbox's own record says
when each part was taken. *Most in a second* is the largest number of parts in any second that slides over it, half-open
as a carrier counts; *used* is what was sent in {seconds:g} s of the middle, beside the rate itself. With *kills* two
workers are running, and every second one of them, drawn by lot, is killed with SIGKILL and started anew: the sender's
lane changes hands, and the seconds around that count like all others.

With a *hidden limit* the sender has no rate and the sandbox one it does not tell: the rate is learned from what it
turns away, and is measured from the tenth second on.
"""
RATES, FEW_RATES = (1.0, 10.0, 80.0, 500.0, 3000.0), (500.0,)
LONG = "Seventy characters say little, and so this text says it again, until it has to be cut. " * 3  # 2 parts
RATE, KILLS, HIDDEN = "A sender's rate", "A sender's rate, workers killed", "A limit that the carrier does not tell"


async def measure(rig: Rig) -> Section:
    quick = rig.scale.people < 20_000
    seconds = 1.0 if quick else 10.0
    section = Section("pacing", TITLE, ABOUT.format(seconds=seconds))
    await rig.behave(receipt_lost=1)
    rig.clear_transcript()
    worst = 1.0
    with processes.working(rig.settings.data):
        for rate in FEW_RATES if quick else RATES:
            used = await _rate(rig, section, rate, seconds)
            worst = min(worst, used / rate if rate * seconds >= 100 else 1.0)
    await _killed(rig, section, 200.0, kills=1 if quick else 10)
    await _hidden(rig, section, 100.0, seconds, after=2.0 if quick else 10.0)
    await urgency.add(rig, section, seconds)
    section.headlines.insert(
        0, f"A sender's rate: never exceeded in any second, and **{worst * 100:.1f} %** of it used at least."
    )
    return section


async def set_rate(rig: Rig, rate: float | None) -> None:
    await senders.update(rig.db, rig.app, "*", {"partsPerSecond": rate}, now=config.utc_now())


async def begin(rig: Rig, people: int, text: str = rigs.PLAIN) -> tuple[Campaign, Evidence]:
    """Play a campaign over so many; its evidence is there once the first text is."""
    campaign = await rig.create(await rig.add_list(people), text)
    record = Evidence(rig.settings.transcript, follow=campaign.public_id)
    campaign = await rig.play(campaign)
    async with asyncio.timeout(rig.scale.patience):
        while not record.times:
            await asyncio.sleep(0.02)
            record.read()
    return campaign, record


async def end(rig: Rig, campaign: Campaign) -> None:
    with suppress(IllegalMove):  # it has ended by itself
        await runs.stop(rig.db, rig.app, campaign.public_id, now=config.utc_now())


def most(times: Sequence[float], seconds: float = 1.0) -> int:
    """The most that any window of so long holds, half-open."""
    return max((bisect_left(times, at + seconds) - place for place, at in enumerate(times)), default=0)


async def _rate(rig: Rig, section: Section, rate: float, seconds: float) -> float:
    """Send at ``rate`` for a while; what was used of it, in parts a second."""
    seconds = max(seconds, 4 / rate)
    await set_rate(rig, rate)
    campaign, record = await begin(rig, int(rate * (seconds + 4)) + 2)
    await asyncio.sleep(seconds + 2.2)
    await end(rig, campaign)
    record.read()
    times = sorted(record.times)
    since = times[0] + 1.0
    used = (bisect_left(times, since + seconds - 0.0005) - bisect_left(times, since - 0.0005)) / seconds
    floor = Floor(rate, "the rate")
    section.add(f"{rate:g} parts/s: used", used, "parts/s", floor, group=RATE)
    section.add(f"{rate:g} parts/s: most in a second", most(times), "parts", floor, group=RATE)
    if most(times) > rate:
        section.faults.append(f"{most(times)} parts in a second at a rate of {rate:g}")
    return used


async def _killed(rig: Rig, section: Section, rate: float, kills: int) -> None:
    """Two workers, one killed each second."""
    await set_rate(rig, rate)
    chance = random.Random(4)
    with ExitStack() as first, ExitStack() as second:
        holders = [first, second]
        pids = [each.enter_context(processes.doomed(rig.settings.data, name)) for name, each in enumerate(holders)]
        campaign, record = await begin(rig, int(rate * (kills * 6 + 10)))
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.6, 1.4))
            victim = chance.randrange(2)
            os.kill(pids[victim], signal.SIGKILL)
            holders[victim].close()
            pids[victim] = holders[victim].enter_context(processes.doomed(rig.settings.data, victim))
        await asyncio.sleep(1.0)
        await end(rig, campaign)
    record.read()
    times = sorted(record.times)
    section.add("kills", kills, "", group=KILLS)
    section.add(f"{rate:g} parts/s: most in a second", most(times), "parts", Floor(rate, "the rate"), group=KILLS)
    if most(times) > rate:
        section.faults.append(f"{most(times)} parts in a second at a rate of {rate:g}, around a kill")
    if len(times) != len(record.numbers):
        section.faults.append(f"{len(times)} texts to {len(record.numbers)} numbers")


async def _hidden(rig: Rig, section: Section, limit: float, seconds: float, after: float) -> None:
    """A sender without a rate meets a carrier with one."""
    await set_rate(rig, None)
    await rig.behave(receipt_lost=1, throttle_per_second=limit)
    with processes.working(rig.settings.data):
        campaign, record = await begin(rig, int(limit * (seconds + 40)))
        began = time.time()
        await asyncio.sleep(after + seconds)
        await end(rig, campaign)
    await rig.behave(receipt_lost=1)
    record.read()
    times = sorted(record.times)
    used = (bisect_left(times, began + after + seconds) - bisect_left(times, began + after)) / seconds
    section.add(f"{limit:g} parts/s, after {after:g} s: used", used, "parts/s", Floor(limit, "the limit"), group=HIDDEN)
    began_with = min(after, 3.0)
    first = bisect_left(times, began + began_with) / began_with
    label = f"{limit:g} parts/s, in the first {began_with:g} s: used"
    section.add(label, first, "parts/s", Floor(limit, "the limit"), group=HIDDEN)
    section.headlines.append(
        f"A carrier's hidden limit of {limit:g} parts/s: **{used / limit * 100:.1f} %** of it used after {after:g} s."
    )
    if len(times) != len(record.numbers):
        section.faults.append(f"{len(times)} texts to {len(record.numbers)} numbers, under a hidden limit")
