"""A lane: one sender, worked by the one session that holds its lock.

It picks the run whose share is due, and as many of its people as the sender's rate (:mod:`heliograph.engine.meter`)
and day have room for; :mod:`heliograph.engine.batch` sends them. Texts that somebody waits for go first.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from heliograph.carriers.base import Windowed
from heliograph.engine.batch import Batch, Gate, Sent, Unsent, Work, now_s
from heliograph.engine.meter import BATCH as BATCH
from heliograph.engine.meter import Meter, Metered
from heliograph.errors import CarrierDown
from heliograph.rules import daily, hours
from heliograph.rules.shares import Shares
from heliograph.store import chunks, messages, senders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.config import Clock
    from heliograph.engine.bell import Bell
    from heliograph.engine.lines import Line
    from heliograph.engine.recorder import Recorder
    from heliograph.store.runs import Run
    from heliograph.store.senders import Sender
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

WINDOW = 2_000  # people in flight per worker before a lane waits for answers
WINDOW_LOOK = 0.002  # seconds between looks at a carrier's full window
URGENT_WINDOW = 200  # more who are in flight do not hold up texts that somebody waits for
IDLE = 0.5  # seconds between looks when nobody rings
DOWN_FIRST, DOWN_MOST = 1.0, 30.0  # seconds a lane waits after its carrier's line broke, doubling


class Lane:
    """Sends through one sender until cancelled or told to stop."""

    def __init__(  # a lane stands between all of these
        self, sender: Sender, line: Line, session: Session, recorder: Recorder, clock: Clock, bell: Bell
    ) -> None:
        self.sender = sender
        self.line = line
        self._session = session
        self._recorder = recorder
        self._gate = Gate(session, recorder, clock)
        self._clock = clock
        self._bell = bell
        self._meter = Meter(sender, session)
        # Two lines of shares: a text that jumps the queue takes nothing from how the others stand to each other.
        self._ordinary: Shares[int] = Shares()
        self._urgent: Shares[int] = Shares()
        self._work: dict[int, Work] = {}
        self._dry: set[int] = set()  # runs without a due chunk at the last look
        self._heard = 0  # how often the bell had rung when urgent runs were last looked at
        self._down_for = 0.0
        self.stopping = False

    def offer(self, runs: Sequence[Run]) -> None:
        """The runs this lane may work on now; those not named are dropped."""
        wanted = {run.run_id: run for run in runs}
        for run_id in self._work.keys() - wanted.keys():
            self._shares_of(self._work.pop(run_id).run).remove(run_id)
        for run_id, run in wanted.items():
            work = self._work.get(run_id)
            if work is None:
                self._work[run_id] = Work(run, hours.parse(run.calling_hours))
                self._shares_of(run).add(run_id, run.priority)
            else:
                work.run = run
                self._shares_of(run).set_weight(run_id, run.priority)
        self._dry.clear()
        self._bell.ring()

    def renew(self, sender: Sender, line: Line) -> None:
        """Go by what the sender is from now on: its limits, and the line of its carrier account."""
        self.sender, self.line = sender, line
        self._bell.ring()

    def _shares_of(self, run: Run) -> Shares[int]:
        return self._urgent if run.urgent else self._ordinary

    @property
    def busy(self) -> bool:
        """Whether anyone is offered to this lane."""
        return bool(self._work)

    async def run(self) -> None:
        """Send batch after batch. Raises StoreUnavailable when the session is lost."""
        await self._meter.take_over()
        while not self.stopping:
            self._meter.set_limit(self.sender.parts_per_second)
            run_id = None if self._day_is_over else self._next()
            if run_id is None:
                await self._meter.rest()
                await self._bell.wait(IDLE)
                self._dry.clear()
                continue
            work = self._work[run_id]
            if not work.rest and not await self._load(work):
                self._dry.add(run_id)
                continue
            await self._batch(work)
        await self._meter.rest(ended=True)

    def _next(self) -> int | None:
        """The run whose turn it is. Whoever waits for a text is looked for whenever the bell rings."""
        urgent = {run_id for run_id, work in self._work.items() if work.run.urgent}
        if self._heard != self._bell.rung:
            self._heard = self._bell.rung
            self._dry -= urgent
        found = self._urgent.pick(urgent - self._dry)
        return self._ordinary.pick(self._work.keys() - urgent - self._dry) if found is None else found

    async def _load(self, work: Work) -> bool:
        """Take the next due chunk of a run in hand; False when there is none."""
        run, now = work.run, self._clock()
        work.put_back()
        async with self._session.use(first=run.urgent) as conn:
            chunk = await chunks.find_due(conn, run.app_id, self.sender.sender_id, run.run_id, now)
            if chunk is None:
                return False
            work.people = await messages.read_places(
                conn, run.app_id, run.run_id, first=chunk.next_seq, last=chunk.last_seq
            )
        work.chunk, work.next_seq, work.gaps = chunk, chunk.next_seq, chunk.gaps
        return True

    async def _room(self, work: Work, parts: int) -> bool:
        """Wait until ``parts`` may leave and answers are not too far behind; False to look again whose turn it is."""
        urgent, rung = work.run.urgent, self._bell.rung
        window = WINDOW + (URGENT_WINDOW if urgent else 0)
        while True:
            wait = self._meter.wait(parts, urgent=urgent)
            if self._recorder.in_flight >= window:
                wait = max(wait, 0.005)
            if wait <= 0:
                return not self.stopping
            await self._bell.wait(min(wait, IDLE))
            if self._bell.rung != rung:  # perhaps for somebody's urgent text, for a stop, or for another rate
                return False

    @property
    def _day_is_over(self) -> bool:
        """Whether everybody who waits for the sender is held until its next day."""
        return self.sender.held_until is not None and self._clock() < self.sender.held_until

    async def _left_of_day(self, work: Work, now: datetime) -> int | None:
        """How many parts of the sender's day are left; None without a limit, 0 when the next text does not fit."""
        sender = self.sender
        if sender.parts_per_day is None or not work.rest:
            return None
        today = daily.day_of(now, sender.day_zone)
        async with self._session.use() as conn:
            used = await senders.parts_of_day(conn, sender.app_id, sender.sender_id, today)
        return daily.room(sender.parts_per_day, used, work.people[work.taken].parts)

    async def _end_day(self, now: datetime) -> None:
        """Nothing more may leave on the day of ``now``: hold everybody who waits for this sender until its next day.

        The moment is the one at which the day was counted: midnight may have come since.
        """
        sender = self.sender
        until = daily.next_day(now, sender.day_zone)
        async with self._session.use() as conn:
            held = await senders.hold(conn, sender, until)
        if held:
            log.info("day_used_up sender=%s until=%s", sender.public_id, until.isoformat())
            self.sender = replace(sender, held_until=until)
        else:  # a person has just changed it: the worker will tell how
            await self._bell.wait(IDLE)

    async def _window(self, work: Work) -> int:
        """Wait until a carrier with a window has room for the next text; parts, or 0 to look again whose turn it is.

        Waited for here, before the gate: what does not fit there would have to wait its turn anew, one by one.
        """
        carrier, rung = self.line.carrier, self._bell.rung
        if not isinstance(carrier, Windowed) or not work.rest:
            return sys.maxsize
        while (room := carrier.room(work.people[work.taken].parts)) == 0:
            await self._bell.wait(WINDOW_LOOK)
            if self.stopping or self._bell.rung != rung:
                return 0
        return sys.maxsize if room is None else room

    def _cut(self, work: Work, left: int | None) -> list[messages.Waiting]:
        """The next people of the chunk: as many as rate, and day and window (``left``), have room for, one at least."""
        room = self._meter.target(urgent=work.run.urgent)
        if left is not None:
            room = min(room, left)
        people: list[messages.Waiting] = []
        for person in work.people[work.taken : work.taken + self._meter.people]:
            room -= person.parts
            if people and room < 0:
                break
            people.append(person)
        return people

    async def _batch(self, work: Work) -> None:
        """Send one batch of ``work``, from gate to gate, and go by what came of it."""
        now = self._clock()
        left = await self._left_of_day(work, now)
        if left == 0:
            await self._end_day(now)
            return
        room = await self._window(work)
        if room == 0:
            return
        people = self._cut(work, room if left is None else min(left, room))
        parts = sum(person.parts for person in people)
        if work.chunk is None or not await self._room(work, parts):
            return
        await self._meter.note(parts)
        self._meter.decided()
        end = await self._gate.send(Batch(work, work.chunk, people, self.sender, Metered(self.line, self._meter)))
        await self._follow(work, end)

    async def _follow(self, work: Work, end: Sent | Unsent | CarrierDown) -> None:
        if isinstance(end, Sent):
            self._down_for = 0.0
            self._shares_of(work.run).charge(work.run.run_id, max(end.parts, 1))
        elif isinstance(end, CarrierDown):
            self._down_for = min(DOWN_MOST, max(DOWN_FIRST, self._down_for * 2))
            log.warning("carrier_down sender=%s wait_s=%.0f error=%s", self.sender.public_id, self._down_for, end)
            await self._wait_out(self._down_for)
        elif end is Unsent.SHUT:  # somebody is closing it; what they decided is seen at the next claim
            await asyncio.sleep(0.01)
        elif end is Unsent.TAKEN:
            self._dry.add(work.run.run_id)

    async def _wait_out(self, seconds: float) -> None:
        """Leave a broken line alone for a while: until it is opened anew at most, or the lane is to stop."""
        until, line = now_s() + seconds, self.line
        opened = line.opened
        while (left := until - now_s()) > 0 and not self.stopping:
            if self.line is not line or line.opened != opened:
                return
            await self._bell.wait(left)
