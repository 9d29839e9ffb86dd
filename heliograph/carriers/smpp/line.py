"""The SMPP carrier: all binds of one account as one line. See :mod:`heliograph.carriers.base` for what it promises."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from heliograph.carriers.base import FULL, Accepted, Deferred, LineState, Receipt, Refused
from heliograph.carriers.kind import Kind
from heliograph.carriers.smpp import codes, notices, pdu
from heliograph.carriers.smpp import settings as smpp_settings
from heliograph.carriers.smpp.flight import Flight
from heliograph.carriers.smpp.joining import Joining
from heliograph.carriers.smpp.link import Link, Standing
from heliograph.carriers.smpp.matching import Matching
from heliograph.carriers.smpp.pdu import Command
from heliograph.carriers.smpp.settings import Binding
from heliograph.carriers.smpp.wording import Wording
from heliograph.errors import CarrierDown

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Iterator, Mapping, Sequence

    from heliograph.carriers.base import Finding, Listener, Outcome, Reply, Sought, Text
    from heliograph.carriers.kind import Opening
    from heliograph.carriers.smpp.session import Session
    from heliograph.carriers.smpp.settings import Settings
    from heliograph.rules.address import Network

log = logging.getLogger(__name__)

TICK_S = 0.25  # seconds between looks at what was kept back
LAST_WORDS = 2.0  # seconds that close waits for answers on their way
FULL_S = 0.05  # seconds after which a text that met a full window may come again
ASK_S = 10.0  # seconds that a question may take
AT_ONCE = 10  # questions at the same time

_BINDS = {
    Binding.TRANSCEIVER: (Command.BIND_TRANSCEIVER,),
    Binding.PAIR: (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER),
}


async def open_line(settings: Mapping[str, object], opening: Opening) -> Line:
    """A line that has a bind to send by, or whose binds have been tried once; the rest are tried in the background.

    Raises :class:`heliograph.errors.Invalid` for wrong settings.
    """
    line = Line(smpp_settings.read(settings), opening.listener, opening.name, opening.networks)
    await line.open()
    return line


class Line:
    """An open line to an SMPP account. Must be made, used and closed on one running event loop."""

    def __init__(self, settings: Settings, listener: Listener, name: str, networks: Sequence[Network]) -> None:
        self._settings = settings
        self._listener = listener
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._wording = Wording(settings)
        self._matching = Matching(settings.message_ids, settings.message_id_ends_at)
        self._joining = Joining(settings.default_alphabet, settings.reply_parts_s)
        self._links = [
            Link(settings, command, self, name, networks)
            for _ in range(settings.binds)
            for command in _BINDS[settings.bind]
        ]
        self._told: LineState | None = None
        self._opened = self._closed = False
        self._timer = self._loop.call_later(TICK_S, self._tick)

    async def open(self) -> None:
        """Begin to bind; return when one that takes texts is up, or when every bind has been tried once."""
        for link in self._links:
            link.start()
        tried = [asyncio.ensure_future(link.tried.wait()) for link in self._links]
        try:
            left = set(tried)
            while left and not self._sessions():
                _, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()
            raise
        finally:
            for each in tried:
                each.cancel()
        self._opened = True

    # ------------------------------------------------------------ the contract

    def room(self, parts: int) -> int | None:
        """See :class:`heliograph.carriers.base.Windowed`. Small rooms count as none: batches are cheaper than texts."""
        sessions = self._sessions()
        if not sessions:
            return None
        window = self._settings.window
        if parts > window:
            return parts if any(session.idle for session in sessions) else 0
        least = max(parts, window // 3)
        # Texts like the next one: what a window has left over for no whole text is no room.
        return sum(room - room % parts for session in sessions if (room := session.room) >= least)

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Write texts. One that the windows have no room for is deferred at once. See the carrier contract."""
        sessions = self._sessions()
        if not sessions:
            words = "is closed" if self._closed else f"is down: {self._standing().words}"
            raise CarrierDown(f"The SMPP line {self._name} {words}")
        answers: list[Future[Outcome]] = []
        free = {session: session.room for session in sessions}
        batches: dict[Session, list[tuple[Flight, list[bytes]]]] = {}
        for text in texts:
            answer: Future[Outcome] = self._loop.create_future()
            answers.append(answer)
            bodies = self._wording.bodies(text)
            if isinstance(bodies, Refused):
                answer.set_result(bodies)
                continue
            session = max(free, key=free.__getitem__) if len(free) > 1 else sessions[0]
            # A text of more parts than any window holds goes alone.
            alone = len(bodies) > self._settings.window and session.idle and session not in batches
            if free[session] < len(bodies) and not alone:
                answer.set_result(Deferred(FULL, FULL_S))
                continue
            free[session] -= len(bodies)
            flight = Flight(answer, len(bodies), text.message_id)
            self._matching.several += flight.several
            batches.setdefault(session, []).append((flight, bodies))
        for session, batch in batches.items():
            session.submit(batch)
        for session in batches:
            await session.left()
        return answers

    async def close(self) -> None:
        """Take no more texts, wait a little for answers, unbind; what is not answered then is lost."""
        if self._closed:
            return
        self._closed = True
        try:
            await asyncio.gather(*(link.close(LAST_WORDS) for link in self._links))
        finally:
            self._timer.cancel()
            self._matching.several = 0
            self._tell(self._matching.due(self._loop.time()), self._joining.rest())

    async def ask(self, sought: Sequence[Sought]) -> list[Finding]:
        """What the message centre says of texts it has named, by query_sm. Raises CarrierDown."""
        sessions = self._sessions()
        if not sessions:
            raise CarrierDown(f"The SMPP line {self._name} is down: {self._standing().words}")
        turn = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(self._query(sessions[0], each, turn) for each in sought))

    # ------------------------------------------------------------ what sessions tell

    def answered(self, flight: Flight, part: int, status: int, message_id: str) -> None:
        """See :class:`heliograph.carriers.smpp.session.Hears`."""
        if status == pdu.OK:
            last = flight.accepted(part, message_id)
        else:
            settings = self._settings
            last = flight.refused(
                codes.outcome(
                    status, settings.statuses, throttle_s=settings.throttle_s, queue_full_s=settings.queue_full_s
                )
            )
        if last:
            self._settle(flight)

    def lost(self, flight: Flight, why: str) -> None:
        """See :class:`heliograph.carriers.smpp.session.Hears`."""
        if flight.lost(why):
            self._settle(flight)

    def delivered(self, messages: Sequence[pdu.Message]) -> int | asyncio.Future[None]:
        """See :class:`heliograph.carriers.smpp.session.Hears`."""
        at, now = datetime.now(UTC), self._loop.time()
        receipts: list[Receipt] = []
        replies: list[Reply] = []
        for message in messages:
            receipt = notices.receipt(message)
            if receipt is not None:
                receipts += self._matching.said(receipt.ids, receipt.state, receipt.code, at, now)
            elif notices.is_reply(message):
                international = self._settings.international_replies
                number = notices.number(message.source, international=international)
                to = notices.number(message.dest, international=international)
                replies += self._joining.add(number, to, message, at, now)
            else:
                log.warning("delivery_unread carrier=%s esm_class=0x%02x", self._name, message.esm_class)
        kept = self._tell(receipts, replies)
        return pdu.LATER if kept is False else kept or pdu.OK

    def stands(self) -> None:
        """See :class:`heliograph.carriers.smpp.link.Watches`."""
        standing = self._standing()
        settled = self._opened or all(link.tried.is_set() for link in self._links)
        if standing.state is not self._told and not self._closed and settled:
            self._told = standing.state
            with self._guarded():
                self._listener.line(standing.state, standing.words)

    # ------------------------------------------------------------ inside

    def _sessions(self) -> list[Session]:
        if self._closed:
            return []
        return [link.session for link in self._links if link.submits and link.session is not None]

    def _standing(self) -> Standing:
        """How the line stands: up with one bind that takes texts; else as the worst of them says."""
        standings = [link.standing for link in self._links if link.submits]
        for state in (LineState.UP, LineState.REFUSED):
            for standing in standings:
                if standing.state is state:
                    return standing
        return standings[0]

    def _settle(self, flight: Flight) -> None:
        self._matching.several -= flight.several
        outcome = flight.failure() or _accepted(self._matching.accepted(flight.ids))
        receipts = self._matching.due(self._loop.time())
        if receipts:
            self._tell(receipts, [])
        flight.settle(outcome)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        now = self._loop.time()
        self._tell(self._matching.due(now), self._joining.due(now))

    def _tell(self, receipts: list[Receipt], replies: list[Reply]) -> asyncio.Future[None] | Literal[False] | None:
        """Hand over; what is done when the replies are kept, or False when the listener failed."""
        kept = None
        with self._guarded() as failed:
            if receipts:
                self._listener.receipts(receipts)
            if replies:
                kept = self._listener.replies(replies)
        return False if failed else kept

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[list[str]]:
        """Whatever is wrong with the listener, the line lives on."""
        failed: list[str] = []
        try:
            yield failed
        except Exception as error:  # noqa: BLE001
            failed.append(type(error).__name__)
            # The type only: a message or a traceback could hold a number or a text.
            log.error("listener_failed carrier=%s error=%s", self._name, failed[0])  # noqa: TRY400

    async def _query(self, session: Session, sought: Sought, turn: asyncio.Semaphore) -> Finding:
        """None for what settles nothing: it knows texts only by the ids that it gave itself."""
        if sought.ref is None:
            return None
        try:
            body = pdu.query(sought.ref, self._wording.source(sought.sender))
        except ValueError:
            return None
        async with turn:
            answer = await session.ask(Command.QUERY_SM, body, ASK_S)
        if answer is None:
            raise CarrierDown(f"The SMPP line {self._name} does not answer questions")
        try:
            state = None if answer.status else codes.STATES.get(pdu.read_queried(answer.body).state)
        except pdu.Malformed:
            state = None
        return Receipt(sought.ref, state[0], datetime.now(UTC), state[1]) if state else None


def _accepted(refs: tuple[str, ...]) -> Accepted:
    return Accepted(refs[-1], refs if len(refs) > 1 else ())


KIND = Kind(
    words="SMPP 3.4: a message centre (SMSC) or an aggregator over a lasting connection",
    settings=smpp_settings.SETTINGS,
    read=smpp_settings.read,
    open=open_line,
    listens=True,
)
