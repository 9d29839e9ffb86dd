"""Quiet hours: when the law of the place lets a promotional text arrive, whatever the campaign wishes.

The rules are data (``data/quiet_hours.toml``: each with its source), and an app may replace any of them. A state's
rule comes on top of its country's. Whoever may be in several places or zones is texted only when *all* of them are
open: in doubt, nothing leaves.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

import holidays as calendars

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import hours, zones
from heliograph.rules import place as places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from heliograph.rules.place import Place

EVERYWHERE = "*"
CLOSED = "closed"
DAYS = {"monday_to_friday": range(5), "saturday": range(5, 6), "sunday": range(6, 7)}
KEYS = ("place", "name", "basis", "source", *DAYS, "holidays", "off")
HORIZON = timedelta(days=35)  # what has no common opening by then has none
MOST_PLACES = 500  # of an app's own: there are fewer countries and states
ROUNDS = 400  # steps towards a common opening; each is at least one closing of one zone


@dataclass(frozen=True, slots=True)
class Rule:
    """One place's hours. ``basis``: ``law`` or ``practice``. ``holidays``: closed on public holidays too."""

    place: str
    name: str
    basis: str
    source: str
    hours: hours.CallingHours
    holidays: bool = False

    @property
    def country(self) -> str:
        """The ISO 3166 code of the country."""
        return self.place.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Law:
    """Every rule there is, by place. ``version`` says which list it came from."""

    version: str
    rules: Mapping[str, Rule]

    def of(self, regions: Iterable[str]) -> tuple[Rule, ...]:
        """The rules for whoever may be in ``regions``: each one named, and everywhere's for a country that is not."""
        named = list(regions)
        found = [self.rules[region] for region in named if region in self.rules]
        unnamed = [region for region in named if "-" not in region and region not in self.rules]
        if (unnamed or not named) and EVERYWHERE in self.rules:
            found.append(self.rules[EVERYWHERE])
        return tuple(found)


OFF = Law("off", {})


@cache
def shipped() -> Law:
    """The rules that come with Heliograph."""
    table = tomllib.loads(files("heliograph.rules").joinpath("data/quiet_hours.toml").read_text(encoding="utf-8"))
    return Law(table["version"], _rules(table["place"], "place"))


def changed(law: Law, replaced: object, *, field: str = "quietHours.places") -> Law:
    """``law`` with an app's own rules in place of those for the same places.

    ``replaced`` is a list of objects as in the shipped file; one with ``"off": true`` takes the place's rule away.
    Raises :class:`Invalid` naming the entry and what it takes.
    """
    if not isinstance(replaced, list):
        raise Invalid(f"{field} is no list. It takes a list of objects with place and hours", field=field)
    entries = cast("list[object]", replaced)
    if not entries:
        return law
    if len(entries) > MOST_PLACES:
        raise Invalid(f"{field} has {len(entries)} entries; accepted: up to {MOST_PLACES}", field=field)
    gone = {str(entry["place"]) for entry in _maps(entries, field) if entry.get("off") is True and "place" in entry}
    own = _rules([entry for entry in _maps(entries, field) if entry.get("off") is not True], field)
    kept = {place: rule for place, rule in law.rules.items() if place not in gone}
    return Law(f"{law.version}, changed by the app", kept | own)


def setting(raw: object, before: str | None, *, field: str = "quietHours") -> str:
    """An app's setting as the JSON text that :func:`in_force` takes; what ``raw`` leaves out stays as ``before``.

    Raises :class:`Invalid` naming what cannot be used of ``enabled`` or ``places``.
    """
    sent = reading.mapping(raw, field)
    reading.storable(raw, field)
    kept = told(before)
    if sent.get("enabled") is not None:
        kept["enabled"] = reading.flag(sent["enabled"], f"{field}.enabled")
    if sent.get("places") is not None:
        kept["places"] = sent["places"]
        changed(shipped(), kept["places"], field=f"{field}.places")
    return json.dumps(kept)


def told(setting: str | None) -> dict[str, object]:
    """An app's setting for people: ``enabled``, and the ``places`` with rules of its own."""
    return {"enabled": True, "places": []} if setting is None else json.loads(setting)


@lru_cache(maxsize=256)
def in_force(setting: str | None) -> Law:
    """The rules by an app's setting, as the JSON text it is kept as; None: as they are shipped.

    The same object for the same text, so that it costs a batch nothing.
    """
    kept = told(setting)
    return changed(shipped(), kept["places"]) if kept["enabled"] else OFF


def is_open(law: Law, place: Place, now: datetime) -> bool:
    """Whether a promotional text may arrive at ``now`` wherever its reader may be. No zone known: never."""
    rules = law.of(place.regions)
    if not rules:
        return True
    return bool(place.zones) and all(_open(rule, zone, now) for rule in rules for zone in place.zones)


