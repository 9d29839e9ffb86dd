"""Clearing up after deleted campaigns: unsent rows go, what was sent stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted campaign whose unsent rows are still there."""

    app_id: int
    campaign_id: int


LIST_DELETED = """
SELECT app_id, campaign_id FROM campaign WHERE deleted_at IS NOT NULL AND purged_at IS NULL
ORDER BY deleted_at LIMIT 100
"""


async def list_deleted(conn: Conn) -> list[Deleted]:
    """Up to 100 deleted campaigns to clear up after (partial index campaign_unpurged)."""
    async with conn.cursor(row_factory=class_row(Deleted)) as cursor:
        return await (await cursor.execute(LIST_DELETED)).fetchall()


UNMARK = """
DELETE FROM run_page p USING run r
WHERE r.app_id = %(app_id)s AND r.campaign_id = %(campaign_id)s AND p.app_id = r.app_id AND p.run_id = r.run_id
"""


async def unmark(conn: Conn, app_id: int, campaign_id: int) -> None:
    """Forget where planned pages of a deleted campaign begin: people will be missing before them."""
    await conn.execute(UNMARK, {"app_id": app_id, "campaign_id": campaign_id})


# Ten chunks (5,000 people) at a time, so that one step stays short. A chunk's places at or behind its
# cursor never left; those before it did, or may have, and stay. The chunk itself goes once nobody of it
# is unsettled; otherwise its end is drawn in to its cursor. Planned anew each time, as the tables are now.
PURGE_STEP = """
WITH old AS (
    SELECT c.app_id, c.run_id, c.chunk_no, c.next_seq, c.last_seq
    FROM run r CROSS JOIN unnest(coalesce(r.sender_ids, ARRAY[r.sender_id])) AS t (sender_id)
    JOIN chunk c ON c.app_id = r.app_id AND c.run_id = r.run_id AND c.sender_id = t.sender_id
    WHERE r.app_id = %(app_id)s AND r.campaign_id = %(campaign_id)s
      AND NOT c.done AND c.next_seq <= c.last_seq
    LIMIT 10 FOR UPDATE OF c
), by_seq AS (
    DELETE FROM message m USING old
    WHERE m.app_id = old.app_id AND m.run_id = old.run_id AND m.place IS NULL
      AND m.seq BETWEEN old.next_seq AND old.last_seq
    RETURNING m.run_id
), by_place AS (
    DELETE FROM message m USING old
    WHERE m.app_id = old.app_id AND m.run_id = old.run_id AND m.place BETWEEN old.next_seq AND old.last_seq
    RETURNING m.run_id
), closed AS (
    UPDATE chunk c SET last_seq = old.next_seq - 1, done = c.unsettled = 0 FROM old
    WHERE c.app_id = old.app_id AND c.run_id = old.run_id AND c.chunk_no = old.chunk_no
    RETURNING c.run_id
), gone AS (
    SELECT run_id, count(*) AS n FROM (SELECT * FROM by_seq UNION ALL SELECT * FROM by_place) b GROUP BY run_id
), uncounted AS (
    UPDATE tally t SET total = t.total - g.n, expired = t.expired - g.n FROM gone g
    WHERE t.app_id = %(app_id)s AND t.run_id = g.run_id AND t.sender_id = 0
)
SELECT (SELECT count(*) FROM closed), coalesce((SELECT sum(n) FROM gone), 0)
"""


async def purge_step(conn: Conn, app_id: int, campaign_id: int) -> tuple[int, int]:
    """One step: ``(chunks closed, people removed)``; ``(0, 0)`` when nothing is left to do."""
    values = {"app_id": app_id, "campaign_id": campaign_id}
    row = await (await conn.execute(PURGE_STEP, values, prepare=False)).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


MARK_PURGED = """
UPDATE campaign SET purged_at = %(now)s WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""


async def mark_purged(conn: Conn, app_id: int, campaign_id: int, *, now: datetime) -> None:
    """Remember that a deleted campaign is cleared up."""
    await conn.execute(MARK_PURGED, {"app_id": app_id, "campaign_id": campaign_id, "now": now})
