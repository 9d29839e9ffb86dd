"""Schedules over HTTP: the vendor's switch, by the campaign's name, and our look at what it set."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import schedules as switching
from heliograph.api import auth, envelope
from heliograph.api.campaigns import CampaignId
from heliograph.api.docs import NEEDED
from heliograph.errors import Invalid
from heliograph.rules import schedule as law
from heliograph.rules import schedule_body
from heliograph.store import campaigns, schedules
from heliograph.store.campaigns import Campaign
from heliograph.store.schedules import Schedule

SHOWN = 5  # starts to come

_SWITCH = {"true": True, "false": False}
Enable = Annotated[
    str | None,
    Query(
        alias="enableSchedule",
        description="`true` to set the schedule in the body, `false` to switch it off.",
        json_schema_extra={"enum": [*_SWITCH], **NEEDED},
    ),
]
Name = Annotated[
    str | None,
    Query(
        alias="campaignName",
        description="The campaign's name, in any case of its letters.",
        examples=["Spring Sale"],
        json_schema_extra={"minLength": 1, **NEEDED},
    ),
]


async def switch(call: auth.Campaigns, enable: Enable = None, name: Name = None) -> Response:
    """Let a campaign start by itself, or by hand only.

    Each start is a new run over the whole audience. While a run is under way the schedule can only be switched off.
    """
    wanted = _SWITCH.get((enable or "").lower())
    if wanted is None:
        found = repr(enable) if enable else "missing"
        raise Invalid(f"enableSchedule is {found}. It takes {' or '.join(_SWITCH)}", field="enableSchedule")
    if not name:
        raise Invalid("campaignName is missing. It takes the name of a campaign of this app", field="campaignName")
    body = await call.body()
    if wanted:
        campaign = await switching.enable(call.db, call.app, name, body, now=call.now)
        return _switched(campaign, f"Campaign {campaign.name} scheduled successfully")
    if body:  # nothing of it is used, but a mistake in it is not passed over
        schedule_body.parse(body, "UTC")
    campaign = await switching.disable(call.db, call.app, name, now=call.now)
    return _switched(campaign, f"Campaign {campaign.name} schedule has been disabled successfully")


async def get(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """When a campaign starts by itself, and what became of its last start."""
    async with call.db.connection() as conn:
        campaign = await campaigns.get(conn, call.app.app_id, campaign_id)
        stored = await schedules.find(conn, call.app.app_id, campaign.campaign_id)
    return envelope.success(f"Schedule of campaign {campaign.name} retrieved successfully", _record(campaign, stored))


def _switched(campaign: Campaign, message: str) -> Response:
    return envelope.reply({"status": "success", "message": message, "id": campaign.public_id})


def _record(campaign: Campaign, stored: Schedule | None) -> dict[str, Any]:
    read = None if stored is None else switching.read(campaign, stored.body)
    last = None if stored is None else stored.last_at
    ends = None if stored is None else stored.ends_at
    return {
        "id": campaign.public_id,
        "name": campaign.name,
        "status": campaign.status.value,
        "isSchedulingEnabled": campaign.scheduled,
        "isRecurrenceEnabled": campaign.recurring,
        "schedule": None if stored is None else stored.body,
        "timezone": None if read is None else read.zone,
        "nextStarts": [] if read is None else _next_starts(campaign, read),
        "endsAt": None if ends is None else envelope.instant(ends),
        "lastStart": None if last is None else envelope.instant(last),
        "lastOutcome": None if stored is None else stored.last_outcome,
        "lastReason": None if stored is None else stored.last_reason,
    }


def _next_starts(campaign: Campaign, schedule: law.Schedule) -> list[str]:
    found: list[str] = []
    moment = campaign.next_start
    while moment is not None and len(found) < SHOWN:
        found.append(envelope.instant(moment))
        moment = law.next_after(schedule, moment)
    return found
