"""Planning: an audience, page by page, becomes messages with a text and a due time, or a reason not to.

Planning overlaps sending: the first page is small, so that the first text leaves at once however long
the list; later pages are large. One session plans a run (an advisory lock), and each page is one
transaction that also records how far it came: a crash repeats no one and skips no one.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from heliograph.actions import flow_book, turned_away
from heliograph.actions.openings import A_TEXT, Opening, Openings
from heliograph.rules import audience, caps, filters, hours, pool, quiet, template, timing
from heliograph.store import audience as members
from heliograph.store import bell, chunks, dnc, messages, outcomes, pools, runs, senders, sessions, tallies

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn, Database

FIRST_PAGE = 500
PAGE = 5_000
AHEAD = 10_000  # people planned and not texted yet, from which on planning has time
UNHURRIED_PAGE = 500
READ = 500  # people read at once
BREATH = 50  # people decided between two looks at the other tasks: about a millisecond


class _RunEnded(Exception):  # not an error: it undoes a page that came too late
    """The run ended while its page was being written."""


async def plan_page(db: Database, run: runs.Run, *, now: datetime, limit: int) -> bool:
    """Plan the next people of ``run``; False when there is nothing left to plan (or the run has ended).

    The caller holds the run's planning lock. Rings the bell, so that lanes begin at once.
    """
    plan = _plan(run, now)
    async with db.connection() as conn:
        talks = run.flow is not None
        people, cursor = await _read(conn, run, limit=limit, with_fields=plan.needs_fields or talks)
        people = _once_each(people)
        numbers = [p.number for p in people]
        blocked = await dnc.find_blocked(
            conn, run.app_id, run.dnc_list_ids, numbers, now, address=run.caller_id, exempt=run.transactional
        )
        limits = () if run.transactional else caps.in_force(run.frequency_cap)
        away = await turned_away.find(conn, run.app_id, numbers, limits, run.exclude_ids, now=now)
        openings = await _openings(conn, run, now) if talks else None
        page = await _decide(plan, people, blocked, away, openings)
        await _give_senders(conn, run, page)
        again = run.retry_of is None and await members.may_repeat(conn, run.app_id, run.list_ids)
        places, chunk_count = len(page.waiting) + len(page.left_out), len(page.groups())
        last = await runs.reserve(conn, run.app_id, run.run_id, places=places, chunks=chunk_count)
    if last is None:
        return False
    page.first_seq, page.first_chunk = last[0] - places + 1, last[1] - chunk_count + 1
    try:
        while True:
            try:
                await _keep(db, run, page, cursor, now, again=again)
                break
            except messages.Repeated as met:  # an earlier page has them: the first of a number wins
                again = True
                page.leave_to(met.numbers)
    except _RunEnded:
        return False
    return cursor is not None


async def pace(db: Database, run: runs.Run, *, took: float) -> tuple[int, float]:
    """How many people the next page of ``run`` has, and how many seconds until then, after one that ``took`` so long.

    Planning is to be ahead of sending, and no more: a worker that plans a large page answers nobody meanwhile.
    """
    async with db.connection() as conn:
        ahead = await tallies.count_waiting(conn, run.app_id, run.run_id)
    return (PAGE, 0.0) if ahead < AHEAD else (UNHURRIED_PAGE, took)


async def _keep(
    db: Database, run: runs.Run, page: _Page, cursor: runs.Cursor | None, now: datetime, *, again: bool
) -> None:
    """Write a page, and how far planning came by it. ``again``: who is in the run already is to be found out."""
    came = cursor or runs.Cursor(members.WITHOUT, len(run.list_ids) + 1, 0)
    async with db.transaction() as conn:
        if again:
            await messages.put(conn, run.app_id, run.run_id, list(page.message_rows()))
        else:
            await messages.copy_in(conn, run.app_id, run.run_id, page.message_rows())
        if page.openings is not None:
            await sessions.copy_in(conn, run.app_id, run.run_id, page.session_rows())
        if page.left_out:
            await outcomes.suppress(conn, run.app_id, run.run_id, page.reasons(), now=now)
        for sender_id, rows in page.chunk_rows().items():
            await chunks.insert(conn, run.app_id, run.run_id, sender_id, rows)
        at = None if cursor else now
        if not await runs.planned(conn, run.app_id, run.run_id, came, planned_at=at, zones=page.zones()):
            raise _RunEnded
        # After the run's row, as everyone who locks both does: two orders would be a deadlock.
        waiting, suppressed = len(page.waiting), len(page.left_out)
        if waiting + suppressed:
            await messages.mark(conn, run.app_id, run.run_id, page.first_seq)
        await tallies.plan(conn, run.app_id, run.run_id, waiting=waiting, suppressed=suppressed)
        await bell.ring(conn, "planned")


def _plan(run: runs.Run, now: datetime) -> audience.Plan:
    # What a flow says comes later; until then everybody is decided about as if all were told one thing.
    words = run.template if run.flow is None else A_TEXT
    return audience.Plan(
        text=template.compile_text(words),
        missing=template.parse_missing(run.missing),
        hours=hours.parse(run.calling_hours),
        now=now,
        own=words,
        filter=None if run.filters is None else filters.parse(run.filters),
        zone_rule=timing.ZoneRule(run.zone_rule),
        law=quiet.in_force(run.quiet_hours),
        exempt=run.transactional,
        campaign_id=run.campaign_public_id,
        hold_out=run.hold_out,
        substitutes=run.plain_substitutes,
    )


async def _read(
    conn: Conn, run: runs.Run, *, limit: int, with_fields: bool
) -> tuple[list[audience.Person], runs.Cursor | None]:
    """The next people, and where planning stands after them: None at the end of the audience.

    Over the lists in order, those of the highest contact priority first, those without any last.
    """
    if run.retry_of is not None:
        return await _read_failed(conn, run, run.retry_of, limit=limit)
    people: list[audience.Person] = []
    level, position, after = run.plan_level, run.plan_list, run.plan_seq
    if level == members.FIRST:
        level = await members.find_next_level(conn, run.app_id, run.list_ids, level)
    while True:
        if position > len(run.list_ids):
            if level == members.WITHOUT:
                return people, None
            level = await members.find_next_level(conn, run.app_id, run.list_ids, level)
            position, after = 1, 0
        wanted = min(READ, limit - len(people))
        if not wanted:
            return people, runs.Cursor(level, position, after)
        page = await members.read_page(
            conn,
            run.app_id,
            run.list_ids[position - 1],
            level=level,
            after=after,
            limit=wanted,
            with_fields=with_fields,
        )
        people += [audience.Person(*member, level) for member in page]
        if len(page) < wanted:
            position, after = position + 1, 0
        else:
            after = page[-1].seq


async def _read_failed(
    conn: Conn, run: runs.Run, earlier: int, *, limit: int
) -> tuple[list[audience.Person], runs.Cursor | None]:
    """The next people of a run over the failures of an earlier one."""
    classes = run.retry_classes or []
    page = await members.read_failed(conn, run.app_id, earlier, classes, after=run.plan_seq, limit=limit)
    people = [
        audience.Person(
            m.list_id,
            m.contact_seq,
            m.number,
            m.time_zone,
            m.fields,
            members.WITHOUT if m.priority is None else m.priority,
        )
        for m in page
    ]
    return people, runs.Cursor(run.plan_level, 1, page[-1].seq) if len(page) == limit else None


def _once_each(people: Sequence[audience.Person]) -> list[audience.Person]:
    """One person per number: the first of a number wins."""
    first: dict[str, audience.Person] = {}
    for person in people:
        first.setdefault(person.number, person)
    return list(first.values())


@dataclass(slots=True)
class _Page:
    """Decided people, and the numbers reserved for them."""

    waiting: list[tuple[audience.Person, audience.Planned]]
    left_out: list[tuple[audience.Person, str]]
    sender_of: dict[str, int] = field(default_factory=dict[str, int])  # by number
    first_seq: int = 0
    first_chunk: int = 0
    openings: Openings | None = None
    begun: dict[str, Opening] = field(default_factory=dict[str, "Opening"])  # by number
    address_of: dict[int, str] = field(default_factory=dict[int, str])  # by sender

    def leave_to(self, numbers: Container[str]) -> None:
        """Leave out whoever has one of ``numbers``: somebody else of the run has it."""
        self.waiting = [pair for pair in self.waiting if pair[0].number not in numbers]
        self.left_out = [pair for pair in self.left_out if pair[0].number not in numbers]

    def when(self, pair: tuple[audience.Person, audience.Planned]) -> tuple[datetime, int, str, str, int]:
        """What all people of a chunk have in common, in the order in which chunks leave.

        Due time, contact priority (the highest first), zones, the place whose law counts, and sender.
        """
        person, planned = pair
        return planned.due_at, -person.level, planned.zone, planned.law, self.sender_of[person.number]

    def groups(self) -> list[tuple[int, str, str, datetime, int]]:
        """``(sender, zone, law, due_at, people)`` of each chunk to be, in order."""
        groups: list[tuple[int, str, str, datetime, int]] = []
        for (due_at, _, zone, law, sender_id), group in groupby(self.waiting, key=self.when):
            people = sum(1 for _ in group)
            sizes = [chunks.SIZE] * (people // chunks.SIZE) + [people % chunks.SIZE]
            groups += [(sender_id, zone, law, due_at, size) for size in sizes if size]
        return groups

    def zones(self) -> tuple[int, int, int]:
        """How many are texted by their contact's, by their number's and by the campaign's zones."""
        named = Counter(planned.basis for _, planned in self.waiting)
        return named[timing.Basis.CONTACT], named[timing.Basis.NUMBER], named[timing.Basis.CAMPAIGN]

    def chunk_rows(self) -> dict[int, list[chunks.NewChunk]]:
        """The chunks of each sender."""
        rows: dict[int, list[chunks.NewChunk]] = defaultdict(list)
        seq = self.first_seq
        for chunk_no, (sender_id, zone, law, due_at, people) in enumerate(self.groups(), self.first_chunk):
            rows[sender_id].append(chunks.NewChunk(chunk_no, zone, law, due_at, seq, seq + people - 1))
            seq += people
        return rows

    def message_rows(self) -> Iterator[messages.NewMessage]:
        for seq, (p, planned) in enumerate(self.waiting, self.first_seq):
            yield messages.NewMessage(seq, p.list_id, p.contact_seq, p.number, planned.text, planned.parts)
        for seq, (p, _) in enumerate(self.left_out, self.first_seq + len(self.waiting)):
            yield messages.NewMessage(seq, p.list_id, p.contact_seq, p.number, None, 0)

    def session_rows(self) -> Iterator[sessions.Planned]:
        """The conversations that begin."""
        if self.openings is not None:
            for seq, (person, _) in enumerate(self.waiting, self.first_seq):
                address = self.address_of[self.sender_of[person.number]]
                yield self.openings.row(seq, person, self.begun[person.number], address)
            for person, _ in self.left_out:
                if person.number in self.begun:
                    address = self.address_of[self.sender_of[person.number]]
                    yield self.openings.row(0, person, self.begun[person.number], address)

    def reasons(self) -> list[tuple[int, str]]:
        first = self.first_seq + len(self.waiting)
        return [(seq, reason) for seq, (_, reason) in enumerate(self.left_out, first)]


