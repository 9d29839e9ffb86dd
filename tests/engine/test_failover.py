"""What goes on when a carrier account is out of use: it is paused or waited for, and others of a pool take over."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import pools, senders
from heliograph.actions import seal as seals
from heliograph.engine import failover, lane
from heliograph.store import carrier_accounts, lines
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from heliograph.store.carrier_accounts import CarrierAccount
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

FIRST, SECOND = "+12025550101", "+12025550102"
POOLED = {"callerId": {"phoneNumber": "pool:Both"}, "callingHours": ALWAYS}
NOBODY: dict[str, Any] = {"down": 1}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "PATIENCE", 0.0)


async def two_accounts(world: World, first: dict[str, Any]) -> None:
    """A pool of a sender on an account that behaves as ``first``, and one on an account that works."""
    seal = seals.from_settings(world.settings)
    for name, address, settings in (("First", FIRST, first), ("Second", SECOND, {})):
        body = {"name": name, "kind": "sandbox", "settings": settings}
        await accounts.create(world.db, seal, world.app, body, now=world.clock())
        await senders.create(world.db, world.app, {"address": address, "carrierAccountId": name}, now=world.clock())
    both = [{"sender": FIRST, "weight": 1}, {"sender": SECOND, "weight": 1}]
    await pools.create(world.db, world.app, {"name": "Both", "senders": both}, now=world.clock())


async def behave(world: World, **settings: object) -> None:
    seal = seals.from_settings(world.settings)
    await accounts.update(world.db, seal, world.app, "First", {"settings": settings}, now=world.clock())


async def first(world: World) -> CarrierAccount:
    async with world.db.connection() as conn:
        return await carrier_accounts.get_named(conn, world.app.app_id, "First")


def senders_of(world: World) -> Counter[str]:
    return Counter(str(text["from"]) for text in world.transcript())


async def test_people_of_a_line_that_is_down_are_texted_by_others_each_once(world: World) -> None:
    await two_accounts(world, NOBODY)
    await world.add_numbers("People", 0, 1200)
    playing = await world.play(await world.campaign("Around", ["People"], dialingStrategy=POOLED))
    async with world.working():
        ledger = await world.until(playing)
    assert sorted(text["to"] for text in world.transcript()) == sorted(number(n) for n in range(1200))
    assert senders_of(world) == {SECOND: 1200}
    assert ledger.sent == 1200


async def test_who_is_unknown_stays_so_and_the_rest_of_their_chunk_goes_elsewhere(world: World) -> None:
    await two_accounts(world, {"lost_answer": 1, "answer_timeout_s": 0.2})
    await senders.update(world.db, world.app, FIRST, {"partsPerSecond": 20}, now=world.clock())
    await world.add_numbers("People", 0, 200)
    playing = await world.play(await world.campaign("Cut", ["People"], dialingStrategy=POOLED))
    async with world.working():
        async with asyncio.timeout(30):
            while senders_of(world)[FIRST] < 5:
                await asyncio.sleep(0.01)
        await behave(world, lost_answer=1, answer_timeout_s=0.2, lets_in=False)
        ledger = await world.until(playing)
    lost = senders_of(world)[FIRST]
    assert 5 <= lost < 100
    assert ledger.unknown == lost
    assert ledger.accepted + ledger.delivered == 200 - lost
    assert sorted(text["to"] for text in world.transcript()) == sorted(number(n) for n in range(200))


async def test_an_account_that_is_refused_is_paused_with_the_reason_until_it_is_changed(world: World) -> None:
    await two_accounts(world, {"lets_in": False})
    await world.add_numbers("People", 0, 50)
    body = {"callerId": {"phoneNumber": FIRST}, "callingHours": ALWAYS}  # no pool: nobody can take over
    playing = await world.play(await world.campaign("Waits", ["People"], dialingStrategy=body))
    async with world.working():
        async with asyncio.timeout(30):
            while (paused := await first(world)).paused_at is None:
                await asyncio.sleep(0.02)
        assert paused.paused_reason == "wrong credentials, as its settings ask"
        async with world.db.connection() as conn:
            seen = await lines.list_seen(conn, world.app.app_id, after=paused.created_at)
        assert [line.state for line in seen if line.account_id == paused.account_id] == ["refused"]
        async with asyncio.timeout(30):  # a batch that the line did not take is on its way back
            while (await world.ledger(playing)).ready < 50:
                await asyncio.sleep(0.02)
        await accounts.resume(world.db, world.app, "First")
        async with asyncio.timeout(30):
            while (again := await first(world)).paused_at is None or again.version == paused.version:
                await asyncio.sleep(0.02)
        await behave(world)
        await world.until(playing)
    assert (await first(world)).paused_at is None
    assert senders_of(world) == {FIRST: 50}
    async with world.db.connection() as conn:
        assert await lines.list_seen(conn, world.app.app_id, after=paused.created_at) == [], "no worker has a line"


async def test_lines_that_break_all_the_time_hand_people_to_and_fro_and_text_each_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(failover, "LOOK", 0.05)
    monkeypatch.setattr(failover, "FRESH", timedelta(days=-1))  # whatever was said of the other line, it is tried
    monkeypatch.setattr(lane, "DOWN_FIRST", 0.01)
    monkeypatch.setattr(lane, "DOWN_MOST", 0.02)
    weather = {"down": 0.4, "lost_answer": 0.1, "answer_timeout_s": 0.1}
    await two_accounts(world, weather)
    seal = seals.from_settings(world.settings)
    settings = {"settings": weather | {"seed": 1}}
    await accounts.update(world.db, seal, world.app, "Second", settings, now=world.clock())
    for address in (FIRST, SECOND):
        await senders.update(world.db, world.app, address, {"partsPerSecond": 600}, now=world.clock())
    await world.add_numbers("People", 0, 1500)
    playing = await world.play(await world.campaign("To and fro", ["People"], dialingStrategy=POOLED))
    async with world.working(), asyncio.timeout(60):
        while True:
            ledger = await world.ledger(playing)
            if ledger.total == 1500 and ledger.ready == ledger.submitting == 0:
                break
            await asyncio.sleep(0.1)
    assert ledger.unknown > 0
    taken = Counter(str(text["to"]) for text in world.transcript())
    assert len(taken) == sum(taken.values()) == 1500
    assert caplog.text.count("failed_over") > 1


async def test_nobody_is_moved_to_a_sender_that_is_as_dead(world: World) -> None:
    await two_accounts(world, NOBODY)
    seal = seals.from_settings(world.settings)
    await accounts.update(world.db, seal, world.app, "Second", {"settings": {"down": 1}}, now=world.clock())
    await world.add_numbers("People", 0, 40)
    playing = await world.play(await world.campaign("Nowhere", ["People"], dialingStrategy=POOLED))
    async with world.working():
        await asyncio.sleep(1.5)
        assert (await world.ledger(playing)).ready == 40
        await behave(world)
        await world.until(playing)
    assert len(world.transcript()) == 40
