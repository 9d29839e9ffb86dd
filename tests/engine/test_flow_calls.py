"""Services that flows ask: signed, tried again, asked again after a crash under the same key, and never inside."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from heliograph import config
from heliograph.actions import app_secrets, app_settings, flow_calls
from heliograph.actions import seal as seals
from heliograph.rules import address
from tests.customer import HERE
from tests.engine.conftest import make_world, number
from tests.engine.test_conversations import Phones, publish, steps, waiting_texts

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.config import Settings
    from heliograph.store.database import Database
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

SECRET = "not so secret"


@dataclass
class Shop:
    """A service; what it was asked, and what it answers next."""

    port: int = 0
    asked: list[tuple[dict[str, str], str]] = field(default_factory=list[tuple[dict[str, str], str]])
    answers: list[web.Response] = field(default_factory=list[web.Response])
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((dict(request.headers), await request.text()))
        await self.open.wait()
        return self.answers.pop(0) if self.answers else web.json_response({"order": {"state": "packed"}})


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    made.open.set()
    app = web.Application()
    app.router.add_route("*", "/order", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


async def asking(world: World, port: int, **more: object) -> None:
    nodes: dict[str, Any] = {
        "which": {"type": "send", "text": "Which order?", "next": "wait"},
        "wait": {"type": "wait", "save": "no", "next": "ask"},
        "ask": {
            "type": "webhook", "url": f"http://127.0.0.1:{port}/order", "body": {"no": "{{no}}"}, "save": "shop",
            "retries": 2, "next": "told", "failed": "sorry",
        } | more,
        "told": {"type": "send", "text": "It is {{shop.order.state}}."},
        "sorry": {"type": "send", "text": "We cannot say."},
    }  # fmt: skip
    await publish(world, nodes)


async def made(db: Database, settings: Settings) -> World:
    return await make_world(db, replace(settings, pull_private_networks=address.networks(HERE)), config.utc_now)


async def test_a_service_is_asked_and_what_it_answers_is_said(db: Database, settings: Settings) -> None:
    world = await made(db, settings)
    seal = seals.from_settings(world.settings)
    await app_secrets.put(db, seal, world.app, "shop", {"value": SECRET}, now=world.clock())
    await app_settings.update(db, world.app, {"conversations": {"webhookSecret": "shop"}}, now=world.clock())
    phones = Phones(world)
    async with shop() as desk, world.working():
        await asking(world, desk.port)
        desk.answers = [web.Response(status=500), web.Response(text="no json")]
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        await phones.write(number(1), "1002")
        assert (await phones.gets(number(1), 2))[1] == "It is packed."
    headers = [each for each, _ in desk.asked]
    assert [json.loads(body) for _, body in desk.asked] == [{"no": "1002"}] * 3
    assert len({each["Idempotency-Key"] for each in headers}) == 1
    last, body = desk.asked[-1]
    signed = f"{last['webhook-id']}.{last['webhook-timestamp']}.{body}".encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert last["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def test_a_service_that_does_not_answer_is_told_as_such(db: Database, settings: Settings) -> None:
    world = await made(db, settings)
    phones = Phones(world)
    async with shop() as desk, world.working():
        await asking(world, desk.port, retries=0)
        desk.answers = [web.Response(status=500)]
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        await phones.write(number(1), "1")
        assert (await phones.gets(number(1), 2))[1] == "We cannot say."


async def test_an_address_of_ours_is_not_asked(world: World) -> None:
    phones = Phones(world)
    async with shop() as desk, world.working():
        await asking(world, desk.port, retries=0)
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        await phones.write(number(1), "1")
        assert (await phones.gets(number(1), 2))[1] == "We cannot say."
    assert desk.asked == []


async def test_a_call_of_a_worker_that_is_gone_is_made_again_under_its_key(db: Database, settings: Settings) -> None:
    world = await made(db, settings)
    phones = Phones(world)
    async with shop() as desk:
        await asking(world, desk.port)
        await phones.write(number(1), "hello", "1002")
        await steps(world)
        (first,) = await flow_calls.take(db, now=world.clock(), limit=10)
        assert await flow_calls.take(db, now=world.clock(), limit=10) == []
        soon = world.clock() + flow_calls.LEASE / 2
        await flow_calls.hold(db, [first], now=soon)
        assert await flow_calls.take(db, now=world.clock() + flow_calls.LEASE, limit=10) == []
        (again,) = await flow_calls.take(db, now=soon + flow_calls.LEASE, limit=10)
        assert first == again
        for each in (first, again):
            await flow_calls.make(db, world.settings, world.clock, each)
        assert len({headers["Idempotency-Key"] for headers, _ in desk.asked}) == 1
        assert [text for text, _ in await waiting_texts(world, number(1))] == ["Which order?", "It is packed."]


async def test_a_worker_that_lives_holds_on_to_a_call_that_takes_long(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.engine.flow_calls.HOLD", 0.02)
    world = await made(db, settings)
    phones = Phones(world)
    async with shop() as desk, world.working():
        desk.open.clear()
        await asking(world, desk.port)
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        await phones.write(number(1), "1002")
        held: set[datetime] = set()
        async with asyncio.timeout(30):
            while len(held) < 3:
                held |= await _leases(db)
        desk.open.set()
        assert (await phones.gets(number(1), 2))[1] == "It is packed."
    assert len(desk.asked) == 1


async def _leases(db: Database) -> set[datetime]:
    async with db.connection() as conn:
        rows = await (await conn.execute("SELECT due FROM session WHERE state = 'call' AND due > now()")).fetchall()
    return {row[0] for row in rows}


async def test_many_are_asked_at_once(db: Database, settings: Settings) -> None:
    world = await made(db, settings)
    phones = Phones(world)
    async with shop() as desk, world.working():
        await asking(world, desk.port)
        for n in range(40):
            await phones.write(number(n), "hello", str(n))
        async with asyncio.timeout(30):
            for n in range(40):
                assert (await phones.gets(number(n), 2))[1] == "It is packed."
    assert len(desk.asked) == 40
