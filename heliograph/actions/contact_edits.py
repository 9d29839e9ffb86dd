"""Changing one contact of a list, and taking one off it.

A run under way keeps what it has planned: a message holds its own number and words. Whoever it has not planned yet
is texted as changed, or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.actions import contacts as adding
from heliograph.errors import Conflict
from heliograph.rules import contact as law
from heliograph.rules import ids
from heliograph.store import contacts, lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.contacts import Contact
    from heliograph.store.database import Database
    from heliograph.store.lists import ContactList


async def update(
    db: Database, app: App, list_ref: str, contact_id: str, body: Mapping[str, object], *, now: datetime
) -> tuple[ContactList, Contact]:
    """Put the columns that were sent in the place of those of a contact; the others stay.

    Raises :class:`NotFound`; :class:`~heliograph.errors.Invalid` naming the column; :class:`Conflict` when another
    contact of a list without duplicates has the number, or while a file is being imported into the list.
    """
    async with db.transaction() as conn:
        target = await adding.hold(conn, app, list_ref)
        before = await contacts.get(conn, target, contact_id)
        wanted = law.changed(before.fields, body)
        if not target.allow_duplicates and wanted.number != before.number:
            other = await contacts.find_other(conn, app.app_id, target.list_id, wanted.number, seq=before.seq)
            if other is not None:
                owner = ids.contact_id(target.public_id, other)
                text = f"{wanted.number} is on contact list {target.name} already ({owner}), which keeps no duplicates"
                raise Conflict(text, field="phoneNumber")
        kept = adding.to_keep(wanted)
        after = await contacts.replace(conn, app.app_id, target.list_id, before.seq, kept, now=now)
        if after is None:
            raise contacts.missing(target, contact_id)
        columns = list(dict.fromkeys([*target.columns, *wanted.fields]))
        target = await lists.grow(conn, app.app_id, target.list_id, added=0, columns=columns, now=now)
        audit.tell(f"Changed somebody on the list {target.name}", object=contact_id)
    return target, after


async def remove(
    db: Database, app: App, list_ref: str, contact_id: str, *, now: datetime
) -> tuple[ContactList, Contact]:
    """Take a contact off a list; answers both, the contact as it was.

    Raises :class:`NotFound`, :class:`Conflict` while a file is being imported into the list.
    """
    async with db.transaction() as conn:
        target = await adding.hold(conn, app, list_ref)
        gone = await contacts.get(conn, target, contact_id)
        await contacts.remove(conn, app.app_id, target.list_id, gone.seq)
        await lists.shrink(conn, app.app_id, target.list_id, removed=1, now=now)
        audit.tell(f"Took somebody off the list {target.name}", object=contact_id)
    return target, gone
