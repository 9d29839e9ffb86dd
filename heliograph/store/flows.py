"""Experience flows: an app's own, which are rows, and their versions. Those that every app has are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """A flow as it is kept. ``draft`` is its document; ``published_version`` None: it was never published."""

    app_id: int
    flow_id: int
    public_id: str
    name: str
    lname: str
    description: str
    draft: dict[str, Any]
    published_version: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, without its document."""

    version: int
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What the book of an app's flows needs to know of one before it reads any document."""

    public_id: str
    name: str
    published_version: int


_COLUMNS = "app_id, flow_id, public_id, name, lname, description, draft, published_version, created_at, updated_at"

# An id is looked for before a name: a flow may be called like another's id.
FIND = f"""
SELECT {_COLUMNS} FROM flow
WHERE app_id = %(app_id)s AND deleted_at IS NULL AND (public_id = %(ref)s OR lname = %(lref)s)
ORDER BY public_id = %(ref)s DESC LIMIT 1
"""


async def find(conn: Conn, app_id: int, ref: str) -> StoredFlow | None:
    """The app's own flow with this ``cf-`` id or this name, without regard to case, or None."""
    return await _one(conn, FIND, {"app_id": app_id, "ref": ref, "lref": ref.lower()})


LOCK = f"{FIND} FOR UPDATE"


async def lock(conn: Conn, app_id: int, ref: str) -> StoredFlow | None:
    """As :func:`find`, and nobody changes it or takes it into use before this transaction ends."""
    await conn.execute(LOCK, {"app_id": app_id, "ref": ref, "lref": ref.lower()})
    return await find(conn, app_id, ref)


# KEY SHARE is the weakest lock that whoever deletes the flow (FOR UPDATE) has to wait for.
HOLD = f"{FIND} FOR KEY SHARE"


async def hold(conn: Conn, app_id: int, ref: str) -> StoredFlow | None:
    """As :func:`find`; it cannot be deleted before this transaction ends."""
    await conn.execute(HOLD, {"app_id": app_id, "ref": ref, "lref": ref.lower()})
    return await find(conn, app_id, ref)


INSERT = f"""
INSERT INTO flow (app_id, public_id, name, lname, description, draft, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(lname)s, %(description)s, %(draft)s, %(now)s, %(now)s)
RETURNING {_COLUMNS}
"""


async def insert(
    conn: Conn, app_id: int, public_id: str, *, name: str, description: str, draft: Mapping[str, object], now: datetime
) -> StoredFlow:
    """A new flow, not published. Raises DuplicateName when the app has one of this name, whatever the case."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "name": name,
        "lname": name.lower(),
        "description": description,
        "draft": Json(draft),
        "now": now,
    }
    try:
        found = await _one(conn, INSERT, values)
    except UniqueViolation as error:
        raise taken(name) from error
    if found is None:
        raise missing(name)
    return found


UPDATE = f"""
UPDATE flow SET name = %(name)s, lname = %(lname)s, description = %(description)s, draft = %(draft)s,
    updated_at = %(now)s
WHERE app_id = %(app_id)s AND flow_id = %(flow_id)s AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""


async def update(
    conn: Conn,
    before: StoredFlow,
    *,
    name: str,
    description: str,
    draft: Mapping[str, object],
    now: datetime,
) -> StoredFlow:
    """Replace what a person decides about a flow; its versions stay. Raises NotFound, DuplicateName."""
    values = {
        "app_id": before.app_id,
        "flow_id": before.flow_id,
        "name": name,
        "lname": name.lower(),
        "description": description,
        "draft": Json(draft),
        "now": now,
    }
    try:
        found = await _one(conn, UPDATE, values)
    except UniqueViolation as error:
        raise taken(name) from error
    if found is None:
        raise missing(before.name)
    return found


ADD_VERSION = """
INSERT INTO flow_version (app_id, flow_id, version, document, published_at, published_by)
VALUES (%(app_id)s, %(flow_id)s, %(version)s, %(document)s, %(now)s, %(by)s)
"""


async def add_version(
    conn: Conn, flow: StoredFlow, version: int, document: Mapping[str, object], *, by: str, now: datetime
) -> None:
    """Keep a document as a version of a flow, for good."""
    values = {
        "app_id": flow.app_id,
        "flow_id": flow.flow_id,
        "version": version,
        "document": Json(document),
        "now": now,
        "by": by,
    }
    await conn.execute(ADD_VERSION, values)


PUBLISH = f"""
UPDATE flow SET published_version = %(version)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND flow_id = %(flow_id)s
RETURNING {_COLUMNS}
"""


