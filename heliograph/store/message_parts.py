"""Texts of several parts that a carrier knows only by their parts: what receipts have said of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class NewParts(NamedTuple):
    """A text that was accepted, and the ids of its parts in order. ``carrier_ref``: the text's own."""

    app_id: int
    run_id: int
    seq: int
    account_id: int
    carrier_ref: str
    refs: Sequence[str]


# Only of texts whose outcome says what they say: one that was settled otherwise meanwhile is not named by these ids.
# One probe of outcome's primary key for each text, whatever the planner believes: LIMIT is never turned into a join.
ADD = """
INSERT INTO message_part (app_id, run_id, seq, part, account_id, carrier_ref, recorded_at)
SELECT i.app_id, i.run_id, i.seq, i.part, i.account_id, i.ref, %(now)s
FROM (
    SELECT app_id::int, run_id::int, seq::int, part::smallint, account_id::int, carrier_ref, ref
    FROM ROWS FROM (
        json_array_elements_text(%(app_id)s::json), json_array_elements_text(%(run_id)s::json),
        json_array_elements_text(%(seq)s::json), json_array_elements_text(%(part)s::json),
        json_array_elements_text(%(account_id)s::json), json_array_elements_text(%(carrier_ref)s::json),
        json_array_elements_text(%(ref)s::json)
    ) AS t (app_id, run_id, seq, part, account_id, carrier_ref, ref)
) AS i CROSS JOIN LATERAL (
    SELECT FROM outcome o
    WHERE o.app_id = i.app_id AND o.run_id = i.run_id AND o.seq = i.seq AND o.carrier_ref = i.carrier_ref LIMIT 1
) AS there
ON CONFLICT DO NOTHING
"""


async def add(conn: Conn, texts: Sequence[NewParts], *, now: datetime) -> None:
    """Keep the parts of texts, in the transaction that records their outcomes, after them."""
    rows = [(text, part, ref) for text in texts for part, ref in enumerate(text.refs, 1)]
    values = {
        "app_id": columns.of([text.app_id for text, _, _ in rows]),
        "run_id": columns.of([text.run_id for text, _, _ in rows]),
        "seq": columns.of([text.seq for text, _, _ in rows]),
        "part": columns.of([part for _, part, _ in rows]),
        "account_id": columns.of([text.account_id for text, _, _ in rows]),
        "carrier_ref": columns.of([text.carrier_ref for text, _, _ in rows]),
        "ref": columns.of([ref for _, _, ref in rows]),
        "now": now,
    }
    await conn.execute(ADD, values, prepare=False)


# An account that has no text of several parts pays one probe for the whole group. Of ids that a message centre gives
# out anew, the newest text's counts.
FIND = """
SELECT DISTINCT p.run_id, p.seq
FROM json_array_elements_text(%(carrier_ref)s::json) AS i (ref) CROSS JOIN LATERAL (
    SELECT run_id, seq FROM message_part
    WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s AND carrier_ref = i.ref
    ORDER BY run_id DESC, seq DESC LIMIT 1
) AS p
WHERE (SELECT true FROM message_part WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s
       ORDER BY carrier_ref LIMIT 1)
ORDER BY 1, 2
"""


async def find(conn: Conn, app_id: int, account_id: int, refs: Sequence[str]) -> list[tuple[int, int]]:
    """``(run_id, seq)`` of the texts of several parts that some of ``refs`` are parts of, in order."""
    values = {"app_id": app_id, "account_id": account_id, "carrier_ref": columns.of(list(refs))}
    cursor = await conn.execute(FIND, values)
    return [(int(row[0]), int(row[1])) for row in await cursor.fetchall()]


class Part(NamedTuple):
    """One part, and the furthest that was told of it."""

    run_id: int
    seq: int
    part: int
    carrier_ref: str
    status: str
    code: str


# In the order of the texts, so that two workers cannot lock each other; and a text's parts are all locked before one of
# them is read for what it says, so that two who hear its last two receipts cannot both find the other missing.
LOCK = """
SELECT p.run_id, p.seq, p.part, p.carrier_ref, p.status::text, p.code
FROM ROWS FROM (
    json_array_elements_text(%(run_id)s::json), json_array_elements_text(%(seq)s::json)
) AS i (run_id, seq) CROSS JOIN LATERAL (
    SELECT run_id, seq, part, carrier_ref, status, code FROM message_part
    WHERE app_id = (SELECT %(app_id)s::int) AND run_id = i.run_id::int AND seq = i.seq::int
    ORDER BY part FOR UPDATE
) AS p
"""


async def lock(conn: Conn, app_id: int, texts: Sequence[tuple[int, int]]) -> list[Part]:
    """Lock all parts of texts, as :meth:`find` gives them, and answer how they stand."""
    values = {
        "app_id": app_id,
        "run_id": columns.of([run_id for run_id, _ in texts]),
        "seq": columns.of([seq for _, seq in texts]),
    }
    cursor = await conn.execute(LOCK, values)
    return [Part(*row) for row in await cursor.fetchall()]


# They are locked, and so there: what conflicts is found by the index named, without a plan (as in receipts.APPLY).
MOVE = """
INSERT INTO message_part AS p (app_id, run_id, seq, part, account_id, carrier_ref, status, code, recorded_at)
SELECT %(app_id)s, t.run_id::int, t.seq::int, t.part::smallint, 0, '', t.status::message_status, t.code, 'epoch'
FROM ROWS FROM (
    json_array_elements_text(%(run_id)s::json), json_array_elements_text(%(seq)s::json),
    json_array_elements_text(%(part)s::json), json_array_elements_text(%(status)s::json),
    json_array_elements_text(%(code)s::json)
) AS t (run_id, seq, part, status, code)
ON CONFLICT (app_id, run_id, seq, part) DO UPDATE SET status = excluded.status, code = excluded.code
"""


async def move(conn: Conn, app_id: int, parts: Sequence[Part]) -> None:
    """Set how parts stand that are locked."""
    values = {
        "app_id": app_id,
        "run_id": columns.of([part.run_id for part in parts]),
        "seq": columns.of([part.seq for part in parts]),
        "part": columns.of([part.part for part in parts]),
        "status": columns.of([part.status for part in parts]),
        "code": columns.of([part.code for part in parts]),
    }
    await conn.execute(MOVE, values)


DISCARD = "DELETE FROM message_part WHERE recorded_at < %(before)s"


async def discard(conn: Conn, *, before: datetime) -> int:
    """Drop the parts of texts so old that no receipt comes for them any more; answers how many."""
    return (await conn.execute(DISCARD, {"before": before})).rowcount
