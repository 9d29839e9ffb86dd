"""A POST with an ``Idempotency-Key`` is done once: a repeat of it gets the first answer.

The whole request runs inside one transaction, and the answer is kept in it: so there is an answer if and only if
the work was done, whatever is killed when. Who works on a request holds a lock that is free the moment its
connection is gone; a repeat that finds it taken is told to ask again.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from heliograph.actions import audit
from heliograph.api import auth, envelope, errors
from heliograph.errors import Conflict, HeliographError, Invalid, UnderWay
from heliograph.store import answers, locks
from heliograph.store.answers import Answer, Place
from heliograph.store.database import Conn

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
IN_MEMORY = 1024 * 1024  # bytes of a body before it goes to the disk
PIECE = 64 * 1024  # bytes of a body read back at once

PATTERN = "^[!-~]{1,255}$"
_KEY = re.compile(PATTERN)
_BOUNDARY = re.compile(r'(?i)^multipart/.*;\s*boundary="?([^";]+)')

# Only what says something about the work is kept: not that there was a fault, or that it was too much at once.
FAULT = 500
TOO_MUCH = {413, 429}

Handler = Callable[..., Awaitable[Response]]


def once(handler: Handler, *, limit: int) -> Handler:
    """The handler, heeding the key of a request. ``limit``: the bytes its body may have.

    Raises :class:`Invalid` for a key that is none, :class:`Conflict` for one that came with another body before,
    :class:`UnderWay` while the first request is worked on.
    """

    @functools.wraps(handler)
    async def keyed(*, call: auth.Call, **given: object) -> Response:
        key = call.request.headers.get(HEADER)
        if key is None:
            return await handler(call=call, **given)
        if not _KEY.fullmatch(key):
            text = f"{HEADER} is {key[:60]!r}, and 1 to 255 visible ASCII characters are expected"
            raise Invalid(text, field=HEADER)
        at = Place(call.app.app_id, call.client_id, key, _place(call.request))
        with SpooledTemporaryFile(IN_MEMORY) as body:
            digest = await _receive(call.request, body, limit)
            async with call.db.transaction() as conn:
                first = await _first(conn, at, digest, call)
                if first is not None:
                    audit.never()
                    return _replay(first)
                here = replace(call, db=call.db.inside(conn), request=_with_body(call.request, body))
                done = await _answered(handler, here, given)
                headers = {name: value for name, value in done.headers.items() if name != "content-length"}
                first = Answer(digest, done.status_code, headers, bytes(done.body))
                await answers.keep(conn, at, first, now=call.now)
        return done

    return keyed


async def _first(conn: Conn, at: Place, digest: bytes, call: auth.Call) -> Answer | None:
    """The first answer, if there is one; if not, the request is this transaction's to answer."""
    lock = hashlib.sha256(f"{at.app_id} {at.client_id} {at.key} ".encode() + at.place).digest()
    if not await locks.try_hold(conn, locks.Kind.ANSWER, int.from_bytes(lock[:4], "big", signed=True)):
        text = f"The first request with this {HEADER} is still being worked on; ask again for its answer"
        raise UnderWay(text, field=HEADER)
    first = await answers.find(conn, at, since=call.now - answers.KEPT)
    if first is not None and first.body != digest:
        text = f"{HEADER} {at.key[:60]} came with another body before; a different request takes a key of its own"
        raise Conflict(text, field=HEADER)
    return first


async def _answered(handler: Handler, call: auth.Call, given: dict[str, object]) -> Response:
    """What the handler answers, its refusals too. What is not to be kept is raised, which undoes all of it."""
    try:
        return await handler(call=call, **given)
    except HeliographError as error:
        refusal = errors.refusal(error)
        if refusal is None or refusal.status_code >= FAULT or refusal.status_code in TOO_MUCH:
            raise
        audit.never()
        return refusal


def _replay(first: Answer) -> Response:
    return Response(first.content, first.status, headers=first.headers | {REPLAYED: "true"})


def _place(request: Request) -> bytes:
    parts = (request.method, request.scope["path"], request.scope["query_string"].decode("latin-1"))
    return hashlib.sha256("\n".join(parts).encode()).digest()


async def _receive(request: Request, into: IO[bytes], limit: int) -> bytes:
    """Take the body in and answer its digest: that of what it says, whichever boundary its parts have this time."""
    found = _BOUNDARY.match(request.headers.get("content-type", ""))
    boundary = b"" if found is None else b"--" + found[1].strip().encode("latin-1")
    digest, rest = hashlib.sha256(), b""
    async for chunk in envelope.chunks(request, limit):
        into.write(chunk)
        if not boundary:
            digest.update(chunk)
            continue
        *whole, rest = (rest + chunk).split(boundary)
        for part in whole:
            digest.update(part + b"--")
        cut = max(0, len(rest) - len(boundary) + 1)
        digest.update(rest[:cut])
        rest = rest[cut:]
    digest.update(rest)
    into.seek(0)
    return digest.digest()


def _with_body(request: Request, body: IO[bytes]) -> Request:
    """The request with its body still to be read."""

    async def receive() -> Message:
        piece = body.read(PIECE)
        return {"type": "http.request", "body": piece, "more_body": len(piece) == PIECE}

    return Request(request.scope, receive)
