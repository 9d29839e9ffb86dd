"""Launch previews over HTTP; ours. Their path stands in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import previews
from heliograph.api import auth, envelope
from heliograph.api.campaigns import CampaignId

Exact = Annotated[bool, Query(description="Look at everybody, however many there are: it may take a minute.")]


async def get(call: auth.Campaigns, campaign_id: CampaignId, exact: Exact = False) -> Response:  # noqa: FBT002
    """What playing a campaign now would do: who gets a text, who does not and why, parts, cost, and when it ends.

    Nobody is texted and nothing is kept. A run that is started at the same moment does exactly this when `exact` is
    true in the answer. It is, unless more than 1,000,000 people get words of their own: then one in so many is looked
    at, unless `exact=true` is asked for.
    """
    shown = await previews.show(call.db, call.app, campaign_id, now=call.now, exact=exact)
    return envelope.success(f"Preview of campaign {shown.campaign.name}", previews.facts(shown, envelope.instant))
