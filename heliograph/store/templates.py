"""SMS templates: an app's own, which are rows, and among them those that every app has, which are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules import ids, system_templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Template:
    """A text under a name. ``body`` is decoded and normalised, placeholders still in it."""

    public_id: str
    name: str
    lname: str
    description: str
    body: str
    is_system: bool
    created_at: datetime
    updated_at: datetime


_OWN = "public_id, name, lname, description, body, false AS is_system, created_at, updated_at"

# The system's are as old as the app.
_EVERY = f"""
SELECT {_OWN} FROM template WHERE app_id = %(app_id)s
UNION ALL
SELECT s.public_id, s.name, s.lname, s.description, s.body, true, a.created_at, a.created_at
FROM app a CROSS JOIN unnest(
    %(ids)s::text[], %(names)s::text[], %(lnames)s::text[], %(descriptions)s::text[], %(bodies)s::text[]
) AS s (public_id, name, lname, description, body)
WHERE a.app_id = %(app_id)s"""


# An id is looked for before a name: a template may be called like another's id. An own one goes before a system
# one of its name, which can be there when a new version brought the system's.
FIND = f"""
SELECT * FROM ({_EVERY}) AS every
WHERE public_id = %(ref)s OR lname = %(lref)s
ORDER BY public_id = %(ref)s DESC, is_system
LIMIT 1
"""


async def find(conn: Conn, app: App, ref: str) -> Template | None:
    """The app's template with this ``cmt-`` id or this name, without regard to case, or None."""
    return await _one(conn, FIND, _system(app) | {"ref": ref, "lref": ref.lower()})


async def get(conn: Conn, app: App, ref: str) -> Template:
    """As :func:`find`. Raises NotFound."""
    found = await find(conn, app, ref)
    if found is None:
        raise missing(ref)
    return found


# KEY SHARE is the weakest lock that whoever deletes the template (FOR UPDATE) has to wait for.
HOLD = """
SELECT public_id FROM template
WHERE app_id = %(app_id)s AND (public_id = %(ref)s OR lname = %(lref)s)
ORDER BY template_id
FOR KEY SHARE
"""


async def hold(conn: Conn, app: App, ref: str) -> Template | None:
    """As :func:`find`; it cannot be deleted before this transaction ends."""
    await conn.execute(HOLD, {"app_id": app.app_id, "ref": ref, "lref": ref.lower()})
    return await find(conn, app, ref)


LOCK = f"""
SELECT {_OWN} FROM template WHERE app_id = %(app_id)s AND public_id = %(public_id)s
FOR UPDATE
"""


async def lock(conn: Conn, app: App, public_id: str) -> Template:
    """The app's own template with this id, which nobody changes or takes into use meanwhile. Raises NotFound."""
    found = await _one(conn, LOCK, {"app_id": app.app_id, "public_id": public_id})
    if found is None:
        raise missing(public_id)
    return found


INSERT = f"""
INSERT INTO template (app_id, public_id, name, lname, description, body, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(lname)s, %(description)s, %(body)s, %(now)s, %(now)s)
RETURNING {_OWN}
"""


async def insert(conn: Conn, app: App, *, name: str, description: str, body: str, now: datetime) -> Template:
    """A new template. Raises DuplicateName when the app has one of this name of its own, whatever the case."""
    values = {
        "app_id": app.app_id,
        "public_id": ids.new("cmt"),
        "name": name,
        "lname": name.lower(),
        "description": description,
        "body": body,
        "now": now,
    }
    try:
        found = await _one(conn, INSERT, values)
    except UniqueViolation as error:
        raise taken(name) from error
    if found is None:
        raise NotFound(f"Template {name} was not written")
    return found


UPDATE = f"""
UPDATE template SET
    name = coalesce(%(name)s, name), lname = coalesce(%(lname)s, lname),
    description = coalesce(%(description)s, description), body = coalesce(%(body)s, body), updated_at = %(now)s
WHERE app_id = %(app_id)s AND public_id = %(public_id)s
RETURNING {_OWN}
"""


