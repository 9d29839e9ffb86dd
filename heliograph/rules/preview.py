"""What a run would do, added up: who gets a text, who does not and why, and what the texts are and cost."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import parts, place, plain
from heliograph.rules.audience import LeftOut, Planned
from heliograph.rules.timing import Basis

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from heliograph.rules.prices import Prices

DUPLICATE = "duplicate"  # a further contact with the number of another: no row of a run has this reason
MOST_CHARACTERS = 50
_NARROW = frozenset(parts.GSM_BASIC.replace("\x1b", "") + parts.GSM_EXTENSION)


class _Group(NamedTuple):
    """What is added up of people who are alike."""

    parts: int
    plain_parts: int
    country: str
    zone: str
    law: str
    due_at: datetime
    basis: Basis


class _Text(NamedTuple):
    """The characters that make a text wide, and its parts with plain substitutes if it is not wide then."""

    wide: frozenset[str]
    plain_parts: int | None


_NARROW_TEXT = _Text(frozenset(), None)


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
    _groups: Counter[_Group] = field(default_factory=Counter["_Group"])
    _wide: Counter[str] = field(default_factory=Counter[str])
    wide_texts: int = 0
    fitting_texts: int = 0  # wide ones that are not with plain substitutes
    _of_own: _Text | None = None

    def add(self, number: str, copies: int, decision: Planned | tuple[LeftOut, str]) -> None:
        """Count one person; ``copies`` contacts have the number."""
        self.contacts += copies
        if copies > 1:
            self.left_out[DUPLICATE] += copies - 1
        if not isinstance(decision, Planned):
            self.left_out[decision[0].value] += 1
            return
        text = decision.text
        if text is None:
            found = self._of_own = self._of_own or _read(self.own)
        elif text.isascii() and "`" not in text:
            found = _NARROW_TEXT
        else:
            found = _read(text)
        if found.wide:
            self.wide_texts += 1
            self.fitting_texts += found.plain_parts is not None
            self._wide.update(found.wide)
        plain_parts = decision.parts if found.plain_parts is None else found.plain_parts
        regions = place.of(number).regions
        country = regions[0] if regions else ""
        group = _Group(
            decision.parts, plain_parts, country, decision.zone, decision.law, decision.due_at, decision.basis
        )
        self._groups[group] += 1

    @property
    def reached(self) -> int:
        """How many would be texted."""
        return self._groups.total()

    def parts_per_text(self) -> dict[int, int]:
        """How many texts have so many parts."""
        found = Counter[int]()
        for group, people in self._groups.items():
            found[group.parts] += people
        return dict(sorted(found.items()))

    def zones(self) -> dict[str, int]:
        """How many are texted by their contact's, their number's and the campaign's zones."""
        found = Counter(dict.fromkeys((basis.value for basis in Basis), 0))
        for group, people in self._groups.items():
            found[group.basis.value] += people
        return dict(found)

    def waiting(self) -> dict[tuple[datetime, str, str], int]:
        """Parts by due time, zones and law."""
        found = Counter["tuple[datetime, str, str]"]()
        for group, people in self._groups.items():
            found[group.due_at, group.zone, group.law] += group.parts * people
        return dict(found)

    def characters(self) -> list[Wide]:
        """What makes texts wide, the most frequent first."""
        return [Wide(each, texts, plain.substitute(each)) for each, texts in self._wide.most_common(MOST_CHARACTERS)]

    def countries(self, prices: Prices | None) -> list[Country]:
        """People and parts by country, most parts first."""
        found: dict[str, list[int]] = {}
        for group, people in self._groups.items():
            sums = found.setdefault(group.country, [0, 0, 0])
            sums[0] += people
            sums[1] += group.parts * people
            sums[2] += group.plain_parts * people
        price = {name: None if prices is None else prices.of(name) for name in found}
        rows = [Country(name, sums[0], sums[1], sums[2], price[name]) for name, sums in found.items()]
        return sorted(rows, key=lambda row: (-row.parts, row.country))


def _read(text: str) -> _Text:
    wide = frozenset(text) - _NARROW
    if not wide or None in map(plain.substitute, wide):
        return _Text(wide, None)
    return _Text(wide, parts.measure(plain.exchanged(text)).parts)
