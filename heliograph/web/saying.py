"""What was just done, told by the next page, and how it is undone.

It goes by a cookie, which a neighbour of this host may be able to write. A text is only shown. The button that undoes
is believed when it carries the mark of this very session, which nobody else knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from heliograph.web import door

if TYPE_CHECKING:
    from starlette.requests import Request

LONGEST = 1000
MOST_BYTES = 2500  # of a way to undo: a cookie has room for 4,096
_Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Undo:
    """How something is taken back: a post to ``at`` of ``fields``, by a button that says ``word``."""

    at: str
    fields: _Fields = field(default_factory=dict[str, str])
    word: str = "Undo"


@dataclass(frozen=True, slots=True)
class Said:
    """A line that tells what was done. ``trouble``: what was not."""

    text: str
    trouble: bool = False
    undo: Undo | None = None


def pack(request: Request, said: Said) -> str:
    """The cookie's value."""
    undo = ""
    if said.undo is not None:
        undo = json.dumps([said.undo.at, dict(said.undo.fields), said.undo.word])
        undo = "" if len(undo) > MOST_BYTES else undo
    return base64.urlsafe_b64encode(json.dumps([said.text[:LONGEST], undo, _mark(request, undo)]).encode()).decode()


def unpack(request: Request, value: str) -> Said | None:
    """What the cookie tells; None when it is none of ours. Of one whose mark is another's only the text is taken."""
    try:
        read: object = json.loads(base64.urlsafe_b64decode(value))
    except ValueError:
        return None
    if not isinstance(read, list):
        return None
    parts = cast("list[Any]", read)
    if len(parts) != 3 or not all(isinstance(part, str) for part in parts):  # noqa: PLR2004  # as packed
        return None
    text, undo, mark = parts
    if not undo or not hmac.compare_digest(mark.encode(), _mark(request, undo).encode()):
        return Said(text[:LONGEST])
    at, fields, word = json.loads(undo)
    return Said(text[:LONGEST], undo=Undo(at, fields, word))


def _mark(request: Request, undo: str) -> str:
    key = request.cookies.get(door.SESSION, "")
    return hmac.new(key.encode(), undo.encode(), hashlib.sha256).hexdigest() if key and undo else ""
