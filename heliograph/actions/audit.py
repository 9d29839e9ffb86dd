"""Who is asking, kept beside the request, so that whatever is then done is written down in the same transaction.

A face that knows who asks says so once (:func:`begin`); the first transaction that commits while that request is
worked on takes the entry with it (:func:`write`, which the database calls as its witness). So no verb can forget
it, and no verb that failed is called done. A verb that can say more than the address it was asked by says it
(:func:`tell`).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.store import audit

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.config import Clock
    from heliograph.store.audit import NewEntry
    from heliograph.store.database import Conn, Database

LONGEST = 500  # characters of what is told


@dataclass(slots=True)
class Asking:
    """What is being asked for. ``written``: it is in the book already."""

    entry: NewEntry
    clock: Clock
    written: bool = False


_NOW: ContextVar[Asking | None] = ContextVar("asked", default=None)


def begin(entry: NewEntry, clock: Clock) -> Asking:
    """From here on, in this request, whatever commits first is ``entry``."""
    found = Asking(entry, clock)
    _NOW.set(found)
    return found


def end() -> None:
    """From here on nobody is known to ask."""
    _NOW.set(None)


def tell(what: str, *, object: str | None = None, app: str | None = None) -> None:  # noqa: A002  # the column's name
    """Say in words what is being done, inside its transaction; nothing where nobody is known to ask."""
    found = _NOW.get()
    if found is not None and not found.written:
        entry = found.entry
        found.entry = replace(entry, what=what[:LONGEST], object=object or entry.object, app=app or entry.app)


def within(app: str) -> None:
    """Say in which app (``st-...``) something is being done, where that shows only while it is; the first counts."""
    found = _NOW.get()
    if found is not None and not found.written and found.entry.app is None:
        found.entry = replace(found.entry, app=app)


def by() -> str:
    """Who asks, for rows that keep it themselves; empty where nobody is known to."""
    found = _NOW.get()
    return "" if found is None else found.entry.name


def never() -> None:
    """What is asked for was done before and is only answered again: it is no entry."""
    found = _NOW.get()
    if found is not None:
        found.written = True


async def write(conn: Conn) -> None:
    """Write down what is asked for, unless it is written: the database calls this before a transaction commits."""
    found = _NOW.get()
    if found is None or found.written:
        return
    await audit.add(conn, found.entry, now=found.clock())
    found.written = True


async def settle(db: Database, asked: Asking, *, refused: str | None) -> None:
    """At the end of a request: what no transaction took along is written now, as done or as ``refused``, and why."""
    if asked.written:
        return
    asked.written = True
    if refused is not None:
        asked.entry = replace(asked.entry, outcome="refused", what=refused[:LONGEST])
    async with db.connection() as conn:
        await audit.add(conn, asked.entry, now=asked.clock())


async def add(conn: Conn, entry: NewEntry, *, now: datetime) -> None:
    """Write down what stands for itself, in the transaction of what it tells of."""
    await audit.add(conn, entry, now=now)


async def note(db: Database, entry: NewEntry, *, now: datetime) -> None:
    """Write down what stands for itself, such as a sign-in that failed."""
    async with db.connection() as conn:
        await audit.add(conn, entry, now=now)
