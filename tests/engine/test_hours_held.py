"""Who may be texted when, through the whole engine, on a clock that is set by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

OFFICE = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]}
INDIAN, AMERICAN, AUSTRALIAN = number(1), "+12125550101", "+61491570156"
PEOPLE = [
    {"number": INDIAN},  # no zone of their own: the campaign's
    {"number": AMERICAN, "zone": "America/New_York"},
    {"number": AUSTRALIAN, "zone": "Australia/Sydney"},
]


def at(text: str) -> datetime:
    """A UTC instant written short."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def texted(world: World) -> set[str]:
    """Who has been texted once the engine has had time to do what the clock allows."""
    await asyncio.sleep(0.9)
    return {t["to"] for t in world.transcript()}


@pytest.mark.parametrize(
    ("story", "start", "steps"),
    [
        # Sydney opens 09:00 AEDT = 22:00 UTC, Kolkata 03:30 UTC, New York 14:00 UTC (EST).
        (
            "an ordinary day",
            "2026-12-01 20:00",
            [
                ("2026-12-01 20:00", {AMERICAN}),  # 15:00 in New York; 01:30 in Kolkata; 07:00 in Sydney
                ("2026-12-01 21:59", {AMERICAN}),
                ("2026-12-01 22:00", {AMERICAN, AUSTRALIAN}),
                ("2026-12-02 03:29", {AMERICAN, AUSTRALIAN}),
                ("2026-12-02 03:30", {AMERICAN, AUSTRALIAN, INDIAN}),
            ],
        ),
        # 8 March 2026, 02:00: New York goes from UTC-5 to UTC-4, so 09:00 is 13:00 UTC and no longer 14:00.
        (
            "the night New York springs forward",
            "2026-03-08 00:00",
            [
                ("2026-03-08 00:00", {AUSTRALIAN}),  # 11:00 in Sydney
                ("2026-03-08 03:30", {AUSTRALIAN, INDIAN}),
                ("2026-03-08 12:59", {AUSTRALIAN, INDIAN}),
                ("2026-03-08 13:00", {AUSTRALIAN, INDIAN, AMERICAN}),
            ],
        ),
        # 1 November 2026: back to UTC-5, 09:00 is 14:00 UTC.
        (
            "the night New York falls back",
            "2026-11-01 00:00",
            [
                ("2026-11-01 03:30", {AUSTRALIAN, INDIAN}),
                ("2026-11-01 13:59", set()),
                ("2026-11-01 14:00", {AUSTRALIAN, INDIAN, AMERICAN}),
            ],
        ),
        # 5 April 2026, 03:00: Sydney goes from UTC+11 to UTC+10, so 09:00 on the 5th is 23:00 UTC on the 4th.
        (
            "the night Sydney falls back",
            "2026-04-04 21:00",
            [
                ("2026-04-04 21:00", {AMERICAN}),
                ("2026-04-04 22:00", set()),  # 18:00 in New York: closed; 08:00 in Sydney after the change
                ("2026-04-04 22:59", set()),
                ("2026-04-04 23:00", {AUSTRALIAN}),
            ],
        ),
        # 4 October 2026, 02:00: Sydney goes to UTC+11, 09:00 on the 4th is 22:00 UTC on the 3rd.
        (
            "the night Sydney springs forward",
            "2026-10-03 21:30",
            [
                ("2026-10-03 21:59", {AMERICAN}),
                ("2026-10-03 22:00", {AMERICAN, AUSTRALIAN}),
            ],
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) and not value[0].isdigit() else "",
)
async def test_who_may_be_texted_when(
    frozen_world: World, clock: FrozenClock, story: str, start: str, steps: list[tuple[str, set[str]]]
) -> None:
    world = frozen_world
    clock.set(at(start))
    before: set[str] = set()
    await world.add_list("People", PEOPLE)
    campaign = await world.campaign("Office hours", ["People"], hours=OFFICE)
    async with world.working():
        playing = await world.play(campaign)
        for moment, expected in steps:
            clock.set(at(moment))
            before |= expected
            assert await texted(world) == before, f"{story}: at {moment} UTC"
        ledger = await world.ledger(playing)
    assert ledger.held == len(PEOPLE) - len(before)


async def test_closing_time_holds_the_rest_of_a_chunk(frozen_world: World, clock: FrozenClock) -> None:
    """Planned while open, but the sender is slow: whoever is not sent to by closing time waits for the morning."""
    world = frozen_world
    clock.set(at("2026-12-01 12:29:59"))  # a second before 18:00 in Kolkata
    await world.rate(10)
    await world.add_numbers("People", 0, 60)
    campaign = await world.campaign("Closing", ["People"], hours=OFFICE)
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(10)
        clock.set(at("2026-12-01 12:30"))
        await asyncio.sleep(0.3)
        sent = len(world.transcript())
        await asyncio.sleep(1.2)
        assert len(world.transcript()) == sent < 60
        ledger = await world.ledger(playing)
        assert ledger.held == 60 - sent
        clock.set(at("2026-12-02 03:30"))
        await world.rate(1000)
        await asyncio.sleep(1.2)
        assert len(world.transcript()) > sent
