"""A group of tasks that end together, even when one of them does not hear that it is to end.

Before Python 3.12 ``asyncio.wait_for``, with which the database driver waits, swallows a cancellation that arrives in
the same moment as what it waits for. A process that was frozen finds everything at once when it wakes, so there it
happens all the time: the task goes on, and the group would wait for it for ever.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context
    from types import TracebackType

T = TypeVar("T")

AGAIN = 2.5
"""Seconds after which a task that was told to end, and has not, is told once more. Cleaning up takes less."""


class Group(asyncio.TaskGroup):
    """A :class:`asyncio.TaskGroup` whose tasks end with its block, by themselves or because they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self._members: set[asyncio.Task[Any]] = set()
        self._insisting: asyncio.TimerHandle | None = None

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """See :meth:`asyncio.TaskGroup.create_task`."""
        task = super().create_task(coro, name=name, context=context)
        self._members.add(task)
        task.add_done_callback(self._members.discard)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for all. By the end of its block each of them has been told to end."""
        self._insist(asyncio.get_running_loop())
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            if self._insisting is not None:
                self._insisting.cancel()

    def _insist(self, loop: asyncio.AbstractEventLoop) -> None:
        self._insisting = loop.call_later(AGAIN, self._tell_again, loop)

    def _tell_again(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._members:
            task.cancel()
        self._insist(loop)
