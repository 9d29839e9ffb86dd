"""Make and edit campaigns. Starting, stopping and deleting them is in :mod:`heliograph.actions.runs`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from heliograph.actions import audit, copies, flows, schedules, templates
from heliograph.errors import Invalid
from heliograph.rules import campaign as lifecycle
from heliograph.rules import draft as drafts
from heliograph.rules import ids
from heliograph.rules.campaign import CampaignStatus, Verb
from heliograph.store import apps, campaign_links, campaigns, exclusions

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
        return await _write(conn, app, content, list_ids, now=now)


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
        content, list_ids = await _resolve(conn, app, draft, before.message)
        await campaigns.update(conn, app.app_id, before.campaign_id, content, status, now=now)
        await campaign_links.link_lists(conn, app.app_id, before.campaign_id, list_ids)
        after = await campaigns.get(conn, app.app_id, public_id)
        if before.scheduled:
            await schedules.follow(conn, before, after, now=now)
            after = await campaigns.get(conn, app.app_id, public_id)
        audit.tell(f"Changed the campaign {after.name}", object=public_id)
        return after


async def clone(db: Database, app: App, public_id: str, body: object, *, now: datetime) -> Campaign:
    """A copy of a campaign, Ready to be played: all but its schedule and its runs. Its words stay as they are.

    Without a name in the body it is the "Copy of" the first. Raises :class:`~heliograph.errors.Invalid`,
    :class:`~heliograph.errors.NotFound`, :class:`~heliograph.errors.DuplicateName`.
    """
    name = copies.wanted_name(body)
    async with db.transaction() as conn:
        if name is None:
            await apps.hold(conn, app.app_id)  # two copies at once would want one name
        # While it is locked it uses its lists, so that none of them can be deleted.
        first = await campaigns.lock(conn, app.app_id, public_id)
        name = name or await copies.free_name(first.name, partial(campaigns.find_taken, conn, app.app_id))
        content = campaigns.Content(
            name=name,
            lname=name.lower(),
            description=first.description,
            priority=first.priority,
            format=first.format,
            caller_id=first.caller_id,
            dialing=first.dialing,
            message=first.message,
            flow_id=first.flow_id,
            schedule={"isSchedulingEnabled": False},
            dnc_list_id=first.dnc_list_id,
            filters=first.filters,
            zone_rule=first.zone_rule,
            transactional=first.transactional,
            exclude_ids=first.exclude_ids,
            hold_out=first.hold_out,
        )
        made = await _write(conn, app, content, first.list_ids, now=now)
        audit.tell(f"Made the campaign {name}, a copy of {first.name}", object=made.public_id)
    return made


async def _write(conn: Conn, app: App, content: Content, list_ids: Sequence[int], *, now: datetime) -> Campaign:
    public_id = ids.new("cd")
    campaign_id = await campaigns.insert(conn, app.app_id, public_id, content, CampaignStatus.READY, now=now)
    await campaign_links.link_lists(conn, app.app_id, campaign_id, list_ids)
    audit.tell(f"Made the campaign {content.name}", object=public_id)
    return await campaigns.get(conn, app.app_id, public_id)


async def _resolve(
    conn: Conn, app: App, draft: CampaignDraft, before: dict[str, Any] | None = None
) -> tuple[Content, list[int]]:
    """What to write for a draft, its names turned into ids; the lists cannot vanish before the transaction ends.

    ``before`` is the message it takes the place of.
    """
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
        message=await templates.used(conn, app, draft, before),
        flow_id=await flows.used(conn, app, draft.flow_name),
        schedule=draft.schedule,
        dnc_list_id=dnc_list_id,
        filters=draft.filters,
        zone_rule=draft.zone_rule.value,
        transactional=draft.transactional,
        exclude_ids=await _excluded(conn, app, draft.exclude),
        hold_out=draft.hold_out,
    )
    return content, await _list_ids(conn, app, "call", draft.list_names)


async def _excluded(conn: Conn, app: App, refs: Sequence[str]) -> tuple[int, ...]:
    """The ids of the campaigns whose readers are left out. Raises Invalid naming the first that is missing."""
    found = await exclusions.find(conn, app.app_id, refs) if refs else {}
    missing = next((ref for ref, campaign_id in found.items() if campaign_id is None), None)
    if missing is not None:
        text = f"There is no campaign {missing} in this app; send the name or the id of one that there is"
        raise Invalid(text, field="exclude.campaigns")
    return tuple(dict.fromkeys(found[ref] or 0 for ref in refs))


async def _list_ids(conn: Conn, app: App, kind: str, names: Sequence[str]) -> list[int]:
    """The lists of these names, in this order, each once. Raises Invalid naming the first that is missing."""
    found = await campaign_links.lists_to_link(conn, app.app_id, kind, [name.lower() for name in names])
    for name in names:
        if name.lower() not in found:
            what, field = ("contact list", "contactLists") if kind == "call" else ("DNC list", "dncLists.name")
            text = f"There is no {what} named {name} in this app; create it first, or send the name of another"
            raise Invalid(text, field=field)
    return list(dict.fromkeys(found[name.lower()] for name in names))
