"""Telephone numbers and senders' addresses: read from what people and spreadsheets write.

A recipient's number must be *possible* (a length its country uses), not *valid* (in an assigned range):
ranges are opened faster than tables are published, and numbers reserved for fiction are never valid.
``phonenumbers`` is the truth; ``rphonenumbers``, the same interface in Rust, answers first where it is
installed, and what it refuses is asked again of the truth.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import phonenumbers as truth

from heliograph.errors import Invalid
from heliograph.rules import body, parts

if TYPE_CHECKING:
    import phonenumbers as fast
else:
    try:
        import rphonenumbers as fast
    except ImportError:  # no wheel for this platform: slower, and as right
        fast = truth

ACCEPTED = "a number with its country code, such as +14155550100"
ACCEPTED_PREFIX = "a plus and the first 1 to 14 digits of the numbers that are meant, such as +1900"

# Country codes whose lengths have changed since the fast tables (9.0.41) were made: only the truth is asked.
# Benin went from 8 digits to 10.
_CHANGED = ("+229",)

_READY = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
# North America's, which cannot be anything else: ten digits are possible there, and the library would say just this at
# ten times the cost. Dashes and brackets are all that most files have in between.
_AMERICAN = re.compile(r"\+1[0-9]{10}").fullmatch
_COMMON_FILLING = b" .-()"
_PREFIX = re.compile(r"\+[1-9][0-9]{0,13}").fullmatch
_DIGITS = re.compile(r"\+?[0-9]+").fullmatch
_POSSIBLE = truth.ValidationResult.IS_POSSIBLE

# A spreadsheet's number: 14155550100.0, or 1.41555501e+10 with every digit written out.
_WHOLE_FLOAT = re.compile(r"([0-9]{7,15})\.0+").fullmatch
_SCIENTIFIC = re.compile(r"([0-9])\.([0-9]+)[eE]\+?([0-9]{1,2})").fullmatch

# White space of every kind, dashes, dots, brackets, quotes, and the invisible marks that come along when a
# number is copied from a phone or a web page.
_FILLING = re.compile(
    r"[\s\x00-\x1f.()\[\]{}'\"`´‘’‚‛“”„«»\-‐‑‒–—―−"  # noqa: RUF001  # look-alikes are the point
    "\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+",
)

_SENDER_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}").fullmatch
_SENDER_DIGITS = re.compile(r"[1-9][0-9]{8,14}").fullmatch
_SHORT_CODE = re.compile(r"[0-9]{3,8}").fullmatch
_NAME_UNITS = 11

_LONG, _MIDDLING = 11, 7  # how much of a number a log may show depends on how much there is


def normalise(raw: object, region: str | None = None, *, field: str | None = None) -> str:
    """The E.164 form, with its plus, of a number written by a person or a spreadsheet.

    Without a plus, the digits are read as national ones of ``region`` (two letters), or as international
    ones when there is no region. Raises :class:`Invalid` naming the value and what is accepted.
    """
    if isinstance(raw, str) and raw.startswith("+1") and raw.isascii():
        bare = raw.encode().translate(None, _COMMON_FILLING).decode()
        if _AMERICAN(bare):
            return bare
    if isinstance(raw, str) and _READY(raw):
        text = raw
    else:
        text = _digits(raw, field)
        if not text.startswith("+") and region is None:
            text = "+" + text
    country = None if region is None else region_code(region)
    for reader in (fast, truth):
        try:
            number = reader.parse(text, country)
        except reader.NumberParseException:
            continue
        if reader.is_possible_number_with_reason(number) == _POSSIBLE:
            found = reader.format_number(number, reader.PhoneNumberFormat.E164)
            if reader is truth or not found.startswith(_CHANGED):
                return found
    raise _unusable(raw, field)


def prefix(raw: object, *, field: str | None = None) -> str:
    """The beginning of international numbers, ``+`` and 1 to 14 digits; a star at its end may be left out.

    Raises :class:`Invalid`.
    """
    try:
        found = _digits(raw.strip().removesuffix("*") if isinstance(raw, str) else raw, field)
    except Invalid:
        found = ""
    found = found if found.startswith("+") else "+" + found
    if not _PREFIX(found):
        raise Invalid(f"{body.shown(raw)} is not a prefix. It takes {ACCEPTED_PREFIX}", field=field)
    return found


def sender_address(raw: object, *, field: str | None = None) -> str:
    """The address a text is sent from: a number (``+`` and 6 to 15 digits), a short code or a name.

    Of a number only the shape is checked: a carrier says whether one may send from it. Raises :class:`Invalid`.
    """
    text = raw.strip() if isinstance(raw, str) else ""
    bare = _FILLING.sub("", text)
    if _SENDER_NUMBER(bare) or _SHORT_CODE(bare):
        return bare
    if _SENDER_DIGITS(bare):
        return "+" + bare
    size = parts.measure(text)
    letters = any(character.isalpha() for character in text)
    if letters and size.encoding == "GSM-7" and size.units <= _NAME_UNITS and text.isprintable():
        return text
    raise Invalid(
        f"{field or 'The sender'} is {body.shown(raw)}. It takes {ACCEPTED}, a short code of 3 to 8 digits, "
        f"or a name of at most {_NAME_UNITS} GSM characters with a letter in it",
        field=field,
    )


def region_code(region: str, *, field: str | None = None) -> str:
    """An ISO 3166 code of two letters, as it is written. Raises :class:`Invalid` for what is no country's."""
    found = region.strip().upper()
    if found not in truth.SUPPORTED_REGIONS:
        raise Invalid(f"{body.shown(region)} is not a region. It takes an ISO 3166 code such as US or IN", field=field)
    return found


