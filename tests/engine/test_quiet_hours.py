"""Quiet hours through the whole engine, on a clock set by hand: campaigns, retries, emergencies, single texts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import app_settings, reruns, singles, stories
from heliograph.rules import why, why_words
from heliograph.store import overview, runs
from tests.engine.conftest import number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

INDIAN, FLORIDIAN, AUSTRALIAN, PARISIAN = "+919999999999", "+18505550100", "+61491570156", "+33639980001"
PEOPLE = [{"number": each} for each in (INDIAN, FLORIDIAN, AUSTRALIAN, PARISIAN)]


def at(text: str) -> datetime:
    """A UTC instant written short."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Bastille Day, a Tuesday: France is closed all day. India 10-21 is 04:30-15:30 UTC. The panhandle of Florida has two
# zones, EDT and CDT, 8-20 in both: 13:00-24:00 UTC. Australia 9-20 by all its clocks, Perth (UTC+8) to Lord Howe
# (UTC+10:30): 01:00-09:30 UTC.
DAY = [
    ("2026-07-14 00:30", set[str]()),
    ("2026-07-14 01:00", {AUSTRALIAN}),
    ("2026-07-14 04:29", {AUSTRALIAN}),
    ("2026-07-14 04:30", {AUSTRALIAN, INDIAN}),
    ("2026-07-14 12:00", {AUSTRALIAN, INDIAN}),  # eight by one of the Floridian's clocks
    ("2026-07-14 13:00", {AUSTRALIAN, INDIAN, FLORIDIAN}),
    ("2026-07-15 05:59", {AUSTRALIAN, INDIAN, FLORIDIAN}),
    ("2026-07-15 06:00", {AUSTRALIAN, INDIAN, FLORIDIAN, PARISIAN}),  # the day after, at eight
]


async def switch_on(world: World, **more: object) -> None:
    setting = {"enabled": True, **more}
    await app_settings.update(world.db, world.app, {"quietHours": setting}, now=world.clock())


async def texted(world: World) -> set[str]:
    """Who has been texted once the engine has had time to do what the clock allows."""
    await asyncio.sleep(0.7)
    return {t["to"] for t in world.transcript()}


async def told(world: World, campaign: Campaign) -> str:
    """Why the campaign stands where it stands."""
    async with world.db.connection() as conn:
        standing = await overview.get(conn, world.app.app_id, campaign.public_id, now=world.clock())
    return why_words.plain(why_words.tell(why.causes(standing.facts, world.clock())), world.clock())


