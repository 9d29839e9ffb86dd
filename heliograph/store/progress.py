"""How a run went over time, why texts failed, and what is still to come: for pages that draw it.

Of a large run so many people in equal distances are looked at, by their primary key: a chart of ten million costs what
one of ten thousand does, and neither sending nor receipts pay for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

EXACT = 5_000  # people up to whom everybody is looked at
SAMPLE = 2_000  # of more


@dataclass(frozen=True, slots=True)
class Sample:
    """Which people of a run are looked at: one in ``every``, up to the last place."""

    app_id: int
    run_id: int
    last: int
    every: int


LAST = "SELECT last_seq FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s"


async def sample(conn: Conn, app_id: int, run_id: int) -> Sample:
    """Whom to look at of a run."""
    row = await (await conn.execute(LAST, {"app_id": app_id, "run_id": run_id})).fetchone()
    last = 0 if row is None else int(row[0])
    return Sample(app_id, run_id, last, 1 if last <= EXACT else -(-last // SAMPLE))


def _values(of: Sample) -> dict[str, int]:
    return {"app_id": of.app_id, "run_id": of.run_id, "last": of.last, "every": of.every}


# One in each stretch of ``every`` places, at another place of each: what recurs every so many people (who they are from
# in a pool, how a list was put together) is seen as often as it is there.
_PLACES: LiteralString = """(
    SELECT 1 + g.i * %(every)s::int + (g.i * 7919 + %(every)s::int / 2) %% %(every)s::int AS seq
    FROM generate_series(0, (%(last)s::int - 1) / %(every)s::int) AS g (i)
) s"""


@dataclass(frozen=True, slots=True)
class Slot:
    """How many texts of those looked at had something happen to them from ``at`` on, for ``seconds``."""

    at: datetime
    seconds: int
    sent: int
    delivered: int
    failed: int
    replies: int


# LATERAL ... LIMIT 1: one probe of the primary key for each place, whatever the statistics say of a young run.
# A reply counts when it came within a week of the text. The width of a slot is the least that makes 72 of them at most.
TIMELINE: LiteralString = f"""
WITH looked AS MATERIALIZED (
    SELECT o.status, o.submitted_at, o.settled_at, m.number
    FROM {_PLACES}
    CROSS JOIN LATERAL (
        SELECT x.status, x.submitted_at, x.settled_at FROM outcome x
        WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = s.seq
          AND x.status IN ('unknown', 'accepted', 'failed', 'delivered') LIMIT 1
    ) o
    CROSS JOIN LATERAL (
        SELECT x.number FROM message x
        WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = s.seq LIMIT 1
    ) m
), happened AS MATERIALIZED (
    SELECT submitted_at AS at, 1 AS sent, 0 AS delivered, 0 AS failed, 0 AS replies FROM looked
    WHERE submitted_at IS NOT NULL
    UNION ALL
    SELECT settled_at, 0, (status = 'delivered')::int, (status = 'failed')::int, 0 FROM looked
    WHERE status IN ('delivered', 'failed')
    UNION ALL
    SELECT r.received_at, 0, 0, 0, 1 FROM looked l CROSS JOIN LATERAL (
        SELECT x.received_at FROM reply x
        WHERE x.app_id = %(app_id)s AND x.number = l.number
          AND x.received_at BETWEEN l.submitted_at AND l.submitted_at + interval '7 days' LIMIT 20
    ) r
), width AS (
    SELECT coalesce(
        (SELECT min(w) FROM unnest(ARRAY[1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400,
                                         604800]) AS w
          WHERE w * 72 >= extract(epoch FROM max(at) - min(at))), 604800) AS seconds
    FROM happened
)
SELECT date_bin(make_interval(secs => w.seconds), h.at, '2001-01-01 00:00+00'::timestamptz) AS at, w.seconds,
       sum(sent)::int AS sent, sum(delivered)::int AS delivered, sum(failed)::int AS failed,
       sum(replies)::int AS replies
FROM happened h CROSS JOIN width w GROUP BY 1, 2 ORDER BY 1
"""


async def timeline(conn: Conn, of: Sample) -> list[Slot]:
    """What happened when, in at most 73 or so slots of one width; those in which nothing did are left out."""
    async with conn.cursor(row_factory=class_row(Slot)) as cursor:
        return await (await cursor.execute(TIMELINE, _values(of))).fetchall()


@dataclass(frozen=True, slots=True)
class Reason:
    """So many of those looked at failed, were left out, expired or are unknown for one reason."""

    status: str
    reason: str
    people: int


REASONS: LiteralString = f"""
SELECT o.status::text AS status, coalesce(o.reason, '') AS reason, count(*)::int AS people
FROM {_PLACES}
CROSS JOIN LATERAL (
    SELECT x.status, x.reason FROM outcome x
    WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = s.seq
      AND x.status NOT IN ('accepted', 'delivered') LIMIT 1
) o
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


