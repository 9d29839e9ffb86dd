"""Contact lists and do-not-contact lists. A deleted list is invisible to every read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, LiteralString

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules import ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

Kind = Literal["call", "dnc"]


@dataclass(frozen=True, slots=True)
class ContactList:
    """A list of people: to text (``call``) or never to text (``dnc``).

    ``columns`` are all columns ever seen, in order of first appearance; ``files`` are ``{fileId, fileName}``;
    ``last_seq`` is the highest contact number ever given in it.
    """

    app_id: int
    list_id: int
    public_id: str
    kind: Kind
    name: str
    lname: str
    description: str
    source: str
    allow_duplicates: bool
    is_global_dnc: bool
    is_default: bool
    columns: list[str]
    files: list[dict[str, str]]
    last_seq: int
    contact_count: int
    created_at: datetime
    updated_at: datetime


INSERT = """
INSERT INTO contact_list (app_id, public_id, kind, name, lname, description, source, allow_duplicates,
                          is_default, is_global_dnc, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(kind)s, %(name)s, %(lname)s, %(description)s, %(source)s,
        %(allow_duplicates)s, %(is_default)s, %(is_global_dnc)s, %(now)s, %(now)s)
RETURNING app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
          is_default, columns, files, last_seq, contact_count, created_at, updated_at
"""


async def create(
    conn: Conn,
    app_id: int,
    *,
    kind: Kind,
    name: str,
    description: str,
    source: str,
    allow_duplicates: bool,
    now: datetime,
    is_default: bool = False,
    is_global_dnc: bool = False,
) -> ContactList:
    """A new list. Raises DuplicateName when the app has one of this kind and name, whatever the case."""
    values = {
        "app_id": app_id,
        "public_id": ids.new("cl"),
        "kind": kind,
        "name": name,
        "lname": name.lower(),
        "description": description,
        "source": source,
        "allow_duplicates": allow_duplicates,
        "is_default": is_default,
        "is_global_dnc": is_global_dnc,
        "now": now,
    }
    try:
        found = await _one(conn, INSERT, values)
    except UniqueViolation as error:
        raise _taken(name) from error
    if found is None:
        raise NotFound(f"No app {app_id}")
    return found


# An id is looked for before a name: a list may be called like another's id.
SELECT = """
SELECT app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
       is_default, columns, files, last_seq, contact_count, created_at, updated_at
FROM contact_list
WHERE app_id = %(app_id)s AND deleted_at IS NULL
  AND ((public_id = %(ref)s AND (kind = %(kind)s OR NOT %(only)s)) OR (kind = %(kind)s AND lname = %(lref)s))
ORDER BY public_id = %(ref)s DESC
LIMIT 1
"""


async def find(conn: Conn, app_id: int, ref: str, *, kind: Kind = "call", only: bool = False) -> ContactList | None:
    """The list with this id or, of this kind, this name; ``only``: of this kind, by its id, too."""
    values = {"app_id": app_id, "ref": ref, "lref": ref.lower(), "kind": kind, "only": only}
    return await _one(conn, SELECT, values)


async def get(conn: Conn, app_id: int, ref: str, *, kind: Kind = "call", only: bool = False) -> ContactList:
    """As :func:`find`. Raises NotFound."""
    found = await find(conn, app_id, ref, kind=kind, only=only)
    if found is None:
        raise missing(ref, kind)
    return found


# FOR UPDATE waits for whoever is linking a campaign to the list (FOR KEY SHARE, store/campaign_links.py).
LOCK = """
SELECT app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
       is_default, columns, files, last_seq, contact_count, created_at, updated_at
FROM contact_list
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND deleted_at IS NULL
FOR UPDATE
"""


async def lock(conn: Conn, app_id: int, list_id: int) -> ContactList:
    """The list, which nobody changes, fills or links until this transaction ends. Raises NotFound."""
    found = await _one(conn, LOCK, {"app_id": app_id, "list_id": list_id})
    if found is None:
        raise missing(list_id)
    return found


LIST_ALL = """
SELECT app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
       is_default, columns, files, last_seq, contact_count, created_at, updated_at
FROM contact_list
WHERE app_id = %(app_id)s AND kind = %(kind)s AND deleted_at IS NULL
ORDER BY list_id
"""


async def list_all(conn: Conn, app_id: int, *, kind: Kind = "call") -> list[ContactList]:
    """Every list of a kind, oldest first."""
    async with conn.cursor(row_factory=class_row(ContactList)) as cursor:
        return await (await cursor.execute(LIST_ALL, {"app_id": app_id, "kind": kind})).fetchall()


UPDATE = """
UPDATE contact_list SET
    name = coalesce(%(name)s, name), lname = coalesce(%(lname)s, lname),
    description = coalesce(%(description)s, description),
    allow_duplicates = coalesce(%(allow_duplicates)s, allow_duplicates),
    is_global_dnc = coalesce(%(is_global_dnc)s, is_global_dnc), updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND deleted_at IS NULL
