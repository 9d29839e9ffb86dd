"""The numbers of conversations, a page of them, and one with everything that was said in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


EXACT = 50_000  # sessions up to which a page counts all of them
PROBES = 10_000  # looked at where there are more


class Group(NamedTuple):
    """Sessions at one node with one result (None: under way, the first text ``waiting`` or gone)."""

    node: str
    result: str | None
    waiting: bool
    sessions: int
    answered: int


# A session whose run has ended is over as the run is, whether or not it has been closed. One pass over the run's
# sessions, by session_run, or over the flow's, by session_flow.
_WHOLE: LiteralString = "session s"

# Of many, one in each stretch of ``every`` numbers, at another place of each (see progress.py), by a probe of the
# primary key: whatever is found stands for ``every``. All 200,000 of a run took 225 ms, and ten times as many would
# take ten times as long; 10,000 probes take 55.
_SOME: LiteralString = """generate_series(0, (%(last)s::bigint - %(first)s::bigint) / %(every)s::bigint) AS g (i)
CROSS JOIN LATERAL (
    SELECT * FROM session x
    WHERE x.app_id = %(app_id)s
      AND x.session_id = %(first)s::bigint + g.i * %(every)s::bigint + g.i * 7919 %% %(every)s::bigint LIMIT 1
) s"""


def _groups(sessions: LiteralString) -> LiteralString:
    return f"""
SELECT s.node, coalesce(s.result, r.end_reason) AS result,
       NOT s.opened AND s.ended_at IS NULL AND r.ended_at IS NULL AS waiting,
       (count(*) * %(every)s)::int AS sessions, (count(*) FILTER (WHERE s.answers > 0) * %(every)s)::int AS answered
FROM {sessions} LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
WHERE s.app_id = %(app_id)s AND (%(run_id)s::int IS NULL OR s.run_id = %(run_id)s)
  AND (%(flow)s::text IS NULL OR s.flow = %(flow)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


GROUPS = _groups(_WHOLE)


async def groups(conn: Conn, app_id: int, *, run_id: int | None = None, flow: str | None = None) -> list[Group]:
    """How many sessions of a run, or of a flow, stand where."""
    cursor = await conn.execute(GROUPS, {"app_id": app_id, "run_id": run_id, "flow": flow, "every": 1})
    return [Group(*row) for row in await cursor.fetchall()]


def _median(sessions: LiteralString) -> LiteralString:
    return f"""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.first_answer_at - s.left_at))
FROM {sessions}
WHERE s.app_id = %(app_id)s AND (%(run_id)s::int IS NULL OR s.run_id = %(run_id)s)
  AND (%(flow)s::text IS NULL OR s.flow = %(flow)s) AND s.run_id <> 0
  AND s.first_answer_at IS NOT NULL AND s.left_at IS NOT NULL
"""


MEDIAN = _median(_WHOLE)


async def median_seconds(
    conn: Conn, app_id: int, *, run_id: int | None = None, flow: str | None = None
) -> float | None:
    """After how many seconds half of those who answered our first text had; None when nobody has."""
    row = await (await conn.execute(MEDIAN, {"app_id": app_id, "run_id": run_id, "flow": flow})).fetchone()
    return None if row is None or row[0] is None else max(0.0, float(row[0]))


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a page shows of the sessions of a run or a flow. One in ``every`` was looked at; 1: all of them."""

    groups: list[Group]
    median_seconds: float | None
    every: int


NOBODY = Numbers([], None, 1)

_NAMED: LiteralString = """SELECT session_id FROM session
     WHERE app_id = %(app_id)s AND (%(run_id)s::int IS NULL OR run_id = %(run_id)s)
       AND (%(flow)s::text IS NULL OR flow = %(flow)s)"""

SPAN: LiteralString = f"""
SELECT ({_NAMED} ORDER BY session_id LIMIT 1), ({_NAMED} ORDER BY session_id DESC LIMIT 1)
WHERE EXISTS ({_NAMED} ORDER BY session_id OFFSET %(exact)s LIMIT 1)
"""
SOME_GROUPS, SOME_MEDIAN = _groups(_SOME), _median(_SOME)


async def look(conn: Conn, app_id: int, *, run_id: int | None = None, flow: str | None = None) -> Numbers:
    """The numbers of a run or a flow in bounded time: of all its sessions, or where there are many of some."""
    values: dict[str, object] = {"app_id": app_id, "run_id": run_id, "flow": flow, "exact": EXACT}
    span = await (await conn.execute(SPAN, values)).fetchone()
    if span is None:
        found = await groups(conn, app_id, run_id=run_id, flow=flow)
        return Numbers(found, await median_seconds(conn, app_id, run_id=run_id, flow=flow) if found else None, 1)
    first, last = int(span[0]), int(span[1])
    every = -(-(last - first + 1) // PROBES)
    values |= {"first": first, "last": last, "every": every}
    some = await (await conn.execute(SOME_GROUPS, values)).fetchall()
    median = await (await conn.execute(SOME_MEDIAN, values)).fetchone()
    seconds = None if median is None or median[0] is None else max(0.0, float(median[0]))
    return Numbers([Group(*row) for row in some], seconds, every)


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
