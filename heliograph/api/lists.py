"""Contact lists over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import lists as editing
from heliograph.api import auth, envelope, list_view
from heliograph.api.shapes import LIST_ID
from heliograph.errors import Invalid
from heliograph.store import campaign_links, list_sources, lists
from heliograph.store.list_sources import Source
from heliograph.store.lists import ContactList

KINDS = ("call", "sms", "voice", "dnc")  # the vendor's pages put a kind of campaign here, too

ListId = Annotated[str, Path(alias="listId", description="The list's id, `cl-…`, or its name.", examples=[LIST_ID])]
ListKind = Annotated[
    str | None,
    Query(
        alias="type",
        description="`call` (the default; `sms` and `voice` mean it, too): people to text. `dnc`: people not to text.",
        json_schema_extra={"enum": [*KINDS]},
    ),
]


async def create(call: auth.Campaigns) -> Response:
    """Create a contact list."""
    limits = auth.house(call.request).settings.quota
    made = await editing.create(call.db, call.app, await call.body(), now=call.now, limits=limits)
    data = list_view.created(made, call.app, await _source(call, made), call.version)
    return envelope.success(f"Contact list {made.name} created successfully", data)


async def get(call: auth.Campaigns, list_id: ListId) -> Response:
    """One contact list, by id or by name."""
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id)
        users = await campaign_links.using(conn, call.app.app_id, [found.list_id])
    data = list_view.whole(found, call.app, users.get(found.list_id, []), await _source(call, found), call.version)
    return envelope.success("", data)


async def list_all(call: auth.Campaigns, kind: ListKind = None) -> Response:
    """Every contact list of the app, oldest first."""
    if kind and kind.lower() not in KINDS:
        raise Invalid(f"type is {kind!r}. It takes call or dnc", field="type")
    async with call.db.connection() as conn:
        dnc = kind is not None and kind.lower() == "dnc"
        found = await lists.list_all(conn, call.app.app_id, kind="dnc" if dnc else "call")
        users = await campaign_links.using(conn, call.app.app_id, [one.list_id for one in found])
        sources = await list_sources.of(conn, call.app.app_id, [one.list_id for one in found])
    data = [list_view.row(one, users.get(one.list_id, []), sources.get(one.list_id), call.version) for one in found]
    return envelope.success("", data)


async def update(call: auth.Campaigns, list_id: ListId) -> Response:
    """Change a contact list's name, description, whether it keeps duplicates, or what it pulls from."""
    changed, changes = await editing.update(call.db, call.app, list_id, await call.body(), now=call.now)
    body = {
        **changes.sent,
        **({"scope": ["campaign_management"]} if call.version != 1 else {}),
        "orgId": call.app.org_id,
        "iId": call.app.public_id,
        "listType": changed.kind,
        "accountId": call.app.account_id,
        "updatedBy": call.app.owner_id,
    }
    data = {"contactListId": changed.public_id, "body": body}
    return envelope.success(f"Contact list {changed.name} updated successfully", data)


async def delete(call: auth.Campaigns, list_id: ListId) -> Response:
    """Delete a contact list and its contacts, unless a campaign uses it."""
    deleted = await editing.delete(call.db, call.app, list_id, now=call.now)
    data = list_view.whole(deleted, call.app, [], await _source(call, deleted), call.version)
    return envelope.success(f"Contact list {deleted.name} deleted successfully", data)


async def _source(call: auth.Call, found: ContactList) -> Source | None:
    """What the list pulls from, also once it is deleted."""
    async with call.db.connection() as conn:
        return await list_sources.find(conn, call.app.app_id, found.list_id)
