"""Receipts: a carrier's later word on what it accepted, applied in bulk and forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class NewReceipt(NamedTuple):
    """One receipt. ``status``: accepted, failed or delivered."""

    carrier_ref: str
    status: str
    code: str
    at: datetime


# message_status is declared in lifecycle order, so `<` is the whole rule for late, repeated and stale
# receipts. Rows are locked in the order of their refs, so two workers cannot lock each other.
# Tallies of receipts have a row of their own per account (its id, negated): a lane never waits for them.
# Answers the refs that matched no outcome.
#
# One probe of outcome_ref for each receipt, whatever the planner believes: a subquery that locks is never turned into
# a join, which read all of `outcome` while its statistics were older than the run. And `(SELECT app_id)` is weighed as
# any app: of an app that the statistics have never seen it would expect one row, and read all of it by the primary key.
# They are locked, and so there: the INSERT inserts nobody. Why it is none the less no UPDATE: that is a join, planned
# once when the table was small, as a look at all of it for each group of receipts (8 ms for 50,000 rows; for ever, on
# a connection that lives long). What conflicts is found by the index named, without a plan.
APPLY = """
WITH input AS (
    SELECT DISTINCT ON (carrier_ref) carrier_ref, status::message_status, code
    FROM ROWS FROM (
        json_array_elements_text(%(carrier_ref)s::json), json_array_elements_text(%(status)s::json),
        json_array_elements_text(%(code)s::json)
    ) AS t (carrier_ref, status, code)
    ORDER BY carrier_ref, status::message_status DESC
), known AS (
    SELECT o.app_id, o.run_id, o.seq, i.carrier_ref, o.before, i.status AS after, i.code
    FROM input i CROSS JOIN LATERAL (
        SELECT app_id, run_id, seq, status AS before FROM outcome
        WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s AND carrier_ref = i.carrier_ref
        FOR UPDATE
    ) AS o
), moving AS (
    SELECT * FROM known WHERE before < after
), moved AS (
    INSERT INTO outcome AS o (app_id, run_id, seq, status, reason, settled_at)
    SELECT app_id, run_id, seq, after, nullif(code, ''), %(now)s FROM moving
    ON CONFLICT (app_id, run_id, seq) DO UPDATE
        SET status = excluded.status, reason = excluded.reason, settled_at = excluded.settled_at
), sums AS (
    SELECT app_id, run_id,
           count(*) FILTER (WHERE after = 'accepted') - count(*) FILTER (WHERE before = 'accepted') AS accepted,
           count(*) FILTER (WHERE after = 'failed') - count(*) FILTER (WHERE before = 'failed') AS failed,
           count(*) FILTER (WHERE after = 'delivered') AS delivered,
           count(*) FILTER (WHERE before = 'unknown') AS was_unknown
    FROM moving GROUP BY app_id, run_id
), counted AS (
    INSERT INTO tally AS t (app_id, run_id, sender_id, accepted, failed, delivered, unknown)
    SELECT app_id, run_id, -%(account_id)s, accepted, failed, delivered, -was_unknown FROM sums
    ON CONFLICT (app_id, run_id, sender_id) DO UPDATE
        SET accepted = t.accepted + excluded.accepted, failed = t.failed + excluded.failed,
            delivered = t.delivered + excluded.delivered, unknown = t.unknown + excluded.unknown
)
SELECT i.carrier_ref FROM input i WHERE NOT EXISTS (SELECT FROM known k WHERE k.carrier_ref = i.carrier_ref)
"""


async def apply(conn: Conn, app_id: int, account_id: int, receipts: Sequence[NewReceipt], *, now: datetime) -> set[str]:
    """Move outcomes forward by receipts of one carrier account; answers the refs nobody knows yet."""
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "carrier_ref": columns.of([r.carrier_ref for r in receipts]),
        "status": columns.of([r.status for r in receipts]),
        "code": columns.of([r.code for r in receipts]),
        "now": now,
    }
    cursor = await conn.execute(APPLY, values)
    return {row[0] for row in await cursor.fetchall()}


PARK = """
INSERT INTO early_receipt (app_id, account_id, carrier_ref, status, code, at, received_at)
SELECT %(app_id)s, %(account_id)s, t.carrier_ref, t.status, t.code, t.at, %(now)s
FROM unnest(%(carrier_ref)s::text[], %(status)s::message_status[], %(code)s::text[], %(at)s::timestamptz[])
     AS t (carrier_ref, status, code, at)
