"""The meter of a lane: all that leaves through a sender goes by it, and it says how much may leave, and when.

Three things slow a lane down, each kept where it can be proven (``docs/pacing.md``):

* the sender's rate, exact in any second (:mod:`heliograph.rules.pace`);
* evenness: batches of a small part of a second's worth, one after the other;
* what the carrier was seen to take (:mod:`heliograph.rules.throttle`).

Texts are counted where they are written: :class:`Metered` is the line as a batch sees it. The last milliseconds before
the rate lets a batch go are waited for there, so that what it costs to claim a batch costs no part of the rate.
"""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import TYPE_CHECKING

from heliograph.carriers.base import FULL, Deferred
from heliograph.rules.pace import Pace
from heliograph.rules.throttle import Throttle
from heliograph.store import sender_pace

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Sequence

    from heliograph.carriers.base import Outcome, Text
    from heliograph.engine.lines import Line
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.senders import Sender
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

BATCH = 100  # people per gate: large enough to be cheap, small enough that a crash leaves few unknown
BATCH_AT_RATE = 200  # of a lane with a rate: one of some thousands a second would else do nothing but enter gates
EVEN, EVEN_LEARNED = 0.05, 0.02  # seconds of the rate in one batch; finer where a carrier is watching
CATCH_UP, CATCH_UP_LEARNED = 0.5, 0.02  # seconds of the rate that may be made up for after the lane was held up
URGENT = 0.005  # of the rate, kept free by ordinary texts for those that somebody waits for
LEAD = 0.025  # seconds at most that a claimed batch waits for its moment: a stop waits for it too
AGAIN = 0.25  # seconds to the next batch after one was turned away, if it would take longer at the learned rate
NOTE = 5.0  # seconds between two notes of a lane that is sending
ROUNDING = 1e-9  # 20 batches of 9.95 are 199
AHEAD = 10.0  # seconds for which a note says that something may leave: more than until the next one, and a gate
TRUSTED = 900.0  # seconds for which what another worker has learned is believed


