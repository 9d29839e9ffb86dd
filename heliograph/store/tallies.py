"""The numbers of a run: kept as it goes, read at the same price for ten people and for ten million."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Ledger:
    """How many people of a run stand where. Always: total = the sum of the other nine."""

    total: int = 0
    held: int = 0
    ready: int = 0
    submitting: int = 0
    unknown: int = 0
    accepted: int = 0
    failed: int = 0
    delivered: int = 0
    suppressed: int = 0
    expired: int = 0

    @property
    def sent(self) -> int:
        """Texts that left: accepted by a carrier, whatever the receipt said later."""
        return self.accepted + self.delivered

    @property
    def settled(self) -> int:
        """People with whom the engine has nothing left to do."""
        return self.total - self.held - self.ready - self.submitting


OPEN = """
INSERT INTO tally (app_id, run_id, sender_id)
SELECT %(app_id)s, %(run_id)s, unnest(%(sender_ids)s::int[])
"""


async def open_for(conn: Conn, app_id: int, run_id: int, sender_ids: Sequence[int]) -> None:
    """Give a new run its rows: one for the planner (0) and one for each sender that works on it."""
    await conn.execute(OPEN, {"app_id": app_id, "run_id": run_id, "sender_ids": list(sender_ids)})


PLAN = """
UPDATE tally SET total = total + %(total)s, waiting = waiting + %(waiting)s, suppressed = suppressed + %(suppressed)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = 0
"""


async def plan(conn: Conn, app_id: int, run_id: int, *, waiting: int, suppressed: int) -> None:
    """Count a planned page."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "total": waiting + suppressed,
        "waiting": waiting,
        "suppressed": suppressed,
    }
    await conn.execute(PLAN, values)


WAITING = "SELECT coalesce(sum(waiting), 0)::bigint FROM tally WHERE app_id = %(app_id)s AND run_id = %(run_id)s"


async def count_waiting(conn: Conn, app_id: int, run_id: int) -> int:
    """How many people of a run are planned and nobody has tried to text."""
    cursor = await conn.execute(WAITING, {"app_id": app_id, "run_id": run_id})
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


EXPIRE = """
UPDATE tally SET expired = expired + waiting, waiting = 0
WHERE app_id = %(app_id)s AND run_id = ANY(%(run_ids)s::int[]) AND waiting <> 0
"""


async def expire_waiting(conn: Conn, app_id: int, run_ids: Sequence[int]) -> None:
    """Count everyone who still waits as expired: their runs have ended. One step, whatever their number."""
    await conn.execute(EXPIRE, {"app_id": app_id, "run_ids": list(run_ids)})


# One snapshot for both halves, so that the sum holds at every instant. tally: a handful of rows by primary
# key. held: for each sender of the run its open chunks with a due time ahead, by the partial index chunk_open; all
# of them while the sender's day is used up. A chunk is 500 people, so ten million of them held is an index range of
# 20,000. LATERAL, because a join of all senders at once reads every chunk there is. And when nobody is held at all, the
# last due time says so, in one probe, before any chunk is looked at.
READ = """
WITH sums AS (
    SELECT coalesce(sum(total), 0) AS total, coalesce(sum(waiting), 0) AS waiting,
           coalesce(sum(submitting), 0) AS submitting, coalesce(sum(unknown), 0) AS unknown,
           coalesce(sum(accepted), 0) AS accepted, coalesce(sum(failed), 0) AS failed,
           coalesce(sum(delivered), 0) AS delivered, coalesce(sum(suppressed), 0) AS suppressed,
           coalesce(sum(expired), 0) AS expired
    FROM tally WHERE app_id = %(app_id)s AND run_id = %(run_id)s
), later AS (
    SELECT coalesce(sum(l.people), 0) AS held
    FROM run r CROSS JOIN unnest(coalesce(r.sender_ids, ARRAY[r.sender_id])) AS t (sender_id)
    LEFT JOIN sender s ON s.app_id = r.app_id AND s.sender_id = t.sender_id
    CROSS JOIN LATERAL (
        SELECT sum(c.last_seq - c.next_seq + 1 - c.gaps) AS people FROM chunk c
        WHERE c.app_id = r.app_id AND c.sender_id = t.sender_id AND c.run_id = r.run_id
          AND NOT c.done AND c.next_seq <= c.last_seq
          AND c.due_at > CASE WHEN s.held_until > %(now)s THEN '-infinity' ELSE %(now)s::timestamptz END
          AND (SELECT max(l.due_at) FROM chunk l
                WHERE l.app_id = r.app_id AND l.sender_id = t.sender_id AND l.run_id = r.run_id AND NOT l.done)
              > CASE WHEN s.held_until > %(now)s THEN '-infinity' ELSE %(now)s::timestamptz END
        OFFSET 0
    ) l
    WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s AND r.ended_at IS NULL
)
SELECT total::bigint, least(held, waiting)::bigint AS held, (waiting - least(held, waiting))::bigint AS ready,
       submitting::bigint, unknown::bigint, accepted::bigint, failed::bigint, delivered::bigint,
       suppressed::bigint, expired::bigint
FROM sums, later
"""


async def read(conn: Conn, app_id: int, run_id: int, now: datetime) -> Ledger:
    """The ledger of a run at ``now``; all zeros for a run that does not exist."""
    async with conn.cursor(row_factory=class_row(Ledger)) as cursor:
        row = await (await cursor.execute(READ, {"app_id": app_id, "run_id": run_id, "now": now})).fetchone()
    return row or Ledger()


# What `read` must always equal: counted from the rows themselves. Costs as much as the run is long.
RECOUNT = """
WITH r AS (
    SELECT * FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s
), people AS (
    SELECT coalesce(m.place, m.seq) AS place, o.status
    FROM r JOIN message m ON m.app_id = r.app_id AND m.run_id = r.run_id
    LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
), open AS (
    SELECT p.place, c.next_seq, greatest(c.due_at, s.held_until) AS due_at FROM people p
    JOIN r ON true
    JOIN chunk c ON c.app_id = r.app_id AND c.run_id = r.run_id AND p.place BETWEEN c.first_seq AND c.last_seq
    LEFT JOIN sender s ON s.app_id = c.app_id AND s.sender_id = c.sender_id
    WHERE p.status IS NULL
)
SELECT (SELECT count(*) FROM people) AS total,
       (SELECT count(*) FROM open, r WHERE place >= next_seq AND due_at > %(now)s AND r.ended_at IS NULL) AS held,
       (SELECT count(*) FROM open, r WHERE place >= next_seq AND due_at <= %(now)s AND r.ended_at IS NULL) AS ready,
       (SELECT count(*) FROM open WHERE place < next_seq) AS submitting,
       (SELECT count(*) FROM people WHERE status = 'unknown') AS unknown,
       (SELECT count(*) FROM people WHERE status = 'accepted') AS accepted,
       (SELECT count(*) FROM people WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM people WHERE status = 'delivered') AS delivered,
       (SELECT count(*) FROM people WHERE status = 'suppressed') AS suppressed,
       (SELECT count(*) FROM people WHERE status = 'expired')
         + (SELECT count(*) FROM open, r WHERE place >= next_seq AND r.ended_at IS NOT NULL) AS expired
"""


async def recount(conn: Conn, app_id: int, run_id: int, now: datetime) -> Ledger:
    """The ledger counted person by person, to hold :func:`read` against."""
    async with conn.cursor(row_factory=class_row(Ledger)) as cursor:
        row = await (await cursor.execute(RECOUNT, {"app_id": app_id, "run_id": run_id, "now": now})).fetchone()
    return row or Ledger()