async def _openings(conn: Conn, run: runs.Run, now: datetime) -> Openings:
    book = await flow_book.load(conn, run.app_id, [(run.flow or "", run.flow_version)])
    return Openings(book, run, now)


async def _decide(
    plan: audience.Plan,
    people: Sequence[audience.Person],
    blocked: set[str],
    away: turned_away.Away,
    openings: Openings | None,
) -> _Page:
    page = _Page([], [], openings=openings)
    for number, person in enumerate(people, 1):
        decision = plan.decide(person, blocked, away)
        if openings is not None and isinstance(decision, audience.Planned):
            opening = openings.of(person, decision)
            if isinstance(opening, Opening):
                page.begun[person.number] = opening
                decision = (audience.LeftOut.BY_FLOW, "") if opening.later else opening.said
            else:
                decision = opening
        if isinstance(decision, audience.Planned):
            page.waiting.append((person, decision))
        else:
            why, detail = decision
            page.left_out.append((person, f"{why.value}: {detail}" if detail else why.value))
        if number % BREATH == 0:
            await asyncio.sleep(0)
    return page


async def _give_senders(conn: Conn, run: runs.Run, page: _Page) -> None:
    """Say who is texted from where, and put people into the order of the queue.

    Through a pool it is whoever texted them first; what is newly chosen is remembered before anybody is planned.
    """
    numbers = [person.number for person, _ in page.waiting]
    numbers += [person.number for person, _ in page.left_out if person.number in page.begun]
    if page.openings is not None:
        page.address_of = dict.fromkeys(run.sender_ids, run.caller_id)
        page.address_of |= {
            s.sender_id: s.address for s in await senders.list_all(conn, run.app_id) if s.address != "*"
        }
    if run.pool_id is None:
        page.sender_of = dict.fromkeys(numbers, run.sender_ids[0])
    elif numbers:
        weights = dict(zip(run.sender_ids, run.weights or [], strict=True))
        page.sender_of = await pools.find_sticky(conn, run.app_id, run.pool_id, numbers, run.sender_ids)
        chosen: dict[str, int] = {}
        for place, number in enumerate(numbers, 1):
            if number not in page.sender_of:
                chosen[number] = pool.pick(run.pool_id, weights, number)
            if place % BREATH == 0:
                await asyncio.sleep(0)
        if chosen:
            page.sender_of |= await pools.stick(conn, run.app_id, run.pool_id, chosen, run.sender_ids)
    page.waiting.sort(key=page.when)  # stable: the lists' order within a chunk
