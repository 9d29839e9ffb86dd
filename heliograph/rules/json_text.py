"""Reading a long JSON text in small steps, so that whatever else the process does goes on meanwhile.

``json.loads`` is one call into C, during which no other thread of the process runs: 50 MB are seconds. Here the
outer levels are walked in Python, and each value below them is read by such a call of its own. What is read, and
what is refused, is the same.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

_BLANKS = re.compile(r"[ \t\n\r]*")
_read_one = json.JSONDecoder().raw_decode


def loads(text: str, depth: int) -> object:
    """The value that ``text`` is, walking ``depth`` levels of objects and arrays.

    Raises as ``json.loads`` does: JSONDecodeError, RecursionError, ValueError for a number that is too long.
    """
    if text.startswith("\ufeff"):
        raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
    value, at = _value(text, _skip(text, 0), depth)
    at = _skip(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return value


def _value(text: str, at: int, depth: int) -> tuple[object, int]:
    """The value that begins at ``at``, and where it ends."""
    if depth > 0 and text.startswith("{", at):
        return _object(text, at + 1, depth - 1)
    if depth > 0 and text.startswith("[", at):
        return _array(text, at + 1, depth - 1)
    return _read_one(text, at)


def _object(text: str, at: int, depth: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    at = _skip(text, at)
    if text.startswith("}", at):
        return found, at + 1
    while True:
        if not text.startswith('"', at):
            _expected("property name enclosed in double quotes", text, at)
        key, at = _read_one(text, at)
        at = _skip(text, at)
        if not text.startswith(":", at):
            _expected("':' delimiter", text, at)
        found[key], at = _value(text, _skip(text, at + 1), depth)
        at, ended = _after(text, at, "}")
        if ended:
            return found, at


def _array(text: str, at: int, depth: int) -> tuple[list[object], int]:
    found: list[object] = []
    at = _skip(text, at)
    if text.startswith("]", at):
        return found, at + 1
    while True:
        value, at = _value(text, at, depth)
        found.append(value)
        at, ended = _after(text, at, "]")
        if ended:
            return found, at


def _after(text: str, at: int, end: str) -> tuple[int, bool]:
    """What follows a value: where the next one begins, or where all of it ended."""
    at = _skip(text, at)
    if text.startswith(end, at):
        return at + 1, True
    if not text.startswith(",", at):
        _expected("',' delimiter", text, at)
    return _skip(text, at + 1), False


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _expected(what: str, text: str, at: int) -> NoReturn:
    raise json.JSONDecodeError(f"Expecting {what}", text, at)
