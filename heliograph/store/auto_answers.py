"""Texts that answer a reply by themselves, each beside the one-off message that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer to a reply. ``kind``: stop, start or help. Later than ``leave_by`` it does not leave."""

    seq: int
    number: str
    text: str
    parts: int
    kind: str
    reply_id: int
    leave_by: datetime


# The message and its mark in one: there is never an answer that could not leave, nor a message that is taken for one.
ADD = """
WITH given AS (
    SELECT * FROM unnest(%(seq)s::int[], %(number)s::text[], %(text)s::text[], %(parts)s::int[], %(kind)s::text[],
                         %(reply_id)s::bigint[], %(leave_by)s::timestamptz[])
             AS t (seq, number, text, parts, kind, reply_id, leave_by)
), marked AS (
    INSERT INTO auto_answer (app_id, run_id, seq, number, kind, reply_id, created_at, leave_by)
    SELECT %(app_id)s, %(run_id)s, seq, number, kind, reply_id, %(now)s, leave_by FROM given
)
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts, nth)
SELECT %(app_id)s, %(run_id)s, seq, 0, 0, number, text, parts, seq FROM given
"""


async def add(conn: Conn, app_id: int, run_id: int, rows: Sequence[NewAnswer], *, now: datetime) -> None:
    """Add answers to a run of one-off texts, at places that were reserved."""
    names = ("seq", "number", "text", "parts", "kind", "reply_id", "leave_by")
    values = {name: [getattr(row, name) for row in rows] for name in names}
    await conn.execute(ADD, values | {"app_id": app_id, "run_id": run_id, "now": now})


MARK = """
INSERT INTO auto_answer (app_id, run_id, seq, number, kind, reply_id, created_at, leave_by)
SELECT %(app_id)s, %(run_id)s, t.seq, t.number, 'stop', t.reply_id, %(now)s, %(leave_by)s
FROM unnest(%(seq)s::int[], %(number)s::text[], %(reply_id)s::bigint[]) AS t (seq, number, reply_id)
ON CONFLICT (app_id, reply_id) DO NOTHING
"""


async def mark(
    conn: Conn, app_id: int, run_id: int, rows: Sequence[tuple[int, str, int]], *, leave_by: datetime, now: datetime
) -> None:
    """Let messages of a run be answers to a no: ``(seq, number, reply_id)`` each. A reply has one at most."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": [row[0] for row in rows],
        "number": [row[1] for row in rows],
        "reply_id": [row[2] for row in rows],
        "leave_by": leave_by,
        "now": now,
    }
    await conn.execute(MARK, values)


OF = """
SELECT seq, kind, leave_by FROM auto_answer
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq = ANY(%(seqs)s)
"""


async def of(conn: Conn, app_id: int, run_id: int, seqs: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Those of a run's messages that are answers: of each its kind, and when it is too late for it."""
    cursor = await conn.execute(OF, {"app_id": app_id, "run_id": run_id, "seqs": list(seqs)})
    return {int(row[0]): (str(row[1]), row[2]) for row in await cursor.fetchall()}


# One look into auto_answer_number for each number.
RECENT = """
SELECT t.number, a.recent, a.stops FROM unnest(%(numbers)s::text[]) AS t (number)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE created_at > %(hour_ago)s) AS recent, count(*) FILTER (WHERE kind = 'stop') AS stops
    FROM auto_answer WHERE app_id = %(app_id)s AND number = t.number AND created_at > %(day_ago)s
) AS a
WHERE a.recent > 0 OR a.stops > 0
"""


async def recent(
    conn: Conn, app_id: int, numbers: Sequence[str], *, hour_ago: datetime, day_ago: datetime
) -> dict[str, tuple[int, int]]:
    """Of those of ``numbers`` with any: how many answers since ``hour_ago``, and to a stop since ``day_ago``."""
    values = {"app_id": app_id, "numbers": list(numbers), "hour_ago": hour_ago, "day_ago": day_ago}
    cursor = await conn.execute(RECENT, values)
    return {str(row[0]): (int(row[1]), int(row[2])) for row in await cursor.fetchall()}
