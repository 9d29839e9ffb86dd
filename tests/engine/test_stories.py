"""Every message and every number has a story that can be told whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.actions import stories, unknowns
from heliograph.actions.unknowns import By, Choice
from heliograph.errors import NotFound
from heliograph.rules import ids
from tests.engine.conftest import number
from tests.engine.test_unknowns import left_unknown, listed

if TYPE_CHECKING:
    from heliograph.actions.stories import MessageStory
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio


async def told(world: World, message_id: str) -> MessageStory:
    async with world.db.connection() as conn:
        return await stories.of_message(conn, world.app, message_id, world.clock())


def words(one: MessageStory) -> list[str]:
    return [f"{event.what.value}: {event.words}" for event in one.events]


async def test_of_somebody_who_got_it_and_of_somebody_who_said_no(frozen_world: World) -> None:
    world = frozen_world
    await world.sandbox(latency_ms=[1, 1], receipt_ms=[1, 1])
    await world.block(number(2))
    await world.add_numbers("People", 1, 2)
    playing = await world.play(await world.campaign("Sale", ["People"]))
    async with world.working():
        await world.until(playing)
    run = playing.run_public_id or ""
    got = await told(world, ids.message_id(run, 1))
    assert got.status in ("accepted", "delivered")
    happened = [event.what.value for event in got.events if event.what.value != "imported"]  # by another clock here
    assert happened == ["planned", "submitted", "ended", "run_ended"]
    assert "imported: came to list People" in words(got)
    assert "submitted: submitted from +12025550100 through Sandbox" in words(got)
    no = await told(world, ids.message_id(run, 2))
    assert (no.status, no.why) == ("suppressed", "do_not_contact")
    assert any(word.startswith("do_not_contact: ") and "asked; counts" in word for word in words(no))


async def test_of_one_that_was_sent_again(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await left_unknown(world, people=2)
    old = (await listed(world))[0]
    old_id = ids.message_id(old.run_public_id, old.seq)
    before = await told(world, old_id)
    assert before.status == "unknown"
    assert "taken: taken to be submitted; nobody wrote down when it left" in words(before)
    clock.advance(60)
    choice = Choice(message_ids=(old_id,))
    done = await unknowns.resend(world.db, world.app, choice, By("cs-1", clock(), "they asked"))
    after = await told(world, old_id)
    assert after.message_id == done.new_ids[0], "the old name leads to the new message"
    assert after.status == "ready"
    assert f"came_of: made in place of {old_id}, sent again, by cs-1 (they asked)" in words(after)


async def test_of_a_number(frozen_world: World) -> None:
    world = frozen_world
    await left_unknown(world, people=2)
    async with world.db.connection() as conn:
        found = await stories.of_number(conn, world.app, number(1), world.clock())
        assert (found.would_be_texted, [one.status for one in found.messages]) == (True, ["unknown"])
        await world.block(number(1))
        found = await stories.of_number(conn, world.app, number(1), world.clock())
        assert not found.would_be_texted
        assert found.because.startswith(f"{number(1)} is on the do-not-contact list ")
        assert (await stories.of_number(conn, world.app, number(77), world.clock())).messages == []
        with pytest.raises(NotFound):
            await stories.of_message(conn, world.app, ids.message_id(ids.new("cid"), 1), world.clock())
