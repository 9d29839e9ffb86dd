"""Alphabets: a text as octets of a data_coding, and back (SMPP 3.4, 5.2.19; 3GPP TS 23.038).

What data_coding 0 means is the message centre's business ("SMSC default alphabet"): an account's setting says it.
"""

from __future__ import annotations

from enum import StrEnum

from heliograph.rules import parts

DEFAULT, LATIN_1, UCS_2 = 0x00, 0x03, 0x08

_ESCAPE = 0x1B
_BASIC = parts.GSM_BASIC
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_TO_SEPTETS = {ord(character): septet for septet, character in enumerate(_BASIC) if septet != _ESCAPE} | {
    ord(character): "\x1b" + chr(septet) for character, septet in _EXTENSION.items()
}
_FROM_EXTENSION = {septet: character for character, septet in _EXTENSION.items()}
# Octets above 127 are no septets: whoever sends them meant something else, which is not for us to guess.
_FROM_BASIC = dict(enumerate(_BASIC)) | dict.fromkeys(range(128, 256), "\ufffd")

# Alphabets of data_coding other than 0 and 8 that replies come in; those not here are read as Latin-1.
_CODECS = {0x01: "ascii", 0x05: "shift_jis", 0x06: "iso8859_5", 0x07: "iso8859_8", 0x0D: "iso2022_jp_3", 0x0E: "euc_kr"}


class Alphabet(StrEnum):
    """What data_coding 0 can mean."""

    GSM = "gsm7"  # one septet an octet, as SMPP peers commonly speak it
    PACKED = "gsm7_packed"  # eight septets in seven octets, as on the air
    LATIN = "latin1"


def choose(text: str, alphabet: Alphabet, *, latin_1: bool) -> int:
    """The data_coding that ``text`` is best said in. ``latin_1``: prefer 3 to UCS-2 where it can say it."""
    in_gsm = parts.measure(text).encoding == "GSM-7"
    if alphabet is not Alphabet.LATIN:
        return DEFAULT if in_gsm else LATIN_1 if latin_1 and _in_latin_1(text) else UCS_2
    return DEFAULT if (in_gsm or latin_1) and _in_latin_1(text) else UCS_2


def encode(text: str, data_coding: int, alphabet: Alphabet) -> bytes:
    """``text`` in a data_coding that :func:`choose` chose for it.

    Septets come unpacked; whoever knows how long the header before them is calls :func:`pack`.
    """
    if data_coding == UCS_2:
        return text.encode("utf-16-be", "replace")
    if data_coding == LATIN_1 or alphabet is Alphabet.LATIN:
        return text.encode("latin-1")
    return text.translate(_TO_SEPTETS).encode("latin-1")


def decode(octets: bytes, coding: int, alphabet: Alphabet, *, header: int = 0) -> str:
    """What ``octets`` say, whatever they are; ``header`` octets of a user data header stood before them."""
    group = coding >> 4
    if coding == UCS_2 or (group < 4 and coding & 0x0C == UCS_2):  # noqa: PLR2004  # general groups of TS 23.038
        return octets.decode("utf-16-be", "replace")
    in_default = coding == DEFAULT or (coding >= 0x10 and not coding & 0x04)  # noqa: PLR2004
    if not in_default:
        return octets.decode(_CODECS.get(coding, "latin-1"), "replace")
    if alphabet is Alphabet.LATIN:
        return octets.decode("latin-1")
    if alphabet is Alphabet.PACKED:
        octets = unpack(octets, header)
    return decode_septets(octets)


def decode_septets(septets: bytes) -> str:
    """GSM septets, one an octet. After an escape, a septet that is no extension is read as a basic one (TS 23.038)."""
    pieces = septets.split(b"\x1b")
    found = [pieces[0].decode("latin-1").translate(_FROM_BASIC)]
    for piece in pieces[1:]:
        rest = piece.decode("latin-1")
        extended = _FROM_EXTENSION.get(piece[0]) if piece else None
        found.append(rest.translate(_FROM_BASIC) if extended is None else extended + rest[1:].translate(_FROM_BASIC))
    return "".join(found)


def _in_latin_1(text: str) -> bool:
    return text.isascii() or max(text) <= "\xff"


def pack(septets: bytes, header: int = 0) -> bytes:
    """Septets as on the air, beginning on a septet's border behind ``header`` octets (TS 23.040, 9.2.3.24).

    Where seven bits are left over, they hold a carriage return: zeros would be read as an @ (TS 23.038, 6.1.2.3.1).
    """
    fill = -header * 8 % 7
    if (fill + 7 * len(septets)) % 8 == 1:
        septets += b"\r"
    bits = 0
    for place, septet in enumerate(septets):
        bits |= septet << (fill + 7 * place)
    return bits.to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, header: int = 0) -> bytes:
    """The septets in ``octets``, without the carriage return that :func:`pack` may have added."""
    fill = -header * 8 % 7
    bits = int.from_bytes(octets, "little") >> fill
    whole, over = divmod(len(octets) * 8 - fill, 7)
    septets = bytes((bits >> (7 * place)) & 0x7F for place in range(whole))
    return septets[:-1] if not over and septets.endswith(b"\r") else septets
