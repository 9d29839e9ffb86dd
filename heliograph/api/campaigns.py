"""Campaigns over HTTP: the vendor's eight operations. Their paths stand in routes.py."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response

from heliograph.actions import campaigns as editing
from heliograph.actions import reruns, runs
from heliograph.api import auth, campaign_query, campaign_view, envelope
from heliograph.api.docs import NEEDED
from heliograph.api.shapes import CAMPAIGN_ID
from heliograph.errors import Invalid, NotFound
from heliograph.rules import ids
from heliograph.store import campaigns, messages, outcomes, overview, tallies
from heliograph.store.campaigns import Campaign
from heliograph.store.database import Conn
from heliograph.store.tallies import Ledger

_VIEWS = ("status", "contacts", "ledger", "zones", "reasons")
_TRIGGERS = {
    "play": (runs.play, campaign_view.started),
    "pause": (runs.pause, campaign_view.paused),
    "resume": (runs.resume, campaign_view.resumed),
    "stop": (runs.stop, campaign_view.stopped),
    "emergency": (reruns.emergency, campaign_view.started),
}


def _campaign_id(
    campaign_id: Annotated[
        str, Path(alias="campaignId", description="The campaign's id, `cd-…`.", examples=[CAMPAIGN_ID])
    ],
) -> str:
    """The id in the path. The vendor's pages print ``{{campaignType}}`` in its place, so people send ``sms``."""
    if not ids.looks_like("cd", campaign_id):
        text = f"A campaign id (cd-…) is expected at this place of the path, and {campaign_id!r} is none"
        raise NotFound(text, field="campaignId")
    return campaign_id


CampaignId = Annotated[str, Depends(_campaign_id)]
Trigger = Annotated[
    str | None,
    Query(
        description="What to do: `play`, `pause`, `resume`, `stop`, or `emergency`: play at once, before all others.",
        examples=["play"],
        json_schema_extra={"enum": [*_TRIGGERS], **NEEDED},
    ),
]
View = Annotated[
    str | None,
    Query(
        description="`status` (the default), `contacts` (person by person), or ours: `ledger` (the numbers), `zones`, "
        "`reasons`.",
        examples=["contacts"],
        json_schema_extra={"enum": [*_VIEWS]},
    ),
]
Page = Annotated[
    str | None,
    Query(
        description="Which page of `view=contacts`; also in the body.",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": campaign_query.MAX_STATUS_PAGE},
    ),
]
Limit = Annotated[
    str | None,
    Query(
        description="People on a page of `view=contacts`; also in the body.",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": campaign_query.MAX_STATUS_LIMIT},
    ),
]


async def create(call: auth.Campaigns) -> Response:
    """Create an SMS campaign, Ready to be started."""
    campaign = await editing.create(call.db, call.app, await call.body(), now=call.now)
    return envelope.success(
        f"Campaign {campaign.name} creation in progress", campaign_view.created(campaign, call.version)
    )


