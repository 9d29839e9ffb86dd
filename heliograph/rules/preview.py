"""What a run would do, added up: who gets a text, who does not and why, and what the texts are and cost."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import parts, place, plain, prices
from heliograph.rules.audience import Planned
from heliograph.rules.timing import Basis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from heliograph.rules.audience import Reason
    from heliograph.rules.prices import Prices

DUPLICATE = "duplicate"  # a further contact with the number of another: no row of a run has this reason
MOST_CHARACTERS = 50


class _Group(NamedTuple):
    """What is added up of people who are alike."""

    parts: int
    plain_parts: int
    country: str
    zone: str
    law: str
    due_at: datetime
    basis: Basis


_Key = tuple[int, int, str, str, str, "datetime", Basis]


class _Text(NamedTuple):
    """The characters that make a text wide, and its parts with plain substitutes if it is not wide then."""

    wide: frozenset[str]
    plain_parts: int | None


class Wide(NamedTuple):
    """A character that keeps texts out of GSM 03.38, in how many texts it is, and what it could be written as."""

    character: str
    texts: int
    substitute: str | None

    @property
    def name(self) -> str:
        """Its name in Unicode."""
        return unicodedata.name(self.character, "")


class Country(NamedTuple):
    """Those who are charged as being in one country (ISO 3166; empty: in none); ``price`` None: none is known."""

    country: str
    people: int
    parts: int
    plain_parts: int  # with plain substitutes
    price: Decimal | None  # of a part

    @property
    def cost(self) -> Decimal | None:
        """What its parts cost."""
        return None if self.price is None else self.price * self.parts


@dataclass(slots=True)
class Preview:
    """Add everybody with :meth:`add`; then read. ``own`` is the run's text when everybody gets the same."""

    own: str
    contacts: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])
    _groups: dict[_Key, int] = field(default_factory=dict["_Key", int])
    _country: dict[str, str] = field(default_factory=dict[str, str])  # by the start of a number
    _wide: Counter[str] = field(default_factory=Counter[str])
    wide_texts: int = 0
    fitting_texts: int = 0  # wide ones that are not with plain substitutes
    _of_own: _Text | None = None

    def add(self, number: str, copies: int, decision: Planned | Reason) -> None:
        """Count one person; ``copies`` contacts have the number."""
        self.contacts += copies
        if copies > 1:
            self.left_out[DUPLICATE] += copies - 1
        if not isinstance(decision, Planned):
            self.left_out[decision[0].value] += 1
            return
        text, needed, zone, due_at, law, basis = decision
        plain_parts = needed
        if text is None:
            found = self._of_own = self._of_own or _read(self.own)
            plain_parts = self._add_wide(found, needed) if found.wide else needed
        elif not text.isascii() or "`" in text:
            found = _read(text)
            plain_parts = self._add_wide(found, needed) if found.wide else needed
        start = place.start(number)
        country = self._country[start] if start in self._country else self._charged(start)
        # As a _Group, which is made of it when it is read: naming the fields costs more than counting.
        key = (needed, plain_parts, country, zone, law, due_at, basis)
        self._groups[key] = self._groups.get(key, 0) + 1

    def _add_wide(self, found: _Text, needed: int) -> int:
        """Count what makes a text wide; its parts with plain substitutes."""
        self.wide_texts += 1
        for character in found.wide:
            self._wide[character] += 1
        if found.plain_parts is None:
            return needed
        self.fitting_texts += 1
        return found.plain_parts

    def _charged(self, start: str) -> str:
        """The country that numbers with this start are charged as."""
        found = self._country[start] = prices.country(start)
        return found

    def join(self, other: Preview) -> None:
        """Count everybody that ``other`` has, too; nobody may be in both."""
        self.contacts += other.contacts
        self.left_out.update(other.left_out)
        self.wide_texts += other.wide_texts
        self.fitting_texts += other.fitting_texts
        self._wide.update(other._wide)
        for key, people in other._groups.items():
            self._groups[key] = self._groups.get(key, 0) + people

    @property
    def reached(self) -> int:
        """How many would be texted."""
        return sum(self._groups.values())

    def _read_groups(self) -> Iterator[tuple[_Group, int]]:
        return ((_Group(*key), people) for key, people in self._groups.items())

    def parts_per_text(self) -> dict[int, int]:
        """How many texts have so many parts."""
        found = Counter[int]()
        for group, people in self._read_groups():
            found[group.parts] += people
        return dict(sorted(found.items()))

    def zones(self) -> dict[str, int]:
        """How many are texted by their contact's, their number's and the campaign's zones."""
        found = Counter(dict.fromkeys((basis.value for basis in Basis), 0))
        for group, people in self._read_groups():
            found[group.basis.value] += people
        return dict(found)

    def waiting(self) -> dict[tuple[datetime, str, str], int]:
        """Parts by due time, zones and law."""
        found = Counter["tuple[datetime, str, str]"]()
        for group, people in self._read_groups():
            found[group.due_at, group.zone, group.law] += group.parts * people
        return dict(found)

    def characters(self) -> list[Wide]:
        """What makes texts wide, the most frequent first."""
        found = sorted(self._wide.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_CHARACTERS]
        return [Wide(each, texts, plain.substitute(each)) for each, texts in found]

    def countries(self, charged: Prices | None) -> list[Country]:
        """People and parts by country, most parts first."""
        found: dict[str, list[int]] = {}
        for group, people in self._read_groups():
            sums = found.setdefault(group.country, [0, 0, 0])
            sums[0] += people
            sums[1] += group.parts * people
            sums[2] += group.plain_parts * people
        price = {name: None if charged is None else charged.of(name) for name in found}
        rows = [Country(name, sums[0], sums[1], sums[2], price[name]) for name, sums in found.items()]
        return sorted(rows, key=lambda row: (-row.parts, row.country))


def _read(text: str) -> _Text:
    wide = parts.outside(text)
    if not wide or None in map(plain.substitute, wide):
        return _Text(wide, None)
    return _Text(wide, parts.measure(plain.exchanged(text)).parts)
