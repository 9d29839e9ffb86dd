"""Why a campaign stands where it stands, over HTTP; ours. Its path stands in routes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from heliograph.api import auth, envelope
from heliograph.api.campaigns import CampaignId
from heliograph.rules import why, why_words
from heliograph.store import overview

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.timing import Counted
    from heliograph.rules.why import Cause


async def get(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Why a campaign is not moving, or how it does, and when that clears.

    `causes` are in order, the main one first. `words` say in a sentence what `kind`, `until`, `people` and `zone` say
    for machines.
    """
    async with call.db.connection() as conn:
        standing = await overview.get(conn, call.app.app_id, campaign_id, now=call.now)
    causes = why.causes(standing.facts, call.now)
    data = {
        "id": standing.public_id,
        "name": standing.name,
        "status": standing.status.value,
        "words": why_words.plain(why_words.tell(causes), call.now),
        "causes": [record(cause, call.now) for cause in causes],
        "zones": zones(standing.zones),
    }
    return envelope.success("", data)


def zones(counted: Counted) -> dict[str, object]:
    """By whose zones people are texted, as JSON."""
    return {
        "byContact": counted.by_contact,
        "byNumber": counted.by_number,
        "byCampaign": counted.by_campaign,
        "transactional": counted.exempt,
    }


def record(cause: Cause, now: datetime) -> dict[str, object]:
    """A cause as JSON."""
    return {
        "kind": cause.kind.value,
        "until": None if cause.until is None else envelope.instant(cause.until),
        "zone": cause.zone,
        "people": cause.people,
        "since": None if cause.since is None else envelope.instant(cause.since),
        "detail": cause.detail,
        "words": why_words.sentence(cause, now),
    }
