"""Where carriers call us: ``/carriers/{account}``, any method, and anything below it.

A call is answered when it is stored: checked for being the carrier's, then written with all that came in the same few
milliseconds, in one statement. What it says is worked on later, by a worker. This stands before the rest of the API
and shares nothing with it, as thousands of receipts may come in a second: no routes, no tokens, no JSON.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from heliograph.actions import carrier_calls
from heliograph.carriers.base import Call
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.rules import ids
from heliograph.store import bell, webhook_calls

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from heliograph.actions.seal import Seal
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

PREFIX = "/carriers/"
LIMIT = 1 << 20  # bytes of a body
GATHER = 0.004  # seconds in which calls are gathered for one statement
QUIET = 0.05  # seconds between two rings for workers: under load they look all the time anyway
WAITING = 5_000  # calls not stored yet beyond which we say that it is too much
KNOWN = 2.0  # seconds that an account's settings are trusted for: a new secret counts after that
MOST_KNOWN = 10_000


class Calls:
    """An ASGI application that answers carriers itself and passes on everything else."""

    def __init__(self, app: ASGIApp, *, db: Database, seal: Seal, settings: Settings, clock: Clock) -> None:
        self._app = app
        self._db = db
        self._seal = seal
        self._public_url = settings.public_url
        self._clock = clock
        self._store = _Store(db)
        self._doors: dict[str, tuple[float, carrier_calls.Door | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a carrier, or pass on what is none."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        words = ""
        try:
            status, words = await self._take(scope, receive)
        except HeliographError as error:
            status = 503
            if not isinstance(error, StoreUnavailable):
                log.error("webhook_not_taken error=%s", type(error).__name__)  # noqa: TRY400  # it could hold a number
        await _answer(send, status, words)

    async def _take(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        door = await self._door(scope["path"][len(PREFIX) :].partition("/")[0])
        if door is None:
            return 404, ""
        body = await _body(scope, receive)
        if body is None:
            return 413, ""
        call = door.stored(self._call(scope, body))
        if call is None:
            return 403, ""
        return (200, door.words) if await self._store.put(call) else (503, "")

    async def _door(self, ref: str) -> carrier_calls.Door | None:
        if not ids.looks_like("ca", ref):
            return None
        now = asyncio.get_running_loop().time()
        known = self._doors.get(ref)
        if known is not None and now < known[0]:
            return known[1]
        found = await carrier_calls.door(self._db, self._seal, ref)
        if len(self._doors) >= MOST_KNOWN:  # somebody makes names up
            self._doors.clear()
        self._doors[ref] = (now + KNOWN, found)
        return found

    def _call(self, scope: Scope, body: bytes) -> Call:
        """The call as its carrier made it. Its address is the one we are known by, whatever a proxy says."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        origin = self._public_url or f"{scope['scheme']}://{headers.get('host', '')}"
        url = f"{origin}{path}?{query}" if query else f"{origin}{path}"
        pairs = parse_qsl(query, keep_blank_values=True)
        return Call(scope["method"], url, pairs, headers, body, self._clock())


class _Store:
    """Stores calls, all that come within a moment in one statement."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: list[tuple[webhook_calls.NewCall, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._unrung = False  # something was stored since the last ring, which was at:
        self._rung_at = -math.inf

    async def put(self, call: webhook_calls.NewCall) -> bool:
        """Return once the call is committed; False when it could not be, or too many wait."""
        if len(self._waiting) >= WAITING:
            return False
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        while self._waiting or self._unrung:
            await asyncio.sleep(GATHER if self._waiting else self._rung_at + QUIET - now_s())
            group, self._waiting = self._waiting, []
            done = False
            try:
                async with self._db.connection() as conn:
                    if group:
                        await webhook_calls.add(conn, [call for call, _ in group])
                        self._unrung = done = True
                    if now_s() >= self._rung_at + QUIET:
                        self._rung_at, self._unrung = now_s(), False  # a ring that is lost costs a second
                        await bell.ring(conn, bell.CALLS)
            except StoreUnavailable as error:
                log.warning("store_unavailable error=%s", error)
            finally:
                for _, stored in group:
                    if not stored.done():  # else the caller has gone
                        stored.set_result(done)


def now_s() -> float:
    """The event loop's clock."""
    return asyncio.get_running_loop().time()


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None when it is longer than it may be."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit() and int(value[:20]) > LIMIT:
            return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # gone before it had said everything
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > LIMIT:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Send, status: int, words: str) -> None:
    """An answer without words where the kind has none: some carriers would send them to the person as a text."""
    octets = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(octets))]
    if status == 503:  # noqa: PLR2004  # Service Unavailable: carriers come again
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": octets})
