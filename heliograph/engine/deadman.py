"""The dead man's switch: whoever was frozen in the middle of writing does not live to write the rest.

Every carrier looks at the clock right before it writes; between that look and the write lie a few microseconds in
which a process may be frozen too (SIGSTOP, a debugger, a starved machine). When it wakes, PostgreSQL may have freed
its gate long ago. So the kernel is asked to raise SIGALRM by then, which ends a process that has no handler for it:
for a frozen one that happens before it runs another instruction. What it had in hand is unknown, as after any crash.

It is the process's own (there is one such timer), so it is set only in a process that is nothing but a worker.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from heliograph import config

if TYPE_CHECKING:
    from collections.abc import Generator

GRACE = 0.5
"""Seconds after a deadline at which the process ends: half a second before PostgreSQL may free anything."""

SOONEST = 0.001  # a timer of 0 would be none


class DeadMan:
    """The switch of this process. It does nothing until :meth:`set_up`."""

    def __init__(self) -> None:
        self._on = False
        self._deadlines: list[float] = []

    def set_up(self) -> None:
        """Let it end this process from now on. Only from its main thread."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._on = True

    @contextmanager
    def watching(self, until: float) -> Generator[None]:
        """Inside the block bytes may be written until then, by :func:`config.boot_seconds`.

        A block that goes on for longer is no fault while the process lives: its carrier sees that it is too late.
        """
        if not self._on:
            yield
            return
        self._deadlines.append(until)
        alive = asyncio.get_running_loop().call_later(until - config.boot_seconds(), self._drop, until)
        self._wind()
        try:
            yield
        finally:
            alive.cancel()
            self._drop(until)

    def _drop(self, until: float) -> None:
        if until in self._deadlines:
            self._deadlines.remove(until)
            self._wind()

    def _wind(self) -> None:
        left = min(self._deadlines) + GRACE - config.boot_seconds() if self._deadlines else 0.0
        signal.setitimer(signal.ITIMER_REAL, max(left, SOONEST) if self._deadlines else 0.0)


SWITCH = DeadMan()
"""The one of this process."""
