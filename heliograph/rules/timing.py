"""When one person of a run may be texted: the campaign's calling hours and the law of the place, in which zones.

Zones are looked for in this order: the contact's own, those that the number may be in, the campaign's. Where several
count, all of them must be open. A zone that is none (a misspelt one) counts as not there: nobody is left out for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import hours, place, quiet, wording, zones

if TYPE_CHECKING:
    from datetime import datetime

BETWEEN = ","  # of several zones kept as one text


class ZoneRule(StrEnum):
    """Whose clock a campaign's calling hours go by."""

    VENDOR = "vendor"  # the contact's own, else the campaign's
    RECIPIENT = "recipient"  # the contact's own, else all that the number may be in, else the campaign's


class Basis(StrEnum):
    """Who named the zones that the calling hours are read in."""

    CONTACT = "contact"
    NUMBER = "number"
    CAMPAIGN = "campaign"


class Where(NamedTuple):
    """``zone``: every zone in which calling hours count; ``law``: the key of the place whose law does, or empty."""

    zone: str
    law: str
    basis: Basis


class Counted(NamedTuple):
    """By whose zones how many people of a run are texted. ``exempt``: quiet hours do not count for any of them."""

    by_contact: int = 0
    by_number: int = 0
    by_campaign: int = 0
    exempt: bool = False


def told(counted: Counted) -> str:
    """It in a sentence, or nothing when nobody was planned."""
    ways = {
        "by their own zone": counted.by_contact,
        "by the zones of their number": counted.by_number,
        "by the campaign's zone": counted.by_campaign,
    }
    said = ", ".join(f"for {wording.people(people)} {way}" for way, people in ways.items() if people)
    exempt = " It is transactional: quiet hours do not count." if counted.exempt else ""
    return f"Calling hours count {said}.{exempt}" if said else ""


def where(rule: ZoneRule, own_zone: str | None, may_be: place.Place, campaign_zone: str, *, exempt: bool) -> Where:
    """Which clocks count for someone whose number may be at ``may_be``. ``exempt``: the law does not count."""
    own = zones.zone(own_zone) if own_zone else None
    if own is not None:
        by_number, zone, basis = (own,), own, Basis.CONTACT
    elif rule is ZoneRule.RECIPIENT and may_be.zones:
        by_number, zone, basis = may_be.zones, BETWEEN.join(may_be.zones), Basis.NUMBER
    else:
        by_number, zone, basis = may_be.zones or (campaign_zone,), campaign_zone, Basis.CAMPAIGN
    return Where(zone, "" if exempt else place.Place(may_be.regions, by_number).key, basis)


def law_of(number: str) -> str:
    """The key of the place of a number whose owner is known by nothing else. One of no country counts as in UTC."""
    may_be = place.of(number)
    return place.Place(may_be.regions, may_be.zones or ("UTC",)).key


def is_open(calling: hours.CallingHours, zone: str, rules: quiet.Law, law: str, now: datetime) -> bool:
    """Whether a text may leave at ``now``. ``zone`` and ``law`` are those of :class:`Where`."""
    return is_called(calling, zone, now) and is_lawful(rules, law, now)


def is_called(calling: hours.CallingHours, zone: str, now: datetime) -> bool:
    """Whether the calling hours are open at ``now`` in all of the zones."""
    return all(hours.is_open(calling, name, now) for name in zone.split(BETWEEN))


def is_lawful(rules: quiet.Law, law: str, now: datetime) -> bool:
    """Whether the law lets a text arrive at ``now``."""
    return not law or quiet.is_open(rules, place.from_key(law), now)


def next_open(calling: hours.CallingHours, zone: str, rules: quiet.Law, law: str, now: datetime) -> datetime | None:
    """The first instant from ``now`` on at which :func:`is_open`; None when there is none in five weeks."""
    may_be = place.from_key(law) if law else place.NOWHERE
    return quiet.common_opening(rules if law else quiet.OFF, may_be, calling, tuple(zone.split(BETWEEN)), now)


def names(rules: quiet.Law, law: str) -> str:
    """The places whose rules count, by name and the closest last: ``United States, Florida``."""
    return ", ".join(rule.name for rule in rules.of(place.from_key(law).regions)) if law else ""


def closest(rules: quiet.Law, law: str) -> str:
    """The name of the closest place whose rules count: ``Florida``; of several that are equally close, all."""
    found = rules.of(place.from_key(law).regions) if law else ()
    states = [rule.name for rule in found if rule.place != rule.country]
    return ", ".join(states or [rule.name for rule in found])
