"""Webhooks: what happens is told, signed, at least once each, with one id however often."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web

from heliograph.actions import access, webhook_posts, webhooks
from heliograph.actions import seal as seals
from heliograph.config import Settings, environment
from heliograph.engine.worker import Worker
from heliograph.errors import Conflict, NotFound
from heliograph.rules import webhook
from heliograph.rules.webhook import Event
from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks as rows
from heliograph.store.apps import App
from heliograph.store.database import Database
from heliograph.store.webhook_deliveries import Delivery, Tried
from heliograph.store.webhooks import Webhook
from tests import customer
from tests.conftest import FrozenClock
from tests.customer import Asked, CustomerApi
from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

COMMAND = [sys.executable, "-c", "from heliograph.cli.main import main; main()", "work"]
TAKEN = {"ok": True}


@dataclass
class Desk:
    """An app, somebody who wants to be told, and where."""

    db: Database
    settings: Settings
    clock: FrozenClock
    app: App
    api: CustomerApi

    async def webhook(self, *events: str) -> tuple[Webhook, str]:
        body = {"url": self.api.url("/hook"), "events": list(events or ["*"])}
        seal = seals.from_settings(self.settings)
        return await webhooks.create(self.db, seal, self.app, body, now=self.clock())

    async def happen(self, event: Event = Event.CAMPAIGN_STARTED, **data: object) -> None:
        async with self.db.transaction() as conn:
            await webhooks.emit(conn, self.app.app_id, event, data, now=self.clock())

    async def tell(self, target: Webhook) -> int:
        """One round, as a worker does it."""
        return await webhook_posts.deliver(
            self.db,
            seals.from_settings(self.settings),
            self.app.app_id,
            target.webhook_id,
            allowed=self.settings.webhook_private_networks,
            clock=self.clock,
        )

    async def again(self, target: Webhook) -> Webhook:
        async with self.db.connection() as conn:
            return await rows.get(conn, self.app.app_id, target.public_id)

    async def log(self, target: Webhook) -> list[tuple[Delivery, list[Tried]]]:
        async with self.db.connection() as conn:
            page = await deliveries.page(conn, self.app.app_id, target.webhook_id, state=None, skip=0, limit=100)
            ids = [each.delivery_id for each in page]
            tries = await deliveries.tries_of(conn, self.app.app_id, target.webhook_id, ids)
        return [(each, [one for one in tries if one.delivery_id == each.delivery_id]) for each in page]


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> AsyncIterator[Desk]:
    settings = replace(settings, webhook_private_networks=(ip_network(customer.HERE),))
    made = await access.create_app(db, seals.from_settings(settings), name="A", now=clock())
    async with customer.serve() as api:
        api.answers["/hook"] = TAKEN
        yield Desk(db, settings, clock, made.app, api)


def header(asked: Asked, name: str) -> str:
    return next(value for key, value in asked.headers.items() if key.lower() == name)


def signed_by(asked: Asked, secret: str) -> bool:
    told = webhook.signature(
        secret, header(asked, "webhook-id"), int(header(asked, "webhook-timestamp")), asked.body.decode()
    )
    return told in header(asked, "webhook-signature").split(" ")


async def test_what_happens_is_told_signed_and_written_down(desk: Desk) -> None:
    target, secret = await desk.webhook("campaign.started")
    await desk.happen(campaignId="cd-1")
    await desk.happen(Event.CAMPAIGN_PAUSED, campaignId="cd-1")
    assert await desk.tell(target) == 1
    [asked] = desk.api.asked
    assert signed_by(asked, secret)
    assert asked.method == "POST"
    assert json.loads(asked.body) == {
        "type": "campaign.started",
        "timestamp": "2026-03-02T06:00:00.000Z",
        "appId": desk.app.public_id,
        "data": {"campaignId": "cd-1"},
    }
    [(delivery, [tried])] = await desk.log(target)
    assert (delivery.event_id, delivery.state, delivery.next_at) == (header(asked, "webhook-id"), "delivered", None)
    assert (tried.status, tried.words) == (200, '{"ok": true}')
    assert await desk.tell(target) == 0


async def test_where_nobody_listens_nothing_is_kept(desk: Desk) -> None:
    await desk.happen()
    target, _ = await desk.webhook("reply.received")
    await webhooks.update(desk.db, desk.app, target.public_id, {"enabled": False}, now=desk.clock())
    await desk.happen(Event.REPLY_RECEIVED)
    assert await desk.log(target) == []


async def test_what_is_undone_is_not_told(desk: Desk) -> None:
    target, _ = await desk.webhook()

    async def undone() -> None:
        async with desk.db.transaction() as conn:
            await webhooks.emit(conn, desk.app.app_id, Event.CAMPAIGN_STARTED, {}, now=desk.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await desk.tell(target) == 0


async def test_a_failure_is_tried_again_with_the_same_id_until_it_is_taken(desk: Desk) -> None:
    target, secret = await desk.webhook()
    desk.api.answers["/hook"] = web.Response(status=503, text="busy")
    await desk.happen()
    assert await desk.tell(target) == 1
    assert await desk.tell(target) == 0  # not yet
    desk.clock.advance(6)
    desk.api.answers["/hook"] = web.Response(status=302, headers={"Location": "/elsewhere"})
    assert await desk.tell(target) == 1
    assert (await desk.again(target)).failing_since == desk.clock() - timedelta(seconds=6)
    desk.clock.advance(40)
    desk.api.answers["/hook"] = TAKEN
    assert await desk.tell(target) == 1
    [(delivery, tries)] = await desk.log(target)
    assert delivery.state == "delivered"
    assert [one.status for one in tries] == [503, 302, 200]
    assert tries[0].words == "busy"
    assert len({header(asked, "webhook-id") for asked in desk.api.asked}) == 1
    assert len({asked.body for asked in desk.api.asked}) == 1
    assert len({header(asked, "webhook-timestamp") for asked in desk.api.asked}) == 3
    assert all(signed_by(asked, secret) for asked in desk.api.asked)
    assert (await desk.again(target)).failing_since is None


async def test_after_a_day_it_is_given_up_and_can_be_told_again_by_hand(desk: Desk) -> None:
    target, _ = await desk.webhook()
    desk.api.answers["/hook"] = web.Response(status=500)
    await desk.happen()
    rounds = 0
    while await desk.tell(target):
        rounds += 1
        [(delivery, _)] = await desk.log(target)
        desk.clock.set(delivery.next_at or desk.clock())
    assert rounds == len(webhook.WAITS) + 1
    [(delivery, _)] = await desk.log(target)
    assert (delivery.state, delivery.next_at) == ("failed", None)
    desk.api.answers["/hook"] = TAKEN
    await webhooks.redeliver(desk.db, desk.app, target.public_id, delivery.event_id, now=desk.clock())
    assert await desk.tell(target) == 1
    [(after, tries)] = await desk.log(target)
    assert (after.state, after.event_id, len(tries)) == ("delivered", delivery.event_id, rounds + 1)


async def test_one_that_takes_nothing_for_days_is_switched_off_with_the_reason(desk: Desk) -> None:
    target, _ = await desk.webhook()
    desk.api.answers["/hook"] = web.Response(status=500)
    await desk.happen()
    await desk.tell(target)
    desk.clock.advance(3 * 24 * 3600)
    await desk.happen()
    await desk.tell(target)
    after = await desk.again(target)
    assert not after.enabled
    assert after.disabled_reason == "Nothing has arrived since 2026-03-02 06:00 UTC; at last: answered 500"
    assert await desk.tell(target) == 0
    with pytest.raises(Conflict):
        await webhooks.test(desk.db, desk.app, target.public_id, now=desk.clock())
    desk.api.answers["/hook"] = TAKEN
    on = await webhooks.update(desk.db, desk.app, target.public_id, {"enabled": True}, now=desk.clock())
    assert (on.disabled_reason, on.failing_since) == (None, None)
    desk.clock.advance(3600)
    assert await desk.tell(target) == 2


async def test_one_that_says_it_is_gone_is_switched_off(desk: Desk) -> None:
    target, _ = await desk.webhook()
    desk.api.answers["/hook"] = web.Response(status=410)
    await desk.happen()
    await desk.tell(target)
    assert "410 Gone" in ((await desk.again(target)).disabled_reason or "")


async def test_it_never_goes_where_a_customer_has_no_business(desk: Desk) -> None:
    target, _ = await desk.webhook()
    desk.settings = replace(desk.settings, webhook_private_networks=())
    await desk.happen()
    await desk.tell(target)
    assert desk.api.asked == []
    [(_, [tried])] = await desk.log(target)
    assert tried.status is None
    assert "webhooks may not reach (loopback)" in tried.words
    assert "HELIOGRAPH_WEBHOOK_PRIVATE_NETWORKS" in tried.words


async def test_for_a_day_the_old_secret_signs_beside_the_new_one(desk: Desk) -> None:
    target, old = await desk.webhook()
    seal = seals.from_settings(desk.settings)
    _, new = await webhooks.new_secret(desk.db, seal, desk.app, target.public_id, now=desk.clock())
    assert new != old
    await desk.happen()
    await desk.tell(target)
    desk.clock.advance(24 * 3600)
    await desk.happen()
    await desk.tell(target)
    first, second = desk.api.asked
    assert [signed_by(first, each) for each in (old, new)] == [True, True]
    assert [signed_by(second, each) for each in (old, new)] == [False, True]


async def test_another_app_hears_nothing_of_it(desk: Desk) -> None:
    target, _ = await desk.webhook()
    seal = seals.from_settings(desk.settings)
    other = (await access.create_app(desk.db, seal, name="B", now=desk.clock())).app
    async with desk.db.transaction() as conn:
        await webhooks.emit(conn, other.app_id, Event.CAMPAIGN_STARTED, {}, now=desk.clock())
    assert await desk.tell(target) == 0
    with pytest.raises(NotFound):
        await webhooks.delete(desk.db, other, target.public_id)


async def test_after_a_week_it_is_forgotten_and_with_the_webhook_at_once(desk: Desk) -> None:
    target, _ = await desk.webhook()
    await desk.happen()
    await desk.tell(target)
    async with desk.db.connection() as conn:
        assert await deliveries.forget(conn, before=desk.clock()) == 0
        assert await deliveries.forget(conn, before=desk.clock() + timedelta(seconds=1)) == 1
    await desk.happen()
    await webhooks.delete(desk.db, desk.app, target.public_id)
    async with desk.db.connection() as conn:
        assert await (await conn.execute("SELECT count(*) FROM webhook_delivery")).fetchone() == (0,)


# ---------------------------------------------------------------- workers


async def until(desk: Desk, target: Webhook, count: int, state: str = "delivered") -> None:
    async with asyncio.timeout(30):
        while sum(each.state == state for each, _ in await desk.log(target)) < count:
            await asyncio.sleep(0.02)


async def test_of_two_workers_one_tells_each_event_once(desk: Desk) -> None:
    target, _ = await desk.webhook()
    workers = [Worker(desk.settings, desk.db, desk.clock) for _ in range(2)]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    for worker in workers:
        await worker.ready.wait()
    for n in range(40):
        await desk.happen(n=n)
    await until(desk, target, 40)
    for worker in workers:
        worker.stop()
    await asyncio.gather(*tasks)
    assert sorted(json.loads(asked.body)["data"]["n"] for asked in desk.api.asked) == list(range(40))


async def test_what_a_killed_worker_was_telling_is_told_again_with_the_same_id(desk: Desk) -> None:
    """The other side has it; that it has was not written down. So it comes twice, and can be known by its id."""
    here = asyncio.Event()
    desk.clock.set(datetime.now(UTC))  # the other process goes by the system's

    async def hold(_request: web.Request) -> web.Response:
        here.set()
        await asyncio.sleep(60)
        return web.json_response(TAKEN)

    target, _ = await desk.webhook()
    desk.api.answers["/hook"] = hold
    await desk.happen(n=1)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=environment(desk.settings), stdin=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            await here.wait()
    finally:
        process.kill()
        await process.wait()
    desk.api.answers["/hook"] = TAKEN
    worker = Worker(desk.settings, desk.db, desk.clock)
    task = asyncio.create_task(worker.run())
    await until(desk, target, 1)
    worker.stop()
    await task
    first, second = desk.api.asked
    assert header(first, "webhook-id") == header(second, "webhook-id")
    assert first.body == second.body


async def test_texts_are_told_of_by_name_only_in_bulk_each_status_once(world: World) -> None:
    """Delivered and failed, by receipts and by refusals: exactly those that the ledger counts, once each."""
    seal = seals.from_settings(world.settings)
    at = {"url": "http://192.0.2.10/hook"}
    both = at | {"events": ["*", "message.delivered", "message.failed"]}
    named, _ = await webhooks.create(world.db, seal, world.app, both, now=world.clock())
    everything, _ = await webhooks.create(world.db, seal, world.app, at | {"events": ["*"]}, now=world.clock())
    assert named.events == ["*", "message.delivered", "message.failed"]
    await world.sandbox(refuse=0.2, receipt_failed=0.3, receipt_duplicate=0.5, latency_ms=[1, 2], receipt_ms=[1, 200])
    await world.add_numbers("People", 0, 250)
    campaign = await world.campaign("Told", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.until(playing)
        async with asyncio.timeout(60):
            while (await world.ledger(playing)).accepted:
                await asyncio.sleep(0.05)
    ledger = await world.ledger(playing)
    async with world.db.connection() as conn:
        page = await deliveries.page(conn, world.app.app_id, named.webhook_id, state=None, skip=0, limit=1000)
        others = await deliveries.page(conn, world.app.app_id, everything.webhook_id, state=None, skip=0, limit=99)
    assert {each.event for each in others} == {"campaign.started", "campaign.completed"}
    for event, count in (("message.delivered", ledger.delivered), ("message.failed", ledger.failed)):
        bundles = [json.loads(each.data)["messages"] for each in page if each.event == event]
        told = [one for bundle in bundles for one in bundle]
        assert len(told) == len({one["messageId"] for one in told}) == count > 0
        assert len(bundles) < count
        assert max(len(bundle) for bundle in bundles) <= 100
        assert {(one["campaignId"], one["runId"]) for one in told} == {(campaign.public_id, playing.run_public_id)}
        assert all(one["number"].startswith("+1202555") for one in told)
        assert (event == "message.delivered") == (not any(one["reason"] for one in told))