async def clone(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Copy a campaign, all but its schedule, Ready to be started.

    Without a name in the body the copy gets one that begins with `Copy of`.
    """
    campaign = await editing.clone(call.db, call.app, campaign_id, await call.body(), now=call.now)
    return envelope.success(
        f"Campaign {campaign.name} creation in progress", campaign_view.created(campaign, call.version)
    )


async def list_all(call: auth.Campaigns) -> Response:
    """List the app's campaigns, a page at a time, newest first unless asked otherwise."""
    query = campaign_query.read(await call.body())
    async with call.db.connection() as conn:
        total = await campaigns.count(conn, call.app.app_id, query.wanted)
        listed = await campaigns.page(
            conn, call.app.app_id, query.wanted, sort=query.sort, offset=query.skip, limit=query.limit
        )
    data = {
        "results": [campaign_view.row(one, call.version) for one in listed],
        "skip": query.skip,
        "limit": query.limit,
        "hasMore": query.skip + len(listed) < total,
        "totalPages": campaign_query.pages(total, query.limit),
        "totalResults": total,
    }
    return envelope.success("Campaign  retrieved successfully", data)  # the vendor's two spaces


async def get(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """One campaign."""
    async with call.db.connection() as conn:
        campaign = await campaigns.get(conn, call.app.app_id, campaign_id)
    return envelope.success(
        f"Campaign {campaign.name} retrieved successfully", campaign_view.whole(campaign, call.version)
    )


async def update(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Replace a campaign that is not Active; what the body leaves out is gone."""
    campaign = await editing.update(call.db, call.app, campaign_id, await call.body(), now=call.now)
    return envelope.success(
        f"Campaign {campaign.name} details updated successfully", campaign_view.whole(campaign, call.version)
    )


async def delete(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Delete a campaign in any status; once this has answered, not one more of its texts leaves."""
    campaign = await runs.delete(call.db, call.app, campaign_id, now=call.now)
    return envelope.success(
        f"Campaign {campaign.name} deleted successfully", campaign_view.deleted(campaign, call.version)
    )


async def start_or_stop(call: auth.Campaigns, campaign_id: CampaignId, trigger: Trigger = None) -> Response:
    """Start or stop a campaign.

    The answer to a stop is a promise: not one more text of the campaign leaves.
    """
    return await _trigger(call, campaign_id, trigger)


async def start_or_stop_2(call: auth.Campaigns, campaign_id: CampaignId, trigger: Trigger = None) -> Response:
    """Start or stop a campaign, by the longer path.

    The vendor prints the stop of version 2 with it; both paths do both.
    """
    return await _trigger(call, campaign_id, trigger)


async def _trigger(call: auth.Call, campaign_id: str, word: str | None) -> Response:
    if not word or word not in _TRIGGERS:
        found = repr(word) if word else "missing"
        raise Invalid(f"trigger is {found}. It takes {', '.join(_TRIGGERS)}", field="trigger")
    act, view = _TRIGGERS[word]
    return envelope.reply(view(await act(call.db, call.app, campaign_id, now=call.now)))


async def status(
    call: auth.Campaigns, campaign_id: CampaignId, view: View = None, page: Page = None, limit: Limit = None
) -> Response:
    """Where a campaign stands.

    In a word (`view=status`), person by person (`view=contacts`), or in the numbers of its present run, which
    always add up (`view=ledger`), in how many people of it are texted by whose zones (`view=zones`), or in how many
    were left out, or failed, for which reason (`view=reasons`): in the words of the preview, to hold against it.
    """
    if view and view not in _VIEWS:
        raise Invalid(f"view is {view!r}. It takes {', '.join(_VIEWS)}", field="view")
    asked = {"page": page, "limit": limit}
    campaign_query.people(asked)  # what is wrong with it is told even where the body or the view makes it useless
    sent = await call.body() if view == "contacts" else {}
    asked_page, asked_limit = campaign_query.people(asked | sent)
    async with call.db.connection() as conn:
        campaign = await campaigns.get(conn, call.app.app_id, campaign_id)
        match view:
            case "contacts":
                data = await _people(conn, campaign, call.now, page=asked_page, limit=asked_limit)
            case "zones":
                standing = await overview.get(conn, call.app.app_id, campaign_id, now=call.now)
                data = campaign_view.zones(campaign, standing.zones)
            case "reasons":
                found = (
                    ()
                    if campaign.run_id is None
                    else await outcomes.count_reasons(conn, campaign.app_id, campaign.run_id)
                )
                data = campaign_view.reasons(campaign, found)
            case "ledger":
                data = campaign_view.ledger(campaign, await _numbers(conn, campaign, call.now))
            case _:
                data = campaign_view.status(campaign)
    return envelope.reply({"status": "success", "data": data})


async def _people(conn: Conn, campaign: Campaign, now: datetime, *, page: int, limit: int) -> dict[str, Any]:
    """A page of the people of the campaign's present run; nobody when it was never started."""
    numbers = await _numbers(conn, campaign, now)
    people: list[messages.Person] = []
    if campaign.run_id is not None:
        people = await messages.page(conn, campaign.app_id, campaign.run_id, offset=(page - 1) * limit, limit=limit)
    return {
        "results": [campaign_view.person(one, now) for one in people],
        "page": page,
        "limit": limit,
        "totalPages": campaign_query.pages(numbers.total, limit),
        "totalResults": numbers.total,
    }


async def _numbers(conn: Conn, campaign: Campaign, now: datetime) -> Ledger:
    """The ledger of the campaign's present run; all zeros when it was never started."""
    if campaign.run_id is None:
        return Ledger()
    return await tallies.read(conn, campaign.app_id, campaign.run_id, now)
