"""Decisions about unknown messages, and when their carriers are asked next. Rows of decisions are never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What was decided about one message, or what its carrier said (``finding``). See table ``decision``."""

    run_id: int
    seq: int
    until: datetime | None = None
    finding: str | None = None
    account_id: int | None = None
    submitted_at: datetime | None = None
    new_run_id: int | None = None
    new_seq: int | None = None


ADD = """
INSERT INTO decision (app_id, run_id, seq, kind, decided_by, decided_at, note, until, finding, account_id,
                      submitted_at, new_run_id, new_seq)
SELECT %(app_id)s, t.run_id, t.seq, %(kind)s, %(decided_by)s, %(now)s, %(note)s, t.until, t.finding, t.account_id,
       t.submitted_at, t.new_run_id, t.new_seq
FROM unnest(%(run_id)s::int[], %(seq)s::int[], %(until)s::timestamptz[], %(finding)s::text[], %(account_id)s::int[],
            %(submitted_at)s::timestamptz[], %(new_run_id)s::int[], %(new_seq)s::int[])
     AS t (run_id, seq, until, finding, account_id, submitted_at, new_run_id, new_seq)
"""


async def add(
    conn: Conn, app_id: int, kind: str, rows: Sequence[NewDecision], *, decided_by: str, note: str, now: datetime
) -> None:
    """Set down a decision of one kind about many messages."""
    values = {
        "app_id": app_id,
        "kind": kind,
        "decided_by": decided_by,
        "note": note,
        "now": now,
        "run_id": [row.run_id for row in rows],
        "seq": [row.seq for row in rows],
        "until": [row.until for row in rows],
        "finding": [row.finding for row in rows],
        "account_id": [row.account_id for row in rows],
        "submitted_at": [row.submitted_at for row in rows],
        "new_run_id": [row.new_run_id for row in rows],
        "new_seq": [row.new_seq for row in rows],
    }
    await conn.execute(ADD, values)


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of table ``decision`` as people are told of it; runs by their public ids."""

    run_public_id: str
    seq: int
    kind: str
    decided_by: str
    decided_at: datetime
    note: str
    until: datetime | None
    finding: str | None
    new_run_public_id: str | None
    new_seq: int | None


LIST = """
WITH found AS (
    SELECT d.* FROM decision d WHERE d.app_id = %(app_id)s AND d.run_id = %(run_id)s AND d.seq = %(seq)s
    UNION
    SELECT d.* FROM decision d
    WHERE d.app_id = %(app_id)s AND d.new_run_id IS NOT NULL AND d.new_run_id = %(run_id)s AND d.new_seq = %(seq)s
)
SELECT r.public_id AS run_public_id, d.seq, d.kind, d.decided_by, d.decided_at, d.note, d.until, d.finding,
       n.public_id AS new_run_public_id, d.new_seq
FROM found d JOIN run r ON r.app_id = d.app_id AND r.run_id = d.run_id
LEFT JOIN run n ON n.app_id = d.app_id AND n.run_id = d.new_run_id
ORDER BY d.decision_id
"""


async def list_of(conn: Conn, app_id: int, run_id: int, seq: int) -> list[Decision]:
    """The decisions about a message, and the one that it came of, oldest first."""
    async with conn.cursor(row_factory=class_row(Decision)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id, "run_id": run_id, "seq": seq})).fetchall()


FIND_SUCCESSOR = """
SELECT new_run_id, new_seq FROM decision
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq = %(seq)s AND new_run_id IS NOT NULL
ORDER BY decision_id DESC LIMIT 1
"""


async def find_successor(conn: Conn, app_id: int, run_id: int, seq: int) -> tuple[int, int] | None:
    """The message (``run_id``, ``seq``) that was made in the place of this one, if one was."""
    row = await (await conn.execute(FIND_SUCCESSOR, {"app_id": app_id, "run_id": run_id, "seq": seq})).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


@dataclass(frozen=True, slots=True)
class Asking:
    """A run whose unknown people's carriers are to be asked now. ``tries``: how often they were since the last news."""

    app_id: int
    run_id: int
    run_public_id: str
    people: int
    tries: int


# By tally_unknown: the runs that ever had somebody unknown, of all apps. More unknown than there were left after the
# last time is news: then it is asked at once again.
LIST_DUE = """
SELECT t.app_id, t.run_id, r.public_id AS run_public_id, t.people,
       CASE WHEN t.people > a.people THEN 0 ELSE coalesce(a.tries, 0) END AS tries
FROM (
    SELECT t.app_id, t.run_id, sum(t.unknown)::bigint AS people FROM tally t
    WHERE (t.app_id, t.run_id) IN (SELECT x.app_id, x.run_id FROM tally x WHERE x.unknown > 0)
    GROUP BY t.app_id, t.run_id HAVING sum(t.unknown) > 0
) t
JOIN run r ON r.app_id = t.app_id AND r.run_id = t.run_id
LEFT JOIN asking a ON a.app_id = t.app_id AND a.run_id = t.run_id
LEFT JOIN app_setting s ON s.app_id = t.app_id
WHERE coalesce(s.unknown_ask, true) AND (a.run_id IS NULL OR a.next_at <= %(now)s OR t.people > a.people)
ORDER BY a.next_at NULLS FIRST, t.run_id LIMIT 100
"""


async def list_due(conn: Conn, now: datetime) -> list[Asking]:
    """Up to 100 runs of any app whose unknown people's carriers are to be asked now."""
    async with conn.cursor(row_factory=class_row(Asking)) as cursor:
        return await (await cursor.execute(LIST_DUE, {"now": now})).fetchall()


ASKED = """
INSERT INTO asking AS a (app_id, run_id, tries, people, asked_at, next_at)
SELECT %(app_id)s, %(run_id)s, %(tries)s, coalesce(sum(t.unknown), 0), %(now)s, %(next_at)s
FROM tally t WHERE t.app_id = %(app_id)s AND t.run_id = %(run_id)s
ON CONFLICT (app_id, run_id) DO UPDATE
    SET tries = excluded.tries, people = excluded.people, asked_at = excluded.asked_at, next_at = excluded.next_at
"""


async def asked(conn: Conn, asking: Asking, *, tries: int, now: datetime, next_at: datetime | None) -> None:
    """Remember that a run's carriers were asked, for the ``tries``-th time, and when they are asked next."""
    values = {"app_id": asking.app_id, "run_id": asking.run_id, "tries": tries, "now": now, "next_at": next_at}
    await conn.execute(ASKED, values)