RETURNING app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
          is_default, columns, files, last_seq, contact_count, created_at, updated_at
"""


async def update(
    conn: Conn,
    app_id: int,
    list_id: int,
    *,
    name: str | None,
    description: str | None,
    now: datetime,
    allow_duplicates: bool | None = None,
    is_global_dnc: bool | None = None,
) -> ContactList:
    """Change what is not None. Raises NotFound, DuplicateName."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "name": name,
        "lname": None if name is None else name.lower(),
        "description": description,
        "allow_duplicates": allow_duplicates,
        "is_global_dnc": is_global_dnc,
        "now": now,
    }
    try:
        found = await _one(conn, UPDATE, values)
    except UniqueViolation as error:
        raise _taken(name or "") from error
    if found is None:
        raise missing(list_id)
    return found


GROW = """
UPDATE contact_list SET
    last_seq = last_seq + %(added)s, contact_count = contact_count + %(added)s, columns = %(columns)s,
    files = (SELECT coalesce(json_agg(f), '[]') FROM (
        SELECT json_array_elements(files) AS f UNION ALL SELECT json_array_elements(%(files)s)) AS both_files),
    updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND deleted_at IS NULL
RETURNING app_id, list_id, public_id, kind, name, lname, description, source, allow_duplicates, is_global_dnc,
          is_default, columns, files, last_seq, contact_count, created_at, updated_at
"""


async def grow(
    conn: Conn,
    app_id: int,
    list_id: int,
    *,
    added: int,
    columns: Sequence[str],
    now: datetime,
    file: Mapping[str, str] | None = None,
) -> ContactList:
    """Count ``added`` contacts in; ``columns`` are all there are now. Raises NotFound when it was deleted meanwhile.

    Only for whoever holds the list's writer lock.
    """
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "added": added,
        "columns": list(columns),
        "files": Json([] if file is None else [dict(file)]),
        "now": now,
    }
    found = await _one(conn, GROW, values)
    if found is None:
        raise missing(list_id)
    return found


SHRINK = """
UPDATE contact_list SET contact_count = contact_count - %(removed)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""


async def shrink(conn: Conn, app_id: int, list_id: int, *, removed: int, now: datetime) -> None:
    """Count contacts out; their numbers are not given again. Only for whoever holds the list's writer lock."""
    await conn.execute(SHRINK, {"app_id": app_id, "list_id": list_id, "removed": removed, "now": now})


COUNT_LISTS = """
SELECT count(*), coalesce(sum(l.contact_count), 0)
FROM contact_list l JOIN app a USING (app_id)
WHERE a.account_id = %(account_id)s AND l.kind = %(kind)s AND l.deleted_at IS NULL
"""


async def count(conn: Conn, account_id: str, kind: Kind) -> tuple[int, int]:
    """How many lists of a kind an account has in all its apps, and how many people there are on them."""
    row = await (await conn.execute(COUNT_LISTS, {"account_id": account_id, "kind": kind})).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


MARK_DELETED = """
UPDATE contact_list SET deleted_at = %(now)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""


async def mark_deleted(conn: Conn, app_id: int, list_id: int, *, now: datetime) -> None:
    """Make the list invisible, and its name free."""
    await conn.execute(MARK_DELETED, {"app_id": app_id, "list_id": list_id, "now": now})


UNDER_WAY = """
SELECT c.public_id, c.name
FROM run r JOIN campaign c USING (app_id, campaign_id)
WHERE r.app_id = %(app_id)s AND r.ended_at IS NULL AND %(list_id)s = ANY(r.list_ids || r.dnc_list_ids)
  AND c.deleted_at IS NULL
"""


async def under_way(conn: Conn, app_id: int, list_id: int) -> list[tuple[str, str]]:
    """Campaigns with a run under way that reads this list, whatever they are linked to by now: id and name."""
    cursor = await conn.execute(UNDER_WAY, {"app_id": app_id, "list_id": list_id})
    return [(str(row[0]), str(row[1])) for row in await cursor.fetchall()]


async def _one(conn: Conn, statement: LiteralString, values: Mapping[str, object]) -> ContactList | None:
    async with conn.cursor(row_factory=class_row(ContactList)) as cursor:
        return await (await cursor.execute(statement, values)).fetchone()


def missing(ref: object, kind: Kind = "call") -> NotFound:
    """The error that says which list there is not."""
    if kind == "dnc":
        return NotFound(f"DNC list {ref} not found", field="dncListId")
    return NotFound(f"Contact list {ref} not found", field="contactListId")


def _taken(name: str) -> DuplicateName:
    return DuplicateName(f"There is a list named {name} already; choose another name", field="name")
