"""The demonstration's server: ``heliograph serve`` as a process of its own, which may outlive the command."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, replace
from pathlib import Path

from heliograph import config
from heliograph.cli import serve
from heliograph.cli.demo import place
from heliograph.config import Settings
from heliograph.errors import Conflict, HeliographError

PORTS = range(8080, 8100)  # tried in this order when none is asked for
END_SECONDS = 12.0
LOG = "demo.log"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    url: str
    process: Process
    log: Path

    async def end(self) -> None:
        """End it in order; kill it when that takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), END_SECONDS)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


async def start(settings: Settings, lock: int, port: int | None) -> Server:
    """Start a server and wait until it is ready. It keeps ``lock`` for as long as it lives.

    Raises :class:`Conflict` when the port asked for is taken, :class:`HeliographError` when it does not start.
    """
    log = settings.data / LOG
    chosen = _choose(settings, port)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heliograph", "serve", "--host", settings.host, "--port", str(chosen)),
            *("--workers", "1"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
            env=config.environment(settings),
            pass_fds=(lock,),
            start_new_session=True,
        )
    place.sign(lock, process.pid)
    assert process.stdout is not None  # noqa: S101  # it was asked for
    try:
        said = (await process.stdout.readline()).decode().split()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        raise
    if said[:1] != ["ready"]:
        await process.wait()
        lines = log.read_text(errors="replace").splitlines() or ["nothing"]
        raise HeliographError(f"The server did not start; the last it said, in {log}, is: {lines[-1]}")
    return Server(said[1], process, log)


def _choose(settings: Settings, port: int | None) -> int:
    """The port asked for, else the first free one of the usual, else any."""
    for candidate in (port,) if port is not None else PORTS:
        try:
            with serve.bound(replace(settings, port=candidate)):
                return candidate
        except Conflict:
            if port is not None:
                raise
    return 0
