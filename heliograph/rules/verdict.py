"""The verdict file: what became of each row of a file of people, in words for those who made the file."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import spreadsheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEADER = ("row", "verdict", "number", "column", "value", "what")
REJECTED = "rejected"
BETWEEN = " | "  # of several odd cells in one row


class Fate(Enum):
    """What became of a row that holds a person: its verdict, and what that means."""

    ADDED = ("imported", "Added to the list")
    UPDATED = ("updated", "On the list already; the filled cells took the place of what was there")
    AGAIN = ("updated", "An earlier row of this file has the same number; the filled cells took the place of its own")
    ON_LIST = ("duplicate", "The number is on the list already; nothing was changed")
    IN_FILE = ("duplicate", "An earlier row of this file has the same number; this one was left out")


class Remark(NamedTuple):
    """What is odd about a cell; ``row`` as a spreadsheet counts."""

    row: int
    column: str
    value: str
    text: str


_PLAIN = {fate: f'","{fate.value[0]}","%s","","","{fate.value[1]}"\r\n' for fate in Fate}


def header() -> str:
    """The first line of the file."""
    return spreadsheet.MARK + spreadsheet.line(HEADER)


def lines(taken: Iterable[tuple[int, str, Fate]], rejected: Sequence[Remark] = (), notes: Sequence[Remark] = ()) -> str:
    """The lines of some rows, in their order: ``(row, number, fate)`` of those taken, and what is odd.

    A row with several odd cells has one line that tells of all of them.
    """
    if not rejected and not notes:
        return "".join([f'"{row}{_PLAIN[fate] % number}' for row, number, fate in taken])
    odd: dict[int, list[Remark]] = {}
    for note in notes:
        odd.setdefault(note.row, []).append(note)
    found = [(row, _line(row, number, fate, odd.get(row, ()))) for row, number, fate in taken]
    found += [(bad.row, _told(bad.row, REJECTED, "", [bad])) for bad in rejected]
    found.sort(key=_row)
    return "".join([line for _, line in found])


def _row(found: tuple[int, str]) -> int:
    return found[0]


def _line(row: int, number: str, fate: Fate, notes: Sequence[Remark]) -> str:
    if not notes:
        return f'"{row}{_PLAIN[fate] % number}'
    return _told(row, fate.value[0], number, notes)


def _told(row: int, verdict: str, number: str, odd: Sequence[Remark]) -> str:
    columns = BETWEEN.join(each.column for each in odd)
    values = BETWEEN.join(each.value for each in odd)
    text = BETWEEN.join(each.text for each in odd)
    cells = (columns, values.replace("\0", "␀"), text.replace("\0", "␀"))
    return spreadsheet.line((str(row), verdict, number, *map(spreadsheet.guarded, cells)))
