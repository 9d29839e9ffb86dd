"""Make and edit campaigns. Starting, stopping and deleting them is in :mod:`heliograph.actions.runs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import schedules
from heliograph.errors import Invalid
from heliograph.rules import campaign as lifecycle
from heliograph.rules import draft as drafts
from heliograph.rules import ids
from heliograph.rules.campaign import CampaignStatus, Verb
from heliograph.store import campaign_links, campaigns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.draft import CampaignDraft
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign, Content
    from heliograph.store.database import Conn, Database


async def create(db: Database, app: App, body: object, *, now: datetime) -> Campaign:
    """A new campaign, Ready to be played, from the vendor's create body.

    Raises :class:`~heliograph.errors.Invalid` for a body that cannot be used or that names a list which
    this app does not have, :class:`~heliograph.errors.DuplicateName` for a name that is taken.
    """
    draft = drafts.parse(body)
    drafts.unscheduled(draft)
    async with db.transaction() as conn:
        content, list_ids = await _resolve(conn, app, draft)
        public_id = ids.new("cd")
        campaign_id = await campaigns.insert(conn, app.app_id, public_id, content, CampaignStatus.READY, now=now)
        await campaign_links.link_lists(conn, app.app_id, campaign_id, list_ids)
        return await campaigns.get(conn, app.app_id, public_id)


async def update(db: Database, app: App, public_id: str, body: object, *, now: datetime) -> Campaign:
    """Replace all that a person decides about a campaign; what the body leaves out is gone.

    A run under way keeps the content it was started with; a schedule stays, at the same times of day when
    the zone changes. Raises as :func:`create`, and :class:`~heliograph.errors.NotFound`, and
    :class:`~heliograph.errors.IllegalMove` while it is Active.
    """
    draft = drafts.parse(body)
    async with db.transaction() as conn:
        before = await campaigns.lock(conn, app.app_id, public_id)
        if not before.scheduled:
            drafts.unscheduled(draft)
        status = lifecycle.after(before.status, Verb.EDIT, name=before.name)
        content, list_ids = await _resolve(conn, app, draft)
        await campaigns.update(conn, app.app_id, before.campaign_id, content, status, now=now)
        await campaign_links.link_lists(conn, app.app_id, before.campaign_id, list_ids)
        after = await campaigns.get(conn, app.app_id, public_id)
        if before.scheduled:
            await schedules.follow(conn, before, after, now=now)
            after = await campaigns.get(conn, app.app_id, public_id)
        return after


async def _resolve(conn: Conn, app: App, draft: CampaignDraft) -> tuple[Content, list[int]]:
    """What to write for a draft, its names turned into ids; the lists cannot vanish before the transaction ends."""
    template = draft.template_id or draft.template_name
    if template is not None:
        field = "message.templateId" if draft.template_id else "message.template_name"
        text = f"There is no SMS template {template} in this app; send the text itself in message.message"
        raise Invalid(text, field=field)
    dnc_list_id = None
    if draft.dnc_name is not None:
        dnc_list_id = (await _list_ids(conn, app, "dnc", [draft.dnc_name]))[0]
    content = campaigns.Content(
        name=draft.name,
        lname=draft.lname,
        description=draft.description,
        priority=draft.priority,
        format=draft.format,
        caller_id=draft.caller_id,
        dialing=draft.dialing,
        message=draft.message,
        flow_id=None if draft.flow_name is None else ids.named("cf", app.public_id, draft.flow_name.lower()),
        schedule=draft.schedule,
        dnc_list_id=dnc_list_id,
        filters=draft.filters,
    )
    return content, await _list_ids(conn, app, "call", draft.list_names)


async def _list_ids(conn: Conn, app: App, kind: str, names: Sequence[str]) -> list[int]:
    """The lists of these names, in this order, each once. Raises Invalid naming the first that is missing."""
    found = await campaign_links.lists_to_link(conn, app.app_id, kind, [name.lower() for name in names])
    for name in names:
        if name.lower() not in found:
            what, field = ("contact list", "contactLists") if kind == "call" else ("DNC list", "dncLists.name")
            text = f"There is no {what} named {name} in this app; create it first, or send the name of another"
            raise Invalid(text, field=field)
    return list(dict.fromkeys(found[name.lower()] for name in names))
