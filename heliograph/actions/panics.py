"""The panic button: nothing leaves an app, or one of its senders, until a person releases it.

It is a barrier as :mod:`heliograph.actions.runs` makes one, for all campaigns at once and at no cost to a batch: it is
committed first, so that every later claim fails; then each gate is passed through once, which waits for bytes that are
being written at this moment. Whatever was claimed before has left, and its gate with it, when the last one is passed.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict, NotFound
from heliograph.rules import body as reading
from heliograph.store import bell, database, locks, panics, senders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.panics import Panic

LONGEST_REASON = 200


async def press(db: Database, app: App, sender: str | None, body: object, *, who: str, now: datetime) -> Panic:
    """Stop everything that leaves ``sender`` (an id or address), or the whole app (None); why may stand in ``reason``.

    When this returns, nothing leaves any more: no campaign, no one-off text, no test. Nobody is dropped; they wait.
    Pressed again while it holds, it keeps its first reason. Raises Invalid, NotFound, and Stopping when a worker has
    not left its gate yet: the button holds then too, and only the promise for that one batch is missing.
    """
    told = reading.mapping(body, "").get("reason")
    reason = "" if told is None else reading.text(told, "reason", longest=LONGEST_REASON).strip()
    async with _own(db) as conn:
        sender_id, called = await _named(conn, app, sender)
        async with conn.transaction():
            await panics.press(conn, app.app_id, sender_id, who=who, reason=reason, now=now)
            await bell.ring(conn, "panic")
            why = f": {reason}" if reason else ""
            audit.tell(f"Pressed the panic button of {called}{why}")
            if db.witness is not None:  # the connection is our own, so the transaction is not the database's
                await db.witness(conn)
        for campaign_id in await panics.list_gates(conn, app.app_id):
            await locks.pass_through(conn, locks.Kind.GATE, campaign_id)
        await locks.pass_through(conn, locks.Kind.TRIAL, app.app_id)
        found = await panics.find_newest(conn, app.app_id, sender_id)
    if found is None:
        raise NotFound("The panic was not written")
    return found


async def release(db: Database, app: App, sender: str | None, *, who: str, now: datetime) -> Panic:
    """Let texts leave a sender, or the app (None), again; whoever waits is texted. Raises NotFound."""
    async with db.transaction() as conn:
        sender_id, called = await _named(conn, app, sender)
        released = await panics.release(conn, app.app_id, sender_id, who=who, now=now)
        found = await panics.find_newest(conn, app.app_id, sender_id)
        if not released or found is None:
            whose = "this app" if sender is None else f"sender {sender}"
            raise NotFound(f"There is no panic to release: the texts of {whose} are not held by one")
        await bell.ring(conn, "released")
        audit.tell(f"Released the panic button of {called}")
    return found


@dataclass(frozen=True, slots=True)
class Holding:
    """What the button holds of a route: ``by`` which panics, and whether that leaves it nobody to go through."""

    by: tuple[Panic, ...] = ()
    every: bool = False


async def look(conn: Conn, app_id: int, sender_ids: Sequence[int]) -> Holding:
    """What is held now of these senders; the app's own panic stands alone, as it holds them all."""
    held = await panics.list_in_force(conn, app_id)
    if held and held[0].sender_id is None:
        return Holding((held[0],), every=True)
    found = tuple(each for each in held if each.sender_id in sender_ids)
    return Holding(found, every=bool(found) and set(sender_ids) <= {each.sender_id for each in found})


async def check(conn: Conn, app_id: int, sender_ids: Sequence[int], *, field: str | None = None) -> None:
    """Refuse to begin what nobody could be texted by: raises Conflict when the app, or every one of these, is held."""
    found = await look(conn, app_id, sender_ids)
    if found.every:
        raise Conflict(sentence(found.by[0]), field=field)


def sentence(held: Panic) -> str:
    """Who holds what, since when, why, and what to do."""
    whose = "this app" if held.sender_id is None else f"sender {held.address}"
    why = f" ({held.reason})" if held.reason else ""
    since = f"{held.pressed_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"Nothing leaves {whose} since {since}: {held.pressed_by} pressed the panic button{why}. Release it first"


async def _named(conn: Conn, app: App, ref: str | None) -> tuple[int | None, str]:
    """The sender that is meant (None: the whole app), and what it is called in the audit."""
    if ref is None:
        return None, "the whole app"
    found = await senders.get_named(conn, app.app_id, ref)
    return found.sender_id, "the sender for any address" if found.address == "*" else found.address


@asynccontextmanager
async def _own(db: Database) -> AsyncIterator[Conn]:
    """A connection of its own: what is written is committed at once, even inside the longer transaction of a key."""
    conn = await db.connect()
    async with conn:
        with database.lost_is_unavailable(conn, db.dsn):
            yield conn
