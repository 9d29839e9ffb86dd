"""An app's secrets: stored under names, sent where a name stands, never shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict, InUse
from heliograph.rules import body as reading
from heliograph.rules import pull_body
from heliograph.store import app_secrets, list_sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from heliograph.actions.seal import Seal
    from heliograph.store.app_secrets import Named
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database

MOST = 200  # of an app


async def put(db: Database, seal: Seal, app: App, name: str, body: object, *, now: datetime) -> Named:
    """Keep the body's ``value`` under a name, in place of what was there. The next sync of a list sends it.

    Raises :class:`~heliograph.errors.Invalid`, and Conflict when the app has as many as it may.
    """
    name = pull_body.secret_name(name, "secretName")
    value = pull_body.secret_value(reading.mapping(body, "").get("value"), "value")
    sealed = seal.seal(value, owner=_owner(app, name))
    async with db.transaction() as conn:
        known = {each.name for each in await app_secrets.list_all(conn, app.app_id)}
        if name not in known and len(known) >= MOST:
            raise Conflict(
                f"There are {len(known)} secrets, and an app has at most {MOST}; delete one", field="secretName"
            )
        audit.tell(f"{'Replaced' if name in known else 'Kept'} the secret {name}")
        return await app_secrets.put(conn, app.app_id, name, sealed, now=now)


async def delete(db: Database, app: App, name: str) -> Named:
    """Forget a secret. Raises NotFound, and InUse naming the lists that send it."""
    async with db.transaction() as conn:
        users = await list_sources.naming(conn, app.app_id, name)
        if users:
            raise InUse(f"Secret {name} is sent when contact list {users[0]} is synced; change that list first")
        audit.tell(f"Forgot the secret {name}")
        return await app_secrets.delete(conn, app.app_id, name)


async def opened(conn: Conn, seal: Seal, app: App, names: Iterable[str]) -> dict[str, str]:
    """Those of the secrets called ``names`` that there are, open.

    Raises :class:`~heliograph.errors.BadSetting` when they were sealed with another key.
    """
    found = await app_secrets.sealed(conn, app.app_id, names)
    return {name: seal.open(sealed, owner=_owner(app, name), called=f"Secret {name}") for name, sealed in found.items()}


def _owner(app: App, name: str) -> str:
    return f"{app.public_id} {name}"
