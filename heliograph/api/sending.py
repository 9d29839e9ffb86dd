"""Texts out of turn over HTTP: one to one person, another time for somebody, a run over those who failed."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import reruns, retimes, singles
from heliograph.api import auth, campaign_view, envelope
from heliograph.api.campaigns import CampaignId
from heliograph.errors import Invalid
from heliograph.rules import body as reading

RunId = Annotated[
    str,
    Path(
        alias="campaignInstanceId",
        description="The run's id, `cid-…`.",
        examples=["cid-3aefda80-f98e-4f4f-ad41-92803abb0000"],
    ),
]
TRIGGERED = "Triggered the configured Experience flow to deliver message via SMS channel"


async def outbound_sms(call: auth.OutboundSms) -> Response:
    """Send one text to one number.

    It leaves before the texts of every campaign. `message` is our addition; without it the opening of a
    conversation is sent. The answer's header `Message-Id` names the text.
    """
    message_id = await singles.send(call.db, call.app, await call.body(), now=call.now)
    return envelope.reply({"message": TRIGGERED}, headers={"Message-Id": message_id})


async def call_contact_at(call: auth.Campaigns, run_id: RunId) -> Response:
    """Give people of a run another time to be texted at.

    Each is named by a message id (`msg-…`), a contact id (`cc-…`) or a number. Only somebody who still waits can be
    given another time; calling hours count at that time too.
    """
    wishes = await envelope.json_value(call.request)
    done = await retimes.call_contacts_at(call.db, call.app, run_id, wishes, now=call.now)
    return envelope.reply({"status": "success", "data": [_retimed(each) for each in done]})


async def retry(call: auth.Campaigns, campaign_id: CampaignId) -> Response:
    """Start a run over those of an earlier run with whom it failed.

    Never over anyone accepted, delivered or unknown. Without `campaignInstanceId` the last run is meant, without
    `classes` those whom the carrier refused (`failed`); `expired` are those a stop left unsent.
    """
    body = await call.body()
    run_id = body.get("campaignInstanceId")
    classes = body.get("classes", ["failed"])
    if run_id is not None:
        run_id = reading.text(run_id, "campaignInstanceId", longest=100)
    if not isinstance(classes, list):
        raise Invalid(f"classes is {reading.shown(classes)}. It takes an array of words", field="classes")
    words = [reading.text(word, "classes", longest=20) for word in cast("list[object]", classes)]
    campaign = await reruns.retry(call.db, call.app, campaign_id, run_id=run_id, classes=words, now=call.now)
    return envelope.reply(campaign_view.started(campaign) | {"campaignInstanceId": campaign.run_public_id})


def _retimed(each: retimes.Retimed) -> dict[str, str]:
    answer = {"campaignDialingListId": each.person, "status": "failed" if each.reason else "success"}
    return answer | ({"reason": each.reason} if each.reason else {})
