"""Reading do-not-contact entries from a file, a page at a time, in memory that does not grow with the file.

A CSV file with a header, of which a column holds the numbers, and ``reason``, ``expiresAt`` and ``kind`` are read
where they are there (so an export can be read back); or no header and a number in the first cell of each line.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions.csv_rows import SHOWN, Problem
from heliograph.actions.tables import SEPARATORS
from heliograph.errors import Invalid
from heliograph.rules import body, columns, do_not_contact, template
from heliograph.rules.do_not_contact import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

LONGEST_LINE = 1_000_000  # characters before it is taken for something else than a line

_REASON, _EXPIRY, _KIND = "reason", "expiresat", "kind"


@dataclass(slots=True)
class Page:
    """Rows read together: what can be put on the list, and what is wrong with the others."""

    rows: int = 0
    entries: list[Entry] = field(default_factory=list[Entry])
    problems: list[Problem] = field(default_factory=list[Problem])


class Reader:
    """The rows of a file: UTF-8; comma, semicolon, tab or bar between cells. ``reason`` is for rows without their own.

    Making one reads the first row. Blocking: read pages in a thread. Raises :class:`Invalid` for a file that is none.
    """

    def __init__(self, file: BinaryIO, *, now: datetime, reason: str = "") -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._now = now
        self._reason = reason
        self._row = 0
        first = self._first_line()
        self._cells = csv.reader(_lines(first, self._text), delimiter=max(SEPARATORS, key=first.count))
        self._waiting: list[str] | None = self._next() or []
        self._header: list[str] = []
        self._number_at = 0
        if not self._is_entry(self._waiting):
            self._header, self._waiting = self._waiting, None
            self._number_at = self._header.index(columns.guess(self._header)["phoneNumber"])
        self._at = {template.key(name): place for place, name in enumerate(self._header)}

    def page(self, size: int) -> Page | None:
        """The next ``size`` rows at most, None at the end."""
        page = Page()
        while page.rows < size and (cells := self._take()) is not None:
            if not any(cells):
                continue  # a blank line is no row
            page.rows += 1
            found = self._read(cells)
            if isinstance(found, Problem):
                page.problems.append(found)
            else:
                page.entries.append(found)
        return page if page.rows else None

    def detach(self) -> None:
        """Give the file back, open."""
        self._text.detach()

    def _read(self, cells: Sequence[str]) -> Entry | Problem:
        place = self._number_at
        try:
            entry_id = do_not_contact.read_id(_cell(cells, place), kind=self._word(cells, _KIND).lower())
            place = self._at.get(_REASON, 0)
            own = do_not_contact.reason(self._word(cells, _REASON), "reason")
            body.storable(own, "reason")
            place = self._at.get(_EXPIRY, 0)
            ends = do_not_contact.expiry(self._word(cells, _EXPIRY), "expiresAt", now=self._now)
        except Invalid as error:
            value = _cell(cells, place)
            shown = value if len(value) <= SHOWN else value[:SHOWN] + "…"
            return Problem(self._row, self._header[place] if self._header else "", shown, error.message)
        return Entry(entry_id, own or self._reason, ends)

    def _word(self, cells: Sequence[str], name: str) -> str:
        place = self._at.get(name)
        return "" if place is None else _cell(cells, place).strip()

    def _take(self) -> list[str] | None:
        if self._waiting is not None:
            first, self._waiting = self._waiting, None
            return first
        return self._next()

    def _next(self) -> list[str] | None:
        try:
            cells = next(self._cells, None)
        except UnicodeDecodeError as error:
            raise _not_utf8() from error
        except csv.Error as error:
            raise Invalid(f"The file cannot be read as CSV: {error}", field="file") from error
        self._row += 1
        return cells

    def _first_line(self) -> str:
        try:
            first = self._text.readline(LONGEST_LINE)
        except UnicodeDecodeError as error:
            raise _not_utf8() from error
        if not first.strip():
            text = "The file is empty, or begins with a blank line. Its first row names the columns, or is a number"
            raise Invalid(text, field="file")
        return first

    @staticmethod
    def _is_entry(cells: Sequence[str]) -> bool:
        """Whether the first row is an entry already. Raises Invalid when it is neither that nor a header."""
        try:
            columns.guess(cells)
        except Invalid:
            try:
                do_not_contact.read_id(_cell(cells, 0))
            except Invalid as error:
                text = "The file has no column phoneNumber, and its first row is no number"
                raise Invalid(text, field="file") from error
            return True
        return False


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _lines(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, none of them so long that it would fill the memory."""
    line = first
    while line:
        if len(line) >= LONGEST_LINE:
            raise csv.Error(f"it has a line of more than {LONGEST_LINE} characters")
        yield line
        line = text.readline(LONGEST_LINE)


def _not_utf8() -> Invalid:
    return Invalid("The file is not UTF-8 text. Save it as CSV UTF-8", field="file")
