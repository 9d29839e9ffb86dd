"""How the texts of runs went by country: counted from their rows, in pages, behind the back of whoever sends.

Nothing on a text's way pays for it: neither planning, sending nor receipts know of these tables. A run is counted again
when its tallies say something else than when it was counted last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.database import Conn

STATUSES = ("waiting", "accepted", "delivered", "failed", "unknown", "suppressed", "expired")


@dataclass(frozen=True, slots=True)
class Stale:
    """A run that has moved since it was counted. ``stood``: what its tallies say now."""

    app_id: int
    run_id: int
    last_seq: int
    stood: list[int] = field(default_factory=list[int])


# Every run's tallies are read, a few rows each: 20 ms for ten thousand runs, every 20 s, by one worker. Those before
# `since` have long been counted.
LIST_STALE = """
SELECT r.app_id, r.run_id, r.last_seq, t.stood
FROM run r CROSS JOIN LATERAL (
    SELECT ARRAY[sum(x.total), sum(x.waiting + x.submitting), sum(x.accepted), sum(x.delivered), sum(x.failed),
                 sum(x.unknown), sum(x.suppressed), sum(x.expired)]::bigint[] AS stood
    FROM tally x WHERE x.app_id = r.app_id AND x.run_id = r.run_id HAVING sum(x.total) > 0
) t
LEFT JOIN run_counted c ON c.app_id = r.app_id AND c.run_id = r.run_id
WHERE (r.started_at >= %(since)s OR c.run_id IS NULL)
  AND (c.run_id IS NULL OR c.stood <> t.stood AND c.not_before <= %(now)s)
ORDER BY c.counted_at NULLS FIRST, r.run_id DESC LIMIT %(limit)s
"""


async def list_stale(conn: Conn, *, since: datetime, now: datetime, limit: int) -> list[Stale]:
    """Runs that are to be counted, those first that never were, the newest of them first."""
    async with conn.cursor(row_factory=class_row(Stale)) as cursor:
        return await (await cursor.execute(LIST_STALE, {"since": since, "now": now, "limit": limit})).fetchall()


# A range of message's primary key, and LATERAL ... LIMIT 1: one probe of outcome's for each, whatever statistics say
# of a young run. 20,000 people take a twentieth of a second; a join took 45 s where nothing was analysed yet.
# Whoever has no outcome waits, or is in hand, while the run goes on; afterwards they were not texted in time.
# A number's first digits tell its country.
COUNT_PAGE = """
SELECT CASE WHEN m.number LIKE '+1%%' THEN left(m.number, 5) ELSE left(m.number, 4) END AS start,
       coalesce(o.status::text, (SELECT CASE WHEN r.ended_at IS NULL THEN 'waiting' ELSE 'expired' END
                                 FROM run r WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s)) AS status,
       count(*)::bigint AS people
FROM message m LEFT JOIN LATERAL (
    SELECT x.status FROM outcome x
    WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = m.seq LIMIT 1
) o ON true
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq > %(after)s AND m.seq <= %(upto)s
GROUP BY 1, 2
"""


async def count_page(conn: Conn, of: Stale, *, after: int, upto: int) -> list[tuple[str, str, int]]:
    """``(beginning of the number, status, people)`` of those behind ``after``, up to ``upto``."""
    values = {"app_id": of.app_id, "run_id": of.run_id, "after": after, "upto": upto}
    rows = await (await conn.execute(COUNT_PAGE, values)).fetchall()
    return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]


DROP = "DELETE FROM run_country WHERE app_id = %(app_id)s AND run_id = %(run_id)s"


async def drop(conn: Conn, of: Stale) -> None:
    """Forget what was counted of a run."""
    await conn.execute(DROP, {"app_id": of.app_id, "run_id": of.run_id})


PUT = """
INSERT INTO run_country
    (app_id, run_id, country, total, waiting, accepted, delivered, failed, unknown, suppressed, expired)
SELECT %(app_id)s, %(run_id)s, *
FROM unnest(%(country)s::text[], %(total)s::bigint[], %(waiting)s::bigint[], %(accepted)s::bigint[],
            %(delivered)s::bigint[], %(failed)s::bigint[], %(unknown)s::bigint[], %(suppressed)s::bigint[],
            %(expired)s::bigint[])
"""


async def put(conn: Conn, of: Stale, found: Mapping[str, Mapping[str, int]]) -> None:
    """Keep the counts of a run, by country and status."""
    values: dict[str, object] = {"app_id": of.app_id, "run_id": of.run_id, "country": list(found)}
    values["total"] = [sum(each.values()) for each in found.values()]
    for status in STATUSES:
        values[status] = [each.get(status, 0) for each in found.values()]
    await conn.execute(PUT, values)


MARK = """
INSERT INTO run_counted (app_id, run_id, stood, counted_at, not_before)
VALUES (%(app_id)s, %(run_id)s, %(stood)s::bigint[], %(now)s, %(not_before)s)
ON CONFLICT (app_id, run_id) DO UPDATE
    SET stood = excluded.stood, counted_at = excluded.counted_at, not_before = excluded.not_before
"""


async def mark(conn: Conn, of: Stale, *, now: datetime, not_before: datetime) -> None:
    """Remember how the run stood when it was counted, and from when on it may be counted again."""
    values = {"app_id": of.app_id, "run_id": of.run_id, "stood": of.stood, "now": now, "not_before": not_before}
    await conn.execute(MARK, values)
