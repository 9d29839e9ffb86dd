"""Which text a receipt is about.

A receipt names a message by an id; the same message centre may write that id otherwise than in its answer to the
submission (hexadecimal and decimal, padded, in another case, with something behind it). Here both are brought to one
form: that of the answer, in upper case and without leading zeros. A text of several parts has as many ids, and its
receipts name them: what they make of the text is not seen to here.

Time is an argument. What is remembered is bounded and lives with the line. What a line never knew, or has forgotten
(it was opened anew, the receipt came to another worker's), passes in the form that ids were found to have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from heliograph.carriers.base import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from heliograph.carriers.base import ReceiptState

KNOWN = 100_000  # ids remembered
HELD = 10_000  # receipts kept back at most
HOLD_S = 2.0  # seconds that a receipt of an id nobody knows is kept back while its form can still be found out
SURE = 5  # receipts that agree on a form before it is believed of ids that are not known

_TAIL = re.compile(r"[^0-9A-Za-z]+[0-9A-Za-z]*$")
_HEX = re.compile(r"[0-9A-F]{1,32}")


class Ids(StrEnum):
    """How a message centre writes the ids of its answers and of its receipts."""

    AUTO = "auto"
    SAME = "same"
    EXACT = "exact"  # the same, and case and leading zeros count
    HEX_DECIMAL = "hex_then_decimal"
    DECIMAL_HEX = "decimal_then_hex"


_FORMS = (Ids.SAME, Ids.HEX_DECIMAL, Ids.DECIMAL_HEX)


@dataclass(slots=True)
class _Held:
    until: float
    ids: tuple[str, ...]
    receipt: Receipt


@dataclass(slots=True)
class Matching:
    """The ids of one line. ``ends_at``: characters at which an id ends, whatever stands behind."""

    ids: Ids = Ids.AUTO
    ends_at: str = ""
    several: int = 0  # texts of several parts on their way, whose first receipts come early: the line counts them
    _refs: dict[str, None] = field(default_factory=dict[str, None])
    _held: list[_Held] = field(default_factory=list[_Held])
    _seen: dict[Ids, int] = field(default_factory=lambda: dict.fromkeys(_FORMS, 0))

    def accepted(self, ids: Sequence[str]) -> tuple[str, ...]:
        """A text was taken whole, its parts under ``ids``: the refs by which receipts will name them."""
        refs = tuple(self._plain(each) for each in ids)
        for ref in refs:
            self._refs[ref] = None
        while len(self._refs) > KNOWN:
            del self._refs[next(iter(self._refs))]
        return refs

    def said(self, ids: Iterable[str], state: ReceiptState, code: str, at: datetime, now: float) -> list[Receipt]:
        """A receipt that names its message by ``ids``, the likeliest first: what is to be told of it, if anything."""
        named = tuple(dict.fromkeys(each for each in map(self._cut, ids) if each))
        if not named:
            return []
        receipt = Receipt("", state, at, code)
        known = self._known(named)
        if known is not None:
            return [self._as(known, receipt)]
        if self.several and not self._sure and len(self._held) < HELD:
            self._held.append(_Held(now + HOLD_S, named, receipt))
            return []
        return [self._as(self._guess(named[0]), receipt)]

    def due(self, now: float) -> list[Receipt]:
        """Receipts kept back whose text is known by now, or that have waited long enough."""
        if not self._held:
            return []
        held, self._held = self._held, []
        found: list[Receipt] = []
        for each in held:
            known = self._known(each.ids)
            if known is not None:
                found.append(self._as(known, each.receipt))
            elif now >= each.until or not self.several or self._sure:
                found.append(self._as(self._guess(each.ids[0]), each.receipt))
            else:
                self._held.append(each)
        return found

    # ------------------------------------------------------------ forms of an id

    @property
    def _sure(self) -> bool:
        """Whether the form of ids is known: given, or found out."""
        return self.ids is not Ids.AUTO or max(self._seen.values()) >= SURE

    def _cut(self, said: str) -> str:
        said = said.strip()
        if self.ends_at:
            said = re.split(f"[{re.escape(self.ends_at)}]", said, maxsplit=1)[0]
        return said

    def _plain(self, said: str) -> str:
        said = self._cut(said)
        return said if self.ids is Ids.EXACT else said.upper().lstrip("0") or "0"

    def _read(self, said: str, form: Ids) -> str | None:
        """The answer's id if a receipt's ``said`` is of ``form``; None when it cannot be."""
        plain = self._plain(said)
        if form is Ids.HEX_DECIMAL:
            return f"{int(plain):X}" if plain.isdecimal() and len(plain) <= 39 else None  # noqa: PLR2004  # 128 bits
        if form is Ids.DECIMAL_HEX:
            return str(int(plain, 16)) if _HEX.fullmatch(plain) else None
        return plain

    def _known(self, named: Sequence[str]) -> str | None:
        """The one ref we know that ``named`` can mean."""
        if self.ids is not Ids.AUTO:
            return next((ref for ref in map(self._guess, named) if ref in self._refs), None)
        for said in named:
            for each in dict.fromkeys((said, _TAIL.sub("", said))):
                found = self._known_as(each)
                if found is not None:
                    return found
        return None

    def _known_as(self, said: str) -> str | None:
        best = max(_FORMS, key=self._seen.__getitem__)
        if self._seen[best] >= SURE and (ref := self._read(said, best)) and self._knows(ref):
            return ref
        forms = sorted(_FORMS, key=lambda form: -self._seen[form])
        hits = [(form, ref) for form in forms if (ref := self._read(said, form)) and self._knows(ref)]
        if not hits:
            return None
        if len(hits) == 1:
            self._seen[hits[0][0]] += 1
        return hits[0][1]

    def _knows(self, ref: str) -> bool:
        return ref in self._refs

    def _guess(self, said: str) -> str:
        """The ref that ``said`` most likely means, of whatever line or time."""
        form = max(_FORMS, key=lambda each: self._seen[each]) if self.ids is Ids.AUTO else self.ids
        if self.ids is Ids.AUTO and self._seen[form] < SURE:
            form = Ids.SAME
        return self._read(said, form) or self._plain(said)

    def _as(self, ref: str, receipt: Receipt) -> Receipt:
        return Receipt(ref, receipt.state, receipt.at, receipt.code)
