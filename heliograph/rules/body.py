"""Reading what a caller sent: JSON values of which nothing is known yet.

Every reader raises :class:`~heliograph.errors.Invalid` with the dotted path of the field at fault.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    Body = Mapping[str, object]

_SHOWN = 60
_DEEPEST = 32
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's text takes neither NUL nor half characters
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def mapping(value: object, field: str) -> Body:
    """``value`` as an object. ``field`` is ``""`` for the whole body."""
    if not isinstance(value, dict):
        what = f"{field} is {shown(value)}" if field else f"The body is {shown(value)}"
        raise Invalid(f"{what}. It takes a JSON object", field=field or None)
    return cast("Body", value)


def text(value: object, field: str, *, longest: int) -> str:
    """``value`` as a string of at most ``longest`` characters."""
    if not isinstance(value, str):
        raise Invalid(f"{field} is {shown(value)}. It takes a string of at most {longest} characters", field=field)
    if len(value) > longest:
        raise Invalid(f"{field} has {len(value)} characters. It takes at most {longest}", field=field)
    return value


def name(value: object, field: str, *, longest: int) -> str:
    """``value`` as a name: not blank, no control characters, blanks around it cut."""
    found = value.strip() if isinstance(value, str) else ""
    if not found or len(found) > longest or _CONTROLS.search(found):
        raise Invalid(
            f"{field} is {shown(value)}. It takes 1 to {longest} characters, no control characters among them",
            field=field,
        )
    return found


def flag(value: object, field: str) -> bool:
    """``value`` as true or false."""
    if not isinstance(value, bool):
        raise Invalid(f"{field} is {shown(value)}. It takes true or false", field=field)
    return value


def storable(value: object, field: str = "") -> None:
    """Refuse what no database or JSON answer can hold: NUL, half characters, NaN, infinities, endless nesting."""
    waiting: list[tuple[object, str, int]] = [(value, field, 0)]
    while waiting:
        item, path, depth = waiting.pop()
        where = path or "The body"
        if depth > _DEEPEST:
            raise Invalid(f"{where} is nested more than {_DEEPEST} levels deep", field=path or None)
        if isinstance(item, dict):
            for key, inner in cast("dict[str, object]", item).items():
                if _UNSTORABLE.search(key):
                    raise Invalid(f"{where} has the key {shown(key)}, which cannot be stored", field=path or None)
                waiting.append((inner, f"{path}.{key[:_SHOWN]}" if path else key[:_SHOWN], depth + 1))
        elif isinstance(item, list):
            members = cast("list[object]", item)
            waiting.extend((inner, f"{path}[{place}]", depth + 1) for place, inner in enumerate(members))
        elif isinstance(item, str) and _UNSTORABLE.search(item):
            raise Invalid(f"{where} has a NUL or half a character in it, which cannot be stored", field=path or None)
        elif isinstance(item, float) and not math.isfinite(item):
            raise Invalid(f"{where} is {item}, which is no JSON number", field=path or None)


def shown(value: object) -> str:
    """``value`` for an error message, short whatever was sent."""
    if value is None:
        return "missing or null"
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(10**_SHOWN) < value < 10**_SHOWN else "a number far too long"
    if isinstance(value, float):
        return repr(value)
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")
