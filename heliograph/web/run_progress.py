"""How a run goes, for its campaign's page: when it will finish, what it costs, why texts did not arrive, its chart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from heliograph.rules import forecast, hours, prices, quiet
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import app_settings, progress, runs, senders
from heliograph.web import chart, reasons

if TYPE_CHECKING:
    from heliograph.store.database import Conn
    from heliograph.store.overview import Standing
    from heliograph.store.progress import Sample, Weight
    from heliograph.store.runs import Run
    from heliograph.web.chart import Chart

FEW = 10_000  # people without a carrier's reference whose reasons are counted one by one
REFLESS = frozenset({"suppressed", "unknown", "expired"})
MOST_REASONS = 12


@dataclass(frozen=True, slots=True)
class Why:
    """So many people of one status for one reason, in words."""

    status: str
    code: str
    words: str
    people: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is told of a run besides where its people stand. One person in ``every`` was looked at; 1: everybody."""

    every: int
    chart: Chart | None
    left_out: tuple[Why, ...]  # suppressed, or expired
    failures: tuple[Why, ...]  # failed, or unknown
    counted: bool  # left_out is exact
    parts_a_text: float | None
    parts: int  # of what was sent
    cost: str | None
    finish: str  # what can be said of when it is through: "at", "never", or empty
    ends: datetime | None
    rate: float | None  # parts a second that its senders take together


NOTHING = Progress(
    1, None, (), (), counted=True, parts_a_text=None, parts=0, cost=None, finish="", ends=None, rate=None
)


async def read(conn: Conn, app_id: int, standing: Standing, now: datetime) -> Progress:
    """How the present run of a campaign goes, or went."""
    if standing.run_id is None:
        return NOTHING
    of = await progress.sample(conn, app_id, standing.run_id)
    run = await runs.get(conn, app_id, standing.run_id)
    found = NOTHING if not of.last else await _so_far(conn, of, standing)
    weights = await progress.weights(conn, of) if of.last else []
    texts = sum(weight.texts for weight in weights)
    each = sum(weight.parts * weight.texts for weight in weights) / texts if texts else None
    price = prices.in_force((await app_settings.get(conn, app_id)).prices)
    ends, rate = await _finish(conn, run, standing, each or 1.0, now)
    left = [weight for weight in weights if weight.left]
    moving = standing.status in (CampaignStatus.ACTIVE, CampaignStatus.PAUSED) and bool(
        standing.ledger.held + standing.ledger.ready + standing.unread
    )
    return replace(
        found,
        parts_a_text=each,
        parts=sum(weight.parts * weight.texts for weight in left) * of.every,
        cost=_cost(left, price, of.every),
        finish="" if not moving else "never" if ends is None else "at",
        ends=ends if moving else None,
        rate=rate,
    )


async def _so_far(conn: Conn, of: Sample, standing: Standing) -> Progress:
    slots = await progress.timeline(conn, of)
    ledger = standing.ledger
    whys = [
        Why(one.status, one.reason, reasons.words(one.reason), one.people * of.every)
        for one in await progress.reasons(conn, of)
    ]
    few = of.every > 1 and ledger.suppressed + ledger.failed + ledger.unknown + ledger.expired <= FEW
    if few:
        exact = await progress.refless_reasons(conn, of.app_id, of.run_id)
        whys = [one for one in whys if one.status not in REFLESS] + [
            Why(one.status, one.reason, reasons.words(one.reason), one.people) for one in exact if one.status in REFLESS
        ]
    return replace(
        NOTHING,
        every=of.every,
        chart=chart.draw(slots, of.every),
        left_out=_most([one for one in whys if one.status in {"suppressed", "expired"}]),
        failures=_most([one for one in whys if one.status in {"failed", "unknown"}]),
        counted=of.every == 1 or few,
    )


def _most(whys: list[Why]) -> tuple[Why, ...]:
    """Those of one wording together, the most people first."""
    people = Counter[tuple[str, str]]()
    codes: dict[tuple[str, str], str] = {}
    for one in whys:
        people[one.status, one.words] += one.people
        codes.setdefault((one.status, one.words), one.code)
    return tuple(
        Why(status, codes[status, words], words, number) for (status, words), number in people.most_common(MOST_REASONS)
    )


def _cost(left: list[Weight], price: prices.Prices | None, every: int) -> str | None:
    """What was sent has cost, as far as prices are known."""
    if price is None:
        return None
    whole = Decimal(0)
    for weight in left:
        whole += (price.of(prices.country(weight.start)) or Decimal(0)) * weight.parts * weight.texts * every
    return f"{whole:,.2f} {price.currency}"


async def _finish(
    conn: Conn, run: Run, standing: Standing, parts: float, now: datetime
) -> tuple[datetime | None, float | None]:
    """When the last text leaves at the rate of its senders, from now on; and that rate."""
    known = [await senders.get(conn, run.app_id, sender_id) for sender_id in run.sender_ids]
    rate = forecast.together([(one.parts_per_second, one.parts_per_day, one.day_zone) for one in known])
    calling = hours.parse(run.calling_hours)
    waiting = Counter[tuple[datetime, str, str]]()
    for one in await progress.waits(conn, run.app_id, run.run_id):
        waiting[max(one.due_at, now), one.zone, one.law] += round(one.people * parts)
    if standing.unread:
        waiting[now, calling.zone, ""] += round(standing.unread * parts)
    law = quiet.OFF if run.transactional else quiet.in_force(run.quiet_hours)
    return forecast.ends(waiting, rate, calling, law, now), rate.parts_per_second
