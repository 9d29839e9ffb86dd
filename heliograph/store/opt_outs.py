"""Who said no, as it stands now: by number, for everything we send or for one address of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

Kind = Literal["no", "review"]


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who is not to be texted. ``address``: folded; "": whatever it is sent from."""

    number: str
    address: str
    kind: Kind
    source: str
    reason: str
    created_at: datetime


# In the order of numbers, as everybody does who puts several: two orders would be a deadlock. A no takes the place of
# a review; what is there otherwise stays, with whoever put it there first.
PUT = """
INSERT INTO opt_out AS o (app_id, number, address, kind, source, reason, created_at)
SELECT DISTINCT ON (t.number, t.address)
       %(app_id)s, t.number, t.address, t.kind, t.source, t.reason, t.created_at
FROM unnest(%(number)s::text[], %(address)s::text[], %(kind)s::text[], %(source)s::text[], %(reason)s::text[],
            %(created_at)s::timestamptz[]) AS t (number, address, kind, source, reason, created_at)
ORDER BY t.number, t.address, t.kind, t.created_at
ON CONFLICT (app_id, number, address) DO UPDATE
    SET kind = excluded.kind, source = excluded.source, reason = excluded.reason, created_at = excluded.created_at
    WHERE o.kind = 'review' AND excluded.kind = 'no'
"""


async def put(conn: Conn, app_id: int, rows: Sequence[OptOut]) -> int:
    """Keep those who are not kept yet; answers how many were new, or were only to be reviewed before."""
    values = {
        "app_id": app_id,
        "number": [row.number for row in rows],
        "address": [row.address for row in rows],
        "kind": [row.kind for row in rows],
        "source": [row.source for row in rows],
        "reason": [row.reason for row in rows],
        "created_at": [row.created_at for row in rows],
    }
    return (await conn.execute(PUT, values)).rowcount


# Locked in the order of numbers first, as PUT locks them.
LIFT = """
WITH found AS (
    SELECT o.number, o.address FROM opt_out o
    JOIN (SELECT DISTINCT number, address
          FROM unnest(%(number)s::text[], %(address)s::text[]) AS u (number, address)) AS t
      ON o.number = t.number AND o.address IN ('', t.address)
    WHERE o.app_id = %(app_id)s AND (o.kind = 'review' OR o.source = ANY(%(sources)s))
    ORDER BY o.number, o.address FOR UPDATE OF o
)
DELETE FROM opt_out o USING found f
WHERE o.app_id = %(app_id)s AND o.number = f.number AND o.address = f.address
RETURNING o.number
"""


async def lift(conn: Conn, app_id: int, pairs: Sequence[tuple[str, str]], *, sources: Collection[str]) -> set[str]:
    """Take away, for each ``(number, address)``, what counts for that address and was put there by ``sources``.

    Reviews go whoever asked for them. Answers the numbers of which anything went.
    """
    values = {
        "app_id": app_id,
        "number": [number for number, _ in pairs],
        "address": [address for _, address in pairs],
        "sources": list(sources),
    }
    return {str(row[0]) for row in await (await conn.execute(LIFT, values)).fetchall()}


REMOVE = """
DELETE FROM opt_out WHERE app_id = %(app_id)s AND number = ANY(%(numbers)s) AND kind = ANY(%(kinds)s)
RETURNING number, address, kind, source, reason, created_at
"""


async def remove(conn: Conn, app_id: int, numbers: Sequence[str], *, kinds: Sequence[Kind]) -> list[OptOut]:
    """Take these people out, for every address; those who were in."""
    values = {"app_id": app_id, "numbers": list(numbers), "kinds": list(kinds)}
    async with conn.cursor(row_factory=class_row(OptOut)) as cursor:
        return await (await cursor.execute(REMOVE, values)).fetchall()


OF_NUMBER = """
SELECT number, address, kind, source, reason, created_at FROM opt_out
WHERE app_id = %(app_id)s AND number = %(number)s ORDER BY address
"""


async def list_of(conn: Conn, app_id: int, number: str) -> list[OptOut]:
    """What keeps one number from being texted."""
    async with conn.cursor(row_factory=class_row(OptOut)) as cursor:
        return await (await cursor.execute(OF_NUMBER, {"app_id": app_id, "number": number})).fetchall()


PAGE = """
SELECT number, address, kind, source, reason, created_at FROM opt_out
WHERE app_id = %(app_id)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(number)s::text IS NULL OR number = %(number)s)
ORDER BY number, address OFFSET %(skip)s LIMIT %(limit)s
"""


async def page(
    conn: Conn, app_id: int, *, kind: Kind | None, number: str | None, skip: int, limit: int
) -> list[OptOut]:
    """Some of those who said no, in the order of their numbers; of one kind or of one number, unless None."""
    values = {"app_id": app_id, "kind": kind, "number": number, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(OptOut)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


COUNT = """
SELECT count(*) FROM opt_out
WHERE app_id = %(app_id)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(number)s::text IS NULL OR number = %(number)s)
"""


async def count(conn: Conn, app_id: int, *, kind: Kind | None, number: str | None) -> int:
    """How many :func:`page` would answer without a limit."""
    values = {"app_id": app_id, "kind": kind, "number": number}
    row = await (await conn.execute(COUNT, values)).fetchone()
    return 0 if row is None else int(row[0])


# Both walk an index in its order: the primary key, or opt_out_review, which has to be asked for by its very words.
AFTER = """
SELECT number, address, kind, source, reason, created_at FROM opt_out
WHERE app_id = %(app_id)s AND (number, address) > (%(number)s, %(address)s)
ORDER BY number, address LIMIT %(limit)s
"""
REVIEWS_AFTER = """
SELECT number, address, kind, source, reason, created_at FROM opt_out
WHERE app_id = %(app_id)s AND kind = 'review' AND number > %(number)s
ORDER BY number LIMIT %(limit)s
"""


async def read_after(
    conn: Conn, app_id: int, number: str, address: str = "", *, limit: int, reviews: bool = False
) -> list[OptOut]:
    """The next of those who said no, or only who is to be reviewed. The millionth page costs what the first did."""
    values = {"app_id": app_id, "number": number, "address": address, "limit": limit}
    async with conn.cursor(row_factory=class_row(OptOut)) as cursor:
        return await (await cursor.execute(REVIEWS_AFTER if reviews else AFTER, values)).fetchall()


COUNT_SOME = """
SELECT (SELECT count(*) FROM (SELECT FROM opt_out WHERE app_id = %(app_id)s LIMIT %(most)s) AS every),
       (SELECT count(*) FROM (
           SELECT FROM opt_out WHERE app_id = %(app_id)s AND kind = 'review' LIMIT %(most)s) AS reviews)
"""


async def count_some(conn: Conn, app_id: int, *, most: int) -> tuple[int, int]:
    """How many said no, reviews among them, and how many are to be reviewed; counted no further than ``most``."""
    row = await (await conn.execute(COUNT_SOME, {"app_id": app_id, "most": most})).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
