"""Campaigns that start by themselves, on a clock that is set by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import campaigns, runs, schedules
from heliograph.engine.tick import Tick
from heliograph.errors import IllegalMove, Invalid, NotFound
from heliograph.store import campaigns as campaign_rows
from heliograph.store import runs as run_rows
from heliograph.store import schedules as schedule_rows
from heliograph.store import senders
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

DAILY = {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}}
NEW_YORK = ALWAYS | {"timezone": "America/New_York"}
NEVER_OPEN = {
    "frequency": "WEEKLY",
    "timezone": "UTC",
    "days": [{"day": "SU", "start": "3:00 AM", "end": "3:01 AM"}],
}


def at(text: str) -> datetime:
    """A UTC instant written short."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def body(start: str, end: str | None = None, recurrence: object = DAILY, **more: object) -> dict[str, Any]:
    return {"startDateTime": start, "endDateTime": end, "recurrenceObject": recurrence} | more


class Planner:
    """A campaign with three people, whose schedule is set and whose time is let pass."""

    def __init__(self, world: World, clock: FrozenClock, campaign: Campaign) -> None:
        self.world, self.clock, self.campaign = world, clock, campaign

    async def enable(self, **schedule: Any) -> Campaign:
        return await schedules.enable(
            self.world.db, self.world.app, self.campaign.name, body(**schedule), now=self.clock()
        )

    async def look(self, moment: str) -> Campaign:
        """Let a worker look at this moment; the campaign as it is then."""
        self.clock.set(at(moment))
        await Tick(self.world.db, self.clock).look()
        return await self.now()

    async def now(self) -> Campaign:
        async with self.world.db.connection() as conn:
            return await campaign_rows.get(conn, self.world.app.app_id, self.campaign.public_id)

    async def stored(self) -> schedule_rows.Schedule:
        async with self.world.db.connection() as conn:
            found = await schedule_rows.find(conn, self.world.app.app_id, self.campaign.campaign_id)
        assert found is not None
        return found

    async def last(self) -> tuple[datetime | None, str | None, str | None]:
        """What became of the start that was due last."""
        stored = await self.stored()
        return stored.last_at, stored.last_outcome, stored.last_reason

    async def run_ids(self) -> int:
        async with self.world.db.connection() as conn:
            row = await (await conn.execute("SELECT count(*) FROM run")).fetchone()
        assert row is not None
        return int(row[0])

    async def complete(self) -> bool:
        """End the run under way as a worker does when nobody is left; nobody is read from its lists first."""
        campaign = await self.now()
        assert campaign.run_id is not None
        async with self.world.db.connection() as conn:
            await conn.execute("UPDATE run SET planned_at = now()")
            run = await run_rows.get(conn, self.world.app.app_id, campaign.run_id)
        return await runs.complete(self.world.db, run, now=self.clock())


@pytest.fixture
async def planner(frozen_world: World, clock: FrozenClock) -> Planner:
    """It is 06:00 UTC on Monday, 2 March 2026."""
    await frozen_world.add_numbers("People", 0, 3)
    campaign = await frozen_world.campaign("News", ["People"])
    return Planner(frozen_world, clock, campaign)


async def test_a_daily_campaign_texts_everybody_on_each_of_three_days(planner: Planner, clock: FrozenClock) -> None:
    world = planner.world
    await planner.enable(start="2026-03-02 09:00:00", end="2026-03-05 00:00:00")
    seen: set[str | None] = set()
    async with world.working():
        await asyncio.sleep(0.7)
        assert world.transcript() == []
        for day in (2, 3, 4):
            clock.set(at(f"2026-03-0{day} 09:00"))
            async with asyncio.timeout(20):
                while len(world.transcript()) < 3 * (day - 1) or await world.status(planner.campaign) == "Active":
                    await asyncio.sleep(0.02)
            campaign = await planner.now()
            assert campaign.status.value == ("Scheduled" if day < 4 else "Completed")
            assert (await world.ledger(campaign)).sent == 3
            seen.add(campaign.run_public_id)
        clock.set(at("2026-03-05 09:00"))
        await asyncio.sleep(0.7)
    assert len(seen) == 3
    assert sorted(t["to"] for t in world.transcript()) == sorted([number(n) for n in range(3)] * 3)
    campaign = await planner.now()
    assert (campaign.scheduled, campaign.recurring, campaign.next_start) == (False, False, None)


async def test_a_start_is_due_on_its_very_second_in_the_zone_of_the_calling_hours(planner: Planner) -> None:
    """8 March 2026: New York springs forward, so nine o'clock comes an hour sooner."""
    planner.campaign = await planner.world.campaign("New York", ["People"], hours=NEW_YORK)
    campaign = await planner.enable(start="2026-03-07 09:00:00")
    assert (campaign.status.value, campaign.next_start) == ("Scheduled", at("2026-03-07 14:00"))
    assert (await planner.look("2026-03-07 13:59:59.999")).status.value == "Scheduled"
    campaign = await planner.look("2026-03-07 14:00")
    assert (campaign.status.value, campaign.next_start) == ("Active", at("2026-03-08 13:00"))
    assert await planner.complete()
    assert (await planner.now()).status.value == "Scheduled"
    assert (await planner.look("2026-03-08 13:00")).status.value == "Active"


