"""Nobody is texted at night: people in every zone of the world, planned and looked at again, against an oracle.

The oracle shares nothing with the rules but their data: dateutil's clocks, the raw tables, the windows as texts.
A short form runs with the suite; ``HELIOGRAPH_RECIPIENTS=1000000`` runs as many as that.
"""

from __future__ import annotations

import csv
import os
import random
import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import holidays
from dateutil import tz
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS

from heliograph.rules import hours, quiet, template, timing
from heliograph.rules.audience import LeftOut, Person, Plan, Planned

MOST = int(os.environ.get("HELIOGRAPH_RECIPIENTS", "20000"))
DAYS = [*["monday_to_friday"] * 5, "saturday", "sunday"]
# Before, within and after the nights in which clocks jump, in both hemispheres and where they jump by half an hour.
MOMENTS = [
    datetime.fromisoformat(text).replace(tzinfo=UTC)
    for text in (
        "2026-03-08T05:58", "2026-03-08T09:30", "2026-03-28T21:15", "2026-03-29T00:59", "2026-04-04T14:45",
        "2026-04-04T16:01", "2026-10-03T15:29", "2026-10-03T16:30", "2026-10-25T00:30", "2026-11-01T05:59",
        "2026-11-01T09:10", "2026-12-24T20:00",
    )
]  # fmt: skip
NEVER_LOOKED_AT = 20  # one of so many who are never open: the oracle looks at eight days of theirs
LATER = [timedelta(minutes=minutes) for minutes in (0, 1, 61, 239, 719, 1441, 4007)]
# All day; an evening; across midnight on some days.
CALLING: dict[str, tuple[str, list[tuple[int, int, int]]]] = {
    "always": ("UTC", [(day, 0, 1440) for day in range(7)]),
    "evening": ("Asia/Kolkata", [(day, 16 * 60 + 30, 22 * 60) for day in range(7)]),
    "late": ("America/St_Johns", [(day, 18 * 60, 26 * 60) for day in range(5)]),
}

RULES: dict[str, dict[str, Any]] = {
    entry["place"]: entry
    for entry in tomllib.loads(files("heliograph.rules").joinpath("data/quiet_hours.toml").read_text())["place"]
}
with files("heliograph.rules").joinpath("data/area_codes.csv").open() as rows:
    AREAS = {row["area_code"]: row for row in csv.DictReader(rows)}
# Not in zone.tab: Ascension and Tristan da Cunha keep the time of St Helena, Kosovo that of Belgrade.
ZONES_OF = {"AC": ["Atlantic/St_Helena"], "TA": ["Atlantic/St_Helena"], "XK": ["Europe/Belgrade"]}
for line in files("tzdata").joinpath("zoneinfo/zone.tab").read_text().splitlines():
    if line and not line.startswith("#"):
        ZONES_OF.setdefault(line.split("\t")[0], []).append(line.split("\t")[2])
EVERY_ZONE = [name for name in files("tzdata").joinpath("zones").read_text().split() if name != "Factory"]


