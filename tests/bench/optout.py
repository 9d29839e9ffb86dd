"""Everybody writes STOP while campaigns to them are being sent: who was texted after it, and how long after."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import campaigns
from tests.bench import processes
from tests.bench import rig as rigs
from tests.bench.report import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.campaigns import Campaign
    from heliograph.store.tallies import Ledger
    from tests.bench.rig import Rig

TITLE = "Saying no"
ABOUT = """{people:,} people are on three campaigns that are sent at once, two of them with the same priority. Everybody
answers every text with STOP within three seconds. Each STOP comes in through the carrier's line, as any reply does, and
is confirmed by a text. The transcript's moments are held against those at which the replies were received."""
PRIORITIES = (5, 5, 1)
FULL, FEW = 100_000, 1_500  # people; the suite's own race has more than the few
LONGEST = 1_200.0  # seconds after which something is taken for stuck
ALLOWED = 1.0  # seconds after a STOP was received in which a text may still leave

RECEIVED = "SELECT number, min(extract(epoch FROM received_at))::float8 FROM reply GROUP BY number"
UNHANDLED = "SELECT count(*) FROM reply WHERE handled_at IS NULL"
NOS = "SELECT count(*) FROM opt_out WHERE kind = 'no'"
REPLIES = "SELECT count(*) FROM reply"
EVIDENCE = "SELECT count(*) FROM consent"


async def measure(rig: Rig) -> Section:
    people = rig.scale.people if rig.scale.people >= FULL else FEW
    section = Section("optout", TITLE, ABOUT.format(people=people))
    name = await rig.add_list(people)
    rig.clear_transcript()
    await rig.behave(latency_ms=[1, 20], receipt_lost=1, reply=1, reply_ms=[0, 3000])
    playing: list[Campaign] = []
    for priority in PRIORITIES:
        body = rig.draft(name, rigs.PLAIN) | {"priority": priority}
        playing.append(await rig.play(await campaigns.create(rig.db, rig.app, body, now=config.utc_now())))
    began = time.monotonic()
    with processes.working(rig.settings.data):
        left = await _sent(rig, playing, people)
        took = time.monotonic() - began
        await _answered(rig)
    await _judge(rig, section, {each.public_id for each in playing})
    section.add("texts that were kept back", sum(each.suppressed for each in left), "texts")
    section.add("from play to the end of all three", took, "s")
    if any(each.total != people for each in left):
        section.faults.append("the ledgers do not add up to the people on the list")
    await rig.behave()
    return section


async def _sent(rig: Rig, playing: Sequence[Campaign], people: int) -> list[Ledger]:
    """Wait until nobody of the campaigns is to be texted any more; their ledgers then."""
    async with asyncio.timeout(LONGEST):
        while True:
            found = [await rig.ledger(each) for each in playing]
            if all(each.total == people and each.settled == people for each in found):
                return found
            await asyncio.sleep(0.2)


async def _answered(rig: Rig) -> None:
    """Wait until every reply was looked at and nobody writes any more."""
    async with asyncio.timeout(LONGEST):
        before = -1.0
        while before != (now := await rig.value(REPLIES)) or await rig.value(UNHANDLED):
            before = now
            await asyncio.sleep(4)


async def _judge(rig: Rig, section: Section, mine: set[str]) -> None:
    async with rig.db.connection() as conn:
        rows = await (await conn.execute(RECEIVED)).fetchall()
    received = {str(row[0]): float(row[1]) for row in rows}
    after: list[float] = []  # seconds by which a campaign's text left behind its person's STOP
    answers: Counter[str] = Counter()
    with rig.settings.transcript.open() as lines:
        for line in lines:
            taken = json.loads(line)
            if taken["campaignId"] not in mine:
                answers[taken["to"]] += 1
            elif taken["at"] > received.get(taken["to"], taken["at"]):
                after.append(taken["at"] - received[taken["to"]])
    late = sum(1 for each in after if each > ALLOWED)
    section.add("people who wrote STOP", len(received), "people")
    section.add("STOPs received in all", await rig.value(REPLIES), "replies")
    section.add(f"texted more than {ALLOWED:g} s after their STOP was received", late, "texts")
    section.add("texted after it at all", len(after), "texts")
    section.add("longest after it", max(after, default=0.0) * 1000, "ms")
    section.add("confirmations", answers.total(), "texts")
    section.headlines.append(
        f"**{len(received):,}** people wrote STOP while three campaigns to them were sent: **{late}** texts left more "
        f"than a second after it was received; the last, {max(after, default=0.0) * 1000:.0f} ms after."
    )
    if late:
        section.faults.append(f"{late} texts left more than a second after their person's STOP was received")
    if any(count > 1 for count in answers.values()):
        section.faults.append("somebody's STOP was confirmed twice")
    if await rig.value(NOS) != len(received) or await rig.value(EVIDENCE) != await rig.value(REPLIES):
        section.faults.append("somebody wrote STOP and is not on the list, or there is no evidence of it")