class Meter:
    """How fast the lane of one sender may go. Times are seconds of the event loop's clock."""

    def __init__(self, sender: Sender, session: Session) -> None:
        self._sender = sender
        self._session = session
        self._pace = Pace(sender.parts_per_second)
        self._throttle = Throttle(sender.parts_per_second)
        self._even_at = 0.0  # when the next batch would leave if batches left evenly
        self._owed = 0.0  # parts that batches had too few, as texts are whole
        self._free_at = -math.inf  # what another worker may have sent counts until then
        self._lead = 0.003  # seconds from deciding on a batch to writing it, lately
        self._decided: float | None = None
        self._noted = -math.inf
        self._hold = 0.0  # as last noted
        self._spoke = False  # whether anything was noted
        self._rested = True  # nothing was left undone that could be made up for
        self._waited = self._told = False  # people had to wait for the rate since the last note; the note said so
        self._away_at: float | None = None

    async def take_over(self) -> None:
        """Count what the lane's last holder may have sent until this moment, at which its lock is ours.

        Whatever it wrote it wrote before its lock was free, so one span of the rate from now is enough; and nothing
        is waited for when it has said nothing for longer than it was going to send.
        """
        async with self._session.use() as conn:
            last = await sender_pace.find(conn, self._sender.app_id, self._sender.sender_id)
        if last is None:
            return
        now = now_s()
        if self._pace.rate is not None:
            self._free_at = now + min(0.0, last.sending_s) + max(last.hold_s, self._pace.counts_for())
        if last.learned is not None and last.age_s < TRUSTED:
            self._throttle = Throttle(self._pace.rate, last.learned)

    def set_limit(self, limit: float | None) -> None:
        """Go by another rate; what has left lately counts in it. Not while a batch is on its way."""
        if limit == self._pace.rate:
            return
        self._pace.set_rate(limit)
        self._throttle.set_limit(limit)
        self._even_at, self._owed = now_s(), 0.0
        self._noted = -math.inf

    @property
    def rate(self) -> float | None:
        """Parts a second to go by now: the sender's own, or what its carrier takes if that is less."""
        return self._throttle.rate

    @property
    def _reserve(self) -> int:
        """Parts of the rate's limit that ordinary texts leave free."""
        return 0 if self._pace.rate is None else int(self._pace.limit * URGENT)

    @property
    def _even(self) -> tuple[float, float] | None:
        """Parts a second at which ordinary batches leave, and parts in each; None without any limit.

        A whole number of batches fits into what the rate allows: else the last one would wait for the first, and
        its parts would be lost in every second.
        """
        rate = self.rate
        if rate is None:
            return None
        if self._throttle.learned is not None:
            return rate, min(rate * EVEN_LEARNED, BATCH_AT_RATE)
        limit = self._pace.limit - self._reserve
        return limit / self._pace.counts_for(), limit / math.ceil(limit / min(max(rate * EVEN, 1.0), BATCH_AT_RATE))

    @property
    def people(self) -> int:
        """The most people in one batch."""
        return BATCH if self.rate is None else BATCH_AT_RATE

    def target(self, *, urgent: bool) -> int:
        """Parts for the next batch; a text of more parts may leave too, alone."""
        even = self._even
        if even is None:
            return self._pace.limit
        if urgent:
            return max(1, int(even[1]))
        return max(1, int(even[1] + self._owed + ROUNDING))

    def wait(self, parts: int, *, urgent: bool) -> float:
        """Seconds until a batch of ``parts`` should be begun: 0.0 or less when now."""
        now = now_s()
        if self._throttle.look(now):
            self._told_rate(now)
        wanted = parts
        if not urgent and parts + self._reserve <= self._pace.limit:
            wanted += self._reserve
        wait = max(self._pace.wait(now, wanted), self._free_at - now, self._throttle.wait(now))
        if not urgent:
            wait = max(wait, self._even_at - now)
        if wait > self._lead:
            self._waited = True
        return wait - self._lead

    def decided(self) -> None:
        """A batch is on its way: what it takes from here to its writing is what :meth:`wait` begins it earlier by."""
        self._decided = now_s()

    async def write(self, line: Line, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Hand ``texts`` over at the first moment the rate allows, and count them."""
        parts = sum(text.parts for text in texts)
        self._learn_lead()
        while (left := max(self._pace.wait(now_s(), parts), self._free_at - now_s())) > 0:  # noqa: ASYNC110  # for a time, not for a change
            await asyncio.sleep(left)  # for a time, not for something to happen
        answers = await line.submit(texts)
        at = now_s()  # not before: a part that is written late counts from then
        self._pace.take(at, parts)
        self._throttle.sent(at, parts)
        self._spread(at, parts)
        for text, answer in zip(texts, answers, strict=True):
            answer.add_done_callback(partial(self._answered, at, text.parts))
        return answers

    def _learn_lead(self) -> None:
        if self._decided is not None:
            took = now_s() - self._decided
            self._lead = min(LEAD, self._lead + (took - self._lead) / 8)
            self._decided = None

    def _spread(self, at: float, parts: int) -> None:
        even = self._even
        if even is not None:
            behind = CATCH_UP if self._throttle.learned is None else CATCH_UP_LEARNED
            if self._rested:
                self._rested, behind = False, 0.0
            self._even_at = max(self._even_at, at - behind) + parts / even[0]
            self._owed = min(max(0.0, self._owed + even[1] - parts), even[1])

    def _answered(self, sent_at: float, parts: int, answer: Future[Outcome]) -> None:
        """Only what the carrier turned away is told to the throttle."""
        if answer.cancelled() or answer.exception() is not None:
            return
        outcome = answer.result()
        if isinstance(outcome, Deferred) and outcome.code != FULL:
            now = now_s()
            self._away_at = now
            before = self.rate
            self._throttle.away(now, parts, sent_at=sent_at, seconds=outcome.seconds)
            if self.rate != before:
                self._told_rate(now)
            self._even_at = min(self._even_at, now + AGAIN)

    def _told_rate(self, now: float) -> None:
        """The learned rate has changed."""
        rate, learned = self.rate, self._throttle.learned
        if rate is not None:
            self._even_at = min(self._even_at, now + 1 / rate)
        told = "none" if learned is None else f"{learned:.1f}"
        log.info("pace_learned sender=%s parts_per_second=%s", self._sender.public_id, told)
        self._noted = min(self._noted, now - NOTE + 1.0)  # within a second, not for each

    async def note(self, parts: int) -> None:
        """Tell, if it is time, that ``parts`` and more are about to leave. Before the batch is begun."""
        now, hold = now_s(), self._pace.counts_for(parts)
        if now - self._noted < NOTE and hold <= self._hold and not (self._waited and not self._told):
            return
        await self._note(hold, AHEAD)

    async def rest(self, *, ended: bool = False) -> None:
        """Tell that nobody waits for the rate any more; ``ended``: nor will anything leave.

        Whoever comes next begins evenly. Making up for a time in which nobody waited would be half a second's worth at
        once, and then nothing for that long: not even for somebody's urgent text.
        """
        self._rested = True
        if self._told or (ended and self._spoke):
            self._waited = False
            await self._note(max(self._hold, self._free_at - now_s()), 0.0 if ended else AHEAD)

    async def _note(self, hold: float, sending: float) -> None:
        now = now_s()
        away_s = None if self._away_at is None else now - self._away_at
        told = sender_pace.Note(self.rate, self._throttle.learned, away_s, self._waited, sending, hold)
        async with self._session.use() as conn:
            await sender_pace.note(conn, self._sender.app_id, self._sender.sender_id, told)
        self._noted, self._hold, self._told, self._waited = now, hold, self._waited, False
        self._spoke = True


class Metered:
    """A line as the batches of one lane see it."""

    def __init__(self, line: Line, meter: Meter) -> None:
        self._line = line
        self._meter = meter

    @property
    def account(self) -> CarrierAccount:
        """Whose line it is."""
        return self._line.account

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """As :meth:`Line.submit`, at the moment and at the rate that the meter allows."""
        return await self._meter.write(self._line, texts)


def now_s() -> float:
    """The clock that rates are measured by: never set back."""
    return asyncio.get_running_loop().time()
