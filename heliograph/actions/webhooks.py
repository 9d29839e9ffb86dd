"""Webhooks: having other systems told what happens here, and what they are told. The telling is in
:mod:`heliograph.actions.webhook_posts`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict
from heliograph.rules import ids, webhook, webhook_body
from heliograph.rules.pull import plain_url
from heliograph.store import apps, bell, webhooks
from heliograph.store import webhook_deliveries as deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.actions.seal import Seal
    from heliograph.rules.webhook import Event, Told
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn, Database
    from heliograph.store.opt_outs import OptOut
    from heliograph.store.webhooks import Webhook

MOST = 50  # of an app


async def emit(conn: Conn, app_id: int, event: Event, data: Mapping[str, object], *, now: datetime) -> None:
    """Have those who listen told of something, if and only if the caller's transaction is committed."""
    await emit_all(conn, app_id, [webhook.Told(event, data)], now=now)


async def emit_all(conn: Conn, app_id: int, told: Sequence[Told], *, now: datetime) -> None:
    """As :func:`emit`, of several things, in this order."""
    if not told:
        return
    rows = [(ids.new("ev"), str(each.event), webhook.written(each.data)) for each in told]
    if await deliveries.add(conn, app_id, rows, now=now):
        await bell.ring(conn, bell.WEBHOOKS)


async def campaign(conn: Conn, found: Campaign, event: Event, *, now: datetime, run_id: str | None = None) -> None:
    """Have those who listen told what became of a campaign. ``run_id``: of its run, where that is another by now."""
    data = {"campaignId": found.public_id, "name": found.name, "runId": run_id or found.run_public_id}
    await emit(conn, found.app_id, event, data, now=now)


async def opted_out(conn: Conn, app_id: int, rows: Iterable[OptOut], *, now: datetime) -> None:
    """Have those who listen told who said no; of those who perhaps did, nothing."""
    told = [
        webhook.Told(
            webhook.Event.OPT_OUT_RECORDED,
            {"number": row.number, "address": row.address or None, "source": row.source, "reason": row.reason},
        )
        for row in rows
        if row.kind == "no"
    ]
    await emit_all(conn, app_id, told, now=now)


async def create(db: Database, seal: Seal, app: App, body: object, *, now: datetime) -> tuple[Webhook, str]:
    """A new webhook, and the secret that signs what it is told: shown this once.

    Raises :class:`~heliograph.errors.Invalid`, and Conflict when the app has as many as it may.
    """
    wanted = webhook_body.draft(body)
    public_id, secret = ids.new("wh"), _new_secret()
    async with db.transaction() as conn:
        await apps.hold(conn, app.app_id)
        there = len(await webhooks.list_all(conn, app.app_id))
        if there >= MOST:
            raise Conflict(f"There are {there} webhooks, and an app has at most {MOST}; delete one")
        made = await webhooks.insert(
            conn,
            app.app_id,
            public_id=public_id,
            url=wanted.url,
            description=wanted.description,
            events=wanted.events,
            enabled=wanted.enabled,
            secret_sealed=seal.seal(secret, owner=public_id),
            now=now,
        )
        audit.tell(f"Made a webhook to {plain_url(wanted.url)}: {', '.join(wanted.events)}", object=public_id)
    return made, secret


async def update(db: Database, app: App, public_id: str, body: object, *, now: datetime) -> Webhook:
    """Change what the body names. Switched on again, it is told what waited for it, and of what comes from now on.

    Raises Invalid, NotFound.
    """
    async with db.transaction() as conn:
        before = await webhooks.lock(conn, app.app_id, public_id)
        was = webhook_body.Wanted(before.url, before.description, tuple(before.events), before.enabled)
        wanted = webhook_body.changes(was, body)
        after = await webhooks.update(
            conn,
            app.app_id,
            before.webhook_id,
            url=wanted.url,
            description=wanted.description,
            events=wanted.events,
            enabled=wanted.enabled,
            now=now,
        )
        await bell.ring(conn, bell.WEBHOOKS)
        did = "Changed" if after.enabled == before.enabled else "Switched on" if after.enabled else "Paused"
        audit.tell(f"{did} the webhook to {plain_url(after.url)}", object=public_id)
    return after


async def delete(db: Database, app: App, public_id: str) -> Webhook:
    """Delete a webhook, and what it was to be told. Raises NotFound."""
    async with db.transaction() as conn:
        found = await webhooks.lock(conn, app.app_id, public_id)
        await webhooks.delete(conn, app.app_id, found.webhook_id)
        audit.tell(f"Deleted the webhook to {plain_url(found.url)}", object=public_id)
    return found


async def new_secret(db: Database, seal: Seal, app: App, public_id: str, *, now: datetime) -> tuple[Webhook, str]:
    """Another secret, shown this once; the one before signs beside it for a day more. Raises NotFound."""
    secret = _new_secret()
    async with db.transaction() as conn:
        before = await webhooks.lock(conn, app.app_id, public_id)
        after = await webhooks.set_secret(
            conn,
            app.app_id,
            before.webhook_id,
            seal.seal(secret, owner=before.public_id),
            until=now + webhook.TWO_SECRETS,
            now=now,
        )
        audit.tell(f"Gave the webhook to {plain_url(after.url)} a new secret", object=public_id)
    return after, secret


async def test(db: Database, app: App, public_id: str, *, now: datetime) -> str:
    """Have it told that this is a test; answers the event's id. Raises NotFound, and Conflict when it is off."""
    async with db.transaction() as conn:
        found = await _on(conn, app, public_id)
        event_id = ids.new("ev")
        data = webhook.written({"webhookId": found.public_id, "text": "This is a test."})
        await deliveries.add_one(
            conn, app.app_id, found.webhook_id, event_id=event_id, event=webhook.TEST, data=data, now=now
        )
        await bell.ring(conn, bell.WEBHOOKS)
        audit.tell(f"Sent a test to the webhook to {plain_url(found.url)}", object=public_id)
    return event_id


async def redeliver(db: Database, app: App, public_id: str, event_id: str, *, now: datetime) -> deliveries.Delivery:
    """Tell it of something once more, with the id it had. Raises NotFound, and Conflict when it is off."""
    async with db.transaction() as conn:
        found = await _on(conn, app, public_id)
        again = await deliveries.again(conn, app.app_id, found.webhook_id, event_id, now=now)
        audit.tell(f"Had the webhook to {plain_url(found.url)} told of {again.event} once more", object=public_id)
        await bell.ring(conn, bell.WEBHOOKS)
    return again


async def _on(conn: Conn, app: App, public_id: str) -> Webhook:
    found = await webhooks.lock(conn, app.app_id, public_id)
    if not found.enabled:
        raise Conflict("This webhook is switched off; switch it on first (enabled)", field="enabled")
    return found


def _new_secret() -> str:
    return webhook.secret_of(os.urandom(webhook.SECRET_BYTES))
