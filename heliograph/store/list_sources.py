"""What lists pull their contacts from, and when they are pulled next: the row is the only record of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row
from psycopg.types.json import Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Source:
    """A row of table ``list_source``. ``config`` is as ``rules.pull.shown`` wrote it."""

    app_id: int
    list_id: int
    config: dict[str, Any]
    next_sync_at: datetime | None
    by_hand: bool
    failures: int
    last_sync: int


PUT = """
INSERT INTO list_source (app_id, list_id, config, secrets, next_sync_at, updated_at)
VALUES (%(app_id)s, %(list_id)s, %(config)s, %(secrets)s, %(next_sync_at)s, %(now)s)
ON CONFLICT (app_id, list_id) DO UPDATE
SET config = excluded.config, secrets = excluded.secrets, next_sync_at = excluded.next_sync_at, by_hand = false,
    failures = 0, updated_at = excluded.updated_at
"""


async def put(
    conn: Conn,
    app_id: int,
    list_id: int,
    *,
    config: Mapping[str, object],
    secrets: Iterable[str],
    next_sync_at: datetime | None,
    now: datetime,
) -> None:
    """Give a list this source, in place of any it had."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "config": Json(dict(config)),
        "secrets": sorted(secrets),
        "next_sync_at": next_sync_at,
        "now": now,
    }
    await conn.execute(PUT, values)


OF = """
SELECT app_id, list_id, config, next_sync_at, by_hand, failures, last_sync
FROM list_source
WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s)
"""


async def of(conn: Conn, app_id: int, list_ids: Sequence[int]) -> dict[int, Source]:
    """The sources of those of the lists that have one, by list."""
    async with conn.cursor(row_factory=class_row(Source)) as cursor:
        await cursor.execute(OF, {"app_id": app_id, "list_ids": list(list_ids)})
        return {found.list_id: found for found in await cursor.fetchall()}


async def find(conn: Conn, app_id: int, list_id: int) -> Source | None:
    """The source of a list, None when it has none."""
    return (await of(conn, app_id, [list_id])).get(list_id)


@dataclass(frozen=True, slots=True)
class Due:
    """A list whose next sync is due."""

    app_id: int
    list_id: int
    app_public_id: str
    list_public_id: str


# The front of list_source_due, and the ids of each by primary key: subqueries and not joins, which without statistics
# become scans of every list. A literal limit, so that the plan knows it; the rest comes with the next look.
LIST_DUE = """
SELECT s.app_id, s.list_id,
       (SELECT a.public_id FROM app a WHERE a.app_id = s.app_id) AS app_public_id,
       (SELECT l.public_id FROM contact_list l WHERE l.app_id = s.app_id AND l.list_id = s.list_id) AS list_public_id
FROM list_source s
WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= %(now)s
ORDER BY s.next_sync_at LIMIT 200
"""


async def list_due(conn: Conn, now: datetime) -> list[Due]:
    """Lists of all apps whose sync is due, longest waiting first, 200 at most."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        return await (await cursor.execute(LIST_DUE, {"now": now})).fetchall()


CLAIM = """
UPDATE list_source SET last_sync = last_sync + 1
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND next_sync_at <= %(now)s
RETURNING app_id, list_id, config, next_sync_at, by_hand, failures, last_sync
"""


async def claim(conn: Conn, app_id: int, list_id: int, *, now: datetime) -> Source | None:
    """The list's source, ``last_sync`` its next sync's number, if a sync is due; else None. It stays due."""
    async with conn.cursor(row_factory=class_row(Source)) as cursor:
        await cursor.execute(CLAIM, {"app_id": app_id, "list_id": list_id, "now": now})
        return await cursor.fetchone()


ASK = """
UPDATE list_source SET next_sync_at = %(now)s, by_hand = true
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""


async def ask(conn: Conn, app_id: int, list_id: int, *, now: datetime) -> bool:
    """Make a sync due now; False when the list has no source."""
    return (await conn.execute(ASK, {"app_id": app_id, "list_id": list_id, "now": now})).rowcount > 0


# Whoever asked for a sync, or set another source, while this one was under way has moved next_sync_at: then it stays.
MOVE_ON = """
UPDATE list_source SET next_sync_at = %(next_sync_at)s, failures = %(failures)s, by_hand = false
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND next_sync_at = %(was)s
"""


async def move_on(
    conn: Conn, app_id: int, list_id: int, *, was: datetime, next_sync_at: datetime | None, failures: int
) -> None:
    """After the sync that was due at ``was``: set when the next one is."""
    values = {"app_id": app_id, "list_id": list_id, "was": was, "next_sync_at": next_sync_at, "failures": failures}
    await conn.execute(MOVE_ON, values)


SWITCH_OFF = """
UPDATE list_source SET next_sync_at = NULL, secrets = '{}', updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""


async def switch_off(conn: Conn, app_id: int, list_id: int, *, now: datetime) -> None:
    """Never pull a deleted list again; its secrets are free."""
    await conn.execute(SWITCH_OFF, {"app_id": app_id, "list_id": list_id, "now": now})


NAMING = """
SELECT l.name FROM list_source s JOIN contact_list l USING (app_id, list_id)
WHERE s.app_id = %(app_id)s AND s.secrets @> ARRAY[%(secret)s]::text[]
ORDER BY l.list_id
"""


async def naming(conn: Conn, app_id: int, secret: str) -> list[str]:
    """The names of the lists whose source names a secret."""
    cursor = await conn.execute(NAMING, {"app_id": app_id, "secret": secret})
    return [str(row[0]) for row in await cursor.fetchall()]
