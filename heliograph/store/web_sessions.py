"""Sessions of the console: who came in by which cookie. The cookie's token is kept as a hash only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in. ``half``: the password was right, the code is still asked for."""

    public_id: str
    user_id: int
    user_public_id: str
    half: bool
    address: str
    browser: str
    created_at: datetime
    seen_at: datetime
    disabled: bool


ADD = """
INSERT INTO web_session (hash, public_id, user_id, half, address, browser, created_at, seen_at)
VALUES (%(hash)s, %(public_id)s, %(user_id)s, %(half)s, %(address)s, %(browser)s, %(now)s, %(now)s)
"""


async def add(
    conn: Conn,
    *,
    token_hash: bytes,
    public_id: str,
    user_id: int,
    half: bool,
    address: str,
    browser: str,
    now: datetime,
) -> None:
    """Let the browser that has the token in."""
    values = {
        "hash": token_hash,
        "public_id": public_id,
        "user_id": user_id,
        "half": half,
        "address": address,
        "browser": browser,
        "now": now,
    }
    await conn.execute(ADD, values)


# Runs once a request, by web_session's primary key and then console_user's: two index probes.
FIND = """
SELECT s.public_id, s.user_id, u.public_id AS user_public_id, s.half, s.address, s.browser, s.created_at, s.seen_at,
       u.disabled_at IS NOT NULL AS disabled
FROM web_session s JOIN console_user u USING (user_id) WHERE s.hash = %(hash)s
"""


async def find(conn: Conn, token_hash: bytes) -> Session | None:
    """The session of a token, whether or not it still counts."""
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        return await (await cursor.execute(FIND, {"hash": token_hash})).fetchone()


SEEN = "UPDATE web_session SET seen_at = %(now)s, address = %(address)s WHERE public_id = %(public_id)s"


async def seen(conn: Conn, public_id: str, *, address: str, now: datetime) -> None:
    """Remember when, and from where, a session was used last."""
    await conn.execute(SEEN, {"public_id": public_id, "address": address, "now": now})


LIST_OF = """
SELECT s.public_id, s.user_id, u.public_id AS user_public_id, s.half, s.address, s.browser, s.created_at, s.seen_at,
       u.disabled_at IS NOT NULL AS disabled
FROM web_session s JOIN console_user u USING (user_id)
WHERE s.user_id = %(user_id)s AND NOT s.half AND s.seen_at > %(seen_after)s AND s.created_at > %(made_after)s
ORDER BY s.seen_at DESC LIMIT 100
"""


async def list_of(conn: Conn, user_id: int, *, seen_after: datetime, made_after: datetime) -> list[Session]:
    """A user's sessions that still count, the one used last first."""
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        values = {"user_id": user_id, "seen_after": seen_after, "made_after": made_after}
        return await (await cursor.execute(LIST_OF, values)).fetchall()


DELETE = "DELETE FROM web_session WHERE user_id = %(user_id)s AND public_id = %(public_id)s"


async def delete(conn: Conn, user_id: int, public_id: str) -> bool:
    """End one session of a user; False when there is none called so."""
    return (await conn.execute(DELETE, {"user_id": user_id, "public_id": public_id})).rowcount == 1


DELETE_ALL = "DELETE FROM web_session WHERE user_id = %(user_id)s AND public_id <> %(but)s"


async def delete_all(conn: Conn, user_id: int, *, but: str = "") -> int:
    """End every session of a user, other than ``but``; answers how many."""
    return (await conn.execute(DELETE_ALL, {"user_id": user_id, "but": but})).rowcount


FORGET = "DELETE FROM web_session WHERE seen_at < %(seen_before)s OR created_at < %(made_before)s"


async def forget(conn: Conn, *, seen_before: datetime, made_before: datetime) -> None:
    """Drop the sessions that no longer count."""
    await conn.execute(FORGET, {"seen_before": seen_before, "made_before": made_before})
