"""Filters: whoever is left out has a row and the reason, like everybody who is not texted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.actions import campaigns, runs
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

PUNE = {"op": "and", "conditions": [{"column": "City", "is": "equals", "value": "pune"}]}


async def test_only_those_meant_are_texted_and_the_others_are_listed_with_the_reason(world: World) -> None:
    cities = ["Pune", "Delhi", "PUNE", None, "Pune"]
    await world.add_list("First", [{"number": number(n), "city": city} for n, city in enumerate(cities)])
    await world.block(number(4), number(1))
    campaign = await world.campaign("Only Pune", ["First"], filters=PUNE, isFiltersEnabled=True)
    async with world.working():
        ledger = await world.until(played := await world.play(campaign))
    assert sorted(t["to"] for t in world.transcript(campaign)) == [number(0), number(2)]
    assert (ledger.total, ledger.suppressed) == (5, 3)
    reasons = await world.reasons(played)
    assert reasons[number(3)] == "filter_excluded"
    # Having said no is the stronger reason.
    assert reasons[number(1)] == reasons[number(4)] == "do_not_contact"


async def test_a_filter_and_placeholders_look_at_the_same_columns(world: World) -> None:
    people = [{"number": number(n), "First Name": f"P{n}", "visits": str(n)} for n in range(12)]
    await world.add_list("First", people)
    often = {"conditions": [{"column": "Visits", "is": "greaterOrEqual", "value": 10}]}
    campaign = await world.campaign("Often", ["First"], text="Hi <First Name>", filters=often)
    async with world.working():
        await world.until(await world.play(campaign))
    assert sorted(t["text"] for t in world.transcript(campaign)) == ["Hi P10", "Hi P11"]


async def test_a_run_keeps_the_filters_it_was_started_with(world: World) -> None:
    await world.add_list("First", [{"number": number(n), "city": c} for n, c in enumerate(["Pune", "Delhi"])])
    campaign = await world.campaign("Only Pune", ["First"], filters=PUNE)
    played = await world.play(campaign)
    stopped = await runs.stop(world.db, world.app, played.public_id, now=world.clock())
    body = {
        "name": "Only Pune",
        "contactLists": ["First"],
        "format": "simple",
        "message": {"message": "Hello"},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": ALWAYS},
    }
    everybody = await campaigns.update(world.db, world.app, stopped.public_id, body, now=world.clock())
    assert everybody.filters is None
    again = await world.play(everybody)
    async with world.db.connection() as conn:
        kept = await (await conn.execute("SELECT filters FROM run ORDER BY run_id")).fetchall()
    assert kept == [(PUNE,), (None,)]
    assert again.run_id != played.run_id
