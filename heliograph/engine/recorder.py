"""Recording what became of texts, in small groups, through the session that holds their lane.

Answers arrive one by one and are written together every few milliseconds: the group is the price of a
crash (whoever is taken and not yet written becomes `unknown`), so it stays small.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import opt_outs, text_news
from heliograph.carriers import registry
from heliograph.carriers.base import Accepted, Deferred, Lost, Outcome, Refused
from heliograph.rules import retry
from heliograph.store import bell, chunks, message_parts, messages, outcomes, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.config import Clock
    from heliograph.store.database import Conn
    from heliograph.store.session import Session


class Flight(NamedTuple):
    """One person taken to be submitted."""

    app_id: int
    run_id: int
    chunk_no: int
    zone: str
    law: str
    seq: int
    place: int
    attempts: int
    sender_id: int
    account_id: int
    submitted_at: datetime | None
    number: str
    address: str  # that it was sent from
    kind: str  # of the carrier


class _Settled(NamedTuple):
    """What became of a person. ``parts``: the carrier's ids of them, of a text of several."""

    flight: Flight
    status: str
    reason: str | None = None
    ref: str | None = None
    parts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Again:
    """A person who did not leave and waits again from ``due_at`` on."""

    flight: Flight
    due_at: datetime
    attempts: int


