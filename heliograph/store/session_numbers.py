"""The numbers of conversations, a page of them, and one with everything that was said in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


class Group(NamedTuple):
    """Sessions at one node with one result (None: under way, the first text ``waiting`` or gone)."""

    node: str
    result: str | None
    waiting: bool
    sessions: int
    answered: int


# A session whose run has ended is over as the run is, whether or not it has been closed. One pass over the run's
# sessions, by session_run; those of a flow, over all of the app's.
GROUPS = """
SELECT s.node, coalesce(s.result, r.end_reason) AS result,
       NOT s.opened AND s.ended_at IS NULL AND r.ended_at IS NULL AS waiting, count(*)::int AS sessions,
       count(*) FILTER (WHERE s.answers > 0)::int AS answered
FROM session s LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
WHERE s.app_id = %(app_id)s AND (%(run_id)s::int IS NULL OR s.run_id = %(run_id)s)
  AND (%(flow)s::text IS NULL OR s.flow = %(flow)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def groups(conn: Conn, app_id: int, *, run_id: int | None = None, flow: str | None = None) -> list[Group]:
    """How many sessions of a run, or of a flow, stand where."""
    cursor = await conn.execute(GROUPS, {"app_id": app_id, "run_id": run_id, "flow": flow})
    return [Group(*row) for row in await cursor.fetchall()]


MEDIAN = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.first_answer_at - s.left_at))
FROM session s
WHERE s.app_id = %(app_id)s AND (%(run_id)s::int IS NULL OR s.run_id = %(run_id)s)
  AND (%(flow)s::text IS NULL OR s.flow = %(flow)s) AND s.run_id <> 0
  AND s.first_answer_at IS NOT NULL AND s.left_at IS NOT NULL
"""


async def median_seconds(
    conn: Conn, app_id: int, *, run_id: int | None = None, flow: str | None = None
) -> float | None:
    """After how many seconds half of those who answered our first text had; None when nobody has."""
    row = await (await conn.execute(MEDIAN, {"app_id": app_id, "run_id": run_id, "flow": flow})).fetchone()
    return None if row is None or row[0] is None else max(0.0, float(row[0]))


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as lists show it. ``result`` None: it is under way."""

    session_id: int
    number: str
    address: str
    flow: str
    version: int
    state: str
    node: str
    answers: int
    started_at: datetime
    left_at: datetime | None
    due: datetime | None
    ended_at: datetime | None
    result: str | None


_LISTED = """
SELECT s.session_id, s.number, s.address, s.flow, s.version,
       CASE WHEN r.ended_at IS NULL OR s.ended_at IS NOT NULL THEN s.state ELSE 'ended' END AS state, s.node, s.answers,
       s.started_at, s.left_at, CASE WHEN r.ended_at IS NULL THEN s.due END AS due,
       coalesce(s.ended_at, r.ended_at) AS ended_at, coalesce(s.result, r.end_reason) AS result
FROM session s LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
"""

PAGE = f"""{_LISTED}
WHERE s.app_id = %(app_id)s AND s.run_id = %(run_id)s ORDER BY s.session_id OFFSET %(skip)s LIMIT %(limit)s
"""


async def page(conn: Conn, app_id: int, run_id: int, *, skip: int, limit: int) -> list[Listed]:
    """Some sessions of a run, in the order in which they were planned."""
    values = {"app_id": app_id, "run_id": run_id, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Listed)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


FIND = f"""{_LISTED}
WHERE s.app_id = %(app_id)s AND s.session_id = %(session_id)s AND s.run_id = %(run_id)s
"""


async def find(conn: Conn, app_id: int, run_id: int, session_id: int) -> Listed | None:
    """A session of a run, or None."""
    values = {"app_id": app_id, "session_id": session_id, "run_id": run_id}
    async with conn.cursor(row_factory=class_row(Listed)) as cursor:
        return await (await cursor.execute(FIND, values)).fetchone()


WAITS_FOR = f"""{_LISTED}
WHERE s.app_id = %(app_id)s AND s.number = %(number)s AND s.ended_at IS NULL AND r.ended_at IS NULL
ORDER BY s.session_id DESC
"""


async def under_way(conn: Conn, app_id: int, number: str) -> list[Listed]:
    """The sessions of a person that are not over, the newest first."""
    async with conn.cursor(row_factory=class_row(Listed)) as cursor:
        return await (await cursor.execute(WAITS_FOR, {"app_id": app_id, "number": number})).fetchall()


class Line(NamedTuple):
    """Something said in a session. ``status``: of a text of ours, None while it waits; ``node``: where it was said."""

    ours: bool
    text: str
    at: datetime
    status: str | None
    reason: str | None
    node: str | None
    run_public_id: str | None
    seq: int | None


# The first text is the row's own, whose words are the run's where it has none of its own.
TRANSCRIPT = """
WITH texts AS (
    SELECT 0 AS act, s.run_id, s.seq, NULL::text AS node, s.started_at AS at FROM session s
    WHERE s.app_id = %(app_id)s AND s.session_id = %(session_id)s AND s.seq > 0
    UNION ALL
    SELECT t.act, t.run_id, t.seq, t.node, t.at FROM session_text t
    WHERE t.app_id = %(app_id)s AND t.session_id = %(session_id)s
)
SELECT true AS ours, coalesce(m.text, r.template) AS text, coalesce(o.submitted_at, o.settled_at, t.at) AS at,
       o.status::text AS status, o.reason, t.node, r.public_id AS run_public_id, t.seq, t.act AS place
FROM texts t JOIN message m ON m.app_id = %(app_id)s AND m.run_id = t.run_id AND m.seq = t.seq
JOIN run r ON r.app_id = m.app_id AND r.run_id = m.run_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
UNION ALL
SELECT false, p.text, p.received_at, p.became, NULL, NULL, NULL, NULL, 0
FROM reply p WHERE p.app_id = %(app_id)s AND p.session_id = %(session_id)s
ORDER BY at, place
"""


async def transcript(conn: Conn, app_id: int, session_id: int) -> list[Line]:
    """All that was said in a session, both ways, in order. Of a reply ``status`` is what became of it."""
    cursor = await conn.execute(TRANSCRIPT, {"app_id": app_id, "session_id": session_id})
    return [Line(*row[:8]) for row in await cursor.fetchall()]
