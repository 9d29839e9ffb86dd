"""Pools: several senders under one name, and from whom of them each person gets their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from heliograph.errors import DuplicateName, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool and its members, side by side in the order of their addresses."""

    app_id: int
    pool_id: int
    public_id: str
    name: str
    sender_ids: list[int]
    sender_public_ids: list[str]
    addresses: list[str]
    weights: list[float]
    created_at: datetime
    updated_at: datetime


INSERT = """
INSERT INTO sender_pool (app_id, public_id, name, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(now)s, %(now)s)
RETURNING pool_id
"""


async def add(conn: Conn, app_id: int, *, public_id: str, name: str, now: datetime) -> int:
    """A new pool without members; answers its internal id. Raises DuplicateName."""
    values = {"app_id": app_id, "public_id": public_id, "name": name, "now": now}
    try:
        row = await (await conn.execute(INSERT, values)).fetchone()
    except UniqueViolation as error:
        text = f"A sender pool named {name} exists already in this app; names are compared without regard to case"
        raise DuplicateName(text, field="name") from error
    if row is None:
        raise NotFound(f"No app {app_id}")
    return int(row[0])


_SELECT = """
SELECT p.app_id, p.pool_id, p.public_id, p.name, p.created_at, p.updated_at, m.sender_ids, m.sender_public_ids,
       m.addresses, m.weights
FROM sender_pool p CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(s.sender_id ORDER BY s.address), '{}') AS sender_ids,
           coalesce(array_agg(s.public_id ORDER BY s.address), '{}') AS sender_public_ids,
           coalesce(array_agg(s.address ORDER BY s.address), '{}') AS addresses,
           coalesce(array_agg(x.weight ORDER BY s.address), '{}') AS weights
    FROM sender_pool_member x JOIN sender s ON s.app_id = x.app_id AND s.sender_id = x.sender_id
    WHERE x.app_id = p.app_id AND x.pool_id = p.pool_id
) m
WHERE p.app_id = %(app_id)s"""

FIND = f"""{_SELECT} AND (p.public_id = %(ref)s OR lower(p.name) = lower(%(ref)s))
ORDER BY p.public_id = %(ref)s DESC LIMIT 1
"""


async def find(conn: Conn, app_id: int, ref: str) -> Pool | None:
    """The pool with this ``sp-`` id or name, or None."""
    async with conn.cursor(row_factory=class_row(Pool)) as cursor:
        return await (await cursor.execute(FIND, {"app_id": app_id, "ref": ref})).fetchone()


async def get(conn: Conn, app_id: int, ref: str) -> Pool:
    """As :func:`find`. Raises NotFound."""
    found = await find(conn, app_id, ref)
    if found is None:
        raise NotFound(f"There is no sender pool {ref} in this app", field="senderPoolId")
    return found


LOCK = """
SELECT pool_id FROM sender_pool
WHERE app_id = %(app_id)s AND (public_id = %(ref)s OR lower(name) = lower(%(ref)s)) FOR UPDATE
"""


async def lock(conn: Conn, app_id: int, ref: str) -> Pool:
    """As :func:`get`, and nobody else changes it, or begins to send through it, before this transaction ends."""
    await conn.execute(LOCK, {"app_id": app_id, "ref": ref})
    return await get(conn, app_id, ref)


KEEP = """
SELECT pool_id FROM sender_pool WHERE app_id = %(app_id)s AND lower(name) = lower(%(name)s) FOR SHARE
"""


async def keep(conn: Conn, app_id: int, name: str) -> Pool | None:
    """The pool of this name, or None; nobody changes it before this transaction ends."""
    await conn.execute(KEEP, {"app_id": app_id, "name": name})
    return await find(conn, app_id, name)


LIST = f"{_SELECT} ORDER BY p.pool_id"


async def list_all(conn: Conn, app_id: int) -> list[Pool]:
    """The app's pools, oldest first."""
    async with conn.cursor(row_factory=class_row(Pool)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id})).fetchall()


LIST_OF_SENDER = f"""{_SELECT}
  AND EXISTS (
      SELECT FROM sender_pool_member o
      WHERE o.app_id = p.app_id AND o.pool_id = p.pool_id AND o.sender_id = %(sender_id)s
  )
ORDER BY p.pool_id
"""


