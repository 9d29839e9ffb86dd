"""Runs out of the ordinary: an emergency, and one over the failures of an earlier run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.actions import runs as ordinary
from heliograph.errors import Conflict, IllegalMove, Invalid, NotFound
from heliograph.rules import campaign as law
from heliograph.rules.campaign import Verb
from heliograph.store import campaigns, retention, runs, schedules, tallies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database

AT_ANY_HOUR = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}

RETRY_CLASSES = ("failed", "expired")
"""How it can have ended with whom a retry may text: refused, or never sent. Nobody who may have got a text."""


async def emergency(db: Database, app: App, campaign_id: str, *, now: datetime) -> Campaign:
    """Play a campaign at once, whatever its schedule and hours, before all other runs; answers it, Active.

    The do-not-contact lists count as ever. Its schedule is off afterwards. Raises NotFound, IllegalMove,
    and Conflict when another emergency of the account is under way.
    """
    async with db.transaction() as conn:
        await runs.hold_account(conn, app.account_id)
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        status = law.after(campaign.status, Verb.EMERGENCY, name=campaign.name)
        other = await runs.find_emergency(conn, app.account_id)
        if other is not None:
            raise Conflict(f"Campaign {other} of this account runs as an emergency already; stop it first")
        await schedules.disable(conn, app.app_id, campaign.campaign_id, now=now)
        kind = ordinary.Kind(hours=AT_ANY_HOUR, emergency=True)
        played = await ordinary.begin(conn, campaign, status, now=now, kind=kind)
        audit.tell(f"Started {campaign.name} as an emergency, at any hour", object=campaign.public_id)
    return replace(played, scheduled=False, recurring=False, next_start=None)


async def retry(
    db: Database, app: App, campaign_id: str, *, run_id: str | None, classes: Sequence[str], now: datetime
) -> Campaign:
    """Begin a run over those of an earlier run (the last one unless ``run_id`` names another) that failed.

    Never over anyone accepted, delivered or unknown. Raises NotFound, IllegalMove, Invalid, and Conflict when there is
    nobody to retry: a run over nobody would end at once, and stand in the way as the last one.
    """
    wrong = next((word for word in classes if word not in RETRY_CLASSES), None)
    if wrong is not None or not classes:
        found = "empty" if wrong is None else repr(wrong)
        raise Invalid(f"classes is {found}. It takes any of {', '.join(RETRY_CLASSES)}", field="classes")
    async with db.transaction() as conn:
        campaign = await campaigns.lock(conn, app.app_id, campaign_id)
        if campaign.status in law.WAITING:
            text = f"Campaign {campaign.name} is {campaign.status.value}; disable its schedule to retry by hand"
            raise IllegalMove(text, field="status")
        status = law.after(campaign.status, Verb.RETRY, name=campaign.name)
        wanted = run_id or campaign.run_public_id
        earlier = None if wanted is None else await runs.find_public(conn, app.app_id, wanted)
        if earlier is None or earlier.campaign_id != campaign.campaign_id:
            text = (
                f"Campaign {campaign.name} has no run {wanted}" if wanted else f"{campaign.name} has never been played"
            )
            raise NotFound(text, field="campaignInstanceId")
        removed_at = await retention.people_removed_at(conn, app.app_id, earlier.run_id)
        if removed_at is not None:
            text = f"Run {earlier.public_id} cannot be retried: its people were removed by retention"
            raise Conflict(f"{text} on {removed_at:%Y-%m-%d}", field="campaignInstanceId")
        ended = await tallies.read(conn, app.app_id, earlier.run_id, now)
        numbers = {"failed": ended.failed, "expired": ended.expired}
        if not any(numbers[word] for word in classes):
            there = ", ".join(f"{number} {word}" for word, number in numbers.items())
            text = f"Run {earlier.public_id} of campaign {campaign.name} has nobody to retry as {', '.join(classes)}"
            raise Conflict(f"{text}: it has {there}", field="classes")
        kind = ordinary.Kind(retry_of=earlier.run_id, retry_classes=tuple(dict.fromkeys(classes)))
        audit.tell(f"Started {campaign.name} over those who were {' or '.join(classes)}", object=campaign.public_id)
        return await ordinary.begin(conn, campaign, status, now=now, kind=kind)
