"""The published versions of experience flows: written once, never changed, found also when the flow is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import NotFound
from heliograph.rules.flow import system

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from heliograph.store.database import Conn
    from heliograph.store.flows import StoredFlow


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


ADD = """
INSERT INTO flow_version (app_id, flow_id, version, document, published_at, published_by)
VALUES (%(app_id)s, %(flow_id)s, %(version)s, %(document)s, %(now)s, %(by)s)
"""


async def add(
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
    await conn.execute(ADD, values)


LIST = """
SELECT version, published_at, published_by FROM flow_version
WHERE app_id = %(app_id)s AND flow_id = %(flow_id)s ORDER BY version DESC
"""


async def list_all(conn: Conn, flow: StoredFlow) -> list[Version]:
    """A flow's versions, newest first. One that every app has is as old as the app."""
    if flow.is_system:
        return [Version(number, flow.created_at, "") for number in range(flow.published_version or 0, 0, -1)]
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        values = {"app_id": flow.app_id, "flow_id": flow.flow_id}
        return await (await cursor.execute(LIST, values)).fetchall()


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


async def get(conn: Conn, flow: StoredFlow, version: int) -> dict[str, object]:
    """The document of one version of a flow. Raises NotFound."""
    if flow.is_system:
        every = next(each for each in system.ALL if each.name == flow.name).versions
        found = every[version - 1] if 0 < version <= len(every) else None
    else:
        key = (flow.public_id, version)
        found = (await documents(conn, flow.app_id, [key])).get(key)
    if found is None:
        newest = (
            "it was never published" if flow.published_version is None else f"the newest is {flow.published_version}"
        )
        raise NotFound(f"Experience flow {flow.name} has no version {version}; {newest}", field="version")
    return dict(found)
