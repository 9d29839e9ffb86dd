"""Reading the contacts of a run's lists, page by page, to plan them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

if TYPE_CHECKING:
    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Member:
    """A contact, with its columns only when asked for."""

    list_id: int
    seq: int
    number: str
    time_zone: str | None
    fields: dict[str, Any]


# Keyset by the primary key: the millionth page costs what the first did.
READ_PAGE = """
SELECT list_id, seq, number, time_zone,
       CASE WHEN %(with_fields)s THEN fields ELSE '{}'::json END AS fields
FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s
ORDER BY seq LIMIT %(limit)s
"""


async def read_page(  # which page of which list, how much of each
    conn: Conn, app_id: int, list_id: int, *, after: int, limit: int, with_fields: bool
) -> list[Member]:
    """The next ``limit`` contacts of a list after number ``after`` in it."""
    values = {"app_id": app_id, "list_id": list_id, "after": after, "limit": limit, "with_fields": with_fields}
    async with conn.cursor(row_factory=class_row(Member)) as cursor:
        return await (await cursor.execute(READ_PAGE, values)).fetchall()
