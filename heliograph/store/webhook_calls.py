"""Calls of carriers: stored when they come in, worked on after, set aside with a reason when they cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row
from psycopg.types.json import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call as it came in. ``url`` and ``headers`` hold no secret of the account's."""

    app_id: int
    account_id: int
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call that waits to be worked on."""

    call_id: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime


# Many calls in one statement and one commit: at 2,000 calls a second a commit each would be all the work there is.
ADD = """
INSERT INTO webhook_call (app_id, account_id, method, url, headers, body, received_at)
SELECT t.app_id, t.account_id, t.method, t.url, t.headers, t.body, t.received_at
FROM unnest(%(app_id)s::int[], %(account_id)s::int[], %(method)s::text[], %(url)s::text[], %(headers)s::json[],
            %(body)s::bytea[], %(received_at)s::timestamptz[])
     WITH ORDINALITY AS t (app_id, account_id, method, url, headers, body, received_at, place)
ORDER BY t.place
"""


async def add(conn: Conn, calls: Sequence[NewCall]) -> None:
    """Store calls, in their order."""
    values = {
        "app_id": [c.app_id for c in calls],
        "account_id": [c.account_id for c in calls],
        "method": [c.method for c in calls],
        "url": [c.url for c in calls],
        "headers": [Json(c.headers) for c in calls],
        "body": [c.body for c in calls],
        "received_at": [c.received_at for c in calls],
    }
    await conn.execute(ADD, values)


# A probe of the primary key for each account, instead of reading all that waits to find whose it is.
LIST_WAITING = """
SELECT a.app_id, a.account_id FROM carrier_account a
WHERE EXISTS (SELECT FROM webhook_call c WHERE c.app_id = a.app_id AND c.account_id = a.account_id)
   OR EXISTS (SELECT FROM reply_part p WHERE p.app_id = a.app_id AND p.account_id = a.account_id
                AND p.joined_at IS NULL AND p.received_at <= %(parts_before)s)
ORDER BY a.account_id
"""


async def list_waiting(conn: Conn, *, parts_before: datetime) -> list[tuple[int, int]]:
    """``(app_id, account_id)`` of accounts with calls to work on, or parts of replies from ``parts_before``."""
    rows = await (await conn.execute(LIST_WAITING, {"parts_before": parts_before})).fetchall()
    return [(int(row[0]), int(row[1])) for row in rows]


READ = """
SELECT call_id, method, url, headers, body, received_at FROM webhook_call
WHERE app_id = %(app_id)s AND account_id = %(account_id)s ORDER BY call_id LIMIT %(limit)s
"""


async def read_next(conn: Conn, app_id: int, account_id: int, *, limit: int) -> list[StoredCall]:
    """The calls of an account that came first."""
    async with conn.cursor(row_factory=class_row(StoredCall)) as cursor:
        values = {"app_id": app_id, "account_id": account_id, "limit": limit}
        return await (await cursor.execute(READ, values)).fetchall()


REMOVE = """
DELETE FROM webhook_call
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND call_id = ANY(%(call_ids)s::bigint[])
"""


async def remove(conn: Conn, app_id: int, account_id: int, call_ids: Sequence[int]) -> None:
    """Drop calls that have been worked on."""
    await conn.execute(REMOVE, {"app_id": app_id, "account_id": account_id, "call_ids": list(call_ids)})


SET_ASIDE = """
INSERT INTO webhook_aside (app_id, account_id, call_id, method, url, headers, body, received_at, reason)
SELECT c.app_id, c.account_id, c.call_id, c.method, c.url, c.headers, c.body, c.received_at, t.reason
FROM webhook_call c JOIN unnest(%(call_ids)s::bigint[], %(reasons)s::text[]) AS t (call_id, reason) USING (call_id)
WHERE c.app_id = %(app_id)s AND c.account_id = %(account_id)s
ON CONFLICT DO NOTHING
"""


async def set_aside(conn: Conn, app_id: int, account_id: int, reasons: Mapping[int, str]) -> None:
    """Keep calls, by id, with the reason why they could not be read."""
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "call_ids": list(reasons),
        "reasons": list(reasons.values()),
    }
    await conn.execute(SET_ASIDE, values)


FORGET_ASIDE = """
DELETE FROM webhook_aside a
WHERE a.app_id = %(app_id)s AND a.account_id = %(account_id)s AND a.call_id < (
    SELECT call_id FROM webhook_aside
    WHERE app_id = %(app_id)s AND account_id = %(account_id)s ORDER BY call_id DESC OFFSET %(keep)s - 1 LIMIT 1
)
"""


async def forget_aside(conn: Conn, app_id: int, account_id: int, *, keep: int) -> None:
    """Keep only the newest ``keep`` of what was set aside of an account."""
    await conn.execute(FORGET_ASIDE, {"app_id": app_id, "account_id": account_id, "keep": keep})


@dataclass(frozen=True, slots=True)
class Aside:
    """A call that could not be read, without what it said."""

    account_id: int
    call_id: int
    method: str
    size: int
    received_at: datetime
    reason: str


LIST_ASIDE = """
SELECT account_id, call_id, method, length(body) AS size, received_at, reason FROM webhook_aside
WHERE app_id = %(app_id)s ORDER BY account_id, call_id DESC LIMIT %(limit)s
"""


async def list_aside(conn: Conn, app_id: int, *, limit: int) -> list[Aside]:
    """What could not be read, newest first within each account."""
    async with conn.cursor(row_factory=class_row(Aside)) as cursor:
        return await (await cursor.execute(LIST_ASIDE, {"app_id": app_id, "limit": limit})).fetchall()


COUNT_ASIDE = """
SELECT account_id, count(*) FROM webhook_aside WHERE app_id = %(app_id)s GROUP BY account_id
"""


async def count_aside(conn: Conn, app_id: int) -> dict[int, int]:
    """How many calls of each account of an app could not be read."""
    rows = await (await conn.execute(COUNT_ASIDE, {"app_id": app_id})).fetchall()
    return {int(row[0]): int(row[1]) for row in rows}
