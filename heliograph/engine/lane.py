"""A lane: one sender, worked by the one session that holds its lock.

The way of a batch, and why in this order:

1. pick the run whose share is due, and as many of its people as the sender's rate has room for;
2. enter the campaign's gate (shared). A stop that waits for it gets it before any newer batch;
3. look once more: hours in the people's zone, numbers that may not be texted;
4. claim: a committed statement makes them ``submitting``, and fails if the campaign was ended or paused;
5. write the bytes; 6. leave the gate. Answers are awaited outside it, so a stop never waits for a carrier.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from heliograph.carriers.base import Lost, Text
from heliograph.engine.recorder import Flight
from heliograph.errors import CarrierDown
from heliograph.rules import daily, hours, ids
from heliograph.rules.pace import Pace
from heliograph.rules.shares import Shares
from heliograph.store import chunks, dnc, locks, messages, senders

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.carriers.base import Outcome
    from heliograph.config import Clock
    from heliograph.engine.bell import Bell
    from heliograph.engine.lines import Line
    from heliograph.engine.recorder import Recorder
    from heliograph.store.runs import Run
    from heliograph.store.senders import Sender
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

BATCH = 100  # people per gate: large enough to be cheap, small enough that a crash leaves few unknown
WINDOW = 2_000  # people in flight per worker before a lane waits for answers
EVEN = 0.05  # seconds of a sender's rate in one batch: it then sends evenly, and campaigns share it finely
CATCH_UP = 0.2  # seconds of its rate that a sender may make up for at once after it was held up
IDLE = 0.5  # seconds between looks when nobody rings
GATE_LIMIT = 5.0  # seconds after which a gate is not trusted any more: the process was frozen in it
DOWN_FIRST, DOWN_MOST = 1.0, 30.0  # seconds a lane waits after its carrier's line broke, doubling


@dataclass(slots=True)
class Work:
    """A run on this lane, with the rest of the chunk in hand."""

    run: Run
    hours: hours.CallingHours
    chunk: chunks.Chunk | None = None
    people: list[messages.Waiting] = field(default_factory=list["messages.Waiting"])
    taken: int = 0  # of people
    next_seq: int = 0  # where the chunk's cursor stands
    gaps: int = 0  # of the chunk, at or behind the cursor

    @property
    def rest(self) -> int:
        """People of the chunk not taken yet."""
        return len(self.people) - self.taken


class Lane:
    """Sends through one sender until cancelled or told to stop."""

    def __init__(  # a lane stands between all of these
        self, sender: Sender, line: Line, session: Session, recorder: Recorder, clock: Clock, bell: Bell
    ) -> None:
        self.sender = sender
        self.line = line
        self._session = session
        self._recorder = recorder
        self._clock = clock
        self._bell = bell
        self._pace = Pace(sender.parts_per_second)
        self._even_at = 0.0  # when the next batch would leave if batches left evenly
        self._shares: Shares[int] = Shares()
        self._work: dict[int, Work] = {}
        self._dry: set[int] = set()  # runs without a due chunk at the last look
        self._down_for = 0.0
        self.stopping = False

    def offer(self, runs: Sequence[Run]) -> None:
        """The runs this lane may work on now; those not named are dropped."""
        wanted = {run.run_id: run for run in runs}
        for run_id in self._work.keys() - wanted.keys():
            del self._work[run_id]
            self._shares.remove(run_id)
        for run_id, run in wanted.items():
            work = self._work.get(run_id)
            if work is None:
                self._work[run_id] = Work(run, hours.parse(run.calling_hours))
                self._shares.add(run_id, run.priority)
            else:
                work.run = run
                self._shares.set_weight(run_id, run.priority)
        self._dry.clear()
        self._bell.ring()

    def renew(self, sender: Sender, line: Line) -> None:
        """Go by what the sender is from now on: its limits, and the line of its carrier account."""
        self.sender, self.line = sender, line
        if sender.parts_per_second != self._pace.rate:
            self._pace.set_rate(sender.parts_per_second)
            self._even_at = 0.0  # what has left lately still counts in the pace
        self._bell.ring()

    @property
    def busy(self) -> bool:
        """Whether anyone is offered to this lane."""
        return bool(self._work)

    async def run(self) -> None:
        """Send batch after batch. Raises StoreUnavailable when the session is lost."""
        while not self.stopping:
            ready = self._work.keys() - self._dry
            urgent = {run_id for run_id in ready if self._work[run_id].run.urgent}
            run_id = None if self._day_is_over else self._shares.pick(urgent or ready)
            if run_id is None:
                await self._bell.wait(IDLE)
                self._dry.clear()
                continue
            work = self._work[run_id]
            if not work.rest and not await self._load(work):
                self._dry.add(run_id)
                continue
            await self._room(work)
            if run_id in self._work and not self.stopping:
                await self._batch(work)

    async def _load(self, work: Work) -> bool:
        """Take the next due chunk of a run in hand; False when there is none."""
        run, now = work.run, self._clock()
        work.people, work.taken = [], 0
        async with self._session.use() as conn:
            chunk = await chunks.find_due(conn, run.app_id, self.sender.sender_id, run.run_id, now)
            if chunk is None:
                return False
            work.people = await messages.read_places(
                conn, run.app_id, run.run_id, first=chunk.next_seq, last=chunk.last_seq
            )
        work.chunk, work.next_seq, work.gaps = chunk, chunk.next_seq, chunk.gaps
        return True

    async def _room(self, work: Work) -> None:
        """Wait until the sender's rate has room for the next person and answers are not too far behind."""
        while self._recorder.in_flight >= WINDOW and not self.stopping:
            await self._bell.wait(0.005)
        needed = work.people[work.taken].parts if work.rest else 0
        while (wait := self._wait(needed)) > 0 and not self.stopping:
            await self._bell.wait(min(wait, IDLE))

    def _wait(self, parts: int) -> float:
        """Seconds until ``parts`` may leave: never over the rate in any second, and evenly within it."""
        now = self._seconds()
        return max(self._pace.wait(now, parts), self._even_at - now)

    def _take(self, parts: int) -> None:
        """Count parts that have left. Counted when written, not before: the rate's second is the carrier's."""
        now = self._seconds()
        self._pace.take(now, parts)
        if self._pace.rate is not None:
            self._even_at = max(self._even_at, now - CATCH_UP) + parts / self._pace.rate

    @property
    def _day_is_over(self) -> bool:
        """Whether everybody who waits for the sender is held until its next day."""
        return self.sender.held_until is not None and self._clock() < self.sender.held_until

    async def _left_today(self, work: Work) -> int | None:
        """How many parts of the sender's day are left; None without a limit, 0 when the next text does not fit."""
        sender, now = self.sender, self._clock()
        if sender.parts_per_day is None or not work.rest:
            return None
        today = daily.day_of(now, sender.day_zone)
        async with self._session.use() as conn:
            used = await senders.parts_of_day(conn, sender.app_id, sender.sender_id, today)
        return daily.room(sender.parts_per_day, used, work.people[work.taken].parts)

    async def _end_day(self) -> None:
        """Nothing more may leave today: hold everybody who waits for this sender until its next day."""
        sender = self.sender
        until = daily.next_day(self._clock(), sender.day_zone)
        async with self._session.use() as conn:
            held = await senders.hold(conn, sender, until)
        if held:
            log.info("day_used_up sender=%s until=%s", sender.public_id, until.isoformat())
            self.sender = replace(sender, held_until=until)
        else:  # a person has just changed it: the worker will tell how
            await self._bell.wait(IDLE)

    def _cut(self, work: Work, left: int | None) -> list[messages.Waiting]:
        """The next people of the chunk: as many as rate and day (``left``) have room for, one at least."""
        rate = self._pace.rate
        room = self._pace.room(self._seconds())
        if rate is not None:
            room = min(room, max(1, int(rate * EVEN)))
        if left is not None:
            room = min(room, left)
        batch: list[messages.Waiting] = []
        for person in work.people[work.taken : work.taken + BATCH]:
            room -= person.parts
            if batch and room < 0:
                break
            batch.append(person)
        return batch

    async def _batch(self, work: Work) -> None:
        """Send one batch of ``work``, from gate to gate."""
        left = await self._left_today(work)
        if left == 0:
            await self._end_day()
            return
        run, chunk, batch = work.run, work.chunk, self._cut(work, left)
        if chunk is None:
            return
        async with self._session.use() as conn:
            entered = await locks.enter_gate(conn, run.campaign_id)
        if not entered:  # somebody is closing it; what they decided is seen at the next claim
            await asyncio.sleep(0.01)
            return
        try:
            down = await self._inside(work, chunk, batch)
        finally:
            async with self._session.use(first=True) as conn:
                await locks.leave_gate(conn, run.campaign_id)
        if down is None:
            self._down_for = 0.0
        else:
            self._down_for = min(DOWN_MOST, max(DOWN_FIRST, self._down_for * 2))
            log.warning("carrier_down sender=%s wait_s=%.0f error=%s", self.sender.public_id, self._down_for, down)
            await self._wait_out(self._down_for)

    async def _wait_out(self, seconds: float) -> None:
        """Leave a broken line alone for a while: until it is opened anew at most, or the lane is to stop."""
        until, line = self._seconds() + seconds, self.line
        opened = line.opened
        while (left := until - self._seconds()) > 0 and not self.stopping:
            if self.line is not line or line.opened != opened:
                return
            await self._bell.wait(left)

    async def _inside(self, work: Work, chunk: chunks.Chunk, batch: list[messages.Waiting]) -> CarrierDown | None:
        """Steps 3 to 5. Answers the error when the carrier's line was down; nobody is lost by it."""
        run, since, now = work.run, self._seconds(), self._clock()
        if not hours.is_open(work.hours, chunk.zone, now):
            await self._hold(work, chunk)
            return None
        upto = batch[-1].place + 1 if batch and work.taken + len(batch) < len(work.people) else chunk.last_seq + 1
        numbers = [person.number for person in batch]
        async with self._session.use(first=True) as conn:
            blocked = await dnc.find_blocked(conn, run.app_id, run.dnc_list_ids, numbers, now)
            day = self._day(batch, blocked, now)
            claimed = await chunks.claim(
                conn,
                chunk,
                day,
                campaign_id=run.campaign_id,
                sender_id=self.sender.sender_id,
                next_seq=work.next_seq,
                gaps=work.gaps,
                upto=upto,
                people=len(batch),
            )
        if not claimed:
            work.people, work.taken, work.chunk = [], 0, None
            self._dry.add(run.run_id)
            return None
        try:
            if self._seconds() - since > GATE_LIMIT:
                raise CarrierDown("The process stood still inside a gate")
            await self._write(work, chunk, batch, blocked)
        except CarrierDown as error:
            async with self._session.use() as conn:
                await chunks.rewind(
                    conn,
                    chunk,
                    day,
                    sender_id=self.sender.sender_id,
                    next_seq=work.next_seq,
                    upto=upto,
                    people=len(batch),
                )
            return error
        work.taken += len(batch)
        work.gaps -= upto - work.next_seq - len(batch)
        work.next_seq = upto
        return None

    async def _write(self, work: Work, chunk: chunks.Chunk, batch: list[messages.Waiting], blocked: set[str]) -> None:
        """Hand the batch to the carrier; whoever may not be texted is recorded as such and left out."""
        run, line, now = work.run, self.line, self._clock()
        labels = {"campaignId": run.campaign_public_id, "runId": run.public_id}
        sender = run.caller_id if self.sender.address == "*" else self.sender.address
        send = [person for person in batch if person.number not in blocked]
        texts = [
            Text(
                message_id=ids.message_id(run.public_id, person.seq),
                sender=sender,
                to=person.number,
                text=run.template if person.text is None else person.text,
                parts=person.parts,
                labels=labels,
            )
            for person in send
        ]
        parts = sum(person.parts for person in send)
        answers = await line.submit(texts) if texts else []
        if parts:
            self._take(parts)
        self._shares.charge(run.run_id, max(parts, 1))
        self._recorder.in_flight += len(send)
        for person, answer in zip(send, answers, strict=True):
            flight = self._flight(chunk, person, line, now)
            answer.add_done_callback(partial(_answered, self._recorder, flight))
        for person in batch:
            if person.number in blocked:
                self._recorder.suppressed(self._flight(chunk, person, line, None), "do_not_contact")

    def _day(self, batch: Sequence[messages.Waiting], blocked: set[str], now: datetime) -> chunks.Day:
        """What a batch takes of the sender's day."""
        parts = sum(person.parts for person in batch if person.number not in blocked)
        return chunks.Day(daily.day_of(now, self.sender.day_zone), parts, self.sender.parts_per_day)

    def _flight(self, chunk: chunks.Chunk, person: messages.Waiting, line: Line, now: datetime | None) -> Flight:
        return Flight(
            app_id=chunk.app_id,
            run_id=chunk.run_id,
            chunk_no=chunk.chunk_no,
            zone=chunk.zone,
            seq=person.seq,
            place=person.place,
            attempts=person.attempts,
            sender_id=self.sender.sender_id,
            account_id=line.account.account_id,
            submitted_at=now,
        )

    async def _hold(self, work: Work, chunk: chunks.Chunk) -> None:
        """Nobody of the chunk may be texted now: hold them to their next opening."""
        opening = hours.next_open(work.hours, chunk.zone, self._clock())
        async with self._session.use() as conn:
            await chunks.postpone(conn, chunk, opening or chunk.due_at.replace(year=9999))
        work.people, work.taken, work.chunk = [], 0, None

    def _seconds(self) -> float:
        """The clock that rates and gates are measured by: never set back, stops for nobody."""
        return asyncio.get_running_loop().time()


def _answered(recorder: Recorder, flight: Flight, answer: Future[Outcome]) -> None:
    """A carrier's future is done: by an outcome, by being cancelled, or by a fault of the carrier's code."""
    if answer.cancelled():
        recorder.took(flight, Lost("the line was closed before the carrier answered"))
        return
    error = answer.exception()
    if error is not None:
        log.error("carrier_fault sender=%s type=%s", flight.sender_id, type(error).__name__)
        recorder.took(flight, Lost(f"carrier fault: {type(error).__name__}"))
        return
    recorder.took(flight, answer.result())
