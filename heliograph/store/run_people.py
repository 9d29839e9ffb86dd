"""People of a run as a page shows them: those in one status or all, from a place on, or by their number.

First whose they are (:func:`list_all`, :func:`list_settled` ...: places in the run), then what is known of them
(:func:`of`). Whatever the size of the run, each reads a bounded number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from heliograph.rules import message as law

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.message import MessageStatus
    from heliograph.store.database import Conn

LOOK = 50_000  # outcomes looked through for one page of a status that few are in
CHUNKS = 50  # and chunks, of 500 people at most


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a run. ``fields``: of their contact, while that is there. ``due_at``: of whoever still waits."""

    seq: int
    number: str
    parts: int
    attempts: int
    list_name: str | None
    fields: dict[str, Any] | None
    outcome: str | None
    reason: str | None
    taken: bool
    due_at: datetime | None
    ended: bool
    submitted_at: datetime | None
    settled_at: datetime | None

    def standing(self, now: datetime) -> tuple[MessageStatus, str]:
        """Where they stand, and why."""
        due = self.due_at is not None and self.due_at <= now
        where, why = law.standing(outcome=self.outcome, taken=self.taken, due=due, ended=self.ended)
        return where, self.reason or why


@dataclass(frozen=True, slots=True)
class Found:
    """Seqs of some people, in order; ``after``: from where to go on, None when there is nobody more."""

    seqs: list[int]
    after: int | None


OF = """
SELECT m.seq, m.number, m.parts, m.attempts, l.name AS list_name, t.fields, o.status::text AS outcome, o.reason,
       coalesce(c.next_seq > coalesce(m.place, m.seq), false) AS taken, c.due_at, r.ended_at IS NOT NULL AS ended,
       o.submitted_at, o.settled_at
FROM unnest(%(seqs)s::int[]) AS w (seq)
JOIN run r ON r.app_id = %(app_id)s AND r.run_id = %(run_id)s
CROSS JOIN LATERAL (
    SELECT * FROM message x WHERE x.app_id = r.app_id AND x.run_id = r.run_id AND x.seq = w.seq LIMIT 1
) m
LEFT JOIN LATERAL (
    SELECT * FROM outcome x WHERE x.app_id = m.app_id AND x.run_id = m.run_id AND x.seq = m.seq LIMIT 1
) o ON true
LEFT JOIN contact_list l ON l.app_id = m.app_id AND l.list_id = m.list_id
LEFT JOIN LATERAL (
    SELECT x.fields FROM contact x
    WHERE x.app_id = m.app_id AND x.list_id = m.list_id AND x.seq = m.contact_seq LIMIT 1
) t ON true
LEFT JOIN LATERAL (
    SELECT h.next_seq, greatest(h.due_at, s.held_until) AS due_at
    FROM chunk h LEFT JOIN sender s ON s.app_id = h.app_id AND s.sender_id = h.sender_id
    WHERE h.app_id = m.app_id AND h.run_id = m.run_id AND h.first_seq <= coalesce(m.place, m.seq)
    ORDER BY h.first_seq DESC LIMIT 1
) c ON true
ORDER BY m.seq
"""


async def of(conn: Conn, app_id: int, run_id: int, seqs: Sequence[int]) -> list[Person]:
    """What is known of these people, in their order in the run."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        values = {"app_id": app_id, "run_id": run_id, "seqs": list(seqs)}
        return await (await cursor.execute(OF, values)).fetchall()


ALL = """
SELECT seq FROM message
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq > %(after)s ORDER BY seq LIMIT %(limit)s
"""


async def list_all(conn: Conn, app_id: int, run_id: int, *, after: int, limit: int) -> Found:
    """Everybody, in the order they were planned."""
    values = {"app_id": app_id, "run_id": run_id, "after": after, "limit": limit}
    seqs = [int(row[0]) for row in await (await conn.execute(ALL, values)).fetchall()]
    return Found(seqs, seqs[-1] if len(seqs) == limit else None)


# Between two numbers rather than by LIKE: digits are in the same order by every collation, so that the unique index
# message_number serves whatever the database's is. `(SELECT run_id)` as in store/messages.py.
OF_NUMBER = """
SELECT seq FROM message
WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND number BETWEEN %(low)s AND %(high)s AND number > ''
ORDER BY number LIMIT %(limit)s
"""


async def list_of_number(conn: Conn, app_id: int, run_id: int, start: str, *, limit: int) -> list[int]:
    """The seqs of people whose number begins with ``start``, a plus and digits; the lowest numbers."""
    values = {"app_id": app_id, "run_id": run_id, "low": start, "high": start + "9" * 20, "limit": limit}
    return [int(row[0]) for row in await (await conn.execute(OF_NUMBER, values)).fetchall()]


# No index knows a status (see 0001_house.sql), so that of one that few are in a bounded stretch is looked through.
# Whoever has no ref is in outcome_without_ref, which is short where most texts left.
SETTLED = """
SELECT count(*), max(seq), coalesce((array_agg(seq ORDER BY seq) FILTER (WHERE status = %(status)s::message_status))
                                    [1:%(limit)s::int], '{}')
