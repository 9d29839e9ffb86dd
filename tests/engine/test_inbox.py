"""The inbox, through everything: people write, flows hand over, agents answer, and other systems are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from ipaddress import ip_network

import pytest

from heliograph.actions import answers, inbox, webhooks
from heliograph.actions import seal as seals
from heliograph.store import inbox_pages, threads
from heliograph.store.inbox import Conversation
from heliograph.store.inbox_pages import Wanted
from heliograph.store.threads import Entry
from tests import customer
from tests.engine.conftest import World, number
from tests.engine.test_conversations import US, Phones, support

pytestmark = pytest.mark.anyio

ADA = number(0)


@dataclass
class Desk:
    """Whoever answers people."""

    world: World
    phones: Phones

    async def list(self, *, is_open: bool | None = None) -> list[Conversation]:
        async with self.world.db.connection() as conn:
            return await inbox_pages.page(conn, self.world.app.app_id, Wanted(open=is_open), skip=0, limit=100)

    async def sees(self, *, unread: int) -> Conversation:
        """Wait until there is something to read, so much of it."""
        async with asyncio.timeout(30):
            while not [one for one in await self.list(is_open=True) if one.unread == unread]:
                await asyncio.sleep(0.01)
        return next(one for one in await self.list(is_open=True) if one.unread == unread)

    async def answer(self, found: Conversation, text: str) -> answers.Answered:
        return await answers.answer(
            self.world.db, self.world.app, found.public_id, {"text": text}, by="ana", now=self.world.clock()
        )

    async def thread(self, found: Conversation) -> list[Entry]:
        async with self.world.db.connection() as conn:
            page = await threads.page(conn, found, before=None, limit=100, now=self.world.clock())
        return page[::-1]


@pytest.fixture
async def desk(world: World) -> Desk:
    return Desk(world, Phones(world))


async def test_somebody_who_writes_is_answered_by_a_person(desk: Desk) -> None:
    async with desk.world.working():
        await desk.phones.write(ADA, "Where is my parcel?")
        found = await desk.sees(unread=1)
        await desk.answer(found, "With your neighbour, Ada.")
        assert await desk.phones.gets(ADA, 1) == ["With your neighbour, Ada."]
        await desk.phones.write(ADA, "Thanks!")
        await desk.sees(unread=1)
    said = [(each.who, each.text) for each in await desk.thread(found) if each.kind != "event"]
    assert said == [
        ("person", "Where is my parcel?"),
        ("agent", "With your neighbour, Ada."),
        ("person", "Thanks!"),
    ]


async def test_a_flow_hands_over_and_what_it_said_stands_before_what_the_agent_says(desk: Desk) -> None:
    await support(desk.world, 1)
    async with desk.world.working():
        await desk.phones.gets(ADA, 1)
        await desk.phones.write(ADA, "3")
        await desk.phones.gets(ADA, 2)
        [kept] = await desk.list()
        assert (kept.open, kept.unread) == (False, 0)
        await desk.phones.write(ADA, "agent")
        found = await desk.sees(unread=1)
        assert (found.public_id, found.why_open) == (kept.public_id, "handed_over")
        await desk.phones.gets(ADA, 3)
        await desk.answer(found, "Ana here. What can I do for you?")
        assert (await desk.phones.gets(ADA, 4))[3] == "Ana here. What can I do for you?"
        entries = await desk.thread(found)
    assert [each.who for each in entries if each.kind != "event"] == [
        "flow", "person", "flow", "person", "flow", "agent",
    ]  # fmt: skip
    assert [each.text for each in entries if each.who == "handed_over"] == [
        "From the support flow. They last wrote: agent"
    ]
    assert entries[0].campaign_public_id is not None


async def test_an_agent_who_answers_takes_over_from_the_flow(desk: Desk) -> None:
    await support(desk.world, 1)
    async with desk.world.working():
        await desk.phones.gets(ADA, 1)
        await desk.phones.write(ADA, "1")
        await desk.phones.gets(ADA, 2)
        [kept] = await desk.list()
        await desk.answer(kept, "This is Ana. Let me look.")
        assert await desk.phones.result(ADA) == "taken over"
        await desk.phones.write(ADA, "2")
        await desk.sees(unread=1)
        assert (await desk.phones.gets(ADA, 3))[2:] == ["This is Ana. Let me look."]


@pytest.fixture
async def far(world: World) -> AsyncIterator[customer.CustomerApi]:
    world.settings = replace(world.settings, webhook_private_networks=(ip_network(customer.HERE),))
    async with customer.serve() as api:
        api.answers["/hook"] = {"ok": True}
        yield api


async def test_a_help_desk_elsewhere_is_told_of_all_of_it(desk: Desk, far: customer.CustomerApi) -> None:
    world = desk.world
    body = {"url": far.url("/hook"), "events": ["*"]}
    await webhooks.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())
    async with world.working():
        await desk.phones.write(ADA, "Hello?")
        found = await desk.sees(unread=1)
        await desk.answer(found, "Hello, Ada.")
        await inbox.change(world.db, world.app, found.public_id, {"status": "closed"}, by="ana", now=world.clock())
        await desk.phones.write(ADA, "STOP")
        async with asyncio.timeout(30):
            while len(far.asked) < 6:
                await asyncio.sleep(0.02)
    told = [json.loads(each.body) for each in far.asked]
    assert sorted(each["type"] for each in told) == [
        "conversation.answered",
        "conversation.closed",
        "conversation.opened",
        "opt_out.recorded",
        "reply.received",
        "reply.received",
    ]
    replies = {each["data"]["text"]: each["data"]["needsPerson"] for each in told if each["type"] == "reply.received"}
    assert replies == {"Hello?": True, "STOP": False}
    assert {each["data"].get("conversationId", found.public_id) for each in told} == {found.public_id}
    assert next(each["data"] for each in told if each["type"] == "opt_out.recorded")["number"] == ADA
    assert all(each["data"].get("address") in {US, None} for each in told)
