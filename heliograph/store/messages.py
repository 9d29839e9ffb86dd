"""Messages: who gets what in a run. Written once, when planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class Repeated(Exception):  # not an error: it undoes a page in which somebody is met again
    """The run has some of a page's numbers already. ``numbers``: which, or nobody where that is not known."""

    def __init__(self, numbers: frozenset[str] = frozenset()) -> None:
        super().__init__(f"{len(numbers)} numbers of the page are in the run already")
        self.numbers = numbers


class NewMessage(NamedTuple):
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


async def copy_in(conn: Conn, app_id: int, run_id: int, messages: Iterable[NewMessage]) -> None:
    """Add messages of people who are new to the run. Raises :class:`Repeated` when somebody is not."""
    try:
        async with conn.cursor() as cursor, cursor.copy(COPY_IN) as copy:
            for m in messages:
                await copy.write_row((app_id, run_id, *m))
    except UniqueViolation as error:
        raise Repeated from error


# Nobody looks beforehand who is there already: the unique index says so, by itself. A statement that asks it is
# planned by statistics that are older than the run, takes the primary key for as good, and reads the run so far for
# every number (21 s for a page of 4,500 beside 45,500). Costs 3 µs a message more than COPY.
PUT = """
WITH input AS (
    SELECT seq::int, list_id::int, contact_seq::int, number, text, parts::smallint
    FROM ROWS FROM (
        json_array_elements_text(%(seq)s::json), json_array_elements_text(%(list_id)s::json),
        json_array_elements_text(%(contact_seq)s::json), json_array_elements_text(%(number)s::json),
        json_array_elements_text(%(text)s::json), json_array_elements_text(%(parts)s::json)
    ) AS t (seq, list_id, contact_seq, number, text, parts)
), put AS (
    INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts)
    SELECT %(app_id)s, %(run_id)s, seq, list_id, contact_seq, number, text, parts FROM input
    ON CONFLICT (app_id, run_id, number, nth) WHERE number > '' DO NOTHING
    RETURNING seq
)
SELECT number FROM input WHERE seq NOT IN (SELECT seq FROM put)
"""


async def put(conn: Conn, app_id: int, run_id: int, messages: Sequence[NewMessage]) -> None:
    """As :func:`copy_in`, and the :class:`Repeated` says who."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": columns.of([m.seq for m in messages]),
        "list_id": columns.of([m.list_id for m in messages]),
        "contact_seq": columns.of([m.contact_seq for m in messages]),
        "number": columns.of([m.number for m in messages]),
        "text": columns.of([m.text for m in messages]),
        "parts": columns.of([m.parts for m in messages]),
    }
    known = await (await conn.execute(PUT, values)).fetchall()
    if known:
        raise Repeated(frozenset(str(row[0]) for row in known))


MARK = """
INSERT INTO run_page (app_id, run_id, before, first_seq)
SELECT app_id, run_id, total, %(first_seq)s FROM tally
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = 0
"""


async def mark(conn: Conn, app_id: int, run_id: int, first_seq: int) -> None:
    """Remember where a planned page begins, for :func:`page`. Call it before the page is counted in the tally."""
    await conn.execute(MARK, {"app_id": app_id, "run_id": run_id, "first_seq": first_seq})


class Waiting(NamedTuple):
    """A message about to be sent. In the order of READ_PLACES' columns."""

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
    async with conn.cursor(row_factory=_waiting) as cursor:
        return await (await cursor.execute(READ_PLACES, values)).fetchall()


def _waiting(_: object) -> Callable[[Sequence[Any]], Waiting]:
    return Waiting._make


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


