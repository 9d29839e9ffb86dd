"""The ground that every carrier reached by HTTP stands on: handing over, hearing answers, asking.

A vendor (``twilio.py`` and its neighbours) is pure: it writes requests and reads answers. This file is the line.

What is certain when :meth:`HttpLine.submit` returns. Every text is in one of three places, and none moves from one to
another afterwards:

1. *Its request has left*: all its bytes were handed to the operating system on a connection that was open before the
   call. Its future ends in what the carrier answers, or in Lost when no answer comes in time.
2. *No byte of it has left, and none will*: no connection was free for it. Its future is Deferred already. Nothing is
   queued in this process, so nothing can leave after a stop.
3. *Some of its bytes may have left*: the operating system did not take them within :data:`FLUSH_LIMIT`. The connection
   was cut, and its future is Lost. So it is, too, where a text's ``until`` came while that was waited for.

So nothing is connected, resolved or shaken hands about inside a campaign's gate; it is held for writing into open
sockets, which takes microseconds per text, and for FLUSH_LIMIT at most. A caller who hands over no more than
:meth:`HttpLine.room` has nothing deferred. What proves that no byte left: there was no connection (refused, no such
name, TLS), or none was free. Everything after the first byte that is not an answer is Lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from heliograph.carriers import http_settings
from heliograph.carriers.base import Deferred, LineState, Lost, Refused
from heliograph.carriers.http_pool import Pool
from heliograph.carriers.http_wire import Answer, Broken, Request, Unwritable
from heliograph.carriers.kind import Kind
from heliograph.config import boot_seconds
from heliograph.errors import CarrierDown

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Mapping, Sequence

    from heliograph.carriers.base import Finding, Outcome, Sought, Text, Webhook
    from heliograph.carriers.http_settings import Field, Values
    from heliograph.carriers.http_wire import Origin, Wire
    from heliograph.carriers.kind import Opening

log = logging.getLogger(__name__)

FLUSH_LIMIT = 2.0  # seconds for the operating system to take bytes that it did not take at once
LAST_WORDS = 3.0  # seconds that close waits for answers on their way
BUSY_PAUSE = 0.25  # seconds until a text that found no free connection is to be tried again
SHUT_PAUSE = 30.0  # seconds for which a carrier that does not let us in is left alone
LEASE_LIMIT = 10.0  # seconds that a question waits for a connection


@dataclass(frozen=True, slots=True)
class Errand:
    """A request and the texts it carries, in its order."""

    request: Request
    texts: Sequence[Text]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says: an outcome for each text of its errand.

    ``shut``: why the carrier does not let us in; the texts are then Deferred, for it is no fault of theirs.
    """

    outcomes: Sequence[Outcome]
    shut: str = ""


class Vendor(Protocol):
    """One carrier's API, pure. Attributes are the account's settings."""

    origin: Origin
    connections: int
    answer_timeout: float
    per_request: int
    """Texts that one request carries at most."""

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """The requests that hand ``texts`` over, in their order."""
        ...

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """What the answer to an errand with ``texts`` says."""
        ...


class AskedVendor(Vendor, Protocol):
    """A vendor whose API can be asked what became of a text."""

    def question(self, sought: Sought) -> Request | None:
        """What to ask; None when the API has no way to ask this."""
        ...

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """What a successful answer settles."""
        ...


