"""Mappings of columns made by hand, kept for the next file with the same header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.json import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

FIND = "SELECT mapping FROM column_mapping WHERE app_id = %(app_id)s AND header = %(header)s"


async def find(conn: Conn, app_id: int, header: bytes) -> dict[str, str] | None:
    """What was decided for files with this header; None when nothing was."""
    row = await (await conn.execute(FIND, {"app_id": app_id, "header": header})).fetchone()
    return None if row is None else dict(row[0])


PUT = """
INSERT INTO column_mapping (app_id, header, columns, mapping, updated_at)
VALUES (%(app_id)s, %(header)s, %(columns)s, %(mapping)s, %(now)s)
ON CONFLICT (app_id, header) DO UPDATE
SET columns = excluded.columns, mapping = excluded.mapping, updated_at = excluded.updated_at
"""


async def put(
    conn: Conn, app_id: int, header: bytes, columns: Sequence[str], mapping: Mapping[str, str], *, now: datetime
) -> None:
    """Read files with this header by this mapping from now on."""
    values = {"app_id": app_id, "header": header, "columns": list(columns), "mapping": Json(dict(mapping)), "now": now}
    await conn.execute(PUT, values)


DROP = "DELETE FROM column_mapping WHERE app_id = %(app_id)s AND header = %(header)s"


async def drop(conn: Conn, app_id: int, header: bytes) -> None:
    """Guess again."""
    await conn.execute(DROP, {"app_id": app_id, "header": header})
