"""The machine, and what processes cost on it. Figures that a system does not tell are zero."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliograph.store.database import Database

PROC = Path("/proc")
MIB = 1024 * 1024
SYNCS = 50


async def describe(db: Database, folder: Path) -> list[tuple[str, str]]:
    """What the figures depend on, without names and dates."""
    async with db.connection() as conn:
        shown = [
            (await (await conn.execute(statement)).fetchone() or ("?",))[0]
            for statement in ("SHOW server_version", "SHOW fsync", "SHOW synchronous_commit")
        ]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    return [
        ("Cores", f"{cores}, {_processor()}"),
        ("System", f"{platform.system()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("PostgreSQL", f"{shown[0]}, embedded, fsync {shown[1]}, synchronous_commit {shown[2]}"),
        ("One write of 8 kB with fsync", f"{sync_milliseconds(folder):.2f} ms (median of {SYNCS})"),
    ]


def _processor() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def sync_milliseconds(folder: Path) -> float:
    """The price of one durable write where the data folder is: no commit can cost less."""
    took: list[float] = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(b"\0" * 8192)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return median(took) * 1000


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its descendants so far, those that have ended included."""
    return sum(_cpu(each) for each in _family(pid))


def own_cpu_seconds(pid: int) -> float:
    """CPU time of one process so far, without what has descended from it."""
    fields = _stat(pid)
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def peak_mib(pid: int) -> float:
    """The most memory the processes of a family have had resident, summed."""
    return sum(_status(each, "VmHWM:") for each in _family(pid)) / 1024


def own_peak_mib(pid: int | None = None) -> float:
    """The most memory this process, or that one alone, has had resident; of another, only Linux tells."""
    if PROC.exists():  # where getrusage would count what our parent had when it started us
        return _status(pid or os.getpid(), "VmHWM:") / 1024
    import resource  # noqa: PLC0415  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def server_pid(data: Path) -> int:
    """The process id of the embedded PostgreSQL of a data folder."""
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def _family(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, look = [], [pid]
    while look:
        each = look.pop()
        found.append(each)
        look += parents.get(each, [])
    return found


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (its third)."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _status(pid: int, name: str) -> int:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
