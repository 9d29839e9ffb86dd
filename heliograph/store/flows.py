"""Experience flows: an app's own, which are rows, and among them those that every app has, which are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules.flow import system

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.flow.system import SystemFlow
    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """A flow as it is kept. ``draft`` is its document; ``published_version`` None: it was never published.

    ``is_system``: every app has it, and it has no row.
    """

    app_id: int
    flow_id: int
    public_id: str
    name: str
    lname: str
    description: str
    draft: dict[str, Any]
    published_version: int | None
    published_at: datetime | None
    is_system: bool
    created_at: datetime
    updated_at: datetime

    @property
    def is_ahead(self) -> bool:
        """Whether the draft has been changed since a version of it was published, or never was."""
        return self.published_at is None or self.updated_at > self.published_at


_COLUMNS = """app_id, flow_id, public_id, name, lname, description, draft, published_version,
       (SELECT v.published_at FROM flow_version v WHERE v.app_id = flow.app_id AND v.flow_id = flow.flow_id
            AND v.version = flow.published_version) AS published_at,
       false AS is_system, created_at, updated_at"""

# An id is looked for before a name: a flow may be called like another's id.
FIND = f"""
SELECT {_COLUMNS} FROM flow
WHERE app_id = %(app_id)s AND deleted_at IS NULL AND (public_id = %(ref)s OR lname = %(lref)s)
ORDER BY public_id = %(ref)s DESC LIMIT 1
"""


async def find(conn: Conn, app_id: int, ref: str) -> StoredFlow | None:
    """The app's flow with this ``cf-`` id or this name, without regard to case, or None.

    An own one goes before a system one of its name, which can be there when a new version brought the system's.
    """
    found = await _one(conn, FIND, {"app_id": app_id, "ref": ref, "lref": ref.lower()})
    if found is None:
        every = await list_system(conn, app_id)
        found = next((each for each in every if ref == each.public_id or ref.lower() == each.lname), None)
    return found


async def get(conn: Conn, app_id: int, ref: str) -> StoredFlow:
    """As :func:`find`. Raises NotFound."""
    found = await find(conn, app_id, ref)
    if found is None:
        raise missing(ref)
    return found


LOCK = f"{FIND} FOR UPDATE"


async def lock(conn: Conn, app_id: int, ref: str) -> StoredFlow:
    """As :func:`get`, and nobody changes it or takes it into use before this transaction ends."""
    await conn.execute(LOCK, {"app_id": app_id, "ref": ref, "lref": ref.lower()})
    return await get(conn, app_id, ref)


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


LIST = f"SELECT {_COLUMNS} FROM flow WHERE app_id = %(app_id)s AND deleted_at IS NULL"


async def list_all(conn: Conn, app_id: int) -> list[StoredFlow]:
    """The app's flows by name, those that every app has among them."""
    async with conn.cursor(row_factory=class_row(StoredFlow)) as cursor:
        own = await (await cursor.execute(LIST, {"app_id": app_id})).fetchall()
    return sorted(own + await list_system(conn, app_id), key=lambda each: (each.lname, each.is_system))


APP_OF = "SELECT public_id, created_at FROM app WHERE app_id = %(app_id)s"


async def list_system(conn: Conn, app_id: int) -> list[StoredFlow]:
    """The flows that every app has, as this app has them: with ids of its own, and as old as it is."""
    row = await (await conn.execute(APP_OF, {"app_id": app_id})).fetchone()
    if row is None:
        raise NotFound(f"No app {app_id}")
    return [_system(each, app_id, str(row[0]), row[1]) for each in system.ALL]


def _system(flow: SystemFlow, app_id: int, app: str, since: datetime) -> StoredFlow:
    return StoredFlow(
        app_id=app_id,
        flow_id=0,
        public_id=flow.id_in(app),
        name=flow.name,
        lname=flow.name.lower(),
        description=flow.description,
        draft=dict(flow.versions[-1]),
        published_version=flow.newest,
        published_at=since,
        is_system=True,
        created_at=since,
        updated_at=since,
    )


TAKEN = "SELECT lname FROM flow WHERE app_id = %(app_id)s AND deleted_at IS NULL AND lname = ANY(%(lnames)s)"


async def find_taken(conn: Conn, app_id: int, names: Sequence[str]) -> set[str]:
    """Those of ``names`` that a flow of the app has, in lower case."""
    values = {"app_id": app_id, "lnames": [name.lower() for name in names]}
    rows = await (await conn.execute(TAKEN, values)).fetchall()
    return {str(row[0]) for row in rows} | {each.name.lower() for each in system.ALL}


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