# From the last mark before the page: at most one planned page is passed over, at whatever depth. A run without marks
# (one-off texts, a campaign that is being cleared up) is counted through from its first.
PAGE = """
WITH mark AS (
    SELECT before, first_seq FROM run_page
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND before <= %(offset)s
    ORDER BY before DESC LIMIT 1
)
SELECT m.seq, m.number, p.unique_id, m.attempts, o.status::text AS status, o.reason,
       coalesce(c.next_seq > coalesce(m.place, m.seq), false) AS taken, c.due_at,
       r.ended_at IS NOT NULL AS ended, o.settled_at
FROM (
    SELECT * FROM message
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq >= coalesce((SELECT first_seq FROM mark), 0)
    ORDER BY seq LIMIT %(limit)s OFFSET %(offset)s - coalesce((SELECT before FROM mark), 0)
) m
JOIN run r ON r.app_id = m.app_id AND r.run_id = m.run_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
LEFT JOIN LATERAL (
    SELECT h.next_seq, greatest(h.due_at, s.held_until) AS due_at
    FROM chunk h LEFT JOIN sender s ON s.app_id = h.app_id AND s.sender_id = h.sender_id
    WHERE h.app_id = m.app_id AND h.run_id = m.run_id AND h.first_seq <= coalesce(m.place, m.seq)
    ORDER BY h.first_seq DESC LIMIT 1
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


# For a chunk at a time, so that the planner knows it is about a few hundred rows: joined over many
# chunks it expects a ninth of the table and reads all of `outcome`.
WITHOUT_OUTCOME = """
SELECT m.seq FROM message m
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq BETWEEN %(first)s AND %(last)s AND m.place IS NULL
  AND NOT EXISTS (SELECT FROM outcome o WHERE o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq)
UNION ALL
SELECT m.seq FROM message m
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.place BETWEEN %(first)s AND %(last)s
  AND NOT EXISTS (SELECT FROM outcome o WHERE o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq)
"""


async def list_without_outcome(conn: Conn, app_id: int, run_id: int, *, first: int, last: int) -> list[int]:
    """The seqs of those at places ``first..last`` of whom no outcome is recorded."""
    values = {"app_id": app_id, "run_id": run_id, "first": first, "last": last}
    cursor = await conn.execute(WITHOUT_OUTCOME, values)
    return [int(row[0]) for row in await cursor.fetchall()]


LOCK = """
SELECT seq FROM message
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq = ANY(%(seqs)s::int[]) ORDER BY seq FOR UPDATE
"""


async def lock(conn: Conn, app_id: int, run_id: int, seqs: Sequence[int]) -> None:
    """Let nobody else settle or move these messages before this transaction ends.

    A sweep and a late "not now" of a worker that has lost its lane may meet: whoever comes second has to see, in a
    statement after this one, what the first has done. Else a person is settled and waits, and is counted as both.
    """
    await conn.execute(LOCK, {"app_id": app_id, "run_id": run_id, "seqs": list(seqs)})


IN_HAND = """
SELECT m.seq FROM unnest(%(seq)s::int[], %(place)s::int[]) AS v (seq, place)
JOIN message m ON m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq = v.seq
  AND coalesce(m.place, m.seq) = v.place
WHERE NOT EXISTS (SELECT FROM outcome o WHERE o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq)
"""


async def list_in_hand(conn: Conn, app_id: int, run_id: int, people: Sequence[tuple[int, int]]) -> set[int]:
    """The seqs of those of ``people``, ``(seq, place)`` each, who still stand at that place and have no outcome."""
    values = {"app_id": app_id, "run_id": run_id, "seq": [s for s, _ in people], "place": [p for _, p in people]}
    return {int(row[0]) for row in await (await conn.execute(IN_HAND, values)).fetchall()}


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in the queue of its run."""

    seq: int
    place: int
    attempts: int


PLACE_OF_SEQ = """
SELECT seq, coalesce(place, seq) AS place, attempts FROM message
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq = %(seq)s
"""
# `(SELECT run_id)`: weighed as any run. Of one younger than the statistics the planner would expect one row, and read
# all of it by the primary key.
PLACE_OF_NUMBER = """
SELECT seq, coalesce(place, seq) AS place, attempts FROM message
WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND number = %(number)s AND number > '' LIMIT 1
"""


async def find_place(
    conn: Conn, app_id: int, run_id: int, *, seq: int | None = None, number: str | None = None
) -> Place | None:
    """The message of a run with this seq, or else to this number, or None."""
    values = {"app_id": app_id, "run_id": run_id, "seq": seq, "number": number}
    async with conn.cursor(row_factory=class_row(Place)) as cursor:
        return await (await cursor.execute(PLACE_OF_NUMBER if seq is None else PLACE_OF_SEQ, values)).fetchone()
