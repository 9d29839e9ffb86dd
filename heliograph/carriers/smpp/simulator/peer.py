"""One connection to the simulator, from the message centre's side."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, cast

from heliograph.carriers.smpp import codes, pdu
from heliograph.carriers.smpp.pdu import Command, Frame, Malformed, Message

if TYPE_CHECKING:
    from heliograph.carriers.smpp.simulator.centre import Centre

log = logging.getLogger(__name__)

_BINDS = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)
_DELIVERED = Command.DELIVER_SM | pdu.RESPONSE
_ANSWER = Command.SUBMIT_SM | pdu.RESPONSE


class Peer(asyncio.Protocol):
    """A client's connection."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._transport: asyncio.Transport | None = None
        self._frames = pdu.Frames()
        self._bind: int | None = None
        self._sequence = 0
        self._out: list[bytes] = []
        self._undelivered: dict[int, bytes] = {}
        self.unanswered = 0

    @property
    def receives(self) -> bool:
        """Whether it takes deliveries."""
        return self._bind in (Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER)

    def answer(self, sequence: int, status: int, message_id: str) -> None:
        """Answer a submission; with others of its tick, by :meth:`flush`."""
        self.unanswered -= 1
        self._out.append(pdu.frame(_ANSWER, sequence, pdu.c_string(message_id), status))

    def deliver(self, body: bytes) -> None:
        """Deliver a message; with others, by :meth:`flush`."""
        self._sequence = self._sequence % pdu.LAST_SEQUENCE + 1
        self._undelivered[self._sequence] = body
        self._out.append(pdu.frame(Command.DELIVER_SM, self._sequence, body))

    def flush(self) -> None:
        """Write what is to be written."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def cut(self) -> None:
        """End the connection at once; what was to be written is lost."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ what asyncio tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        found = self._transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._centre.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # as asyncio calls it
        """See :class:`asyncio.Protocol`."""
        self._transport = None
        self._bind = None
        self._centre.gone(self, list(self._undelivered.values()))

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        try:
            self._take(self._frames.feed(data))
        except Malformed as error:
            self._out.append(pdu.frame(Command.GENERIC_NACK, 0, status=error.status))
            self.flush()
            if self._transport is not None:
                self._transport.close()
        else:
            self.flush()

    # ------------------------------------------------------------ frames

    def _take(self, frames: list[Frame]) -> None:
        submissions: list[tuple[int, Message]] = []
        for each in frames:
            if each.command == Command.SUBMIT_SM:
                self._submitted(each, submissions)
            elif each.command == _DELIVERED:
                body = self._undelivered.pop(each.sequence, None)
                if body is not None and each.status:
                    self._centre.again(body)
            else:
                self._other(each)
        if submissions:
            self._centre.submitted(self, submissions)

    def _submitted(self, each: Frame, submissions: list[tuple[int, Message]]) -> None:
        if self._bind in (None, Command.BIND_RECEIVER):
            self._out.append(pdu.frame(_ANSWER, each.sequence, b"\0", 0x04))
            return
        try:
            message = pdu.read_message(each.body)
        except Malformed as error:
            self._out.append(pdu.frame(Command.GENERIC_NACK, each.sequence, status=error.status))
            return
        submissions.append((each.sequence, message))

    def _other(self, each: Frame) -> None:
        command, answer = each.command, each.command | pdu.RESPONSE
        if command in _BINDS:
            asked = pdu.read_bind(each.body)
            status = codes.ALREADY_BOUND if self._bind is not None else self._centre.admits(asked)
            self._out.append(
                pdu.frame(answer, each.sequence, pdu.c_string("heliograph") if not status else b"", status)
            )
            if not status:
                self._bind = command
                self.flush()
                self._centre.bound(self)
        elif command == Command.QUERY_SM:
            self._out.append(self._queried(each))
        elif command == Command.ENQUIRE_LINK:
            self._out.append(pdu.frame(answer, each.sequence))
        elif command == Command.UNBIND:
            self._out.append(pdu.frame(answer, each.sequence))
            self._bind = None
            self.flush()
            if self._transport is not None:
                self._transport.close()
        elif not command & pdu.RESPONSE:
            self._out.append(pdu.frame(Command.GENERIC_NACK, each.sequence, status=pdu.INVALID_COMMAND))

    def _queried(self, each: Frame) -> bytes:
        try:
            message_id, _ = pdu.read_query(each.body)
        except Malformed as error:
            return pdu.frame(Command.GENERIC_NACK, each.sequence, status=error.status)
        state = self._centre.state(message_id)
        if not state:
            return pdu.frame(each.command | pdu.RESPONSE, each.sequence, status=codes.QUERY_FAILED)
        body = pdu.queried(pdu.Queried(message_id, state, 0))
        return pdu.frame(each.command | pdu.RESPONSE, each.sequence, body)
