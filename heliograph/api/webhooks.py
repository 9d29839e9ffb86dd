"""Webhooks over HTTP; ours. Their paths stand in routes.py."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import webhooks as keeping
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.contacts import MAX_SKIP, Limit, Skip
from heliograph.api.webhook_shapes import EVENT_ID, WEBHOOK_ID
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import webhook
from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks
from heliograph.store.webhook_deliveries import Delivery, Tried
from heliograph.store.webhooks import Webhook

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
STATES = ("waiting", "delivered", "failed")

WebhookId = Annotated[str, Path(alias="webhookId", description="The webhook's id, `wh-…`.", examples=[WEBHOOK_ID])]
EventId = Annotated[str, Path(alias="eventId", description="The event's id, `ev-…`.", examples=[EVENT_ID])]
State = Annotated[str | None, Query(description="Only these.", json_schema_extra={"enum": list(STATES)})]


async def create(call: auth.Campaigns) -> Response:
    """Have a server of yours told what happens. The answer has the secret that signs it, this once.

    Each event is POSTed as JSON (`type`, `timestamp`, `appId`, `data`) with the headers of Standard Webhooks:
    `webhook-id`, the same each time it is tried; `webhook-timestamp`; `webhook-signature`. Any 2xx takes it; anything
    else is tried again for a day, less and less often.
    """
    seal = auth.house(call.request).seal
    made, secret = await keeping.create(call.db, seal, call.app, await call.body(), now=call.now)
    return envelope.success("Webhook created successfully", record(made) | {"secret": secret})


async def list_all(call: auth.Campaigns) -> Response:
    """The app's webhooks, the oldest first."""
    async with call.db.connection() as conn:
        found = await webhooks.list_all(conn, call.app.app_id)
    return envelope.success("Webhooks retrieved successfully", [record(one) for one in found])


async def events(call: auth.Campaigns) -> Response:
    """The events that there are."""
    _ = call
    found = [{"event": event.value, "means": means} for event, means in webhook.MEANS.items()]
    return envelope.success("Events retrieved successfully", found)


async def get(call: auth.Campaigns, webhook_id: WebhookId) -> Response:
    """One webhook."""
    async with call.db.connection() as conn:
        found = await webhooks.get(conn, call.app.app_id, webhook_id)
    return envelope.success("Webhook retrieved successfully", record(found))


async def update(call: auth.Campaigns, webhook_id: WebhookId) -> Response:
    """Change a webhook; what is left out stays. One that was switched off by itself is switched on with `enabled`."""
    after = await keeping.update(call.db, call.app, webhook_id, await call.body(), now=call.now)
    return envelope.success("Webhook updated successfully", record(after))


async def delete(call: auth.Campaigns, webhook_id: WebhookId) -> Response:
    """Delete a webhook, with what it was still to be told."""
    gone = await keeping.delete(call.db, call.app, webhook_id)
    return envelope.success("Webhook deleted successfully", record(gone))


async def new_secret(call: auth.Campaigns, webhook_id: WebhookId) -> Response:
    """Give a webhook another secret, shown this once. For 24 hours the one before signs beside it."""
    seal = auth.house(call.request).seal
    after, secret = await keeping.new_secret(call.db, seal, call.app, webhook_id, now=call.now)
    return envelope.success("The new secret signs from now on", record(after) | {"secret": secret})


async def test(call: auth.Campaigns, webhook_id: WebhookId) -> Response:
    """Have it told of `webhook.test`; its deliveries say what came of it."""
    event_id = await keeping.test(call.db, call.app, webhook_id, now=call.now)
    return envelope.success("The test is on its way", {"eventId": event_id})


async def log(  # a parameter is a query value
    call: auth.Campaigns, webhook_id: WebhookId, *, skip: Skip = None, limit: Limit = None, state: State = None
) -> Response:
    """What it was told in the last seven days, the newest first, with every try."""
    whole = campaign_query.whole_number
    passed = whole(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = whole(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    if state and state not in STATES:
        raise Invalid(f"state is {reading.shown(state)}. It takes one of: {', '.join(STATES)}", field="state")
    app_id = call.app.app_id
    tries: defaultdict[int, list[Tried]] = defaultdict(list)
    async with call.db.connection() as conn:
        found = await webhooks.get(conn, app_id, webhook_id)
        page = await deliveries.page(conn, app_id, found.webhook_id, state=state or None, skip=passed, limit=most + 1)
        shown = page[:most]
        for one in await deliveries.tries_of(conn, app_id, found.webhook_id, [each.delivery_id for each in shown]):
            tries[one.delivery_id].append(one)
    data = {
        "results": [delivery_record(each, tries[each.delivery_id]) for each in shown],
        "skip": passed,
        "limit": most,
        "hasMore": len(page) > most,
    }
    return envelope.success("Deliveries retrieved successfully", data)


async def redeliver(call: auth.Campaigns, webhook_id: WebhookId, event_id: EventId) -> Response:
    """Tell it of an event once more, with the id it had."""
    again = await keeping.redeliver(call.db, call.app, webhook_id, event_id, now=call.now)
    return envelope.success("It is told once more", {"eventId": again.event_id})


def record(found: Webhook) -> dict[str, object]:
    """A webhook as the API tells it: without its secret."""
    return {
        "_id": found.public_id,
        "url": found.url,
        "description": found.description,
        "events": found.events,
        "enabled": found.enabled,
        "disabledReason": found.disabled_reason,
        "failingSince": None if found.failing_since is None else envelope.instant(found.failing_since),
        "createdAt": envelope.instant(found.created_at),
        "updatedAt": envelope.instant(found.updated_at),
    }


def delivery_record(found: Delivery, tries: list[Tried]) -> dict[str, object]:
    """A delivery as the API tells it."""
    return {
        "eventId": found.event_id,
        "event": found.event,
        "state": found.state,
        "createdAt": envelope.instant(found.created_at),
        "nextAt": None if found.next_at is None else envelope.instant(found.next_at),
        "data": json.loads(found.data),
        "tries": [
            {"at": envelope.instant(one.at), "ms": one.ms, "status": one.status, "words": one.words} for one in tries
        ],
    }
