"""Readers: each checks one kind of value that a setting may have, as JSON has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from heliograph.carriers.smpp import codes
from heliograph.carriers.smpp.pdu import tlv

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

Reader = tuple[Any, str]
"""What checks a value (raises :class:`Unusable`) and makes of it what the code uses; and what it takes, in words."""


class Unusable(Exception):
    """A reader was given what it does not take; its words say what that is."""


def word(most: int, *, least: int = 0) -> Reader:
    """ASCII of so many characters."""

    def read_word(value: object) -> str:
        if not isinstance(value, str) or not value.isascii() or not least <= len(value) <= most or "\0" in value:
            raise Unusable
        return value

    return read_word, f"{least} to {most} ASCII characters"


def whole(least: int, most: int, what: str) -> Reader:
    """A whole number."""

    def read_whole(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unusable
        return value

    return read_whole, f"{what} from {least} to {most}"


def seconds(least: float, most: float) -> Reader:
    """Seconds."""

    def read_seconds(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise Unusable
        return float(value)

    return read_seconds, f"seconds from {least:g} to {most:g}"


def choice(kind: type[StrEnum]) -> Reader:
    """One of an enumeration's words."""

    def read_choice(value: object) -> StrEnum:
        try:
            return kind(cast("str", value))
        except ValueError:
            raise Unusable from None

    return read_choice, "one of " + ", ".join(kind)


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Unusable
    return value


def two(reader: Reader) -> Callable[[object], tuple[Any, Any]]:
    """A list of two that ``reader`` takes."""

    def read_two(value: object) -> tuple[Any, Any]:
        if not isinstance(value, list):
            raise Unusable
        items = cast("list[object]", value)
        if len(items) != 2:  # noqa: PLR2004
            raise Unusable
        first, second = (reader[0](item) for item in items)
        return first, second

    return read_two


def span(value: object) -> tuple[float, float]:
    """[first, most] in seconds."""
    first, most = two(seconds(0.01, 3600))(value)
    if first > most:
        raise Unusable
    return first, most


def or_none(reader: Reader) -> Reader:
    """What ``reader`` takes, or nothing."""

    def read_or_none(value: object) -> object:
        return None if value is None else reader[0](value)

    return read_or_none, f"{reader[1]}, or null"


def host(value: object) -> str:
    """A host name or an address."""
    if not isinstance(value, str) or re.fullmatch(r"[\w.:-]{1,253}", value, re.ASCII) is None:
        raise Unusable
    return value


def pem(value: object) -> str:
    """Certificates in PEM."""
    if not isinstance(value, str) or "-----BEGIN CERTIFICATE-----" not in value or len(value) > 100_000:  # noqa: PLR2004
        raise Unusable
    return value


def number(value: object, most: int) -> int:
    """``value`` as JSON may say it: 1034, "1034" or "0x040a"."""
    try:
        found = int(value, 0) if isinstance(value, str) else value
    except ValueError:
        raise Unusable from None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= most:
        raise Unusable
    return found


def statuses(value: object) -> dict[int, str]:
    """Verdicts by command_status."""
    if not isinstance(value, dict):
        raise Unusable
    found = {number(key, 0xFFFFFFFF): verdict for key, verdict in cast("dict[object, object]", value).items()}
    if any(verdict not in codes.VERDICTS for verdict in found.values()):
        raise Unusable
    return cast("dict[int, str]", found)


def tlvs(value: object) -> bytes:
    """``{"0x1400": "1101…"}``: text as ASCII with its NUL, hexadecimal digits behind ``hex:`` as they are."""
    if not isinstance(value, dict):
        raise Unusable
    made: list[bytes] = []
    for key, said in cast("dict[object, object]", value).items():
        if not isinstance(said, str) or len(said) > 500:  # noqa: PLR2004
            raise Unusable
        try:
            octets = bytes.fromhex(said[4:]) if said.startswith("hex:") else said.encode("ascii") + b"\0"
        except ValueError:
            raise Unusable from None
        made.append(tlv(number(key, 0xFFFF), octets))
    return b"".join(made)


def separators(value: object) -> str:
    """Characters at which an id may end."""
    if not isinstance(value, str) or len(value) > 10 or not value.isascii() or any(c.isalnum() for c in value):  # noqa: PLR2004
        raise Unusable
    return value
