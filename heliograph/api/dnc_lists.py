"""Do-not-contact lists over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import dnc as editing
from heliograph.actions import lists as deleting
from heliograph.api import auth, envelope
from heliograph.api.dnc_shapes import DNC_LIST_ID
from heliograph.api.list_view import Users
from heliograph.store import campaign_links, lists
from heliograph.store.lists import ContactList

DncListId = Annotated[
    str, Path(alias="dncListId", description="The list's id, `cl-…`, or its name.", examples=[DNC_LIST_ID])
]


async def create(call: auth.Campaigns) -> Response:
    """Create a do-not-contact list."""
    limits = auth.house(call.request).settings.quota
    made = await editing.create_from(call.db, call.app, await call.body(), now=call.now, limits=limits)
    return envelope.success(f"DNC list {made.name} created successfully", _record(made, []))


async def list_all(call: auth.Campaigns) -> Response:
    """Every do-not-contact list of the app, oldest first: in front, the default one."""
    async with call.db.connection() as conn:
        found = await lists.list_all(conn, call.app.app_id, kind="dnc")
        users = await campaign_links.using(conn, call.app.app_id, [one.list_id for one in found])
    return envelope.success("", [_record(one, users.get(one.list_id, [])) for one in found])


async def get(call: auth.Campaigns, list_id: DncListId) -> Response:
    """One do-not-contact list, by id or by name."""
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, kind="dnc", only=True)
        users = await campaign_links.using(conn, call.app.app_id, [found.list_id])
    return envelope.success("", _record(found, users.get(found.list_id, [])))


async def update(call: auth.Campaigns, list_id: DncListId) -> Response:
    """Change a do-not-contact list's name, description, or whether it counts for every campaign.

    A run heeds the lists that were its own and global when it started: those under way are not touched.
    """
    changed = await editing.update(call.db, call.app, list_id, await call.body(), now=call.now)
    async with call.db.connection() as conn:
        users = await campaign_links.using(conn, call.app.app_id, [changed.list_id])
    data = _record(changed, users.get(changed.list_id, []))
    return envelope.success(f"DNC list {changed.name} updated successfully", data)


async def delete(call: auth.Campaigns, list_id: DncListId) -> Response:
    """Delete a do-not-contact list and its entries, unless a campaign uses it, or it is the default one."""
    deleted = await deleting.delete(call.db, call.app, list_id, now=call.now, kind="dnc")
    return envelope.success(f"DNC list {deleted.name} deleted successfully", _record(deleted, []))


def _record(found: ContactList, users: Users) -> dict[str, object]:
    return {
        "_id": found.public_id,
        "name": found.name,
        "description": found.description,
        "listType": found.kind,
        "isGlobalDNC": found.is_global_dnc,
        "isDefault": found.is_default,
        "totalRecordCount": found.contact_count,
        "isListInUse": bool(users),
        "campaignInUse": [{"id": public_id, "name": name} for public_id, name in users],
        "files": found.files,
        "createdAt": envelope.instant(found.created_at),
        "updatedAt": envelope.instant(found.updated_at),
    }
