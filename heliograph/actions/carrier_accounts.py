"""What someone can do to a carrier account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit, secrets
from heliograph.carriers import registry
from heliograph.errors import InUse, Invalid
from heliograph.rules import counts, ids, sender_body
from heliograph.store import bell, carrier_accounts, senders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.actions.seal import Seal
    from heliograph.store.apps import App
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database

NAMED = 5  # senders named in an error before it says how many more there are


async def create(db: Database, seal: Seal, app: App, body: object, *, now: datetime) -> CarrierAccount:
    """A new carrier account. Its settings are checked by its carrier first. Raises Invalid, DuplicateName."""
    wanted = sender_body.account(body)
    _check(wanted.kind, wanted.settings)
    settings, secret = _apart(wanted.kind, wanted.settings)
    public_id = ids.new("ca")
    async with db.transaction() as conn:
        audit.tell(f"Connected the carrier {wanted.name} ({wanted.kind})", object=public_id)
        return await carrier_accounts.add(
            conn,
            app.app_id,
            public_id=public_id,
            name=wanted.name,
            kind=wanted.kind,
            settings=settings,
            secrets_sealed=secrets.sealed(seal, public_id, secret),
            secret_names=sorted(secret),
            now=now,
        )


async def update(db: Database, seal: Seal, app: App, ref: str, body: object, *, now: datetime) -> CarrierAccount:
    """Change an account's name or settings; workers open its line anew within a second.

    New settings take the place of all the old ones, but for secrets that they do not speak of: those stay, and
    null removes one. Raises Invalid, NotFound, DuplicateName.
    """
    wanted = sender_body.account_changes(body)
    async with db.transaction() as conn:
        found = await carrier_accounts.lock(conn, app.app_id, ref)
        name = found.name if wanted.name is None else wanted.name
        audit.tell(f"Changed the carrier {name}", object=found.public_id)
        if wanted.settings is None:
            return await carrier_accounts.rename(conn, app.app_id, found.account_id, name=name, now=now)
        merged = secrets.opened(seal, found) | dict(wanted.settings)
        _check(found.kind, merged)
        settings, secret = _apart(found.kind, merged)
        changed = await carrier_accounts.update(
            conn,
            app.app_id,
            found.account_id,
            name=name,
            settings=settings,
            secrets_sealed=secrets.sealed(seal, found.public_id, secret),
            secret_names=sorted(secret),
            now=now,
        )
        await bell.ring(conn, "carrier account")
    return changed


async def resume(db: Database, app: App, ref: str) -> CarrierAccount:
    """Let texts go through an account again; workers open its line anew within a second. Raises NotFound.

    If its carrier still does not let us in, it is paused again. One that is not paused only gets a new line.
    """
    async with db.transaction() as conn:
        found = await carrier_accounts.lock(conn, app.app_id, ref)
        resumed = await carrier_accounts.resume(conn, app.app_id, found.account_id)
        audit.tell(f"Let texts go through {found.name} again", object=found.public_id)
        await bell.ring(conn, "carrier account")
    return resumed


async def delete(db: Database, app: App, ref: str, *, now: datetime) -> CarrierAccount:
    """Delete an account and its secrets; answers it as it was. Raises NotFound, InUse naming the senders on it."""
    async with db.transaction() as conn:
        found = await carrier_accounts.lock(conn, app.app_id, ref)
        on_it = await senders.list_of_account(conn, app.app_id, found.account_id)
        if on_it:
            shown = ", ".join(f"sender {sender.address}" for sender in on_it[:NAMED])
            more = f" and {len(on_it) - NAMED} more" if len(on_it) > NAMED else ""
            raise InUse(
                f"Carrier account {found.name} is used by {shown}{more}; delete or move {counts.them(len(on_it))} first"
            )
        await carrier_accounts.mark_deleted(conn, app.app_id, found.account_id, now=now)
        audit.tell(f"Deleted the carrier {found.name}", object=found.public_id)
        await bell.ring(conn, "carrier account")
    return found


def _check(kind: str, settings: Mapping[str, object]) -> None:
    """Raise Invalid unless a line could be opened with these."""
    try:
        registry.check(kind, settings)
    except Invalid as error:
        field = error.field if error.field in (None, "kind") else f"settings.{error.field}"
        raise Invalid(error.message, field=field) from error


def _apart(kind: str, settings: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The settings that may be told, and those that are secret; a secret of null is none."""
    hidden = registry.secrets(kind)
    told = {key: value for key, value in settings.items() if key not in hidden}
    return told, {key: value for key, value in settings.items() if key in hidden and value is not None}