def mask(number: str) -> str:
    """``number`` for logs, in ASCII: enough to recognise one's own, not enough to call it."""
    text = "".join(character if character in "+0123456789" else "?" for character in number)
    head, tail = (5, 3) if len(text) >= _LONG else (2, 2) if len(text) >= _MIDDLING else (0, 1)
    return text[:head] + "****" + text[max(head, len(text) - tail, 1) :]


def _digits(raw: object, field: str | None) -> str:
    """Only the digits of ``raw``, with a plus in front where there was one (or ``00``)."""
    text = _FILLING.sub("", _unspread(raw, field))
    if not text.isascii():
        text = "".join(map(_ascii_digit, text))
    if not _DIGITS(text):
        raise _unusable(raw, field)
    return "+" + text[2:] if text.startswith("00") else text


def _unspread(raw: object, field: str | None) -> str:
    """``raw`` as text, with a spreadsheet's float turned back into the integer it was."""
    if isinstance(raw, bool):
        raise _unusable(raw, field)
    if isinstance(raw, int):
        return str(raw) if 0 <= raw < 10**15 else ""
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and 0 <= raw < 1e15 else ""  # noqa: PLR2004  # E.164: 15 digits
    if not isinstance(raw, str):
        raise _unusable(raw, field)
    text = raw.strip().strip("'\"")
    if "." not in text:
        return text
    if found := _WHOLE_FLOAT(text):
        return found[1]
    if found := _SCIENTIFIC(text):
        return _written_out(found, field)
    return text


def _written_out(found: re.Match[str], field: str | None) -> str:
    """The integer a power of ten stands for. Refused when digits were rounded away: it would be a stranger's."""
    fraction, exponent = found[2], int(found[3])
    if len(fraction) < exponent or fraction[exponent:].strip("0"):
        raise Invalid(
            f"{body.shown(found[0])} was cut short by a spreadsheet, and its last digits are lost. "
            f"Format the column as text and send {ACCEPTED}",
            field=field,
        )
    return found[1] + fraction[:exponent]


def _ascii_digit(character: str) -> str:
    if character == "＋":  # noqa: RUF001  # the full-width plus of East Asian keyboards
        return "+"
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _unusable(raw: object, field: str | None) -> Invalid:
    if raw is None or not str(raw).strip():
        return Invalid(f"There is no telephone number. It takes {ACCEPTED}", field=field)
    return Invalid(f"{body.shown(raw)} is not a telephone number. It takes {ACCEPTED}", field=field)
