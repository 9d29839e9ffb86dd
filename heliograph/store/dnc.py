"""Do not contact: who has said no, list by list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn
    from heliograph.store.lists import ContactList


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


ADD_ENTRIES = """
INSERT INTO dnc_entry (app_id, list_id, number, reason, source, created_at, expires_at)
SELECT %(app_id)s, %(list_id)s, number, %(reason)s, %(source)s, %(now)s, %(expires_at)s
FROM unnest(%(numbers)s::text[]) AS number
ON CONFLICT (app_id, list_id, number) DO UPDATE SET
    expires_at = CASE WHEN dnc_entry.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
                      ELSE greatest(dnc_entry.expires_at, excluded.expires_at) END
"""


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
) -> None:
    """Put numbers (E.164) on a list. One that is there keeps its reason and the later end of the two."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "numbers": sorted(set(numbers)),
        "reason": reason,
        "source": source,
        "now": now,
        "expires_at": expires_at,
    }
    await conn.execute(ADD_ENTRIES, values)


REMOVE_ENTRIES = """
DELETE FROM dnc_entry WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = ANY(%(numbers)s)
"""


async def remove_entries(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str]) -> int:
    """Take numbers off a list; how many were on it."""
    values = {"app_id": app_id, "list_id": list_id, "numbers": list(numbers)}
    return (await conn.execute(REMOVE_ENTRIES, values)).rowcount


# Hot: once for every batch that is planned, and once more before it is sent. The primary key
# (app_id, list_id, number) serves it as one index scan with an array key; without `list_id = ANY` in
# front of `number = ANY` it would read the whole of the app's entries.
FIND_BLOCKED = """
SELECT number FROM dnc_entry
WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[]) AND number = ANY(%(numbers)s::text[])
  AND (expires_at IS NULL OR expires_at > %(now)s)
"""


async def find_blocked(
    conn: Conn, app_id: int, list_ids: Sequence[int], numbers: Sequence[str], now: datetime
) -> set[str]:
    """Those of ``numbers`` that are on any of the lists at ``now``."""
    if not list_ids or not numbers:
        return set()
    values = {"app_id": app_id, "list_ids": list(list_ids), "numbers": list(numbers), "now": now}
    cursor = await conn.execute(FIND_BLOCKED, values)
    return {str(row[0]) for row in await cursor.fetchall()}


LIST_GLOBAL = """
SELECT list_id FROM contact_list
WHERE app_id = %(app_id)s AND kind = 'dnc' AND is_global_dnc AND deleted_at IS NULL
ORDER BY list_id
"""


async def list_global(conn: Conn, app_id: int) -> list[int]:
    """The DNC lists that apply to every campaign of the app."""
    cursor = await conn.execute(LIST_GLOBAL, {"app_id": app_id})
    return [int(row[0]) for row in await cursor.fetchall()]