FROM (
    SELECT seq, status FROM outcome
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq > %(after)s
    ORDER BY seq LIMIT %(look)s
) o
"""
WITHOUT_REF = """
SELECT count(*), max(seq), coalesce((array_agg(seq ORDER BY seq) FILTER (WHERE status = %(status)s::message_status))
                                    [1:%(limit)s::int], '{}')
FROM (
    SELECT seq, status FROM outcome
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq > %(after)s AND carrier_ref IS NULL
    ORDER BY seq LIMIT %(look)s
) o
"""
_REFLESS = frozenset({law.MessageStatus.SUPPRESSED, law.MessageStatus.UNKNOWN, law.MessageStatus.EXPIRED})


async def list_settled(conn: Conn, app_id: int, run_id: int, status: MessageStatus, *, after: int, limit: int) -> Found:
    """People whose outcome is ``status``; perhaps fewer than ``limit`` although there are more: go on ``after``."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "status": status.word,
        "after": after,
        "limit": limit,
        "look": LOOK,
    }
    cursor = await conn.execute(WITHOUT_REF if status in _REFLESS else SETTLED, values)
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return Found([], None)
    looked, last, seqs = int(row[0]), int(row[1]), [int(seq) for seq in row[2]]
    if len(seqs) == limit:
        return Found(seqs, seqs[-1])
    return Found(seqs, last if looked == LOOK else None)


# By chunk_place: places of open chunks behind the cursor; of each the messages by either of their two indexes, and one
# probe of outcome for each: joined, a run younger than the statistics was read whole (26 s of a million).
# `(SELECT run_id)` as in store/messages.py.
WAITING = """
WITH open AS MATERIALIZED (
    SELECT greatest(c.next_seq, %(after)s + 1) AS first, c.last_seq AS last
    FROM chunk c LEFT JOIN sender s ON s.app_id = c.app_id AND s.sender_id = c.sender_id
    WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s AND NOT c.done AND c.next_seq <= c.last_seq
      AND c.last_seq > %(after)s
      AND (%(held)s::boolean IS NULL OR (greatest(c.due_at, s.held_until) > %(now)s) = %(held)s)
    ORDER BY c.first_seq LIMIT %(chunks)s
), people AS MATERIALIZED (
    SELECT x.seq, x.place FROM open c CROSS JOIN LATERAL (
        (SELECT seq, seq AS place FROM message
         WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND seq BETWEEN c.first AND c.last
           AND place IS NULL
         ORDER BY seq LIMIT %(limit)s)
        UNION ALL
        (SELECT seq, place FROM message
         WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND place BETWEEN c.first AND c.last
         ORDER BY place LIMIT %(limit)s)
    ) x LEFT JOIN LATERAL (
        SELECT 1 AS there FROM outcome o
        WHERE o.app_id = %(app_id)s AND o.run_id = %(run_id)s AND o.seq = x.seq LIMIT 1
    ) o ON true
    WHERE o.there IS NULL
    ORDER BY x.place LIMIT %(limit)s
)
SELECT (SELECT count(*) FROM open), (SELECT max(last) FROM open),
       (SELECT coalesce(array_agg(seq ORDER BY place), '{}') FROM people), (SELECT max(place) FROM people)
"""


async def list_waiting(
    conn: Conn, app_id: int, run_id: int, *, held: bool | None, after: int, limit: int, now: datetime
) -> Found:
    """People whose turn has not come, by their place in the queue: those held, those not, or (None) all of them.

    Perhaps fewer than ``limit`` although there are more: go on ``after``.
    """
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "held": held,
        "after": after,
        "limit": limit,
        "chunks": CHUNKS,
        "now": now,
    }
    row = await (await conn.execute(WAITING, values)).fetchone()
    if row is None or not row[0]:
        return Found([], None)
    chunks, last, seqs = int(row[0]), int(row[1]), [int(seq) for seq in row[2]]
    if len(seqs) == limit:
        return Found(seqs, int(row[3]))
    return Found(seqs, last if chunks == CHUNKS else None)


SUBMITTING = """
SELECT x.seq FROM chunk c CROSS JOIN LATERAL (
    SELECT seq FROM message
    WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND seq BETWEEN c.first_seq AND c.next_seq - 1
      AND place IS NULL
    UNION ALL
    SELECT seq FROM message
    WHERE app_id = %(app_id)s AND run_id = (SELECT %(run_id)s::int) AND place BETWEEN c.first_seq AND c.next_seq - 1
) x LEFT JOIN LATERAL (
    SELECT 1 AS there FROM outcome o
    WHERE o.app_id = %(app_id)s AND o.run_id = %(run_id)s AND o.seq = x.seq LIMIT 1
) o ON true
WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s AND NOT c.done AND c.unsettled > 0 AND o.there IS NULL
LIMIT %(limit)s
"""


async def list_submitting(conn: Conn, app_id: int, run_id: int, *, limit: int) -> list[int]:
    """Some of those whose bytes are on their way at this moment; there are never many."""
    values = {"app_id": app_id, "run_id": run_id, "limit": limit}
    return [int(row[0]) for row in await (await conn.execute(SUBMITTING, values)).fetchall()]
