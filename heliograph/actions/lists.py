"""What someone can do to a contact list as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict, InUse
from heliograph.rules import counts, draft, quota
from heliograph.rules import pull as law
from heliograph.store import campaign_links, contacts, dnc, list_sources, lists

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.draft import ListChanges
    from heliograph.rules.pull import Pull
    from heliograph.rules.quota import Quota
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.lists import ContactList, Kind

NOUNS = {"call": "Contact list", "dnc": "DNC list"}
NAMED = 5  # campaigns named in an error before it says how many more there are


async def create(db: Database, app: App, body: object, *, now: datetime, limits: Quota = quota.DEFAULT) -> ContactList:
    """A new, empty contact list.

    Raises :class:`Invalid`, :class:`~heliograph.errors.DuplicateName`, and :class:`Conflict` when the account has as
    many as ``limits`` allow.
    """
    wanted = draft.list_draft(body)
    async with db.transaction() as conn:
        await check_quota(conn, app, "call", limits)
        made = await lists.create(
            conn,
            app.app_id,
            kind="call",
            name=wanted.name,
            description=wanted.description,
            source=wanted.source,
            allow_duplicates=wanted.allow_duplicates,
            now=now,
        )
        audit.tell(f"Made the list {made.name}", object=made.public_id)
        if wanted.pull is not None:
            await _pull_from(conn, made, wanted.pull, now=now)
    return made


async def update(db: Database, app: App, ref: str, body: object, *, now: datetime) -> tuple[ContactList, ListChanges]:
    """Change a list's name, description, whether it keeps duplicates, whom it pulls from; what is there already stays.

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
        audit.tell(f"Changed the list {changed.name}", object=found.public_id)
        if changes.pull is not None:
            draft.pulls_only(found.source)
            await _pull_from(conn, found, changes.pull, now=now)
    return changed, changes


async def _pull_from(conn: Conn, target: ContactList, pull: Pull, *, now: datetime) -> None:
    """Have a list pull from now on, at once and then by its interval; by hand, if it has none."""
    await list_sources.put(
        conn,
        target.app_id,
        target.list_id,
        config=law.shown(pull),
        secrets=law.secret_names(pull),
        next_sync_at=None if pull.minutes is None else now,
        now=now,
    )


async def delete(db: Database, app: App, ref: str, *, now: datetime, kind: Kind | None = None) -> ContactList:
    """Delete a list and whoever is on it, and answer it as it was. With ``kind``, only one of this kind is found.

    Raises :class:`~heliograph.errors.NotFound`, :class:`InUse` naming the campaigns while any uses it, and
    :class:`Conflict` for the list that every app has.
    """
    async with db.transaction() as conn:
        found = await lists.get(conn, app.app_id, ref, kind=kind or "call", only=kind is not None)
        if found.kind == "dnc":  # whoever puts entries on it locks them first, and the list after
            await contacts.hold_writer(conn, found.list_id, name=found.name)
        found = await lists.lock(conn, app.app_id, found.list_id)
        if found.is_default:
            raise Conflict(f"{NOUNS[found.kind]} {found.name} is the app's default and cannot be deleted")
        linked = await campaign_links.using(conn, app.app_id, [found.list_id])
        reading = await lists.under_way(conn, app.app_id, found.list_id)
        used_by = dict([*linked.get(found.list_id, []), *reading])
        if used_by:
            names = _named(list(used_by.values()))
            raise InUse(
                f"{NOUNS[found.kind]} {found.name} is used by {names}; delete {counts.them(len(used_by))} first"
            )
        await lists.mark_deleted(conn, app.app_id, found.list_id, now=now)
        audit.tell(
            f"Deleted the list {found.name}, {counts.of(found.contact_count, 'number', 'numbers')}",
            object=found.public_id,
        )
        await list_sources.switch_off(conn, app.app_id, found.list_id, now=now)
        if found.kind == "dnc":
            await dnc.delete_all(conn, app.app_id, found.list_id)
        else:
            await contacts.delete_all(conn, app.app_id, found.list_id)
    return found


async def check_quota(conn: Conn, app: App, kind: Kind, limits: Quota) -> None:
    """Refuse one more list of a kind where the account has as many as ``limits`` allow. Raises :class:`Conflict`."""
    have, _ = await lists.count(conn, app.account_id, kind)
    most, what = (limits.lists, "contact lists") if kind == "call" else (limits.dnc_lists, "DNC lists")
    quota.check(have, 1, most, f"{what} in this account")


def _named(names: list[str]) -> str:
    shown = ", ".join(f"campaign {name}" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
