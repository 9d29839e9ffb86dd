"""Flows that ask a service or wait before they say anything: people are talked to in their hours, as follow-ups."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import flow_calls, previews, runs, singles
from heliograph.rules import demo_support
from heliograph.store import session_numbers
from tests.engine.conftest import ALWAYS, number
from tests.engine.test_conversations import US, Phones, publish, results, steps

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

NINE = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "8:00 PM"}]}
ASKING: dict[str, Any] = {
    "desk": {
        "type": "webhook", "url": demo_support.URL, "body": {"ask": "order", "text": "1002"}, "save": "desk",
        "next": "told", "failed": "done",
    },
    "told": {"type": "send", "text": "It {{desk.state}}. Thanks?", "next": "wait"},
    "wait": {"type": "wait", "timeout": "1h", "next": "bye"},
    "bye": {"type": "send", "text": "Bye.", "next": "done"},
    "done": {"type": "end", "result": "told"},
}  # fmt: skip
LATER = {"soon": {"type": "delay", "for": "10m", "next": "desk"}} | ASKING


async def played(world: World, nodes: dict[str, Any], people: int, hours: object = ALWAYS) -> Campaign:
    flow = await publish(world, nodes, start=next(iter(nodes)))
    await world.add_numbers("later", 1, people)
    made = await world.campaign("later", ["later"], format="advanced", experienceFlowName=flow, hours=hours)
    return await world.play(made)


async def planned(world: World, campaign: Campaign, people: int) -> None:
    async with asyncio.timeout(60):
        while (await world.ledger(campaign)).total < people:
            await asyncio.sleep(0.01)


async def groups(world: World, campaign: Campaign) -> list[tuple[str, bool, int]]:
    async with world.db.connection() as conn:
        found = await session_numbers.groups(conn, world.app.app_id, run_id=campaign.run_id)
    return [(group.node, group.waiting, group.sessions) for group in found]


async def test_a_flow_that_waits_and_asks_first_begins_with_the_hours(frozen_world: World, clock: FrozenClock) -> None:
    world, phones = frozen_world, Phones(frozen_world)
    async with world.working():
        campaign = await played(world, LATER, 2, hours=NINE)  # at six in the morning
        shown: Any = previews.facts(
            await previews.show(world.db, world.app, campaign.public_id, now=clock()), lambda at: at.isoformat()
        )
        assert (shown["reached"], shown["leftOut"]["by_flow"]) == (0, 2)
        await planned(world, campaign, 2)
        clock.set(clock.now.replace(hour=8))
        await steps(world)
        assert await groups(world, campaign) == [("soon", True, 2)]
        clock.set(clock.now.replace(hour=9, minute=1))
        await steps(world)
        assert await groups(world, campaign) == [("soon", False, 2)]
        clock.set(clock.now.replace(hour=9, minute=12))
        assert await phones.gets(number(1), 1) == ["It is on its way and arrives tomorrow. Thanks?"]
        await phones.gets(number(2), 1)
        await phones.write(number(1), "yes")
        assert (await phones.gets(number(1), 2))[1] == "Bye."
        clock.advance(3 * 3600)
        ledger = await world.until(campaign)
    assert (ledger.total, ledger.suppressed) == (2, 2)
    assert set((await world.reasons(campaign)).values()) == {"by_flow"}
    assert (await results(world, number(1)), await results(world, number(2))) == (["told"], ["completed"])


@pytest.mark.parametrize("verb", ["pause", "stop", "delete"])
async def test_whoever_is_to_be_asked_about_is_not_when_the_campaign_is_held_or_over(world: World, verb: str) -> None:
    campaign = await played(world, ASKING, 5)
    async with world.working():
        await planned(world, campaign, 5)
        await getattr(runs, verb)(world.db, world.app, campaign.public_id, now=world.clock())
    await steps(world)
    async with world.db.connection() as conn:
        cursor = await conn.execute("UPDATE session SET due = now() WHERE state = 'call' AND due IS NOT NULL")
    said = await _said(world)
    taken = await flow_calls.take(world.db, now=world.clock(), limit=10)
    assert len(taken) == cursor.rowcount
    for each in taken:
        await flow_calls.make(world.db, world.settings, world.clock, each)
    assert await _said(world) == said
    if verb == "pause":
        async with world.working():
            await runs.resume(world.db, world.app, campaign.public_id, now=world.clock())
            async with world.db.connection() as conn:
                await conn.execute("UPDATE session SET due = now() WHERE state = 'call'")
            await Phones(world).gets(number(5), 1)


async def test_a_one_off_text_whose_flow_asks_first_is_said_when_the_service_has_answered(world: World) -> None:
    await publish(world, ASKING, start="desk")
    to = "+12025550123"
    sent = await singles.send(world.db, world.app, {"fromNo": US, "toNo": to}, now=world.clock())
    async with world.working():
        phones = Phones(world)
        assert await phones.gets(to, 1) == ["It is on its way and arrives tomorrow. Thanks?"]
        await phones.write(to, "yes")
        assert (await phones.gets(to, 2))[1] == "Bye."
    assert await results(world, to) == ["told"]
    async with world.db.connection() as conn:
        cursor = await conn.execute(
            "SELECT number, reason, t.suppressed FROM message JOIN outcome USING (app_id, run_id, seq)"
            " JOIN tally t USING (app_id, run_id) WHERE status = 'suppressed' AND t.suppressed > 0"
        )
        assert await cursor.fetchall() == [(to, "by_flow", 1)]
    assert sent.startswith("msg-")


async def _said(world: World) -> int:
    async with world.db.connection() as conn:
        row: Any = await (await conn.execute("SELECT sum(texts) FROM session")).fetchone()
    return row[0]