ON CONFLICT DO NOTHING
"""


async def park(conn: Conn, app_id: int, account_id: int, receipts: Sequence[NewReceipt], *, now: datetime) -> None:
    """Keep receipts that came before the acceptance they belong to was recorded."""
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "carrier_ref": [r.carrier_ref for r in receipts],
        "status": [r.status for r in receipts],
        "code": [r.code for r in receipts],
        "at": [r.at for r in receipts],
        "now": now,
    }
    await conn.execute(PARK, values)


# One probe of outcome_ref, and of message_part_ref, for each parked receipt: as a join it read all of `outcome`.
UNPARK = """
DELETE FROM early_receipt e USING (
    SELECT p.app_id, p.account_id, p.carrier_ref FROM early_receipt p
    CROSS JOIN LATERAL (
        (SELECT 1 FROM outcome o
         WHERE o.app_id = p.app_id AND o.account_id = p.account_id AND o.carrier_ref = p.carrier_ref LIMIT 1)
        UNION ALL
        (SELECT 1 FROM message_part m
         WHERE m.app_id = p.app_id AND m.account_id = p.account_id AND m.carrier_ref = p.carrier_ref LIMIT 1)
        LIMIT 1
    ) AS known
    WHERE p.app_id = %(app_id)s AND p.account_id = %(account_id)s
) AS f
WHERE e.app_id = f.app_id AND e.account_id = f.account_id AND e.carrier_ref = f.carrier_ref
RETURNING e.carrier_ref, e.status::text, e.code, e.at
"""


async def unpark(conn: Conn, app_id: int, account_id: int) -> list[NewReceipt]:
    """Take back parked receipts whose acceptance has been recorded meanwhile, to be applied."""
    cursor = await conn.execute(UNPARK, {"app_id": app_id, "account_id": account_id})
    return [NewReceipt(*row) for row in await cursor.fetchall()]


FIND_PARKED = """
SELECT carrier_ref, status::text, code, at FROM early_receipt
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND carrier_ref = %(carrier_ref)s
ORDER BY status DESC LIMIT 1
"""


async def find_parked(conn: Conn, app_id: int, account_id: int, carrier_ref: str) -> NewReceipt | None:
    """The furthest that a receipt of no message of ours has told of this ref."""
    values = {"app_id": app_id, "account_id": account_id, "carrier_ref": carrier_ref}
    row = await (await conn.execute(FIND_PARKED, values)).fetchone()
    return None if row is None else NewReceipt(*row)


LIST_PARKED = "SELECT DISTINCT app_id, account_id FROM early_receipt"


async def list_parked_accounts(conn: Conn) -> list[tuple[int, int]]:
    """``(app_id, account_id)`` of accounts with parked receipts."""
    cursor = await conn.execute(LIST_PARKED)
    return [(int(row[0]), int(row[1])) for row in await cursor.fetchall()]


DISCARD = "DELETE FROM early_receipt WHERE received_at < %(before)s"


async def discard(conn: Conn, *, before: datetime) -> int:
    """Drop parked receipts that waited too long to belong to anything; answers how many."""
    return (await conn.execute(DISCARD, {"before": before})).rowcount


class Whose(NamedTuple):
    """Whom a carrier's receipt is about, and from which address they were texted."""

    carrier_ref: str
    number: str
    address: str


# A probe of outcome_ref for each ref, and one of the message's and the chunk's keys for each that is known.
WHOSE = """
SELECT t.ref, m.number, CASE WHEN s.address IS NULL OR s.address = '*' THEN r.caller_id ELSE s.address END
FROM unnest(%(refs)s::text[]) AS t (ref)
CROSS JOIN LATERAL (
    SELECT run_id, seq FROM outcome
    WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s AND carrier_ref = t.ref
    OFFSET 0
) AS o
JOIN message m ON m.app_id = %(app_id)s AND m.run_id = o.run_id AND m.seq = o.seq
JOIN run r ON r.app_id = %(app_id)s AND r.run_id = o.run_id
LEFT JOIN LATERAL (
    SELECT sender_id FROM chunk
    WHERE app_id = %(app_id)s AND run_id = o.run_id AND first_seq <= coalesce(m.place, m.seq)
    ORDER BY first_seq DESC LIMIT 1
) AS c ON true
LEFT JOIN sender s ON s.app_id = %(app_id)s AND s.sender_id = c.sender_id
"""


async def whose(conn: Conn, app_id: int, account_id: int, refs: Sequence[str]) -> list[Whose]:
    """Whom the texts with these refs went to; those nobody knows are left out."""
    values = {"app_id": app_id, "account_id": account_id, "refs": list(refs)}
    return [Whose(*row) for row in await (await conn.execute(WHOSE, values)).fetchall()]
