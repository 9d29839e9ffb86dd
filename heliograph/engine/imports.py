"""Taking files in: in a process beside the worker, so that reading a million rows takes nothing from sending.

The worker only looks, once a second, whether a file waits that nobody takes in. Then it starts a process that takes in
one after the other until none waits, and ends. It is tied to the worker by its stdin, as workers are to `serve`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.store import import_files, imports

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks
AFTER_FAULT = 5.0  # seconds before a process that ended badly is followed by another
END = 2.0  # seconds in which a process ends that was told to
FORGET = 600.0  # seconds between looks at what is to be forgotten
KEPT = timedelta(days=30)  # imports, and their verdicts
FILE_KEPT = timedelta(days=7)  # files of dry runs
STALE = timedelta(hours=1)  # a file of which nothing has come for so long never will
COMMAND = ("-m", "heliograph", "intake", "--tied")


class Imports:
    """Has files taken in until cancelled."""

    def __init__(self, db: Database, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when PostgreSQL is gone."""
        loop = asyncio.get_running_loop()
        forgotten = -FORGET
        while True:
            if loop.time() - forgotten >= FORGET:
                forgotten = loop.time()
                await self._forget()
            async with self._db.connection() as conn:
                due = await imports.find_due(conn)
            if due is not None and await self._take_in():
                await asyncio.sleep(AFTER_FAULT)
            await asyncio.sleep(LOOK)

    async def _forget(self) -> None:
        now = self._clock()
        async with self._db.connection() as conn:
            await import_files.forget_files(conn, before=now - FILE_KEPT)
            await import_files.forget(conn, before=now - KEPT, stale=now - STALE)

    async def _take_in(self) -> int:
        """Have a process take in what waits; its exit code."""
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *COMMAND,
                stdin=PIPE,
                env=config.environment(self._settings),
                start_new_session=True,
            )
        except OSError as error:  # no room for one more process
            log.warning("intake_not_started error=%s", error)
            return 1
        try:
            code = await child.wait()
        finally:
            await _end(child)
        if code:
            log.warning("intake_ended code=%d", code)
        return code


async def _end(child: Process) -> None:
    """Tell a process to end, if it has not; what it had in hand is undone and left to the next."""
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), END)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
