"""Mailing reports: every worker looks, and each time is taken by one of them, for good."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import report_mails
from heliograph.errors import NotFound, StoreUnavailable

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 2.0  # seconds between looks
AFTER_FAULT = 30.0


class ReportMails:
    """Sends what is due until cancelled. What that cuts off says that nobody knows whether it was sent."""

    def __init__(self, db: Database, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        while True:
            rest = await self.look()
            await asyncio.sleep(rest)

    async def look(self) -> float:
        """Send what is due, once; how many seconds to rest."""
        try:
            await report_mails.take_due(self._db, now=self._clock())
            while await report_mails.send_one(self._db, self._settings, self._clock):
                pass
        except StoreUnavailable:
            raise
        except NotFound:
            return LOOK  # deleted since it was taken
        except Exception:
            log.exception("report_not_mailed")
            return AFTER_FAULT
        return LOOK
