"""One batch, from gate to gate: the only place from which campaign texts leave.

The way of a batch, and why in this order:

1. look once more: calling hours and law where the people are, numbers that may not be texted, frequency caps;
2. enter the campaign's gate (shared). A stop that waits for it gets it before any newer batch;
3. claim: a committed statement makes them ``submitting``, and fails if the campaign was ended, paused or panicked;
4. write the bytes, while the session certainly still holds that gate;
5. leave it. Answers are awaited outside, so a stop never waits for a carrier.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import auto_answers, talk_gate, turned_away
from heliograph.actions import runs as runs_actions
from heliograph.carriers.base import Lost, Text
from heliograph.engine.deadman import SWITCH
from heliograph.engine.recorder import Flight
from heliograph.errors import CarrierDown
from heliograph.rules import daily, ids, quiet, timing
from heliograph.store import chunks, dnc, locks, messages

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from heliograph.actions.talk_gate import Later
    from heliograph.carriers.base import Outcome
    from heliograph.config import Clock
    from heliograph.engine.meter import Metered
    from heliograph.engine.recorder import Recorder
    from heliograph.rules import hours
    from heliograph.store.runs import Run
    from heliograph.store.senders import Sender
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

Away = dict[int, str]
"""Who of a batch may not be texted after all: the reason, by seq."""


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

    def put_back(self) -> None:
        """Forget the chunk in hand: whatever holds is read again."""
        self.people, self.taken, self.chunk = [], 0, None

    def took(self, people: Sequence[messages.Waiting], upto: int) -> None:
        """The next ``people`` of the chunk are taken, its cursor stands at ``upto``."""
        self.taken += len(people)
        self.gaps -= upto - self.next_seq - len(people)
        self.next_seq = upto


@dataclass(frozen=True, slots=True)
class Batch:
    """The next ``people`` of the chunk that ``work`` has in hand, and through whom they are texted."""

    work: Work
    chunk: chunks.Chunk
    people: Sequence[messages.Waiting]
    sender: Sender
    line: Metered

    @property
    def upto(self) -> int:
        """Where the chunk's cursor stands once they are taken: at its end if nobody is left behind them."""
        more = self.people and self.work.taken + len(self.people) < len(self.work.people)
        return self.people[-1].place + 1 if more else self.chunk.last_seq + 1


@dataclass(frozen=True, slots=True)
class Sent:
    """The batch is with the carrier: ``parts`` of it left (0: nobody of it may be texted) by ``at``, :func:`now_s`."""

    parts: int
    at: float


class Unsent(Enum):
    """Why nothing of a batch left, and nobody of it was taken."""

    SHUT = auto()  # somebody is closing the campaign's gate
    TAKEN = auto()  # the claim failed: the campaign was ended or paused, or the chunk is not as it was read
    HELD = auto()  # it is not their hour: they wait for it
    LATE = auto()  # this process stood still after the claim, which was undone: the gate or the hour may be over


