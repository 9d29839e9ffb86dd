"""One connection to a message centre, from its bind to its end: frames, the window, time-outs, answers.

No task and no timer per message: submissions wait in a dict in the order of their deadlines, and a tick looks at the
oldest. Everything that is read at once is handed over at once and answered in one write.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Protocol, cast

from heliograph.carriers.smpp import pdu
from heliograph.carriers.smpp.pdu import Command, Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.carriers.smpp.flight import Flight
    from heliograph.carriers.smpp.settings import Settings

log = logging.getLogger(__name__)

HOLD_S = 5.0  # seconds that an acknowledgement waits at most: message centres give up after ten or so
LEAVE_S = 2.0  # seconds that written bytes may take to leave: a peer that takes none holds a stop up no longer

_SUBMIT_RESP = Command.SUBMIT_SM | pdu.RESPONSE
_BOUND = {each | pdu.RESPONSE for each in (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)}
_DELIVERIES = {Command.DELIVER_SM: pdu.read_message, Command.DATA_SM: pdu.read_data}


class Hears(Protocol):
    """Whom a session tells what it reads. Each method returns at once and raises nothing."""

    def answered(self, flight: Flight, part: int, status: int, message_id: str) -> None:
        """A part of a text was answered."""
        ...

    def lost(self, flight: Flight, why: str) -> None:
        """The answer to a part will not come."""
        ...

    def delivered(self, messages: Sequence[pdu.Message]) -> int | asyncio.Future[None]:
        """Messages came; the status to answer them all with, or what is done once they are kept."""
        ...


class Session(asyncio.Protocol):
    """One connection. ``ended`` is done when it is over, with words for people."""

    def __init__(self, settings: Settings, hears: Hears, name: str) -> None:
        self._settings = settings
        self._hears = hears
        self._name = name
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self.bound = False
        self._transport: asyncio.Transport | None = None
        self._frames = pdu.Frames()
        self._sequence = 0
        self._pending: dict[int, tuple[float, Flight, int]] = {}
        self._asked: dict[int, asyncio.Future[Frame]] = {}
        self._held: dict[int, bytes] = {}  # acknowledgements of what is not kept yet, by their first sequence number
        self._heard_at = self._loop.time()
        self._probe: float | None = None  # when the unanswered enquire_link was sent
        self._empty: asyncio.Future[None] | None = None  # done when no byte waits to leave any more
        self._tick_s = max(0.02, min(1.0, settings.answer_timeout_s / 4, settings.enquire_link_s / 4))
        self._timer: asyncio.TimerHandle | None = None
        self._words = "the other side ended the connection"

    # ------------------------------------------------------------ what others ask of it

    @property
    def room(self) -> int:
        """How many submissions the window has room for; 0 when it is not bound."""
        return self._settings.window - len(self._pending) if self.bound and not self._is_closing else 0

    @property
    def idle(self) -> bool:
        """Whether no submission waits for its answer."""
        return not self._pending

    def submit(self, submissions: Sequence[tuple[Flight, Sequence[bytes]]]) -> None:
        """Write texts, each with the bodies of its parts, in one go. The session is bound and not closing."""
        deadline = self._loop.time() + self._settings.answer_timeout_s
        out: list[bytes] = []
        for flight, bodies in submissions:
            for part, body in enumerate(bodies):
                sequence = self._next()
                self._pending[sequence] = (deadline, flight, part)
                out += (pdu.HEAD.pack(16 + len(body), Command.SUBMIT_SM, 0, sequence), body)
        self._write(b"".join(out))

    async def left(self) -> None:
        """Return when every byte written has left. A peer that takes none for :data:`LEAVE_S` loses the connection."""
        if self._empty is None:
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await asyncio.shield(self._empty)
        except TimeoutError:
            self.end("the other side takes no more bytes", at_once=True)

    async def ask(self, command: int, body: bytes, seconds: float) -> Frame | None:
        """A request that is no submission, and its answer; None when none comes in time."""
        if self._is_closing:
            return None
        sequence = self._next()
        answer: asyncio.Future[Frame] = self._loop.create_future()
        self._asked[sequence] = answer
        self._write(pdu.frame(command, sequence, body))
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._asked.pop(sequence, None)

    async def answers(self, seconds: float) -> None:
        """Wait until no submission is unanswered, or so long."""
        end = self._loop.time() + seconds
        # Asked once, at the end of a line, and not for long.
        while self._pending and not self._is_closing and (wait := end - self._loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(wait, 0.02))

    def end(self, words: str, *, at_once: bool = False) -> None:
        """End the connection; ``at_once``: without what still waits to leave."""
        if self._transport is None or self._is_closing:
            return
        self._words = words
        if at_once:
            self._transport.abort()
        else:
            for first in list(self._held):
                self._acknowledge(first)  # we live on, and keep what we have in hand
            self._transport.close()

    # ------------------------------------------------------------ what asyncio tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        # The window bounds what is on its way to some kilobytes, which the kernel takes at once; when it does not, we
        # are told so and :meth:`left` waits for the last byte.
        self._transport.set_write_buffer_limits(high=0)
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        found = self._transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            # Nagle and delayed acknowledgements together allow some 25 round trips a second.
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pause_writing(self) -> None:
        """See :class:`asyncio.Protocol`."""
        self._empty = self._loop.create_future()

    def resume_writing(self) -> None:
        """See :class:`asyncio.Protocol`."""
        if self._empty is not None and not self._empty.done():
            self._empty.set_result(None)
        self._empty = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.Protocol`."""
        self.bound = False
        if self._timer is not None:
            self._timer.cancel()
        words = self._words if exc is None else f"the connection broke ({type(exc).__name__})"
        self.resume_writing()
        pending, self._pending = self._pending, {}
        for _, flight, _ in pending.values():
            self._hears.lost(flight, "the connection ended before the answer")
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError())
        if not self.ended.done():
            self.ended.set_result(words)

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        self._heard_at = self._loop.time()
        self._probe = None
        try:
            frames = self._frames.feed(data)
            self._take(frames)
        except Malformed as error:
            self._write(pdu.frame(Command.GENERIC_NACK, 0, status=error.status))
            self.end("the other side does not speak SMPP")
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one connection, the line lives on
            # The type only: a message or a traceback could hold a number or a text.
            log.error("session_failed carrier=%s error=%s", self._name, type(error).__name__)  # noqa: TRY400
            self.end("what the other side said could not be worked on", at_once=True)

    # ------------------------------------------------------------ frames

    def _take(self, frames: list[Frame]) -> None:
        deliveries: list[tuple[int, int, pdu.Message]] = []
        out: list[bytes] = []
        for each in frames:
            command = each.command
            if command == _SUBMIT_RESP:
                self._submitted(each)
            elif command in _DELIVERIES and self.bound:
                try:
                    deliveries.append((each.sequence, command, _DELIVERIES[Command(command)](each.body)))
                except Malformed as error:
                    out.append(pdu.frame(Command.GENERIC_NACK, each.sequence, status=error.status))
            elif command & pdu.RESPONSE:
                self._response(each)
            else:
                out += self._request(each)
        if deliveries:
            out += self._delivered(deliveries)
        if out:
            self._write(b"".join(out))
        if any(each.command == Command.UNBIND for each in frames):
            self.end("the message centre ended the bind")

    def _delivered(self, deliveries: list[tuple[int, int, pdu.Message]]) -> list[bytes]:
        """Hand deliveries over; their acknowledgements, unless those wait until what they brought is kept.

        A process that dies before has acknowledged nothing, so all of it is delivered again: what somebody wrote, a no
        perhaps, is never lost. One that is kept from keeping it has it in hand, and says so after :data:`HOLD_S`.
        """
        status = self._hears.delivered([message for _, _, message in deliveries])
        answer = status if isinstance(status, int) else pdu.OK
        out = [pdu.frame(command | pdu.RESPONSE, sequence, b"\0", answer) for sequence, command, _ in deliveries]
        if isinstance(status, int):
            return out
        first = deliveries[0][0]
        self._held[first] = self._held.pop(first, b"") + b"".join(out)
        status.add_done_callback(lambda _: self._acknowledge(first))
        self._loop.call_later(HOLD_S, self._acknowledge, first)
        return []

    def _acknowledge(self, first: int) -> None:
        self._write(self._held.pop(first, b""))

    def _submitted(self, each: Frame) -> None:
        found = self._pending.pop(each.sequence, None)
        if found is not None:  # else: given up already, or never ours
            end = each.body.find(b"\0")
            message_id = each.body[:end] if end >= 0 else each.body
            self._hears.answered(found[1], found[2], each.status, message_id[:64].decode("latin-1"))

    def _response(self, each: Frame) -> None:
        asked = self._asked.get(each.sequence)
        if asked is not None:
            if each.command in _BOUND and each.status == pdu.OK:
                self.bound = True  # at once: deliveries may stand right behind it
            if not asked.done():
                asked.set_result(each)
        elif each.command == Command.GENERIC_NACK and each.sequence in self._pending:
            _, flight, part = self._pending.pop(each.sequence)
            self._hears.answered(flight, part, each.status or pdu.INVALID_COMMAND, "")

    def _request(self, each: Frame) -> list[bytes]:
        if each.command in (Command.ENQUIRE_LINK, Command.UNBIND):
            if each.command == Command.UNBIND:
                self.bound = False
            return [pdu.frame(each.command | pdu.RESPONSE, each.sequence)]
        if each.command in (Command.ALERT_NOTIFICATION, Command.OUTBIND):
            return []  # they have no answer
        return [pdu.frame(Command.GENERIC_NACK, each.sequence, status=pdu.INVALID_COMMAND)]

    # ------------------------------------------------------------ time

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        while self._pending:
            sequence = next(iter(self._pending))
            if self._pending[sequence][0] > now:
                break
            _, flight, _ = self._pending.pop(sequence)
            self._hears.lost(flight, f"no answer within {self._settings.answer_timeout_s:g} s")
        silent = now - self._heard_at
        patience = min(self._settings.answer_timeout_s, self._settings.enquire_link_s)
        if self._probe is not None and now - self._probe >= patience:
            self.end("the other side does not answer any more", at_once=True)
        elif self.bound and self._probe is None and silent >= self._settings.enquire_link_s:
            self._probe = now
            self._write(pdu.frame(Command.ENQUIRE_LINK, self._next()))

    # ------------------------------------------------------------ bytes

    @property
    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _next(self) -> int:
        self._sequence = self._sequence % pdu.LAST_SEQUENCE + 1
        return self._sequence

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