class Recorder:
    """Collects outcomes and writes them. One per worker; outlives its sessions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._settled: list[_Settled] = []
        self._again: list[_Again] = []
        self._said_no: list[tuple[int, opt_outs.SaidNo]] = []  # with the app
        self.in_flight = 0

    def took(self, flight: Flight, outcome: Outcome) -> None:
        """A carrier answered for ``flight``."""
        self.in_flight -= 1
        if isinstance(outcome, Refused) and outcome.code in registry.opted_out(flight.kind):
            self._said_no.append((flight.app_id, opt_outs.SaidNo(flight.number, flight.address, outcome.code)))
        match outcome:
            case Accepted(ref, parts):
                self._settled.append(_Settled(flight, "accepted", None, ref, parts))
            case Lost(why):
                self._settled.append(_Settled(flight, "unknown", why))
            case Refused(code, permanent=True):
                self._settled.append(_Settled(flight, "failed", code))
            case Refused(code):
                self._retry(flight, code, seconds=None, throttled=False)
            case Deferred(code, seconds):
                self._retry(flight, code, seconds=seconds, throttled=True)

    def suppressed(self, flight: Flight, reason: str) -> None:
        """The last check said no: nothing left for ``flight``."""
        self._settled.append(_Settled(flight, "suppressed", reason))

    def put_off(self, flight: Flight, due_at: datetime) -> None:
        """Nothing left for ``flight``, who waits again until ``due_at`` by the zone and law it names."""
        self._again.append(_Again(flight, due_at, flight.attempts))

    def _retry(self, flight: Flight, code: str, *, seconds: float | None, throttled: bool) -> None:
        wait = retry.again_in(flight.attempts, asked_seconds=seconds, throttled=throttled)
        if wait is None:
            self._settled.append(_Settled(flight, "failed", code))
            return
        attempts = flight.attempts if throttled else flight.attempts + 1
        self._again.append(_Again(flight, self._clock() + timedelta(seconds=wait), attempts))

    @property
    def pending(self) -> int:
        """Outcomes known and not yet written."""
        return len(self._settled) + len(self._again)

    async def flush(self, session: Session) -> None:
        """Write everything collected so far. On a lost session nothing is forgotten: flush the next one."""
        settled, self._settled = self._settled, []
        again, self._again = self._again, []
        try:
            # First: whoever is recorded as refused and not as having said no would be texted by the next campaign.
            while self._said_no:
                await self._heed(session)
            while settled:
                await self._write_some(session, settled)
            while again:
                await self._write_again(session, again, settled)
            while settled:
                await self._write_some(session, settled)
        finally:
            self._settled[:0] = settled
            self._again[:0] = again

    async def _heed(self, session: Session) -> None:
        """Let what carriers said of the people of one app count."""
        app_id = self._said_no[0][0]
        group = [entry for entry in self._said_no if entry[0] == app_id]
        async with session.transaction() as conn:
            await opt_outs.refused(conn, app_id, [said for _, said in group], now=self._clock())
        done = {id(entry) for entry in group}
        self._said_no = [entry for entry in self._said_no if id(entry) not in done]

    async def _write_some(self, session: Session, settled: list[_Settled]) -> None:
        """Write the outcomes of one sender, up to 500, and strike them off ``settled``."""
        sender_id = settled[0].flight.sender_id
        group = [entry for entry in settled if entry.flight.sender_id == sender_id][:500]
        rows = [
            outcomes.NewOutcome(
                flight.app_id, flight.run_id, flight.seq, flight.chunk_no, status, reason,
                flight.account_id, ref, flight.submitted_at,
            )
            for flight, status, reason, ref, _ in group
        ]  # fmt: skip
        several = [
            message_parts.NewParts(flight.app_id, flight.run_id, flight.seq, flight.account_id, ref or "", parts)
            for flight, _, _, ref, parts in group
            if parts
        ]
        failed = [(flight.run_id, flight.seq) for flight, status, *_ in group if status == "failed"]
        if several or failed:  # together: a receipt of a part must not meet the text without its other parts
            async with session.transaction() as conn:
                await outcomes.record(conn, rows, sender_id=sender_id, now=self._clock())
                if several:
                    await message_parts.add(conn, several, now=self._clock())
                await text_news.settled(conn, group[0].flight.app_id, failed, now=self._clock())
        else:
            async with session.use() as conn:
                await outcomes.record(conn, rows, sender_id=sender_id, now=self._clock())
        written = {id(entry) for entry in group}
        settled[:] = [entry for entry in settled if id(entry) not in written]

    async def _write_again(self, session: Session, again: list[_Again], settled: list[_Settled]) -> None:
        """Give the people of one run new places in the queue, and strike them off ``again``.

        If their run has ended meanwhile their turn will not come: they are settled as expired. Whoever a sweep has
        settled before us stays settled.
        """
        first = again[0].flight
        group = [a for a in again if a.flight.run_id == first.run_id and a.flight.sender_id == first.sender_id]
        async with session.transaction() as conn:
            last = await runs.reserve(conn, first.app_id, first.run_id, places=len(group), chunks=len(_by_time(group)))
            if last is not None:
                in_hand = await _in_hand(conn, first, group)
                by_time = _by_time(in_hand)
                rows, moves, chunk_of = _new_places(by_time, last[0] - len(in_hand) + 1, last[1] - len(by_time) + 1)
                moved = await messages.requeue(conn, first.app_id, first.run_id, moves)
                await chunks.insert(conn, first.app_id, first.run_id, first.sender_id, rows)
                left = [chunk_of[seq] for seq in moved]
                await outcomes.wait_again(conn, first.app_id, first.run_id, left, sender_id=first.sender_id)
                await bell.ring(conn, "waits again")
        if last is None:
            settled += [_Settled(a.flight, "expired", "stopped") for a in group]
        done = {id(a) for a in group}
        again[:] = [a for a in again if id(a) not in done]


async def _in_hand(conn: Conn, first: Flight, group: Sequence[_Again]) -> list[_Again]:
    """Those of ``group`` who are still ours to give a new place, and nobody else's before this transaction ends."""
    people = [(entry.flight.seq, entry.flight.place) for entry in group]
    await messages.lock(conn, first.app_id, first.run_id, [seq for seq, _ in people])
    still = await messages.list_in_hand(conn, first.app_id, first.run_id, people)
    return [entry for entry in group if entry.flight.seq in still]


def _by_time(group: Sequence[_Again]) -> dict[tuple[str, str, datetime], list[_Again]]:
    """Who waits again in one zone and by one law until the same second."""
    found: dict[tuple[str, str, datetime], list[_Again]] = defaultdict(list)
    for entry in group:
        flight = entry.flight
        found[flight.zone, flight.law, entry.due_at.replace(microsecond=0) + timedelta(seconds=1)].append(entry)
    return found


def _new_places(
    by_time: dict[tuple[str, str, datetime], list[_Again]], place: int, chunk_no: int
) -> tuple[list[chunks.NewChunk], list[messages.Move], dict[int, int]]:
    """The chunks to add, who moves where, and the chunk that each seq leaves."""
    rows: list[chunks.NewChunk] = []
    moves: list[messages.Move] = []
    leaves: dict[int, int] = {}
    for number, ((zone, law, due_at), group) in enumerate(by_time.items(), chunk_no):
        rows.append(chunks.NewChunk(number, zone, law, due_at, place, place + len(group) - 1, again=True))
        for entry in group:
            moves.append(messages.Move(entry.flight.seq, entry.flight.place, place, entry.attempts))
            leaves[entry.flight.seq] = entry.flight.chunk_no
            place += 1
    return rows, moves, leaves