def next_open(law: Law, place: Place, now: datetime) -> datetime | None:
    """The first instant from ``now`` on at which :func:`is_open`; None when there is none in five weeks."""
    return common_opening(law, place, None, (), now)


def common_opening(
    law: Law, place: Place, calling: hours.CallingHours | None, calling_zones: tuple[str, ...], now: datetime
) -> datetime | None:
    """The first instant from ``now`` on that is open by the law and in the campaign's own hours, in every zone.

    Goes from opening to opening: whatever is closed moves the moment on to its own next opening, until nothing is.
    """
    rules = law.of(place.regions)
    if rules and not place.zones:
        return None
    moment = now.astimezone(UTC)
    for _ in range(ROUNDS):
        later = moment
        for zone in calling_zones:
            opening = None if calling is None else hours.next_open(calling, zone, later)
            if calling is not None and opening is None:
                return None
            later = opening or later
        for rule in rules:
            for zone in place.zones:
                opening = _next(rule, zone, later)
                if opening is None:
                    return None
                later = opening
        if later == moment:
            return moment
        if later - now > HORIZON:
            return None
        moment = later
    return None


def _open(rule: Rule, zone: str, now: datetime) -> bool:
    return hours.is_open(rule.hours, zone, now) and not (rule.holidays and _is_holiday(rule, _day(zone, now)))


def _next(rule: Rule, zone: str, now: datetime) -> datetime | None:
    """The rule's first opening in one zone from ``now`` on."""
    moment: datetime | None = now
    clock = zones.clock(zone)
    while clock is not None and (moment := hours.next_open(rule.hours, zone, moment)) is not None:
        today = moment.astimezone(clock).date()
        if not (rule.holidays and _is_holiday(rule, today)):
            return moment
        moment = zones.instant(clock, datetime.combine(today + timedelta(days=1), time()))
        if moment - now > HORIZON:
            break
    return None


def _day(zone: str, now: datetime) -> date:
    clock = zones.clock(zone)
    return now.astimezone(clock or UTC).date()


def _is_holiday(rule: Rule, day: date) -> bool:
    return day in _holidays(rule.place, day.year)


@lru_cache(maxsize=256)
def _holidays(place: str, year: int) -> frozenset[date]:
    """A place's public holidays in a year; none where no calendar is kept."""
    country, _, state = place.partition("-")
    try:
        return frozenset(calendars.country_holidays(country, subdiv=state or None, years=year))
    except NotImplementedError:
        return frozenset()


# ---------------------------------------------------------------- reading


def _rules(entries: list[Mapping[str, object]], field: str) -> dict[str, Rule]:
    return {rule.place: rule for rule in (_rule(entry, f"{field}[{n}]") for n, entry in enumerate(entries))}


def _maps(entries: list[object], field: str) -> list[Mapping[str, object]]:
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(cast("Mapping[str, object]", entry).get("place"), str):
            text = f'{field}[{number}] is no object with a place, such as {{"place": "US-FL", "sunday": "closed"}}'
            raise Invalid(text, field=f"{field}[{number}]")
        code = cast("Mapping[str, object]", entry)["place"]
        if code != EVERYWHERE and not places.is_known(str(code)):
            text = (
                f"{field}[{number}].place is {str(code)[:40]!r}. It takes a country such as IN, a state of the United "
                f"States or Canada such as US-FL, or {EVERYWHERE} for every country that has no rule"
            )
            raise Invalid(text, field=f"{field}[{number}].place")
        strange = next((key for key in cast("Mapping[str, object]", entry) if key not in KEYS), None)
        if strange is not None:
            text = f"{field}[{number}] has {reading.shown(strange)}. It takes {', '.join(KEYS)}"
            raise Invalid(text, field=f"{field}[{number}]")
    return cast("list[Mapping[str, object]]", entries)


def _rule(entry: Mapping[str, object], field: str) -> Rule:
    place = str(entry["place"])
    windows: list[dict[str, str]] = []
    for key, days in DAYS.items():
        value = entry.get(key)
        if value == CLOSED:
            continue
        start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
        if not dash:
            text = f"{field}.{key} is {value!r}; it takes hours such as 08:00-21:00, or {CLOSED}"
            raise Invalid(text, field=f"{field}.{key}")
        windows += [{"day": hours.DAYS[day], "start": start, "end": end} for day in days]
    if not windows:
        raise Invalid(f"{field} is closed on every day, so nobody there could ever be texted", field=field)
    calling = hours.parse({"frequency": "WEEKLY", "timezone": "UTC", "days": windows}, field=field)
    name, basis = str(entry.get("name", place)), str(entry.get("basis", "app"))
    return Rule(place, name, basis, str(entry.get("source", "")), calling, holidays=entry.get("holidays") is True)
