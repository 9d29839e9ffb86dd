"""What the ``generic`` carrier is told: how to hand a text over, and where things stand in answers and calls.

It is all data: words filled into places, and places to read from. There are no expressions and no patterns, so that
nobody's configuration can stall a worker. ``docs/carriers/generic.md`` explains it to people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from heliograph.carriers.http_settings import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 2_000  # characters of one value
MOST = 60  # entries of one object
DEEPEST = 6

NAMES = frozenset(
    {
        "to", "to_digits", "from", "from_digits", "text", "text_utf16_hex", "id", "parts", "callback",
        "user", "password", "api_key",
    }
)  # fmt: skip
"""What ``{{...}}`` can stand for."""

PLACE = re.compile(r"\{\{([a-z0-9_]+)\}\}")

BodyKind = Literal["form", "json", "xml"]
Meaning = Literal["accepted", "deferred", "for_now", "for_good", "shut"]
MEANINGS: tuple[Meaning, ...] = ("accepted", "deferred", "for_now", "for_good", "shut")
STATES = ("accepted", "delivered", "failed")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: at a dotted path of JSON or a form, or in plain text between two markers."""

    path: str = ""
    after: str = ""
    before: str = ""
    in_text: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """How a text is handed over; values have places to fill."""

    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body_kind: BodyKind | None = None
    body: object = None


@dataclass(frozen=True, slots=True)
class Answering:
    """How an answer is read. ``id`` None: the ref is our own message id. ``codes``: what each code means."""

    id: Place | None = None
    code: Place | None = None
    codes: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])
    never_sent: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """How a call with a receipt is read. ``states``: what each status means."""

    id: str
    status: str
    states: Mapping[str, str]
    code: str = ""
    at: str = ""
    items: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a call with a reply is read."""

    number: str
    to: str
    text: str
    id: str = ""
    at: str = ""
    items: str = ""


@dataclass(frozen=True, slots=True)
class Signing:
    """How calls are signed: an HMAC of the body in a header."""

    header: str
    method: str = "sha256"
    form: Literal["hex", "base64"] = "hex"
    prefix: str = ""


def asking(value: object) -> Mapping[str, object]:
    """Reads ``request`` or ``unicode_request``: an object with query, headers, form, json or xml."""
    found = _object(value, {"query", "headers", "form", "json", "xml"})
    if len({"form", "json", "xml"} & found.keys()) > 1:
        raise Unusable
    for key in ("query", "headers", "form"):
        for name, each in _object(found.get(key, {})).items():
            if each is not None:
                _filled(each)
            if key == "headers" and re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) is None:
                raise Unusable
    if "xml" in found:
        _filled(found["xml"])
    _deep(found.get("json"), 0)
    return found


def combine(usual: Mapping[str, object], over: Mapping[str, object]) -> Asking:
    """A request made of the usual one and what is put over it: by name for query, headers and form; null removes."""
    parts: dict[str, dict[str, str]] = {}
    for key in ("query", "headers", "form"):
        both = {**_object(usual.get(key, {})), **_object(over.get(key, {}))}
        parts[key] = {name: cast("str", value) for name, value in both.items() if value is not None}
    chosen = over if over.keys() & {"form", "json", "xml"} else usual
    kind = next((each for each in ("form", "json", "xml") if each in chosen), None)
    body = parts["form"] if kind == "form" else chosen.get(kind or "")
    return Asking(parts["query"], parts["headers"], cast("BodyKind | None", kind), body)


def answering(value: object) -> Answering:
    """Reads ``answer``."""
    found = _object(value, {"id", "code", "never_sent", *MEANINGS})
    codes: dict[str, Meaning] = {}
    for meaning in MEANINGS:
        codes |= dict.fromkeys(_texts(found.get(meaning, [])), meaning)
    never_sent = found.get("never_sent", False)
    if not isinstance(never_sent, bool) or (codes and "code" not in found):
        raise Unusable
    places = {key: _place(found[key]) for key in ("id", "code") if key in found}
    return Answering(places.get("id"), places.get("code"), codes, never_sent)


def telling(value: object) -> Telling:
    """Reads ``receipt``."""
    found = _object(value, {"id", "status", "code", "at", "items", *STATES})
    states: dict[str, str] = {}
    for state in STATES:
        states |= dict.fromkeys(_texts(found.get(state, [])), state)
    paths = {key: _path(found[key]) for key in ("code", "at", "items") if key in found}
    if not states:
        raise Unusable
    return Telling(_path(found.get("id")), _path(found.get("status")), states, **paths)


def writing(value: object) -> Writing:
    """Reads ``reply``."""
    found = _object(value, {"number", "to", "text", "id", "at", "items"})
    paths = {key: _path(found[key]) for key in ("id", "at", "items") if key in found}
    return Writing(_path(found.get("number")), _path(found.get("to")), _path(found.get("text")), **paths)


def signing(value: object) -> Signing:
    """Reads ``signature``."""
    found = _object(value, {"header", "method", "form", "prefix"})
    header, method, form, prefix = (
        found.get("header"), found.get("method", "sha256"), found.get("form", "hex"), found.get("prefix", ""),
    )  # fmt: skip
    if not isinstance(header, str) or re.fullmatch(r"[A-Za-z0-9-]{1,100}", header) is None:
        raise Unusable
    if method not in ("sha1", "sha256", "sha512") or form not in ("hex", "base64") or not isinstance(prefix, str):
        raise Unusable
    return Signing(header.lower(), cast("str", method), form, prefix[:40])


def method(value: object) -> str:
    """Reads ``method``."""
    if value not in ("GET", "POST", "PUT"):
        raise Unusable
    return cast("str", value)


def words(value: object) -> str:
    """Reads ``call_answer``: a few plain words."""
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():  # noqa: PLR2004
        raise Unusable
    return value


def _object(value: object, known: set[str] | None = None) -> dict[str, object]:
    if not isinstance(value, dict) or len(cast("dict[object, object]", value)) > MOST:
        raise Unusable
    found = cast("dict[str, object]", value)
    if known is not None and found.keys() - known:
        raise Unusable
    return found


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or len(cast("list[object]", value)) > MOST:
        raise Unusable
    found = cast("list[object]", value)
    if not all(isinstance(each, str) and each for each in found):
        raise Unusable
    return cast("list[str]", found)


def _path(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200:  # noqa: PLR2004
        raise Unusable
    return value


def _place(value: object) -> Place:
    if isinstance(value, str):
        return Place(path=_path(value))
    found = _object(value, {"after", "before"})
    after, before = found.get("after", ""), found.get("before", "")
    if not isinstance(after, str) or not isinstance(before, str) or len(after + before) > 200:  # noqa: PLR2004
        raise Unusable
    return Place(after=after, before=before, in_text=True)


def _filled(value: object) -> None:
    """A value with places to fill: all of them known."""
    if not isinstance(value, str) or len(value) > LONGEST or set(PLACE.findall(value)) - NAMES:
        raise Unusable


def _deep(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise Unusable
    if isinstance(value, str):
        _filled(value)
    elif isinstance(value, dict):
        for each in _object(cast("object", value)).values():
            _deep(each, depth + 1)
    elif isinstance(value, list):
        for each in cast("list[object]", value)[:MOST]:
            _deep(each, depth + 1)