async def reasons(conn: Conn, of: Sample) -> list[Reason]:
    """Why texts did not arrive, the most frequent reason first."""
    async with conn.cursor(row_factory=class_row(Reason)) as cursor:
        return await (await cursor.execute(REASONS, _values(of))).fetchall()


# Whoever has no ref was left out, refused or lost: of few enough everybody is counted, though the run is large.
REFLESS_REASONS = """
SELECT status::text AS status, coalesce(reason, '') AS reason, count(*)::int AS people FROM outcome
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND carrier_ref IS NULL
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


async def refless_reasons(conn: Conn, app_id: int, run_id: int) -> list[Reason]:
    """The same of all without a carrier's reference, exactly. Read it where these are few: it reads each of them."""
    async with conn.cursor(row_factory=class_row(Reason)) as cursor:
        return await (await cursor.execute(REFLESS_REASONS, {"app_id": app_id, "run_id": run_id})).fetchall()


@dataclass(frozen=True, slots=True)
class Weight:
    """So many texts of those looked at have so many parts, to numbers that begin so; ``left``: they were sent."""

    parts: int
    start: str
    left: bool
    texts: int


WEIGHTS: LiteralString = f"""
SELECT m.parts, left(m.number, 8) AS start, o.status IS NOT NULL AS left, count(*)::int AS texts
FROM {_PLACES}
CROSS JOIN LATERAL (
    SELECT x.number, x.parts FROM message x
    WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = s.seq AND x.parts > 0 LIMIT 1
) m
LEFT JOIN LATERAL (
    SELECT x.status FROM outcome x
    WHERE x.app_id = %(app_id)s AND x.run_id = %(run_id)s AND x.seq = s.seq
      AND x.submitted_at IS NOT NULL LIMIT 1
) o ON true
GROUP BY 1, 2, 3
"""


async def weights(conn: Conn, of: Sample) -> list[Weight]:
    """How many parts texts have, and where they go."""
    async with conn.cursor(row_factory=class_row(Weight)) as cursor:
        return await (await cursor.execute(WEIGHTS, _values(of))).fetchall()


@dataclass(frozen=True, slots=True)
class Wait:
    """People who wait for one time, in one zone, under one law."""

    due_at: datetime
    zone: str
    law: str
    people: int


# By chunk_open: a chunk is 500 people, so ten million who wait are 20,000 rows.
WAITS = """
SELECT greatest(c.due_at, s.held_until) AS due_at, c.zone, c.law,
       sum(c.last_seq - c.next_seq + 1 - c.gaps)::int AS people
FROM run r CROSS JOIN unnest(coalesce(r.sender_ids, ARRAY[r.sender_id])) AS t (sender_id)
LEFT JOIN sender s ON s.app_id = r.app_id AND s.sender_id = t.sender_id
JOIN chunk c ON c.app_id = r.app_id AND c.sender_id = t.sender_id AND c.run_id = r.run_id AND NOT c.done
WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s AND r.ended_at IS NULL AND c.next_seq <= c.last_seq
GROUP BY 1, 2, 3
"""


async def waits(conn: Conn, app_id: int, run_id: int) -> list[Wait]:
    """Who of a run still waits, for what time."""
    async with conn.cursor(row_factory=class_row(Wait)) as cursor:
        return await (await cursor.execute(WAITS, {"app_id": app_id, "run_id": run_id})).fetchall()


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run of a campaign, and where its people stood last."""

    run_id: int
    public_id: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    emergency: bool
    retry: bool
    total: int
    sent: int
    delivered: int
    failed: int
    suppressed: int


RUNS = """
SELECT r.run_id, r.public_id, r.started_at, r.ended_at, r.end_reason, r.emergency, r.retry_of IS NOT NULL AS retry,
       t.*
FROM (
    SELECT * FROM run
    WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND companion_of IS NULL
    ORDER BY run_id DESC LIMIT %(limit)s
) r CROSS JOIN LATERAL (
    SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(accepted + delivered), 0)::bigint AS sent,
           coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(suppressed), 0)::bigint AS suppressed
    FROM tally x WHERE x.app_id = r.app_id AND x.run_id = r.run_id
) t
ORDER BY r.run_id DESC
"""


async def list_runs(conn: Conn, app_id: int, campaign_id: int, *, limit: int = 20) -> list[Earlier]:
    """The runs of a campaign, the newest first."""
    values = {"app_id": app_id, "campaign_id": campaign_id, "limit": limit}
    async with conn.cursor(row_factory=class_row(Earlier)) as cursor:
        return await (await cursor.execute(RUNS, values)).fetchall()
