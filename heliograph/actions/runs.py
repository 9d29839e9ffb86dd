"""Starting and ending runs. Ending is a barrier: once it has answered, not one more text leaves.

A worker writes a campaign's bytes only inside its gate, a shared advisory lock, and only after reading
in there that the campaign is still Active. Whoever ends a run takes the gate for itself first: that waits
for bytes being written at this moment and for nothing else, and takes the same time for ten people and
for ten million.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.actions import audit, flow_book, routes, webhooks
from heliograph.errors import Conflict, IllegalMove, NotFound
from heliograph.rules import campaign as law
from heliograph.rules import draft, ids, plain, template
from heliograph.rules import schedule as schedule_law
from heliograph.rules.campaign import CampaignStatus, Verb
from heliograph.rules.webhook import Event
from heliograph.store import app_settings, bell, campaigns, companions, dnc, locks, runs, schedules, sessions, tallies

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn, Database

CALLER_ID = "dialingStrategy.callerId.phoneNumber"

# An advanced campaign opens a conversation. Until it carries a text of its own, it opens with this.
OPENING = "Hello <First Name>, this is our support line. Reply to this message and we will help you."


async def play(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """Begin a new run of a campaign over its whole audience; answers the campaign, Active.

    Raises NotFound; IllegalMove when its status does not allow it, or when it is to start by itself;
    Conflict when no sender serves its caller id.
    """
    async with db.transaction() as conn:
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        if campaign.status in law.WAITING:
            raise IllegalMove(await _waits(conn, campaign), field="status")
        status = law.after(campaign.status, Verb.PLAY, name=campaign.name)
        audit.tell(f"Started {campaign.name}", object=campaign.public_id)
        return await begin(conn, campaign, status, now=now)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a run differs from an ordinary one.

    ``hours``: calling hours that count in place of the campaign's. ``emergency``: it goes before all other
    runs. ``retry_of``, ``retry_classes``: its audience is those of an earlier run with whom that one ended so.
    """

    hours: object = None
    emergency: bool = False
    retry_of: int | None = None
    retry_classes: tuple[str, ...] = ()


ORDINARY = Kind()


async def begin(
    conn: Conn, campaign: Campaign, status: CampaignStatus, *, now: datetime, kind: Kind = ORDINARY
) -> Campaign:
    """Begin a run of a campaign that the caller's transaction has locked; answers it with ``status``.

    Raises Conflict when nothing serves its caller id; nothing is written then.
    """
    route = await routes.find(conn, campaign.app_id, campaign.caller_id, field=CALLER_ID)
    public_id = ids.new("cid")
    substitutes = (await app_settings.get(conn, campaign.app_id)).plain_substitutes
    run_id = await runs.insert(
        conn,
        app_id=campaign.app_id,
        public_id=public_id,
        campaign_id=campaign.campaign_id,
        route=route,
        caller_id=campaign.caller_id,
        template=words(campaign, plain.Plain(substitutes)),
        missing=missing(campaign),
        calling_hours=campaign.dialing["callingHours"] if kind.hours is None else kind.hours,
        list_ids=list(campaign.list_ids),
        dnc_list_ids=await dnc_lists(conn, campaign),
        filters=campaign.filters,
        zone_rule=campaign.zone_rule,
        transactional=campaign.transactional,
        exclude_ids=campaign.exclude_ids,
        hold_out=campaign.hold_out,
        flow=await flow_of(conn, campaign),
        plain_substitutes=substitutes == plain.Plain.ON,
        emergency=kind.emergency,
        retry_of=kind.retry_of,
        retry_classes=list(kind.retry_classes) or None,
        now=now,
    )
    await tallies.open_for(conn, campaign.app_id, run_id, [0, *route.sender_ids])
    await campaigns.set_status(conn, campaign.app_id, campaign.campaign_id, status, now=now, run_id=run_id)
    await bell.ring(conn, "play")
    await webhooks.campaign(conn, campaign, Event.CAMPAIGN_STARTED, now=now, run_id=public_id)
    return replace(
        campaign,
        status=status,
        run_id=run_id,
        run_public_id=public_id,
        emergency=kind.emergency,
        updated_at=now,
        run_updated_at=now,
    )


async def flow_of(conn: Conn, campaign: Campaign) -> tuple[str, int] | None:
    """The flow that a run of a campaign that begins now goes through, and its newest version; None: a simple one.

    Raises Conflict when there is no such flow.
    """
    if campaign.format != "advanced" or campaign.flow_id is None:
        return None
    found = (await flow_book.load(conn, campaign.app_id))(campaign.flow_id, None)
    if found is None:
        text = (
            f"Campaign {campaign.name} goes through the flow {campaign.flow_id}, which this app does not have published"
        )
        raise Conflict(f"{text}: give the campaign the name of one that is", field="experienceFlowName")
    return campaign.flow_id, found[0]


