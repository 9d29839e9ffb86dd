"""Where the API is found: the vendor's prefixes, and how a path or query as printed becomes one that is routed.

The vendor's pages print five prefixes for one API, with double slashes, trailing slashes and a backslash
at the end of query values here and there. All of it is accepted, without a redirect: a redirected POST
loses its body in many clients.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor

from heliograph.api import errors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

Version = Literal[1, 2]

V1 = "/agentassist/api/v1/public"
V2 = "/campaign/api/v2/public"
V1_START = "/campaign/api/v1/public"  # where version 1 prints start and stop
V1_ADD = "/api/1.1/public"  # where version 1 prints adding contacts

V1_SMS = "/api/public/bot"  # where sending one text is printed

# Every other prefix is the same API as one of the two that are routed.
SAME_AS = {V1_START: V1, V1_ADD: V1, V1_SMS: V1, "/api/v2/public": V2}

_SLASHES = re.compile("/{2,}")
_TRAILING_BACKSLASHES = re.compile(rb"(?:\\|%5[cC])+(?=&|$)")

# Words that stand where an id stands in a neighbouring path, so that a wrong verb on them is a 405.
_RESERVED = (
    "createContactList",
    "addContacts",
    "getAllListDetails",
    "getAllCampaignDetails",
    "schedule",
    "trigger",
    "contactList",
    "remove",
    "file",
)


class _Ref(Convertor[str]):
    """An id or a name in a path: anything but a slash or one of the API's own words."""

    regex = rf"(?!(?:{'|'.join(_RESERVED)})(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("ref", _Ref())


def version(path: str) -> Version:
    """The version of the API that a routed path belongs to."""
    return 2 if path.startswith(V2 + "/") else 1


def routed(path: str) -> str:
    """The path that is routed for a path as a client wrote it."""
    path = _SLASHES.sub("/", path)
    if len(path) > 1:
        path = path.rstrip("/")
    for prefix, same in SAME_AS.items():
        if path.startswith(prefix + "/"):
            return same + path[len(prefix) :]
    return path


def clean_query(query: bytes) -> bytes:
    r"""A query string without the backslash that copying ``\&`` from a page leaves on a value."""
    return _TRAILING_BACKSLASHES.sub(b"", query)


class Normalise:
    """ASGI middleware that routes every spelling of a path to the one place that answers it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, to the path that is routed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query = clean_query(scope["query_string"])
        if "\0" in scope["path"] or "\0" in unquote(query.decode("latin-1")):
            answer = errors.answer(400, "The address holds a NUL character (%00), which no name or id has")
            await answer(scope, receive, send)
            return
        await self.app({**scope, "path": routed(scope["path"]), "query_string": query}, receive, send)
