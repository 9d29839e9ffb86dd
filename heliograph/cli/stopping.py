"""Being told to stop: the first signal asks for an orderly end, the second one hurries it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Generator
from typing import TypeVar

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # it is no fault
    """The end was asked for before something could be done."""


class Stop:
    """Whether a process was asked to end. Build it inside the running loop."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """Ask for the end; asked again, hurry."""
        (self.hurried if self.asked.is_set() else self.asked).set()

    @contextlib.contextmanager
    def listening(self) -> Generator[None]:
        """Let the usual signals ask, inside the block."""
        loop = asyncio.get_running_loop()
        before = {each: signal.getsignal(each) for each in SIGNALS}
        if before[signal.SIGHUP] is signal.SIG_IGN:  # nohup: whoever said so wants us to outlive the terminal
            del before[signal.SIGHUP]
        for each in before:
            loop.add_signal_handler(each, self.ask)
        try:
            yield
        finally:
            for each, handler in before.items():
                loop.remove_signal_handler(each)
                signal.signal(each, handler)

    async def unless(self, work: Awaitable[T]) -> T:
        """The result of ``work``. Raises :class:`Stopped` if the end is asked for first; then it is cancelled."""
        task = asyncio.ensure_future(work)
        asked = asyncio.create_task(self.asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            asked.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})


async def within(seconds: float, work: asyncio.Task[T], hurried: asyncio.Event) -> bool:
    """Wait for a task, but not longer than this and not once hurried; whether it ended by itself."""
    hurry = asyncio.create_task(hurried.wait())
    await asyncio.wait({work, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    hurry.cancel()
    return work.done()
