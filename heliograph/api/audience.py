"""Counting a campaign's audience over HTTP; ours. Its path stands in routes.py."""

from __future__ import annotations

from starlette.responses import Response

from heliograph.actions import audience as counting
from heliograph.api import auth, envelope
from heliograph.api.campaigns import CampaignId


async def count(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Count whom a campaign would reach if it were started now, and why it would not reach the others.

    Nobody is texted and nothing is kept. With `filters` in the body it is counted as if the campaign had these.
    """
    done = await counting.count(call.db, call.app, campaign_id, await call.body(), now=call.now)
    data = {"contacts": done.contacts, "reached": done.reached, "leftOut": done.left_out}
    return envelope.success(f"Audience of campaign {done.campaign.name} counted successfully", data)
