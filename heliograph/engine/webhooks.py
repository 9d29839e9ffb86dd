"""Telling webhooks: what is due is done by whichever worker holds the webhook's lock, a few at once.

What is due stands in the tables, so there is no queue and nothing to requeue: a delivery stays due until what came of
it is written down, and the lock is free the moment the worker that held it is gone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import seal as seals
from heliograph.actions import webhook_posts
from heliograph.errors import NotFound, StoreUnavailable
from heliograph.rules import webhook
from heliograph.store import locks
from heliograph.store import webhook_deliveries as deliveries

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.engine.bell import Bell
    from heliograph.store.database import Database
    from heliograph.store.session import Session
    from heliograph.store.webhook_deliveries import Waiting

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks when nobody rings
AT_ONCE = 16  # webhooks that one worker tells at once
AFTER_FAULT = 30.0  # seconds before one that could not even be tried is looked at again
FORGET = 60.0  # seconds between looks for what is too old to be kept


class Webhooks:
    """Tells webhooks what is due until cancelled. What is cut off by that is told again."""

    def __init__(self, db: Database, session: Session, settings: Settings, clock: Clock, bell: Bell) -> None:
        self._db = db
        self._session = session
        self._settings = settings
        self._clock = clock
        self._bell = bell
        self._under_way: set[int] = set()  # webhooks; a session would be given its own lock again
        self._not_before: dict[int, float] = {}  # webhook → when it may be looked at again
        self._forgot = 0.0

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self.look(group)
                await self._bell.wait(LOOK)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Begin telling those that there is something due for and that nobody else tells, in the group."""
        now = asyncio.get_running_loop().time()
        async with self._db.connection() as conn:
            due = await deliveries.list_due(conn, self._clock())
            if now >= self._forgot + FORGET:
                self._forgot = now
                await deliveries.forget(conn, before=self._clock() - webhook.KEPT)
        for each in due:
            if len(self._under_way) >= AT_ONCE:
                return
            if each.webhook_id in self._under_way or now < self._not_before.get(each.webhook_id, 0.0):
                continue
            async with self._session.use() as conn:
                mine = await locks.take(conn, locks.Kind.WEBHOOK, each.webhook_id)
            if mine:
                self._under_way.add(each.webhook_id)
                group.create_task(self._tell(each))

    async def _tell(self, waiting: Waiting) -> None:
        """Tell one webhook all that is due."""
        try:
            seal = seals.from_settings(self._settings)
            allowed = self._settings.webhook_private_networks
            while await webhook_posts.deliver(
                self._db, seal, waiting.app_id, waiting.webhook_id, allowed=allowed, clock=self._clock
            ):
                pass
            self._not_before.pop(waiting.webhook_id, None)
        except StoreUnavailable:
            raise
        except NotFound:
            pass  # it was deleted meanwhile
        except Exception:
            log.exception("webhook_not_told webhook=%s", waiting.webhook_id)
            self._not_before[waiting.webhook_id] = asyncio.get_running_loop().time() + AFTER_FAULT
        self._under_way.discard(waiting.webhook_id)
        async with self._session.use() as conn:
            await locks.release(conn, locks.Kind.WEBHOOK, waiting.webhook_id)
