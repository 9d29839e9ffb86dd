"""Chunks: up to 500 people of one run, one sender, one place and zone and one due time, with a cursor.

Advancing the cursor in a committed statement is what makes people ``submitting``. Only the session that
holds the sender's lane advances it, so a chunk is never fought over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from heliograph.store.database import Conn

SIZE = 500


@dataclass(frozen=True, slots=True)
class Chunk:
    """The part of a ``chunk`` row that sending needs."""

    app_id: int
    run_id: int
    chunk_no: int
    zone: str
    law: str
    due_at: datetime
    last_seq: int
    next_seq: int
    gaps: int


@dataclass(frozen=True, slots=True)
class NewChunk:
    """People at places ``first_seq..last_seq``, to be texted from ``due_at`` on.

    ``zone``, ``law``: the clocks that count for them, as in :class:`heliograph.rules.timing.Where`.
    ``again``: they were taken before and did not leave, so they go before everybody of their run then.
    """

    chunk_no: int
    zone: str
    law: str
    due_at: datetime
    first_seq: int
    last_seq: int
    again: bool = False


INSERT = """
INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, law, priority, due_at, first_seq, last_seq, next_seq)
SELECT %(app_id)s, %(run_id)s, c.chunk_no, %(sender_id)s, c.zone, c.law, c.again::int, c.due_at, c.first_seq,
       c.last_seq, c.first_seq
FROM unnest(%(chunk_no)s::int[], %(zone)s::text[], %(law)s::text[], %(again)s::bool[], %(due_at)s::timestamptz[],
            %(first_seq)s::int[], %(last_seq)s::int[]) AS c (chunk_no, zone, law, again, due_at, first_seq, last_seq)
"""


async def insert(conn: Conn, app_id: int, run_id: int, sender_id: int, chunks: Sequence[NewChunk]) -> None:
    """Add chunks of people to be texted."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "sender_id": sender_id,
        "chunk_no": [c.chunk_no for c in chunks],
        "zone": [c.zone for c in chunks],
        "law": [c.law for c in chunks],
        "again": [c.again for c in chunks],
        "due_at": [c.due_at for c in chunks],
        "first_seq": [c.first_seq for c in chunks],
        "last_seq": [c.last_seq for c in chunks],
    }
    await conn.execute(INSERT, values)


# By chunk_open (app_id, sender_id, run_id, due_at, chunk_no) WHERE NOT done: an ordered walk that stops at
# the first row. The literal LIMIT matters: a parameter there gets a generic plan and a sort of all chunks.
# Those to be tried again come first, by chunk_again, which holds nobody else: one more probe of a small index.
# Ordered by due time alone they would wait behind all of a long campaign, as they are due later than its beginning.
NEXT_DUE = """
SELECT app_id, run_id, chunk_no, zone, law, due_at, last_seq, next_seq, gaps FROM (
    (SELECT 1 AS turn, app_id, run_id, chunk_no, zone, law, due_at, last_seq, next_seq, gaps FROM chunk
     WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND run_id = %(run_id)s AND NOT done AND priority > 0
       AND due_at <= %(now)s AND next_seq <= last_seq
     ORDER BY due_at LIMIT 1)
    UNION ALL
    (SELECT 2, app_id, run_id, chunk_no, zone, law, due_at, last_seq, next_seq, gaps FROM chunk
     WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND run_id = %(run_id)s AND NOT done
       AND due_at <= %(now)s AND next_seq <= last_seq
     ORDER BY due_at, chunk_no LIMIT 1)
) due
ORDER BY turn LIMIT 1
"""


async def find_due(conn: Conn, app_id: int, sender_id: int, run_id: int, now: datetime) -> Chunk | None:
    """The chunk of a run whose turn it is on a sender, or None when nobody is due."""
    values = {"app_id": app_id, "sender_id": sender_id, "run_id": run_id, "now": now}
    async with conn.cursor(row_factory=class_row(Chunk)) as cursor:
        return await (await cursor.execute(NEXT_DUE, values)).fetchone()


NEXT_TIME = """
SELECT due_at FROM chunk
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND run_id = %(run_id)s AND NOT done
  AND due_at > %(now)s AND next_seq <= last_seq
ORDER BY due_at LIMIT 1
"""


