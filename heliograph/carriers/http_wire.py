"""Connections to an HTTP server that are open before they are needed, and that say when the last byte has left.

Why not a client library's pool: a text may be sent at most once, and a campaign's gate may be held for bytes only.
``aiohttp`` connects inside a request, and repeats a GET by itself when a kept connection breaks (its
``_retry_connection``), which would text people twice through gateways that are asked by GET; neither it nor ``httpx``
tells when the last byte of a request is in the kernel's hands. So the protocol is h11's, the transport asyncio's, and
only the keeping of connections is ours.

What is certain: :meth:`Wire.send` hands a whole request to an open transport in one step, and :attr:`Wire.flushed` is
true when neither TLS nor TCP holds a byte of it back in this process. A connection has one request on its way at most.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import h11

from heliograph.rules import address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONNECT_LIMIT = 8.0  # seconds for name, TCP and TLS together
LARGEST_ANSWER = 4 * 1024 * 1024  # bytes
FRESH_FOR = 20.0  # seconds for which a connection that was never used is trusted
USED_FOR = 4.0  # and one that was: Node's servers, among others, close theirs after five


@dataclass(frozen=True, slots=True)
class Origin:
    """A server: what is connected to, and what it is called in requests."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> Origin:
        """The server of a URL that was checked before."""
        found = urlsplit(url)
        tls = found.scheme == "https"
        return cls(cast("str", found.hostname), found.port or (443 if tls else 80), tls)

    @property
    def name(self) -> str:
        """As in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request; ``target`` begins with a slash. Host and Content-Length are added."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer will come: the connection ended, or what came is no HTTP."""

    why: str


Heard = Callable[[Answer | Broken], None]


class Unwritable(Exception):
    """A request cannot be put in HTTP's form (a line break in a header). Not a byte of it was written."""


class Wire(asyncio.Protocol):
    """One connection. ``ended`` is called once when it is of no use any more, ``freed`` after each answer."""

    def __init__(self, origin: Origin, *, freed: Callable[[Wire], None], ended: Callable[[Wire], None]) -> None:
        self._origin = origin
        self._freed, self._ended = freed, ended
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)
        self._raw: asyncio.Transport | None = None  # TCP
        self._transport: asyncio.Transport | None = None  # TCP, or TLS over it
        self._heard: Heard | None = None
        self._head: tuple[int, dict[str, str]] | None = None
        self._body = bytearray()
        self._until = 0.0  # on the loop's clock; idle until then, it is trusted
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: TCP stands."""
        self._raw = self._transport = cast("asyncio.Transport", transport)

    def secured(self, transport: asyncio.Transport) -> None:
        """Speak through TLS from now on."""
        self._transport = transport

    def trusted_for(self, seconds: float) -> None:
        """How long it may idle from now on before it counts as closed by the server."""
        self._until = asyncio.get_running_loop().time() + seconds

    @property
    def usable(self) -> bool:
        """Whether a request may be sent now."""
        if self._over or self._heard is not None or self._transport is None or self._transport.is_closing():
            return False
        return asyncio.get_running_loop().time() < self._until

    @property
    def flushed(self) -> bool:
        """Whether every byte written is in the kernel's hands, or never will be."""
        if self._over or self._raw is None or self._transport is None or self._raw.is_closing():
            return True
        return not self._transport.get_write_buffer_size() and not self._raw.get_write_buffer_size()

    def send(self, request: Request, heard: Heard) -> None:
        """Write a whole request; ``heard`` is called once with what comes of it. Raises :class:`Unwritable`."""
        headers = [("Host", self._origin.name), ("Accept-Encoding", "identity"), *request.headers]
        if request.body or request.method not in ("GET", "DELETE"):
            headers.append(("Content-Length", str(len(request.body))))
        try:
            octets = self._http.send(h11.Request(method=request.method, target=request.target, headers=headers)) or b""
            if request.body:
                octets += self._http.send(h11.Data(data=request.body)) or b""
            octets += self._http.send(h11.EndOfMessage()) or b""
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            self.abort()
            raise Unwritable from error
        self._heard = heard
        cast("asyncio.Transport", self._transport).write(octets)

    def abort(self, why: str = "the connection was given up") -> None:
        """End the connection at once; whoever waits for an answer hears ``why``."""
        if self._raw is not None:
            self._raw.abort()
        self._end(why)

    def data_received(self, data: bytes) -> None:
        """asyncio's: read what came."""
        if self._heard is None:  # nobody asked: a server that says so is about to close
            self.abort()
            return
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError:
            self.abort("what came back is not HTTP")

    def eof_received(self) -> bool:
        """asyncio's: the server says no more."""
        try:
            self._http.receive_data(b"")
            self._read()
        except h11.RemoteProtocolError:
            pass  # an answer cut short: connection_lost tells
        self.abort("the connection ended before the answer")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: it is over."""
        self._end(f"the connection broke before the answer ({type(exc).__name__})" if exc else "the connection ended")

    def _read(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                names = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
                self._head = (event.status_code, names)
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > LARGEST_ANSWER:
                    self.abort("the answer is too long")
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._answered()
                return
            elif not isinstance(event, h11.InformationalResponse):  # more has to come first
                return

    def _answered(self) -> None:
        heard, head = self._heard, self._head
        if heard is None or head is None:
            return
        status, headers = head
        answer = Answer(status, headers, bytes(self._body))
        self._heard, self._head, self._body = None, None, bytearray()
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self.trusted_for(_keep_alive(headers))
            heard(answer)
            self._freed(self)
        else:
            heard(answer)
            self.abort()

    def _end(self, why: str) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(Broken(why))
        if not self._over:
            self._over = True
            self._ended(self)


async def connect(
    origin: Origin,
    security: ssl.SSLContext | None,
    networks: Sequence[address.Network],
    *,
    freed: Callable[[Wire], None],
    ended: Callable[[Wire], None],
) -> Wire:
    """An open connection, TLS done; to private ``networks`` too. Raises OSError or TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_LIMIT):
        failure: OSError = OSError("its name has no address")
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        for place in dict.fromkeys(str(item[4][0]) for item in found):
            why = address.carrier_refusal(ipaddress.ip_address(place.partition("%")[0]), networks)
            if why is not None:
                failure = PermissionError(1, f"its address is one that carriers may not have ({why})")
                continue
            wire = Wire(origin, freed=freed, ended=ended)
            try:
                raw, _ = await loop.create_connection(lambda wire=wire: wire, place, origin.port)
                if security is not None:
                    try:
                        secure = await loop.start_tls(raw, wire, security, server_hostname=origin.host)
                    except BaseException:
                        raw.abort()
                        raise
                    wire.secured(cast("asyncio.Transport", secure))
            except OSError as error:
                failure = error
                continue
            wire.trusted_for(FRESH_FOR)
            return wire
        raise failure


def words(error: OSError | TimeoutError) -> str:
    """Why a connection could not be made, without what the library adds of the request."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"cannot prove who it is: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as it should: {error.reason or 'no reason given'}"
    if isinstance(error, socket.gaierror):
        return "has no address: its name is not known"
    if isinstance(error, TimeoutError):
        return f"did not answer within {CONNECT_LIMIT:g} s"
    return f"cannot be reached: {error.strerror or error}"


def _keep_alive(headers: Mapping[str, str]) -> float:
    """Seconds for which a connection may idle after an answer with these headers."""
    for part in headers.get("keep-alive", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "timeout" and value.strip().isascii() and value.strip().isdigit():
            return min(FRESH_FOR, max(0.0, int(value.strip()[:6]) - 1.0))
    return USED_FOR
