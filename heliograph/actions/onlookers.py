"""Looking at everybody of a campaign as planning would, without writing: alone, or a large audience by many hands.

Deciding is the interpreter's work, and one process does it on one core. So the people of a large audience are cut into
shares, each for a process of its own, which reads them by itself and answers with the sums: twice the cores, half the
time, and whoever asked (a server that answers others meanwhile) only waits. ``python -m heliograph.actions.onlookers``
is such a process; it ends with its share, or when nobody listens any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import pickle
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, cast
from weakref import WeakKeyDictionary

from heliograph.actions import flow_book, openings, turned_away
from heliograph.actions.audience import plan_of
from heliograph.errors import Conflict
from heliograph.rules import caps
from heliograph.rules.audience import LeftOut, Planned
from heliograph.rules.flow.session import Session
from heliograph.rules.plain import Plain
from heliograph.rules.preview import Preview
from heliograph.store import audience as members
from heliograph.store import dnc
from heliograph.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from heliograph.rules import audience
    from heliograph.rules.audience import Reason
    from heliograph.store.app_settings import AppSettings
    from heliograph.store.audience import Counted
    from heliograph.store.campaigns import Campaign

log = logging.getLogger(__name__)

PAGE = 5_000
BREATH = 250  # people decided between two looks at the other tasks: a few milliseconds
MANY = 100_000  # contacts from which on it pays to start processes, which takes them half a second
MOST_HANDS = 8
NICE = 10  # behind whatever sends
YOUNG = 100_000  # objects made before cycles are looked for, of which a page has none: a tenth of the time
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_LENGTH = 8  # bytes in front of each thing that a process says


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, and how: all of it as it was at ``now``. One person in ``every``."""

    campaign: Campaign
    settings: AppSettings
    dnc_list_ids: Sequence[int]
    now: datetime
    every: int = 1

    def plan(self) -> audience.Plan:
        """How a run that begins now would treat everyone."""
        return plan_of(self.campaign, self.campaign.filters, self.settings, self.now)


class Span(NamedTuple):
    """A share of the people: contacts of the only list or, where somebody may be met twice, numbers in their order.

    Those behind ``after``, up to ``until``.
    """

    after: int | str
    until: int | str


class _Task(NamedTuple):
    """What a process is told: where the database is, and its share."""

    dsn: str
    look: Look
    span: Span


async def all_of(db: Database, look: Look, size: int, told: Callable[[int], None]) -> Preview:
    """Decide about everybody; ``size`` contacts, more or less. ``told`` hears of so many more that were looked at."""
    alone = look.campaign.flow_id is not None  # its flow is read here once, and not in every process
    hands = 0 if alone or size // look.every < MANY else min(MOST_HANDS, os.cpu_count() or 1)
    spans = await _spans(db, look, max(1, hands))
    found = Preview(look.plan().own)
    shares = [_by_hand(db, look, span, told) if hands else _alone(db, look, span, told) for span in spans]
    async with _turn() if hands else contextlib.nullcontext(), asyncio.TaskGroup() as group:
        tasks = [group.create_task(share) for share in shares]
    for task in tasks:
        found.join(task.result())
    return found


def _turn() -> asyncio.Semaphore:
    """One large audience after the other, whoever asks: ten at once take ten times the memory, and no less time."""
    return _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(1))


async def _spans(db: Database, look: Look, shares: int) -> list[Span]:
    app_id, list_ids = look.campaign.app_id, look.campaign.list_ids
    async with db.connection() as conn:
        if await members.may_repeat(conn, app_id, list_ids):
            cuts: list[int | str] = ["", *await members.number_cuts(conn, app_id, list_ids, shares), members.LAST]
        else:
            cuts = [0, *await members.list_cuts(conn, app_id, list_ids[0], shares), members.LAST_SEQ]
    return [Span(after, until) for after, until in pairwise(cuts)]


# ---------------------------------------------------------------- in this process


async def _alone(db: Database, look: Look, span: Span, told: Callable[[int], None]) -> Preview:
    plan, begin = look.plan(), await _openings(db, look)
    preview = Preview(plan.own)
    async for page in _pages(db, look, span, with_fields=plan.needs_fields or begin is not None):
        for place, one in enumerate(page.people, 1):
            decision = plan.decide(one, page.blocked, page.away)
            if begin is not None and isinstance(decision, Planned):
                decision = begin(one, decision)
            preview.add(one.number, one.copies, decision)
            if place % BREATH == 0:
                await asyncio.sleep(0)
        told(len(page.people))
    return preview


