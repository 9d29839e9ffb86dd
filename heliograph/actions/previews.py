"""What playing a campaign would do, before it is played. Nothing is written, and nobody is texted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from heliograph.actions import onlookers, routes, runs
from heliograph.actions.onlookers import Look
from heliograph.rules import audience, forecast, plain
from heliograph.rules import prices as costs
from heliograph.rules.preview import DUPLICATE
from heliograph.store import app_settings, campaigns, senders
from heliograph.store import audience as members

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from heliograph.rules.forecast import Rate
    from heliograph.rules.preview import Preview
    from heliograph.rules.prices import Prices
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database

SOON = 1_000_000  # people who can be looked at within ten seconds when each has words of their own
SOON_BY_FLOW = 100_000  # and when a flow says what each reads first
SAMPLE = 100_000
NOTHING = Decimal(0)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview of ``campaign``. One person in ``every`` was looked at; 1: it is exact."""

    campaign: Campaign
    preview: Preview
    every: int
    prices: Prices | None
    rate: Rate | None  # None: nothing serves its caller id
    begins: datetime | None
    ends: datetime | None
    plain_template: str | None  # its text with plain substitutes, when it has any


async def show(
    db: Database,
    app: App,
    campaign_id: str,
    *,
    now: datetime,
    exact: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> Shown:
    """Decide about everybody as a run that begins now would, with the same law.

    Of a very large audience whose members get words of their own one in so many, unless ``exact``.
    ``told`` hears how many have been looked at, of how many. Raises NotFound.
    """
    async with db.connection() as conn:
        campaign = await campaigns.get(conn, app.app_id, campaign_id)
        settings = await app_settings.get(conn, app.app_id)
        dnc_list_ids = await runs.dnc_lists(conn, campaign)
        size = await members.size(conn, app.app_id, campaign.list_ids)
    look = Look(campaign, settings, dnc_list_ids, now)
    plan = look.plan()
    soon = SOON if campaign.flow_id is None else SOON_BY_FLOW
    if not exact and (plan.needs_fields or campaign.flow_id) and size > soon:
        look = replace(look, every=-(-size // SAMPLE))
    every = look.every
    looked = 0

    def tell(people: int) -> None:
        nonlocal looked
        looked += people
        if told is not None:
            told(looked, -(-size // every))

    preview = await onlookers.all_of(db, look, size, tell)
    waiting = {key: parts * every for key, parts in preview.waiting().items()}
    rate = await _rate(db, campaign)
    return Shown(
        campaign,
        preview,
        every,
        costs.in_force(settings.prices),
        rate,
        min((due for due, _, _ in waiting), default=None),
        None if rate is None else forecast.ends(waiting, rate, plan.hours, plan.law, now),
        _plain_template(runs.words(campaign)) if campaign.flow_id is None else None,
    )


async def _rate(db: Database, campaign: Campaign) -> Rate | None:
    """What the senders that would text them take together."""
    async with db.connection() as conn:
        route = await routes.look(conn, campaign.app_id, campaign.caller_id)
        found = [await senders.get(conn, campaign.app_id, sender_id) for sender_id in route]
    limits = [(one.parts_per_second, one.parts_per_day, one.day_zone) for one in found]
    return forecast.together(limits) if limits else None


def _plain_template(words: str) -> str | None:
    """The words with plain substitutes, if that makes what everybody gets of them fit GSM 03.38."""
    found = plain.simplify(words)
    return found.text if found.exchanged else None


def facts(shown: Shown, instant: Callable[[datetime], str]) -> dict[str, object]:
    """A preview as JSON. Of one that is not exact, numbers are reckoned for everybody."""
    found, times = shown.preview, shown.every
    countries = found.countries(shown.prices)
    parts, simple = sum(row.parts for row in countries), sum(row.plain_parts for row in countries)
    cost = None if shown.prices is None else sum((row.cost or NOTHING for row in countries), NOTHING)
    plain_cost = None
    if shown.prices is not None:
        plain_cost = sum(((row.price or NOTHING) * row.plain_parts for row in countries), NOTHING)
    return {
        "exact": times == 1,
        "looked": found.contacts,
        "contacts": found.contacts * times,
        "reached": found.reached * times,
        "leftOut": {reason: found.left_out[reason] * times for reason in (DUPLICATE, *map(str, audience.LeftOut))},
        "parts": parts * times,
        "partsPerText": {str(needed): texts * times for needed, texts in found.parts_per_text().items()},
        "wideTexts": found.wide_texts * times,
        "characters": [
            {
                "character": wide.character,
                "code": f"U+{ord(wide.character):04X}",
                "name": wide.name,
                "texts": wide.texts * times,
                "substitute": wide.substitute,
            }
            for wide in found.characters()
        ],
        "substitutes": {
            "texts": found.fitting_texts * times,
            "parts": simple * times,
            "cost": _money(plain_cost, times),
            "template": shown.plain_template,
        },
        "currency": None if shown.prices is None else shown.prices.currency,
        "cost": _money(cost, times),
        "unpriced": sum(row.parts for row in countries if row.price is None) * times,
        "countries": [
            {
                "country": row.country,
                "people": row.people * times,
                "parts": row.parts * times,
                "cost": _money(row.cost, times),
            }
            for row in countries
        ],
        "zones": {basis: people * times for basis, people in found.zones().items()},
        "begins": None if shown.begins is None else instant(shown.begins),
        "ends": None if shown.ends is None else instant(shown.ends),
        "rate": None if shown.rate is None else shown.rate.parts_per_second,
    }


def _money(amount: Decimal | None, times: int) -> str | None:
    """With two digits, or as many as the price has."""
    if amount is None:
        return None
    whole = amount * times
    return str(max(whole.normalize(), whole.quantize(CENT), key=lambda each: -int(each.as_tuple().exponent)))
