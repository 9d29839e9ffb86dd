"""The sandbox's transcript, read as it grows: each byte once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SLICE = 1 << 22  # bytes read at once, so that a long transcript needs no long memory


@dataclass(slots=True)
class Taken:
    """What the sandbox took of one campaign so far."""

    first: float = 0.0  # unix seconds
    last: float = 0.0
    texts: int = 0
    parts: int = 0
    ends: int = 0  # bytes of the transcript up to the end of its last line


class Evidence:
    """Follows the transcript of a data folder. ``times`` keeps the moments of the one campaign it is asked to, ``at``
    those of each number that begins with ``watch``.
    """

    def __init__(self, path: Path, *, follow: str | None = None, watch: str | None = None) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0
        self._rest = b""
        self._follow = follow
        self._watch = watch
        self.at: dict[str, float] = {}
        self.taken: dict[str, Taken] = {}
        self.times: list[float] = []
        self.numbers: set[str] = set()

    def size(self) -> int:
        """Bytes the transcript has at this moment."""
        return self._path.stat().st_size if self._path.exists() else 0

    def read(self) -> None:
        """Take in what has been added since the last time."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while data := file.read(SLICE):
                self._take(data)

    def of(self, campaign_id: str) -> Taken:
        return self.taken.get(campaign_id) or Taken()

    def _take(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        at = self._offset - len(self._rest)
        self._offset += len(data)
        self._rest = rest
        for line in lines:
            at += len(line) + 1
            self._note(json.loads(line), at)

    def _note(self, line: dict[str, object], ends: int) -> None:
        campaign_id, at = str(line["campaignId"]), float(str(line["at"]))
        taken = self.taken.setdefault(campaign_id, Taken(first=at))
        taken.last = max(taken.last, at)
        taken.texts += 1
        taken.parts += int(str(line["parts"]))
        if self._watch is not None and str(line["to"]).startswith(self._watch):
            self.at[str(line["to"])] = at
        taken.ends = ends
        if campaign_id == self._follow:
            self.times.append(at)
            self.numbers.add(str(line["to"]))
