"""Plain substitutes: a text that one curly quote makes twice as long, put in the letters of every phone.

Outside the GSM 03.38 alphabet a part carries 70 characters instead of 160, and what word processors put into texts
(curly quotes, long dashes, an ellipsis, no-break spaces) is outside it. The rule is that of Bird, Webex and Twilio's
"Smart Encoding": characters are exchanged only when the *whole* text fits the alphabet afterwards; else nothing is
gained, and the text stays as it was written. Only marks and spaces are ever exchanged. Letters are not: they are
people's names. Twilio's own list is not copied: it swaps ‹ with ›, and makes two spaces of one.
"""

# ruff: noqa: RUF001, RUF002  # characters that look like others are what this page is about

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from heliograph.errors import Invalid
from heliograph.rules import body, parts


class Plain(StrEnum):
    """What is done about characters that have a plain substitute."""

    OFF = "off"  # texts are sent as they are written
    WARN = "warn"  # so too, and whoever writes one is told what it costs
    ON = "on"  # they are exchanged where that makes the whole text fit


FIELD = "plainSubstitutes"


def setting(raw: object) -> Plain:
    """What an app wants to be done. Raises :class:`Invalid`."""
    try:
        return Plain(str(raw))
    except ValueError as error:
        text = f"{FIELD} is {body.shown(raw)}. It takes off, warn or on"
        raise Invalid(text, field=FIELD) from error


class Finding(NamedTuple):
    """A text in plain characters, and the characters that were exchanged for it, each once, as they first appear."""

    text: str
    exchanged: tuple[str, ...]


_SUBSTITUTES: dict[str, str] = {
    '"': "«»“”„‟″ʺ❝❞〝〞＂",
    "'": "‘’‚‛′ʹʼ`´❛❜＇",
    "-": "‐‑‒–—―−⁃•·﹘﹣－",
    "...": "…",
    "/": "⁄∕／",
    "<": "‹",
    ">": "›",
    "!!": "‼",
    "1/4": "¼",
    "1/2": "½",
    "3/4": "¾",
    "(TM)": "™",
}
# Every other space that Unicode knows (category Zs).
_SPACES = dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_TABLE = _SPACES | {ord(odd): plain for plain, group in _SUBSTITUTES.items() for odd in group}


def simplify(text: str) -> Finding:
    """``text`` (normalised) with plain substitutes, if it fits GSM 03.38 then; else as it is."""
    if text.isascii() and "`" not in text:
        return Finding(text, ())
    if parts.measure(text).encoding == "GSM-7":
        return Finding(text, ())
    plain = exchanged(text)
    if parts.measure(plain).encoding != "GSM-7":
        return Finding(text, ())
    return Finding(plain, tuple(each for each in dict.fromkeys(text) if substitute(each) not in (None, each)))


def warning(text: str) -> str | None:
    """Which characters of a text (its placeholders as they stand) cost how many parts, in words; None when none do."""
    found = simplify(text)
    needed, enough = parts.measure(text).parts, parts.measure(found.text).parts
    if needed <= enough:
        return None
    told = " ".join(found.exchanged)
    return f"{told} make it {needed} parts instead of {enough}. With plain ones it would be: {found.text}"


def exchanged(text: str) -> str:
    """``text`` with every substitute that there is, whether it fits GSM 03.38 then or not."""
    return text.translate(_TABLE)


def apply(text: str, setting: Plain) -> str:
    """``text`` as it is sent under ``setting``."""
    return simplify(text).text if setting is Plain.ON else text


def costly(text: str) -> tuple[str, ...]:
    """The characters that keep ``text`` out of GSM 03.38, each once, as they first appear; for a warning."""
    return tuple(dict.fromkeys(each for each in text if parts.measure(each).encoding != "GSM-7"))


def substitute(character: str) -> str | None:
    """What one character is exchanged for; None: it has no substitute."""
    return _TABLE.get(ord(character))
