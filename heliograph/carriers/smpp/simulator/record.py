"""What the simulator took and what it refused: a JSON line for each submission, on disk before its answer leaves."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Taken(NamedTuple):
    """One submit_sm. ``status``: what it was answered with, 0 when taken. ``part``: reference, total, number."""

    id: str
    source: str
    to: str
    text: str
    part: tuple[int, int, int] | None
    status: int


class Record:
    """An append-only file of JSON lines; None keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, taken: Sequence[Taken]) -> None:
        """Write a line for each, all in one write."""
        if self._file is None or not taken:
            return
        at = round(time.time(), 6)
        lines = [
            json.dumps(
                {
                    "at": at, "id": each.id, "from": each.source, "to": each.to, "text": each.text,
                    "part": each.part, "status": each.status,
                }
            )
            for each in taken
        ]  # fmt: skip
        os.write(self._file, ("\n".join(lines) + "\n").encode())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
