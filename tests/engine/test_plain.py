"""Plain substitutes, from an app's setting to the texts that leave."""

# ruff: noqa: RUF001  # characters that look like others are what is tested

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.actions import app_settings, singles
from heliograph.errors import Invalid
from heliograph.rules import plain
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

NAMES = ("O’Neill", "Ζωή")  # the second fits in no plain characters, so her text stays as it was written


async def choose(world: World, setting: str) -> None:
    await app_settings.update(world.db, world.app, {"plainSubstitutes": setting}, now=world.clock())


async def sent(world: World) -> dict[str, str]:
    return {text["to"]: text["text"] for text in world.transcript()}


async def people(world: World) -> None:
    await world.add_list("People", [{"number": number(n), "name": name} for n, name in enumerate(NAMES)])


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("on", ["Hello O'Neill, it's \"you\"...", "Hello Ζωή, it’s “you”…"]),
        ("warn", ["Hello O’Neill, it’s “you”…", "Hello Ζωή, it’s “you”…"]),
    ],
)
async def test_each_text_is_plain_where_all_of_it_can_be(world: World, setting: str, expected: list[str]) -> None:
    await choose(world, setting)
    await people(world)
    async with world.working():
        campaign = await world.play(await world.campaign("Filled", ["People"], text="Hello {{name}}, it’s “you”…"))
        await world.until(campaign)
    assert await sent(world) == {number(n): text for n, text in enumerate(expected)}


async def test_it_is_frozen_when_a_run_begins_and_counts_for_one_off_texts(world: World) -> None:
    await choose(world, "on")
    await people(world)
    campaign = await world.play(await world.campaign("Same", ["People"], text="It’s you—all of you"))
    await choose(world, "off")
    async with world.working():
        await world.until(campaign)
    assert await sent(world) == {number(n): "It's you-all of you" for n in range(2)}
    await choose(world, "on")
    body = {"fromNo": "+12025550100", "toNo": "+12025550107", "message": "It’s yours"}
    await singles.send(world.db, world.app, body, now=world.clock())
    async with world.working():
        await world.taken(3)
    assert (await sent(world))["+12025550107"] == "It's yours"


async def test_what_is_no_choice_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match=r"plainSubstitutes is 'maybe'\. It takes off, warn or on"):
        await choose(world, "maybe")


def test_a_warning_says_what_costs_how_much() -> None:
    long = "It’s " + "you " * 30
    assert plain.warning(long) == f"’ make it 2 parts instead of 1. With plain ones it would be: It's {'you ' * 30}"
    assert plain.warning("It’s you") is None
    assert plain.warning("Ζωή, it’s " + "you " * 30) is None