async def test_once_is_scheduled_active_completed(planner: Planner) -> None:
    campaign = await planner.enable(start="2026-03-02 09:00:00", recurrence=None)
    assert (campaign.scheduled, campaign.recurring) == (True, False)
    campaign = await planner.look("2026-03-02 09:00")
    assert (campaign.status.value, campaign.scheduled, campaign.next_start) == ("Active", True, None)
    assert await planner.complete()
    campaign = await planner.now()
    assert (campaign.status.value, campaign.scheduled) == ("Completed", False)
    again = await planner.enable(start="2026-03-03 09:00:00", recurrence=None)
    assert again.status.value == "Scheduled"


@pytest.mark.parametrize(("seen", "started"), [("2026-03-02 10:00:00", True), ("2026-03-02 10:00:01", False)])
async def test_a_start_missed_is_made_good_within_its_limit_only(planner: Planner, seen: str, started: bool) -> None:
    await planner.enable(start="2026-03-02 09:00:00")
    campaign = await planner.look(seen)
    assert campaign.status.value == ("Active" if started else "Scheduled")
    assert campaign.next_start == at("2026-03-03 09:00")
    due, outcome, reason = await planner.last()
    assert (due, outcome) == (at("2026-03-02 09:00"), "started" if started else "held")
    assert (reason is None) is started
    if reason is not None:
        assert reason.startswith("no worker was running at its time; 60 minutes late, and its schedule allows 60")


async def test_a_start_held_within_its_first_minute_says_so(planner: Planner) -> None:
    await planner.enable(start="2026-03-02 09:00:00", misfire={"sendIfLateBy": 0})
    await planner.look("2026-03-02 09:00:05")
    assert (await planner.last())[2] == (
        "no worker was running at its time; less than a minute late, and its schedule allows 0"
    )


async def test_after_days_of_silence_only_the_latest_start_is_made_good(planner: Planner) -> None:
    await planner.enable(start="2026-03-02 09:00:00", misfire={"sendIfLateBy": 5})
    campaign = await planner.look("2026-03-05 09:04")
    assert (campaign.status.value, campaign.next_start) == ("Active", at("2026-03-06 09:00"))
    assert await planner.last() == (
        at("2026-03-05 09:00"),
        "started",
        "3 before it had passed with no worker running",
    )
    assert await planner.run_ids() == 1


async def test_a_held_start_that_was_the_only_one_leaves_it_scheduled_and_says_so(planner: Planner) -> None:
    await planner.enable(start="2026-03-02 09:00:00", recurrence=None)
    campaign = await planner.look("2026-03-02 12:00")
    assert (campaign.status.value, campaign.scheduled, campaign.next_start) == ("Scheduled", True, None)
    with pytest.raises(IllegalMove, match="no start of it is to come: no worker was running at its time"):
        await planner.world.play(campaign)
    assert (await planner.enable(start="2026-03-03 09:00:00")).status.value == "Rescheduled"


@pytest.mark.parametrize("paused", [False, True])
async def test_a_start_is_skipped_while_the_run_before_it_is_under_way(planner: Planner, paused: bool) -> None:
    await planner.enable(start="2026-03-02 09:00:00")
    campaign = await planner.look("2026-03-02 09:00")
    if paused:
        await runs.pause(planner.world.db, planner.world.app, campaign.public_id, now=planner.clock())
    after = await planner.look("2026-03-03 09:00")
    assert after.run_id == campaign.run_id
    assert after.next_start == at("2026-03-04 09:00")
    status = "Paused" if paused else "Active"
    assert await planner.last() == (at("2026-03-03 09:00"), "skipped", f"the run before it was still {status}")


async def test_two_workers_start_it_once(planner: Planner) -> None:
    await planner.enable(start="2026-03-02 09:00:00")
    planner.clock.set(at("2026-03-02 09:00"))
    where = (planner.world.db, planner.world.app.app_id, planner.campaign.public_id)
    done = await asyncio.gather(*(schedules.start(*where, now=planner.clock()) for _ in range(8)))
    assert sorted(str(each) for each in done) == ["None"] * 7 + ["started"]
    assert await planner.run_ids() == 1


async def test_a_campaign_no_sender_serves_is_held_and_comes_again(planner: Planner) -> None:
    world = planner.world
    await planner.enable(start="2026-03-02 09:00:00")
    async with world.db.connection() as conn:
        sender = await senders.resolve(conn, world.app.app_id, planner.campaign.caller_id)
        assert sender is not None
        rename = "UPDATE sender SET address = '+12025550199' WHERE sender_id = %(sender_id)s"
        await conn.execute(rename, {"sender_id": sender.sender_id})
    campaign = await planner.look("2026-03-02 09:00")
    assert (campaign.status.value, campaign.next_start) == ("Scheduled", at("2026-03-03 09:00"))
    _, outcome, reason = await planner.last()
    assert outcome == "held"
    assert reason is not None
    assert reason.startswith("No sender of this app serves the caller id +12025550100: add a sender")


