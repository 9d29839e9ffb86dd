"""Who of many is on a list already: for files that add to it, and for those that change who is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.contacts import NewContact
    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Match:
    """A contact that has one of the numbers that were looked for."""

    number: str
    seq: int
    time_zone: str | None
    priority: int | None
    fields: dict[str, Any]


# As contacts.FIND_NUMBERS, which says why it is written so: a probe a number. The limit keeps it that.
FIND_SINCE = """
SELECT sought.number
FROM unnest(%(numbers)s::text[]) AS sought (number)
CROSS JOIN LATERAL (
    SELECT 1 FROM contact c
    WHERE c.app_id = %(app_id)s AND c.number = sought.number AND c.list_id + 0 = %(list_id)s AND c.seq > %(after)s
    LIMIT 1
) AS present
"""


async def find_since(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str], *, after: int) -> set[str]:
    """Those of ``numbers`` that came onto the list behind number ``after`` in it."""
    values = {"app_id": app_id, "list_id": list_id, "numbers": list(numbers), "after": after}
    cursor = await conn.execute(FIND_SINCE, values)
    return {str(row[0]) for row in await cursor.fetchall()}


FIND_PEOPLE = """
SELECT sought.number, present.seq, present.time_zone, present.priority, present.fields
FROM unnest(%(numbers)s::text[]) AS sought (number)
CROSS JOIN LATERAL (
    SELECT c.seq, c.time_zone, c.priority, c.fields FROM contact c
    WHERE c.app_id = %(app_id)s AND c.number = sought.number AND c.list_id + 0 = %(list_id)s
    LIMIT 1000
) AS present
"""


async def find_people(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str]) -> list[Match]:
    """The contacts of a list with these numbers; several of one number where the list keeps duplicates."""
    values = {"app_id": app_id, "list_id": list_id, "numbers": list(numbers)}
    async with conn.cursor(row_factory=class_row(Match)) as cursor:
        return await (await cursor.execute(FIND_PEOPLE, values)).fetchall()


# Thousands of rows by their primary key. The planner prefers to join them with all of the table as soon as it takes
# them for many; a probe each is what it costs whatever the size of the table.
PROBE = """
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true)
"""


async def probe(conn: Conn) -> None:
    """Have rows changed by a probe each, to the end of this transaction."""
    await conn.execute(PROBE)


CHANGE = """
UPDATE contact c
SET time_zone = n.time_zone, priority = n.priority, fields = n.fields::json, updated_at = %(now)s
FROM unnest(%(seqs)s::int[], %(zones)s::text[], %(priorities)s::int[], %(fields)s::text[])
     AS n (seq, time_zone, priority, fields)
WHERE c.app_id = %(app_id)s AND c.list_id = %(list_id)s AND c.seq = n.seq
"""


async def change(
    conn: Conn, app_id: int, list_id: int, seqs: Sequence[int], people: Sequence[NewContact], *, now: datetime
) -> None:
    """Make contacts what is given, all but their numbers. Only for whoever holds the list's writer lock."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "seqs": list(seqs),
        "zones": [one.time_zone for one in people],
        "priorities": [one.priority for one in people],
        "fields": [one.fields for one in people],
        "now": now,
    }
    await conn.execute(CHANGE, values)


MAKE_SEEN = "CREATE TEMP TABLE seen_number (number text PRIMARY KEY) ON COMMIT DROP"


async def make_seen(conn: Conn) -> None:
    """A place, to the end of this transaction, for the numbers of a file that is only looked at."""
    await conn.execute(MAKE_SEEN)


SEE = """
INSERT INTO seen_number SELECT unnest(%(numbers)s::text[]) ON CONFLICT DO NOTHING RETURNING number
"""


async def see(conn: Conn, numbers: Sequence[str]) -> set[str]:
    """Remember numbers, each of them once in ``numbers``; those that were not seen before."""
    cursor = await conn.execute(SEE, {"numbers": list(numbers)})
    return {str(row[0]) for row in await cursor.fetchall()}
