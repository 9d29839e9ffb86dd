"""The carrier that texts nobody: believable, seeded, in this process. See ``docs/sandbox.md``.

It takes texts as a real one does (latency, refusals, throttling, lost answers, broken lines, receipts that
are late, early, doubled or missing), and leaves evidence of each in a transcript. The engine is measured
through it, so it is cheap: one write per call, and one timer for all that falls due in the same 5 ms.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from heliograph.carriers import sandbox_behaviour, sandbox_fate, sandbox_memory
from heliograph.carriers.base import Accepted, Deferred, LineState, Lost, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.kind import Kind
from heliograph.carriers.sandbox_webhook import SandboxWebhook
from heliograph.carriers.transcript import Transcript
from heliograph.errors import CarrierDown

if TYPE_CHECKING:
    from asyncio import Future, TimerHandle
    from collections.abc import Callable, Mapping, Sequence

    from heliograph.carriers.base import Finding, Outcome, Sought, Text
    from heliograph.carriers.kind import Opening

log = logging.getLogger(__name__)

TICK = 0.005
"""Seconds. What falls due within one tick is given together."""

LAST_WORDS = 2.0
"""Seconds that :meth:`Sandbox.close` waits at most for answers and receipts on their way."""


async def open_line(settings: Mapping[str, object], opening: Opening) -> Sandbox:
    """A sandbox line. Raises :class:`heliograph.errors.Invalid` for wrong settings."""
    return Sandbox(sandbox_behaviour.read(settings), opening)


KIND = Kind(
    words="Behaves like a carrier and texts nobody",
    settings=sandbox_behaviour.SETTINGS,
    read=sandbox_behaviour.read,
    open=open_line,
    webhook=SandboxWebhook(),
    opted_out=frozenset({"opted_out"}),
)


class Sandbox:
    """An open line to a sandbox account. Must be made, used and closed on one running event loop."""

    def __init__(self, settings: sandbox_behaviour.Settings, opening: Opening) -> None:
        self._settings = settings
        self._listener = opening.listener
        self._name = opening.name
        self._path = opening.transcript
        self._transcript = Transcript(opening.transcript)
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()
        self._door = None if settings.throttle_per_second is None else _Door(settings.throttle_per_second)
        self._due: dict[int, _Due] = {}  # by tick of the loop's clock
        self._forgiving: dict[str, int] = {}  # message id -> temporary refusals so far
        self._tag = secrets.token_hex(4)
        self._refs = count(1)
        self._calls = count(1)
        self._closed = False
        self._stands = LineState.UP
        if not settings.lets_in:
            self._say(LineState.REFUSED, "wrong credentials, as its settings ask")

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Take ``texts``: their lines are in the transcript when this returns. See the carrier contract."""
        if not texts:
            return []
        now = self._loop.time()
        self._check_line(now)
        waits = [self._door.wait(text.parts, now) for text in texts] if self._door else [0.0] * len(texts)
        taken = [text for text, wait in zip(texts, waits, strict=True) if not wait]
        stamp = f"sb-{time.time_ns() // 1_000_000:011x}-{self._tag}"
        refs = [f"{stamp}-{next(self._refs):06x}" for _ in taken]
        whole = self._transcript.append(taken, refs) if taken else True
        ref = iter(refs)
        answers: list[Future[Outcome]] = []
        for text, wait in zip(texts, waits, strict=True):
            answer: Future[Outcome] = self._loop.create_future()
            answers.append(answer)
            if not whole and not wait:
                answer.set_result(Lost("the transcript could not be written to its end"))
                continue
            fate = sandbox_fate.of(self._settings, text.to, text.message_id)
            if wait:
                self._at(now + fate.answered_if_accepted).answers.append((answer, Deferred("throttled", wait)))
            else:
                self._follow(answer, fate, next(ref), text, now)
        return answers

    async def ask(self, sought: Sequence[Sought]) -> list[Finding]:
        """What became of texts, by the transcript. Raises CarrierDown when the line is down, as for a text."""
        self._check_line(self._loop.time())
        return await asyncio.to_thread(sandbox_memory.recall, self._settings, self._path, sought)

    async def close(self) -> None:
        """Take no more texts, give what is due within :data:`LAST_WORDS`, answer the rest as lost."""
        if self._closed:
            return
        self._closed = True
        bound = self._loop.time() + LAST_WORDS
        try:
            soon = [tick * TICK for tick in self._due if tick * TICK <= bound]
            if soon:
                await asyncio.sleep(max(soon) - self._loop.time() + TICK)
        finally:
            for due in self._due.values():
                due.timer.cancel()
                for answer, _ in due.answers:
                    _give(answer, Lost("the line was closed before the answer"))
            self._due.clear()
            self._transcript.close()

    def _check_line(self, now: float) -> None:
        if self._closed:
            message = f"The sandbox line {self._name} is closed"
            raise CarrierDown(message)
        if not self._settings.lets_in:
            message = f"The sandbox line {self._name} does not let us in, as its settings ask"
            raise CarrierDown(message)
        since = now - self._opened
        in_window = any(start <= since < end for start, end in self._settings.down_windows)
        if sandbox_fate.line_is_down(self._settings, next(self._calls)) or in_window:
            self._say(LineState.DOWN, "down, as its settings ask")
            message = f"The sandbox line {self._name} is down, as its settings ask"
            raise CarrierDown(message)
        self._say(LineState.UP, "")

    def _say(self, state: LineState, words: str) -> None:
        """Tell how the line stands, when that is news."""
        if state is not self._stands:
            self._stands = state
            self._tell("line", lambda: self._listener.line(state, words))

    def _tell(self, what: str, tell: Callable[[], object]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001  # whatever is wrong with the listener, the line lives on
            # The type only: a message or a traceback could hold a number or a text.
            log.error("listener_failed carrier=%s of=%s error=%s", self._name, what, type(error).__name__)  # noqa: TRY400

    def _follow(self, answer: Future[Outcome], fate: sandbox_fate.Fate, ref: str, text: Text, now: float) -> None:
        """Set down when and how a text that was taken is answered and receipted."""
        outcome, after = fate.answer, fate.answered_after
        if isinstance(outcome, Refused):
            if not self._forgives(outcome, fate, text.message_id):
                self._at(now + after).answers.append((answer, outcome))
                return
            outcome = None
        due = self._at(now + after)
        due.answers.append((answer, outcome or Accepted(ref)))
        for seconds, state, code in fate.receipts:
            # A receipt that is not early comes at least a tick behind its answer.
            late = seconds if seconds < fate.answered_if_accepted else seconds + TICK
            self._at(now + late).receipts.append((ref, state, code))
        written = sandbox_fate.answer_to(self._settings, text.to, text.message_id)
        if written is not None:
            # Behind the answer too: who was not texted does not write back.
            self._at(now + after + written[0] + TICK).replies.append((f"{ref}-r", text, written[1]))

    def _forgives(self, refusal: Refused, fate: sandbox_fate.Fate, message_id: str) -> bool:
        """Whether a text that was refused for now often enough is taken this time."""
        if refusal.permanent or not fate.forgiven_after:
            return False
        before = self._forgiving.pop(message_id, 0)
        if before >= fate.forgiven_after:
            return True
        self._forgiving[message_id] = before + 1
        return False

    def _at(self, when: float) -> _Due:
        tick = int(when / TICK) + 1
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = _Due(self._loop.call_at(tick * TICK, self._fire, tick))
        return due

    def _fire(self, tick: int) -> None:
        due = self._due.pop(tick)
        if due.receipts:
            at = datetime.now(UTC)
            said = [Receipt(ref, state, at, code) for ref, state, code in due.receipts]
            self._tell("receipts", lambda: self._listener.receipts(said))
        if due.replies:
            at = datetime.now(UTC)
            wrote = [Reply(text.to, text.sender, words, at, ref) for ref, text, words in due.replies]
            self._tell("replies", lambda: self._listener.replies(wrote))
        for answer, outcome in due.answers:
            _give(answer, outcome)


class _Due:
    """What is given at one tick: receipts first, so that an early one is early within a tick too."""

    __slots__ = ("answers", "receipts", "replies", "timer")

    def __init__(self, timer: TimerHandle) -> None:
        self.timer = timer
        self.answers: list[tuple[Future[Outcome], Outcome]] = []
        self.receipts: list[tuple[str, ReceiptState, str]] = []
        self.replies: list[tuple[str, Text, str]] = []


class _Door:
    """Lets ``rate`` parts a second in, with room for one second's worth at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._room = max(rate, 1.0)
        self._free = self._room
        self._seen: float | None = None

    def wait(self, parts: int, now: float) -> float:
        """0 when the text is let in, else the seconds until it may be tried again."""
        if self._seen is not None:
            self._free = min(self._room, self._free + (now - self._seen) * self._rate)
        self._seen = now
        # A text of more parts than there is room for goes in when all the room is free, and is paid off after.
        missing = min(float(parts), self._room) - self._free
        if missing > 0:
            return max(missing / self._rate, 0.001)
        self._free -= parts
        return 0.0


def _give(answer: Future[Outcome], outcome: Outcome) -> None:
    if not answer.done():  # whoever asked may have cancelled it
        answer.set_result(outcome)
