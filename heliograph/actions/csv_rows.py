"""Reading contacts from a file, a page at a time, in memory that does not grow with the file."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from heliograph.actions import tables
from heliograph.errors import Invalid
from heliograph.rules import columns, contact, phone, prices, zones
from heliograph.store.contacts import NewContact

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_ROWS = 100  # looked at to find the header, and the numbers where no header names them
SHOWN = 60


@lru_cache(maxsize=4096)
def _priority(cell: str) -> int | None:
    return columns.priority({"priority": cell})


_zone = lru_cache(maxsize=4096)(zones.zone)


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
    by system field), else guessed from the names, else from what is in the cells; ``kept`` are the names under which
    the cells are kept. A title above the header is passed over; a file without a header (``headed`` is then False) has
    columns called by their place. Numbers without a country code are ``region``'s (two letters). Making one reads the
    first rows. Blocking: read pages in a thread. Raises :class:`Invalid` for a file that is no such table.

    With ``settle=False`` nothing is guessed before :meth:`settle` is called.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        mapping: Mapping[str, str] | None = None,
        region: str | None = None,
        settle: bool = True,
    ) -> None:
        self._table = tables.open_table(file)
        self.form = self._table.form
        self._region = region
        self._notes: list[Problem] = []
        self._waiting = self._table.take(FIRST_ROWS)
        self.columns, self._number_at, head = _header(self._waiting, region)
        self.headed = head.is_named
        del self._waiting[: head.rows]
        self._row = head.rows
        if settle:
            self.settle(mapping)

    def settle(self, mapping: Mapping[str, str] | None) -> None:
        """Decide which column holds what: as ``mapping`` says, the rest as guessed. Raises :class:`Invalid`."""
        self.mapping = columns.mapped(self.columns, mapping or {}, number_at=self._number_at)
        self.kept = columns.kept_names(self.columns, self.mapping)
        self._keys = [encode_basestring(name) + ":" for name in self.kept]
        self._shape = "{" + ",".join(key.replace("%", "%%") + '"%s"' for key in self._keys) + "}"
        self._place = {system: self.columns.index(name) for system, name in self.mapping.items()}
        self._number_place = self._place["phoneNumber"]
        self._zone_place = self._place.get("timeZone")
        self._priority_place = self._place.get("contactPriority")

    def kept_as(self, system: str) -> str | None:
        """The name under which a system field is kept, None when the file has none."""
        place = self._place.get(system)
        return None if place is None else self.kept[place]

    def usual_country(self) -> str | None:
        """Where most numbers of the first rows that say so are from (two letters); None when no number says so."""
        cells = [row[self._number_place] for row in self._waiting if len(row) > self._number_place]
        said = [cell for cell in cells if cell.lstrip().startswith("+") and columns.is_phone(cell)]
        found = Counter(prices.country(phone.normalise(cell)) for cell in said)
        return next((country for country, _ in found.most_common(1) if country), None)

    def page(self, size: int) -> Page | None:
        """The next ``size`` rows at most, None at the end."""
        page = Page(notes=self._notes)
        while page.rows < size and (rows := self._next(size - page.rows)):
            for cells in rows:
                self._row += 1
                if not (words := "".join(cells)):
                    continue  # a blank line is no row
                page.rows += 1
                found = self._read(cells, words)
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

    def _read(self, cells: list[str], words: str) -> NewContact | Problem:
        """A row, of which ``words`` are all cells together."""
        width = len(self.columns)
        if len(cells) != width:
            if any(cells[width:]):
                return self._problem("", cells[width], f"The row has {len(cells)} cells, and the header {width}")
            cells = (cells + [""] * width)[:width]
        raw = cells[self._number_place]
        try:
            number = phone.normalise(raw, self._region)
        except Invalid as error:
            return self._problem(self.mapping["phoneNumber"], raw, error.message)
        # Nearly every row: short, and nothing in it that JSON writes in another way. The cells only have to be put in.
        if len(words) <= contact.LONGEST_CELL and words.isprintable() and '"' not in words and "\\" not in words:
            return NewContact(number, *self._own(cells), self._shape % tuple(cells))
        if max(map(len, cells)) > contact.LONGEST_CELL:
            place = next(i for i, cell in enumerate(cells) if len(cell) > contact.LONGEST_CELL)
            text = f"The cell has {len(cells[place])} characters, and at most {contact.LONGEST_CELL} are kept"
            return self._problem(self.columns[place], cells[place], text)
        if "\0" in words:
            place = next(i for i, cell in enumerate(cells) if "\0" in cell)
            return self._problem(self.columns[place], cells[place], "The cell has a NUL character in it")
        # JSON piece by piece: with the keys encoded once it takes a third of the time of json.dumps.
        fields = "{" + ",".join(map(operator.add, self._keys, map(encode_basestring, cells))) + "}"
        return NewContact(number, *self._own(cells), fields)

    def _own(self, cells: list[str]) -> tuple[str | None, int | None]:
        """A row's time zone and priority. What is there and means nothing is noted, and costs nobody their place."""
        zone: str | None = None
        priority: int | None = None
        if (place := self._zone_place) is not None and (cell := cells[place]):
            zone = _zone(cell)
            if zone is None and cell.strip():
                self._note(place, cell, "No time zone of that name: the campaign's, or the number's, is used")
        if (place := self._priority_place) is not None and (cell := cells[place]):
            priority = _priority(cell)
            if priority is None and cell.strip():
                self._note(place, cell, "Not a small whole number: the contact has no priority")
        return zone, priority

    def _note(self, place: int, value: str, text: str) -> None:
        self._notes.append(self._problem(self.columns[place], value, text))

    def _problem(self, column: str, value: str, text: str) -> Problem:
        shown = value if len(value) <= SHOWN else value[:SHOWN] + "…"
        return Problem(self._row, column, shown, text)

    def _next(self, most: int) -> list[list[str]]:
        """The next rows, ``most`` at most; none at the end."""
        if not self._waiting:
            return self._table.take(most)
        rows, self._waiting = self._waiting[:most], self._waiting[most:]
        return rows


class _Head(NamedTuple):
    """How many of the first rows are nobody's, and whether one of them names the columns."""

    rows: int
    is_named: bool


def _header(rows: list[list[str]], region: str | None) -> tuple[list[str], int | None, _Head]:
    """The columns' names, the place of that with telephone numbers in its cells, and what stands above the people."""
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
        return _names([""] * len(head)), found, _Head(place, is_named=False)
    return _names(head), found, _Head(place + 1, is_named=True)


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
