"""What someone can do to a contact list as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.errors import Conflict, InUse
from heliograph.rules import draft
from heliograph.store import campaign_links, contacts, lists

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.draft import ListChanges
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.lists import ContactList

NAMED = 5  # campaigns named in an error before it says how many more there are


async def create(db: Database, app: App, body: object, *, now: datetime) -> ContactList:
    """A new, empty contact list. Raises :class:`Invalid`, :class:`~heliograph.errors.DuplicateName`."""
    wanted = draft.list_draft(body)
    async with db.transaction() as conn:
        return await lists.create(
            conn,
            app.app_id,
            kind="call",
            name=wanted.name,
            description=wanted.description,
            source=wanted.source,
            allow_duplicates=wanted.allow_duplicates,
            now=now,
        )


async def update(db: Database, app: App, ref: str, body: object, *, now: datetime) -> tuple[ContactList, ListChanges]:
    """Change a list's name, description or whether it keeps duplicates; what is there already stays.

    Answers the list and the changes. Raises :class:`Invalid`, :class:`~heliograph.errors.NotFound`,
    :class:`~heliograph.errors.DuplicateName`.
    """
    changes = draft.list_changes(body)
    async with db.transaction() as conn:
        found = await lists.get(conn, app.app_id, ref)
        changed = await lists.update(
            conn,
            app.app_id,
            found.list_id,
            name=changes.name,
            description=changes.description,
            allow_duplicates=changes.allow_duplicates,
            now=now,
        )
    return changed, changes


async def delete(db: Database, app: App, ref: str, *, now: datetime) -> ContactList:
    """Delete a list and its contacts, and answer it as it was.

    Raises :class:`~heliograph.errors.NotFound`, and :class:`InUse` naming the campaigns while any uses it.
    """
    async with db.transaction() as conn:
        found = await lists.get(conn, app.app_id, ref)
        found = await lists.lock(conn, app.app_id, found.list_id)
        if found.is_default:
            raise Conflict(f"Contact list {found.name} is the account's default and cannot be deleted")
        linked = await campaign_links.using(conn, app.app_id, [found.list_id])
        reading = await lists.under_way(conn, app.app_id, found.list_id)
        used_by = dict([*linked.get(found.list_id, []), *reading])
        if used_by:
            raise InUse(f"Contact list {found.name} is used by {_named(list(used_by.values()))}; delete them first")
        await lists.mark_deleted(conn, app.app_id, found.list_id, now=now)
        await contacts.delete_all(conn, app.app_id, found.list_id)
    return found


def _named(names: list[str]) -> str:
    shown = ", ".join(f"campaign {name}" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
