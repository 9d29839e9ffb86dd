"""Advisory locks: PostgreSQL as the lock manager.

Each kind of lock has its own first key, so that ids of different kinds never meet:

* the *gate* of a campaign: shared by whoever is writing its bytes, exclusive for whoever ends it;
* the *lane* of a sender: held by the one worker session that sends through it;
* the *plan* of a run: held by the one session that turns its audience into messages;
* the *writer* of a contact list: held by the one transaction that adds contacts to it;
* the *purge*: held by the one session that clears up after deleted campaigns;
* the *answer* to a request with a key: held by the one transaction that works on it;
* the *calls* of a carrier account: held by the one transaction that works on them;
* the *sync* of a contact list: held by the one session that pulls its contacts;
* the *replies* of an app: held by the one transaction that answers them;
* an *import*: held by the one session that takes its file in;
* *listening* to a carrier account: held by the one session that keeps its line open while nothing is sent;
* *asking*: held by the one session that asks carriers about unknown messages;
* a *webhook*: held by the one session that tells it what there is to tell;
* *countries*: held by the one session that counts texts by country for reports;
* the gate of an app's *tests*: shared by whoever sends a text for a test, passed by whoever presses the panic button.

Session locks are free the moment their connection drops, which is what makes a dead worker harmless.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, LiteralString

import psycopg

from heliograph.errors import Stopping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.database import Conn


class Kind(IntEnum):
    """First key of an advisory lock."""

    GATE = 1
    LANE = 2
    PLAN = 3
    LIST_WRITER = 4
    PURGE = 5
    ANSWER = 6
    LIST_SYNC = 7
    CALLS = 8
    ASKING = 9
    TRIAL = 10
    IMPORT = 11
    REPLIES = 12
    LISTENING = 13
    WEBHOOK = 14
    COUNTRIES = 15


SET_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %(timeout)s, true)"

PATIENCE = 7000
"""Milliseconds that whoever stops something waits for others. A frozen worker keeps nothing for so long: its session is
ended after 3 s of silence, and what that session may wait for, a transaction of the same worker, after 2 s."""

STUCK = (
    "A worker is still writing a batch of this campaign and does not answer, "
    "so the stop cannot be promised yet. Nothing was changed; send the request again."
)


@asynccontextmanager
async def patiently(conn: Conn, *, timeout_ms: int = PATIENCE) -> AsyncIterator[None]:
    """Inside the block, to the end of the transaction, no lock is waited for any longer.

    Raises :class:`Stopping` then (somebody froze with it in their hands): nothing was changed, nothing may be promised.
    """
    await conn.execute(SET_LOCK_TIMEOUT, {"timeout": f"{timeout_ms}ms"})
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise Stopping(STUCK) from error


CLOSE_GATE = "SELECT pg_advisory_xact_lock(%(kind)s, %(key)s)"


async def close_gate(conn: Conn, campaign_id: int) -> None:
    """Wait until no byte of the campaign is being written, and let none be until this transaction ends.

    Call it inside :func:`patiently`.
    """
    await conn.execute(CLOSE_GATE, {"kind": Kind.GATE, "key": campaign_id})


WAIT_FOR_ALL = "SELECT set_config('lock_timeout', %(timeout)s, true), pg_advisory_xact_lock(%(kind)s, %(key)s)"


async def pass_through(conn: Conn, kind: Kind, key: int, *, timeout_ms: int = PATIENCE) -> None:
    """Wait until nobody who is inside a gate now is in there any more. Outside a transaction. Raises Stopping."""
    try:
        await conn.execute(WAIT_FOR_ALL, {"kind": kind, "key": key, "timeout": f"{timeout_ms}ms"})
    except psycopg.errors.LockNotAvailable as error:
        text = (
            "Nothing more is taken to be sent, but a worker that is still writing a batch does not answer, "
            "so it cannot be promised yet that nothing leaves. Send the request again."
        )
        raise Stopping(text) from error


ENTER_GATE = "SELECT pg_try_advisory_lock_shared(%(kind)s, %(key)s)"


async def enter_gate(conn: Conn, key: int, *, kind: Kind = Kind.GATE) -> bool:
    """Enter a campaign's gate (of tests: an app's); False when somebody is closing it.

    A *try* lock: it also fails while an exclusive waiter queues, so new batches cannot hold a stop off.
    """
    return await _granted(conn, ENTER_GATE, kind, key)


LEAVE_GATE = "SELECT pg_advisory_unlock_shared(%(kind)s, %(key)s)"


async def leave_gate(conn: Conn, campaign_id: int) -> None:
    """Leave a gate entered with :func:`enter_gate` on this same session."""
    await conn.execute(LEAVE_GATE, {"kind": Kind.GATE, "key": campaign_id})


TAKE = "SELECT pg_try_advisory_lock(%(kind)s, %(key)s)"


async def take(conn: Conn, kind: Kind, key: int) -> bool:
    """Take a session lock if it is free."""
    return await _granted(conn, TAKE, kind, key)


RELEASE = "SELECT pg_advisory_unlock(%(kind)s, %(key)s)"


async def release(conn: Conn, kind: Kind, key: int) -> None:
    """Give back a session lock taken with :func:`take`."""
    await conn.execute(RELEASE, {"kind": kind, "key": key})


async def hold(conn: Conn, kind: Kind, key: int) -> None:
    """Wait for a lock and hold it to the end of this transaction."""
    await conn.execute(CLOSE_GATE, {"kind": kind, "key": key})


TRY_HOLD = "SELECT pg_try_advisory_xact_lock(%(kind)s, %(key)s)"


async def try_hold(conn: Conn, kind: Kind, key: int) -> bool:
    """Hold a lock to the end of this transaction, if it is free."""
    return await _granted(conn, TRY_HOLD, kind, key)


async def _granted(conn: Conn, statement: LiteralString, kind: Kind, key: int) -> bool:
    cursor = await conn.execute(statement, {"kind": kind, "key": key})
    row = await cursor.fetchone()
    return bool(row and row[0])
