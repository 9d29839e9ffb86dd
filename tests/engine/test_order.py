"""Who comes first in a run, and runs over the failures of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
