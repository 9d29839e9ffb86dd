"""Locks between processes: files that the kernel unlocks when their holder is gone, however it went."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

POLL_SECONDS = 0.02


def open_file(path: Path) -> int:
    """Open a lock file for :func:`take`; closing it gives the lock back.

    It belongs to the owner of its folder, so that he can open it even if root came first.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    folder = path.parent.stat()
    if os.geteuid() == 0 and os.fstat(file).st_uid != folder.st_uid:
        os.fchown(file, folder.st_uid, folder.st_gid)
    return file


def take(file: int, *, shared: bool = False) -> bool:
    """Take the lock if it can be had at once. A lock already held in the other manner is changed, or lost."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.asynccontextmanager
async def hold(path: Path) -> AsyncGenerator[None]:
    """Hold the lock exclusively inside the block, after waiting for whoever has it."""
    file = open_file(path)
    try:
        while not take(file):  # noqa: ASYNC110  # the kernel has no event for a lock that becomes free
            await asyncio.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(file)
