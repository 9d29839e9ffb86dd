"""Keeping to how long apps keep things: a sweep in small steps, by the worker that clears up."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import retention as keeping
from heliograph.rules import retention as law
from heliograph.store import retention

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

AT_ONCE = 10  # steps of one sweep: other clearing up waits for it
QUIET = 60.0  # seconds before it looks again where nothing was left to remove


class Retention:
    """Sweeps whenever it is asked to and there may be something to remove."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._not_before = 0.0

    async def sweep(self) -> int:
        """Remove some of what is older than its app keeps it; how many rows that were."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            return 0
        async with self._db.connection() as conn:
            apps = await retention.list_apps(conn)
        removed = 0
        for app_id, kept in apps:
            passed = keeping.Passed()
            for _ in range(AT_ONCE):
                began = loop.time()
                gone = await keeping.step(self._db, app_id, law.read(kept), now=self._clock(), passed=passed)
                if not gone:
                    break
                removed += gone
                await asyncio.sleep(loop.time() - began)  # half of the time at most is for what can wait
        if removed:
            log.info("retention_removed rows=%s", removed)
        else:
            self._not_before = loop.time() + QUIET
        return removed
