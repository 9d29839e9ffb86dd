"""Outcomes: what became of each message once it no longer waited. Appended in bulk, moved forward only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class NewOutcome(NamedTuple):
    """One message's outcome. ``status`` is a word of message_status from unknown on."""

    app_id: int
    run_id: int
    seq: int
    chunk_no: int
    status: str
    reason: str | None
    account_id: int | None
    carrier_ref: str | None
    submitted_at: datetime | None


# One statement, so one snapshot and one commit, for a few hundred people: their outcomes, the chunk's
# unsettled count and the tally move together. An outcome that exists already is replaced only when it was
# `unknown` and this one knows better (an answer that came after the lane was swept): then it leaves
# `unknown` instead of `submitting`, and the chunk is not touched again. xmax tells the two apart.
# Planned anew each time (3 µs a person): a plan made while there were few chunks would read all there ever will be.
RECORD = """
WITH input AS (
    SELECT app_id::int, run_id::int, seq::int, chunk_no::int, status::message_status, reason, account_id::int,
           carrier_ref, submitted_at::timestamptz
    FROM ROWS FROM (
        json_array_elements_text(%(app_id)s::json), json_array_elements_text(%(run_id)s::json),
        json_array_elements_text(%(seq)s::json), json_array_elements_text(%(chunk_no)s::json),
        json_array_elements_text(%(status)s::json), json_array_elements_text(%(reason)s::json),
        json_array_elements_text(%(account_id)s::json), json_array_elements_text(%(carrier_ref)s::json),
        json_array_elements_text(%(submitted_at)s::json)
    ) AS t (app_id, run_id, seq, chunk_no, status, reason, account_id, carrier_ref, submitted_at)
), put AS (
    INSERT INTO outcome AS o
        (app_id, run_id, seq, status, reason, account_id, carrier_ref, submitted_at, settled_at)
    SELECT app_id, run_id, seq, status, reason, account_id, carrier_ref, submitted_at, %(now)s FROM input
    ON CONFLICT (app_id, run_id, seq) DO UPDATE
        SET status = excluded.status, reason = excluded.reason, account_id = excluded.account_id,
            carrier_ref = excluded.carrier_ref, submitted_at = excluded.submitted_at, settled_at = excluded.settled_at
        WHERE o.status = 'unknown' AND excluded.status <> 'unknown'
    RETURNING app_id, run_id, seq, status, xmax = 0 AS fresh
), settled AS (
    SELECT p.app_id, p.run_id, i.chunk_no, count(*) AS n
    FROM put p JOIN input i ON i.app_id = p.app_id AND i.run_id = p.run_id AND i.seq = p.seq
    WHERE p.fresh GROUP BY 1, 2, 3
), chunks AS (
    UPDATE chunk c SET unsettled = c.unsettled - s.n,
                       done = c.next_seq > c.last_seq AND c.unsettled = s.n
    FROM settled s WHERE c.app_id = s.app_id AND c.run_id = s.run_id AND c.chunk_no = s.chunk_no
), moved AS (
    SELECT app_id, run_id,
           count(*) FILTER (WHERE fresh) AS left_submitting,
           count(*) FILTER (WHERE NOT fresh) AS left_unknown,
           count(*) FILTER (WHERE status = 'unknown') AS unknown,
           count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'suppressed') AS suppressed,
           count(*) FILTER (WHERE status = 'expired') AS expired
    FROM put GROUP BY app_id, run_id
)
UPDATE tally t SET submitting = t.submitting - m.left_submitting,
                   unknown = t.unknown + m.unknown - m.left_unknown,
                   accepted = t.accepted + m.accepted,
                   failed = t.failed + m.failed,
                   suppressed = t.suppressed + m.suppressed,
                   expired = t.expired + m.expired
FROM moved m WHERE t.app_id = m.app_id AND t.run_id = m.run_id AND t.sender_id = %(sender_id)s
"""


async def record(conn: Conn, outcomes: Sequence[NewOutcome], *, sender_id: int, now: datetime) -> None:
    """Record what became of people who were submitting through one sender."""
    values = {
        "app_id": columns.of([o.app_id for o in outcomes]),
        "run_id": columns.of([o.run_id for o in outcomes]),
        "seq": columns.of([o.seq for o in outcomes]),
        "chunk_no": columns.of([o.chunk_no for o in outcomes]),
        "status": columns.of([o.status for o in outcomes]),
        "reason": columns.of([o.reason for o in outcomes]),
        "account_id": columns.of([o.account_id for o in outcomes]),
        "carrier_ref": columns.of([o.carrier_ref for o in outcomes]),
        "submitted_at": columns.times([o.submitted_at for o in outcomes]),
        "sender_id": sender_id,
        "now": now,
    }
    await conn.execute(RECORD, values, prepare=False)


