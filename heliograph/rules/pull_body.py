"""Reading what a list that pulls its contacts from a customer's HTTP API is told.

The names are the vendor's where its pages show any (``method``, ``url``, ``auth.authorizationType``, ``headers``,
``dataSyncInterval``, ``dataSyncMode``); the others are ours.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar, cast

from heliograph.errors import Invalid
from heliograph.rules import address, body, columns, contact
from heliograph.rules.pull import SECRET, Auth, AuthKind, Method, Paging, Place, Pull

FIELD = "apiConfigurations"
METHODS: tuple[Method, ...] = ("GET", "POST")
AUTH_KINDS: tuple[AuthKind, ...] = ("none", "basic", "bearer", "apiKey")
PLACES: tuple[Place, ...] = ("header", "query")
MODES = {"allowDuplicates": True, "dontAllowDuplicates": False}

MOST_MINUTES = 1440  # the vendor's: at least once a day
MOST_HEADERS = 50
MOST_PAGES = 1000
HIGHEST_FIRST_PAGE = 1_000_000
LONGEST_VALUE = 2000
LONGEST_PAYLOAD = 20_000
LONGEST_PATH = 300
LONGEST_PARAMETER = 100

SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, 5.6.2
# What the connection itself has to say, and no one else.
_RESERVED = frozenset(
    "accept-encoding connection content-length expect host keep-alive proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
# A header with one of these words in its name says who we are.
_TELLING = frozenset("authorization auth token key apikey secret cookie password session".split())

_Word = TypeVar("_Word")


def parse(value: object, field: str = FIELD) -> Pull:
    """The configuration in ``value``, as it was sent or as ``pull.shown`` wrote it.

    What it has besides is passed over. Raises :class:`Invalid` naming the field, its value and what it takes.
    """
    sent = body.mapping(value, field)
    body.storable(value, field)
    allows_duplicates(value, field)  # that is the list's own, but a mistake in it is not passed over
    method: Method = _one_of(_set(sent.get("method"), "GET"), METHODS, f"{field}.method", fold=True)
    url_field = f"{field}.url"
    url = address.read_url(sent.get("url"), url_field)
    if "{{" in url.geturl():
        text = f"{url_field} has {{{{ in it. A secret goes into headers, or into auth with in: query"
        raise Invalid(text, field=url_field)
    return Pull(
        method=method,
        url=cast("str", sent["url"]),
        auth=_auth(sent.get("auth"), f"{field}.auth"),
        headers=_headers(sent.get("headers"), f"{field}.headers"),
        payload=_payload(sent.get("payload"), method, f"{field}.payload"),
        records=_path(sent.get("recordsPath"), f"{field}.recordsPath", default=""),
        mapping=_mapping(sent.get("mapping"), f"{field}.mapping"),
        paging=_paging(sent.get("paging"), f"{field}.paging"),
        minutes=_number(sent.get("dataSyncInterval"), f"{field}.dataSyncInterval", MOST_MINUTES, unit=" of minutes"),
    )


def is_set(value: object, field: str = FIELD) -> bool:
    """Whether it says whom to ask. Lists of other sources are shown, and may send back, only their mode."""
    return value is not None and bool(body.mapping(value, field).keys() - {"dataSyncMode"})


def allows_duplicates(value: object, field: str = FIELD) -> bool | None:
    """What ``dataSyncMode`` says of numbers that are on the list already; None when it says nothing."""
    mode = None if value is None else body.mapping(value, field).get("dataSyncMode")
    return None if mode is None or mode == "" else MODES[_one_of(mode, tuple(MODES), f"{field}.dataSyncMode")]


def mode(*, allow_duplicates: bool) -> str:
    """The ``dataSyncMode`` of a list that keeps duplicates, or does not."""
    return next(name for name, allowed in MODES.items() if allowed is allow_duplicates)


def secret_name(value: object, field: str) -> str:
    """The name of a secret. Raises Invalid."""
    if not isinstance(value, str) or not SECRET_NAME.fullmatch(value):
        text = f"{field} is {body.shown(value)}. It takes 1 to 64 letters, digits and underscores, no digit first"
        raise Invalid(text, field=field)
    return value


def secret_value(value: object, field: str) -> str:
    """What is to be kept secret, which no error shows. Raises Invalid."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_VALUE or not _is_printable(value):
        text = f"{field} cannot be kept. It takes a string of 1 to {LONGEST_VALUE} characters, no control characters"
        raise Invalid(text, field=field)
    return value


