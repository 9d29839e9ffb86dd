"""Messages whose fate is unknown, over HTTP; ours, as the vendor has no word for them. Their paths stand in routes.py.

Nothing of it is sent again by itself. Each decision is kept with who made it, when and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import asking, unknowns
from heliograph.actions.unknowns import By, Choice, Decided
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.contacts import Limit, Skip
from heliograph.api.shapes import CAMPAIGN_ID
from heliograph.rules import ids, wording
from heliograph.rules import unknown as law
from heliograph.store import unknowns as store
from heliograph.store.unknowns import Unknown

DEFAULT_LIMIT = 50

CampaignOf = Annotated[
    str | None, Query(alias="campaignId", description="Only those of this campaign.", examples=[CAMPAIGN_ID])
]
RunOf = Annotated[str | None, Query(alias="campaignInstanceId", description="Only those of this run.")]
SenderOf = Annotated[str | None, Query(alias="senderId", description="Only those of this sender, by id or address.")]


async def list_page(  # a parameter is a query value
    call: auth.Campaigns,
    *,
    skip: Skip = None,
    limit: Limit = None,
    campaign: CampaignOf = None,
    run: RunOf = None,
    sender: SenderOf = None,
) -> Response:
    """The messages whose fate is unknown, a page at a time, those of the oldest run first.

    A crash or a silent carrier left open whether they arrived. None is sent again by itself.
    """
    number = campaign_query.whole_number
    passed = number(skip, "skip", default=0, least=0, most=campaign_query.MAX_SKIP)
    most = number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=campaign_query.MAX_LIMIT)
    chosen = Choice(campaign=campaign or None, run=run or None, sender=sender or None)
    async with call.db.connection() as conn:
        wanted = await unknowns.wanted(conn, call.app, chosen)
        total = await store.count(conn, call.app.app_id, wanted)
        page = await store.page(conn, call.app.app_id, wanted, offset=passed, limit=most)
    data = campaign_query.page([_record(one, call) for one in page], passed, most, total)
    return envelope.success("Unknown messages retrieved successfully", data)


async def ask(call: auth.Campaigns) -> Response:
    """Ask the carriers what became of unknown messages.

    What they know settles them. Whoever the carrier certainly never got waits for their turn again while the run is
    under way; else they stay listed with that finding. Carriers that can answer are also asked by ourselves, unless
    the app's setting `unknownAsk` is off.
    """
    here = auth.house(call.request)
    chosen, by = _choice(call, await call.body())
    done = await asking.ask(
        call.db,
        here.seal,
        call.app,
        chosen,
        by,
        transcript=here.settings.transcript,
        networks=here.settings.carrier_private_networks,
    )
    data = {
        "findings": {finding: done.findings[finding] for finding in asking.FINDINGS},
        "notAsked": [{"carrierAccountName": name, "reason": why} for name, why in done.silent.items()],
        "left": done.left,
    }
    return envelope.success(f"Carriers asked about {wording.counted(done.findings.total(), 'message')}", data)


async def wait(call: auth.Campaigns) -> Response:
    """Wait for a receipt until a time. Messages of which none has come by then are listed as overdue."""
    body = await call.body()
    until = law.until(body.get("until"), call.now)
    chosen, by = _choice(call, body)
    done = await unknowns.wait(call.db, call.app, chosen, by, until=until)
    told = f"{wording.counted(len(done.messages), 'message')} waiting until {envelope.instant(until)}"
    return envelope.success(told, _decided(done))


async def accept(call: auth.Campaigns) -> Response:
    """Take unknown messages for sent. They are accepted from then on, with the reason that a person said so."""
    chosen, by = _choice(call, await call.body())
    done = await unknowns.accept(call.db, call.app, chosen, by)
    return envelope.success(f"{wording.counted(len(done.messages), 'message')} taken for sent", _decided(done))


async def resend(call: auth.Campaigns) -> Response:
    """Send unknown messages again. It may be a second text to these people.

    Each gets a new message: in its run while that is under way, else in a new run of the campaign, which is Active
    then. Calling hours and do-not-contact lists count as ever; the old message stays as history.
    """
    chosen, by = _choice(call, await call.body())
    done = await unknowns.resend(call.db, call.app, chosen, by)
    pairs = zip(done.messages, done.new_ids, strict=True)
    data = {
        "messages": [{"messageId": _id(one), "newMessageId": new_id} for one, new_id in pairs],
        "secondTexts": done.second_texts,
        "left": done.left,
    }
    return envelope.success(done.words, data)


def _choice(call: auth.Call, body: Mapping[str, object]) -> tuple[Choice, By]:
    return unknowns.choice(body), By(call.client_id, call.now, law.note(body.get("note")))


def _decided(done: Decided) -> dict[str, object]:
    return {"messageIds": [_id(one) for one in done.messages], "left": done.left}


def _id(one: Unknown) -> str:
    return ids.message_id(one.run_public_id, one.seq)


def _record(one: Unknown, call: auth.Call) -> dict[str, object]:
    return {
        "messageId": _id(one),
        "phoneNumber": one.number,
        "campaignId": one.campaign_public_id,
        "campaignName": one.campaign_name,
        "campaignInstanceId": one.run_public_id,
        "runEnded": one.run_ended,
        "sender": one.address,
        "carrierAccountId": one.account_public_id,
        "carrierAccountName": one.account_name,
        "reason": one.reason,
        "since": envelope.instant(one.since),
        "submittedAt": None if one.submitted_at is None else envelope.instant(one.submitted_at),
        "reference": None,
        "finding": one.finding,
        "decision": _last(one, call),
    }


def _last(one: Unknown, call: auth.Call) -> dict[str, object] | None:
    if one.decision is None or one.decided_at is None:
        return None
    return {
        "kind": one.decision,
        "by": one.decided_by,
        "at": envelope.instant(one.decided_at),
        "note": one.note,
        "until": None if one.until is None else envelope.instant(one.until),
        "overdue": one.overdue(call.now),
    }
