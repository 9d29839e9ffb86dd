"""Heliograph's processes for a storm: kept alive, killed without a word, started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from heliograph.store.postmaster import Postmaster
from heliograph.store.runas import choose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "heliograph")
SKEWED = (sys.executable, "-m", "tests.torture.skewed")


@dataclass(slots=True)
class Seat:
    """A process that is started again whenever it has ended."""

    name: str
    command: Sequence[str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    ends: int = 0


@dataclass(slots=True)
class House:
    """All processes of one storm. Use it as a context manager; nothing of it lives afterwards."""

    data: Path
    seats: list[Seat]
    _keepers: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    async def __aenter__(self) -> Self:
        self._keepers = [asyncio.create_task(self._keep(seat)) for seat in self.seats]
        return self

    async def __aexit__(self, *error: object) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.wait(self._keepers)
        for seat in self.seats:
            if seat.process is not None and seat.process.returncode is None:
                seat.process.kill()
                await seat.process.wait()

    async def _keep(self, seat: Seat) -> None:
        # Settings of the person who runs this must not reach it.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
        environ["HELIOGRAPH_LOG_LEVEL"] = "warning"
        while True:
            with seat.log.open("ab") as log:
                seat.process = await asyncio.create_subprocess_exec(
                    *seat.command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environ
                )
            await seat.process.wait()
            seat.ends += 1
            await asyncio.sleep(0.05)

    def kill(self, seat: Seat) -> bool:
        """Kill -9 what sits there; False when nothing does at this moment."""
        process = seat.process
        if process is None or process.returncode is not None:
            return False
        process.kill()
        return True

    def kill_postgres(self, moments: random.Random) -> str | None:
        """Kill -9 PostgreSQL: its first process, or one that serves a connection. What was killed, if it lived."""
        file = self.data / "postgres" / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            first = int(file.read_text().split()[0])
            if not Postmaster(self.data, choose(self.data)).running():
                return None
            children = _children(first)
            victim = first if not children or moments.random() < 0.5 else moments.choice(children)
            os.kill(victim, signal.SIGKILL)
            return "postgres" if victim == first else "postgres backend"
        return None


def workers(data: Path, count: int, *, skew: Path | None = None) -> list[Seat]:
    """Seats for workers; with ``skew``, of such whose clock is as far off as that file says, in seconds."""
    command = [*PROGRAM, "work"] if skew is None else [*SKEWED, str(skew)]
    return [Seat(f"worker {n}", [*command, "--data", str(data)], data / f"work{n}.log") for n in range(1, count + 1)]


def centre(data: Path, port: int, transcript: Path) -> Seat:
    """A seat for a message centre that keeps a record of what it takes."""
    command = [*PROGRAM, "smsc", "--port", str(port), "--transcript", str(transcript)]
    return Seat("message centre", command, data / "smsc.log")


def server(data: Path, port: int) -> Seat:
    """A seat for the API on ``port``, without workers."""
    command = [*PROGRAM, "serve", "--workers", "0", "--port", str(port), "--data", str(data)]
    return Seat("server", command, data / "serve.log")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def _children(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that still live."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]
