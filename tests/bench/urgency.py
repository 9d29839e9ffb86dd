"""How campaigns share a sender, and how soon a text leaves that somebody waits for while one of them fills it."""

from __future__ import annotations

import asyncio
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import campaigns
from tests.bench import pacing, processes
from tests.bench import rig as rigs
from tests.bench.desk import Desk
from tests.bench.evidence import Evidence
from tests.bench.report import Floor
from tests.bench.stopping import p99

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.campaigns import Campaign
    from tests.bench.report import Section
    from tests.bench.rig import Rig

SOMEBODY = "+447700900"  # and three digits: kept for fiction
SHARES, URGENT = "Campaigns of different priority on one sender", "One text to one person, while a campaign is sent"


async def add(rig: Rig, section: Section, seconds: float) -> None:
    """Measure both, into ``section``."""
    await _shares(rig, section, max(seconds, 2.0))
    trials = 3 if seconds < 5 else 100
    for rate in (200.0,) if seconds < 5 else (200.0, None):
        await _urgent(rig, section, rate, trials)


async def _shares(rig: Rig, section: Section, seconds: float) -> None:
    """Three campaigns, priorities 5, 3 and 1, the second with texts of two parts; what each got of the parts."""
    await pacing.set_rate(rig, 500)
    everyone = await rig.add_list(int(500 * (seconds + 6)))
    playing: list[Campaign] = []
    record = Evidence(rig.settings.transcript)
    with processes.working(rig.settings.data):
        for priority, text in ((5, rigs.PLAIN), (3, pacing.LONG), (1, rigs.PLAIN)):
            body = rig.draft(everyone, text) | {"priority": priority}
            made = await campaigns.create(rig.db, rig.app, body, now=config.utc_now())
            playing.append(await rig.play(made))
        weights = {each.public_id: each.priority for each in playing}
        await _all_begun(rig, record, list(weights))
        before = parts_of(record)
        await asyncio.sleep(seconds)
        record.read()
        after = parts_of(record)
        for campaign in playing:
            await pacing.end(rig, campaign)
    got = {each: after[each] - before[each] for each in weights}
    total, whole = sum(got.values()), sum(weights.values())
    worst = 0.0
    for campaign_id, priority in weights.items():
        share, due = got[campaign_id] / total * 100, priority / whole * 100
        worst = max(worst, abs(share - due))
        section.add(
            f"priority {priority}", share, "% of the parts", Floor(due, "its part of the priorities"), group=SHARES
        )
    section.headlines.append(f"Campaigns share a sender by priority within **{worst:.2f}** percentage points.")
    if worst > 2:  # what is promised
        section.faults.append(f"a campaign was {worst:.1f} points away from its share")


def parts_of(record: Evidence) -> Counter[str]:
    return Counter({campaign: taken.parts for campaign, taken in record.taken.items()})


async def _all_begun(rig: Rig, record: Evidence, campaigns: Sequence[str]) -> None:
    async with asyncio.timeout(rig.scale.patience):
        while not all(record.of(each).texts for each in campaigns):
            await asyncio.sleep(0.05)
            record.read()
    await asyncio.sleep(0.5)
    record.read()


async def _urgent(rig: Rig, section: Section, rate: float | None, trials: int) -> None:
    """POST a text to one person, again and again; from the request to the carrier."""
    await pacing.set_rate(rig, rate)
    name = "without a rate" if rate is None else f"at {rate:g} parts/s"
    record = Evidence(rig.settings.transcript, watch=SOMEBODY)
    waits: list[float] = []
    healthy: list[float] = []
    with processes.serving(rig.settings.data) as port, Desk(rig, port) as desk:
        campaign = None
        for trial in range(trials):
            if campaign is None or (rate is None and trial % 10 == 0):
                if campaign is not None:
                    await pacing.end(rig, campaign)
                campaign, _ = await pacing.begin(rig, rig.scale.people)
                if trial == 0:
                    await asyncio.to_thread(desk.text, f"{SOMEBODY}999")  # makes the run of all one-off texts
                    await asyncio.sleep(0.5)
            await asyncio.sleep(0.07)
            healthy.append(await asyncio.to_thread(desk.health))
            to = f"{SOMEBODY}{trial:03d}"
            asked = await asyncio.to_thread(desk.text, to)
            waits.append((await _taken(rig, record, to) - asked) * 1000)
        if campaign is not None:
            await pacing.end(rig, campaign)
    label = "p99" if trials >= 100 else f"longest of {trials}"
    for what, figure in (("p50", median), (label, p99)):
        floor = Floor(figure(healthy), f"GET /healthz, {what}")
        section.add(f"{name}, {what}", figure(waits), "ms", floor, group=URGENT)
    section.headlines.append(
        f"A one-off text beside a campaign that is sent {name}: with the carrier **{median(waits):.0f} ms** p50, "
        f"{p99(waits):.0f} ms {label} after the request was made."
    )


async def _taken(rig: Rig, record: Evidence, to: str) -> float:
    """When the sandbox took the one-off text to a number; unix seconds."""
    async with asyncio.timeout(rig.scale.patience):
        while to not in record.at:
            await asyncio.sleep(0.01)
            record.read()
    return record.at.pop(to)
