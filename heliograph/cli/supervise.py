"""Worker processes: started, started again when they die, stopped together."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process

from heliograph import config
from heliograph.cli import stopping, work
from heliograph.config import Settings

log = logging.getLogger(__name__)

STEADY_SECONDS = 5.0  # a worker that lived this long died of something new
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0  # seconds before a worker that keeps dying is started again
STOP_SECONDS = 7.0  # for workers to finish what is in flight; a little more than they give themselves


class Supervisor:
    """Keeps ``settings.workers`` processes of ``heliograph work`` alive. Build it inside the running loop."""

    def __init__(self, settings: Settings) -> None:
        self._environment = config.environment(settings)
        self._seats = settings.workers
        self._children: dict[int, Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()  # set once a worker works (at once when there is to be none)
        if not self._seats:
            self.ready.set()

    def start(self) -> None:
        """Start them all, and keep them running."""
        self._tasks = [asyncio.create_task(self._keep(seat)) for seat in range(1, self._seats + 1)]

    async def stop(self, hurried: asyncio.Event) -> None:
        """Let each finish what is in flight, in bounded time; when hurried, or out of time, kill what is left."""
        self._stopping.set()
        for child in self._children.values():
            _tell(child.terminate)
        if not self._tasks:
            return
        ended = asyncio.create_task(asyncio.wait(self._tasks))
        if not await stopping.within(STOP_SECONDS, ended, hurried):
            for child in self._children.values():
                log.warning("worker_killed pid=%d", child.pid)
                _tell(child.kill)
            await ended

    async def _keep(self, seat: int) -> None:
        """One worker after the other. One that dies is replaced at once, unless it keeps dying."""
        loop = asyncio.get_running_loop()
        early = 0
        while not self._stopping.is_set():
            began = loop.time()
            try:
                child = await self._spawn(seat)
            except OSError as error:  # no room for one more process
                log.warning("worker_not_started seat=%d error=%s", seat, error)
                await self._pause(LONGEST_WAIT)
                continue
            if self._stopping.is_set():
                _tell(child.terminate)
            await _hear(child, self.ready)
            code = await child.wait()
            del self._children[seat]
            if self._stopping.is_set():
                return
            early = early + 1 if loop.time() - began < STEADY_SECONDS else 0
            wait = 0.0 if early <= 1 else min(FIRST_WAIT * 2 ** (early - 2), LONGEST_WAIT)
            log.warning("worker_died seat=%d worker=%d code=%d restart_in_s=%.2f", seat, child.pid, code, wait)
            await self._pause(wait)

    async def _spawn(self, seat: int) -> Process:
        """A session of its own keeps the terminal's Ctrl-C from the worker: it is for us to tell it."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "heliograph",
            "work",
            "--tied",
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
            start_new_session=True,
        )
        self._children[seat] = child
        log.info("worker_started seat=%d worker=%d", seat, child.pid)
        return child

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


async def _hear(child: Process, ready: asyncio.Event) -> None:
    """Read what a worker prints, to the end."""
    assert child.stdout is not None  # noqa: S101  # it was asked for
    async for line in child.stdout:
        if line.strip() == work.READY.encode():
            ready.set()


def _tell(signal: object) -> None:
    """Send a signal to a process that may have ended in the meantime."""
    assert callable(signal)  # noqa: S101  # a method of Process
    try:
        signal()
    except ProcessLookupError:
        return
