"""Senders while a run goes through them: limits changed live, days that are used up, accounts that change, pools."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import pools, runs, senders, singles
from heliograph.actions import seal as seals
from heliograph.errors import Conflict, InUse
from heliograph.store import purges
from heliograph.store import senders as senders_store
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from datetime import date

    from heliograph.store.database import Conn
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = "+12025550101", "+12025550102", "+12025550103"


async def change(world: World, ref: str = "*", **limits: object) -> None:
    await senders.update(world.db, world.app, ref, limits, now=world.clock())


def dialing(caller: str) -> dict[str, Any]:
    return {"callerId": {"phoneNumber": caller}, "callingHours": ALWAYS}


async def add_pool(world: World, *weights: float) -> None:
    """The pool Three of as many senders as there are weights, without limits."""
    for address in (FIRST, SECOND, THIRD)[: len(weights)]:
        body = {"address": address, "carrierAccountId": "Sandbox"}
        await senders.create(world.db, world.app, body, now=world.clock())
    await pools.create(world.db, world.app, members(*weights) | {"name": "Three"}, now=world.clock())


def members(*weights: float) -> dict[str, Any]:
    told = [{"sender": a, "weight": w} for a, w in zip((FIRST, SECOND, THIRD), weights, strict=False)]
    return {"senders": told}


# ---------------------------------------------------------------- limits


async def test_a_rate_changed_live_counts_within_a_second(world: World) -> None:
    await change(world, partsPerSecond=10)
    await world.add_numbers("People", 0, 600)
    playing = await world.play(await world.campaign("Faster", ["People"]))
    async with world.working():
        await world.taken(10)
        faster = time.time()
        await change(world, partsPerSecond=200)
        await asyncio.sleep(2)
        slower = time.time()
        await change(world, partsPerSecond=5)
        await asyncio.sleep(3)
        await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
    sent = [t["at"] for t in world.transcript()]
    assert sum(faster + 1 <= at < slower for at in sent) > 120, "a second after the change it has long been faster"
    assert sum(slower + 1 <= at < slower + 3 for at in sent) <= 11, "and slower"


async def test_a_used_up_day_holds_people_until_the_next_and_no_longer(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    clock.set(datetime(2026, 3, 2, 20, 0, tzinfo=UTC))  # noon in Los Angeles
    await change(world, partsPerDay=30, dayTimezone="America/Los_Angeles")
    await world.add_numbers("People", 0, 70)
    playing = await world.play(await world.campaign("Daily", ["People"]))
    async with world.working():
        await world.taken(30)
        async with asyncio.timeout(5):
            while (await world.ledger(playing)).held != 40:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        assert len(world.transcript()) == 30
    clock.set(datetime(2026, 3, 3, 7, 59, tzinfo=UTC))  # a minute to midnight there
    async with world.working():
        await asyncio.sleep(0.8)
        assert len(world.transcript()) == 30, "another worker knows what the first has sent"
        clock.set(datetime(2026, 3, 3, 8, 0, tzinfo=UTC))
        await world.taken(60)
        clock.set(datetime(2026, 3, 4, 8, 0, tzinfo=UTC))
        ledger = await world.until(playing)
    assert sorted(t["to"] for t in world.transcript()) == [number(n) for n in range(70)]
    assert ledger.sent == 70


async def test_midnight_in_the_very_moment_a_day_is_counted_costs_no_day(
    frozen_world: World, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = frozen_world
    clock.set(datetime(2026, 3, 3, 7, 59, tzinfo=UTC))
    await change(world, partsPerDay=30, dayTimezone="America/Los_Angeles")
    await world.add_numbers("People", 0, 50)
    playing = await world.play(await world.campaign("Midnight", ["People"]))
    counted = senders_store.parts_of_day

    async def count_until_midnight(conn: Conn, app_id: int, sender_id: int, day: date) -> int:
        used = await counted(conn, app_id, sender_id, day)
        if used == 30:
            clock.set(datetime(2026, 3, 3, 8, 0, tzinfo=UTC))
        return used

    monkeypatch.setattr("heliograph.engine.lane.senders.parts_of_day", count_until_midnight)
    async with world.working():
        await world.until(playing)
    assert len(world.transcript()) == 50


async def test_a_day_that_is_given_more_goes_on_at_once(frozen_world: World) -> None:
    world = frozen_world
    await change(world, partsPerDay=5)
    await world.add_numbers("People", 0, 30)
    playing = await world.play(await world.campaign("More", ["People"]))
    async with world.working():
        await world.taken(5)
        await asyncio.sleep(0.3)
        assert (await world.ledger(playing)).held == 25
        asked = time.monotonic()
        await change(world, partsPerDay=12)
        await world.taken(12, seconds=1)
        assert time.monotonic() - asked < 1
        await asyncio.sleep(0.3)
        assert len(world.transcript()) == 12
        await change(world, partsPerDay=None)
        await world.until(playing)


async def test_a_day_counts_parts_and_lets_one_long_text_through(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await change(world, partsPerDay=3)
    await world.add_numbers("People", 0, 4)
    playing = await world.play(await world.campaign("Two parts", ["People"], text="x" * 200))
    async with world.working():
        await world.taken(1)
        await asyncio.sleep(0.4)
        assert len(world.transcript()) == 1, "the second would be parts 3 and 4"
        await change(world, partsPerDay=1)
        clock.advance(86_400)
        await world.taken(2)
        await asyncio.sleep(0.4)
        assert len(world.transcript()) == 2, "more than the limit, and nothing else that day"
        await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
    assert (await world.ledger(playing)).expired == 2


async def test_a_line_that_was_down_uses_nothing_of_the_day(frozen_world: World) -> None:
    world = frozen_world
    await world.sandbox(down_windows=[[0, 1.5]])
    await change(world, partsPerDay=20)
    await world.add_numbers("People", 0, 20)
    async with world.working():
        await world.until(await world.play(await world.campaign("Down", ["People"])))
    async with world.db.connection() as conn:
        rows = await (await conn.execute("SELECT day::text, parts FROM sender_day")).fetchall()
    assert rows == [("2026-03-02", 20)]


# ---------------------------------------------------------------- carrier accounts


async def test_new_settings_of_an_account_open_its_line_anew(world: World) -> None:
    seal = seals.from_settings(world.settings)
    await change(world, partsPerSecond=100)
    await world.add_numbers("People", 0, 300)
    playing = await world.play(await world.campaign("Refused later", ["People"]))
    async with world.working():
        await world.taken(50)
        changed = time.time()
        body = {"settings": {"refuse": 1, "refuse_code": "blocked", "password": "let me in"}}
        await accounts.update(world.db, seal, world.app, "Sandbox", body, now=world.clock())
        ledger = await world.until(playing)
    sent = {t["to"]: t["at"] for t in world.transcript()}
    reasons = await world.reasons(playing)
    assert ledger.sent + ledger.failed == 300
    assert all(reasons[to] == "blocked" for to, at in sent.items() if at > changed + 1)
    assert ledger.failed >= 100


async def test_a_sender_moved_to_another_account_sends_through_that(world: World) -> None:
    seal = seals.from_settings(world.settings)
    body = {"name": "Other", "kind": "sandbox", "settings": {"refuse": 1, "refuse_code": "moved"}}
    await accounts.create(world.db, seal, world.app, body, now=world.clock())
    await change(world, partsPerSecond=100)
    await world.add_numbers("People", 0, 200)
    playing = await world.play(await world.campaign("Moved", ["People"]))
    async with world.working():
        await world.taken(30)
        changed = time.time()
        await change(world, carrierAccountId="Other")
        ledger = await world.until(playing)
    reasons = await world.reasons(playing)
    late = [t["to"] for t in world.transcript() if t["at"] > changed + 1]
    assert ledger.sent + ledger.failed == 200
    assert late
    assert {reasons[to] for to in late} == {"moved"}


# ---------------------------------------------------------------- pools


async def test_a_pool_shares_people_by_weight_and_each_keeps_their_sender(world: World) -> None:
    await add_pool(world, 3, 1)
    await world.add_numbers("People", 0, 1200)
    campaign = await world.campaign("Pooled", ["People"], dialingStrategy=dialing("pool:Three"))
    async with world.working():
        first = await world.play(campaign)
        ledger = await world.until(first)
        assert ledger.total == ledger.sent == 1200
        had = {t["to"]: t["from"] for t in world.transcript()}
        counts = Counter(had.values())
        assert counts[FIRST] == pytest.approx(900, abs=60)
        assert counts[FIRST] + counts[SECOND] == 1200

        await world.add_numbers("More", 1000, 400)
        await pools.update(world.db, world.app, "Three", members(1, 8), now=world.clock())
        other = await world.campaign("Again", ["People", "More"], dialingStrategy=dialing("pool:three"))
        await world.until(await world.play(other))
    now = {t["to"]: t["from"] for t in world.transcript(other)}
    assert len(now) == 1400
    assert all(now[to] == sender for to, sender in had.items()), "whatever the weights are by now"
    new = Counter(sender for to, sender in now.items() if to not in had)
    assert new[SECOND] > 140, "who is new goes by the new weights"


async def test_whose_sender_left_the_pool_gets_another_and_keeps_that(world: World) -> None:
    await add_pool(world, 1, 1, 1)
    await world.add_numbers("People", 0, 300)
    campaign = await world.campaign("Leaving", ["People"], dialingStrategy=dialing("pool:Three"))
    async with world.working():
        await world.until(await world.play(campaign))
        first = {t["to"]: t["from"] for t in world.transcript()}
        await pools.update(world.db, world.app, "Three", members(1, 1), now=world.clock())
        await senders.delete(world.db, world.app, THIRD, now=world.clock())
        before = len(world.transcript())
        await world.until(await world.play(campaign))
        second = {t["to"]: t["from"] for t in world.transcript()[before:]}
    assert set(first.values()) == {FIRST, SECOND, THIRD}
    assert set(second.values()) == {FIRST, SECOND}
    assert all(second[to] == sender for to, sender in first.items() if sender != THIRD)


async def test_a_stop_of_a_pooled_run_is_a_barrier_and_a_delete_clears_all_of_it(world: World) -> None:
    await add_pool(world, 1, 1, 1)
    for address in (FIRST, SECOND, THIRD):
        await change(world, address, partsPerSecond=50)
    await world.add_numbers("People", 0, 1500)
    campaign = await world.campaign("Barrier", ["People"], dialingStrategy=dialing("pool:Three"))
    async with world.working(), world.working():
        playing = await world.play(campaign)
        await world.taken(200)
        with pytest.raises(InUse, match="campaign Barrier"):
            await senders.delete(world.db, world.app, SECOND, now=world.clock())
        with pytest.raises(InUse, match="campaign Barrier"):
            await pools.delete(world.db, world.app, "Three")
        await runs.delete(world.db, world.app, playing.public_id, now=world.clock())
        taken = len(world.transcript())
        await asyncio.sleep(0.5)
        assert len(world.transcript()) == taken
        assert {t["from"] for t in world.transcript()} == {FIRST, SECOND, THIRD}
        async with asyncio.timeout(10), world.db.connection() as conn:
            while await purges.list_deleted(conn):
                await asyncio.sleep(0.1)
    ledger = await world.ledger(playing)
    assert ledger.total == taken == ledger.sent


async def test_one_sender_of_a_pool_may_be_used_up_while_the_other_goes_on(frozen_world: World) -> None:
    world = frozen_world
    await add_pool(world, 1, 1)
    await change(world, FIRST, partsPerDay=20)
    await world.add_numbers("People", 0, 200)
    campaign = await world.campaign("Half", ["People"], dialingStrategy=dialing("pool:Three"))
    async with world.working():
        playing = await world.play(campaign)
        async with asyncio.timeout(10):
            while (await world.ledger(playing)).submitting or len(world.transcript()) < 100:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        ledger = await world.ledger(playing)
    counts = Counter(t["from"] for t in world.transcript())
    assert counts[FIRST] == 20
    assert (ledger.held, ledger.ready) == (200 - 20 - counts[SECOND], 0)
    assert counts[SECOND] > 70


async def test_a_text_to_one_person_keeps_to_their_sender_too(world: World) -> None:
    await add_pool(world, 1, 1)
    async with world.working():
        for _ in range(2):
            for n in range(8):
                body = {"fromNo": "pool:Three", "toNo": f"+4420794600{n:02d}", "message": "Code"}
                await singles.send(world.db, world.app, body, now=world.clock())
        await world.taken(16)
    used = {(t["to"], t["from"]) for t in world.transcript()}
    assert len(used) == 8
    assert {sender for _, sender in used} == {FIRST, SECOND}


async def test_a_pool_that_is_not_there_is_a_conflict(world: World) -> None:
    await world.add_numbers("People", 0, 1)
    campaign = await world.campaign("Nowhere", ["People"], dialingStrategy=dialing("pool:Nowhere"))
    with pytest.raises(Conflict, match="no sender pool Nowhere"):
        await world.play(campaign)
