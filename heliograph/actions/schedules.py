"""Schedules: switching them on and off, and starting what is due.

A start goes through the code of play, in one transaction with the schedule's own row and under the campaign's
lock: however many workers look, one of them starts it, once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.actions import audit, runs
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.rules import campaign as law
from heliograph.rules import counts, hours, schedule_body
from heliograph.rules import schedule as schedule_law
from heliograph.rules.campaign import Verb
from heliograph.store import campaigns, schedules

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.schedule import Due, Schedule
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn, Database
    from heliograph.store.schedules import Outcome

log = logging.getLogger(__name__)


async def enable(db: Database, app: App, name: str, body: object, *, now: datetime) -> Campaign:
    """Let the campaign of this name start by itself as ``body`` says; answers it, Scheduled or Rescheduled.

    Any schedule it had is replaced. Raises NotFound, IllegalMove while a run of it is under way, Invalid for a
    body that cannot be used or has no start to come.
    """
    async with db.transaction() as conn:
        campaign = await _lock_named(conn, app, name)
        status = law.after(campaign.status, Verb.SCHEDULE, name=campaign.name)
        schedule = read(campaign, body)
        await schedules.enable(
            conn,
            app.app_id,
            campaign.campaign_id,
            body=body,
            recurs=schedule.recurrence is not None,
            next_at=schedule_body.first_start(schedule, now),
            ends_at=schedule_law.ends_at(schedule),
            now=now,
        )
        await campaigns.set_status(conn, app.app_id, campaign.campaign_id, status, now=now)
        audit.tell(f"Let {campaign.name} start by itself", object=campaign.public_id)
        return await campaigns.get(conn, app.app_id, campaign.public_id)


async def disable(db: Database, app: App, name: str, *, now: datetime) -> Campaign:
    """Let the campaign of this name start by hand only; answers it.

    Ready, if it waited for a start; a run under way goes on and is the last. Without a schedule nothing
    changes. Raises NotFound.
    """
    async with db.transaction() as conn:
        campaign = await _lock_named(conn, app, name)
        status = law.after(campaign.status, Verb.UNSCHEDULE, name=campaign.name)
        audit.tell(f"Let {campaign.name} start by hand only", object=campaign.public_id)
        await schedules.disable(conn, app.app_id, campaign.campaign_id, now=now)
        if status is not campaign.status:
            await campaigns.set_status(conn, app.app_id, campaign.campaign_id, status, now=now)
        return await campaigns.get(conn, app.app_id, campaign.public_id)


async def start(db: Database, app_id: int, campaign_id: str, *, now: datetime) -> Outcome | None:
    """Do what is to be done about a campaign whose start has come, and write down what that was.

    None when there is nothing to do (any more): another worker was here, the schedule was switched off, the
    campaign is gone or is being changed at this moment (then the caller looks again).
    """
    async with db.transaction() as conn:
        campaign = await campaigns.lock_free(conn, app_id, campaign_id)
        if campaign is None or campaign.next_start is None or campaign.next_start > now:
            return None
        stored = await schedules.find(conn, app_id, campaign.campaign_id)
        if stored is None:
            return None
        schedule = read(campaign, stored.body)
        due = schedule_law.due(schedule, campaign.next_start, now)
        outcome, reason = await _act(conn, campaign, schedule, due, now)
        await schedules.record(
            conn,
            app_id,
            campaign.campaign_id,
            at=due.at,
            outcome=outcome,
            reason=reason,
            next_at=due.next_at,
            now=now,
        )
    level = logging.INFO if outcome == "started" else logging.WARNING
    log.log(level, "schedule_%s campaign=%s due=%s reason=%s", outcome, campaign_id, due.at.isoformat(), reason)
    return outcome


async def follow(conn: Conn, before: Campaign, after: Campaign, *, now: datetime) -> None:
    """Keep a schedule's wall times when an edit has moved its campaign to another zone.

    Raises Invalid when that leaves it without a start to come.
    """
    stored = await schedules.find(conn, after.app_id, after.campaign_id)
    if stored is None or not stored.enabled:
        return
    schedule = read(after, stored.body)
    if schedule.zone == read(before, stored.body).zone:
        return
    next_at = None if stored.next_at is None else schedule_law.next_after(schedule, now)
    if stored.next_at is not None and next_at is None:
        text = (
            f"In {schedule.zone} the schedule of campaign {after.name} has no start to come: keep the zone, or set the "
            "schedule anew or disable it first"
        )
        raise Invalid(text, field="dialingStrategy.callingHours.timezone")
    ends_at = schedule_law.ends_at(schedule)
    await schedules.move(conn, after.app_id, after.campaign_id, next_at=next_at, ends_at=ends_at, now=now)


def read(campaign: Campaign, body: object) -> Schedule:
    """A schedule's body, on the clock of its campaign. Raises Invalid."""
    return schedule_body.parse(body, hours.parse(campaign.dialing["callingHours"]).zone)


async def _act(
    conn: Conn, campaign: Campaign, schedule: Schedule, due: Due, now: datetime
) -> tuple[Outcome, str | None]:
    """Start a run, or leave it, and say why."""
    if campaign.status in law.UNDER_WAY:
        return "skipped", f"the run before it was still {campaign.status.value}"
    missed = f"{due.missed} before it had passed with no worker running" if due.missed else None
    if due.too_late:
        late, allowed = (int(span.total_seconds() // 60) for span in (now - due.at, schedule.late))
        was = counts.of(late, "minute", "minutes") if late else "less than a minute"
        text = f"no worker was running at its time; {was} late, and its schedule allows {allowed}"
        return "held", f"{text}; {missed}" if missed else text
    try:
        status = law.after(campaign.status, Verb.START, name=campaign.name)
        await runs.begin(conn, campaign, status, now=now, kind=runs.Kind(hours=schedule_law.window(schedule)))
    except Conflict as error:
        return "held", error.message
    return "started", missed


async def _lock_named(conn: Conn, app: App, name: str) -> Campaign:
    """The app's campaign of this name, in any case of its letters, locked. Raises NotFound."""
    found = await campaigns.find_name(conn, app.app_id, name)
    if found is None:
        raise NotFound(f"There is no campaign named {name} in this app", field="campaignName")
    return await campaigns.lock(conn, app.app_id, found.public_id)
