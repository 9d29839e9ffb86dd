"""DELETE: how long it takes, and that nothing leaves after it has answered."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING

from tests.bench import processes
from tests.bench import rig as rigs
from tests.bench.desk import Desk
from tests.bench.evidence import Evidence
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.evidence import Taken
    from tests.bench.rig import Rig

TITLE = "DELETE, and the barrier"
ABOUT = """\
`heliograph serve` (server and worker, each its own process), asked through the real API on one kept-alive connection.
In each of {trials} **trials** a campaign of {people:,} is started, and deleted at a random moment of the next
{longest:g} s while it is being planned and sent at full speed. When the answer is here, the clock and the length of the
sandbox's transcript are noted. A **violation** is a text of that campaign which is later than that clock or stands
behind that length, looked for in the whole transcript when all trials are over. The *gap* is the time from the last
text to the answer.

The same with {vast:,} recipients, {vast_trials} times; with {few:,}, {few_trials} times, deleted in mid-sending; and
with {people:,} who all wait for their calling hours, {waiting_trials} times. A stop takes the same time for few and for
many: see the ratios. *From asking to the last text* is how long texts still left once somebody had asked for the end.

The floor is the same server's `GET /healthz` (one trivial statement in PostgreSQL, nothing written), asked right before
each DELETE, so on the same busy machine.
"""
NEVER_NOW = {  # an hour that is open once a week, for people who have to wait
    "frequency": "WEEKLY",
    "timezone": "UTC",
}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


RATIO, BARRIER = "Does it grow with the campaign?", "The barrier"


@dataclass(slots=True)
class _Trial:
    campaign_id: str
    deleted_ms: float
    healthy_ms: float
    status: str
    asked: float  # unix seconds
    answered: float
    size: int  # bytes of the transcript by then

    def violated(self, taken: Taken) -> bool:
        return taken.texts > 0 and (taken.last > self.answered or taken.ends > self.size)


@dataclass(slots=True)
class _Trials:
    """Trials of one kind."""

    name: str
    people: int
    trials: list[_Trial] = field(default_factory=list[_Trial])

    @property
    def deletes(self) -> list[float]:
        return [trial.deleted_ms for trial in self.trials]

    @property
    def floor(self) -> list[float]:
        return [trial.healthy_ms for trial in self.trials]


async def measure(rig: Rig) -> Section:
    scale = rig.scale
    about = ABOUT.format(
        trials=scale.trials, people=scale.people, longest=scale.longest_wait, few=scale.few, vast=scale.vast,
        vast_trials=scale.vast_trials,
        few_trials=scale.few_trials, waiting_trials=scale.waiting_trials,
    )  # fmt: skip
    section = Section("delete", TITLE, about)
    large, small, vast = [await rig.add_list(people) for people in (scale.people, scale.few, scale.vast)]
    await rig.behave()
    rig.clear_transcript()
    moments = random.Random(20)
    record = Evidence(rig.settings.transcript)
    with processes.serving(rig.settings.data) as port, Desk(rig, port) as desk:
        await _in_the_middle(rig, desk, record, small, moments)  # warms every path up; not counted
        idle = [desk.health() for _ in range(50)]
        few = _Trials(f"{scale.few:,} recipients, being sent", scale.few)
        many = _Trials(f"{scale.people:,} recipients, being sent", scale.people)
        most = _Trials(f"{scale.vast:,} recipients, being sent", scale.vast)
        waiting = _Trials(f"{scale.people:,} recipients, waiting for their hours", scale.people)
        for _ in range(scale.few_trials):
            few.trials.append(await _in_the_middle(rig, desk, record, small, moments))
        for _ in range(scale.trials):
            many.trials.append(await _anywhere(rig, desk, large, moments, record))
        for _ in range(scale.vast_trials):
            most.trials.append(await _anywhere(rig, desk, vast, moments, record))
        await _quiet(record)
        for _ in range(scale.waiting_trials):
            waiting.trials.append(await _while_waiting(rig, desk, record, large))
        await _quiet(record)
    for kind in (few, many, most, waiting):
        _times(section, kind)
    _growth(section, few, [many, most], idle)
    _barrier(section, record, [many, most], [*few.trials, *many.trials, *most.trials, *waiting.trials])
    return section


async def _in_the_middle(rig: Rig, desk: Desk, record: Evidence, list_name: str, moments: random.Random) -> _Trial:
    """Delete a small campaign once it has begun to send and before it ends."""
    async with asyncio.timeout(rig.scale.patience):
        while True:
            campaign_id = desk.create(rig.draft(list_name, rigs.PERSONAL))
            desk.play(campaign_id)
            while not record.of(campaign_id).texts:
                await asyncio.sleep(0.002)
                record.read()
            await asyncio.sleep(moments.uniform(0, 0.05))
            trial = _delete(desk, record, campaign_id)
            if trial.status == "Stopped":
                return trial


async def _anywhere(rig: Rig, desk: Desk, list_name: str, moments: random.Random, record: Evidence) -> _Trial:
    """Delete a large campaign at a random moment."""
    campaign_id = desk.create(rig.draft(list_name, rigs.PERSONAL))
    desk.play(campaign_id)
    await asyncio.sleep(moments.uniform(0, rig.scale.longest_wait))
    return _delete(desk, record, campaign_id)


async def _while_waiting(rig: Rig, desk: Desk, record: Evidence, list_name: str) -> _Trial:
    """Delete a large campaign whose people are all planned and wait for an hour that is days away."""
    far = DAYS[(time.gmtime().tm_wday + 3) % 7]
    hours = NEVER_NOW | {"days": [{"day": far, "start": "9:00 AM", "end": "10:00 AM"}]}
    campaign_id = desk.create(rig.draft(list_name, rigs.PERSONAL, hours))
    desk.play(campaign_id)
    async with asyncio.timeout(rig.scale.patience):
        while desk.total(campaign_id) < rig.scale.people:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return _delete(desk, record, campaign_id)


def _delete(desk: Desk, record: Evidence, campaign_id: str) -> _Trial:
    healthy, asked = desk.health(), time.time()
    took, status = desk.delete(campaign_id)
    answered = time.time()
    return _Trial(campaign_id, took, healthy, status, asked, answered, record.size())


async def _quiet(record: Evidence) -> None:
    """Give whatever would still leave the time to do so, and read it."""
    await asyncio.sleep(1.0)
    record.read()


def _times(section: Section, kind: _Trials) -> None:
    most = "p99" if len(kind.trials) >= 100 else f"longest of {len(kind.trials)}"
    for what, figure in (("p50", median), (most, p99)):
        floor = Floor(figure(kind.floor), f"GET /healthz, {what}")
        section.add(f"DELETE, {what}", figure(kind.deletes), "ms", floor, group=kind.name)


def _growth(section: Section, few: _Trials, larger: Sequence[_Trials], idle: list[float]) -> None:
    small, most = median(few.deletes), larger[-1]
    for many in larger:
        section.add(f"{many.name}, p50", median(many.deletes), "ms", Floor(small, few.name), group=RATIO)
        section.add(f"{many.name}, p99", p99(many.deletes), "ms", Floor(p99(few.deletes), few.name), group=RATIO)
    section.add("GET /healthz while nothing is sent, p50", median(idle), "ms", group=RATIO)
    large = median(most.deletes)
    section.headlines.append(
        f"DELETE of a campaign of {most.people:,} that is being sent at full speed: **{large:.1f} ms** p50, "
        f"{p99(most.deletes):.1f} ms p99; of {few.people:,}: {small:.1f} ms p50. {most.people // few.people:,} times "
        f"the people, **{times(large / small)}** the time (`GET /healthz` meanwhile: {median(most.floor):.1f} ms)."
    )


def _barrier(section: Section, record: Evidence, large: Sequence[_Trials], everyone: list[_Trial]) -> None:
    violations = [trial for trial in everyone if trial.violated(record.of(trial.campaign_id))]
    cut = [each for many in large for each in many.trials if 0 < record.of(each.campaign_id).texts < many.people]
    section.add("trials", len(everyone), "", group=BARRIER)
    section.add("of those with the most people, stopped in mid-sending", len(cut), "", group=BARRIER)
    section.add("violations", len(violations), "", group=BARRIER)
    after = [max(0.0, (record.of(trial.campaign_id).last - trial.asked) * 1000) for trial in cut]
    gaps = [(trial.answered - record.of(trial.campaign_id).last) * 1000 for trial in cut]
    for what, figure in (("least", min), ("median", median), ("most", max)) if cut else ():
        section.add(f"from asking to the last text: {what}", figure(after), "ms", group=BARRIER)
        section.add(f"from the last text to the answer: {what}", figure(gaps), "ms", group=BARRIER)
    section.headlines.append(f"The barrier: **{len(violations)} violations** in {len(everyone)} trials.")
    section.faults += [f"campaign {trial.campaign_id}: a text after the answer to its DELETE" for trial in violations]


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 do not exceed; of fewer than 100, the largest."""
    return max(values) if len(values) < 100 else quantiles(values, n=100, method="inclusive")[98]
