"""Counting whom a campaign would reach if it were played now, without playing it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import openings, runs, turned_away
from heliograph.rules import audience, caps, draft, filters, hours, plain, quiet, template, timing
from heliograph.rules import body as reading
from heliograph.rules.audience import LeftOut
from heliograph.rules.preview import DUPLICATE
from heliograph.store import app_settings, campaigns, dnc
from heliograph.store import audience as members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.app_settings import AppSettings
    from heliograph.store.apps import App
    from heliograph.store.audience import Counted
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database

PAGE = 5_000
BREATH = 250  # people decided between two looks at the other tasks: a few milliseconds


@dataclass(slots=True)
class Count:
    """How many ``contacts`` there are, how many of them would be texted, and why the others would not."""

    campaign: Campaign
    contacts: int
    reached: int
    left_out: dict[str, int]


async def count(db: Database, app: App, campaign_id: str, body: object, *, now: datetime) -> Count:
    """Decide about everybody as a run that begins now would; nothing is written, and nobody is texted.

    With ``filters`` in the body, as if the campaign had these. Page by page, so that memory and the other tasks
    do not feel how many there are. Raises NotFound, Invalid.
    """
    sent = reading.mapping(body, "")
    async with db.connection() as conn:
        campaign = await campaigns.get(conn, app.app_id, campaign_id)
        dnc_list_ids = await runs.dnc_lists(conn, campaign)
        settings = await app_settings.get(conn, app.app_id)
    limits = () if campaign.transactional else caps.in_force(settings.frequency_cap)
    told = "filters" in sent or "isFiltersEnabled" in sent
    plan = plan_of(campaign, draft.filters(sent) if told else campaign.filters, settings, now)
    done = Count(campaign, 0, 0, dict.fromkeys((DUPLICATE, *LeftOut), 0))
    after = ""
    while True:
        async with db.connection() as conn:
            page = await members.read_numbers(
                conn, app.app_id, campaign.list_ids, after=after, limit=PAGE, with_fields=plan.needs_fields
            )
            numbers = [one.number for one in page]
            blocked = await dnc.find_blocked(
                conn, app.app_id, dnc_list_ids, numbers, now, address=campaign.caller_id, exempt=campaign.transactional
            )
            away = await turned_away.find(conn, app.app_id, numbers, limits, campaign.exclude_ids, now=now)
        if not page:
            return done
        await _decide(plan, page, blocked, away, done)
        after = page[-1].number


def plan_of(campaign: Campaign, wanted: object, settings: AppSettings, now: datetime) -> audience.Plan:
    """How a run of the campaign that begins now would treat everyone; ``wanted`` are the filters, None for none."""
    substitutes = plain.Plain(settings.plain_substitutes)
    words = runs.words(campaign, substitutes) if campaign.flow_id is None else openings.A_TEXT
    return audience.Plan(
        text=template.compile_text(words),
        missing=template.parse_missing(runs.missing(campaign)),
        hours=hours.parse(campaign.dialing["callingHours"]),
        now=now,
        own=words,
        filter=None if wanted is None else filters.parse(wanted),
        zone_rule=timing.ZoneRule(campaign.zone_rule),
        law=quiet.in_force(settings.quiet_hours),
        exempt=campaign.transactional,
        campaign_id=campaign.public_id,
        hold_out=campaign.hold_out,
        substitutes=substitutes is plain.Plain.ON,
    )


async def _decide(
    plan: audience.Plan, page: Sequence[Counted], blocked: set[str], away: turned_away.Away, done: Count
) -> None:
    for place, one in enumerate(page, 1):
        done.contacts += one.copies
        done.left_out[DUPLICATE] += one.copies - 1
        decision = plan.decide(one, blocked, away)
        if isinstance(decision, audience.Planned):
            done.reached += 1
        else:
            done.left_out[decision[0]] += 1
        if place % BREATH == 0:
            await asyncio.sleep(0)
