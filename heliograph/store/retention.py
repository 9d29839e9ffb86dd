"""Removing what an app does not keep any longer, in small steps; every row that a number rests on stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, LiteralString

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.retention import Cutoffs
    from heliograph.store.database import Conn

What = Literal["people", "texts"]
STEP = 2_000  # messages that one statement looks at
ROWS = 1_000  # rows of other tables that one statement removes
MOST = 1_000_000  # counted at most

LIST_APPS = "SELECT app_id, retention::text FROM app_setting WHERE retention IS NOT NULL ORDER BY app_id"


async def list_apps(conn: Conn) -> list[tuple[int, str]]:
    """The apps that do not keep everything for ever, with their setting."""
    return [(int(row[0]), str(row[1])) for row in await (await conn.execute(LIST_APPS)).fetchall()]


@dataclass(frozen=True, slots=True)
class Due:
    """A run of which something is to be removed: everybody from ``kept`` to ``last_seq``; ``ends``: it has ended."""

    run_id: int
    kept: int
    last_seq: int
    ends: bool


# From the front of run_with_people or run_with_texts; the look at tallies and at runs that retry it is for those few
# rows. Whoever is unknown is still to be decided about, and a run over failures still reads whom it is to text.
_FREE: LiteralString = """
  AND (SELECT coalesce(sum(t.unknown), 0) FROM tally t WHERE t.app_id = r.app_id AND t.run_id = r.run_id) = 0
  AND NOT EXISTS (
      SELECT FROM run x WHERE x.app_id = r.app_id AND x.campaign_id = r.campaign_id AND x.retry_of = r.run_id
        AND x.planned_at IS NULL AND x.ended_at IS NULL)
ORDER BY r.ended_at LIMIT 20
"""
LIST_RUNS: dict[What, LiteralString] = {
    "people": f"""
SELECT r.run_id, r.people_kept AS kept, r.last_seq, true AS ends FROM run r
WHERE r.app_id = %(app_id)s AND r.ended_at < %(before)s AND NOT r.people_gone {_FREE}""",
    "texts": f"""
SELECT r.run_id, r.texts_kept AS kept, r.last_seq, true AS ends FROM run r
WHERE r.app_id = %(app_id)s AND r.ended_at < %(before)s AND NOT r.texts_gone {_FREE}""",
}


async def list_runs(conn: Conn, app_id: int, what: What, *, before: datetime) -> list[Due]:
    """Some of the runs that ended before then of which something is left to remove, the oldest first."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        return await (await cursor.execute(LIST_RUNS[what], {"app_id": app_id, "before": before})).fetchall()


# One-off texts leave in runs that never end: of those, as far as everybody in a row was settled before then.
LIST_SINGLES: dict[What, LiteralString] = {
    "people": """
SELECT r.run_id, r.people_kept AS kept, r.last_seq, false AS ends
FROM campaign k JOIN run r ON r.app_id = k.app_id AND r.campaign_id = k.campaign_id
WHERE k.app_id = %(app_id)s AND k.kind = 'single' AND r.ended_at IS NULL AND r.people_kept <= r.last_seq""",
    "texts": """
SELECT r.run_id, r.texts_kept AS kept, r.last_seq, false AS ends
FROM campaign k JOIN run r ON r.app_id = k.app_id AND r.campaign_id = k.campaign_id
WHERE k.app_id = %(app_id)s AND k.kind = 'single' AND r.ended_at IS NULL AND r.texts_kept <= r.last_seq""",
}


async def list_singles(conn: Conn, app_id: int, what: What) -> list[Due]:
    """The app's runs of one-off texts of which something may be left to remove."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        return await (await cursor.execute(LIST_SINGLES[what], {"app_id": app_id})).fetchall()


# By the primary keys of both. Outcomes are bounded too: PostgreSQL does not conclude that by itself, and read all.
REACH = """
SELECT coalesce(min(m.seq) - 1, %(last)s)
FROM message m LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
    AND o.seq BETWEEN %(first)s AND %(last)s
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq BETWEEN %(first)s AND %(last)s
  AND (o.status IS NULL OR o.status = 'unknown' OR o.settled_at >= %(before)s)
"""


async def reach(conn: Conn, app_id: int, run_id: int, first: int, last: int, *, before: datetime) -> int:
    """The last of the messages ``first`` to ``last`` such that all up to it were settled before then."""
    values = {"app_id": app_id, "run_id": run_id, "first": first, "last": last, "before": before}
    row = await (await conn.execute(REACH, values)).fetchone()
    return first - 1 if row is None else int(row[0])


# By the primary key. `text` null is the run's own template, word for word: that is about nobody. A number that is
# empty is in no index of numbers.
REMOVE: dict[What, LiteralString] = {
    "people": """
