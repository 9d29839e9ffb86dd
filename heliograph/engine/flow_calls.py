"""Asking the services that flows ask: some at once, each on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heliograph.actions import flow_calls

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.engine.bell import Bell
    from heliograph.store.database import Database

LOOK = 0.5  # seconds between looks when nobody rings
AT_ONCE = 32


class FlowCalls:
    """Makes calls until cancelled. Every worker has one; each call is one worker's."""

    def __init__(self, db: Database, settings: Settings, clock: Clock, bell: Bell) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._bell = bell

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when the database is away."""
        async with asyncio.TaskGroup() as group:
            under_way: set[asyncio.Task[None]] = set()
            while True:
                before = self._bell.rung
                taken = await flow_calls.take(self._db, now=self._clock(), limit=AT_ONCE - len(under_way))
                for each in taken:
                    task = group.create_task(flow_calls.make(self._db, self._settings, self._clock, each))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                if len(under_way) >= AT_ONCE:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                elif not taken and self._bell.rung == before:
                    await self._bell.wait(LOOK)
