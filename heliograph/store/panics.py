"""The panic button: each time it was pressed, for an app or for one of its senders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Panic:
    """A row of table ``panic``; ``sender_id`` and ``address`` are None when it is the whole app's."""

    sender_id: int | None
    sender_public_id: str | None
    address: str | None
    pressed_at: datetime
    pressed_by: str
    reason: str
    released_at: datetime | None
    released_by: str | None


_PANICS = """
SELECT p.sender_id, s.public_id AS sender_public_id, s.address, p.pressed_at, p.pressed_by, p.reason, p.released_at,
       p.released_by
FROM panic p LEFT JOIN sender s ON s.app_id = p.app_id AND s.sender_id = p.sender_id
WHERE p.app_id = %(app_id)s
"""

PRESS = """
INSERT INTO panic (app_id, sender_id, pressed_at, pressed_by, reason)
VALUES (%(app_id)s, %(sender_id)s, %(now)s, %(who)s, %(reason)s)
ON CONFLICT (app_id, sender_id) WHERE released_at IS NULL DO NOTHING
"""


async def press(conn: Conn, app_id: int, sender_id: int | None, *, who: str, reason: str, now: datetime) -> None:
    """Have nothing leave a sender, or the app (None), once this is committed. One in force already stays as it is."""
    values = {"app_id": app_id, "sender_id": sender_id, "who": who, "reason": reason, "now": now}
    await conn.execute(PRESS, values)


RELEASE = """
UPDATE panic SET released_at = %(now)s, released_by = %(who)s
WHERE app_id = %(app_id)s AND sender_id IS NOT DISTINCT FROM %(sender_id)s::int AND released_at IS NULL
RETURNING panic_id
"""


async def release(conn: Conn, app_id: int, sender_id: int | None, *, who: str, now: datetime) -> bool:
    """Let texts leave again; False when none was in force."""
    values = {"app_id": app_id, "sender_id": sender_id, "who": who, "now": now}
    return await (await conn.execute(RELEASE, values)).fetchone() is not None


NEWEST = f"{_PANICS} AND p.sender_id IS NOT DISTINCT FROM %(sender_id)s::int ORDER BY p.panic_id DESC LIMIT 1"


async def find_newest(conn: Conn, app_id: int, sender_id: int | None) -> Panic | None:
    """The last time it was pressed for a sender, or for the app (None)."""
    async with conn.cursor(row_factory=class_row(Panic)) as cursor:
        return await (await cursor.execute(NEWEST, {"app_id": app_id, "sender_id": sender_id})).fetchone()


IN_FORCE = f"{_PANICS} AND p.released_at IS NULL ORDER BY p.sender_id NULLS FIRST"


async def list_in_force(conn: Conn, app_id: int) -> list[Panic]:
    """Those that hold texts of the app now, the app's own first."""
    async with conn.cursor(row_factory=class_row(Panic)) as cursor:
        return await (await cursor.execute(IN_FORCE, {"app_id": app_id})).fetchall()


LATEST = f"{_PANICS} ORDER BY p.released_at IS NULL DESC, p.panic_id DESC LIMIT %(limit)s"


async def list_latest(conn: Conn, app_id: int, *, limit: int = 100) -> list[Panic]:
    """Those in force first, then the others, the newest first."""
    async with conn.cursor(row_factory=class_row(Panic)) as cursor:
        return await (await cursor.execute(LATEST, {"app_id": app_id, "limit": limit})).fetchall()


EVERYWHERE = "SELECT app_id, sender_id FROM panic WHERE released_at IS NULL"


async def list_everywhere(conn: Conn) -> set[tuple[int, int | None]]:
    """``(app, sender or None)`` of all that are in force, of all apps: what workers need not try."""
    return {(app_id, sender_id) for app_id, sender_id in await (await conn.execute(EVERYWHERE)).fetchall()}


# By campaign_active. Of a sender too all of the app's: through whom a campaign goes may change while it goes on.
GATES = """
SELECT campaign_id FROM campaign
WHERE app_id = %(app_id)s AND status = 'Active' AND deleted_at IS NULL ORDER BY campaign_id
"""


async def list_gates(conn: Conn, app_id: int) -> Sequence[int]:
    """The campaigns of an app whose bytes may be being written now."""
    return [int(row[0]) for row in await (await conn.execute(GATES, {"app_id": app_id})).fetchall()]