async def test_a_campaign_waits_for_the_law_of_each_place(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    clock.set(at(DAY[0][0]))
    await switch_on(world)
    await world.add_list("People", PEOPLE)
    campaign = await world.campaign("Everywhere", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        for moment, expected in DAY:
            clock.set(at(moment))
            assert await texted(world) == expected, f"at {moment} UTC"
            if moment == "2026-07-14 04:30":
                assert (await world.ledger(playing)).held == 2
                assert await told(world, playing) == (
                    "Quiet hours in Florida until Tue 08:00 America/Chicago and 1 more for 1 person; "
                    "quiet hours in France until Wed 08:00 Europe/Paris for 1 person."
                )
        await world.until(playing)


async def test_an_emergency_and_a_retry_wait_too(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await switch_on(world)
    clock.set(at("2026-07-14 05:00"))
    await world.sandbox(patterns=[{"match": INDIAN, "refuse": 1.0}])
    await world.add_list("People", [{"number": INDIAN}])
    campaign = await world.campaign("Again", ["People"])
    async with world.working():
        first = await world.play(campaign)
        assert (await world.until(first)).failed == 1
        await world.sandbox()
        before = len(world.transcript())
        clock.set(at("2026-07-14 15:30"))
        again = await reruns.retry(
            world.db, world.app, first.public_id, run_id=None, classes=["failed"], now=world.clock()
        )
        await texted(world)
        assert len(world.transcript()) == before
        assert await told(world, again) == "Quiet hours in India until Wed 10:00 Asia/Kolkata for 1 person."
        clock.set(at("2026-07-15 04:30"))
        await world.until(again)
        assert len(world.transcript()) == before + 1
        clock.set(at("2026-07-15 15:31"))
        urgent = await reruns.emergency(world.db, world.app, first.public_id, now=world.clock())
        await texted(world)
        assert len(world.transcript()) == before + 1
        clock.set(at("2026-07-16 04:30"))
        await world.until(urgent)
    assert len(world.transcript()) == before + 2


async def test_a_single_text_waits_unless_it_is_transactional(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await switch_on(world)
    clock.set(at("2026-07-14 07:00"))
    body = {"fromNo": "+12025550100", "toNo": PARISIAN, "message": "Sale"}
    async with world.working():
        waits = await singles.send(world.db, world.app, body, now=world.clock())
        code = body | {"message": "Your code is 2718", "transactional": True}
        at_once = await singles.send(world.db, world.app, code, now=world.clock())
        await texted(world)
        assert [t["text"] for t in world.transcript()] == ["Your code is 2718"]
        async with world.db.connection() as conn:
            held = await stories.of_message(conn, world.app, waits, world.clock())
            exempt = await stories.of_message(conn, world.app, at_once, world.clock())
        assert (held.status, held.why) == ("held", "quiet hours in France")
        assert any("by the law of France" in event.words for event in held.events)
        assert any("transactional: quiet hours do not count" in event.words for event in exempt.events)
        clock.set(at("2026-07-15 06:00"))
        assert len(await texted(world)) == 1
    assert [t["text"] for t in world.transcript()] == ["Your code is 2718", "Sale"]


async def test_a_transactional_campaign_is_exempt_and_that_is_on_record(
    frozen_world: World, clock: FrozenClock
) -> None:
    world = frozen_world
    await switch_on(world)
    clock.set(at("2026-07-14 20:00"))
    await world.add_list("People", PEOPLE)
    campaign = await world.campaign("Outage", ["People"], transactional=True)
    async with world.working():
        playing = await world.play(campaign)
        await world.until(playing)
        assert len(world.transcript()) == len(PEOPLE)
    async with world.db.connection() as conn:
        assert (await runs.get(conn, world.app.app_id, playing.run_id or 0)).transactional
        assert (await overview.get(conn, world.app.app_id, playing.public_id, now=clock())).zones.exempt


async def test_the_hour_strikes_in_the_middle_of_a_campaign(frozen_world: World, clock: FrozenClock) -> None:
    """Planned while open; whoever was not sent to by nine at night waits for the morning, though nobody planned it."""
    world = frozen_world
    await switch_on(world)
    clock.set(at("2026-07-14 15:29:59"))
    await world.rate(10)
    await world.add_list("People", [{"number": f"+9199999999{n:02}"} for n in range(60)])
    async with world.working():
        playing = await world.play(await world.campaign("Closing", ["People"]))
        await world.taken(5)
        clock.set(at("2026-07-14 15:30"))
        await asyncio.sleep(0.3)
        sent = len(world.transcript())
        assert len(await texted(world)) == sent < 60
        assert (await world.ledger(playing)).held == 60 - sent


async def test_a_setting_counts_at_once_for_those_who_were_planned_before(
    frozen_world: World, clock: FrozenClock
) -> None:
    """Switched on in the middle of the night, for a run that was planned while quiet hours were off."""
    world = frozen_world
    clock.set(at("2026-07-14 20:00"))
    await world.rate(10)
    await world.add_list("People", [{"number": f"+9199999999{n:02}"} for n in range(60)])
    async with world.working():
        playing = await world.play(await world.campaign("Night", ["People"]))
        await world.taken(5)
        await switch_on(world)
        await asyncio.sleep(1)
        sent = len(world.transcript())
        assert len(await texted(world)) == sent < 60
        assert (await world.ledger(playing)).held == 60 - sent
        own = [{"place": "IN", "off": True}, {"place": "*", "off": True}]
        await switch_on(world, places=own)
        clock.set(at("2026-07-15 04:30"))  # whoever was held by the rule is held until then
        await world.rate(1000)
        await world.until(playing)


async def test_zones_of_the_recipient_and_how_many_had_none(frozen_world: World, clock: FrozenClock) -> None:
    """Calling hours by the number's own zones; whoever has none, or one that is none, falls back and is counted."""
    world = frozen_world
    clock.set(at("2026-12-01 08:30"))
    people = [
        {"number": FLORIDIAN},  # 02:30 and 03:30 there
        {"number": "+12125550101", "zone": "Europe/London"},
        {"number": "+33639980002", "zone": "Mars/Olympus"},  # 09:30 there
        {"number": "+870773111632"},  # a ship: the campaign's
    ]
    office = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [{"start": "8:00 AM", "end": "6:00 PM"}]}
    await world.add_list("People", people)
    campaign = await world.campaign("By their clocks", ["People"], hours=office, zoneRule="recipient")
    async with world.working():
        playing = await world.play(campaign)
        assert await texted(world) == {people[1]["number"], people[2]["number"], people[3]["number"]}
        assert await told(world, playing) == ("Closed until Tue 08:00 America/Chicago and 1 more for 1 person.")
        async with world.db.connection() as conn:
            standing = await overview.get(conn, world.app.app_id, playing.public_id, now=clock())
        assert standing.zones == (1, 2, 1, False)
        clock.set(at("2026-12-01 13:59"))  # eight in New York, seven in Chicago
        assert FLORIDIAN not in await texted(world)
        clock.set(at("2026-12-01 14:00"))
        await world.until(playing)


async def test_who_is_never_open_is_left_out_with_the_reason(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await switch_on(world)
    clock.set(at("2026-07-14 05:00"))
    night = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [{"start": "10:00 PM", "end": "11:00 PM"}]}
    await world.add_list("People", [{"number": INDIAN}, {"number": number(1)}])
    campaign = await world.campaign("Late", ["People"], hours=night)
    async with world.working():
        playing = await world.play(campaign)
        await texted(world)
    assert await world.reasons(playing) == {INDIAN: "never_open: no_common_window"}