class HttpLine:
    """An open line to an account of ``vendor``. Use it on the running event loop it was made on."""

    def __init__(self, vendor: Vendor, opening: Opening) -> None:
        self._vendor = vendor
        self._listener = opening.listener
        self._name = opening.name
        self._loop = asyncio.get_running_loop()
        self._pool = Pool(vendor.origin, vendor.connections, self._news, opening.networks)
        self._waiting: set[_Exchange] = set()
        self._nobody_waits = asyncio.Event()
        self._told = LineState.UP
        self._shut_until = 0.0
        self._shut = ""
        self._closed = False

    async def open(self) -> None:
        """Open the first connections. A server that cannot be reached is told to the listener, not raised."""
        await self._pool.open()

    def room(self, parts: int) -> int | None:
        """As :meth:`heliograph.carriers.base.Windowed.room`. Asking opens more connections, up to the limit.

        A connection takes a text of however many parts, so counting texts as parts errs on the safe side.
        """
        if self._closed or self._pool.why is not None or self._loop.time() < self._shut_until:
            return None
        free = self._pool.room() * self._vendor.per_request
        return max(free, parts) if free else 0

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Hand ``texts`` over; what is certain when it returns is told above. Raises CarrierDown."""
        self._check()
        if not texts:
            return []
        errands = self._vendor.errands(texts)
        wires = self._pool.take(len(errands))
        if not wires and self._pool.why is not None:
            raise CarrierDown(f"The line {self._name} is down: {self._pool.why}")
        answers: list[Future[Outcome]] = []
        sent: list[Wire] = []
        for errand in errands:
            futures: list[Future[Outcome]] = [self._loop.create_future() for _ in errand.texts]
            answers += futures
            if boot_seconds() >= min(text.until for text in errand.texts):
                _give(futures, [Deferred("too_late", BUSY_PAUSE)] * len(futures))
            elif wires:
                sent.append(wires.pop(0))
                self._send(sent[-1], errand, futures)
            else:
                _give(futures, [Deferred("no_free_connection", BUSY_PAUSE)] * len(futures))
        self._pool.give_back(wires)
        await self._flush(sent, min(text.until for text in texts))
        return answers

    async def close(self) -> None:
        """Take no more texts, wait up to :data:`LAST_WORDS` for answers, give the rest as lost."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(LAST_WORDS):
                while self._waiting:
                    self._nobody_waits.clear()
                    await self._nobody_waits.wait()
        except TimeoutError:
            pass  # those that are left hear it from the pool
        finally:
            await self._pool.close()

    def _check(self) -> None:
        if self._closed:
            raise CarrierDown(f"The line {self._name} is closed")
        if self._loop.time() < self._shut_until:
            raise CarrierDown(f"The line {self._name} is not let in: {self._shut}")

    def _send(self, wire: Wire, errand: Errand, futures: list[Future[Outcome]]) -> None:
        exchange = _Exchange(wire, errand, futures)
        try:
            wire.send(errand.request, partial(self._heard, exchange))
        except Unwritable:
            refusal = Refused("unwritable", permanent=True, detail="a value has no place in an HTTP request")
            _give(futures, [refusal] * len(futures))
            return
        self._waiting.add(exchange)
        limit = self._vendor.answer_timeout
        exchange.timer = self._loop.call_later(limit, wire.abort, f"no answer within {limit:g} s")

    async def _flush(self, wires: Sequence[Wire], latest: float) -> None:
        """Wait until every byte has left this process; cut what does not get them out, or not in time."""
        until = self._loop.time() + FLUSH_LIMIT
        while any(not wire.flushed for wire in wires) and self._loop.time() < until and boot_seconds() < latest:  # noqa: ASYNC110  # of what lies below TLS no event tells
            await asyncio.sleep(0.002)
        for wire in wires:
            if not wire.flushed:
                wire.abort("the request could not be written to its end")

    def _heard(self, exchange: _Exchange, came: Answer | Broken) -> None:
        self._waiting.discard(exchange)
        if not self._waiting:
            self._nobody_waits.set()
        if exchange.timer is not None:
            exchange.timer.cancel()
        if isinstance(came, Broken):
            reading = Reading([Lost(came.why)] * len(exchange.futures))
        else:
            reading = self._read(exchange.errand, came)
        if reading.shut:
            self._shut, self._shut_until = reading.shut, self._loop.time() + SHUT_PAUSE
            self._tell(LineState.REFUSED, reading.shut)
        elif not isinstance(came, Broken):
            self._shut_until = 0.0
            self._tell(LineState.UP, "")
        _give(exchange.futures, reading.outcomes)

    def _read(self, errand: Errand, answer: Answer) -> Reading:
        try:
            found = self._vendor.read(errand.texts, answer)
        except Exception as error:  # noqa: BLE001  # whatever the carrier answered, the line lives on
            # The type only: a message could hold a number or a text.
            log.error("answer_not_understood line=%s error=%s", self._name, type(error).__name__)  # noqa: TRY400
            found = Reading([])
        missing = len(errand.texts) - len(found.outcomes)
        return Reading([*found.outcomes, *[Lost("the answer does not say")] * missing], found.shut)

    def _news(self, why: str) -> None:
        """The pool's: the server can be reached, or why it cannot."""
        if why:
            self._tell(LineState.DOWN, why)
        elif self._told is not LineState.REFUSED:
            self._tell(LineState.UP, "")

    def _tell(self, state: LineState, words: str) -> None:
        if self._told is state:
            return
        self._told = state
        try:
            self._listener.line(state, words)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with the listener, the line lives on
            log.error("listener_failed line=%s error=%s", self._name, type(error).__name__)  # noqa: TRY400


