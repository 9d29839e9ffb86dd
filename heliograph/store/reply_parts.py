"""Parts of long replies, each kept once, until their reply is whole or its rest will not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class NewPart(NamedTuple):
    """One part. ``carrier_ref``: its own; ``reference``: what the parts of one reply have in common."""

    carrier_ref: str
    number: str
    address: str
    reference: str
    total: int
    part: int
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """The parts of one reply, in their order. ``carrier_ref``: of the first of them that is there."""

    carrier_ref: str
    number: str
    address: str
    total: int
    parts: list[int]
    texts: list[str]
    written_at: datetime


ADD = """
INSERT INTO reply_part
    (app_id, account_id, carrier_ref, number, address, reference, total, part, text, written_at, received_at)
SELECT %(app_id)s, %(account_id)s, t.carrier_ref, t.number, t.address, t.reference, t.total, t.part, t.text,
       t.written_at, %(now)s
FROM unnest(%(carrier_ref)s::text[], %(number)s::text[], %(address)s::text[], %(reference)s::text[],
            %(total)s::smallint[], %(part)s::smallint[], %(text)s::text[], %(written_at)s::timestamptz[])
     AS t (carrier_ref, number, address, reference, total, part, text, written_at)
ON CONFLICT DO NOTHING
"""


async def add(conn: Conn, app_id: int, account_id: int, parts: Sequence[NewPart], *, now: datetime) -> None:
    """Keep parts that one carrier account brought; one that is kept already stays as it is."""
    values = {name: [part[place] for part in parts] for place, name in enumerate(NewPart._fields)}
    await conn.execute(ADD, {**values, "app_id": app_id, "account_id": account_id, "now": now})


# The open parts of one account are few: those of some minutes. Through the partial index reply_part_open.
JOIN = """
WITH due AS (
    SELECT number, address, reference, total FROM reply_part
    WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND joined_at IS NULL
    GROUP BY number, address, reference, total
    HAVING count(DISTINCT part) = total OR min(received_at) <= %(before)s
), taken AS (
    UPDATE reply_part p SET joined_at = %(now)s FROM due d
    WHERE p.app_id = %(app_id)s AND p.account_id = %(account_id)s AND p.joined_at IS NULL
      AND (p.number, p.address, p.reference, p.total) = (d.number, d.address, d.reference, d.total)
    RETURNING p.*
)
SELECT (array_agg(carrier_ref ORDER BY part, carrier_ref))[1] AS carrier_ref, number, address, total,
       array_agg(part::int ORDER BY part, carrier_ref) AS parts, array_agg(text ORDER BY part, carrier_ref) AS texts,
       min(written_at) AS written_at
FROM taken GROUP BY number, address, reference, total ORDER BY min(written_at), 1
"""


async def join(conn: Conn, app_id: int, account_id: int, *, before: datetime, now: datetime) -> list[Joined]:
    """Take the replies of an account that are whole, and those whose first part came ``before`` or then."""
    async with conn.cursor(row_factory=class_row(Joined)) as cursor:
        values = {"app_id": app_id, "account_id": account_id, "before": before, "now": now}
        return await (await cursor.execute(JOIN, values)).fetchall()


DISCARD = "DELETE FROM reply_part WHERE joined_at < %(before)s"


async def discard(conn: Conn, *, before: datetime) -> int:
    """Drop parts whose reply is so old that no carrier brings them again; answers how many."""
    return (await conn.execute(DISCARD, {"before": before})).rowcount
