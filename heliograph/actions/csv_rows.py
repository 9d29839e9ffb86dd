"""Reading contacts from a CSV file, a page at a time, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import io
import operator
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, BinaryIO

from heliograph.errors import Invalid
from heliograph.rules import columns, contact, phone, zones
from heliograph.store.contacts import NewContact

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIMITERS = ",;\t|"
LONGEST_RECORD = 1_000_000  # characters of one cell before it is taken for an unclosed quote
SHOWN = 60


@lru_cache(maxsize=4096)
def _priority(cell: str) -> int | None:
    return columns.priority({"priority": cell})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was left out. Rows are counted as a spreadsheet shows them: the header is row 1."""

    row: int
    column: str
    value: str
    problem: str


@dataclass(slots=True)
class Page:
    """Rows read together: who can be added, and what is wrong with the others."""

    rows: int = 0
    contacts: list[NewContact] = field(default_factory=list[NewContact])
    problems: list[Problem] = field(default_factory=list[Problem])


class Reader:
    """The rows of a CSV file: UTF-8 (a byte order mark is skipped); comma, semicolon, tab or bar between cells.

    ``columns`` are the header's names, ``mapping`` says which of them holds which system field. Making one
    reads the header. Blocking: read pages in a thread. Raises :class:`Invalid` for a file that is no such table.
    """

    def __init__(self, file: BinaryIO) -> None:
        _check_encoding(file)
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="strict")
        self._text = text
        self._row = 0
        first = self._first_line(text)
        delimiter = max(DELIMITERS, key=first.count)
        csv.field_size_limit(LONGEST_RECORD)
        self._cells = csv.reader(_lines(first, text), delimiter=delimiter)
        self.columns = _names(self._next() or [])
        self.mapping = columns.guess(self.columns)
        self._keys = [encode_basestring(name) + ":" for name in self.columns]
        self._place = {system: self.columns.index(name) for system, name in self.mapping.items()}

    def page(self, size: int) -> Page | None:
        """The next ``size`` rows at most, None at the end."""
        page = Page()
        while page.rows < size and (cells := self._next()) is not None:
            if not any(cells):
                continue  # a blank line is no row
            page.rows += 1
            found = self._read(cells)
            if isinstance(found, Problem):
                page.problems.append(found)
            else:
                page.contacts.append(found)
        return page if page.rows else None

    def detach(self) -> None:
        """Give the file back, open."""
        self._text.detach()

    def _read(self, cells: list[str]) -> NewContact | Problem:
        width = len(self.columns)
        if len(cells) != width:
            if any(cells[width:]):
                return self._problem("", cells[width], f"The row has {len(cells)} cells, and the header {width}")
            cells = (cells + [""] * width)[:width]
        raw = cells[self._place["phoneNumber"]]
        try:
            number = phone.normalise(raw)
        except Invalid as error:
            return self._problem(self.mapping["phoneNumber"], raw, error.message)
        if max(map(len, cells)) > contact.LONGEST_CELL:
            place = next(i for i, cell in enumerate(cells) if len(cell) > contact.LONGEST_CELL)
            text = f"The cell has {len(cells[place])} characters, and at most {contact.LONGEST_CELL} are kept"
            return self._problem(self.columns[place], cells[place], text)
        # JSON piece by piece: with the keys encoded once it takes a third of the time of json.dumps.
        fields = "{" + ",".join(map(operator.add, self._keys, map(encode_basestring, cells))) + "}"
        if "\\u0000" in fields and any("\0" in cell for cell in cells):
            place = next(i for i, cell in enumerate(cells) if "\0" in cell)
            return self._problem(self.columns[place], cells[place], "The cell has a NUL character in it")
        zone_at, priority_at = self._place.get("timeZone"), self._place.get("contactPriority")
        zone = zones.zone(cells[zone_at]) if zone_at is not None else None
        priority = _priority(cells[priority_at]) if priority_at is not None else None
        return NewContact(number, zone, priority, fields)

    def _problem(self, column: str, value: str, text: str) -> Problem:
        shown = value if len(value) <= SHOWN else value[:SHOWN] + "…"
        return Problem(self._row, column, shown, text)

    def _next(self) -> list[str] | None:
        try:
            cells = next(self._cells, None)
        except csv.Error as error:
            text = f"Row {self._row + 1} cannot be read: {error}. A quote that is opened must be closed"
            raise Invalid(text, field="file") from error
        except UnicodeDecodeError as error:
            raise _not_utf8(self._row + 1) from error
        self._row += 1
        return cells

    @staticmethod
    def _first_line(text: io.TextIOWrapper) -> str:
        try:
            first = text.readline(LONGEST_RECORD)
        except UnicodeDecodeError as error:
            raise _not_utf8(1) from error
        if not first.strip():
            problem = "The file is empty, or begins with a blank line. Its first row names the columns"
            raise Invalid(problem, field="file")
        return first


def _lines(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, none of them so long that it would fill the memory."""
    line = first
    while line:
        if len(line) >= LONGEST_RECORD:
            raise csv.Error(f"it has a line of more than {LONGEST_RECORD} characters")
        yield line
        line = text.readline(LONGEST_RECORD)


def _names(header: list[str]) -> list[str]:
    """The columns' names. A column without one is named by its place, as a spreadsheet's trailing commas make some."""
    if len(header) > contact.MOST_COLUMNS:
        text = f"The file has {len(header)} columns. A list has at most {contact.MOST_COLUMNS}"
        raise Invalid(text, field="header")
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
    for name in names:
        if "\0" in name or len(name) > contact.LONGEST_COLUMN_NAME:
            most = contact.LONGEST_COLUMN_NAME
            text = f"The header has the name {name[:SHOWN]!r}, and at most {most} characters and no NUL can be kept"
            raise Invalid(text, field="header")
    return names


def _check_encoding(file: BinaryIO) -> None:
    start = file.read(4)
    file.seek(-len(start), io.SEEK_CUR)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Invalid("The file is UTF-16 text. Save it as CSV UTF-8", field="file")
    if start.startswith(b"PK\x03\x04"):
        raise Invalid("The file is a spreadsheet or an archive. Save it as CSV UTF-8", field="file")


def _not_utf8(row: int) -> Invalid:
    return Invalid(f"Row {row} or one near it is not UTF-8 text. Save the file as CSV UTF-8", field="file")
