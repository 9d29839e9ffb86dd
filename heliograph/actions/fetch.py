"""Asking a customer's HTTP API, where the customer says, and never anywhere a customer has no business.

It stands here and not in carriers because both who pulls (engine) and who tries a pull out (api) need it, and it
knows nothing of texts.

Every connection is made through one function, which is given the very address that is about to be connected to,
after all names have been resolved and however the address was written. What it refuses has no socket. So it does not
matter what a name resolved to a moment before or resolves to a moment later, nor who named the host: the customer,
a redirect or a link in an answer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from heliograph.errors import Invalid
from heliograph.rules import address, pull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from heliograph.rules.address import Network
    from heliograph.rules.pull import Question

log = logging.getLogger(__name__)

FIELD = "apiConfigurations.url"
CHUNK = 64 * 1024  # bytes read at once
SEE_OTHER, MOVED = 303, (301, 302)
REDIRECTS = (301, 302, 303, 307, 308)
ANSWERED = range(200, 300)
SETTING = "HELIOGRAPH_PULL_PRIVATE_NETWORKS"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one conversation with an API may take. Times are in seconds."""

    connect: float = 10.0
    silence: float = 30.0  # between two pieces of an answer
    total: float = 600.0
    answer_bytes: int = 50 * 1024 * 1024  # of all answers together, unpacked
    redirects: int = 3  # of one question


class Line:
    """A conversation with one API. Open it with :func:`open_line`."""

    def __init__(
        self, session: aiohttp.ClientSession, refused: list[str], limits: Limits, who: str, setting: str
    ) -> None:
        self._session = session
        self._refused = refused
        self._limits = limits
        self._who = who
        self._setting = setting
        self._left = limits.answer_bytes

    async def ask(self, question: Question) -> bytes:
        """The answer's body, unpacked. Raises Invalid saying what is wrong with the API, and no secret."""
        asked = question
        try:
            for _ in range(self._limits.redirects + 1):
                found = await self._once(asked)
                if isinstance(found, bytes):
                    return found
                asked = found
        except aiohttp.ClientError as error:
            raise self._why(asked, error) from error
        except TimeoutError as error:
            text = (
                f"{_shown(asked.url)} did not answer in time ({self._limits.silence:g} s without a word are too long)"
            )
            raise Invalid(text, field=FIELD) from error
        raise Invalid(f"{_shown(question.url)} redirects more than {self._limits.redirects} times", field=FIELD)

    async def tell(self, question: Question, *, most: int) -> tuple[int, bytes]:
        """The status and the first ``most`` bytes of whatever is answered; a redirect is an answer, not followed.

        Raises Invalid when there is none, saying why.
        """
        self._refused.clear()
        address.read_url(question.url, FIELD)
        try:
            async with self._session.request(
                question.method, question.url, headers=question.headers, data=question.body, allow_redirects=False
            ) as answer:
                said = b""
                while len(said) < most and (piece := await answer.content.read(most - len(said))):
                    said += piece
                return answer.status, said
        except aiohttp.ClientError as error:
            raise self._why(question, error) from error

    async def _once(self, question: Question) -> bytes | Question:
        """The answer, or the question to ask in its place."""
        self._refused.clear()
        address.read_url(question.url, FIELD)
        async with self._session.request(
            question.method, question.url, headers=question.headers, data=question.body, allow_redirects=False
        ) as answer:
            if answer.status in REDIRECTS:
                return _redirected(question, answer)
            if answer.status not in ANSWERED:
                text = f"{_shown(question.url)} answered {answer.status} {answer.reason or ''}".rstrip()
                raise Invalid(text, field=FIELD)
            pieces: list[bytes] = []
            async for piece in answer.content.iter_chunked(CHUNK):
                self._left -= len(piece)
                if self._left < 0:
                    most = self._limits.answer_bytes // (1024 * 1024)
                    text = f"{_shown(question.url)} answers more than the {most} MB that are read at once"
                    raise Invalid(text, field=FIELD)
                pieces.append(piece)
            return b"".join(pieces)

    def _why(self, question: Question, error: aiohttp.ClientError) -> Invalid:
        """What went wrong, without what the library's own words may show of the request."""
        url, host = _shown(question.url), urlsplit(question.url).hostname
        if self._refused:
            # Which address it is stays in our log: a customer is not told how names resolve in here.
            log.warning("%s_refused host=%s addresses=%s", self._who, host, ", ".join(self._refused))
            why = self._refused[0].partition(" ")[2]
            text = (
                f"{host} leads to an address that {self._who} may not reach ({why}). The operator can allow its "
                f"network with {self._setting}"
            )
            return Invalid(text, field=FIELD)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return Invalid(f"There is no host named {host}", field=FIELD)
        if isinstance(error, aiohttp.ClientSSLError):
            return Invalid(f"{url} cannot prove who it is: {_os_words(error)}", field=FIELD)
        if isinstance(error, aiohttp.ServerTimeoutError):
            return Invalid(f"{url} did not answer in time", field=FIELD)
        if isinstance(error, aiohttp.ClientConnectorError):
            return Invalid(f"{url} cannot be reached: {_os_words(error)}", field=FIELD)
        return Invalid(f"{url} broke off, or does not speak HTTP ({type(error).__name__})", field=FIELD)


