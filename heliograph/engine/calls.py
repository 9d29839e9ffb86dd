"""Working on what carriers called us with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.actions import carrier_calls, replies
from heliograph.actions import seal as seals
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import webhook_calls

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.engine.bell import Bell
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks when nobody rings


class Calls:
    """Works on stored calls until cancelled. Every worker has one; an account's calls are one worker's at a time."""

    def __init__(self, db: Database, settings: Settings, clock: Clock, bell: Bell) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._bell = bell

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when the database is away."""
        while True:
            before = self._bell.rung
            if not await self.look() and self._bell.rung == before:
                await self._bell.wait(LOOK)

    async def look(self) -> int:
        """Work on some calls of every account that has any; answers how many."""
        async with self._db.connection() as conn:
            waiting = await webhook_calls.list_waiting(conn, parts_before=self._clock() - replies.PATIENCE)
        worked = 0
        for app_id, account_id in waiting:
            try:
                seal = seals.from_settings(self._settings)  # not before it is needed: it makes a key where none is
                worked += await carrier_calls.work(self._db, seal, app_id, account_id, now=self._clock())
            except StoreUnavailable:
                raise
            except HeliographError as error:  # its secrets were sealed with another key, say: the calls wait
                log.error("calls_not_worked_on account=%s error=%s", account_id, error)  # noqa: TRY400  # its sentence says it all
        return worked