def _auth(value: object, field: str) -> Auth:
    if value is None:
        return Auth("none")
    sent = body.mapping(value, field)
    kind_field = f"{field}.authorizationType"
    kind: AuthKind = _one_of(_set(sent.get("authorizationType"), "none"), AUTH_KINDS, kind_field, fold=True)
    for plain in ("password", "token", "apiKey", "key", "value"):
        if sent.get(plain):
            text = f"{field}.{plain} is a secret's value. Store it under a name, and send that name as {field}.secret"
            raise Invalid(text, field=f"{field}.{plain}")
    place: Place = _one_of(_set(sent.get("in"), "header"), PLACES, f"{field}.in", fold=True)
    for name in ("username", "name"):  # also where another kind than this one uses it
        body.text(_set(sent.get(name), ""), f"{field}.{name}", longest=LONGEST_PATH)
    unused = kind == "none" and sent.get("secret") is None
    secret = "" if unused else secret_name(sent.get("secret"), f"{field}.secret")
    if kind == "none":
        return Auth(kind)
    if kind == "bearer":
        return Auth(kind, secret=secret)
    if kind == "basic":
        user = body.name(sent.get("username"), f"{field}.username", longest=LONGEST_PATH)
        if ":" in user:
            raise Invalid(
                f"{field}.username has a colon in it, which HTTP has no way to send", field=f"{field}.username"
            )
        return Auth(kind, user, secret)
    at = f"{field}.name"
    name = (
        _header_name(sent.get("name"), at)
        if place == "header"
        else body.name(sent.get("name"), at, longest=LONGEST_PARAMETER)
    )
    return Auth(kind, name, secret, place)


def _headers(value: object, field: str) -> tuple[tuple[str, str], ...]:
    """Headers as a list of ``{"key", "value"}`` or as one object."""
    if value is None:
        return ()
    if isinstance(value, dict):
        value = [{"key": key, "value": each} for key, each in cast("dict[str, object]", value).items()]
    if not isinstance(value, list):
        raise Invalid(f'{field} is {body.shown(value)}. It takes a list of {{"key", "value"}}', field=field)
    entries = cast("list[object]", value)
    if len(entries) > MOST_HEADERS:
        raise Invalid(f"{field} has {len(entries)} entries. It takes at most {MOST_HEADERS}", field=field)
    found: list[tuple[str, str]] = []
    for number, entry in enumerate(entries):
        at = f"{field}[{number}]"
        each = body.mapping(entry, at)
        name = _header_name(each.get("key"), f"{at}.key")
        text = body.text(each.get("value"), f"{at}.value", longest=LONGEST_VALUE)
        if not _is_printable(text):
            raise Invalid(f"{at}.value has control characters in it", field=f"{at}.value")
        if _TELLING.intersection(re.split("[-_]", name.lower())) and not SECRET.search(text):
            shown_as = (
                f"{at}.value is for {name}, which tells who we are. It takes a secret by its name: {{{{env:NAME}}}}"
            )
            raise Invalid(shown_as, field=f"{at}.value")
        found.append((name, text))
    return tuple(found)


def _header_name(value: object, field: str) -> str:
    if not isinstance(value, str) or not _HEADER.fullmatch(value) or value.lower() in _RESERVED:
        text = (
            f"{field} is {body.shown(value)}. It takes the name of a header, and none that the connection sets itself"
        )
        raise Invalid(text, field=field)
    return value


