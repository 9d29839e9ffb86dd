"""Replies whose parts come one by one, put together again (3GPP TS 23.040, 9.2.3.24; SAR, SMPP 3.4, 5.3.2.22).

Parts come in any order, and twice; some never come. After a time the rest is given with a mark where one is missing.
They are acknowledged as they come: a message centre may hold the next one back until then. What is held is bounded.
Time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from heliograph.carriers.base import MISSING, Reply
from heliograph.carriers.smpp import coding
from heliograph.carriers.smpp.pdu import UDH, Tag

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.carriers.smpp.pdu import Message

MOST = 5_000  # replies in pieces at the same time; of more, the oldest is given as it is
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08  # information elements


class Part(NamedTuple):
    """Which part of how many, and of what."""

    reference: int
    total: int
    number: int


class Piece(NamedTuple):
    """What one deliver_sm holds: octets behind their header, and which part they are, if of several."""

    coding: int
    octets: bytes
    header: int  # octets that stood before
    part: Part | None


@dataclass(slots=True)
class _Waiting:
    since: float
    at: datetime
    total: int
    pieces: dict[int, Piece] = field(default_factory=dict[int, Piece])


class Joining:
    """The replies of one line. ``patience``: seconds that parts are waited for, from the first on."""

    def __init__(self, alphabet: coding.Alphabet, patience: float) -> None:
        self._alphabet = alphabet
        self._patience = patience
        self._waiting: dict[tuple[str, str, int, int], _Waiting] = {}

    def add(self, number: str, to: str, message: Message, at: datetime, now: float) -> list[Reply]:
        """A deliver_sm that ``number`` sent to ``to``: the replies that are whole by it."""
        piece = read(message)
        if piece.part is None:
            return [Reply(number, to, self._text([piece]), at)]
        key = (number, to, piece.part.reference, piece.part.total)
        waiting = self._waiting.setdefault(key, _Waiting(now, at, piece.part.total))
        waiting.pieces[piece.part.number] = piece
        if len(waiting.pieces) == waiting.total:
            return [self._give(key)]
        return [self._give(next(iter(self._waiting)))] if len(self._waiting) > MOST else []

    def due(self, now: float) -> list[Reply]:
        """Replies that were waited for long enough, incomplete as they are."""
        late = [key for key, waiting in self._waiting.items() if now - waiting.since >= self._patience]
        return [self._give(key) for key in late]

    def rest(self) -> list[Reply]:
        """All that is still waited for, incomplete as it is: the line ends."""
        return [self._give(key) for key in list(self._waiting)]

    def _give(self, key: tuple[str, str, int, int]) -> Reply:
        waiting = self._waiting.pop(key)
        runs = groupby(range(1, waiting.total + 1), key=lambda number: number in waiting.pieces)
        said = [
            self._text([waiting.pieces[number] for number in numbers]) if there else MISSING for there, numbers in runs
        ]
        return Reply(key[0], key[1], "".join(said), waiting.at)

    def _text(self, pieces: list[Piece]) -> str:
        """What pieces in a row say. Read together where they can be: a character may be torn between two."""
        first = pieces[0]
        packed = self._alphabet is coding.Alphabet.PACKED
        if len(pieces) == 1 or packed or any(piece.coding != first.coding for piece in pieces):
            return "".join(
                coding.decode(piece.octets, piece.coding, self._alphabet, header=piece.header) for piece in pieces
            )
        return coding.decode(b"".join(piece.octets for piece in pieces), first.coding, self._alphabet)


def read(message: Message) -> Piece:
    """What a message holds. A header that cannot be read is left away, and the message stands alone."""
    octets, header, part = message.octets, 0, None
    if message.esm_class & UDH and octets:
        header = min(octets[0] + 1, len(octets))
        part = _concatenated(octets[1:header])
        octets = octets[header:]
    if part is None:
        part = _sar(message)
    return Piece(message.coding, octets, header, part)


def _concatenated(elements: bytes) -> Part | None:
    at = 0
    while at + 2 <= len(elements):
        kind, length = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + length]
        if len(value) == length:
            if kind == _CONCATENATED_8 and length == 3:  # noqa: PLR2004  # reference, total, number
                return _part(value[0], value[1], value[2])
            if kind == _CONCATENATED_16 and length == 4:  # noqa: PLR2004
                return _part(value[0] << 8 | value[1], value[2], value[3])
        at += 2 + length
    return None


def _sar(message: Message) -> Part | None:
    values = [message.tlvs.get(tag) for tag in (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_NUMBER)]
    reference, total, number = (int.from_bytes(value or b"", "big") for value in values)
    return None if None in values else _part(reference, total, number)


def _part(reference: int, total: int, number: int) -> Part | None:
    """None for what makes no sense, and for the only part of one."""
    return Part(reference, total, number) if total > 1 and 1 <= number <= total <= 0xFF else None  # noqa: PLR2004