async def publish(conn: Conn, flow: StoredFlow, version: int, *, now: datetime) -> StoredFlow:
    """Have new conversations begin with this version."""
    values = {"app_id": flow.app_id, "flow_id": flow.flow_id, "version": version, "now": now}
    found = await _one(conn, PUBLISH, values)
    if found is None:
        raise missing(flow.name)
    return found


MARK_DELETED = "UPDATE flow SET deleted_at = %(now)s WHERE app_id = %(app_id)s AND flow_id = %(flow_id)s"


async def mark_deleted(conn: Conn, flow: StoredFlow, *, now: datetime) -> None:
    """Make a flow invisible; conversations under way still find the version that they began with."""
    await conn.execute(MARK_DELETED, {"app_id": flow.app_id, "flow_id": flow.flow_id, "now": now})


LIST = f"SELECT {_COLUMNS} FROM flow WHERE app_id = %(app_id)s AND deleted_at IS NULL ORDER BY lname"


async def list_all(conn: Conn, app_id: int) -> list[StoredFlow]:
    """The app's own flows, by name."""
    async with conn.cursor(row_factory=class_row(StoredFlow)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id})).fetchall()


VERSIONS = """
SELECT version, published_at, published_by FROM flow_version
WHERE app_id = %(app_id)s AND flow_id = %(flow_id)s ORDER BY version DESC
"""


async def list_versions(conn: Conn, flow: StoredFlow) -> list[Version]:
    """A flow's versions, newest first."""
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        values = {"app_id": flow.app_id, "flow_id": flow.flow_id}
        return await (await cursor.execute(VERSIONS, values)).fetchall()


TAKEN = "SELECT lname FROM flow WHERE app_id = %(app_id)s AND deleted_at IS NULL AND lname = ANY(%(lnames)s)"


async def find_taken(conn: Conn, app_id: int, names: Sequence[str]) -> set[str]:
    """Those of ``names`` that a flow of the app's own has, in lower case."""
    values = {"app_id": app_id, "lnames": [name.lower() for name in names]}
    return {str(row[0]) for row in await (await conn.execute(TAKEN, values)).fetchall()}


# ---------------------------------------------------------------- the book


# Asked for each batch of replies and each page of an advanced run: the few rows of one app by flow_name, no document.
LISTED = """
SELECT public_id, name, published_version FROM flow
WHERE app_id = %(app_id)s AND deleted_at IS NULL AND published_version IS NOT NULL
"""


async def list_published(conn: Conn, app_id: int) -> list[Listed]:
    """The app's own flows that conversations can begin with."""
    async with conn.cursor(row_factory=class_row(Listed)) as cursor:
        return await (await cursor.execute(LISTED, {"app_id": app_id})).fetchall()


DOCUMENTS = """
SELECT f.public_id, v.version, v.document
FROM unnest(%(public_ids)s::text[], %(versions)s::int[]) AS w (public_id, version)
JOIN flow f ON f.app_id = %(app_id)s AND f.public_id = w.public_id
JOIN flow_version v ON v.app_id = f.app_id AND v.flow_id = f.flow_id AND v.version = w.version
"""


async def documents(
    conn: Conn, app_id: int, wanted: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], dict[str, object]]:
    """The documents of these versions, by public id and version; also of flows that were deleted since."""
    pairs = list(wanted)
    values = {
        "app_id": app_id,
        "public_ids": [public_id for public_id, _ in pairs],
        "versions": [version for _, version in pairs],
    }
    rows = await (await conn.execute(DOCUMENTS, values)).fetchall()
    return {(str(row[0]), int(row[1])): row[2] for row in rows}


APP_OF = "SELECT public_id FROM app WHERE app_id = %(app_id)s"


async def app_of(conn: Conn, app_id: int) -> str:
    """The public id of an app, which the ids of the flows that it has from the start are made of."""
    row = await (await conn.execute(APP_OF, {"app_id": app_id})).fetchone()
    if row is None:
        raise NotFound(f"No app {app_id}")
    return str(row[0])


async def _one(conn: Conn, statement: LiteralString, values: Mapping[str, Any]) -> StoredFlow | None:
    async with conn.cursor(row_factory=class_row(StoredFlow)) as cursor:
        return await (await cursor.execute(statement, values)).fetchone()


def missing(ref: str) -> NotFound:
    """The error that says which flow there is not."""
    return NotFound(f"There is no experience flow {ref} in this app", field="experienceFlowId")


def taken(name: str) -> DuplicateName:
    """The error that says that a name has its flow."""
    text = f"An experience flow named {name} exists already in this app; names are compared without regard to case"
    return DuplicateName(text, field="name")
