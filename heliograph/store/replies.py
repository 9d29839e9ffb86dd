"""Replies: what people wrote to us, each once, whoever brings it and however often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewReply:
    """One reply. ``carrier_ref`` tells repetitions apart and is never empty."""

    carrier_ref: str
    number: str
    address: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply as it was kept."""

    reply_id: int
    number: str
    address: str
    text: str


# In the order they were written down by the carrier; ON CONFLICT makes a replay of any length nothing.
ADD = """
INSERT INTO reply (app_id, account_id, carrier_ref, number, address, text, written_at, received_at)
SELECT %(app_id)s, %(account_id)s, t.carrier_ref, t.number, t.address, t.text, t.written_at, %(now)s
FROM unnest(%(carrier_ref)s::text[], %(number)s::text[], %(address)s::text[], %(text)s::text[],
            %(written_at)s::timestamptz[]) WITH ORDINALITY AS t (carrier_ref, number, address, text, written_at, place)
ORDER BY t.place
ON CONFLICT (app_id, account_id, carrier_ref) DO NOTHING
RETURNING reply_id, number, address, text
"""


async def add(
    conn: Conn, app_id: int, account_id: int, replies: Sequence[NewReply], *, now: datetime
) -> list[KeptReply]:
    """Keep replies of one carrier account that are not kept yet; answers those that were new, in their order."""
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "carrier_ref": [r.carrier_ref for r in replies],
        "number": [r.number for r in replies],
        "address": [r.address for r in replies],
        "text": [r.text for r in replies],
        "written_at": [r.written_at for r in replies],
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(KeptReply)) as cursor:
        kept = await (await cursor.execute(ADD, values)).fetchall()
    return sorted(kept, key=lambda reply: reply.reply_id)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A reply that was not looked at yet. ``what``: what it was taken to say of being texted (store/consents.py)."""

    reply_id: int
    number: str
    address: str
    text: str
    received_at: datetime
    what: str | None


# In the order in which they came, by reply_unhandled. Apps without any cost one look into it each.
LIST_WAITING = """
SELECT a.app_id FROM app a
WHERE EXISTS (SELECT FROM reply r WHERE r.app_id = a.app_id AND r.handled_at IS NULL)
ORDER BY a.app_id
"""


async def list_waiting(conn: Conn) -> list[int]:
    """The apps that have replies nobody has looked at."""
    return [int(row[0]) for row in await (await conn.execute(LIST_WAITING)).fetchall()]


UNHANDLED = """
SELECT r.reply_id, r.number, r.address, r.text, r.received_at, c.what
FROM (SELECT * FROM reply WHERE app_id = %(app_id)s AND handled_at IS NULL ORDER BY reply_id LIMIT %(limit)s) AS r
LEFT JOIN LATERAL (SELECT what FROM consent WHERE app_id = r.app_id AND reply_id = r.reply_id LIMIT 1) AS c ON true
ORDER BY r.reply_id
"""


async def read_unhandled(conn: Conn, app_id: int, *, limit: int) -> list[Unanswered]:
    """The first replies of an app that nobody has looked at."""
    async with conn.cursor(row_factory=class_row(Unanswered)) as cursor:
        return await (await cursor.execute(UNHANDLED, {"app_id": app_id, "limit": limit})).fetchall()


WHO_WAITS = """
SELECT DISTINCT number FROM (
    SELECT number FROM reply WHERE app_id = %(app_id)s AND handled_at IS NULL ORDER BY reply_id LIMIT %(limit)s
) AS first
"""


async def who_waits(conn: Conn, app_id: int, *, limit: int) -> list[str]:
    """Whose replies, of the first of an app, nobody has looked at: numbers as carriers tell them."""
    cursor = await conn.execute(WHO_WAITS, {"app_id": app_id, "limit": limit})
    return [str(row[0]) for row in await cursor.fetchall()]


# By reply_number: what one person has written lately, and no more than would be too many anyway.
COUNT_HEARD = """
SELECT t.number, h.heard FROM unnest(%(numbers)s::text[]) AS t (number)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE became IN ('flow', 'kept')) AS heard FROM (
        SELECT became FROM reply WHERE app_id = %(app_id)s AND number = t.number AND received_at > %(since)s
        ORDER BY reply_id DESC LIMIT 1000
    ) AS lately
) AS h
WHERE h.heard > 0
"""


async def count_heard(conn: Conn, app_id: int, numbers: Sequence[str], *, since: datetime) -> dict[str, int]:
    """How many replies of each of these numbers, as carriers tell them, flows have heard since then."""
    values = {"app_id": app_id, "numbers": list(numbers), "since": since}
    return {str(row[0]): int(row[1]) for row in await (await conn.execute(COUNT_HEARD, values)).fetchall()}


HANDLED = """
UPDATE reply r SET handled_at = %(now)s, became = t.became, session_id = nullif(t.session_id, 0)
FROM unnest(%(reply_ids)s::bigint[], %(became)s::text[], %(session_ids)s::bigint[])
     AS t (reply_id, became, session_id)
WHERE r.app_id = %(app_id)s AND r.reply_id = t.reply_id
"""


async def handled(conn: Conn, app_id: int, fates: Mapping[int, tuple[str, int]], *, now: datetime) -> None:
    """Note that these replies were looked at: what became of each, and the session that heard it (0: none)."""
    values = {
        "app_id": app_id,
        "reply_ids": list(fates),
        "became": [became for became, _ in fates.values()],
        "session_ids": [session_id for _, session_id in fates.values()],
        "now": now,
    }
    await conn.execute(HANDLED, values)
