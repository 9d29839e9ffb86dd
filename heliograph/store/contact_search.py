"""Looking for people on a contact list by what is known of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

from heliograph.store.contacts import Contact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for; None and nothing: whatever it is.

    ``words`` are values of system fields (``firstName``), each with the columns of the list that may hold it, the one
    that counts first in front. Whoever is as all of these is found. With ``either`` it is whoever has this ``number``,
    or any one of the ``words``.
    """

    number: str | None
    priority: int | None
    words: Mapping[str, tuple[str, Sequence[str]]]
    either: bool = False

    @property
    def is_anybody(self) -> bool:
        """Whether everybody of the list is found."""
        return self.number is None and self.priority is None and not self.words


# The value that counts of a field is the first that is not blank; case counts only in a unique id.
_FIRST_NAME = """lower(%(firstName)s) = (
    SELECT lower(btrim(fields ->> c.name)) FROM unnest(%(firstName_columns)s::text[]) WITH ORDINALITY AS c (name, place)
    WHERE btrim(fields ->> c.name) <> '' ORDER BY c.place LIMIT 1)"""
_LAST_NAME = """lower(%(lastName)s) = (
    SELECT lower(btrim(fields ->> c.name)) FROM unnest(%(lastName_columns)s::text[]) WITH ORDINALITY AS c (name, place)
    WHERE btrim(fields ->> c.name) <> '' ORDER BY c.place LIMIT 1)"""
_UNIQUE_ID = """%(uniqueId)s = (
    SELECT btrim(fields ->> c.name) FROM unnest(%(uniqueId_columns)s::text[]) WITH ORDINALITY AS c (name, place)
    WHERE btrim(fields ->> c.name) <> '' ORDER BY c.place LIMIT 1)"""

# A number is found by contact_number, a priority by contact_priority. Words stand in the contact's own columns, which
# no index knows: the list is read from end to end, once, for the count that is answered as well.
FIND = """
SELECT count(*), coalesce((array_agg(seq ORDER BY seq))[%(first)s : %(last)s], '{}') FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s"""

_LARGEST = 2**31 - 1  # what PostgreSQL counts the places of an array with

_WORDS: dict[str, LiteralString] = {"firstName": _FIRST_NAME, "lastName": _LAST_NAME, "uniqueId": _UNIQUE_ID}


async def find(
    conn: Conn, app_id: int, list_id: int, sought: Sought, *, skip: int, limit: int
) -> tuple[int, list[int]]:
    """How many contacts of a list are as ``sought``, and the numbers in it of some of them, in order of arrival."""
    statement: LiteralString = FIND
    first, last = min(skip + 1, _LARGEST), min(skip + limit, _LARGEST)
    values: dict[str, object] = {"app_id": app_id, "list_id": list_id, "first": first, "last": last}
    if sought.priority is not None:
        statement += " AND priority = %(priority)s"
        values["priority"] = sought.priority
    told: list[LiteralString] = []
    if sought.number is not None:
        told.append("number = %(number)s")
        values["number"] = sought.number
    for field, (value, names) in sought.words.items():
        told.append(_WORDS[field])
        values |= {field: value, f"{field}_columns": list(names)}
    if told:
        statement += " AND (" + (" OR " if sought.either else " AND ").join(told) + ")"
    row = await (await conn.execute(statement, values)).fetchone()
    return (0, []) if row is None else (int(row[0]), list(row[1]))


# Reads a list in order of arrival, as far as it takes to find enough: columns are a contact's own, which no index
# knows. Whoever calls sees to it that ``upto`` is not too far off for that. Looking at the JSON as it is written first
# spares taking nearly all of it apart: 100,000 contacts of nine columns, where nobody is found, 0.2 s and not 1.6 s.
HAVING = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s AND seq <= %(upto)s
  AND strpos(lower(fields::text), lower(%(written)s)) > 0
  AND CASE WHEN %(column)s::text IS NULL
      THEN EXISTS (SELECT FROM json_each_text(fields) AS f WHERE strpos(lower(f.value), lower(%(text)s)) > 0)
      ELSE strpos(lower(fields ->> %(column)s::text), lower(%(text)s)) > 0 END
ORDER BY seq LIMIT %(limit)s
"""


async def having(
    conn: Conn, app_id: int, list_id: int, text: str, *, column: str | None, after: int, upto: int, limit: int
) -> list[Contact]:
    """The next contacts of a list after ``after``, up to ``upto``, that have ``text`` in a column, or (None) in any."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    values = {"app_id": app_id, "list_id": list_id, "text": text, "column": column, "after": after, "limit": limit}
    values |= {"written": written, "upto": upto}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(HAVING, values)).fetchall()


READ = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at
FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq = ANY(%(seqs)s::int[])
ORDER BY seq
"""


async def read(conn: Conn, app_id: int, list_id: int, seqs: Sequence[int]) -> list[Contact]:
    """The contacts of a list with these numbers in it, in order of arrival."""
    values = {"app_id": app_id, "list_id": list_id, "seqs": list(seqs)}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(READ, values)).fetchall()