async def find_next_time(conn: Conn, app_id: int, sender_id: int, run_id: int, now: datetime) -> datetime | None:
    """When the next held people of a run come due on a sender, or None when nobody is held."""
    values = {"app_id": app_id, "sender_id": sender_id, "run_id": run_id, "now": now}
    row = await (await conn.execute(NEXT_TIME, values)).fetchone()
    return None if row is None else row[0]


# Must be a statement of its own after the gate was entered: one statement has one snapshot, taken before
# it would get the lock, and could so still see a campaign as Active that a stop has just ended.
# `(SELECT run_id)` is weighed as any run. Of a run that is younger than the statistics the planner expects one chunk,
# takes chunk_place for as good as the primary key, and reads all 20,000 chunks of ten million people for each claim.
# What leaves is counted for the sender's day in the same commit, so that a daily limit holds across crashes; and only
# once the chunk is locked as it was read, so that nothing is counted when it is not claimed after all.
CLAIM = """
WITH allowed AS (
    SELECT FROM campaign
    WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
      AND run_id = %(main_id)s AND status = 'Active' AND deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM panic WHERE app_id = %(app_id)s AND released_at IS NULL
                        AND (sender_id IS NULL OR sender_id = %(sender_id)s))
), here AS (
    SELECT FROM chunk
    WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND chunk_no = %(chunk_no)s
      AND next_seq = %(next_seq)s AND gaps = %(gaps)s AND last_seq = %(last_seq)s AND sender_id = %(sender_id)s
      AND EXISTS (SELECT FROM allowed)
    FOR UPDATE
), counted AS (
    INSERT INTO sender_day AS d (app_id, sender_id, day, parts)
    SELECT %(app_id)s, %(sender_id)s, %(day)s, %(parts)s FROM here
    ON CONFLICT (app_id, sender_id, day) DO UPDATE SET parts = d.parts + excluded.parts
        WHERE %(parts_per_day)s::bigint IS NULL OR d.parts = 0 OR d.parts + excluded.parts <= %(parts_per_day)s
    RETURNING sender_id
), taken AS (
    UPDATE chunk SET next_seq = %(upto)s, unsettled = unsettled + %(people)s,
                     gaps = gaps - (%(upto)s - %(next_seq)s - %(people)s), taken_at = now()
    WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND chunk_no = %(chunk_no)s
      AND EXISTS (SELECT FROM counted)
    RETURNING run_id
)
UPDATE tally SET waiting = waiting - %(people)s, submitting = submitting + %(people)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = %(sender_id)s AND EXISTS (SELECT FROM taken)
RETURNING run_id
"""


@dataclass(frozen=True, slots=True)
class Day:
    """The parts that a batch takes of its sender's day, and the most of a day (None: no limit)."""

    day: date
    parts: int
    parts_per_day: int | None


async def claim(  # what is claimed, from where to where, for whom
    conn: Conn,
    chunk: Chunk,
    day: Day,
    *,
    campaign_id: int,
    main_id: int,
    sender_id: int,
    next_seq: int,
    gaps: int,
    upto: int,
    people: int,
) -> bool:
    """Move the cursor from ``next_seq`` to ``upto``: the ``people`` between are submitting once this commits.

    ``main_id``: the run that the campaign must be on: the chunk's, or that of which it is a companion.
    Call it inside the campaign's gate. False, and nothing changed, when the campaign is no longer on this
    run and Active, the panic button holds its app or the sender, the cursor stands elsewhere, somebody was
    moved out of the chunk since it was read (``gaps``), it was given to another sender, or the sender's day
    has not so many parts left.
    """
    values = {
        "app_id": chunk.app_id,
        "run_id": chunk.run_id,
        "chunk_no": chunk.chunk_no,
        "campaign_id": campaign_id,
        "main_id": main_id,
        "sender_id": sender_id,
        "next_seq": next_seq,
        "last_seq": chunk.last_seq,
        "gaps": gaps,
        "upto": upto,
        "people": people,
        "day": day.day,
        "parts": day.parts,
        "parts_per_day": day.parts_per_day,
    }
    return await (await conn.execute(CLAIM, values)).fetchone() is not None


