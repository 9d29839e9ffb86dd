"""Heliograph's own commands, as processes of their own, ended with the block that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROGRAM: Sequence[str] = (sys.executable, "-m", "heliograph")
READY_SECONDS = 60.0
END_SECONDS = 20.0


class Failed(Exception):
    """A process ended, or did not come up, when it should have worked."""


@contextmanager
def working(data: Path) -> Iterator[int]:
    """A worker on a data folder; its process id."""
    with _running("work", "--data", str(data), log=data / "work.log") as (process, _):
        yield process.pid


@contextmanager
def doomed(data: Path, number: int) -> Iterator[int]:
    """As :func:`working`, for one of several that are killed: having ended is no failure of it."""
    with suppress(Failed), _running("work", "--data", str(data), log=data / f"work-{number}.log") as (process, _):
        yield process.pid


@contextmanager
def serving(data: Path) -> Iterator[int]:
    """Server and worker on a data folder; the port."""
    with _running("serve", "--data", str(data), "--port", "0", log=data / "serve.log") as (_, ready):
        yield int(ready.rpartition(":")[2])


@contextmanager
def served(data: Path) -> Iterator[tuple[int, int]]:
    """As :func:`serving`; the port and the server's process id, whose child the worker is."""
    with _running("serve", "--data", str(data), "--port", "0", log=data / "serve.log") as (process, ready):
        yield int(ready.rpartition(":")[2]), process.pid


@contextmanager
def _running(command: str, *options: str, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """``heliograph ...``, once it has said that it is ready, and what it said then.

    It is asked to end with the block, and made to if it does not.
    """
    # Settings of the person who runs the bench must not reach it.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    log.unlink(missing_ok=True)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*PROGRAM, command, *options], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environ
        )
    try:
        yield process, _ready(process, log)
        if process.poll() is not None:
            raise Failed(f"heliograph {command} ended with {process.returncode}")
    except Exception as error:
        error.add_note(f"heliograph {command} said last: {_last_words(log)}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    patience = time.monotonic() + READY_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        said = next((line for line in log.read_text(errors="replace").splitlines() if line.startswith("ready")), None)
        if said is not None:
            return said
        time.sleep(0.02)
    raise Failed("It did not come up")


def _last_words(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-8:]) or "(it said nothing)"