async def test_the_schedules_end_completes_a_run_and_expires_the_rest(planner: Planner, clock: FrozenClock) -> None:
    world = planner.world
    planner.campaign = await world.campaign("Closed", ["People"], hours=NEVER_OPEN)
    await planner.enable(start="2026-03-02 09:00:00", end="2026-03-04 08:00:00")
    async with world.working():
        clock.set(at("2026-03-02 09:00"))
        async with asyncio.timeout(20):
            while (campaign := await planner.now()).run_id is None or (await world.ledger(campaign)).held < 3:
                await asyncio.sleep(0.02)
        clock.set(at("2026-03-04 08:00"))
        ledger = await world.until(campaign)
    assert (ledger.total, ledger.expired) == (3, 3)
    assert world.transcript() == []
    assert not (await planner.now()).scheduled


async def test_its_own_hours_go_before_the_campaigns_only_where_asked(planner: Planner, clock: FrozenClock) -> None:
    world = planner.world
    for name, precedence in (("Kept", False), ("Replaced", True)):
        planner.campaign = await world.campaign(name, ["People"], hours=NEVER_OPEN)
        await planner.enable(start="2026-03-02 09:00:00", end="2026-03-09 09:30:00", recurrencePrecedence=precedence)
    async with world.working():
        clock.set(at("2026-03-02 09:00"))
        async with asyncio.timeout(20):
            while (campaign := await planner.now()).run_id is None:
                await asyncio.sleep(0.02)
        ledger = await world.until(campaign, "Scheduled")
    assert ledger.sent == 3
    assert {t["campaignId"] for t in world.transcript()} == {planner.campaign.public_id}


async def test_stop_and_delete_switch_the_schedule_off(planner: Planner) -> None:
    world = planner.world
    await planner.enable(start="2026-03-02 09:00:00")
    running = await planner.look("2026-03-02 09:00")
    stopped = await runs.stop(world.db, world.app, running.public_id, now=planner.clock())
    assert (stopped.status.value, stopped.scheduled, stopped.next_start) == ("Stopped", False, None)
    assert (await planner.look("2026-03-03 09:00")).status.value == "Stopped"
    await planner.enable(start="2026-03-04 09:00:00")
    await runs.delete(world.db, world.app, running.public_id, now=planner.clock())
    planner.clock.set(at("2026-03-04 09:00"))
    await Tick(world.db, planner.clock).look()
    assert not (await planner.stored()).enabled
    assert await planner.run_ids() == 1


async def test_disabling_leads_back_to_ready_and_lets_a_run_be_the_last(planner: Planner) -> None:
    world = planner.world
    for _ in range(2):  # saying it twice, or without a schedule, does no harm
        ready = await schedules.disable(world.db, world.app, "nEWS", now=planner.clock())
        assert (ready.status.value, ready.scheduled) == ("Ready", False)
        await planner.enable(start="2026-03-02 09:00:00")
    await planner.look("2026-03-02 09:00")
    active = await schedules.disable(world.db, world.app, "News", now=planner.clock())
    assert (active.status.value, active.scheduled) == ("Active", False)
    assert await planner.complete()
    assert (await planner.now()).status.value == "Completed"


async def test_what_cannot_be_scheduled_is_refused(planner: Planner) -> None:
    world = planner.world
    with pytest.raises(NotFound, match="no campaign named Nobody"):
        await schedules.enable(world.db, world.app, "Nobody", body("2026-03-02 09:00:00"), now=planner.clock())
    with pytest.raises(Invalid, match="has passed"):
        await planner.enable(start="2026-03-02 06:00:00", recurrence=None)
    await planner.enable(start="2026-03-02 09:00:00")
    with pytest.raises(IllegalMove, match=r"starts by itself at 2026-03-02 09:00:00 \(UTC\). To play it now, disable"):
        await world.play(planner.campaign)
    await planner.look("2026-03-02 09:00")
    with pytest.raises(IllegalMove, match="enabling the schedule is possible only when it is: Ready, Stopped"):
        await planner.enable(start="2026-03-03 09:00:00")


async def test_an_edit_keeps_the_wall_time_in_the_new_zone(planner: Planner) -> None:
    world = planner.world
    await planner.enable(start="2026-03-02 09:00:00", recurrence=None)
    edited: dict[str, Any] = {
        "name": "News",
        "contactLists": ["People"],
        "format": "simple",
        "message": {"message": "Hello"},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": NEW_YORK},
        "schedule": {"isSchedulingEnabled": True, "isRecurrenceEnabled": False},
    }
    where = (world.db, world.app, planner.campaign.public_id)
    campaign = await campaigns.update(*where, edited, now=planner.clock())
    assert (campaign.status.value, campaign.next_start) == ("Rescheduled", at("2026-03-02 14:00"))
    planner.clock.set(at("2026-03-02 13:00"))
    edited["dialingStrategy"] = edited["dialingStrategy"] | {"callingHours": ALWAYS}
    with pytest.raises(Invalid, match="In UTC the schedule of campaign News has no start to come"):
        await campaigns.update(*where, edited, now=planner.clock())
    assert (await planner.now()).next_start == at("2026-03-02 14:00")