class AskingLine(HttpLine):
    """A line whose carrier can be asked."""

    def __init__(self, vendor: AskedVendor, opening: Opening) -> None:
        super().__init__(vendor, opening)
        self._asked = vendor

    async def ask(self, sought: Sequence[Sought]) -> list[Finding]:
        """What the carrier knows of each, one after the other. Raises CarrierDown when it cannot be asked now."""
        found: list[Finding] = []
        left = deque(sought)
        while left:
            self._check()
            each = left.popleft()
            request = self._asked.question(each)
            if request is None:
                found.append(None)
                continue
            answer = await self._question(request)
            if answer.status == 429:  # noqa: PLR2004  # too many: the others are asked another time
                return [*found, None, *[None] * len(left)]
            found.append(self._finding(each, answer))
        return found

    async def _question(self, request: Request) -> Answer:
        wire = await self._pool.lease(LEASE_LIMIT)
        if wire is None:
            raise CarrierDown(f"The line {self._name} has no connection: {self._pool.why or 'all are busy'}")
        came: Future[Answer | Broken] = self._loop.create_future()
        wire.send(request, lambda answer: None if came.done() else came.set_result(answer))
        try:
            async with asyncio.timeout(self._vendor.answer_timeout):
                found = await came
        except BaseException as error:
            wire.abort("nobody waits for the answer any more")
            if isinstance(error, TimeoutError):
                raise CarrierDown(f"The line {self._name} was asked and did not answer") from error
            raise
        if isinstance(found, Broken):
            raise CarrierDown(f"The line {self._name} was asked and did not answer: {found.why}")
        return found

    def _finding(self, sought: Sought, answer: Answer) -> Finding:
        if not 200 <= answer.status < 300:  # noqa: PLR2004  # success
            return None
        try:
            return self._asked.finding(sought, answer)
        except Exception as error:  # noqa: BLE001  # an answer that cannot be read settles nothing
            log.error("answer_not_understood line=%s error=%s", self._name, type(error).__name__)  # noqa: TRY400
            return None


class _Exchange:
    """A request on its way."""

    __slots__ = ("errand", "futures", "timer", "wire")

    def __init__(self, wire: Wire, errand: Errand, futures: list[Future[Outcome]]) -> None:
        self.wire, self.errand, self.futures = wire, errand, futures
        self.timer: asyncio.TimerHandle | None = None


def _give(futures: Sequence[Future[Outcome]], outcomes: Sequence[Outcome]) -> None:
    for future, outcome in zip(futures, outcomes, strict=False):
        if not future.done():  # whoever asked may have cancelled it
            future.set_result(outcome)


def kind(
    name: str,
    words: str,
    fields: tuple[Field, ...],
    vendor: Callable[[Values, str | None], Vendor],
    webhook: Webhook | None,
    *,
    opted_out: frozenset[str] = frozenset(),
) -> Kind:
    """A kind of carrier whose account settings are ``fields`` and whose API is ``vendor``.

    ``vendor`` is given the settings and the address that the carrier calls us at, if there is one. ``opted_out``: as
    of :class:`heliograph.carriers.kind.Kind`.
    """

    def check(settings: Mapping[str, object]) -> Vendor:
        return vendor(http_settings.read(name, fields, settings), None)

    async def open_line(settings: Mapping[str, object], opening: Opening) -> HttpLine:
        made = vendor(http_settings.read(name, fields, settings), opening.webhook_url)
        asked = hasattr(made, "question")
        line = AskingLine(cast("AskedVendor", made), opening) if asked else HttpLine(made, opening)
        await line.open()
        return line

    return Kind(words, tuple(field.setting for field in fields), check, open_line, webhook, opted_out)
