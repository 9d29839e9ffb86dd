"""What a flow's text costs before it is known whom it is for: its own words exactly, placeholders by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import parts, plain

if TYPE_CHECKING:
    from heliograph.rules.parts import Encoding
    from heliograph.rules.template import Template

ASSUMED = 12  # characters that a placeholder is taken for; most names and numbers are shorter


class Cost(NamedTuple):
    """Parts and encoding of a text, the characters that keep it out of GSM 03.38, and its parts without those."""

    parts: int
    encoding: Encoding
    wide: tuple[str, ...]
    plain_parts: int
    placeholders: int


def of(text: Template) -> Cost:
    """The cost of ``text``, each placeholder of it taken for :data:`ASSUMED` plain letters."""
    filled = "".join(piece or ("x" * ASSUMED if place % 2 else "") for place, piece in enumerate(text.pieces))
    size = parts.measure(filled)
    wide = plain.costly(filled) if size.encoding == "UCS-2" else ()
    without = parts.measure("".join(plain.substitute(each) or "x" if each in wide else each for each in filled))
    return Cost(size.parts, size.encoding, wide, without.parts, len(text.names))
