"""Answering people who say no, yes or help. That a no counts does not wait for this: it does once the reply is kept."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import auto_answers
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import replies

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 0.25  # seconds between looks for replies that nobody has looked at


class Replies:
    """Looks at replies until cancelled. Every worker has one; an app's replies are one worker's at a time."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when the database is away."""
        while True:
            if not await self.look():
                await asyncio.sleep(LOOK)

    async def look(self) -> int:
        """Look at some replies of every app that has any; answers how many."""
        async with self._db.connection() as conn:
            waiting = await replies.list_waiting(conn)
        done = 0
        for app_id in waiting:
            try:
                done += await auto_answers.work(self._db, app_id, now=self._clock())
            except StoreUnavailable:
                raise
            except HeliographError as error:
                log.error("replies_not_answered app=%s error=%s", app_id, error)  # noqa: TRY400  # its sentence says it all
        return done
