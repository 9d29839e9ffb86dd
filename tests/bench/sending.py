"""Texts a second, from play to the last outcome, every one of them durably accounted for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import floors, machine, processes
from tests.bench import rig as rigs
from tests.bench.evidence import Evidence
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

TITLE = "Sending"
ABOUT = """\
A campaign of {people:,} people through the sandbox carrier with its usual latency (5-35 ms), sent by one worker process
(`heliograph work`) over the embedded PostgreSQL. Every text is planned, claimed and committed as under way before it
leaves, and its outcome and (where there are any) receipts are committed after. *From play to Completed* counts
everything, planning too; the *steady rate* is read from the sandbox's own record, between its first and last tenth.
Afterwards that record must hold everybody once.

The floors: **the carrier alone** is a loop that hands the same texts to the same sandbox and awaits its answers, with
no database. **Bare COPY** is PostgreSQL taking the same message and outcome rows, ready-made, in two transactions of
one COPY each, into tables with the same indexes. **One after the other** is the time of both together: what one
process could do at best that did nothing but send and write down, without promising anything about a crash in between.
"""

NO_RECEIPTS = {"receipt_lost": 1.0}


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    text: str
    behaviour: dict[str, float]

    @property
    def personal(self) -> bool:
        return self.text is rigs.PERSONAL


KINDS = (
    _Kind("one text for all", rigs.PLAIN, {}),
    _Kind("personalised", rigs.PERSONAL, {}),
    _Kind("personalised, no receipts", rigs.PERSONAL, NO_RECEIPTS),
)


class _Cost(NamedTuple):
    """What has been used up so far by the worker, by PostgreSQL, on disk."""

    worker: float
    postgres: float
    wal: float
    size: float


async def measure(rig: Rig) -> Section:
    section = Section("sending", TITLE, ABOUT.format(people=rig.scale.people))
    everyone, few = await rig.add_list(rig.scale.people), await rig.add_list(200)
    for kind in KINDS:
        await _one(rig, section, kind, everyone, few)
    return section


async def _one(rig: Rig, section: Section, kind: _Kind, everyone: str, few: str) -> None:
    people = rig.scale.people
    alone = await floors.carrier(rig, kind.behaviour, personal=kind.personal)
    copied = await floors.copy(rig, personal=kind.personal)
    rig.clear_transcript()
    await rig.behave(**kind.behaviour)
    campaign = await rig.create(everyone, kind.text)
    with processes.working(rig.settings.data) as worker:
        await rig.finish(await rig.play(await rig.create(few, kind.text)))
        await rig.execute("CHECKPOINT")
        before = await _cost(rig, worker)
        record = Evidence(rig.settings.transcript, follow=campaign.public_id)
        clicked, began = time.time(), time.monotonic()
        campaign = await rig.play(campaign)
        took = await rig.finish(campaign) - began
        settled = took if kind.behaviour else await _receipts(rig, campaign) - began
        after = await _cost(rig, worker)
        peak = machine.peak_mib(worker)
    record.read()
    section.faults += await _faults(rig, kind, campaign, record)
    used = _Cost(*(b - a for a, b in zip(before, after, strict=True)))
    tenth = len(record.times) // 10
    middle = record.times[tenth:-tenth]
    steady = len(middle) / (middle[-1] - middle[0])
    both = Floor(1 / (1 / alone.rate + 1 / copied.rate), "carrier and COPY, one after the other")

    def add(what: str, value: float, unit: str, floor: Floor | None = None) -> None:
        section.add(what, value, unit, floor, group=kind.name)

    add("from play to Completed", people / took, "texts/s", both)
    add("steady rate", steady, "texts/s", Floor(alone.rate, "the carrier alone"))
    add("steady rate", steady, "texts/s", Floor(copied.rate, "bare COPY"))
    add("worker, CPU for 1,000", used.worker / people * 1000, "s", Floor(alone.cpu * 1000, "the carrier alone"))
    add("PostgreSQL, CPU for 1,000", used.postgres / people * 1000, "s", Floor(copied.cpu * 1000, "bare COPY"))
    add("write-ahead log", used.wal / people, "bytes a text", Floor(copied.wal, "bare COPY"))
    add("database grown by", used.size / people, "bytes a text", Floor(copied.size, "bare COPY"))
    add("worker's memory at most", peak, "MiB")
    add("first text after play", (record.times[0] - clicked) * 1000, "ms")
    if not kind.behaviour:
        add("last receipt after Completed", settled - took, "s")
    section.headlines.append(
        f"{people:,} texts ({kind.name}), durably accounted: **{steady:,.0f}/s** while sending, {people / took:,.0f}/s "
        f"from play to Completed, **{times(both.value * took / people)}** the time of handing them to the carrier and "
        "copying their rows into PostgreSQL, bare."
    )


async def _cost(rig: Rig, worker: int) -> _Cost:
    postgres = machine.cpu_seconds(machine.server_pid(rig.settings.data))
    return _Cost(machine.cpu_seconds(worker), postgres, await rig.value(floors.WAL), await rig.value(floors.SIZE))


async def _receipts(rig: Rig, campaign: Campaign) -> float:
    """Wait for the receipts of everybody; ``time.monotonic()`` then."""
    async with asyncio.timeout(rig.scale.patience):
        while (await rig.ledger(campaign)).delivered < rig.scale.people:
            await asyncio.sleep(0.05)
    return time.monotonic()


async def _faults(rig: Rig, kind: _Kind, campaign: Campaign, record: Evidence) -> list[str]:
    people, ledger = rig.scale.people, await rig.ledger(campaign)
    faults: list[str] = []
    if (len(record.times), len(record.numbers)) != (people, people):
        faults.append(f"{kind.name}: {len(record.times)} texts to {len(record.numbers)} numbers, not {people}")
    if (ledger.total, ledger.sent) != (people, people):
        faults.append(f"{kind.name}: the ledger says {ledger}")
    return faults
