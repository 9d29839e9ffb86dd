"""The sandbox's record of what it took: one JSON line per text, appended at the moment of submission.

The file is the evidence from outside: people and tests check the promises against it, never against our
own tables. So a line is there before ``submit`` returns, is in the kernel's hands (a killed process loses
nothing), and lines of several processes do not mix.
"""

from __future__ import annotations

import math
import os
import time
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.errors import CarrierDown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from heliograph.carriers.base import Text

_TURNS = 250
_TURN = 0.0002  # seconds; together 50 ms, a thousand times what a write takes


class Transcript:
    """An append-only file of JSON lines at ``path``; several processes may hold the same one."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before the first line."""
        self._path = path
        self._descriptor: int | None = None
        self._file: tuple[int, int] | None = None  # device and inode of what is open

    def append(self, texts: Sequence[Text], refs: Sequence[str]) -> bool:
        """Write a line for each text, with the ref of each, all in one write; ``at`` is read right before it.

        False when only some bytes could be written (the disk is full): nobody can say then which texts
        count. Raises :class:`CarrierDown` when none could, or may any more.
        """
        tails = [_tail(text, ref) for text, ref in zip(texts, refs, strict=True)]
        until = min((text.until for text in texts), default=math.inf)
        try:
            descriptor = self._open()
            _take_turn(descriptor)
            try:
                # Else the first of ours would be unreadable with the line that a killed process left unfinished.
                start = "" if _ends_whole(descriptor) else "\n"
                # ASCII only: one escape for every odd character, so a line is a line for every reader.
                head = f'{{"at": {time.time():.6f}, '
                data = (start + head + f"\n{head}".join(tails) + "\n").encode("ascii")
                if config.boot_seconds() >= until:
                    raise CarrierDown("The sandbox was too late to take these texts: nobody vouches for them any more")
                return os.write(descriptor, data) == len(data)
            finally:
                flock(descriptor, LOCK_UN)
        except OSError as error:
            message = f"The sandbox cannot write its transcript {self._path}: {error.strerror}"
            raise CarrierDown(message) from error

    def close(self) -> None:
        """Let go of the file. Another :meth:`append` would open it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = self._file = None

    def _open(self) -> int:
        """The file at ``path``, opened anew when it was removed or rotated since the last call."""
        if self._descriptor is not None:
            if self._file == self._at_path():
                return self._descriptor
            self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Texts and numbers are in it: it is its owner's to read.
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        found = os.fstat(descriptor)
        self._descriptor, self._file = descriptor, (found.st_dev, found.st_ino)
        return descriptor

    def _at_path(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116  # on the hot path, and pathlib's costs three times as much
        except FileNotFoundError:
            return None
        return (found.st_dev, found.st_ino)


def _take_turn(descriptor: int) -> None:
    """Lock the file against other writers, so that who finds a line unfinished knows its writer is dead.

    (The kernel may cut a killed process's write at a page's end.) A process that was frozen with the lock
    in its hands does not stop the others: after a while they write beside it, which appending allows.
    """
    for _ in range(_TURNS):
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            time.sleep(_TURN)
        else:
            return


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _tail(text: Text, ref: str) -> str:
    """A line from behind its ``at`` on."""
    campaign, run = text.labels.get("campaignId", ""), text.labels.get("runId", "")
    return (
        f'"campaignId": {quote(campaign)}, "runId": {quote(run)}, "messageId": {quote(text.message_id)}, '
        f'"from": {quote(text.sender)}, "to": {quote(text.to)}, "text": {quote(text.text)}, "parts": {text.parts}, '
        f'"ref": {quote(ref)}}}'
    )