WITH gone AS (
    UPDATE message SET number = '', list_id = 0, contact_seq = 0, text = CASE WHEN text IS NOT NULL THEN '' END
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq BETWEEN %(first)s AND %(last)s AND number <> ''
    RETURNING seq
), moved AS (
    UPDATE run SET people_kept = %(last)s + 1, people_gone = %(done)s, texts_kept = greatest(texts_kept, %(last)s + 1),
                   texts_gone = texts_gone OR %(done)s, removed_at = %(now)s
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s
)
SELECT count(*) FROM gone""",
    "texts": """
WITH gone AS (
    UPDATE message SET text = ''
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq BETWEEN %(first)s AND %(last)s AND text <> ''
    RETURNING seq
), moved AS (
    UPDATE run SET texts_kept = %(last)s + 1, texts_gone = %(done)s, removed_at = %(now)s
    WHERE app_id = %(app_id)s AND run_id = %(run_id)s
)
SELECT count(*) FROM gone""",
}


async def remove(conn: Conn, app_id: int, what: What, of: Due, *, last: int, now: datetime) -> int:
    """Remove the people or the texts of a run's messages from ``of.kept`` to ``last``; how many there were."""
    values = {
        "app_id": app_id,
        "run_id": of.run_id,
        "first": of.kept,
        "last": last,
        "done": of.ends and last >= of.last_seq,
        "now": now,
    }
    row = await (await conn.execute(REMOVE[what], values)).fetchone()
    return 0 if row is None else int(row[0])


# What people wrote, but in conversations that are open; and what answered it by itself. What they said of being texted
# is evidence, and stays word for word in `consent`. By reply_age; arrays (here and below), as a join with a thousand
# rows reads a whole table where that seems small. What is old in open
# conversations is passed over, from `since` on: where the step before came to.
FORGET_REPLIES = """
WITH old AS (
    SELECT r.reply_id FROM reply r
    WHERE r.app_id = %(app_id)s AND r.received_at >= coalesce(%(since)s, '-infinity'::timestamptz)
      AND r.received_at < %(before)s AND r.handled_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM conversation c WHERE c.app_id = r.app_id AND c.number = r.number AND c.open)
    ORDER BY r.received_at LIMIT %(rows)s
), answered AS (
    DELETE FROM auto_answer WHERE app_id = %(app_id)s AND reply_id = ANY(ARRAY(SELECT reply_id FROM old))
), gone AS (
    DELETE FROM reply WHERE app_id = %(app_id)s AND reply_id = ANY(ARRAY(SELECT reply_id FROM old))
    RETURNING received_at
)
SELECT count(*), max(received_at) FROM gone
"""


async def forget_replies(
    conn: Conn, app_id: int, *, before: datetime, since: datetime | None = None
) -> tuple[int, datetime | None]:
    """Remove some of what was received before then, and since: how many, and when the last of them was received."""
    values = {"app_id": app_id, "before": before, "since": since, "rows": ROWS}
    row = await (await conn.execute(FORGET_REPLIES, values)).fetchone()
    return (0, None) if row is None else (int(row[0]), row[1])


# From the front of conversation_closed.
FORGET_CONVERSATIONS = """
WITH old AS (
    SELECT conversation_id FROM conversation
    WHERE app_id = %(app_id)s AND last_at < %(before)s AND NOT open ORDER BY last_at LIMIT %(rows)s
), events AS (
    DELETE FROM conversation_event
    WHERE app_id = %(app_id)s AND conversation_id = ANY(ARRAY(SELECT conversation_id FROM old))
)
DELETE FROM conversation
WHERE app_id = %(app_id)s AND conversation_id = ANY(ARRAY(SELECT conversation_id FROM old))
"""


async def forget_conversations(conn: Conn, app_id: int, *, before: datetime) -> int:
    """Remove some of the closed conversations in which nothing has happened since then; how many that were."""
    return (await conn.execute(FORGET_CONVERSATIONS, {"app_id": app_id, "before": before, "rows": ROWS})).rowcount


# From the front of session_age, which those that are emptied leave. A session's row stays, as the numbers of flows
# count it; what the person said in it goes.
FORGET_SESSIONS = """
UPDATE session s SET number = '', list_id = 0, contact_seq = 0, todo = NULL,
    data = (s.data::jsonb || '{"results": {}, "changed": {}, "answer": ""}'::jsonb)::json
WHERE app_id = %(app_id)s AND session_id = ANY(ARRAY(
    SELECT session_id FROM session
    WHERE app_id = %(app_id)s AND ended_at < %(before)s AND number <> '' ORDER BY ended_at LIMIT %(rows)s))
"""


async def forget_sessions(conn: Conn, app_id: int, *, before: datetime) -> int:
    """Remove what some sessions that ended before then know of their people; how many that were."""
    return (await conn.execute(FORGET_SESSIONS, {"app_id": app_id, "before": before, "rows": ROWS})).rowcount


