"""Pulling a list's contacts from a customer's HTTP API: whom to ask, how, how often, and with what words.

Secrets stand in a pull by their names only, so that it can be stored and shown as it is.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Method = Literal["GET", "POST"]
AuthKind = Literal["none", "basic", "bearer", "apiKey"]
Place = Literal["header", "query"]

SOURCE = "apiIntegration"  # the source of lists that pull
BACK_OFF_MINUTES = 60  # a list that is pulled more often than that is left alone for so long when it keeps failing

SECRET = re.compile(r"\{\{\s*env:\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")


@dataclass(frozen=True, slots=True)
class Auth:
    """How we prove who we are. ``name``: the user's, or that of the header or query value; ``secret``: a name."""

    kind: AuthKind
    name: str = ""
    secret: str = ""
    place: Place = "header"


@dataclass(frozen=True, slots=True)
class Paging:
    """How the answer goes on: by a page number in the query, or by a link in the answer. One of them is set."""

    parameter: str | None
    first: int
    next_link: str | None
    most: int


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull's configuration, checked. Paths are dotted; ``minutes`` None: only by hand."""

    method: Method
    url: str
    auth: Auth
    headers: tuple[tuple[str, str], ...]
    payload: object | None
    records: str  # "" when the answer itself is the list
    mapping: dict[str, str]  # column → path in a record
    paging: Paging | None
    minutes: int | None


def shown(pull: Pull) -> dict[str, object]:
    """The configuration as JSON, in the vendor's order as far as it goes; :func:`parse` takes it back."""
    auth: dict[str, object] = {"authorizationType": pull.auth.kind}
    if pull.auth.kind == "apiKey":
        auth |= {"in": pull.auth.place, "name": pull.auth.name}
    elif pull.auth.kind == "basic":
        auth["username"] = pull.auth.name
    if pull.auth.secret:
        auth["secret"] = pull.auth.secret
    paging = pull.paging
    return {
        "method": pull.method,
        "url": pull.url,
        "auth": auth,
        "headers": [{"key": name, "value": value} for name, value in pull.headers],
        "payload": pull.payload,
        "recordsPath": pull.records,
        "mapping": pull.mapping,
        "paging": None if paging is None else _paging_shown(paging),
        "dataSyncInterval": pull.minutes,
    }


def secret_names(pull: Pull) -> frozenset[str]:
    """The secrets it needs."""
    texts = [*(value for _, value in pull.headers), pull.auth.name, json.dumps(pull.payload, ensure_ascii=False)]
    named = {name for text in texts for name in SECRET.findall(text)}
    return frozenset(named | {pull.auth.secret} - {""})


def next_sync(pull: Pull, started: datetime, failures: int) -> datetime | None:
    """When the list is pulled again after a sync begun at ``started``, the ``failures``-th in a row that failed.

    After 1, 2, 4, 8, … minutes while it fails, at last after an hour or the interval, whichever is longer; None
    for a list that is pulled by hand: whoever asked sees that it failed.
    """
    if pull.minutes is None:
        return None
    wait = pull.minutes
    if failures:
        wait = min(2 ** min(failures - 1, 12), max(pull.minutes, BACK_OFF_MINUTES))
    return started + timedelta(minutes=wait)


@dataclass(frozen=True, slots=True)
class Question:
    """A request to make, secrets filled in: never to be logged or shown."""

    method: Method
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def first_question(pull: Pull, secrets: Mapping[str, str]) -> Question:
    """The first request of a sync. Raises Invalid naming a secret that is not among ``secrets``."""
    if missing := sorted(secret_names(pull) - secrets.keys()):
        raise Invalid(f"There is no secret named {missing[0]}. Store one, or name another", field="apiConfigurations")
    headers = [("Accept", "application/json"), ("User-Agent", "Heliograph")]
    payload = None
    if pull.payload is not None:
        headers.append(("Content-Type", "application/json"))
        payload = json.dumps(_filled_deep(pull.payload, secrets), ensure_ascii=False).encode()
    own = [(name, _filled(value, secrets)) for name, value in pull.headers]
    if pull.auth.kind == "basic":
        pair = f"{_filled(pull.auth.name, secrets)}:{secrets[pull.auth.secret]}"
        own.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    elif pull.auth.kind == "bearer":
        own.append(("Authorization", "Bearer " + secrets[pull.auth.secret]))
    elif pull.auth.kind == "apiKey" and pull.auth.place == "header":
        own.append((pull.auth.name, secrets[pull.auth.secret]))
    set_by_hand = {name.lower() for name, _ in own}
    headers = [each for each in headers if each[0].lower() not in set_by_hand] + own
    url = _keyed(pull, pull.url, secrets)
    if pull.paging is not None and pull.paging.parameter is not None:
        url = _with(url, pull.paging.parameter, str(pull.paging.first))
    return Question(pull.method, url, tuple(headers), payload)


def page_question(pull: Pull, before: Question, page: int, secrets: Mapping[str, str], link: str | None) -> Question:
    """The request for the ``page``-th page (the first is 0), at ``link`` where the answer before gave one."""
    if link is not None:
        url = _keyed(pull, link, secrets)
    else:
        paging = cast("Paging", pull.paging)
        url = _with(before.url, cast("str", paging.parameter), str(paging.first + page))
    return Question(before.method, url, before.headers, before.body)


def plain_url(url: str) -> str:
    """A URL as it may be shown: without its query, which may hold a key."""
    found = urlsplit(url)
    return urlunsplit((found.scheme, found.netloc, found.path, "", ""))[:200]


def _paging_shown(paging: Paging) -> dict[str, object]:
    if paging.next_link is not None:
        return {"nextLink": paging.next_link, "mostPages": paging.most}
    return {"pageParameter": paging.parameter, "firstPage": paging.first, "mostPages": paging.most}


def _filled(text: str, secrets: Mapping[str, str]) -> str:
    return SECRET.sub(lambda found: secrets[found[1]], text)


def _filled_deep(value: object, secrets: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _filled(value, secrets)
    if isinstance(value, list):
        return [_filled_deep(each, secrets) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _filled_deep(each, secrets) for key, each in cast("dict[str, object]", value).items()}
    return value


def _keyed(pull: Pull, url: str, secrets: Mapping[str, str]) -> str:
    """``url`` with the key in its query, where that is how the API is asked."""
    in_query = pull.auth.kind == "apiKey" and pull.auth.place == "query"
    return _with(url, pull.auth.name, secrets[pull.auth.secret]) if in_query else url


def _with(url: str, name: str, value: str) -> str:
    """``url`` with this value in its query, in place of any of that name."""
    found = urlsplit(url)
    kept = [pair for pair in found.query.split("&") if pair and unquote_plus(pair.partition("=")[0]) != name]
    return urlunsplit(found._replace(query="&".join([*kept, urlencode({name: value})]), fragment=""))