async def update(
    conn: Conn, app: App, public_id: str, *, name: str | None, description: str | None, body: str | None, now: datetime
) -> Template:
    """Change what is not None. Raises NotFound, DuplicateName."""
    values = {
        "app_id": app.app_id,
        "public_id": public_id,
        "name": name,
        "lname": None if name is None else name.lower(),
        "description": description,
        "body": body,
        "now": now,
    }
    try:
        found = await _one(conn, UPDATE, values)
    except UniqueViolation as error:
        raise taken(name or "") from error
    if found is None:
        raise missing(public_id)
    return found


DELETE = "DELETE FROM template WHERE app_id = %(app_id)s AND public_id = %(public_id)s"


async def delete(conn: Conn, app: App, public_id: str) -> None:
    """Remove a template of the app's own. Campaigns made with it keep their words."""
    await conn.execute(DELETE, {"app_id": app.app_id, "public_id": public_id})


# An app has hundreds of templates at most; all of them are read to find words in them.
_SOUGHT = "position(%(search)s IN lname) > 0 OR position(%(search)s IN lower(body)) > 0"
COUNT = f"SELECT count(*) FROM ({_EVERY}) AS every WHERE {_SOUGHT}"


async def count(conn: Conn, app: App, *, search: str = "") -> int:
    """How many templates the app has, the system's included, that have ``search`` in their name or text."""
    row = await (await conn.execute(COUNT, _system(app) | {"search": search.lower()})).fetchone()
    return int(row[0]) if row else 0


PAGE = f"""
SELECT * FROM ({_EVERY}) AS every
WHERE {_SOUGHT}
ORDER BY lname, is_system, public_id LIMIT %(limit)s OFFSET %(offset)s
"""


async def page(conn: Conn, app: App, *, offset: int, limit: int, search: str = "") -> list[Template]:
    """Templates ``offset`` .. ``offset + limit`` of the app, by name: those :func:`count` counts."""
    async with conn.cursor(row_factory=class_row(Template)) as cursor:
        values = _system(app) | {"offset": offset, "limit": limit, "search": search.lower()}
        return await (await cursor.execute(PAGE, values)).fetchall()


TAKEN = "SELECT lname FROM template WHERE app_id = %(app_id)s AND lname = ANY(%(lnames)s)"


async def find_taken(conn: Conn, app: App, names: Sequence[str]) -> set[str]:
    """Those of ``names`` that a template of the app has, in lower case."""
    values = {"app_id": app.app_id, "lnames": [name.lower() for name in names]}
    rows = await (await conn.execute(TAKEN, values)).fetchall()
    return {str(row[0]) for row in rows} | {one.name.lower() for one in system_templates.ALL}


# The index campaign_template has just this expression.
USING = """
SELECT message ->> 'templateId', public_id, name FROM campaign
WHERE app_id = %(app_id)s AND message ->> 'templateId' = ANY(%(public_ids)s) AND deleted_at IS NULL
ORDER BY campaign_id
"""


async def using(conn: Conn, app: App, public_ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Which campaigns were made with which of these templates: public id and name of each."""
    rows = await (await conn.execute(USING, {"app_id": app.app_id, "public_ids": list(public_ids)})).fetchall()
    found: dict[str, list[tuple[str, str]]] = {}
    for template_id, public_id, name in rows:
        found.setdefault(str(template_id), []).append((str(public_id), str(name)))
    return found


async def _one(conn: Conn, statement: LiteralString, values: Mapping[str, Any]) -> Template | None:
    async with conn.cursor(row_factory=class_row(Template)) as cursor:
        return await (await cursor.execute(statement, values)).fetchone()


def _system(app: App) -> dict[str, Any]:
    """The values of every statement over all templates: the app's, and those of the system's."""
    every = system_templates.ALL
    return {
        "app_id": app.app_id,
        "ids": [one.id_in(app.public_id) for one in every],
        "names": [one.name for one in every],
        "lnames": [one.name.lower() for one in every],
        "descriptions": [one.description for one in every],
        "bodies": [one.body for one in every],
    }


def missing(ref: str) -> NotFound:
    """The error that says which template there is not."""
    return NotFound(f"There is no SMS template {ref} in this app", field="templateId")


def taken(name: str) -> DuplicateName:
    """The error that says that a name has its template."""
    text = f"An SMS template named {name} exists already in this app; names are compared without regard to case"
    return DuplicateName(text, field="name")
