"""Secrets of an app, sealed: what its lists send to the APIs they pull from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Named:
    """A secret as it may be shown: without what is secret."""

    name: str
    created_at: datetime
    updated_at: datetime


PUT = """
INSERT INTO app_secret (app_id, name, sealed, created_at, updated_at)
VALUES (%(app_id)s, %(name)s, %(sealed)s, %(now)s, %(now)s)
ON CONFLICT (app_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at
RETURNING name, created_at, updated_at
"""


async def put(conn: Conn, app_id: int, name: str, sealed: bytes, *, now: datetime) -> Named:
    """Keep a secret under a name, in place of what was kept under it."""
    values = {"app_id": app_id, "name": name, "sealed": sealed, "now": now}
    async with conn.cursor(row_factory=class_row(Named)) as cursor:
        found = await (await cursor.execute(PUT, values)).fetchone()
    if found is None:
        raise missing(name)
    return found


LIST_ALL = "SELECT name, created_at, updated_at FROM app_secret WHERE app_id = %(app_id)s ORDER BY name"


async def list_all(conn: Conn, app_id: int) -> list[Named]:
    """The names of an app's secrets, in alphabetical order."""
    async with conn.cursor(row_factory=class_row(Named)) as cursor:
        return await (await cursor.execute(LIST_ALL, {"app_id": app_id})).fetchall()


SEALED = "SELECT name, sealed FROM app_secret WHERE app_id = %(app_id)s AND name = ANY(%(names)s)"


async def sealed(conn: Conn, app_id: int, names: Iterable[str]) -> dict[str, bytes]:
    """Those of the secrets called ``names`` that there are, sealed."""
    cursor = await conn.execute(SEALED, {"app_id": app_id, "names": list(names)})
    return {str(row[0]): bytes(row[1]) for row in await cursor.fetchall()}


DELETE = "DELETE FROM app_secret WHERE app_id = %(app_id)s AND name = %(name)s RETURNING name, created_at, updated_at"


async def delete(conn: Conn, app_id: int, name: str) -> Named:
    """Forget a secret. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Named)) as cursor:
        found = await (await cursor.execute(DELETE, {"app_id": app_id, "name": name})).fetchone()
    if found is None:
        raise missing(name)
    return found


def missing(name: str) -> NotFound:
    """The error that says which secret there is not."""
    return NotFound(f"Secret {name} not found", field="secretName")