async def _openings(db: Database, look: Look) -> Callable[[Counted, Planned], Planned | Reason] | None:
    """What the flow of a campaign says first to somebody; None for a campaign without one.

    Where the flow goes by chance, a run draws other ways: what is reckoned then holds for the whole, not for each.
    """
    flow = look.campaign.flow_id
    if flow is None:
        return None
    async with db.connection() as conn:
        book = await flow_book.load(conn, look.campaign.app_id)
    found = book(flow, None)
    if found is None:
        raise Conflict(f"The flow {flow} of {look.campaign.name} is not published", field="experienceFlowName")
    version, substitutes = found[0], look.settings.plain_substitutes == Plain.ON

    def begin(one: Counted, planned: Planned) -> Planned | Reason:
        session = Session(f"{look.campaign.public_id}/{one.number}", flow, version)
        opening = openings.begin(book, session, one, planned, look.now, substitutes=substitutes)
        if not isinstance(opening, openings.Opening):
            return opening
        return (LeftOut.BY_FLOW, openings.LATER) if opening.later else opening.said

    return begin


class _Page(NamedTuple):
    people: Sequence[Counted]
    blocked: set[str]
    away: turned_away.Away


async def _pages(db: Database, look: Look, span: Span, *, with_fields: bool) -> AsyncIterator[_Page]:
    """The database reads a page while the one before it is decided about."""
    ahead = asyncio.ensure_future(_read(db, look, span, with_fields=with_fields))
    try:
        while (page := await ahead).people:
            last = page.people[-1]
            rest = Span(last.seq if isinstance(span.after, int) else last.number, span.until)
            ahead = asyncio.ensure_future(_read(db, look, rest, with_fields=with_fields))
            yield page
    finally:
        ahead.cancel()


async def _read(db: Database, look: Look, span: Span, *, with_fields: bool) -> _Page:
    """The next page of a share, with who of it may not be texted."""
    campaign, every = look.campaign, look.every
    app_id, list_ids = campaign.app_id, campaign.list_ids
    limits = () if campaign.transactional else caps.in_force(look.settings.frequency_cap)
    async with db.connection() as conn:
        if isinstance(span.after, int):
            people = await members.read_list(
                conn,
                app_id,
                list_ids[0],
                after=span.after,
                until=cast("int", span.until),
                limit=PAGE,
                with_fields=with_fields,
                every=every,
            )
        else:
            people = await members.read_numbers(
                conn,
                app_id,
                list_ids,
                after=span.after,
                until=cast("str", span.until),
                limit=PAGE,
                with_fields=with_fields,
                every=every,
            )
        numbers = [one.number for one in people]
        blocked = await dnc.find_blocked(
            conn,
            app_id,
            look.dnc_list_ids,
            numbers,
            look.now,
            address=campaign.caller_id,
            exempt=campaign.transactional,
        )
        away = await turned_away.find(conn, app_id, numbers, limits, campaign.exclude_ids, now=look.now)
    return _Page(people, blocked, away)


# ---------------------------------------------------------------- by other hands


async def _by_hand(db: Database, look: Look, span: Span, told: Callable[[int], None]) -> Preview:
    """A share that a process looks at. What it does not bring to its end, for whatever reason, is looked at here."""
    heard = 0

    def hear(people: int) -> None:
        nonlocal heard
        heard += people
        told(people)

    try:
        return await _ask(_Task(db.dsn, look, span), hear)
    except (OSError, EOFError) as error:  # no room for one more process, or it was ended
        log.warning("onlooker_lost error=%s", error)
        told(-heard)
        return await _alone(db, look, span, told)


async def _ask(task: _Task, told: Callable[[int], None]) -> Preview:
    """Have a process do it. Raises OSError or EOFError when it cannot."""
    command = (sys.executable, "-m", "heliograph.actions.onlookers")
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    to, said = cast("asyncio.StreamWriter", child.stdin), cast("asyncio.StreamReader", child.stdout)
    try:
        to.write(pickle.dumps(task))
        await to.drain()
        to.close()
        while True:
            length = int.from_bytes(await said.readexactly(_LENGTH))
            found: int | Preview = pickle.loads(await said.readexactly(length))  # noqa: S301  # from our own process
            if isinstance(found, Preview):
                return found
            told(found)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _say(what: int | Preview) -> None:
    """Tell whoever asked. Raises BrokenPipeError when they are gone, which ends this process."""
    data = pickle.dumps(what)
    sys.stdout.buffer.write(len(data).to_bytes(_LENGTH) + data)
    sys.stdout.buffer.flush()


async def _serve(task: _Task) -> None:
    db = await Database.beside(task.dsn, size=2)
    try:
        _say(await _alone(db, task.look, task.span, _say))
    finally:
        await db.close()


def main() -> None:
    """Look at one share, as told on stdin, and answer on stdout."""
    os.nice(NICE)
    gc.freeze()
    gc.set_threshold(YOUNG)
    task: _Task = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the process that started this one
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(_serve(task))


if __name__ == "__main__":
    main()
