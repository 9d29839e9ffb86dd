"""Our commands as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from heliograph.config import PREFIX
from heliograph.store import postmaster, runas

HELIOGRAPH = [sys.executable, "-m", "heliograph"]


def environment() -> dict[str, str]:
    """Ours, without settings that the machine may have."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


@dataclass(frozen=True)
class Serving:
    """A server as a process of its own, on a folder of its own."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    log: Path

    def worker(self) -> int:
        """The process id of the newest worker."""
        return int(self.log.read_text().rpartition("worker_started")[2].split("worker=")[1].split()[0])


def database_runs(data: Path) -> bool:
    """Whether any process of the folder's PostgreSQL lives."""
    return postmaster.Postmaster(data, runas.choose(data)).running()
