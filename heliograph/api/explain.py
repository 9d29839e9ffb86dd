"""The whole story of a message, a number or a campaign, over HTTP; ours. Its path stands in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import stories
from heliograph.actions.stories import MessageStory
from heliograph.api import auth, envelope
from heliograph.api.dnc_shapes import NUMBER
from heliograph.api.why import record as cause_record
from heliograph.api.why import zones as zones_record
from heliograph.errors import Invalid
from heliograph.rules import why, why_words
from heliograph.rules.message import MessageStatus
from heliograph.store import overview

MessageOf = Annotated[str | None, Query(alias="messageId", description="A message's id, `msg-…`.")]
NumberOf = Annotated[
    str | None,
    Query(
        alias="phoneNumber",
        description="A number; its newest 50 messages are told. (An unescaped `+` may be left out.)",
        examples=[NUMBER],
    ),
]
CampaignOf = Annotated[str | None, Query(alias="campaignId", description="A campaign's id, `cd-…`.")]


async def get(
    call: auth.Campaigns, message: MessageOf = None, number: NumberOf = None, campaign: CampaignOf = None
) -> Response:
    """The whole story of one message, of one number, or of one campaign.

    Of a message: what happened to it, in order. Of a number: whether a campaign would text it now, why not, and its
    messages, the newest first. Of a campaign: why it stands where it stands, and its ledger. Takes exactly one of the
    three.
    """
    given = [value for value in (message, number, campaign) if value]
    if len(given) != 1:
        text = f"{len(given)} of messageId, phoneNumber and campaignId are given. It takes exactly one"
        raise Invalid(text, field="messageId")
    async with call.db.connection() as conn:
        if message:
            found = await stories.of_message(conn, call.app, message, call.now)
            return envelope.success("", {"message": _told(found), "number": None, "campaign": None})
        if number:
            plus = number if number.startswith("+") else f"+{number.strip()}"
            of = await stories.of_number(conn, call.app, plus, call.now)
            data = {
                "phoneNumber": of.number,
                "wouldBeTexted": of.would_be_texted,
                "because": of.because,
                "conversations": of.talks,
                "messages": [_told(each) for each in of.messages],
            }
            return envelope.success("", {"message": None, "number": data, "campaign": None})
        standing = await overview.get(conn, call.app.app_id, campaign or "", now=call.now)
    causes = why.causes(standing.facts, call.now)
    told = {
        "id": standing.public_id,
        "name": standing.name,
        "status": standing.status.value,
        "words": why_words.plain(why_words.tell(causes), call.now),
        "causes": [cause_record(cause, call.now) for cause in causes],
        "zones": zones_record(standing.zones),
        "ledger": {
            "total": standing.ledger.total,
            **{member.word: getattr(standing.ledger, member.word) for member in MessageStatus},
        },
    }
    return envelope.success("", {"message": None, "number": None, "campaign": told})


def _told(one: MessageStory) -> dict[str, object]:
    return {
        "messageId": one.message_id,
        "phoneNumber": one.message.number,
        "campaignId": one.message.campaign_public_id,
        "campaignName": one.message.campaign_name,
        "campaignInstanceId": one.message.run_public_id,
        "text": one.message.text,
        "parts": one.message.parts,
        "status": one.status,
        "statusDetail": one.why,
        "events": [
            {
                "at": None if event.at is None else envelope.instant(event.at),
                "what": event.what.value,
                "words": event.words,
            }
            for event in one.events
        ],
    }
