"""Counting by country, while nothing waits for it: whichever worker holds the lock looks what has moved."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import countries
from heliograph.errors import StoreUnavailable
from heliograph.store import locks

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.store.database import Database
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

LOOK = 20.0  # seconds between looks
FIRST = 5.0  # seconds before the first: a worker that has just begun has better things to do


class Countries:
    """Counts until cancelled. What is cut off by that is counted again."""

    def __init__(self, db: Database, session: Session, clock: Clock) -> None:
        self._db = db
        self._session = session
        self._clock = clock

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        await asyncio.sleep(FIRST)
        while True:
            async with self._session.use() as conn:
                mine = await locks.take(conn, locks.Kind.COUNTRIES, 0)
            if mine:
                await self._count()
                async with self._session.use() as conn:
                    await locks.release(conn, locks.Kind.COUNTRIES, 0)
            await asyncio.sleep(LOOK)

    async def _count(self) -> None:
        try:
            await countries.count(self._db, self._clock)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("countries_not_counted")
