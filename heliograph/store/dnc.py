"""Do not contact: who has said no, list by list.

An entry is a number or, with a star at its end, a prefix (``+1900*``): everybody whose number begins with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.rules import do_not_contact, optout
from heliograph.store import lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn
    from heliograph.store.lists import ContactList


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is kept. ``number`` has a star at its end when it is a prefix."""

    number: str
    reason: str
    source: str
    created_at: datetime
    expires_at: datetime | None


async def create(
    conn: Conn,
    app_id: int,
    *,
    name: str,
    now: datetime,
    description: str = "",
    is_default: bool = False,
    is_global: bool = False,
) -> ContactList:
    """A new do-not-contact list. Raises DuplicateName."""
    return await lists.create(
        conn,
        app_id,
        kind="dnc",
        name=name,
        description=description,
        source="localDrive",
        allow_duplicates=False,
        is_default=is_default,
        is_global_dnc=is_global,
        now=now,
    )


# An entry that is there keeps its reason and the later end of the two; one that had ended begins anew. The list's
# count goes with it. `xmax = 0` is true of rows that were inserted.
PUT_ENTRIES = """
WITH put AS (
    INSERT INTO dnc_entry (app_id, list_id, number, reason, source, created_at, expires_at)
    SELECT %(app_id)s, %(list_id)s, e.number, e.reason, %(source)s, %(now)s, e.expires_at
    FROM unnest(%(numbers)s::text[], %(reasons)s::text[], %(ends)s::timestamptz[]) AS e (number, reason, expires_at)
    ON CONFLICT (app_id, list_id, number) DO UPDATE SET
        (reason, source, created_at, expires_at) = (
            SELECT CASE WHEN over THEN excluded.reason ELSE dnc_entry.reason END,
                   CASE WHEN over THEN excluded.source ELSE dnc_entry.source END,
                   CASE WHEN over THEN excluded.created_at ELSE dnc_entry.created_at END,
                   CASE WHEN dnc_entry.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
                        ELSE greatest(dnc_entry.expires_at, excluded.expires_at) END
            FROM (SELECT coalesce(dnc_entry.expires_at <= excluded.created_at, false) AS over) AS o)
    RETURNING xmax = 0 AS is_new
), counted AS (
    UPDATE contact_list
    SET contact_count = contact_count + (SELECT count(*) FROM put WHERE is_new), updated_at = %(now)s
    WHERE app_id = %(app_id)s AND list_id = %(list_id)s
)
SELECT count(*) FROM put WHERE is_new
"""


async def put_entries(
    conn: Conn, app_id: int, list_id: int, entries: Sequence[do_not_contact.Entry], *, source: str, now: datetime
) -> int:
    """Put entries on a list, each id once; how many were not on it. One that is there keeps the later end."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "numbers": [entry.id for entry in entries],
        "reasons": [entry.reason for entry in entries],
        "ends": [entry.expires_at for entry in entries],
        "source": source,
        "now": now,
    }
    row = await (await conn.execute(PUT_ENTRIES, values)).fetchone()
    return 0 if row is None else int(row[0])


async def add_entries(
    conn: Conn,
    app_id: int,
    list_id: int,
    numbers: Sequence[str],
    *,
    source: str,
    now: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
) -> int:
    """As :func:`put_entries`, for numbers (E.164) with one reason and end."""
    entries = [do_not_contact.Entry(number, reason, expires_at) for number in sorted(set(numbers))]
    return await put_entries(conn, app_id, list_id, entries, source=source, now=now)


REMOVE_ENTRIES = """
WITH gone AS (
    DELETE FROM dnc_entry WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = ANY(%(numbers)s)
    RETURNING number
), counted AS (
    UPDATE contact_list SET contact_count = contact_count - (SELECT count(*) FROM gone)
    WHERE app_id = %(app_id)s AND list_id = %(list_id)s
)
SELECT number FROM gone
"""


async def remove_entries(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str]) -> set[str]:
    """Take entries off a list; those that were on it."""
    values = {"app_id": app_id, "list_id": list_id, "numbers": list(numbers)}
    return {str(row[0]) for row in await (await conn.execute(REMOVE_ENTRIES, values)).fetchall()}


DELETE_ALL = "DELETE FROM dnc_entry WHERE app_id = %(app_id)s AND list_id = %(list_id)s"


async def delete_all(conn: Conn, app_id: int, list_id: int) -> None:
    """Remove every entry of a list that was deleted."""
    await conn.execute(DELETE_ALL, {"app_id": app_id, "list_id": list_id})


CHANGE = """
UPDATE dnc_entry SET
    reason = coalesce(%(reason)s, reason),
    expires_at = CASE WHEN %(expiry_sent)s THEN %(expires_at)s ELSE expires_at END
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = %(number)s
RETURNING number, reason, source, created_at, expires_at
"""


async def change(
    conn: Conn,
    app_id: int,
    list_id: int,
    number: str,
    *,
    reason: str | None,
    expires_at: datetime | None,
    expiry_sent: bool,
) -> Entry | None:
    """Change an entry's reason (unless None) and its end (if sent); None when it is not on the list."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "number": number,
        "reason": reason,
        "expires_at": expires_at,
        "expiry_sent": expiry_sent,
    }
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(CHANGE, values)).fetchone()


READ = """
SELECT number, reason, source, created_at, expires_at FROM dnc_entry
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = ANY(%(numbers)s::text[])
ORDER BY number
"""