ALLOW = "SELECT set_config('heliograph.retention', 'on', true)"


async def allow(conn: Conn) -> None:
    """Let this transaction remove entries of the audit; see the trigger ``audit_stays``."""
    await conn.execute(ALLOW)


# From the front of audit_app. Entries are written in the order of their time, or nearly: only the app's first are
# looked at, or else all would be wherever none is old enough.
FORGET_AUDIT = """
DELETE FROM audit WHERE audit_id = ANY(ARRAY(
    SELECT audit_id FROM (
        SELECT audit_id, at FROM audit WHERE app_id = %(app_id)s ORDER BY audit_id LIMIT %(rows)s) AS first
    WHERE at < %(before)s))
"""


async def forget_audit(conn: Conn, app_id: int, *, before: datetime) -> int:
    """Remove some of the app's entries from before then, which the transaction has to :func:`allow`; how many."""
    return (await conn.execute(FORGET_AUDIT, {"app_id": app_id, "before": before, "rows": ROWS})).rowcount


@dataclass(frozen=True, slots=True)
class Counts:
    """What would be removed now: each to a million at most, beside what the totals of ended runs say."""

    texts: int
    people: int
    conversations: int
    replies: int
    audit: int


# Ended runs by their tallies, so that a campaign of ten million costs what one of ten does. One-off texts and the audit
# up to the first that is to stay: what is read is what would go, and that one. `kept` is `people_kept` or `texts_kept`.
def _texts(before: LiteralString, gone: LiteralString, kept: LiteralString) -> LiteralString:
    return f"""
    (SELECT coalesce(sum(t.total), 0)::bigint FROM run r JOIN tally t ON t.app_id = r.app_id AND t.run_id = r.run_id
     WHERE r.app_id = %(app_id)s AND r.ended_at < {before} AND NOT r.{gone})
    + (SELECT coalesce(sum(stays.seq - r.{kept}), 0)::bigint
       FROM campaign k JOIN run r ON r.app_id = k.app_id AND r.campaign_id = k.campaign_id
       CROSS JOIN LATERAL (SELECT coalesce((
           SELECT m.seq FROM message m LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id
               AND o.seq = m.seq AND o.seq >= r.{kept}
           WHERE m.app_id = r.app_id AND m.run_id = r.run_id AND m.seq BETWEEN r.{kept} AND r.{kept} + %(most)s - 1
             AND (o.status IS NULL OR o.status = 'unknown' OR o.settled_at >= {before})
           ORDER BY m.seq LIMIT 1), least(r.last_seq + 1, r.{kept} + %(most)s)) AS seq) AS stays
       WHERE k.app_id = %(app_id)s AND k.kind = 'single' AND r.ended_at IS NULL AND r.{kept} <= r.last_seq
         AND {before} IS NOT NULL)"""


COUNT: LiteralString = f"""
SELECT {_texts("%(texts)s::timestamptz", "texts_gone", "texts_kept")} AS texts,
    {_texts("%(people)s::timestamptz", "people_gone", "people_kept")} AS people,
    (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND last_at < %(conversations)s
                           AND NOT open LIMIT %(most)s) c) AS conversations,
    (SELECT count(*) FROM (SELECT FROM reply WHERE app_id = %(app_id)s AND received_at < %(conversations)s
                           AND handled_at IS NOT NULL LIMIT %(most)s) r) AS replies,
    (SELECT count(*) FROM (
        SELECT FROM audit WHERE app_id = %(app_id)s AND %(audit)s::timestamptz IS NOT NULL AND audit_id < coalesce((
            SELECT audit_id FROM audit WHERE app_id = %(app_id)s AND at >= %(audit)s ORDER BY audit_id LIMIT 1),
            9223372036854775807) LIMIT %(most)s) a) AS audit
"""


async def count(conn: Conn, app_id: int, cutoffs: Cutoffs) -> Counts:
    """What would be removed by these cutoffs: of ended runs by their totals, of one-off texts up to one that stays."""
    values = {
        "app_id": app_id,
        "texts": cutoffs.texts,
        "people": cutoffs.people,
        "conversations": cutoffs.conversations,
        "audit": cutoffs.audit,
        "most": MOST,
    }
    async with conn.cursor(row_factory=class_row(Counts)) as cursor:
        found = await (await cursor.execute(COUNT, values)).fetchone()
    return found or Counts(0, 0, 0, 0, 0)


REMOVED_AT = "SELECT removed_at FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND people_kept > 1"


async def people_removed_at(conn: Conn, app_id: int, run_id: int) -> datetime | None:
    """When people of a run were removed; None: they are all there."""
    row = await (await conn.execute(REMOVED_AT, {"app_id": app_id, "run_id": run_id})).fetchone()
    return None if row is None else row[0]