class Gate:
    """Sends batches of one lane."""

    def __init__(self, session: Session, recorder: Recorder, clock: Clock) -> None:
        self._session = session
        self._recorder = recorder
        self._clock = clock
        self._minute: datetime | None = None
        self._open: dict[tuple[int, str, str, str | None], bool] = {}  # in that minute: nothing opens or closes within

    async def send(self, batch: Batch) -> Sent | Unsent | CarrierDown:
        """Send a batch. CarrierDown, a value here: the line is broken, nothing left, nobody is lost by it.

        Raises StoreUnavailable when the session is lost: whoever was claimed and not written to is unknown then.
        """
        run, now = batch.work.run, self._clock()
        if not self._may_leave(batch, now):
            await self._hold(batch)
            return Unsent.HELD
        async with self._session.use() as conn:
            numbers = [person.number for person in batch.people]
            # The run of one-off texts never ends, so that what was global at its beginning says nothing about now.
            single = run.kind == "single"
            never = await runs_actions.global_dnc_lists(conn, run.app_id) if single else run.dnc_list_ids
            blocked = await dnc.find_blocked(
                conn, run.app_id, never, numbers, now, address=_address(batch), exempt=run.transactional
            )
            away = {person.seq: "do_not_contact" for person in batch.people if person.number in blocked}
            answers = talk_gate.answers(run, batch.chunk.law)
            if single or answers:
                await auto_answers.let_pass(conn, run, [person.seq for person in batch.people], away, now)
            later = await talk_gate.put_off(conn, run, batch.chunk, batch.people, _address(batch), now)
            if run.frequency_cap is not None and not run.transactional and not answers:
                # Their place under the cap is taken before the claim; should that fail, the same text finds it again.
                people = [(p.number, p.seq) for p in batch.people if p.seq not in away and p.seq not in later]
                away |= await turned_away.take(conn, run.app_id, run.run_id, people, run.frequency_cap, now=now)
            entered = await locks.enter_gate(conn, run.campaign_id)
        if not entered:
            return Unsent.SHUT
        try:
            return await self._inside(batch, away, later, _day(batch, {*away, *later}, now))
        finally:
            async with self._session.use(first=True) as conn:
                await locks.leave_gate(conn, run.campaign_id)

    async def _inside(
        self, batch: Batch, away: Away, later: dict[int, Later], day: chunks.Day
    ) -> Sent | Unsent | CarrierDown:
        """Steps 3 and 4."""
        work = batch.work
        async with self._session.use(first=True) as conn:
            claimed = await chunks.claim(
                conn,
                batch.chunk,
                day,
                campaign_id=work.run.campaign_id,
                main_id=work.run.main_id,
                sender_id=batch.sender.sender_id,
                next_seq=work.next_seq,
                gaps=work.gaps,
                upto=batch.upto,
                people=len(batch.people),
            )
        if not claimed:
            work.put_back()
            return Unsent.TAKEN
        try:
            parts = await self._write(batch, away, later)
        except CarrierDown as error:
            await self._undo(batch, day)
            return error
        if parts is None:
            await self._undo(batch, day)
            return Unsent.LATE
        work.took(batch.people, batch.upto)
        return Sent(parts, now_s())

    async def _undo(self, batch: Batch, day: chunks.Day) -> None:
        """Take a claim back, of which certainly no byte has left."""
        async with self._session.use(first=True) as conn:
            await chunks.rewind(
                conn,
                batch.chunk,
                day,
                sender_id=batch.sender.sender_id,
                next_seq=batch.work.next_seq,
                upto=batch.upto,
                people=len(batch.people),
            )

    async def _write(self, batch: Batch, away: Away, later: dict[int, Later]) -> int | None:
        """Hand the batch to the carrier, parts counted; whoever may not be texted is recorded as such and left out.

        None, and nothing left, when it is not certain any more that the gate is ours, or the hour has struck.
        """
        now = self._clock()
        send = [person for person in batch.people if person.seq not in away and person.seq not in later]
        until = self._session.sure_until
        if config.boot_seconds() >= until or not self._may_leave(batch, now):
            return None
        texts = _texts(batch, send, until)
        with SWITCH.watching(until):
            answers = await batch.line.submit(texts) if texts else []
        self._recorder.in_flight += len(send)
        for person, answer in zip(send, answers, strict=True):
            answer.add_done_callback(partial(_answered, self._recorder, _flight(batch, person, now)))
        for person in batch.people:
            if person.seq in away:
                self._recorder.suppressed(_flight(batch, person, None), away[person.seq])
            elif person.seq in later:
                due_at, zone, law = later[person.seq]
                self._recorder.put_off(_flight(batch, person, None)._replace(zone=zone, law=law), due_at)
        return sum(person.parts for person in send)

    def _may_leave(self, batch: Batch, now: datetime) -> bool:
        """Whether calling hours and law are open to the people of a batch. Worked out once a minute for all alike."""
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._open = minute, {}
        run, chunk = batch.work.run, batch.chunk
        key = (run.run_id, chunk.zone, chunk.law, run.quiet_hours)
        found = self._open.get(key)
        if found is None:
            rules = quiet.in_force(run.quiet_hours)
            found = self._open[key] = timing.is_open(batch.work.hours, chunk.zone, rules, chunk.law, now)
        return found

    async def _hold(self, batch: Batch) -> None:
        """Nobody of the chunk may be texted now: hold them to their next opening."""
        chunk, rules = batch.chunk, quiet.in_force(batch.work.run.quiet_hours)
        opening = timing.next_open(batch.work.hours, chunk.zone, rules, chunk.law, self._clock())
        async with self._session.use() as conn:
            await chunks.postpone(conn, chunk, opening or chunk.due_at.replace(year=9999))
        batch.work.put_back()


def now_s() -> float:
    """The clock that rates are measured by: never set back."""
    return asyncio.get_running_loop().time()


def _texts(batch: Batch, people: Sequence[messages.Waiting], until: float) -> list[Text]:
    """What the carrier is handed."""
    run = batch.work.run
    labels = {"campaignId": run.campaign_public_id, "runId": run.public_id}
    sender = _address(batch)
    return [
        Text(
            message_id=ids.message_id(run.public_id, person.seq),
            sender=sender,
            to=person.number,
            text=run.template if person.text is None else person.text,
            parts=person.parts,
            labels=labels,
            until=until,
        )
        for person in people
    ]


def _address(batch: Batch) -> str:
    """What the people of a batch see as the sender."""
    return batch.work.run.caller_id if batch.sender.address == "*" else batch.sender.address


def _day(batch: Batch, away: Collection[int], now: datetime) -> chunks.Day:
    """What a batch takes of the sender's day."""
    parts = sum(person.parts for person in batch.people if person.seq not in away)
    return chunks.Day(daily.day_of(now, batch.sender.day_zone), parts, batch.sender.parts_per_day)


def _flight(batch: Batch, person: messages.Waiting, now: datetime | None) -> Flight:
    chunk = batch.chunk
    return Flight(
        app_id=chunk.app_id,
        run_id=chunk.run_id,
        chunk_no=chunk.chunk_no,
        zone=chunk.zone,
        law=chunk.law,
        seq=person.seq,
        place=person.place,
        attempts=person.attempts,
        sender_id=batch.sender.sender_id,
        account_id=batch.line.account.account_id,
        submitted_at=now,
        number=person.number,
        address=_address(batch),
        kind=batch.line.account.kind,
    )


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