async def read(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str]) -> list[Entry]:
    """Those of these entries that are on the list."""
    values = {"app_id": app_id, "list_id": list_id, "numbers": list(numbers)}
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(READ, values)).fetchall()


# The inner query walks only the primary key, so that a deep page does not read the rows it skips.
PAGE = """
SELECT number, reason, source, created_at, expires_at FROM dnc_entry
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = ANY(ARRAY(
    SELECT number FROM dnc_entry WHERE app_id = %(app_id)s AND list_id = %(list_id)s
    ORDER BY number OFFSET %(skip)s LIMIT %(limit)s))
ORDER BY number
"""


async def page(conn: Conn, app_id: int, list_id: int, *, skip: int, limit: int) -> list[Entry]:
    """Some entries of a list, in the order of their numbers."""
    values = {"app_id": app_id, "list_id": list_id, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


AFTER = """
SELECT number, reason, source, created_at, expires_at FROM dnc_entry
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number > %(after)s
ORDER BY number LIMIT %(limit)s
"""


async def read_after(conn: Conn, app_id: int, list_id: int, after: str, *, limit: int) -> list[Entry]:
    """The next entries of a list after this one (``""``: the first). The millionth page costs what the first did."""
    values = {"app_id": app_id, "list_id": list_id, "after": after, "limit": limit}
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(AFTER, values)).fetchall()


# Hot: once for every batch that is planned, and once more before it is sent. The primary key
# (app_id, list_id, number) serves the numbers as one index scan with an array key; without `list_id = ANY` in
# front of `number = ANY` it would read the whole of the app's entries.
#
# Prefixes: every beginning of every number, 2 to 16 characters, is looked for in dnc_entry_prefix, which holds only
# prefixes. Where the lists have none, one look into it ends the matter (a one-time filter). LIMIT 1 keeps the
# planner from turning the probes into a join that reads all prefixes. Measured over 200,000 entries, 100 numbers
# (a batch): 0.3 ms without this arm, 0.5 ms with it and no prefix, 0.7 ms with 20 of them, 1.4 ms with 5,000;
# 5,000 numbers (a page): 24 ms, 24 ms, 46 ms, 44 ms. A join over the distinct beginnings took up to 225 ms.
#
# Those who said no themselves come last: the primary key of opt_out, a probe for each number. They are no list of the
# run's, which is frozen when it starts: a no counts from the next batch on, whatever lists there were then.
FIND_BLOCKED = """
SELECT number FROM dnc_entry
WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[]) AND number = ANY(%(numbers)s::text[])
  AND (expires_at IS NULL OR expires_at > %(now)s)
UNION ALL
SELECT sought.number FROM unnest(%(numbers)s::text[]) AS sought (number)
CROSS JOIN LATERAL (
    SELECT 1 FROM dnc_entry p
    WHERE p.app_id = %(app_id)s AND p.list_id = ANY(%(list_ids)s::int[]) AND right(p.number, 1) = '*'
      AND p.number = ANY(ARRAY[
          left(sought.number, 2) || '*', left(sought.number, 3) || '*', left(sought.number, 4) || '*',
          left(sought.number, 5) || '*', left(sought.number, 6) || '*', left(sought.number, 7) || '*',
          left(sought.number, 8) || '*', left(sought.number, 9) || '*', left(sought.number, 10) || '*',
          left(sought.number, 11) || '*', left(sought.number, 12) || '*', left(sought.number, 13) || '*',
          left(sought.number, 14) || '*', left(sought.number, 15) || '*', left(sought.number, 16) || '*'])
      AND (p.expires_at IS NULL OR p.expires_at > %(now)s)
    LIMIT 1
) AS hit
WHERE EXISTS (
    SELECT FROM dnc_entry
    WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[]) AND right(number, 1) = '*')
UNION ALL
SELECT number FROM opt_out
WHERE app_id = %(app_id)s AND number = ANY(%(numbers)s::text[]) AND address = ANY(%(addresses)s::text[])
  AND (kind = 'no' OR NOT %(exempt)s)
"""


async def find_blocked(  # for whom, on what, at what time
    conn: Conn,
    app_id: int,
    list_ids: Sequence[int],
    numbers: Sequence[str],
    now: datetime,
    *,
    address: str = "",
    exempt: bool = False,
) -> set[str]:
    """Those of ``numbers`` that may not be texted at ``now``.

    They are on any of the lists, by themselves or by a prefix, or they said no: to everything, or to what is sent from
    ``address``. Those whose words are still to be reviewed are among them unless the text is ``exempt``: transactional.
    """
    if not numbers:
        return set()
    # Numbers are digits with a plus in front, so that this is how PostgreSQL writes such an array; the driver would
    # look up how to write each of them anew.
    array = "{" + ",".join(numbers) + "}"
    values = {
        "app_id": app_id,
        "list_ids": list(list_ids),
        "numbers": array,
        "now": now,
        "addresses": ["", optout.address_key(address)],
        "exempt": exempt,
    }
    cursor = await conn.execute(FIND_BLOCKED, values)
    return {str(row[0]) for row in await cursor.fetchall()}


LIST_GLOBAL = """
SELECT list_id FROM contact_list
WHERE app_id = %(app_id)s AND kind = 'dnc' AND is_global_dnc AND deleted_at IS NULL
ORDER BY list_id
"""


async def list_global(conn: Conn, app_id: int) -> list[int]:
    """The DNC lists that apply to every campaign of the app, if its settings say that they do."""
    cursor = await conn.execute(LIST_GLOBAL, {"app_id": app_id})
    return [int(row[0]) for row in await cursor.fetchall()]
