"""Who comes first in a run, and runs over the failures of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.actions import reruns
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio


async def test_contacts_of_higher_priority_are_texted_first(world: World) -> None:
    await world.rate(200)
    levels = [None, 1, 5, 3, None, 5]
    await world.add_list("First", [{"number": number(n), "priority": p} for n, p in enumerate(levels)])
    await world.add_list("Second", [{"number": number(10 + n), "priority": p} for n, p in enumerate(levels)])
    campaign = await world.campaign("In order", ["First", "Second"])
    async with world.working():
        await world.until(await world.play(campaign))
    order = [int(t["to"][-2:]) for t in world.transcript(campaign)]
    assert order == [2, 5, 12, 15, 3, 13, 1, 11, 0, 4, 10, 14]


async def test_priority_counts_across_time_zones_and_in_a_retry(world: World) -> None:
    """Both zones are open at all hours; a chunk has one zone, and in the alphabet New York comes before London."""
    await world.rate(200)
    await world.sandbox(patterns=[{"match": number(n), "refuse": 1.0} for n in range(6)])
    zones = ["America/New_York", "Europe/London"]
    levels = [1, 5, None, 3, 2, 4]
    people = [{"number": number(n), "priority": p, "zone": zones[n % 2]} for n, p in enumerate(levels)]
    await world.add_list("People", people)
    campaign = await world.campaign("In order", ["People"])
    right = [1, 5, 3, 4, 0, 2]
    async with world.working():
        ledger = await world.until(await world.play(campaign))
        assert ledger.failed == 6
        again = await reruns.retry(
            world.db, world.app, campaign.public_id, run_id=None, classes=["failed"], now=world.clock()
        )
        await world.until(again)
    assert [int(t["to"][-2:]) for t in world.transcript(campaign)] == right + right
