"""Emergencies, retries, one-off texts, and people who are given another time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import reruns, retimes, runs, singles
from heliograph.errors import Conflict, IllegalMove, Invalid
from heliograph.rules import ids
from heliograph.store import app_settings, dnc
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

NEVER_NOW = {"frequency": "WEEKLY", "timezone": "UTC", "days": [{"day": "SU", "start": "3:00 AM", "end": "3:01 AM"}]}


async def test_an_emergency_goes_at_once_and_before_all_others(world: World) -> None:
    await world.rate(100)
    await world.add_numbers("People", 0, 400)
    await world.add_numbers("Few", 0, 60)
    ordinary = await world.play(await world.campaign("Ordinary", ["People"]))
    urgent = await world.campaign("Urgent", ["Few"], hours=NEVER_NOW)
    async with world.working():
        await world.taken(10, ordinary)
        urgent = await reruns.emergency(world.db, world.app, urgent.public_id, now=world.clock())
        with pytest.raises(IllegalMove, match="cannot be paused"):
            await runs.pause(world.db, world.app, urgent.public_id, now=world.clock())
        other = await world.campaign("Other", ["Few"])
        with pytest.raises(Conflict, match="Urgent of this account runs as an emergency"):
            await reruns.emergency(world.db, world.app, other.public_id, now=world.clock())
        with pytest.raises(IllegalMove):
            await reruns.emergency(world.db, world.app, ordinary.public_id, now=world.clock())
        await world.until(urgent)
        await runs.stop(world.db, world.app, ordinary.public_id, now=world.clock())
    sent = [t["campaignId"] for t in world.transcript()]
    first = sent.index(urgent.public_id)
    last = len(sent) - 1 - sent[::-1].index(urgent.public_id)
    assert last - first + 1 - 60 <= 10, "hardly anybody else in between: what was in hand when it began"


async def test_a_retry_reaches_exactly_those_who_failed(world: World) -> None:
    await world.sandbox(patterns=[{"match": number(n), "refuse": 1.0} for n in (3, 5)])
    await world.add_numbers("People", 0, 8)
    campaign = await world.campaign("Retried", ["People"])
    async with world.working():
        first = await world.play(campaign)
        ledger = await world.until(first)
        assert ledger.failed == 2
        before = len(world.transcript())
        again = await reruns.retry(
            world.db, world.app, campaign.public_id, run_id=None, classes=["failed"], now=world.clock()
        )
        ledger = await world.until(again)
    assert {t["to"] for t in world.transcript()[before:]} == {number(3), number(5)}
    assert ledger.total == 2
    with pytest.raises(Conflict, match="nobody to retry as expired: it has 2 failed, 0 expired"):
        await reruns.retry(
            world.db, world.app, campaign.public_id, run_id=first.run_public_id, classes=["expired"], now=world.clock()
        )
    with pytest.raises(Invalid, match="delivered"):
        await reruns.retry(
            world.db, world.app, campaign.public_id, run_id=None, classes=["delivered"], now=world.clock()
        )


async def test_a_retry_of_a_stopped_run_takes_up_those_never_sent_to(world: World) -> None:
    await world.rate(30)
    await world.add_numbers("People", 0, 100)
    campaign = await world.campaign("Cut short", ["People"])
    async with world.working():
        first = await world.play(campaign)
        await world.taken(10, campaign)
        await runs.stop(world.db, world.app, campaign.public_id, now=world.clock())
        await asyncio.sleep(0.2)
    async with world.db.connection() as conn:
        await conn.execute("UPDATE sender SET parts_per_second = NULL")
    async with world.working():
        again = await reruns.retry(
            world.db, world.app, campaign.public_id, run_id=first.run_public_id, classes=["expired"], now=world.clock()
        )
        await world.until(again)
    assert sorted(t["to"] for t in world.transcript()) == [number(n) for n in range(100)]


async def test_one_off_texts_do_not_wait_for_a_campaign(world: World) -> None:
    await world.rate(50)
    await world.add_numbers("People", 0, 500)
    playing = await world.play(await world.campaign("Long", ["People"]))
    asked: list[float] = []
    async with world.working():
        await world.taken(10, playing)
        for n in range(5):
            asked.append(time.time())
            body = {"fromNo": "+12025550100", "toNo": "+442079460000", "message": f"Code {n}"}
            await singles.send(world.db, world.app, body, now=world.clock())
            await asyncio.sleep(0.15)
        await asyncio.sleep(0.5)
        await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
    codes = [t for t in world.transcript() if t["text"].startswith("Code")]
    assert [t["text"] for t in codes] == [f"Code {n}" for n in range(5)], "each once, several to one number"
    between = [t for t in world.transcript(playing) if asked[0] + 0.5 < t["at"] < codes[-1]["at"]]
    assert all(code["at"] - at < 0.6 for code, at in zip(codes, asked, strict=True)), len(between)


async def test_a_one_off_text_to_someone_who_said_no_stays_here(world: World) -> None:
    await world.block("+442079460001")
    async with world.working():
        body = {"fromNo": "+12025550100", "toNo": "+442079460001"}
        await singles.send(world.db, world.app, body, now=world.clock())
        await asyncio.sleep(0.6)
    assert world.transcript() == []


async def test_one_off_texts_heed_what_is_global_when_they_leave(world: World) -> None:
    one, two, three = (f"+44207946000{n}" for n in (1, 2, 3))

    async def send(to: str) -> None:
        body = {"fromNo": "+12025550100", "toNo": to, "message": to}
        await singles.send(world.db, world.app, body, now=world.clock())

    async with world.working():
        await send(one)  # their run has begun
        await world.taken(1)
        async with world.db.transaction() as conn:
            made = await dnc.create(conn, world.app.app_id, name="Later", is_global=True, now=world.clock())
            await dnc.add_entries(
                conn, made.app_id, made.list_id, [two], reason="asked", source="person", now=world.clock()
            )
        await send(two)
        await send(three)
        await world.taken(2)
        async with world.db.transaction() as conn:
            before = await app_settings.get(conn, world.app.app_id)
            voice_only = replace(before, global_dnc_applies_to_sms=False)
            await app_settings.put(conn, world.app.app_id, voice_only, now=world.clock())
        await send(two)
        await world.taken(3)
    assert [t["to"] for t in world.transcript()] == [one, three, two]


async def test_people_are_texted_at_the_time_they_were_given(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await world.add_numbers("People", 0, 5)
    campaign = await world.campaign("Later", ["People"])
    playing = await world.play(campaign)
    await runs.pause(world.db, world.app, campaign.public_id, now=world.clock())
    assert playing.run_public_id is not None
    run, now = playing.run_public_id, clock()
    async with world.working():
        await runs.resume(world.db, world.app, campaign.public_id, now=now)
        await world.taken(5)
    later = (now + timedelta(hours=1)).isoformat()
    body = [
        {"campaignDialingListId": ids.message_id(run, 1), "timeToContact": later},
        {"campaignDialingListId": "+33639980000", "timeToContact": later},
        {"campaignDialingListId": number(2), "timeToContact": (now - timedelta(hours=1)).isoformat()},
        {"campaignDialingListId": number(2), "timeToContact": "tomorrow"},
    ]
    answers = await retimes.call_contacts_at(world.db, world.app, run, body, now=now)
    assert [a.reason for a in answers] in (
        ["run_ended", "run_ended", "time_in_past", "invalid_time"],
        ["already_sent", "not_found", "time_in_past", "invalid_time"],
    )


async def test_people_given_another_time_wait_for_it(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await world.rate(4)
    await world.add_numbers("People", 0, 20)
    playing = await world.play(await world.campaign("Moved", ["People"]))
    run, now = str(playing.run_public_id), clock()
    async with world.working():
        await world.taken(2)
        later = (now + timedelta(hours=1)).isoformat()
        body = [{"campaignDialingListId": number(n), "timeToContact": later} for n in range(10, 20)]
        answers = await retimes.call_contacts_at(world.db, world.app, run, body, now=now)
        assert [a.reason for a in answers] == [""] * 10
        await world.taken(10, seconds=15)
        await asyncio.sleep(0.8)
        assert {t["to"] for t in world.transcript()} == {number(n) for n in range(10)}
        ledger = await world.ledger(playing)
        assert (ledger.held, ledger.ready) == (10, 0)
        clock.advance(3601)
        ledger = await world.until(playing)
    assert sorted(t["to"] for t in world.transcript()) == [number(n) for n in range(20)]
    assert ledger.sent == 20