@asynccontextmanager
async def open_line(  # who asks, and where they may
    allowed: Sequence[Network],
    limits: Limits | None = None,
    *,
    connections: int = 1,
    who: str = "pulls",
    setting: str = SETTING,
) -> AsyncIterator[Line]:
    """A conversation that reaches public addresses, and those in ``allowed`` networks (by the ``setting`` so called).

    ``who`` asks, for sentences; ``connections``: how many questions may be on their way at once.
    No proxy, no cookies; certificates are checked. Raises Invalid when it takes longer than the limits say.
    """
    limits = limits or Limits()
    refused: list[str] = []

    def make_socket(found: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = found
        where = ipaddress.ip_address(place[0])
        why = address.refusal(where, allowed)
        if why is not None:
            refused.append(f"{where} {why}")
            raise PermissionError(f"{who} may not reach {where}")
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=aiohttp.ThreadedResolver(), use_dns_cache=False, socket_factory=make_socket, limit=connections
    )
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.connect, sock_read=limits.silence)
    try:
        async with (
            asyncio.timeout(limits.total),
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            ) as session,
        ):
            yield Line(session, refused, limits, who, setting)
    except TimeoutError as error:
        raise Invalid(f"The API took longer than the {limits.total:g} s that a sync may take", field=FIELD) from error


def _redirected(question: Question, answer: aiohttp.ClientResponse) -> Question:
    """The question that a redirect asks for. Another server is told none of our headers: secrets are among them."""
    before = URL(question.url)
    text = answer.headers.get("Location", "")
    after, moved = None, True
    try:
        after = before.join(URL(text))
        moved = after.origin() != before.origin()
    except ValueError:  # no address at all, or one without a host
        text = ""
    if after is None or not text or after.scheme not in address.SCHEMES:
        raise Invalid(f"{_shown(question.url)} redirects to nowhere ({answer.status})", field=FIELD)
    if before.scheme == "https" and after.scheme != "https":
        raise Invalid(f"{_shown(question.url)} redirects to a place without encryption", field=FIELD)
    found = replace(question, url=str(after))
    if answer.status == SEE_OTHER or (answer.status in MOVED and question.method == "POST"):
        found = replace(found, method="GET", body=None)
    if moved:
        found = replace(found, headers=(("Accept", "application/json"),), body=None)
        if found.method == "POST":
            raise Invalid(f"{_shown(question.url)} redirects what is posted to another server", field=FIELD)
    return found


def _shown(url: str) -> str:
    return pull.plain_url(url)


def _os_words(error: aiohttp.ClientConnectorError | aiohttp.ClientSSLError) -> str:
    """The reason as the operating system has it; the library adds the address before."""
    inner = error.__cause__ or error
    return str(getattr(inner, "strerror", None) or getattr(inner, "reason", None) or type(inner).__name__)
