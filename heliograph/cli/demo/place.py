"""The demonstration's own data folder: clean at each start, and never anybody else's.

The file ``demo.lock`` marks the folder. The server inherits the open, locked file, so the kernel keeps
it locked while that server lives: whoever finds it locked knows that the process whose id is written in it is
a demonstration, and may end it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

from heliograph.errors import Conflict
from heliograph.store import embedded, flock, postmaster, runas

MARK = "demo.lock"
POLL_SECONDS = 0.05
END_SECONDS = 12.0  # an orderly end; a server needs ten at most
KILL_SECONDS = 5.0


async def claim(data: Path) -> tuple[int, int | None]:
    """Make ``data`` ours and empty: the locked file, open, and the id of the server ended for it, if there was one.

    Raises :class:`Conflict` for a folder that holds something else, or that somebody does not let go of.
    """
    if data.exists() and not (data / MARK).exists() and any(data.iterdir()):  # noqa: ASYNC240  # a local folder
        text = f"{data} holds something that is no demonstration, and it would be wiped; choose another with --data"
        raise Conflict(text, field="data")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  # a local folder
    lock = flock.open_file(data / MARK)
    try:
        ended = await _end(lock)
        await _end_database(data)
        await asyncio.to_thread(_wipe, data)
    except BaseException:
        os.close(lock)
        raise
    return lock, ended


def sign(lock: int, pid: int) -> None:
    """Write whose the folder is now."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{pid}\n".encode(), 0)


async def _end(lock: int) -> int | None:
    """Take the lock, ending the demonstration that holds it."""
    ended: int | None = None
    for seconds, sent in ((0.0, None), (END_SECONDS, signal.SIGTERM), (KILL_SECONDS, signal.SIGKILL)):
        if sent is not None:
            ended = _tell(lock, sent) or ended
        if await _taken(lock, seconds):
            return ended
    raise Conflict("Another demonstration is starting in this folder; wait for it, or choose another with --data")


def _tell(lock: int, sent: signal.Signals) -> int | None:
    written = os.pread(lock, 32, 0).decode(errors="replace").strip()
    if not written.isdigit():
        return None
    try:
        os.kill(int(written), sent)
    except ProcessLookupError:
        return None
    return int(written)


async def _taken(lock: int, seconds: float) -> bool:
    for _ in range(int(seconds / POLL_SECONDS) + 1):
        if flock.take(lock):
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


async def _end_database(data: Path) -> None:
    """End the PostgreSQL that a killed demonstration left; its workers, if any, are about to end by themselves."""
    server = postmaster.Postmaster(data, runas.choose(data))
    for _ in range(int(END_SECONDS / POLL_SECONDS)):
        if not server.running():
            return
        await (await embedded.attach(data)).release()  # the last one out ends it
        await asyncio.sleep(POLL_SECONDS)
    raise Conflict(f"Somebody still uses the database in {data}; end them, or choose another folder with --data")


def _wipe(data: Path) -> None:
    for entry in data.iterdir():
        if entry.name == MARK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
