"""Moving who waits for a sender whose carrier account is out of use to others of its pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

# Whoever has no line yet is taken for alive: nobody has tried. A handful of rows by primary keys.
LIST_ALIVE = """
SELECT s.sender_id FROM sender s JOIN carrier_account a ON a.app_id = s.app_id AND a.account_id = s.account_id
WHERE s.app_id = %(app_id)s AND s.sender_id = ANY(%(sender_ids)s::int[]) AND s.account_id <> %(account_id)s
  AND s.deleted_at IS NULL AND a.deleted_at IS NULL AND a.paused_at IS NULL
  AND (s.held_until IS NULL OR s.held_until <= %(now)s)
  AND (NOT EXISTS (SELECT FROM line l WHERE l.app_id = a.app_id AND l.account_id = a.account_id
                                        AND l.seen_at >= %(fresh)s)
       OR EXISTS (SELECT FROM line l WHERE l.app_id = a.app_id AND l.account_id = a.account_id
                                       AND l.seen_at >= %(fresh)s AND l.state = 'up'))
"""


async def list_alive(
    conn: Conn, app_id: int, sender_ids: Sequence[int], *, account_id: int, fresh: datetime, now: datetime
) -> set[int]:
    """Those of ``sender_ids`` that can send now, on other accounts than ``account_id``.

    What workers have said of lines before ``fresh`` counts for nothing.
    """
    values = {
        "app_id": app_id,
        "sender_ids": list(sender_ids),
        "account_id": account_id,
        "fresh": fresh,
        "now": now,
    }
    return {int(row[0]) for row in await (await conn.execute(LIST_ALIVE, values)).fetchall()}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chunk with people whose time has come and who were not taken; ``next_seq`` is the first of them."""

    chunk_no: int
    first_seq: int
    next_seq: int
    last_seq: int
    gaps: int


# By chunk_open. Locked, so that nobody is moved out of a chunk (an emergency, another time) while it is cut.
LOCK_DUE = """
SELECT chunk_no, first_seq, next_seq, last_seq, gaps FROM chunk
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND run_id = %(run_id)s AND NOT done
  AND due_at <= %(now)s AND next_seq <= last_seq
ORDER BY due_at, chunk_no LIMIT 500 FOR UPDATE
"""


async def lock_due(conn: Conn, app_id: int, run_id: int, sender_id: int, now: datetime) -> list[Waiting]:
    """Up to 500 chunks of people of a run who wait for a sender and are due."""
    values = {"app_id": app_id, "run_id": run_id, "sender_id": sender_id, "now": now}
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(LOCK_DUE, values)).fetchall()


GIVE = """
UPDATE chunk c SET sender_id = t.sender_id
FROM unnest(%(chunk_no)s::int[], %(sender_id)s::int[]) AS t (chunk_no, sender_id)
WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s AND c.chunk_no = t.chunk_no
"""


async def give(conn: Conn, app_id: int, run_id: int, to: Mapping[int, int]) -> None:
    """Give whole chunks, of whom nobody was taken yet, to other senders: ``to`` is by chunk number."""
    values = {"app_id": app_id, "run_id": run_id, "chunk_no": list(to), "sender_id": list(to.values())}
    await conn.execute(GIVE, values)


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk of whom some were taken: the rest is to be chunk ``new_chunk_no`` of another sender."""

    chunk_no: int
    next_seq: int
    new_chunk_no: int
    sender_id: int


# Whoever was taken stays where they are, whatever becomes of them; the gaps all lie behind the cursor.
CUT = """
WITH cuts AS (
    SELECT * FROM unnest(%(chunk_no)s::int[], %(next_seq)s::int[], %(new_chunk_no)s::int[], %(sender_id)s::int[])
        AS t (chunk_no, next_seq, new_chunk_no, sender_id)
), made AS (
    INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, law, priority, due_at, first_seq, last_seq, next_seq,
                       gaps)
    SELECT c.app_id, c.run_id, t.new_chunk_no, t.sender_id, c.zone, c.law, c.priority, c.due_at, c.next_seq,
           c.last_seq, c.next_seq, c.gaps
    FROM chunk c JOIN cuts t USING (chunk_no) WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s
)
UPDATE chunk c SET last_seq = t.next_seq - 1, gaps = 0, done = (c.unsettled = 0)
FROM cuts t WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s AND c.chunk_no = t.chunk_no
"""


async def cut(conn: Conn, app_id: int, run_id: int, cuts: Sequence[Cut]) -> None:
    """Give the rest of chunks, behind those who were taken, to other senders."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "chunk_no": [c.chunk_no for c in cuts],
        "next_seq": [c.next_seq for c in cuts],
        "new_chunk_no": [c.new_chunk_no for c in cuts],
        "sender_id": [c.sender_id for c in cuts],
    }
    await conn.execute(CUT, values)