async def list_of_sender(conn: Conn, app_id: int, sender_id: int) -> list[Pool]:
    """The pools that a sender is in, oldest first."""
    async with conn.cursor(row_factory=class_row(Pool)) as cursor:
        return await (await cursor.execute(LIST_OF_SENDER, {"app_id": app_id, "sender_id": sender_id})).fetchall()


SET_MEMBERS = """
WITH gone AS (
    DELETE FROM sender_pool_member
    WHERE app_id = %(app_id)s AND pool_id = %(pool_id)s AND sender_id <> ALL(%(sender_ids)s::int[])
), touched AS (
    UPDATE sender_pool SET updated_at = %(now)s WHERE app_id = %(app_id)s AND pool_id = %(pool_id)s
)
INSERT INTO sender_pool_member (app_id, pool_id, sender_id, weight)
SELECT %(app_id)s, %(pool_id)s, m.sender_id, m.weight
FROM unnest(%(sender_ids)s::int[], %(weights)s::double precision[]) AS m (sender_id, weight)
ON CONFLICT (app_id, pool_id, sender_id) DO UPDATE SET weight = excluded.weight
"""


async def set_members(conn: Conn, app_id: int, pool_id: int, members: Mapping[int, float], *, now: datetime) -> None:
    """Make these the members, each with its weight, in place of any it had."""
    values = {
        "app_id": app_id,
        "pool_id": pool_id,
        "sender_ids": list(members),
        "weights": list(members.values()),
        "now": now,
    }
    await conn.execute(SET_MEMBERS, values)


DELETE = """
WITH forgotten AS (
    DELETE FROM sticky_sender WHERE app_id = %(app_id)s AND pool_id = %(pool_id)s
)
DELETE FROM sender_pool WHERE app_id = %(app_id)s AND pool_id = %(pool_id)s
"""


async def delete(conn: Conn, app_id: int, pool_id: int) -> None:
    """Remove a pool, and with it who was texted from whom."""
    await conn.execute(DELETE, {"app_id": app_id, "pool_id": pool_id})


FIND_STICKY = """
SELECT number, sender_id FROM sticky_sender
WHERE app_id = %(app_id)s AND pool_id = %(pool_id)s AND number = ANY(%(numbers)s::text[])
  AND sender_id = ANY(%(sender_ids)s::int[])
"""


async def find_sticky(
    conn: Conn, app_id: int, pool_id: int, numbers: Sequence[str], sender_ids: Sequence[int]
) -> dict[str, int]:
    """From whom of these senders each of ``numbers`` gets texts through the pool; those who got none are not in it."""
    values = {"app_id": app_id, "pool_id": pool_id, "numbers": list(numbers), "sender_ids": list(sender_ids)}
    return {str(number): int(sender) for number, sender in await (await conn.execute(FIND_STICKY, values)).fetchall()}


# Two runs may plan one person at the same time: the first one's choice stays, if that sender is in this run too. In
# the order of the numbers, so that two planners cannot lock each other.
STICK = """
INSERT INTO sticky_sender AS t (app_id, pool_id, number, sender_id)
SELECT %(app_id)s, %(pool_id)s, s.number, s.sender_id
FROM unnest(%(numbers)s::text[], %(senders)s::int[]) AS s (number, sender_id) ORDER BY s.number
ON CONFLICT (app_id, pool_id, number) DO UPDATE
    SET sender_id = CASE WHEN t.sender_id = ANY(%(sender_ids)s::int[]) THEN t.sender_id ELSE excluded.sender_id END
RETURNING number, sender_id
"""


async def stick(
    conn: Conn, app_id: int, pool_id: int, chosen: Mapping[str, int], sender_ids: Sequence[int]
) -> dict[str, int]:
    """Remember a sender for each number that has none of ``sender_ids``; answers whom each has now."""
    values = {
        "app_id": app_id,
        "pool_id": pool_id,
        "numbers": list(chosen),
        "senders": list(chosen.values()),
        "sender_ids": list(sender_ids),
    }
    return {str(number): int(sender) for number, sender in await (await conn.execute(STICK, values)).fetchall()}