def _payload(value: object, method: Method, field: str) -> object | None:
    if value is None:
        return None
    if method != "POST":
        raise Invalid(f"{field} goes with method POST only, and method is {method}", field=field)
    if not isinstance(value, dict | list):
        raise Invalid(f"{field} is {body.shown(value)}. It takes a JSON object or list", field=field)
    size = len(json.dumps(value, ensure_ascii=False))
    if size > LONGEST_PAYLOAD:
        raise Invalid(f"{field} has {size} characters. It takes at most {LONGEST_PAYLOAD}", field=field)
    return cast("object", value)


def _mapping(value: object, field: str) -> dict[str, str]:
    sent = body.mapping(value, field)
    if len(sent) > contact.MOST_COLUMNS:
        text = f"{field} has {len(sent)} columns. A contact has at most {contact.MOST_COLUMNS}"
        raise Invalid(text, field=field)
    found: dict[str, str] = {}
    for name, path in sent.items():
        if not name.strip() or len(name) > contact.LONGEST_COLUMN_NAME:
            text = f"{field} has the column {body.shown(name)}, and its name takes 1 to {contact.LONGEST_COLUMN_NAME}"
            raise Invalid(f"{text} characters", field=field)
        if path is not None and path != "":  # a column that is not mapped
            found[name] = _path(path, f"{field}.{name[:60]}")
    try:
        columns.guess(list(found))
    except Invalid as error:
        raise Invalid(f"{field}: {error.message}", field=field) from error
    return found


def _paging(value: object, field: str) -> Paging | None:
    if value is None:
        return None
    sent = body.mapping(value, field)
    parameter, link = _set(sent.get("pageParameter"), None), _set(sent.get("nextLink"), None)
    if (parameter is None) is (link is None):
        raise Invalid(f"{field} takes either pageParameter or nextLink", field=field)
    most = _number(sent.get("mostPages"), f"{field}.mostPages", MOST_PAGES)
    first = _number(sent.get("firstPage"), f"{field}.firstPage", HIGHEST_FIRST_PAGE, least=0)
    return Paging(
        parameter=None
        if parameter is None
        else body.name(parameter, f"{field}.pageParameter", longest=LONGEST_PARAMETER),
        first=1 if first is None else first,
        next_link=None if link is None else _path(link, f"{field}.nextLink"),
        most=most or MOST_PAGES,
    )


def _path(value: object, field: str, *, default: str | None = None) -> str:
    """A dotted path such as ``data.items``; digits count in a list. ``default`` when nothing is sent."""
    if default is not None and (value is None or value in ("", "$")):
        return default
    if not isinstance(value, str) or len(value) > LONGEST_PATH or not all(value.split(".")):
        text = f"{field} is {body.shown(value)}. It takes a path such as data.items, with a dot between names"
        raise Invalid(text, field=field)
    return value


def _number(value: object, field: str, most: int, *, least: int = 1, unit: str = "") -> int | None:
    """A whole number, also as digits in a string; None when nothing is sent."""
    if value is None or value == "":
        return None
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not least <= int(text) <= most:
        shown_as = f"{field} is {body.shown(value)}. It takes a whole number{unit} from {least} to {most}, or null"
        raise Invalid(shown_as, field=field)
    return int(text)


def _set(value: object, default: object) -> object:
    """``value``, or ``default`` when nothing was sent."""
    return default if value is None or value == "" else value


def _one_of(value: object, known: tuple[_Word, ...], field: str, *, fold: bool = False) -> _Word:
    for each in known:
        if value == each or (fold and isinstance(value, str) and value.lower() == str(each).lower()):
            return each
    raise Invalid(f"{field} is {body.shown(value)}. It takes one of: {', '.join(map(str, known))}", field=field)


def _is_printable(text: str) -> bool:
    return not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text)
