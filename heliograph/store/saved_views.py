"""Lists of campaigns that somebody has given a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class SavedView:
    """A row of table ``saved_view``. ``query``: of the page's address."""

    name: str
    query: str


LIST = """
SELECT name, query FROM saved_view WHERE app_id = %(app_id)s AND user_id = %(user_id)s ORDER BY created_at, name
"""


async def list_of(conn: Conn, app_id: int, user_id: int) -> list[SavedView]:
    """What a user has kept in an app, the oldest first."""
    async with conn.cursor(row_factory=class_row(SavedView)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id, "user_id": user_id})).fetchall()


PUT = """
INSERT INTO saved_view (app_id, user_id, name, query, created_at)
VALUES (%(app_id)s, %(user_id)s, %(name)s, %(query)s, %(now)s)
ON CONFLICT (app_id, user_id, name) DO UPDATE SET query = excluded.query
"""


async def put(conn: Conn, app_id: int, user_id: int, view: SavedView, *, now: datetime) -> None:
    """Keep a view; one of the same name is replaced."""
    values = {"app_id": app_id, "user_id": user_id, "name": view.name, "query": view.query, "now": now}
    await conn.execute(PUT, values)


DELETE = "DELETE FROM saved_view WHERE app_id = %(app_id)s AND user_id = %(user_id)s AND name = %(name)s"


async def delete(conn: Conn, app_id: int, user_id: int, name: str) -> None:
    """Forget a view, if there is one of this name."""
    await conn.execute(DELETE, {"app_id": app_id, "user_id": user_id, "name": name})
