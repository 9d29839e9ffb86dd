"""Readers of the values that stand in a flow's document, each fault with its path."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, template

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT = 5000
LONGEST_NAME = 100
LONGEST_TIME = timedelta(days=90)

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}").fullmatch
_TIME = re.compile(r"([0-9]{1,6}) ?(s|m|h|d)").fullmatch
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def listed(value: object) -> list[object]:
    """``value`` if it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def several(value: object) -> list[object]:
    """A list as it is, None as an empty one, anything else as a list of it alone."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def is_number(value: object) -> bool:
    """Whether ``value`` is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def node_id(value: object, at: str) -> str:
    """``value`` as a node's name."""
    if not isinstance(value, str) or not _ID(value):
        text = f"{at} has {body.shown(value)}. A node's name takes letters, digits, _, - and ., at most 64"
        raise Invalid(text, field=at)
    return value


def to(sent: Mapping[str, object], key: str, at: str) -> str | None:
    """The node that ``key`` leads to; None: there is none, so the end."""
    value = sent.get(key)
    return None if value is None else node_id(value, f"{at}.{key}")


def save(sent: Mapping[str, object], at: str) -> str | None:
    """Under which name an answer is kept, if under one."""
    value = sent.get("save")
    return None if value is None else body.name(value, f"{at}.save", longest=LONGEST_NAME)


def read_template(value: object, at: str) -> template.Template:
    """``value`` as a text with placeholders."""
    return template.compile_text(body.text(value, at, longest=LONGEST_TEXT), field=at)


def read_templates(value: object, at: str) -> dict[str, template.Template]:
    """An object whose values are texts with placeholders."""
    return {key: read_template(each, f"{at}.{key}") for key, each in body.mapping(value, at).items()}


def number(value: object, at: str, low: float, high: float) -> float:
    """``value`` as a number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Invalid(f"{at} is {body.shown(value)}. It takes {low:g} to {high:g}", field=at)
    return float(value)


def time(value: object, at: str) -> timedelta:
    """``value``, such as 30m, 24h or 3d, as a time."""
    found = _TIME(value.strip()) if isinstance(value, str) else None
    long = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < long <= LONGEST_TIME:
        text = f"{at} is {body.shown(value)}. It takes a time such as 30m, 24h or 3d, at most {LONGEST_TIME.days}d"
        raise Invalid(text, field=at)
    return long
