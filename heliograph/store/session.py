"""A worker's own connection: it holds the lanes, and everything a lane does goes through it.

That is the fencing. A worker that has lost this connection has lost its lanes in the same moment. One that stands
still (it is frozen, its machine sleeps, the network between is cut) loses it after :data:`IDLE_LIMIT`, by PostgreSQL's
own clock; and by :attr:`Session.sure_until` it knows, before it writes a byte, whether that may have happened.
"""

from __future__ import annotations

import asyncio
import math
import select
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from psycopg.pq import TransactionStatus

from heliograph import config
from heliograph.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.database import Conn, Database

IDLE_LIMIT = 3.0
"""Seconds after which PostgreSQL ends a session that says nothing: its lanes and gates are free then.

Shorter, and a busy machine loses lanes for nothing; longer, and they are not at work elsewhere within five seconds:
whoever takes one over has to notice (half a second), and then to wait a second in which nothing may add to its rate."""

TRUST = 2.0
"""Seconds after its last answered statement for which a session is certainly not ended yet. The second between the
two is for clocks that do not run alike, and for bytes on their way from the last look at the clock to the wire."""

TOUCH = 0.5
"""Seconds after which a session that has nothing to say says something."""

# A network that swallows packets is found out by us about when PostgreSQL gives the session up.
NETWORK = {
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
}

_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class _Turns:
    """Who may use the connection next: in order of asking, but whoever leaves a gate first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, *, first: bool) -> None:
        if not self._taken:
            self._taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if first else self._waiting.append)(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give_back()  # it had become our turn in the same moment
            raise

    def give_back(self) -> None:
        while self._waiting:
            following = self._waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        self._taken = False


LIMITS = """
SELECT set_config('idle_session_timeout', %(limit)s, false),
       set_config('idle_in_transaction_session_timeout', %(limit)s, false),
       set_config('tcp_user_timeout', %(limit)s, false)
"""
SAY_SOMETHING = "SELECT"


class Session:
    """One dedicated connection, one statement (or transaction) at a time."""

    def __init__(self, conn: Conn, dsn: str) -> None:
        self._conn = conn
        self._dsn = dsn
        self._turns = _Turns()
        self._answered = -math.inf
        self._poll = select.poll()
        self._poll.register(conn.fileno(), select.POLLIN | _GONE)

    @classmethod
    @asynccontextmanager
    async def open(cls, db: Database) -> AsyncIterator[Session]:
        """Connect. All locks taken through the session are free once it is closed or lost, or has said nothing
        for :data:`IDLE_LIMIT`: call :meth:`touch` every :data:`TOUCH` seconds.
        """
        conn = await db.connect(**NETWORK)
        try:
            session = cls(conn, db.dsn)
            async with session.use() as it:
                await it.execute(LIMITS, {"limit": f"{IDLE_LIMIT * 1000:.0f}ms"})
            yield session
        finally:
            await conn.close()

    @asynccontextmanager
    async def use(self, *, first: bool = False) -> AsyncIterator[Conn]:
        """The connection, for a statement or a few. Raises StoreUnavailable when it is lost.

        ``first``: before all others who wait; for leaving a gate, as a stop may be waiting for that.
        """
        await self._turns.take(first=first)
        began = config.boot_seconds()
        try:
            with database.lost_is_unavailable(self._conn, self._dsn):
                yield self._conn
            self._answered = began  # a statement sent after that has been answered
        finally:
            self._turns.give_back()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """The connection, inside one transaction."""
        async with self.use() as conn, conn.transaction():
            yield conn

    async def touch(self) -> None:
        """Say something, if nothing has been said lately. Raises StoreUnavailable when the session is lost."""
        if config.boot_seconds() - self._answered >= TOUCH:
            async with self.use(first=True) as conn:
                await conn.execute(SAY_SOMETHING)

    @property
    def sure_until(self) -> float:
        """Until when, by :func:`config.boot_seconds`, every lock taken through the session is certainly still held.

        In the past when it may be over. PostgreSQL says goodbye before it frees the locks of a session that it ends,
        and the word is here by then, however still this process stands: so a session ended early (by a person, by a
        restart) is seen too.
        """
        heard = self._poll.poll(0)
        if heard:
            asked = self._conn.pgconn.transaction_status == TransactionStatus.ACTIVE
            if not asked or heard[0][1] & _GONE:  # nothing was asked, so what is there to read is a goodbye
                return -math.inf
        return self._answered + TRUST
