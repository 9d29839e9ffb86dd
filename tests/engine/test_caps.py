"""Frequency caps, campaigns that leave out the readers of others, and hold-outs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import app_settings, campaigns, stories, turned_away
from heliograph.errors import Invalid
from heliograph.rules import caps, hold_out
from heliograph.store import texted
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

ONE_A_WEEK = [{"texts": 1, "days": 7}]


async def settle(world: World, cap: object) -> None:
    await app_settings.update(world.db, world.app, {"frequencyCap": cap}, now=world.clock())


async def test_whoever_was_texted_by_another_campaign_is_left_out_and_told_why(world: World) -> None:
    await settle(world, [{"texts": 5, "days": 1}, *ONE_A_WEEK])
    await world.add_numbers("First", 0, 6)
    await world.add_numbers("Second", 3, 6)
    async with world.working():
        first = await world.campaign("First", ["First"])
        await world.until(await world.play(first))
        second = await world.play(await world.campaign("Second", ["Second"]))
        ledger = await world.until(second)
    assert (ledger.accepted + ledger.delivered, ledger.suppressed) == (3, 3)
    assert (await world.reasons(second))[number(3)] == "frequency_cap: 1 text in 7 days"


async def test_those_who_were_planned_before_are_looked_at_again_as_their_text_leaves(world: World) -> None:
    await world.add_numbers("All", 0, 20)
    await settle(world, ONE_A_WEEK)
    # Neither has begun to send when both are planned: a worker plans whatever is Active before it sends all of it.
    one, two = [await world.play(await world.campaign(name, ["All"])) for name in ("One", "Two")]
    async with world.working():
        ledgers = [await world.until(one), await world.until(two)]
    assert len({t["to"] for t in world.transcript()}) == len(world.transcript()) == 20
    assert sum(each.suppressed for each in ledgers) == 20


async def test_explain_knows_caps(world: World) -> None:
    await world.add_numbers("All", 0, 1)
    async with world.working():
        await world.until(await world.play(await world.campaign("Before", ["All"])))
    async with world.db.connection() as conn:
        assert (await stories.of_number(conn, world.app, number(0), world.clock())).would_be_texted
    await settle(world, ONE_A_WEEK)
    async with world.db.connection() as conn:
        capped = await stories.of_number(conn, world.app, number(0), world.clock())
        other = await stories.of_number(conn, world.app, number(1), world.clock())
        later = await stories.of_number(conn, world.app, number(0), world.clock() + timedelta(days=7))
    assert (capped.would_be_texted, other.would_be_texted, later.would_be_texted) == (False, True, True)
    assert capped.because.startswith("it was texted once in 7 days, and may be again from ")


async def test_a_cap_counts_what_left_before_it_was_set(world: World) -> None:
    await world.add_numbers("All", 0, 3)
    async with world.working():
        await world.until(await world.play(await world.campaign("Before", ["All"])))
        await settle(world, ONE_A_WEEK)
        after = await world.play(await world.campaign("After", ["All"]))
        assert (await world.until(after)).suppressed == 3
        await settle(world, [])
        assert (await world.until(await world.play(await world.campaign("Free", ["All"])))).suppressed == 0


async def test_transactional_texts_neither_count_nor_are_capped(world: World) -> None:
    await settle(world, ONE_A_WEEK)
    await world.add_numbers("All", 0, 3)
    async with world.working():
        for name in ("Receipts", "Passwords"):
            played = await world.play(await world.campaign(name, ["All"], transactional=True))
            assert (await world.until(played)).suppressed == 0
        assert (await world.until(await world.play(await world.campaign("Sale", ["All"])))).suppressed == 0


async def test_a_text_that_the_carrier_refused_does_not_count(world: World) -> None:
    await settle(world, ONE_A_WEEK)
    await world.sandbox(refuse=1.0)
    await world.add_numbers("All", 0, 3)
    async with world.working():
        await world.until(await world.play(await world.campaign("Refused", ["All"])))
        await world.sandbox()
    async with world.working():
        assert (await world.until(await world.play(await world.campaign("Taken", ["All"])))).suppressed == 0


async def test_of_many_who_want_the_last_place_one_gets_it(frozen_world: World) -> None:
    now, app_id = frozen_world.clock(), frozen_world.app.app_id
    limits = (caps.Cap(3, 7),)

    async def wants(run_id: int) -> int:
        messages = {number(n): (run_id, 1) for n in sorted(range(5), key=lambda n: (n * run_id) % 5)}
        async with frozen_world.db.connection() as conn:
            return len(await texted.take(conn, app_id, messages, limits, now=now))

    took = await asyncio.gather(*(wants(run_id) for run_id in range(1, 9)))
    assert sum(took) == 15
    async with frozen_world.db.connection() as conn:
        full = await texted.find_full(conn, app_id, [number(0), number(9)], limits, now=now)
        assert full == {number(0): limits[0]}
        # Its own place is found again, and a place is free again when the days are over.
        later = now + timedelta(days=7)
        assert await texted.take(conn, app_id, {number(0): (99, 1)}, limits, now=later) == {number(0)}


async def test_a_text_finds_its_own_place_again(frozen_world: World) -> None:
    now, app_id = frozen_world.clock(), frozen_world.app.app_id
    limits = (caps.Cap(1, 1),)
    async with frozen_world.db.connection() as conn:
        for _ in range(3):
            assert await texted.take(conn, app_id, {number(1): (7, 1)}, limits, now=now) == {number(1)}
        assert await texted.take(conn, app_id, {number(1): (7, 2)}, limits, now=now) == set()


async def test_one_off_texts_to_one_number_are_counted_one_by_one(frozen_world: World) -> None:
    setting = caps.setting([{"texts": 2, "days": 1}])
    people = [(number(1), seq) for seq in (1, 2, 3)]
    async with frozen_world.db.connection() as conn:
        refused = await turned_away.take(
            conn, frozen_world.app.app_id, 7, people, setting or "", now=frozen_world.clock()
        )
    assert refused == {3: "frequency_cap: 2 texts in 1 day"}


async def test_readers_of_another_campaign_are_left_out(world: World) -> None:
    await world.add_numbers("First", 0, 3)
    await world.add_numbers("All", 0, 5)
    async with world.working():
        first = await world.campaign("Spring sale", ["First"])
        await world.until(await world.play(first))
        exclude = {"campaigns": ["spring SALE", first.public_id]}
        second = await world.campaign("Reminder", ["All"], exclude=exclude)
        assert second.exclude_names == ("Spring sale",)
        played = await world.play(second)
        await world.until(played)
        assert {t["to"] for t in world.transcript(second)} == {number(3), number(4)}
    assert (await world.reasons(played))[number(0)] == "got_campaign: Spring sale"


async def test_hold_outs_are_the_same_in_every_run_and_say_so(world: World) -> None:
    await world.add_numbers("All", 0, 60)
    campaign = await world.campaign("Half", ["All"], holdOut=50)
    held = {number(n) for n in range(60) if hold_out.is_held(campaign.public_id, number(n), 50)}
    async with world.working():
        for _ in range(2):
            played = await world.play(await world.again(campaign))
            ledger = await world.until(played)
            assert {who for who, why in (await world.reasons(played)).items() if why == "held_out: 50%"} == held
            assert ledger.suppressed == len(held)
    assert {t["to"] for t in world.transcript(campaign)}.isdisjoint(held)


async def test_a_copy_keeps_them_and_an_update_drops_them(world: World) -> None:
    await world.add_numbers("All", 0, 1)
    first = await world.campaign("First", ["All"])
    second = await world.campaign("Second", ["All"], exclude={"campaigns": ["First"]}, holdOut=10)
    copy = await campaigns.clone(world.db, world.app, second.public_id, {}, now=world.clock())
    assert (copy.exclude_ids, copy.hold_out) == ((first.campaign_id,), 10)
    body = {
        "name": "Second",
        "contactLists": ["All"],
        "format": "simple",
        "message": {"message": "Hello"},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": ALWAYS},
    }
    changed = await campaigns.update(world.db, world.app, second.public_id, body, now=world.clock())
    assert (changed.exclude_ids, changed.hold_out) == ((), 0)


@pytest.mark.parametrize(
    "body",
    [
        {"exclude": {"campaigns": ["No such"]}},
        {"exclude": {"campaign": ["X"]}},
        {"exclude": ["X"]},
        {"holdOut": 51},
        {"holdOut": "10"},
        {"holdOut": True},
    ],
)
async def test_what_cannot_be_used_is_refused(frozen_world: World, body: dict[str, Any]) -> None:
    await frozen_world.add_numbers("All", 0, 1)
    with pytest.raises(Invalid) as refused:
        await frozen_world.campaign("X", ["All"], **body)
    assert (refused.value.field or "").split(".")[0] in body


@pytest.mark.parametrize("cap", [{}, [{}], [{"texts": 0, "days": 1}], [{"texts": 1, "days": 91}], [1], "2/7"])
async def test_a_cap_that_is_none_is_refused(frozen_world: World, cap: object) -> None:
    with pytest.raises(Invalid):
        await settle(frozen_world, cap)
