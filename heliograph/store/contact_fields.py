"""The columns of single contacts: what a conversation knows of its person, and what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

Place = tuple[int, int]
"""A contact: its list, and its number in it."""

OF = """
SELECT c.list_id, c.seq, c.fields FROM unnest(%(list_ids)s::int[], %(seqs)s::int[]) AS t (list_id, seq)
JOIN contact c ON c.app_id = %(app_id)s AND c.list_id = t.list_id AND c.seq = t.seq
"""


async def of(conn: Conn, app_id: int, places: Sequence[Place]) -> dict[Place, dict[str, Any]]:
    """The columns of these contacts; those that are gone are missing."""
    values = {"app_id": app_id, "list_ids": [place[0] for place in places], "seqs": [place[1] for place in places]}
    rows = await (await conn.execute(OF, values)).fetchall()
    return {(int(row[0]), int(row[1])): row[2] for row in rows}


class Known(NamedTuple):
    """A contact with a number."""

    number: str
    list_id: int
    seq: int
    fields: dict[str, Any]


# By contact_number: one probe a number.
NEWEST = """
SELECT t.number, c.list_id, c.seq, c.fields FROM unnest(%(numbers)s::text[]) AS t (number)
CROSS JOIN LATERAL (
    SELECT list_id, seq, fields FROM contact WHERE app_id = %(app_id)s AND number = t.number
    ORDER BY list_id DESC, seq DESC LIMIT 1
) AS c
"""


async def newest(conn: Conn, app_id: int, numbers: Sequence[str]) -> dict[str, Known]:
    """Of each of these numbers that is on a list, the contact of the list that was made last."""
    rows = await (await conn.execute(NEWEST, {"app_id": app_id, "numbers": list(numbers)})).fetchall()
    return {str(row[0]): Known(*row) for row in rows}


# Locked in the order of their keys first, as everybody does who changes several.
PUT = """
WITH given AS (
    SELECT list_id::int, seq::int, fields::json FROM ROWS FROM (
        json_array_elements_text(%(list_id)s::json), json_array_elements_text(%(seq)s::json),
        json_array_elements_text(%(fields)s::json)) AS t (list_id, seq, fields)
), held AS (
    SELECT c.list_id, c.seq FROM contact c JOIN given g ON c.list_id = g.list_id AND c.seq = g.seq
    WHERE c.app_id = %(app_id)s ORDER BY c.list_id, c.seq FOR UPDATE OF c
)
UPDATE contact c SET fields = g.fields, updated_at = %(now)s
FROM given g JOIN held h ON h.list_id = g.list_id AND h.seq = g.seq
WHERE c.app_id = %(app_id)s AND c.list_id = g.list_id AND c.seq = g.seq
"""


async def put(conn: Conn, app_id: int, fields: Mapping[Place, str], *, now: datetime) -> None:
    """Give contacts these columns, as JSON text."""
    values = {
        "app_id": app_id,
        "list_id": columns.of([place[0] for place in fields]),
        "seq": columns.of([place[1] for place in fields]),
        "fields": columns.of(list(fields.values())),
        "now": now,
    }
    await conn.execute(PUT, values)


ADD_COLUMNS = """
UPDATE contact_list l
SET columns = l.columns || ARRAY(SELECT n FROM unnest(%(names)s::text[]) AS n WHERE n <> ALL (l.columns))
WHERE l.app_id = %(app_id)s AND l.list_id = %(list_id)s
  AND EXISTS (SELECT FROM unnest(%(names)s::text[]) AS n WHERE n <> ALL (l.columns))
"""


async def add_columns(conn: Conn, app_id: int, list_id: int, names: Sequence[str]) -> None:
    """Let a list have columns of these names; where it has them, nothing is written."""
    await conn.execute(ADD_COLUMNS, {"app_id": app_id, "list_id": list_id, "names": list(names)})
