"""Syncing lists that pull: a look each second at what is due, a few at once, each by one worker.

What is due stands in the tables (``list_source.next_sync_at``), so there is no queue and nothing to requeue: a list
stays due until its sync has ended, and its lock is free the moment the worker that held it is gone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import pulls
from heliograph.actions import seal as seals
from heliograph.errors import StoreUnavailable
from heliograph.store import apps, list_sources, locks

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database
    from heliograph.store.list_sources import Due
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks
AT_ONCE = 4  # syncs that one worker does at once
AFTER_FAULT = 5.0  # seconds before a list whose sync could not even be written down is tried again


class Pulls:
    """Syncs what is due until cancelled. A sync cut off by that is written down as interrupted, and done again."""

    def __init__(self, db: Database, session: Session, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._session = session
        self._settings = settings
        self._clock = clock
        self._under_way: set[int] = set()  # lists; a session would be given its own lock again
        self._not_before: dict[int, float] = {}  # list → when it may be tried again

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self.look(group)
                await asyncio.sleep(LOOK)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Begin the syncs that are due and that nobody else does, in the group."""
        if len(self._under_way) >= AT_ONCE:
            return
        async with self._db.connection() as conn:
            due = await list_sources.list_due(conn, self._clock())
        now = asyncio.get_running_loop().time()
        for each in due:
            if len(self._under_way) >= AT_ONCE:
                return
            if each.list_id in self._under_way or now < self._not_before.get(each.list_id, 0.0):
                continue
            async with self._session.use() as conn:
                mine = await locks.take(conn, locks.Kind.LIST_SYNC, each.list_id)
            if mine:
                self._under_way.add(each.list_id)
                group.create_task(self._sync(each))

    async def _sync(self, due: Due) -> None:
        try:
            source = await pulls.begin(self._db, due.app_id, due.list_id, now=self._clock())
            if source is not None:
                async with self._db.connection() as conn:
                    app = await apps.get(conn, due.app_public_id)
                await pulls.run(
                    self._db,
                    seals.from_settings(self._settings),
                    app,
                    due.list_public_id,
                    source,
                    clock=self._clock,
                    allowed=self._settings.pull_private_networks,
                    kept=self._settings.quota,
                )
            self._not_before.pop(due.list_id, None)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("sync_not_done list=%s", due.list_public_id)
            self._not_before[due.list_id] = asyncio.get_running_loop().time() + AFTER_FAULT
        self._under_way.discard(due.list_id)
        async with self._session.use() as conn:
            await locks.release(conn, locks.Kind.LIST_SYNC, due.list_id)