REWIND = """
WITH back AS (
    UPDATE chunk SET next_seq = %(next_seq)s, unsettled = unsettled - %(people)s,
                     gaps = gaps + (%(upto)s - %(next_seq)s - %(people)s)
    WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND chunk_no = %(chunk_no)s
      AND next_seq = %(upto)s
    RETURNING run_id
), uncounted AS (
    UPDATE sender_day SET parts = parts - %(parts)s
    WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND day = %(day)s AND EXISTS (SELECT FROM back)
)
UPDATE tally SET waiting = waiting + %(people)s, submitting = submitting - %(people)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = %(sender_id)s AND EXISTS (SELECT FROM back)
"""


async def rewind(  # the mirror of claim
    conn: Conn, chunk: Chunk, day: Day, *, sender_id: int, next_seq: int, upto: int, people: int
) -> None:
    """Undo a claim of which certainly no byte has left. Call it before leaving the gate it was made in."""
    values = {
        "app_id": chunk.app_id,
        "run_id": chunk.run_id,
        "chunk_no": chunk.chunk_no,
        "sender_id": sender_id,
        "next_seq": next_seq,
        "upto": upto,
        "people": people,
        "day": day.day,
        "parts": day.parts,
    }
    await conn.execute(REWIND, values)


POSTPONE = """
UPDATE chunk SET due_at = %(due_at)s
WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND chunk_no = %(chunk_no)s
"""


async def postpone(conn: Conn, chunk: Chunk, due_at: datetime) -> None:
    """Hold everyone of the chunk who still waits until ``due_at``."""
    values = {"app_id": chunk.app_id, "run_id": chunk.run_id, "chunk_no": chunk.chunk_no, "due_at": due_at}
    await conn.execute(POSTPONE, values)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A sender with people whose outcome was never recorded."""

    app_id: int
    sender_id: int


LIST_UNSETTLED = "SELECT DISTINCT app_id, sender_id FROM chunk WHERE unsettled > 0"


async def list_unsettled_senders(conn: Conn) -> list[Unsettled]:
    """Senders with people in flight: in a worker's hands, or left by one that died."""
    async with conn.cursor(row_factory=class_row(Unsettled)) as cursor:
        return await (await cursor.execute(LIST_UNSETTLED)).fetchall()


@dataclass(frozen=True, slots=True)
class InHand:
    """A chunk with people taken of whom some have no outcome; ``taken_at``: when the last of them were."""

    run_id: int
    chunk_no: int
    first_seq: int
    next_seq: int
    taken_at: datetime | None


# Partial index chunk_unsettled: a handful of rows, whatever the size of the runs.
OF_SENDER_UNSETTLED = """
SELECT run_id, chunk_no, first_seq, next_seq, taken_at FROM chunk
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND unsettled > 0
"""


async def list_unsettled(conn: Conn, app_id: int, sender_id: int) -> list[InHand]:
    """The chunks of a sender with people in flight, or left in flight."""
    async with conn.cursor(row_factory=class_row(InHand)) as cursor:
        values = {"app_id": app_id, "sender_id": sender_id}
        return await (await cursor.execute(OF_SENDER_UNSETTLED, values)).fetchall()


@dataclass(frozen=True, slots=True)
class Left:
    """The chunk that somebody was moved out of."""

    chunk_no: int
    zone: str
    law: str
    sender_id: int


# By chunk_place. Whoever the cursor has passed is being sent to: the condition on next_seq is the whole race.
MOVE_OUT = """
UPDATE chunk SET gaps = gaps + 1
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND first_seq <= %(place)s AND last_seq >= %(place)s
  AND next_seq <= %(place)s
RETURNING chunk_no, zone, law, sender_id
"""


async def move_out(conn: Conn, app_id: int, run_id: int, place: int) -> Left | None:
    """Make room for the person at ``place`` to wait elsewhere; None when they no longer wait there."""
    async with conn.cursor(row_factory=class_row(Left)) as cursor:
        values = {"app_id": app_id, "run_id": run_id, "place": place}
        return await (await cursor.execute(MOVE_OUT, values)).fetchone()
