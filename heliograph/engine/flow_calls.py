"""Asking the services that flows ask: some at once, each on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heliograph.actions import flow_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.config import Clock, Settings
    from heliograph.engine.bell import Bell
    from heliograph.store.database import Database
    from heliograph.store.session_calls import Call

LOOK = 0.5  # seconds between looks when nobody rings
AT_ONCE = 32
HOLD = flow_calls.LEASE.total_seconds() / 3  # seconds: two may fail before the lease is over


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
            under_way: dict[asyncio.Task[None], Call] = {}
            group.create_task(self._hold(under_way))
            while True:
                before = self._bell.rung
                taken = await flow_calls.take(self._db, now=self._clock(), limit=AT_ONCE - len(under_way))
                for each in taken:
                    task = group.create_task(flow_calls.make(self._db, self._settings, self._clock, each))
                    under_way[task] = each
                    task.add_done_callback(under_way.pop)
                if len(under_way) >= AT_ONCE:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                elif not taken and self._bell.rung == before:
                    await self._bell.wait(LOOK)

    async def _hold(self, under_way: Mapping[asyncio.Task[None], Call]) -> None:
        """Hold on to what takes longer than a lease: six tries of 30 seconds, and the waits between them."""
        while True:
            await asyncio.sleep(HOLD)
            if under_way:
                await flow_calls.hold(self._db, [*under_way.values()], now=self._clock())