@cache
def whereabouts(number: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Regions and zones of a number, straight from the tables."""
    if number.startswith("+1"):
        row = AREAS.get(number[2:5])
        if row:
            state = (f"{row['region']}-{row['state']}",) if row["state"] else ()
            return (row["region"], *state), tuple(row["zones"].split())
        return ("US",), tuple(ZONES_OF["US"])
    code = next(int(number[1:end]) for end in (2, 3, 4) if int(number[1:end]) in REGIONS)
    regions = tuple(r for r in REGIONS[code] if r.isalpha() and r not in {"CC", "CX"})
    return regions, tuple(zone for region in regions for zone in ZONES_OF.get(region, ()))


@lru_cache(maxsize=1_000_000)
def local(zone: str, now: datetime) -> datetime:
    return now.astimezone(tz.gettz(zone))


@cache
def public_holidays(place: str, year: int) -> frozenset[Any]:
    country, _, state = place.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=state or None, years=year))


def lets(rule: dict[str, Any], zone: str, now: datetime) -> bool:
    there = local(zone, now)
    window = rule[DAYS[there.weekday()]]
    if window == "closed" or (rule.get("holidays") and there.date() in public_holidays(rule["place"], there.year)):
        return False
    start, end = window.split("-")
    return start <= f"{there:%H:%M}" < end


def called(which: str, zone: str, now: datetime) -> bool:
    there = local(zone, now)
    minute = there.hour * 60 + there.minute
    yesterday = (there.weekday() - 1) % 7
    return any(
        (day == there.weekday() and start <= minute < end) or (day == yesterday and minute + 1440 < end)
        for day, start, end in CALLING[which][1]
    )


@lru_cache(maxsize=2_000_000)
def oracle(number: str, own: str | None, rule: str, which: str, now: datetime) -> bool:
    """Whether this person may be texted at ``now``."""
    regions, zones = whereabouts(number)
    campaign = CALLING[which][0]
    lawful = (own,) if own else zones or (campaign,)
    calling = (own,) if own else zones if rule == "recipient" and zones else (campaign,)
    named = [RULES[region] for region in regions if region in RULES]
    if not named or any("-" not in region and region not in RULES for region in regions):
        named.append(RULES["*"])
    return all(lets(each, zone, now) for each in named for zone in lawful) and all(
        called(which, zone, now) for zone in calling
    )


def parsed(which: str) -> hours.CallingHours:
    zone, windows = CALLING[which]
    days = [{"day": hours.DAYS[day], "start": _clock(start), "end": _clock(end % 1440)} for day, start, end in windows]
    return hours.parse({"frequency": "WEEKLY", "timezone": zone, "days": days})


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def everybody(dice: random.Random, count: int) -> list[Person]:
    """People of every country and area code; some say in which zone they are, and some of them misspell it."""
    codes = [f"+1{area}5550100" for area in (*AREAS, "800")]
    codes += [f"+{code}5550100" for code in REGIONS if code != 1 and code < 850]
    codes.append("+870773111632")  # a ship
    homes = ["+12125550100", "+18505550100", "+33639980001", "+919999999999", "+61491570156", "+870773111632"]
    people: list[Person] = []
    for seq in range(count):
        if dice.random() < 0.4:
            people.append(Person(1, seq, dice.choice(homes), dice.choice(EVERY_ZONE), {}))
        else:
            people.append(Person(1, seq, dice.choice(codes), dice.choice((None, None, "Mars/Olympus")), {}))
    return people


def test_nobody_of_any_zone_is_texted_at_night() -> None:
    dice = random.Random(20261123)
    plans = [(now, rule, which) for now in MOMENTS for rule in timing.ZoneRule for which in CALLING]
    seen = never = 0
    for place, (now, rule, which) in enumerate(plans):
        calling = parsed(which)
        plan = Plan(
            template.compile_text("Hi"), template.Missing("empty"), calling, now,
            own="Hi", zone_rule=rule, law=quiet.shipped(),
        )  # fmt: skip
        share = MOST // len(plans) + (place < MOST % len(plans))
        for person in everybody(dice, share):
            seen += 1
            own = None if person.time_zone in (None, "Mars/Olympus") else person.time_zone
            who = (person.number, own, rule.value, which)
            found = plan.decide(person, ())
            if not isinstance(found, Planned):
                assert found == (LeftOut.NEVER_OPEN, "no_common_window")
                never += 1
                if never % NEVER_LOOKED_AT == 1:
                    assert not ever(*who, now)
                continue
            assert oracle(*who, found.due_at), f"{who} is planned for {found.due_at}"
            assert found.due_at == now or not oracle(*who, found.due_at - timedelta(minutes=1))
            later = found.due_at + LATER[person.contact_seq % len(LATER)]
            may = timing.is_open(calling, found.zone, quiet.shipped(), found.law, later)
            assert may is oracle(*who, later), f"{who} at {later}"
    assert seen == MOST
    assert 0 < never < seen / 4


@cache
def ever(number: str, own: str | None, rule: str, which: str, now: datetime) -> bool:
    """Whether they may be texted in the next eight days, looked at every quarter of an hour."""
    first = now.replace(minute=0)
    return any(oracle(number, own, rule, which, first + timedelta(minutes=15 * step)) for step in range(8 * 96))
