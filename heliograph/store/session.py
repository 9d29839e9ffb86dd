"""A worker's own connection: it holds the lanes, and everything a lane does goes through it.

That is the fencing: a worker that has lost this connection has lost its lanes in the same moment, and
finds out at the next statement, which is always before the next byte.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from heliograph.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.database import Conn, Database


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


class Session:
    """One dedicated connection, one statement (or transaction) at a time."""

    def __init__(self, conn: Conn, dsn: str) -> None:
        self._conn = conn
        self._dsn = dsn
        self._turns = _Turns()

    @classmethod
    @asynccontextmanager
    async def open(cls, db: Database) -> AsyncIterator[Session]:
        """Connect. All locks taken through the session are free once it is closed or lost."""
        conn = await db.connect()
        try:
            yield cls(conn, db.dsn)
        finally:
            await conn.close()

    @asynccontextmanager
    async def use(self, *, first: bool = False) -> AsyncIterator[Conn]:
        """The connection, for a statement or a few. Raises StoreUnavailable when it is lost.

        ``first``: before all others who wait; for leaving a gate, as a stop may be waiting for that.
        """
        await self._turns.take(first=first)
        try:
            with database.lost_is_unavailable(self._conn, self._dsn):
                yield self._conn
        finally:
            self._turns.give_back()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """The connection, inside one transaction."""
        async with self.use() as conn, conn.transaction():
            yield conn