async def stop(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """End the run under way and drop the rest of it; answers the campaign, Stopped, with its schedule off.

    When this returns no text of the campaign leaves any more. Raises NotFound, IllegalMove, and Stopping
    when a worker keeps the gate for too long (then nothing has changed).
    """
    async with db.transaction() as conn, locks.patiently(conn):
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        status = law.after(campaign.status, Verb.STOP, name=campaign.name)
        await _end(conn, campaign, status, reason="stopped", now=now)
        audit.tell(f"Stopped {campaign.name}: those not yet texted are dropped", object=campaign.public_id)
    return replace(campaign, status=status, scheduled=False, recurring=False, next_start=None, updated_at=now)


async def pause(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """Hold the run under way; answers the campaign, Paused. The same barrier as :func:`stop`.

    Nobody is dropped: whoever was not sent to waits, and :func:`resume` carries on with exactly those.
    Raises NotFound, IllegalMove, Stopping.
    """
    async with db.transaction() as conn, locks.patiently(conn):
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        status = law.after(campaign.status, Verb.PAUSE, name=campaign.name)
        if campaign.emergency:
            text = f"Campaign {campaign.name} runs as an emergency, which cannot be paused; it can be stopped"
            raise IllegalMove(text, field="status")
        await locks.close_gate(conn, campaign.campaign_id)
        await campaigns.set_status(conn, app.app_id, campaign.campaign_id, status, now=now)
        await bell.ring(conn, "paused")
        await webhooks.campaign(conn, campaign, Event.CAMPAIGN_PAUSED, now=now)
        audit.tell(f"Paused {campaign.name}", object=campaign.public_id)
    return replace(campaign, status=status, updated_at=now)


async def resume(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """Carry on with a paused run; answers the campaign, Active. Raises NotFound, IllegalMove."""
    async with db.transaction() as conn:
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        status = law.after(campaign.status, Verb.RESUME, name=campaign.name)
        await campaigns.set_status(conn, app.app_id, campaign.campaign_id, status, now=now)
        await bell.ring(conn, "resumed")
        await webhooks.campaign(conn, campaign, Event.CAMPAIGN_RESUMED, now=now)
        audit.tell(f"Resumed {campaign.name}", object=campaign.public_id)
    return replace(campaign, status=status, updated_at=now)


async def delete(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """Delete a campaign, in whatever status; one that could still send is stopped in the same step.

    Answers the campaign as it was, with status Stopped if it had to be stopped. When this returns no text
    of it leaves any more and nobody finds it; its unsent rows are cleared away in the background, and what
    was sent stays in the ledger. Raises NotFound and Stopping.
    """
    async with db.transaction() as conn, locks.patiently(conn):
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        status = law.after(campaign.status, Verb.DELETE, name=campaign.name)
        await _end(conn, campaign, status, reason="deleted", now=now)
        await campaigns.mark_deleted(conn, app.app_id, campaign.campaign_id, status, now=now)
        was = campaign.status.value
        audit.tell(f"Deleted the campaign {campaign.name}, which was {was}", object=campaign.public_id)
    return replace(campaign, status=status)


async def complete(db: Database, run: runs.Run, *, now: datetime) -> bool:
    """Call a run complete if nobody of it is left to text; whether it was.

    Its campaign is Completed then or, when its schedule has another start, Scheduled again.
    Somebody accepted whose receipt has not come, or whose fate is unknown, does not keep it open: there
    is nothing left for the engine to do.
    """
    async with db.connection() as conn:
        if not await _is_over(conn, run, now):
            return False
    async with db.transaction() as conn:
        try:
            campaign = await campaigns.lock(conn, run.app_id, run.campaign_public_id)
        except NotFound:
            return False
        if campaign.run_id != run.run_id or campaign.status is not CampaignStatus.ACTIVE:
            return False
        # Once more, now that nobody else can lock the campaign: somebody unknown may have been given their turn again.
        if not await _is_over(conn, run, now):
            return False
        verb = Verb.COMPLETE if campaign.next_start is None else Verb.RECUR
        status = law.after(campaign.status, verb, name=campaign.name)
        await campaigns.set_status(conn, run.app_id, run.campaign_id, status, now=now)
        if campaign.next_start is None:
            await schedules.disable(conn, run.app_id, run.campaign_id, now=now)
        await runs.end(conn, run.app_id, run.run_id, reason="completed", now=now)
        await bell.ring(conn, "completed")
        await webhooks.campaign(conn, campaign, Event.CAMPAIGN_COMPLETED, now=now)
    return True


async def finish(db: Database, app_id: int, campaign_id: str, *, now: datetime) -> bool:
    """Complete a campaign that is Active although its schedule's end has come; whether it was.

    The same barrier as :func:`stop`: whoever was not sent to is expired. Raises NotFound, Stopping.
    """
    async with db.transaction() as conn, locks.patiently(conn):
        campaign = await campaigns.lock(conn, app_id, campaign_id)
        schedule = await schedules.find(conn, app_id, campaign.campaign_id)
        if campaign.status is not CampaignStatus.ACTIVE or schedule is None or not schedule.enabled:
            return False
        if schedule.ends_at is None or schedule.ends_at > now:
            return False
        status = law.after(campaign.status, Verb.COMPLETE, name=campaign.name)
        await _end(conn, campaign, status, reason="completed", now=now)
    return True


async def _is_over(conn: Conn, run: runs.Run, now: datetime) -> bool:
    """Planned to the end, nobody waits or is being submitted, and no conversation of it is under way.

    True until somebody unknown gets their turn again.
    """
    fresh = await runs.get(conn, run.app_id, run.run_id)
    if fresh.planned_at is None:
        return False
    carried_on = await companions.list_of(conn, run.app_id, run.run_id) if run.flow is not None else {}
    for run_id in (run.run_id, *carried_on.values()):
        ledger = await tallies.read(conn, run.app_id, run_id, now)
        if ledger.settled != ledger.total:
            return False
    return run.flow is None or not await sessions.any_open(conn, run.app_id, run.run_id)


_TOLD = {
    "stopped": Event.CAMPAIGN_STOPPED,
    "completed": Event.CAMPAIGN_COMPLETED,
    "deleted": Event.CAMPAIGN_DELETED,
}


async def _end(conn: Conn, campaign: Campaign, status: CampaignStatus, *, reason: str, now: datetime) -> None:
    """Close the gate, then change what everyone inside one reads. Nothing starts by itself afterwards."""
    await locks.close_gate(conn, campaign.campaign_id)
    if status is not campaign.status:
        await campaigns.set_status(conn, campaign.app_id, campaign.campaign_id, status, now=now)
    await schedules.disable(conn, campaign.app_id, campaign.campaign_id, now=now)
    if campaign.run_id is not None:
        ended = await runs.end(conn, campaign.app_id, campaign.run_id, reason=reason, now=now)
        await tallies.expire_waiting(conn, campaign.app_id, ended)
    await bell.ring(conn, reason)
    await webhooks.campaign(conn, campaign, _TOLD[reason], now=now)


async def _waits(conn: Conn, campaign: Campaign) -> str:
    """What to tell someone who plays a campaign that is to start by itself: when it will, and how to play it now."""
    schedule = await schedules.find(conn, campaign.app_id, campaign.campaign_id)
    zone = campaign.dialing["callingHours"]["timezone"]
    told = f"Campaign {campaign.name} is {campaign.status.value}"
    if campaign.next_start is not None:
        told += f": it starts by itself at {schedule_law.wall(campaign.next_start, zone)}"
    elif schedule is not None and schedule.last_reason is not None:
        told += f", but no start of it is to come: {schedule.last_reason}"
    return f"{told}. To play it now, disable its schedule first"


def words(campaign: Campaign, substitutes: plain.Plain = plain.Plain.OFF) -> str:
    """The text of a run, decoded and ready to be filled in: with plain substitutes if it is the same for everybody.

    Whether another fits in plain characters is seen when it has been filled in, for each person.
    """
    text = draft.message_text(campaign.message or {}) or OPENING
    return plain.apply(text, substitutes) if template.compile_text(text).is_plain else text


def missing(campaign: Campaign) -> dict[str, str]:
    """What a run does where a person has no value for a placeholder."""
    rule = template.parse_missing((campaign.message or {}).get("onMissing"))
    return {"rule": rule.rule, "default": rule.default}


async def dnc_lists(conn: Conn, campaign: Campaign) -> list[int]:
    """The campaign's own DNC list and, unless the app has them for voice only, the app's global ones."""
    linked = [] if campaign.dnc_list_id is None else [campaign.dnc_list_id]
    return linked + [list_id for list_id in await global_dnc_lists(conn, campaign.app_id) if list_id not in linked]


async def global_dnc_lists(conn: Conn, app_id: int) -> list[int]:
    """The DNC lists that count for every text of the app: its global ones, unless it has them for voice only."""
    if not (await app_settings.get(conn, app_id)).global_dnc_applies_to_sms:
        return []
    return await dnc.list_global(conn, app_id)
