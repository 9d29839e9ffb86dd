"""Campaigns over HTTP, judged by the gateway: what it took is held against our ledger, and its callbacks come in."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import pools, senders
from heliograph.actions import seal as seals
from heliograph.api import app as api_app
from heliograph.carriers import http_answers
from heliograph.carriers.base import Call, ReceiptState
from heliograph.engine import calls, failover
from heliograph.store import outcomes
from tests.carriers.http_far import FARS, Asked, Far
from tests.carriers.http_hooks import said_of
from tests.engine.conftest import ALWAYS, World, number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign

pytestmark = pytest.mark.anyio

PEOPLE = 300
US = "http://heliograph.test"
KINDS = {far.name: far for far in FARS}
FIRST, SECOND = "+12025550101", "+12025550102"


@dataclass
class Gateway:
    """A vendor's far side. It cuts some connections once it has the text, and throttles now and then.

    ``shuts_after``: texts after which it lets nobody in any more.
    """

    far: Far
    api: httpx.AsyncClient
    cuts: frozenset[int] = frozenset()
    throttles: frozenset[int] = frozenset()
    shuts_after: int | None = None
    taken: list[str] = field(default_factory=list[str])
    cut: set[str] = field(default_factory=set[str])
    asked: int = 0
    called: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, request.query_string, request.headers, await request.read())
        if self.shuts_after is not None and len(self.taken) >= self.shuts_after:
            return _answer(*self.far.shuts)
        self.asked += 1
        if self.asked in self.throttles:
            return _answer(*self.far.throttles, {"Retry-After": "0"})
        handed = self.far.reads(asked)
        status, body, ref = self.far.takes(handed, f"ref-{len(self.taken)}")
        self.taken.append(handed.number)
        if self.asked in self.cuts:
            self.cut.add(handed.number)
            assert request.transport is not None
            request.transport.abort()
        else:
            self.called.add(asyncio.create_task(self._call(asked.form, ref)))
        return _answer(status, body)

    async def _call(self, form: dict[str, str], ref: str) -> None:
        """Tell that a text is delivered, where we asked to be called; often before its answer is there."""
        url = form.get("StatusCallback") or form["dlr-url"]
        hook = self.far.hook
        for said in hook.say(said_of(ref, ReceiptState.DELIVERED)):
            call = Call(said.method, url, (), said.headers, said.body, said.at)
            signed = hook.sign(call, {**hook.settings, **self.far.settings}) if self.far.name == "twilio" else call
            answer = await self.api.request(call.method, url, headers=dict(signed.headers), content=call.body)
            assert answer.status_code == 200


def _answer(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers)
    return web.json_response(body, status=status, headers=headers)


@pytest.fixture(autouse=True)
def nobody_looks_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are worked on because somebody rings."""
    monkeypatch.setattr(calls, "LOOK", 600.0)


@asynccontextmanager
async def gateways(world: World, *made: Gateway) -> AsyncIterator[list[int]]:
    """Listening gateways, by their ports."""
    runners: list[web.AppRunner] = []
    ports: list[int] = []
    for gateway in made:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", gateway.serve)
        runners.append(runner := web.AppRunner(app, access_log=None, shutdown_timeout=0.5))
        await runner.setup()
        held = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, held).start()
        ports.append(held.getsockname()[1])
    try:
        yield ports
        for gateway in made:
            await asyncio.gather(*gateway.called)
    finally:
        for runner in runners:
            await runner.cleanup()


@asynccontextmanager
async def called_at(world: World) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """The world with an address of its own, and who calls there."""
    settings = replace(world.settings, public_url=US)
    api = api_app.create_api(world.db, seals.from_settings(settings), settings, world.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=US) as client:
        yield replace(world, settings=settings), client


async def account(world: World, name: str, far: Far, port: int) -> None:
    path = far.path if far.kind == "generic" else ""
    settings = {**far.settings, "url": f"http://127.0.0.1:{port}{path}", "connections": 8}
    body = {"name": name, "kind": far.kind, "settings": settings}
    await accounts.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())


async def everybody_told(world: World, campaign: Campaign, delivered: int) -> None:
    async with asyncio.timeout(60):
        while (await world.ledger(campaign)).delivered < delivered:
            await asyncio.sleep(0.02)


async def unknown(world: World, campaign: Campaign) -> set[str]:
    async with world.db.connection() as conn:
        return {one.number for one in await outcomes.list_unknown(conn, world.app.app_id, campaign.run_id or 0)}


@pytest.mark.parametrize("kind", ["twilio", "generic jasmin"])
async def test_a_gateway_that_cuts_and_throttles_has_each_text_once(world: World, kind: str) -> None:
    chance = random.Random(5)
    odd = chance.sample(range(5, PEOPLE), 20)
    async with called_at(world) as (there, api):
        gateway = Gateway(KINDS[kind], api, cuts=frozenset(odd[:6]), throttles=frozenset(odd[6:]))
        async with gateways(there, gateway) as (port,):
            await account(there, "Gateway", gateway.far, port)
            await senders.update(there.db, there.app, "*", {"carrierAccountId": "Gateway"}, now=there.clock())
            await there.add_numbers("People", 0, PEOPLE)
            async with there.working():
                campaign = await there.play(await there.campaign("Everybody", ["People"]))
                await there.until(campaign, seconds=60)
                await everybody_told(there, campaign, PEOPLE - 6)
    assert Counter(gateway.taken) == {number(n): 1 for n in range(PEOPLE)}
    ledger = await there.ledger(campaign)
    assert (ledger.total, ledger.delivered, ledger.unknown) == (PEOPLE, PEOPLE - 6, 6)
    assert await unknown(there, campaign) == gateway.cut
    assert gateway.asked == PEOPLE + 14


async def test_an_account_that_is_shut_hands_the_rest_to_another_and_each_is_texted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "PATIENCE", 0.0)
    monkeypatch.setattr(http_answers, "SHUT_PAUSE", 0.2)  # for those that were turned away
    async with called_at(world) as (there, api):
        first = Gateway(KINDS["twilio"], api, shuts_after=40, cuts=frozenset({7}))
        second = Gateway(KINDS["generic jasmin"], api)
        async with gateways(there, first, second) as ports:
            for name, address, gateway, port in zip(("A", "B"), (FIRST, SECOND), (first, second), ports, strict=True):
                await account(there, name, gateway.far, port)
                sender = {"address": address, "carrierAccountId": name}
                await senders.create(there.db, there.app, sender, now=there.clock())
            both = [{"sender": FIRST, "weight": 1}, {"sender": SECOND, "weight": 1}]
            await pools.create(there.db, there.app, {"name": "Both", "senders": both}, now=there.clock())
            await there.add_numbers("People", 0, PEOPLE)
            strategy = {"callerId": {"phoneNumber": "pool:Both"}, "callingHours": ALWAYS}
            async with there.working():
                campaign = await there.play(await there.campaign("Around", ["People"], dialingStrategy=strategy))
                await there.until(campaign, seconds=60)
                await everybody_told(there, campaign, PEOPLE - 1)
    assert Counter(first.taken + second.taken) == {number(n): 1 for n in range(PEOPLE)}
    assert 40 <= len(first.taken) < PEOPLE // 2 <= len(second.taken)
    assert await unknown(there, campaign) == first.cut
    async with world.db.connection() as conn:
        row = await (await conn.execute("SELECT paused_reason FROM carrier_account WHERE name = 'A'")).fetchone()
    assert row is not None
    assert "credentials" in row[0]
