"""Reading contacts from a file, a page at a time, in memory that does not grow with the file."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import tables
from heliograph.errors import Invalid
from heliograph.rules import columns, contact, phone, zones
from heliograph.store.contacts import NewContact

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_ROWS = 100  # looked at to find the header, and the numbers where no header names them
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
    """Rows read together: who can be added, what is odd about them, and what is wrong with the others."""

    rows: int = 0
    contacts: list[NewContact] = field(default_factory=list[NewContact])
    numbered: list[int] = field(default_factory=list[int])  # the row of each of ``contacts``
    problems: list[Problem] = field(default_factory=list[Problem])
    notes: list[Problem] = field(default_factory=list[Problem])  # cells that mean nothing, in rows that are taken


class Reader:
    """The rows of a file (see :mod:`heliograph.actions.tables`) as contacts.

    ``columns`` are the header's names, ``mapping`` says which of them holds which system field: as given (``mapping``,
    by system field), else guessed from the names, else from what is in the cells. A title above the header is passed
    over; a file without a header has columns called by their place. Numbers without a country code are ``region``'s
    (two letters). Making one reads the first rows. Blocking: read pages in a thread. Raises :class:`Invalid` for a
    file that is no such table.
    """

    def __init__(self, file: BinaryIO, *, mapping: Mapping[str, str] | None = None, region: str | None = None) -> None:
        self._table = tables.open_table(file)
        self.form = self._table.form
        self._region = region
        self._notes: list[Problem] = []
        self._waiting = list(islice(self._table, FIRST_ROWS))
        self.columns, self.mapping, head = _header(self._waiting, mapping, region)
        del self._waiting[:head]
        self._row = head
        self._waiting.reverse()
        self._keys = [encode_basestring(name) + ":" for name in self.columns]
        self._place = {system: self.columns.index(name) for system, name in self.mapping.items()}

    def page(self, size: int) -> Page | None:
        """The next ``size`` rows at most, None at the end."""
        page = Page(notes=self._notes)
        while page.rows < size and (cells := self._next()) is not None:
            if not any(cells):
                continue  # a blank line is no row
            page.rows += 1
            found = self._read(cells)
            if isinstance(found, Problem):
                page.problems.append(found)
            else:
                page.contacts.append(found)
                page.numbered.append(self._row)
        self._notes = []
        return page if page.rows else None

    def detach(self) -> None:
        """Give the file back, open."""
        self._table.detach()

    def _read(self, cells: list[str]) -> NewContact | Problem:
        width = len(self.columns)
        if len(cells) != width:
            if any(cells[width:]):
                return self._problem("", cells[width], f"The row has {len(cells)} cells, and the header {width}")
            cells = (cells + [""] * width)[:width]
        raw = cells[self._place["phoneNumber"]]
        try:
            number = phone.normalise(raw, self._region)
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
        return NewContact(number, *self._own(cells), fields)

    def _own(self, cells: list[str]) -> tuple[str | None, int | None]:
        """A row's time zone and priority. What is there and means nothing is noted, and costs nobody their place."""
        zone: str | None = None
        priority: int | None = None
        if (place := self._place.get("timeZone")) is not None and (cell := cells[place]):
            zone = zones.zone(cell)
            if zone is None and cell.strip():
                self._note(place, cell, "No time zone of that name: the campaign's, or the number's, is used")
        if (place := self._place.get("contactPriority")) is not None and (cell := cells[place]):
            priority = _priority(cell)
            if priority is None and cell.strip():
                self._note(place, cell, "Not a small whole number: the contact has no priority")
        return zone, priority

    def _note(self, place: int, value: str, text: str) -> None:
        self._notes.append(self._problem(self.columns[place], value, text))

    def _problem(self, column: str, value: str, text: str) -> Problem:
        shown = value if len(value) <= SHOWN else value[:SHOWN] + "…"
        return Problem(self._row, column, shown, text)

    def _next(self) -> list[str] | None:
        cells = self._waiting.pop() if self._waiting else next(self._table, None)
        self._row += 1
        return cells


def _header(
    rows: list[list[str]], mapping: Mapping[str, str] | None, region: str | None
) -> tuple[list[str], dict[str, str], int]:
    """The columns' names, which of them holds which system field, and how many of the first rows are no people's."""
    filled = [sum(map(bool, cells)) for cells in rows]
    place = next((n for n, cells in enumerate(filled) if cells), None)
    if place is None:
        raise Invalid("There is nothing in the file. Its first row names the columns", field="file")
    below = filled[place + 1 : place + 1 + tables.LONGEST_TITLE]
    if filled[place] == 1 and max(below, default=0) > 1:  # a title, or a note, above the table
        place += 1 + next(n for n, cells in enumerate(below) if cells > 1)
    head, people = rows[place], rows[place + 1 :]
    found = columns.phone_by_content(head, people, region)
    if found is not None and columns.is_phone(head[found], region):
        names = _names([""] * len(head))
        wanted = _mapped(names, mapping) or {"phoneNumber": names[found]}
        return names, wanted, place
    names = _names(head)
    return names, _mapped(names, mapping) or columns.guess(names, number_at=found), place + 1


def _mapped(names: list[str], mapping: Mapping[str, str] | None) -> dict[str, str] | None:
    """A mapping made by hand, held against the columns there are; None when there is none."""
    if mapping is None:
        return None
    for system, name in mapping.items():
        if system not in columns.NAMES:
            text = f"mapping has {system!r}. It takes: {', '.join(columns.NAMES)}"
            raise Invalid(text, field=f"mapping.{system}")
        if name not in names:
            text = f"mapping.{system} is {name!r}. The file's columns are: {', '.join(names[:20])}"
            raise Invalid(text, field=f"mapping.{system}")
    if "phoneNumber" not in mapping:
        raise Invalid("mapping.phoneNumber is missing. It takes the name of a column", field="mapping.phoneNumber")
    return dict(mapping)


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
