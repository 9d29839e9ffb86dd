"""Webhooks: who is told of what, and where. What there is to tell is in :mod:`heliograph.store.webhook_deliveries`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Webhook:
    """A row of table ``webhook``, with the public id of its app. Secrets are sealed."""

    app_id: int
    app_public_id: str
    webhook_id: int
    public_id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    secret_sealed: bytes
    old_secret_sealed: bytes | None
    old_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


_COLUMNS: LiteralString = """w.app_id, (SELECT a.public_id FROM app a WHERE a.app_id = w.app_id) AS app_public_id,
       w.webhook_id, w.public_id, w.url, w.description, w.events, w.enabled, w.disabled_reason, w.failing_since,
       w.secret_sealed, w.old_secret_sealed, w.old_secret_until, w.created_at, w.updated_at"""


INSERT = f"""
INSERT INTO webhook AS w (app_id, public_id, url, description, events, enabled, secret_sealed, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(url)s, %(description)s, %(events)s, %(enabled)s, %(secret_sealed)s, %(now)s,
        %(now)s)
RETURNING {_COLUMNS}
"""


async def insert(  # a row has as many parts as it has
    conn: Conn,
    app_id: int,
    *,
    public_id: str,
    url: str,
    description: str,
    events: Sequence[str],
    enabled: bool,
    secret_sealed: bytes,
    now: datetime,
) -> Webhook:
    """A new webhook."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "url": url,
        "description": description,
        "events": list(events),
        "enabled": enabled,
        "secret_sealed": secret_sealed,
        "now": now,
    }
    return await _one(conn, INSERT, values)


GET: LiteralString = f"SELECT {_COLUMNS} FROM webhook w WHERE w.app_id = %(app_id)s AND w.public_id = %(public_id)s"
LOCK = f"{GET} FOR UPDATE OF w"


async def get(conn: Conn, app_id: int, public_id: str) -> Webhook:
    """The webhook with this ``wh-`` id. Raises NotFound."""
    return await _one(conn, GET, {"app_id": app_id, "public_id": public_id})


async def lock(conn: Conn, app_id: int, public_id: str) -> Webhook:
    """As :func:`get`, and nobody else changes it before this transaction ends."""
    return await _one(conn, LOCK, {"app_id": app_id, "public_id": public_id})


BY_ID = f"SELECT {_COLUMNS} FROM webhook w WHERE w.app_id = %(app_id)s AND w.webhook_id = %(webhook_id)s"


async def by_id(conn: Conn, app_id: int, webhook_id: int) -> Webhook:
    """The webhook with this internal id. Raises NotFound."""
    return await _one(conn, BY_ID, {"app_id": app_id, "webhook_id": webhook_id})


LIST_ALL = f"SELECT {_COLUMNS} FROM webhook w WHERE w.app_id = %(app_id)s ORDER BY w.webhook_id"


async def list_all(conn: Conn, app_id: int) -> list[Webhook]:
    """An app's webhooks, the oldest first."""
    async with conn.cursor(row_factory=class_row(Webhook)) as cursor:
        return await (await cursor.execute(LIST_ALL, {"app_id": app_id})).fetchall()


UPDATE = f"""
UPDATE webhook w SET url = %(url)s, description = %(description)s, events = %(events)s, enabled = %(enabled)s,
    disabled_reason = CASE WHEN %(enabled)s = w.enabled THEN w.disabled_reason END,
    failing_since = CASE WHEN %(enabled)s AND (NOT w.enabled OR %(url)s <> w.url) THEN NULL ELSE w.failing_since END,
    updated_at = %(now)s
WHERE w.app_id = %(app_id)s AND w.webhook_id = %(webhook_id)s
RETURNING {_COLUMNS}
"""


async def update(  # so too
    conn: Conn,
    app_id: int,
    webhook_id: int,
    *,
    url: str,
    description: str,
    events: Sequence[str],
    enabled: bool,
    now: datetime,
) -> Webhook:
    """Replace what a person decides about a webhook. Switched on again, it begins anew: it has not failed yet."""
    values = {
        "app_id": app_id,
        "webhook_id": webhook_id,
        "url": url,
        "description": description,
        "events": list(events),
        "enabled": enabled,
        "now": now,
    }
    return await _one(conn, UPDATE, values)


SET_SECRET = f"""
UPDATE webhook w SET old_secret_sealed = w.secret_sealed, old_secret_until = %(until)s,
    secret_sealed = %(secret_sealed)s, updated_at = %(now)s
WHERE w.app_id = %(app_id)s AND w.webhook_id = %(webhook_id)s
RETURNING {_COLUMNS}
"""


async def set_secret(
    conn: Conn, app_id: int, webhook_id: int, secret_sealed: bytes, *, until: datetime, now: datetime
) -> Webhook:
    """Give it a new secret; the one before signs beside it ``until`` then."""
    values = {
        "app_id": app_id,
        "webhook_id": webhook_id,
        "secret_sealed": secret_sealed,
        "until": until,
        "now": now,
    }
    return await _one(conn, SET_SECRET, values)


ARRIVED = """
UPDATE webhook SET failing_since = NULL
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s AND failing_since IS NOT NULL
"""


async def arrived(conn: Conn, app_id: int, webhook_id: int) -> None:
    """It has taken something: it does not fail any more."""
    await conn.execute(ARRIVED, {"app_id": app_id, "webhook_id": webhook_id})


FAILED = """
UPDATE webhook SET failing_since = coalesce(failing_since, %(now)s)
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s RETURNING failing_since
"""


async def failed(conn: Conn, app_id: int, webhook_id: int, *, now: datetime) -> datetime:
    """It took nothing of a few tries; since when that is so."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "now": now}
    row = await (await conn.execute(FAILED, values)).fetchone()
    return now if row is None else row[0]


DISABLE = """
UPDATE webhook SET enabled = false, disabled_reason = %(reason)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s AND enabled
"""


async def disable(conn: Conn, app_id: int, webhook_id: int, *, reason: str, now: datetime) -> None:
    """Switch it off by ourselves, for a reason that people are shown."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "reason": reason, "now": now}
    await conn.execute(DISABLE, values)


DELETE = "DELETE FROM webhook WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s"


async def delete(conn: Conn, app_id: int, webhook_id: int) -> None:
    """Delete it, with what it was to be told."""
    await conn.execute(DELETE, {"app_id": app_id, "webhook_id": webhook_id})


async def _one(conn: Conn, statement: LiteralString, values: Mapping[str, object]) -> Webhook:
    async with conn.cursor(row_factory=class_row(Webhook)) as cursor:
        found = await (await cursor.execute(statement, values)).fetchone()
    if found is None:
        raise NotFound(f"There is no webhook {values.get('public_id', '')} in this app", field="webhookId")
    return found
