"""Pulling contact lists: one sync from its claim to its end, asking for one, trying one out.

A sync reads everything first, holding no lock and no connection, and writes all of it, its own record and the
time of the next one in one transaction, or only its record with the reason why not.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import app_secrets, contacts, fetch
from heliograph.errors import Conflict, HeliographError, Invalid, StoreUnavailable
from heliograph.rules import body as reading
from heliograph.rules import pull as law
from heliograph.rules import pull_answer, pull_body, quota
from heliograph.rules.contact import Contact
from heliograph.rules.pull_answer import Problem
from heliograph.store import list_sources, lists, sync_logs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime

    from heliograph.actions.fetch import Limits
    from heliograph.actions.seal import Seal
    from heliograph.config import Clock
    from heliograph.rules.address import Network
    from heliograph.rules.pull import Pull
    from heliograph.rules.quota import Quota
    from heliograph.store.apps import App
    from heliograph.store.contacts import NewContact
    from heliograph.store.database import Conn, Database
    from heliograph.store.list_sources import Source
    from heliograph.store.lists import ContactList

log = logging.getLogger(__name__)

PROBLEMS_KEPT = 20
TRIED = 5  # records shown when a pull is tried out
SLICE = 2000  # records read between two breaths of whatever else this process does
TRY_LIMITS = fetch.Limits(total=30.0, silence=20.0, answer_bytes=10 * 1024 * 1024)

LOST = "The worker that ran it was gone before it had ended"
OURS = "Something went wrong on our side; the worker's log says what"


class Trial(NamedTuple):
    """What came of trying a pull out. ``reason``: why nothing could be read, None when it could."""

    reason: str | None
    fetched: int  # records on the first page
    records: list[Contact]  # the first that are contacts
    problems: list[Problem]  # the first that are none
    rejected: int


class _Page(NamedTuple):
    """The records of a page, and whether another may follow."""

    records: list[object]
    more: bool


@dataclass(slots=True)
class Catch:
    """What was pulled so far."""

    pages: int = 0
    fetched: int = 0
    rejected: int = 0
    people: list[NewContact] = field(default_factory=list["NewContact"])
    columns: dict[str, None] = field(default_factory=dict[str, None])
    problems: list[Problem] = field(default_factory=list[Problem])
    reason: str | None = None


# ---------------------------------------------------------------- what someone may ask for


async def ask(db: Database, app: App, ref: str, *, now: datetime) -> ContactList:
    """Have a list synced now, by whichever worker is free; answers the list.

    While it is being synced, one more sync follows. Raises NotFound, and Conflict for a list that pulls from nowhere.
    """
    async with db.transaction() as conn:
        found = await lists.get(conn, app.app_id, ref)
        if not await list_sources.ask(conn, app.app_id, found.list_id, now=now):
            raise _no_source(found)
    return found


async def try_out(
    db: Database,
    seal: Seal,
    app: App,
    ref: str,
    body: object,
    *,
    allowed: Sequence[Network],
    limits: Limits = TRY_LIMITS,
) -> Trial:
    """Pull a list's first page and store nothing: with the ``apiConfigurations`` in ``body``, else with the list's own.

    Raises Invalid for a configuration that cannot be used, NotFound, and Conflict when there is none. An API that
    does not answer as it should is a result.
    """
    sent = reading.mapping(body, "").get(pull_body.FIELD)
    async with db.connection() as conn:
        found = await lists.get(conn, app.app_id, ref)
        source = await list_sources.find(conn, app.app_id, found.list_id)
        if sent is None and source is None:
            raise _no_source(found)
        pull = pull_body.parse(sent if source is None or sent is not None else source.config)
        secrets = await app_secrets.opened(conn, seal, app, law.secret_names(pull))
    law.first_question(pull, secrets)  # a secret that is missing is the caller's mistake
    try:
        async with aclosing(_pages(pull, secrets, allowed, limits)) as pages:
            first = await anext(pages)
        return await asyncio.to_thread(_tried, first.records, pull)
    except Invalid as error:
        return Trial(error.message, 0, [], [], 0)


def _tried(records: Sequence[object], pull: Pull) -> Trial:
    found = [pull_answer.contact_of(record, number, pull.mapping) for number, record in enumerate(records, 1)]
    people = [each for each in found if isinstance(each, Contact)]
    problems = [each for each in found if isinstance(each, Problem)]
    return Trial(None, len(records), people[:TRIED], problems[:TRIED], len(problems))


# ---------------------------------------------------------------- a sync


async def begin(db: Database, app_id: int, list_id: int, *, now: datetime) -> Source | None:
    """Begin the sync that is due, None when none is (any more). Only for whoever holds the list's sync lock.

    A sync that somebody began before and did not end is written down as interrupted: its holder is gone.
    """
    async with db.transaction() as conn:
        source = await list_sources.claim(conn, app_id, list_id, now=now)
        if source is None:
            return None
        if await sync_logs.interrupt(conn, app_id, list_id, reason=LOST, now=now):
            log.warning("sync_interrupted list=%s", list_id)
        await sync_logs.begin(conn, app_id, list_id, source.last_sync, by_hand=source.by_hand, now=now)
    return source


async def run(
    db: Database,
    seal: Seal,
    app: App,
    list_ref: str,
    source: Source,
    *,
    clock: Clock,
    allowed: Sequence[Network],
    limits: Limits | None = None,
    kept: Quota = quota.DEFAULT,
) -> None:
    """Do a sync that was begun, to its end: all of it, or nothing and the reason why. Raises StoreUnavailable only."""
    started = clock()
    try:
        pull = pull_body.parse(source.config)
        async with db.connection() as conn:
            secrets = await app_secrets.opened(conn, seal, app, law.secret_names(pull))
        catch = await _read(pull, secrets, allowed, limits or fetch.Limits())
        await _write(db, app, list_ref, source, pull, catch, started=started, now=clock(), kept=kept)
    except StoreUnavailable:
        raise
    except HeliographError as error:
        await _fail(db, source, error.message, started=started, now=clock())
    except Exception:
        log.exception("sync_fault list=%s", list_ref)
        await _fail(db, source, OURS, started=started, now=clock())


async def _read(pull: Pull, secrets: dict[str, str], allowed: Sequence[Network], limits: Limits) -> Catch:
    catch = Catch()
    more = False
    async with aclosing(_pages(pull, secrets, allowed, limits)) as pages:
        async for page in pages:
            catch.pages += 1
            more = page.more
            for at in range(0, len(page.records), SLICE):
                await asyncio.to_thread(_take, catch, page.records[at : at + SLICE], pull)
    if more:
        catch.reason = f"It ended after {catch.pages} pages, as paging.mostPages says; there may be more"
    if catch.fetched and not catch.people:
        first = catch.problems[0]
        text = (
            f"None of the {catch.fetched} records can be used. Record {first.record}, {first.field or 'as a whole'}: "
        )
        raise Invalid(text + first.problem)
    return catch


def _take(catch: Catch, records: Sequence[object], pull: Pull) -> None:
    """Read some records into the catch."""
    for number, record in enumerate(records, catch.fetched + 1):
        found = pull_answer.contact_of(record, number, pull.mapping)
        if isinstance(found, Problem):
            catch.rejected += 1
            if len(catch.problems) < PROBLEMS_KEPT:
                catch.problems.append(found)
        else:
            catch.people.append(contacts.to_keep(found))
            catch.columns.update(dict.fromkeys(found.fields))
    catch.fetched += len(records)


async def _pages(
    pull: Pull, secrets: dict[str, str], allowed: Sequence[Network], limits: Limits
) -> AsyncGenerator[_Page, None]:
    """Page by page. Raises Invalid for an API that does not answer as it should."""
    question = law.first_question(pull, secrets)
    asked: set[str] = set()
    before = b""
    async with fetch.open_line(allowed, limits) as line:
        for page in range(1 if pull.paging is None else pull.paging.most):
            if question.url in asked:
                raise Invalid(f"Page {page + 1} is at the same place as one before it: {law.plain_url(question.url)}")
            asked.add(question.url)
            raw = await line.ask(question)
            answer = await asyncio.to_thread(pull_answer.read, raw, pull.records)
            records = pull_answer.records(answer, pull.records)
            if records and raw == before:
                raise Invalid(
                    f"Pages {page} and {page + 1} are the same: the API does not go by the page it is asked for"
                )
            link = pull_answer.next_url(answer, pull, question.url)
            by_number = pull.paging is not None and pull.paging.next_link is None and bool(records)
            yield _Page(records, more=link is not None or by_number)
            if link is None and not by_number:
                return
            before = raw
            question = law.page_question(pull, question, page + 1, secrets, link)


async def _write(
    db: Database,
    app: App,
    list_ref: str,
    source: Source,
    pull: Pull,
    catch: Catch,
    *,
    started: datetime,
    now: datetime,
    kept: Quota,
) -> None:
    """Add the people, write down that the sync is done, and when the next one is: all of it or nothing."""
    async with db.transaction() as conn:
        added = await contacts.append(conn, app, list_ref, catch.people, list(catch.columns), now=now, limits=kept)
        done = await sync_logs.end(
            conn,
            source.app_id,
            source.list_id,
            source.last_sync,
            outcome="completed",
            now=now,
            pages=catch.pages,
            fetched=catch.fetched,
            added=added,
            duplicates=catch.fetched - catch.rejected - added,
            rejected=catch.rejected,
            problems=[each._asdict() for each in catch.problems],
            reason=catch.reason,
        )
        if not done:  # another worker has taken the list over, and does it again
            raise Conflict(LOST)
        await sync_logs.trim(conn, source.app_id, source.list_id, newest=source.last_sync)
        await _move_on(conn, source, law.next_sync(pull, started, 0), failures=0)
    log.info(
        "sync_completed list=%s pages=%s fetched=%s added=%s rejected=%s",
        list_ref,
        catch.pages,
        catch.fetched,
        added,
        catch.rejected,
    )


async def _fail(db: Database, source: Source, reason: str, *, started: datetime, now: datetime) -> None:
    """Write down that a sync failed, and when it is tried again. Nothing, when another worker has taken it over."""
    failures = source.failures + 1
    try:
        next_at = law.next_sync(pull_body.parse(source.config), started, failures)
    except Invalid:  # written by a version that knew other configurations
        next_at = None
    async with db.transaction() as conn:
        done = await sync_logs.end(
            conn, source.app_id, source.list_id, source.last_sync, outcome="failed", now=now, reason=reason
        )
        if done:
            await sync_logs.trim(conn, source.app_id, source.list_id, newest=source.last_sync)
            await _move_on(conn, source, next_at, failures=failures)
    log.warning("sync_failed list=%s failures=%s reason=%s", source.list_id, failures, reason)


async def _move_on(conn: Conn, source: Source, next_at: datetime | None, *, failures: int) -> None:
    was = source.next_sync_at
    if was is not None:  # it was due, or it would not have been claimed
        await list_sources.move_on(
            conn, source.app_id, source.list_id, was=was, next_sync_at=next_at, failures=failures
        )


def _no_source(found: ContactList) -> Conflict:
    text = f"Contact list {found.name} pulls from nowhere: its source is {found.source}, "
    if found.source == law.SOURCE:
        text += "and it has no apiConfigurations yet; update it with some"
    else:
        text += f"and only lists of source {law.SOURCE} pull"
    return Conflict(text, field="contactListId")
