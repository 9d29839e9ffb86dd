"""Links that open once: to become the first owner, to accept an invitation, to choose another password, to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

Purpose = Literal["owner", "invite", "reset", "sign_in"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link, and whom it is for. Without a user: for whoever becomes the first owner."""

    purpose: Purpose
    user_public_id: str | None
    made_by: str
    expires_at: datetime


ADD = """
INSERT INTO sign_in_link (hash, purpose, user_id, made_by, created_at, expires_at)
VALUES (%(hash)s, %(purpose)s, %(user_id)s, %(made_by)s, %(now)s, %(expires_at)s)
"""


async def add(
    conn: Conn,
    *,
    token_hash: bytes,
    purpose: Purpose,
    user_id: int | None,
    made_by: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a link by the hash of its token."""
    values = {
        "hash": token_hash,
        "purpose": purpose,
        "user_id": user_id,
        "made_by": made_by,
        "now": now,
        "expires_at": expires_at,
    }
    await conn.execute(ADD, values)


FIND = """
SELECT l.purpose, u.public_id AS user_public_id, l.made_by, l.expires_at
FROM sign_in_link l LEFT JOIN console_user u USING (user_id)
WHERE l.hash = %(hash)s AND l.expires_at > %(now)s AND u.disabled_at IS NULL
"""


async def find(conn: Conn, token_hash: bytes, *, now: datetime) -> Link | None:
    """The link of a token, while it opens."""
    async with conn.cursor(row_factory=class_row(Link)) as cursor:
        return await (await cursor.execute(FIND, {"hash": token_hash, "now": now})).fetchone()


USE = "DELETE FROM sign_in_link WHERE hash = %(hash)s AND expires_at > %(now)s"


async def use(conn: Conn, token_hash: bytes, *, now: datetime) -> bool:
    """Use a link up; False when it does not open (any more)."""
    return (await conn.execute(USE, {"hash": token_hash, "now": now})).rowcount == 1


DROP = """
DELETE FROM sign_in_link
WHERE expires_at <= %(now)s OR (user_id IS NOT DISTINCT FROM %(user_id)s AND purpose = ANY(%(purposes)s))
"""


async def drop(conn: Conn, user_id: int | None, *purposes: Purpose, now: datetime) -> None:
    """Have these links of a user (None: of the first owner) open no more, nor any that has expired."""
    await conn.execute(DROP, {"user_id": user_id, "purposes": list(purposes), "now": now})


PENDING = "SELECT user_id FROM sign_in_link WHERE purpose IN ('invite', 'reset') AND expires_at > %(now)s"


async def pending(conn: Conn, *, now: datetime) -> set[int]:
    """The internal ids of users for whom a link is open by which they choose a password."""
    cursor = await conn.execute(PENDING, {"now": now})
    return {int(row[0]) for row in await cursor.fetchall() if row[0] is not None}