SUPPRESS = """
INSERT INTO outcome (app_id, run_id, seq, status, reason, settled_at)
SELECT %(app_id)s, %(run_id)s, t.seq::int, 'suppressed', t.reason, %(now)s
FROM ROWS FROM (json_array_elements_text(%(seq)s::json), json_array_elements_text(%(reason)s::json)) AS t (seq, reason)
"""


async def suppress(conn: Conn, app_id: int, run_id: int, people: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """Record, while planning, people who may not be texted: ``(seq, reason)`` each."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": columns.of([seq for seq, _ in people]),
        "reason": columns.of([reason for _, reason in people]),
        "now": now,
    }
    await conn.execute(SUPPRESS, values)


# Undoes a claim for people who certainly did not leave: the other half of messages.requeue.
WAIT_AGAIN = """
WITH back AS (
    UPDATE chunk c SET unsettled = c.unsettled - s.n,
                       done = c.next_seq > c.last_seq AND c.unsettled = s.n
    FROM (SELECT chunk_no, count(*) AS n FROM unnest(%(chunk_no)s::int[]) AS u (chunk_no) GROUP BY 1) s
    WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s AND c.chunk_no = s.chunk_no
)
UPDATE tally SET submitting = submitting - %(people)s, waiting = waiting + %(people)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = %(sender_id)s
"""


async def wait_again(conn: Conn, app_id: int, run_id: int, chunk_nos: Sequence[int], *, sender_id: int) -> None:
    """Count people (one entry of ``chunk_nos`` each: the chunk they leave) as waiting again."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "chunk_no": list(chunk_nos),
        "people": len(chunk_nos),
        "sender_id": sender_id,
    }
    await conn.execute(WAIT_AGAIN, values)


# One probe of outcome_ref for each ref.
LIST_NAMED = """
SELECT t.ref, o.run_id, o.seq
FROM json_array_elements_text(%(refs)s::json) AS t (ref) CROSS JOIN LATERAL (
    SELECT run_id, seq FROM outcome
    WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s AND carrier_ref = t.ref LIMIT 2
) AS o
"""


async def list_named(conn: Conn, app_id: int, account_id: int, refs: Sequence[str]) -> list[tuple[str, int, int]]:
    """``(ref, run_id, seq)`` of messages that an account's carrier knows by some of ``refs``; two of a ref at most."""
    values = {"app_id": app_id, "account_id": account_id, "refs": columns.of(list(refs))}
    cursor = await conn.execute(LIST_NAMED, values)
    return [(str(row[0]), int(row[1]), int(row[2])) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message whose fate a crash or a silent carrier left open."""

    run_id: int
    seq: int
    number: str
    reason: str | None
    settled_at: datetime


LIST_UNKNOWN = """
SELECT o.run_id, o.seq, m.number, o.reason, o.settled_at
FROM outcome o JOIN message m ON m.app_id = o.app_id AND m.run_id = o.run_id AND m.seq = o.seq
WHERE o.app_id = %(app_id)s AND o.run_id = %(run_id)s AND o.seq > %(after)s
  AND o.carrier_ref IS NULL AND o.status = 'unknown'
ORDER BY o.seq LIMIT 1000
"""


async def list_unknown(conn: Conn, app_id: int, run_id: int, *, after: int = 0) -> list[Unknown]:
    """Up to 1,000 unknown messages of a run, after seq ``after``."""
    values = {"app_id": app_id, "run_id": run_id, "after": after}
    async with conn.cursor(row_factory=class_row(Unknown)) as cursor:
        return await (await cursor.execute(LIST_UNKNOWN, values)).fetchall()


# By the primary key, from end to end of one run: as long as the run, about half a second for a million people. Only for
# whoever asks for it.
COUNT_REASONS = """
SELECT status::text, split_part(reason, ':', 1) AS reason, count(*) AS people FROM outcome
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND reason <> ''
GROUP BY 1, 2 ORDER BY people DESC, 1, 2 LIMIT 100
"""


class Reason(NamedTuple):
    """How many ``people`` of a run stand where they stand for one reason, its detail left off."""

    status: str
    reason: str
    people: int


async def count_reasons(conn: Conn, app_id: int, run_id: int) -> list[Reason]:
    """Why people of a run were left out, or got nothing, or nobody knows; the most frequent 100, those first."""
    rows = await (await conn.execute(COUNT_REASONS, {"app_id": app_id, "run_id": run_id})).fetchall()
    return [Reason(*row) for row in rows]
