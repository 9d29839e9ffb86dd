"""Messages whose fate is unknown: which there are, what is known of each, and settling them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of an app's unknown messages; None, and no ids, do not narrow it.

    ``messages``: ``(public id of the run, seq)`` each.
    """

    campaign_id: int | None = None
    run_public_id: str | None = None
    sender_id: int | None = None
    messages: tuple[tuple[str, int], ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the runs it names."""
        return self.sender_id is None and self.messages is None


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is known of a message whose fate is not.

    ``reason``: how that came about, at ``since``. ``submitted_at``: when its bytes left, where somebody lived to tell.
    The sender and the account are those it was taken for; ``account_id`` is the sender's present one when nobody told.
    ``decision``, ``until``, ``decided_by``, ``decided_at``, ``note``: what was decided last, if anything; ``finding``:
    what the carrier said last, if it was asked.
    """

    app_id: int
    campaign_public_id: str
    campaign_name: str
    run_id: int
    run_public_id: str
    run_ended: bool
    seq: int
    number: str
    reason: str | None
    since: datetime
    submitted_at: datetime | None
    sender_id: int
    address: str
    account_id: int
    account_public_id: str
    account_name: str
    zone: str
    law: str
    decision: str | None
    until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    finding: str | None

    def overdue(self, now: datetime) -> bool:
        """Whether somebody decided to wait for a receipt, and the time for that has passed."""
        return self.decision == "wait" and self.until is not None and self.until <= now


# Runs with anybody unknown by tally_unknown; of each, whoever is unknown by outcome_without_ref (who is unknown has no
# ref). That index also holds everybody who was left out or refused, so it is read no further than to the last one who
# is unknown, or to as many as a page ends with: with 100,000 left out beside them 900 ms and not 20 were measured.
_FROM: LiteralString = """
FROM (
    SELECT t.app_id, t.run_id, sum(t.unknown)::bigint AS people FROM tally t
    WHERE t.app_id = %(app_id)s AND t.run_id IN (
        SELECT x.run_id FROM tally x WHERE x.app_id = %(app_id)s AND x.unknown > 0
    )
    GROUP BY t.app_id, t.run_id HAVING sum(t.unknown) > 0
) u
JOIN run r ON r.app_id = u.app_id AND r.run_id = u.run_id
JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
CROSS JOIN LATERAL (
    SELECT * FROM outcome x
    WHERE x.app_id = r.app_id AND x.run_id = r.run_id AND x.carrier_ref IS NULL AND x.status = 'unknown'
    ORDER BY x.seq LIMIT least(u.people, %(most)s::bigint)
) o
JOIN message m ON m.app_id = o.app_id AND m.run_id = o.run_id AND m.seq = o.seq
CROSS JOIN LATERAL (
    SELECT c.sender_id, c.zone, c.law FROM chunk c
    WHERE c.app_id = m.app_id AND c.run_id = m.run_id AND c.first_seq <= coalesce(m.place, m.seq)
    ORDER BY c.first_seq DESC LIMIT 1
) h
JOIN sender n ON n.app_id = r.app_id AND n.sender_id = h.sender_id
JOIN carrier_account a ON a.app_id = r.app_id AND a.account_id = coalesce(o.account_id, n.account_id)
LEFT JOIN LATERAL (
    SELECT d.kind, d.until, d.decided_by, d.decided_at, d.note FROM decision d
    WHERE d.app_id = m.app_id AND d.run_id = m.run_id AND d.seq = m.seq
    ORDER BY d.decision_id DESC LIMIT 1
) d ON true
LEFT JOIN LATERAL (
    SELECT d.finding FROM decision d
    WHERE d.app_id = m.app_id AND d.run_id = m.run_id AND d.seq = m.seq AND d.finding IS NOT NULL
    ORDER BY d.decision_id DESC LIMIT 1
) f ON true
WHERE (%(campaign_id)s::int IS NULL OR r.campaign_id = %(campaign_id)s)
  AND (%(run_public_id)s::text IS NULL OR r.public_id = %(run_public_id)s)
  AND (%(sender_id)s::int IS NULL OR h.sender_id = %(sender_id)s)
  AND (%(runs)s::text[] IS NULL OR (r.public_id, m.seq) IN (
      SELECT w.run, w.seq FROM unnest(%(runs)s::text[], %(seqs)s::int[]) AS w (run, seq)
  ))
"""

PAGE: LiteralString = f"""
SELECT u.app_id, k.public_id AS campaign_public_id, k.name AS campaign_name, r.run_id, r.public_id AS run_public_id,
       r.ended_at IS NOT NULL AS run_ended, m.seq, m.number, o.reason, o.settled_at AS since, o.submitted_at,
       h.sender_id, CASE WHEN n.address = '*' THEN r.caller_id ELSE n.address END AS address,
       a.account_id, a.public_id AS account_public_id, a.name AS account_name, h.zone, h.law,
       d.kind AS decision, d.until, d.decided_by, d.decided_at, d.note, f.finding
{_FROM}
ORDER BY r.run_id, m.seq LIMIT %(limit)s OFFSET %(offset)s
"""


async def page(conn: Conn, app_id: int, wanted: Wanted, *, offset: int, limit: int) -> list[Unknown]:
    """Unknown messages of an app, those of the oldest run first."""
    most = offset + limit if wanted.is_whole else None
    values = _values(app_id, wanted) | {"offset": offset, "limit": limit, "most": most}
    async with conn.cursor(row_factory=class_row(Unknown)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


COUNT: LiteralString = f"SELECT count(*) {_FROM}"

# All of a run are in its tallies: a page that renews itself each second asks for this one.
COUNT_WHOLE = """
SELECT coalesce(sum(t.unknown), 0)::bigint FROM tally t JOIN run r ON r.app_id = t.app_id AND r.run_id = t.run_id
WHERE t.app_id = %(app_id)s AND t.run_id IN (
    SELECT x.run_id FROM tally x WHERE x.app_id = %(app_id)s AND x.unknown > 0
)
  AND (%(campaign_id)s::int IS NULL OR r.campaign_id = %(campaign_id)s)
  AND (%(run_public_id)s::text IS NULL OR r.public_id = %(run_public_id)s)
"""


async def count(conn: Conn, app_id: int, wanted: Wanted) -> int:
    """How many unknown messages there are of those wanted."""
    statement = COUNT_WHOLE if wanted.is_whole else COUNT
    row = await (await conn.execute(statement, _values(app_id, wanted) | {"most": None})).fetchone()
    return 0 if row is None else int(row[0])


def _values(app_id: int, wanted: Wanted) -> dict[str, object]:
    chosen = wanted.messages
    return {
        "app_id": app_id,
        "campaign_id": wanted.campaign_id,
        "run_public_id": wanted.run_public_id,
        "sender_id": wanted.sender_id,
        "runs": None if chosen is None else [run for run, _ in chosen],
        "seqs": None if chosen is None else [seq for _, seq in chosen],
    }


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an unknown message after all: ``status`` is accepted, failed, delivered, suppressed or expired."""

    run_id: int
    seq: int
    status: str
    reason: str | None = None
    account_id: int | None = None
    carrier_ref: str | None = None


# Only whoever is still unknown: evidence may have come at this moment. SKIP LOCKED, so that this never waits for an
# outcome while it holds others (a late answer and a receipt write many at once, in another order): who is locked is
# being settled. Counted in the planner's row of the tally, for which lanes do not wait.
SETTLE = """
WITH input AS (
    SELECT * FROM unnest(%(run_id)s::int[], %(seq)s::int[], %(status)s::message_status[], %(reason)s::text[],
                         %(account_id)s::int[], %(carrier_ref)s::text[])
           AS t (run_id, seq, status, reason, account_id, carrier_ref)
), still AS (
    SELECT i.* FROM input i JOIN outcome o ON o.app_id = %(app_id)s AND o.run_id = i.run_id AND o.seq = i.seq
    WHERE o.status = 'unknown' FOR UPDATE OF o SKIP LOCKED
), put AS (
    UPDATE outcome o SET status = s.status, reason = s.reason, settled_at = %(now)s,
        account_id = coalesce(s.account_id, o.account_id), carrier_ref = coalesce(s.carrier_ref, o.carrier_ref)
    FROM still s WHERE o.app_id = %(app_id)s AND o.run_id = s.run_id AND o.seq = s.seq
    RETURNING o.run_id, o.seq, o.status
), moved AS (
    SELECT run_id, count(*) AS people,
           count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'delivered') AS delivered,
           count(*) FILTER (WHERE status = 'suppressed') AS suppressed,
           count(*) FILTER (WHERE status = 'expired') AS expired
    FROM put GROUP BY run_id
), counted AS (
    UPDATE tally t SET unknown = t.unknown - m.people, accepted = t.accepted + m.accepted,
                       failed = t.failed + m.failed, delivered = t.delivered + m.delivered,
                       suppressed = t.suppressed + m.suppressed, expired = t.expired + m.expired
    FROM moved m WHERE t.app_id = %(app_id)s AND t.run_id = m.run_id AND t.sender_id = 0
)
SELECT run_id, seq FROM put
"""


async def settle(conn: Conn, app_id: int, rows: Sequence[Settlement], *, now: datetime) -> set[tuple[int, int]]:
    """Settle messages that are still unknown, with the tallies of their runs; answers which, as ``(run_id, seq)``."""
    values = {
        "app_id": app_id,
        "run_id": [row.run_id for row in rows],
        "seq": [row.seq for row in rows],
        "status": [row.status for row in rows],
        "reason": [row.reason for row in rows],
        "account_id": [row.account_id for row in rows],
        "carrier_ref": [row.carrier_ref for row in rows],
        "now": now,
    }
    return {(int(row[0]), int(row[1])) for row in await (await conn.execute(SETTLE, values)).fetchall()}


# The person goes on as a message of a new number; what the old one came to stays behind as a suppressed outcome of
# nobody. So an answer to the old one that still comes finds that outcome, and cannot be taken for one to the new.
MOVE_ON = """
WITH moved AS (
    UPDATE message m SET seq = v.new_seq, place = NULL, attempts = 0
    FROM unnest(%(seq)s::int[], %(new_seq)s::int[]) AS v (seq, new_seq)
    WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq = v.seq
    RETURNING m.seq
)
UPDATE tally SET suppressed = suppressed - %(people)s, waiting = waiting + %(people)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND sender_id = 0 AND (SELECT count(*) FROM moved) = %(people)s
RETURNING run_id
"""


async def move_on(conn: Conn, app_id: int, run_id: int, new_seqs: Sequence[tuple[int, int]]) -> bool:
    """Let people who were just settled as suppressed wait again in their run, as messages of the reserved new seqs.

    ``new_seqs``: ``(seq, new seq)`` each. False, and the caller has to roll back, when somebody's message is gone.
    """
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": [old for old, _ in new_seqs],
        "new_seq": [new for _, new in new_seqs],
        "people": len(new_seqs),
    }
    return await (await conn.execute(MOVE_ON, values)).fetchone() is not None


TAKE_PAGES = """
DELETE FROM run_page WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND first_seq > %(least)s
RETURNING before, first_seq
"""
PUT_PAGES = """
INSERT INTO run_page (app_id, run_id, before, first_seq)
SELECT %(app_id)s, %(run_id)s, t.before, t.first_seq FROM unnest(%(before)s::int[], %(first_seq)s::int[])
       AS t (before, first_seq)
ON CONFLICT DO NOTHING
"""


async def shift_pages(conn: Conn, app_id: int, run_id: int, gone: Sequence[int]) -> None:
    """Have the marks of the run's pages count without people who left these seqs for later ones."""
    if not gone:
        return
    left = sorted(gone)
    values: dict[str, object] = {"app_id": app_id, "run_id": run_id, "least": left[0]}
    marks = await (await conn.execute(TAKE_PAGES, values)).fetchall()
    values |= {
        "before": [int(before) - bisect_left(left, int(first_seq)) for before, first_seq in marks],
        "first_seq": [int(first_seq) for _, first_seq in marks],
    }
    await conn.execute(PUT_PAGES, values)


# One of each number: whoever is unknown twice in one run gets one text.
COPY_ON = """
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts)
SELECT m.app_id, %(new_run_id)s, v.new_seq, m.list_id, m.contact_seq, m.number, coalesce(m.text, r.template), m.parts
FROM unnest(%(seq)s::int[], %(new_seq)s::int[]) AS v (seq, new_seq)
JOIN run r ON r.app_id = %(app_id)s AND r.run_id = %(run_id)s
JOIN message m ON m.app_id = r.app_id AND m.run_id = r.run_id AND m.seq = v.seq
"""


async def copy_on(conn: Conn, app_id: int, run_id: int, new_run_id: int, new_seqs: Sequence[tuple[int, int]]) -> int:
    """Give people of a run that is over a message each in a new one, in the words they were to get."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "new_run_id": new_run_id,
        "seq": [old for old, _ in new_seqs],
        "new_seq": [new for _, new in new_seqs],
    }
    return (await conn.execute(COPY_ON, values)).rowcount


LOCK_CAMPAIGN = """
SELECT k.public_id, k.kind,
       k.deleted_at IS NULL AND k.run_id = coalesce(r.companion_of, r.run_id) AND r.ended_at IS NULL
       AND k.status IN ('Active', 'Paused') AS under_way, k.deleted_at IS NOT NULL AS deleted
FROM run r JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s FOR UPDATE OF k
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """The campaign of a run. ``under_way``: it is on this run, and may send for it now or once it is resumed."""

    public_id: str
    kind: str
    under_way: bool
    deleted: bool


async def lock_campaign(conn: Conn, app_id: int, run_id: int) -> Owner:
    """The campaign of a run, whatever has become of it; nobody changes it before this transaction ends."""
    async with conn.cursor(row_factory=class_row(Owner)) as cursor:
        row = await (await cursor.execute(LOCK_CAMPAIGN, {"app_id": app_id, "run_id": run_id})).fetchone()
    assert row is not None  # noqa: S101  # by foreign key
    return row
