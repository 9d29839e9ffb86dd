"""How a text is cut into the parts a network carries, and what it costs.

Sizes and alphabets are those of 3GPP TS 23.038 and TS 23.040: a text whose every character is in the
GSM 7-bit alphabet takes 160 septets alone or 153 per part; any other goes out as UTF-16 (the field is
called UCS-2) with 70 code units alone or 67 per part. Characters of the extension table take two septets
(an escape and its octet) and characters beyond U+FFFF two code units; neither pair is ever torn.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

Encoding = Literal["GSM-7", "UCS-2"]

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = "\f^{}\\[~]|€"
MOST_PARTS = 255  # the part count of a concatenated message is one octet

_ESCAPE = "\x1b"
_LIMITS: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_WIDE_REFERENCE = 1  # septets or code units that a part loses to a reference of 16 bits

# Measuring runs once per person: one pass of a compiled set sizes most texts, in a fifth of a microsecond. The escape
# is never a character to send.
_BASIC = GSM_BASIC.replace(_ESCAPE, "")
_is_basic = re.compile(f"[{re.escape(_BASIC)}]*").fullmatch
_doubles = re.compile(f"[{re.escape(GSM_EXTENSION)}]").findall
_outside = re.compile(f"[^{re.escape(_BASIC + GSM_EXTENSION)}]")
_EXPANDED = str.maketrans({character: _ESCAPE + character for character in GSM_EXTENSION})

# What never reaches a phone: controls but the line feed, zero-width space, word joiner, byte order mark, and
# half characters, which no carrier and no database can take. Joiners stay: emoji and Indic scripts need them.
_CUT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")


class Measure(NamedTuple):
    """What a text costs: its encoding, its size in septets or UTF-16 code units, and its parts."""

    encoding: Encoding
    units: int
    parts: int


def normalise(text: str) -> str:
    """``text`` as it is sent: line ends are LF, other controls and zero-width marks are gone, NFC."""
    if text.isascii() and text.isprintable():
        return text
    text = _CUT.sub("", text.replace("\r\n", "\n"))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def measure(text: str) -> Measure:
    """What ``text`` costs as it stands (normalise it first). An empty text has no units and is one part."""
    units = len(text)
    if _is_basic(text):
        return Measure("GSM-7", units, 1 if units <= 160 else -(-units // 153))  # noqa: PLR2004  # a look-up costs more
    if _outside.search(text):
        return _measure_wide(text)
    units += len(_doubles(text))
    return Measure("GSM-7", units, 1 if units <= 160 else len(_split_gsm(text)))  # noqa: PLR2004  # as above


def outside(text: str) -> frozenset[str]:
    """The characters of ``text`` that are not in the GSM alphabet: those that make it wide."""
    return frozenset(_outside.findall(text))


def split(text: str, *, wide_reference: bool = False) -> list[str]:
    """The parts of ``text`` in order, filled greedily; joined they are the text again.

    ``wide_reference``: for a header whose reference has 16 bits, which leaves 152 septets or 66 code units: it may
    take a part more than :func:`measure` says.
    """
    found = measure(text)
    if found.parts == 1:
        return [text]
    less = _WIDE_REFERENCE if wide_reference else 0
    return _split_gsm(text, less) if found.encoding == "GSM-7" else _split_wide(text, less)


def _measure_wide(text: str) -> Measure:
    units = len(_utf16(text)) // 2
    alone, each = _LIMITS["UCS-2"]
    if units <= alone:
        return Measure("UCS-2", units, 1)
    if units == len(text):
        return Measure("UCS-2", units, -(-units // each))
    return Measure("UCS-2", units, len(_split_wide(text)))


def _split_gsm(text: str, less: int = 0) -> list[str]:
    each = _LIMITS["GSM-7"][1] - less
    septets = text.translate(_EXPANDED)
    found: list[str] = []
    start = 0
    while start < len(septets):
        end = start + each
        if end < len(septets) and septets[end - 1] == _ESCAPE:
            end -= 1
        found.append(septets[start:end].replace(_ESCAPE, ""))
        start = end
    return found


def _split_wide(text: str, less: int = 0) -> list[str]:
    each = _LIMITS["UCS-2"][1] - less
    octets = _utf16(text)
    found: list[str] = []
    start = 0
    while start < len(octets):
        end = start + 2 * each
        # In little-endian UTF-16 the second octet of a low surrogate, which ends a pair, is 0xDC..0xDF.
        if end < len(octets) and 0xDC <= octets[end + 1] <= 0xDF:  # noqa: PLR2004  # the standard's numbers
            end -= 2
        found.append(octets[start:end].decode("utf-16-le", "surrogatepass"))
        start = end
    return found


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
