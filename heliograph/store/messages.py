"""Messages: who gets what in a run. Written once, when planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A person of a run. ``text`` None: the run's template, word for word."""

    seq: int
    list_id: int
    contact_seq: int
    number: str
    text: str | None
    parts: int


COPY_IN = """
COPY message (app_id, run_id, seq, list_id, contact_seq, number, text, parts) FROM STDIN
"""


async def copy_in(conn: Conn, app_id: int, run_id: int, messages: Sequence[NewMessage]) -> None:
    """Add a page of messages. A number the run already has is a unique violation and adds nothing."""
    async with conn.cursor() as cursor, cursor.copy(COPY_IN) as copy:
        for m in messages:
            await copy.write_row((app_id, run_id, m.seq, m.list_id, m.contact_seq, m.number, m.text, m.parts))


FIND_NUMBERS = """
SELECT number FROM message WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND number = ANY(%(numbers)s)
"""


async def find_numbers(conn: Conn, app_id: int, run_id: int, numbers: Sequence[str]) -> set[str]:
    """Which of ``numbers`` the run already has."""
    cursor = await conn.execute(FIND_NUMBERS, {"app_id": app_id, "run_id": run_id, "numbers": list(numbers)})
    return {row[0] for row in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message about to be sent."""

    seq: int
    place: int
    number: str
    text: str | None
    parts: int
    attempts: int


# Places are either seqs or, after a retry, newer numbers from the same counter; a chunk holds only one
# kind. Two index ranges, one of them empty, read once per chunk.
READ_PLACES = """
SELECT seq, seq AS place, number, text, parts, attempts FROM message
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq BETWEEN %(first)s AND %(last)s AND place IS NULL
UNION ALL
SELECT seq, place, number, text, parts, attempts FROM message
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND place BETWEEN %(first)s AND %(last)s
ORDER BY place
"""


async def read_places(conn: Conn, app_id: int, run_id: int, *, first: int, last: int) -> list[Waiting]:
    """The messages at places ``first..last``, in order."""
    values = {"app_id": app_id, "run_id": run_id, "first": first, "last": last}
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(READ_PLACES, values)).fetchall()


@dataclass(frozen=True, slots=True)
class Person:
    """Where one person of a run stands, as raw facts; :mod:`heliograph.rules.message` names the status."""

    seq: int
    number: str
    unique_id: str | None
    attempts: int
    status: str | None  # of the outcome, when there is one
    reason: str | None
    taken: bool  # the chunk's cursor has passed this place
    due_at: datetime | None
    ended: bool  # the run has ended
    settled_at: datetime | None


PAGE = """
SELECT m.seq, m.number, p.unique_id, m.attempts, o.status::text AS status, o.reason,
       coalesce(c.next_seq > coalesce(m.place, m.seq), false) AS taken, c.due_at,
       r.ended_at IS NOT NULL AS ended, o.settled_at
FROM (
    SELECT * FROM message WHERE app_id = %(app_id)s AND run_id = %(run_id)s
    ORDER BY seq LIMIT %(limit)s OFFSET %(offset)s
) m
JOIN run r ON r.app_id = m.app_id AND r.run_id = m.run_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
LEFT JOIN LATERAL (
    SELECT next_seq, due_at FROM chunk
    WHERE app_id = m.app_id AND run_id = m.run_id AND first_seq <= coalesce(m.place, m.seq)
    ORDER BY first_seq DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT f.value AS unique_id FROM contact t, json_each_text(t.fields) f
    WHERE t.app_id = m.app_id AND t.list_id = m.list_id AND t.seq = m.contact_seq
      AND lower(replace(replace(f.key, ' ', ''), '_', '')) = 'uniqueid' LIMIT 1
) p ON true
ORDER BY m.seq
"""


async def page(conn: Conn, app_id: int, run_id: int, *, offset: int, limit: int) -> list[Person]:
    """People of a run in the order they were planned."""
    values = {"app_id": app_id, "run_id": run_id, "offset": offset, "limit": limit}
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A message whose bytes may have left and whose outcome nobody recorded."""

    run_id: int
    seq: int
    chunk_no: int


# Only chunks with unsettled people (partial index chunk_unsettled): a handful, whatever the size of the run.
LIST_UNSETTLED = """
SELECT u.run_id, u.seq, u.chunk_no FROM (
    SELECT c.app_id, c.run_id, m.seq, c.chunk_no FROM chunk c
    JOIN message m ON m.app_id = c.app_id AND m.run_id = c.run_id
                  AND m.seq BETWEEN c.first_seq AND c.next_seq - 1 AND m.place IS NULL
    WHERE c.app_id = %(app_id)s AND c.sender_id = %(sender_id)s AND c.unsettled > 0
    UNION ALL
    SELECT c.app_id, c.run_id, m.seq, c.chunk_no FROM chunk c
    JOIN message m ON m.app_id = c.app_id AND m.run_id = c.run_id
                  AND m.place BETWEEN c.first_seq AND c.next_seq - 1
    WHERE c.app_id = %(app_id)s AND c.sender_id = %(sender_id)s AND c.unsettled > 0
) u
WHERE NOT EXISTS (
    SELECT FROM outcome o WHERE o.app_id = u.app_id AND o.run_id = u.run_id AND o.seq = u.seq
)
ORDER BY u.run_id, u.seq
"""


async def list_unsettled(conn: Conn, app_id: int, sender_id: int) -> list[Unfinished]:
    """Everyone of a sender who was taken to be submitted and has no outcome."""
    values = {"app_id": app_id, "sender_id": sender_id}
    async with conn.cursor(row_factory=class_row(Unfinished)) as cursor:
        return await (await cursor.execute(LIST_UNSETTLED, values)).fetchall()


# Only whoever still stands where the caller saw them, and has no outcome: repeating this after a lost
# answer, or after the lane was swept, moves nobody.
REQUEUE = """
UPDATE message m SET place = v.place, attempts = v.attempts
FROM unnest(%(seq)s::int[], %(old_place)s::int[], %(place)s::int[], %(attempts)s::int[])
     AS v (seq, old_place, place, attempts)
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq = v.seq
  AND coalesce(m.place, m.seq) = v.old_place
  AND NOT EXISTS (
      SELECT FROM outcome o WHERE o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
  )
RETURNING m.seq
"""


@dataclass(frozen=True, slots=True)
class Move:
    """A message that was taken, did not leave, and gets a new place in the queue."""

    seq: int
    old_place: int
    place: int
    attempts: int


async def requeue(conn: Conn, app_id: int, run_id: int, moves: Sequence[Move]) -> set[int]:
    """Give messages new places; answers the seqs that really moved."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": [m.seq for m in moves],
        "old_place": [m.old_place for m in moves],
        "place": [m.place for m in moves],
        "attempts": [m.attempts for m in moves],
    }
    cursor = await conn.execute(REQUEUE, values)
    return {int(row[0]) for row in await cursor.fetchall()}
