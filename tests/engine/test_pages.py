"""Planning page by page: nobody is met twice, and any page of a run's people is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.actions import runs as runs_actions
from heliograph.engine import plan, purge
from heliograph.store import messages, runs
from tests.engine.conftest import number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

# What may be left of a list that kept duplicates once: its 12th contact is its 2nd, of another page.
AGAIN: LiteralString = "UPDATE contact SET number = %(number)s WHERE seq = 12"


async def planned(world: World, campaign: Campaign, *, limit: int) -> int:
    """Plan a run in pages of ``limit``; its id. What it counts is held against the rows."""
    campaign = await world.play(campaign)
    run_id = campaign.run_id or 0
    more = True
    while more:
        async with world.db.connection() as conn:
            run = await runs.get(conn, world.app.app_id, run_id)
        more = await plan.plan_page(world.db, run, now=world.clock(), limit=limit)
    assert (await world.ledger(campaign)).total == len(await numbers(world, run_id, offset=0, limit=1000))
    return run_id


async def numbers(world: World, run_id: int, *, offset: int, limit: int) -> list[str]:
    async with world.db.connection() as conn:
        people = await messages.page(conn, world.app.app_id, run_id, offset=offset, limit=limit)
    return [person.number for person in people]


async def test_a_number_that_another_page_has_is_left_out_though_nobody_expected_it(world: World) -> None:
    await world.add_list("People", [{"number": number(n)} for n in range(20)])
    async with world.db.connection() as conn:
        await conn.execute(AGAIN, {"number": number(1)})
    campaign = await world.campaign("Once", ["People"])
    run_id = await planned(world, campaign, limit=10)
    assert await numbers(world, run_id, offset=0, limit=50) == [number(n) for n in range(20) if n != 11]


async def test_any_page_of_people_is_found_over_places_that_stand_empty(world: World) -> None:
    await world.add_list("First", [{"number": number(n)} for n in range(15)])
    await world.add_list("Second", [{"number": number(n)} for n in range(5, 25)])
    campaign = await world.campaign("Overlapping", ["First", "Second"])
    run_id = await planned(world, campaign, limit=10)
    everybody = await numbers(world, run_id, offset=0, limit=100)
    assert sorted(everybody) == [number(n) for n in range(25)]
    for offset in range(26):
        assert await numbers(world, run_id, offset=offset, limit=4) == everybody[offset : offset + 4]


async def test_planning_that_is_far_ahead_of_sending_takes_its_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "AHEAD", 20)
    await world.add_list("People", [{"number": number(n)} for n in range(30)])
    campaign = await world.play(await world.campaign("Ahead", ["People"]))
    paces: list[tuple[int, float]] = []
    for _ in range(2):
        async with world.db.connection() as conn:
            run = await runs.get(conn, world.app.app_id, campaign.run_id or 0)
        assert await plan.plan_page(world.db, run, now=world.clock(), limit=12)
        paces.append(await plan.pace(world.db, run, took=0.2))
    assert paces == [(plan.PAGE, 0.0), (plan.UNHURRIED_PAGE, 0.2)]


async def test_who_is_left_of_a_deleted_campaign_is_found_from_the_first(world: World) -> None:
    await world.add_list("People", [{"number": number(n)} for n in range(20)])
    campaign = await world.campaign("Gone", ["People"])
    run_id = await planned(world, campaign, limit=10)
    await runs_actions.delete(world.db, world.app, campaign.public_id, now=world.clock())
    assert await purge.purge(world.db, world.clock) == 20
    assert await numbers(world, run_id, offset=0, limit=50) == []
