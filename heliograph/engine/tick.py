"""The tick: campaigns start by themselves when their time has come, and end when their schedule does.

Every worker looks, and the first to lock a campaign acts. What fails is left alone for a while and costs the
others nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.actions import runs as runs_actions
from heliograph.actions import schedules as schedules_actions
from heliograph.errors import HeliographError, NotFound, StoreUnavailable
from heliograph.store import schedules

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heliograph.config import Clock
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 0.5  # seconds between looks: a start is at most so late
AFTER_FAULT = 5.0  # seconds before what failed is tried again


class Tick:
    """Looks at what is due until cancelled."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._not_before: dict[str, float] = {}  # campaign → when it may be tried again

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """End what is over and start what is due, once."""
        async with self._db.connection() as conn:
            over = await schedules.list_over(conn, self._clock())
            due = await schedules.list_due(conn, self._clock())
        for each in over:
            await self._try(each, runs_actions.finish)
        for each in due:
            await self._try(each, schedules_actions.start)

    async def _try(self, each: schedules.Waiting, act: Callable[..., Awaitable[object]]) -> None:
        now, campaign_id = asyncio.get_running_loop().time(), each.campaign_public_id
        if now < self._not_before.get(campaign_id, 0.0):
            return
        try:
            await act(self._db, each.app_id, campaign_id, now=self._clock())
            self._not_before.pop(campaign_id, None)
        except StoreUnavailable:
            raise
        except NotFound:
            return  # deleted since it was listed
        except HeliographError as error:
            log.warning("schedule_not_done campaign=%s error=%s", campaign_id, error)
            self._not_before[campaign_id] = now + AFTER_FAULT
        except Exception:
            log.exception("schedule_fault campaign=%s", campaign_id)
            self._not_before[campaign_id] = now + AFTER_FAULT
