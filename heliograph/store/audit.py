"""Who did what, when, and from where: appended, never changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

Kind = Literal["user", "client", "command", "nobody"]
Outcome = Literal["done", "refused"]


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Something that was asked for. ``app``: its app (``st-...``); None: it is of the whole installation.

    ``name``: empty for a client of the API, whose own is looked up.
    """

    kind: Kind
    actor: str
    name: str
    address: str
    verb: str
    app: str | None = None
    object: str = ""
    what: str = ""
    outcome: Outcome = "done"


@dataclass(frozen=True, slots=True)
class Entry:
    """A :class:`NewEntry` as it was kept."""

    audit_id: int
    app_public_id: str | None
    app_name: str | None
    at: datetime
    kind: str
    actor: str
    name: str
    address: str
    verb: str
    object: str
    what: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for. ``apps``: internal ids; None: all, and what is of no app."""

    apps: Sequence[int] | None
    actor: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    outcome: str = ""
    kind: str = ""
    object: str = ""


ADD = """
INSERT INTO audit (app_id, at, kind, actor, name, address, verb, object, what, outcome)
VALUES ((SELECT app_id FROM app WHERE public_id = %(app)s), %(now)s, %(kind)s, %(actor)s,
        COALESCE(NULLIF(%(name)s, ''), (SELECT name FROM client WHERE public_id = %(actor)s), %(actor)s), %(address)s,
        %(verb)s, %(object)s, %(what)s, %(outcome)s)
"""


async def add(conn: Conn, entry: NewEntry, *, now: datetime) -> None:
    """Keep this."""
    await conn.execute(ADD, asdict(entry) | {"now": now})


# The primary key backwards from where the last page ended, so the millionth page costs what the first did; a filter
# that matches little reads on until the page is full.
PAGE = """
SELECT t.audit_id, a.public_id AS app_public_id, a.name AS app_name, t.at, t.kind, t.actor, t.name, t.address, t.verb,
       t.object, t.what, t.outcome
FROM audit t LEFT JOIN app a USING (app_id)
WHERE t.audit_id < %(before)s
  AND (%(apps)s::int[] IS NULL OR t.app_id = ANY(%(apps)s))
  AND (%(actor)s = '' OR t.actor = %(actor)s)
  AND (%(outcome)s = '' OR t.outcome = %(outcome)s)
  AND (%(kind)s = '' OR t.kind = %(kind)s)
  AND (%(object)s = '' OR t.object = %(object)s)
  AND (%(since)s::timestamptz IS NULL OR t.at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR t.at < %(until)s)
  AND (%(text)s = '' OR position(lower(%(text)s) IN
       lower(concat_ws(' ', t.name, t.verb, t.object, t.what, t.address, a.name))) > 0)
ORDER BY t.audit_id DESC LIMIT %(limit)s
"""


async def page(conn: Conn, wanted: Wanted, *, before: int, limit: int) -> list[Entry]:
    """The newest of the wanted entries that are older than entry ``before``."""
    values = {
        "apps": None if wanted.apps is None else list(wanted.apps),
        "actor": wanted.actor,
        "text": wanted.text,
        "since": wanted.since,
        "until": wanted.until,
        "outcome": wanted.outcome,
        "kind": wanted.kind,
        "object": wanted.object,
        "before": before,
        "limit": limit,
    }
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()
