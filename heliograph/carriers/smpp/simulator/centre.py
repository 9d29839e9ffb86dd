"""The message centre: takes submissions, decides their fate, and delivers receipts and replies to whoever is bound."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from heliograph.carriers import sandbox_fate
from heliograph.carriers.base import Lost, ReceiptState, Refused
from heliograph.carriers.smpp import codes, coding, joining, pdu
from heliograph.carriers.smpp.simulator import letters
from heliograph.carriers.smpp.simulator.letters import Letter
from heliograph.carriers.smpp.simulator.peer import Peer
from heliograph.carriers.smpp.simulator.record import Record, Taken
from heliograph.rules.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from ssl import SSLContext

    from heliograph.carriers.smpp.pdu import Bind, Message
    from heliograph.carriers.smpp.simulator.script import Script

log = logging.getLogger(__name__)

TICK = 0.002  # seconds: what falls due within one tick is done together
AGAIN_S = 1.0  # seconds until a delivery that was put off comes again
REMEMBERED = 200_000  # texts whose state can be asked for


class Centre:
    """A listening message centre. ``record`` is where its transcript goes; None for none."""

    def __init__(self, script: Script, record: Path | None = None) -> None:
        self.script = script
        self._record = Record(record)
        self._loop = asyncio.get_running_loop()
        self._chance = random.Random(script.behaviour.seed)  # noqa: S311  # repeatable chance, not secrecy
        self._pace = Pace(script.behaviour.throttle_per_second)
        # Ids of one run never are those of another.
        self._numbers = count(int(time.time()) * 100_000)
        self._references = count(1)
        self._peers: list[Peer] = []  # those that are bound
        self._open: dict[Peer, asyncio.Event] = {}  # every connection, and its end
        self._turn = 0
        self._due: dict[int, list[Callable[[], None]]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._waiting: deque[bytes] = deque()  # deliveries nobody could take yet
        self._states: dict[str, int] = {}
        self._forgiving: dict[tuple[str, str], int] = {}
        self._server: asyncio.Server | None = None
        self.taken = 0
        # Who gets texts, in the place of what the script says of them: number and text → seconds, and what they write.
        self.people: Callable[[str, str], tuple[float, str] | None] | None = None

    async def listen(self, host: str, port: int, security: SSLContext | None = None) -> int:
        """Begin to listen; answers the port (for 0: any free one)."""
        self._server = await self._loop.create_server(lambda: Peer(self), host, port, ssl=security)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Cut every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        ends = list(self._open.values())
        for peer in list(self._open):
            peer.cut()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for end in ends:
            await end.wait()
        self._record.close()

    @property
    def bound_now(self) -> int:
        """How many connections are bound at this moment."""
        return len(self._peers)

    def cut_all(self) -> int:
        """Cut every connection, as a broken network does; answers how many. Who comes back is let in."""
        peers = list(self._open)
        for peer in peers:
            peer.cut()
        return len(peers)

    # ------------------------------------------------------------ what peers tell

    def connected(self, peer: Peer) -> None:
        """Somebody has connected."""
        self._open[peer] = asyncio.Event()

    def admits(self, asked: Bind) -> int:
        """The status for a bind."""
        script = self.script
        if script.refuse_binds:
            return script.refuse_binds
        if script.system_id is not None and asked.system_id != script.system_id:
            return codes.INVALID_SYSTEM_ID
        if script.password is not None and asked.password != script.password:
            return codes.INVALID_PASSWORD
        return pdu.OK

    def bound(self, peer: Peer) -> None:
        """A peer has bound: what waits for someone is delivered to it, if it takes deliveries."""
        self._peers.append(peer)
        self._deliver()

    def gone(self, peer: Peer, undelivered: Sequence[bytes]) -> None:
        """A peer's connection is over; what it did not acknowledge is delivered again."""
        self._open.pop(peer).set()
        if peer in self._peers:
            self._peers.remove(peer)
        self._waiting.extend(undelivered)
        self._deliver()

    def again(self, body: bytes) -> None:
        """A peer put a delivery off."""
        self._at(AGAIN_S, lambda: self.deliver([body]))

    def state(self, message_id: str) -> int:
        """The message_state of a text, 0 when it is not known."""
        return self._states.get(message_id.upper(), 0)

    def submitted(self, peer: Peer, submissions: Sequence[tuple[int, Message]]) -> None:
        """A peer's submissions, by their sequence numbers: recorded, and answered when their time has come."""
        taken: list[Taken] = []
        then: list[Callable[[], None]] = []
        for sequence, message in submissions:
            then.append(self._one(peer, sequence, message, taken))
        self._record.append(taken)
        self.taken += sum(not each.status for each in taken)
        for step in then:
            step()

    # ------------------------------------------------------------ fates

    def _one(self, peer: Peer, sequence: int, message: Message, taken: list[Taken]) -> Callable[[], None]:
        """What follows from a submission; its line is added to ``taken``."""
        number = next(self._numbers)
        message_id = self.script.answer_ids.write(number)
        piece = joining.read(message)
        text = coding.decode(piece.octets, piece.coding, coding.Alphabet.GSM)
        to = "+" + message.dest.digits.removeprefix("+")
        fate = sandbox_fate.of(self.script.behaviour, to, f"{text}/{piece.part}")
        status = self._status(peer, fate, to, text)
        taken.append(Taken(message_id, message.source.digits, to, text, piece.part, status))
        about = Letter(number, message.source, message.dest, text)

        def follow() -> None:
            if status:
                self._at(fate.answered_if_accepted, lambda: peer.answer(sequence, status, ""))
                return
            self._states[message_id.upper()] = 1
            if len(self._states) > REMEMBERED:
                del self._states[next(iter(self._states))]
            if self.script.cuts_for(to) or (self.script.cut and self._chance.random() < self.script.cut):
                self._at(fate.answered_if_accepted, peer.cut)
            elif not isinstance(fate.answer, Lost):
                self._at(fate.answered_after, lambda: peer.answer(sequence, 0, message_id))
                if self.script.answer_duplicate and self._chance.random() < self.script.answer_duplicate:
                    self._at(fate.answered_after + TICK, lambda: peer.answer(sequence, 0, message_id))
            if message.registered & 3:
                self._receipts(about, message_id, fate)
            if piece.part is None or piece.part.number == piece.part.total:
                self._reply(about, to, text)

        return follow

    def _status(self, peer: Peer, fate: sandbox_fate.Fate, to: str, text: str) -> int:
        window = self.script.window
        peer.unanswered += 1
        if window is not None and peer.unanswered > window:
            return codes.THROTTLED
        if self._pace.take(self._loop.time(), 1) > 0:
            return codes.THROTTLED
        if not isinstance(fate.answer, Refused):
            return pdu.OK
        if not fate.answer.permanent and fate.forgiven_after:
            before = self._forgiving.get((to, text), 0)
            if before >= fate.forgiven_after:
                return pdu.OK
            self._forgiving[to, text] = before + 1
        code = fate.answer.code
        return codes.BY_NAME.get(code) or (int(code, 16) if code.startswith("0x") else 0x08)

    def _receipts(self, about: Letter, message_id: str, fate: sandbox_fate.Fate) -> None:
        for seconds, said, code in fate.receipts:
            body = letters.receipt(self.script, about, said, code)
            # A receipt that is not early comes behind its answer.
            wait = seconds if seconds < fate.answered_if_accepted else seconds + 2 * TICK
            self._at(wait, lambda body=body, said=said, code=code: self._told(message_id, body, said, code))

    def _told(self, message_id: str, body: bytes, said: ReceiptState, code: str) -> None:
        self._states[message_id.upper()] = letters.state(said, code)[1]
        self.deliver([body])

    def _reply(self, about: Letter, to: str, text: str) -> None:
        if self.people is not None:
            found = self.people(to, text)
        else:
            found = sandbox_fate.answer_to(self.script.behaviour, to, text)
        if found is not None:
            bodies = letters.reply(self.script, about, found[1], next(self._references))
            self._at(found[0], lambda: self.deliver(bodies))

    # ------------------------------------------------------------ deliveries

    def deliver(self, bodies: Sequence[bytes]) -> None:
        """Deliver bodies of deliver_sm in this order, now or as soon as somebody is bound who takes them."""
        self._waiting.extend(bodies)
        self._deliver()

    def _deliver(self) -> None:
        takers = [peer for peer in self._peers if peer.receives]
        if not takers:
            return
        while self._waiting:
            self._turn += 1
            takers[self._turn % len(takers)].deliver(self._waiting.popleft())
        for peer in takers:
            peer.flush()

    # ------------------------------------------------------------ time

    def _at(self, seconds: float, step: Callable[[], None]) -> None:
        if seconds <= 0:
            step()
            return
        tick = int((self._loop.time() + seconds) / TICK) + 1
        steps = self._due.get(tick)
        if steps is None:
            steps = self._due[tick] = []
            timer = self._loop.call_at(tick * TICK, lambda: self._fire(tick, timer))
            self._timers.add(timer)
        steps.append(step)

    def _fire(self, tick: int, timer: asyncio.TimerHandle) -> None:
        self._timers.discard(timer)
        for step in self._due.pop(tick):
            step()
        for peer in self._peers:
            peer.flush()
