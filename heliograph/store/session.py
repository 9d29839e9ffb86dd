"""A worker's own connection: it holds the lanes, and everything a lane does goes through it.

That is the fencing: a worker that has lost this connection has lost its lanes in the same moment, and
finds out at the next statement, which is always before the next byte.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from heliograph.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.database import Conn, Database


class Session:
    """One dedicated connection, one statement (or transaction) at a time."""

    def __init__(self, conn: Conn, dsn: str) -> None:
        self._conn = conn
        self._dsn = dsn
        self._turn = asyncio.Lock()

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
    async def use(self) -> AsyncIterator[Conn]:
        """The connection, for one statement. Raises StoreUnavailable when it is lost."""
        async with self._turn:
            with database.lost_is_unavailable(self._conn, self._dsn):
                yield self._conn

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """The connection, inside one transaction."""
        async with self.use() as conn, conn.transaction():
            yield conn
