"""Quiet hours: against a plain reckoning minute by minute over the nights in which clocks jump, and by hand."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import holidays
import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import hours, place, quiet
from heliograph.rules.place import Place

RAW: dict[str, Any] = {
    entry["place"]: entry
    for entry in tomllib.loads(files("heliograph.rules").joinpath("data/quiet_hours.toml").read_text())["place"]
}
NUMBERS = (
    "+12125550100", "+18505550100", "+19075550100", "+12085550100", "+12055550100", "+14015550100", "+12145550100",
    "+16045550100", "+17095550100", "+33639980001", "+919999999999", "+61491570156", "+447700900123", "+5511987654321",
    "+9779812345678", "+6491234567", "+79161234567", "+201001234567", "+56912345678", "+870773111632", "+18005550100",
)  # fmt: skip
# Around the nights of both hemispheres' jumps, and around a holiday.
NIGHTS = (
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-07-04",
    "2026-10-04",
    "2026-11-01",
    "2026-12-25",
    "2027-05-01",
)
DAYS = [*["monday_to_friday"] * 5, "saturday", "sunday"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def oracle(number: str, now: datetime) -> bool:
    """Whether a text may arrive, from the raw table and dateutil's clocks alone."""
    where = place.of(number)
    named = [region for region in where.regions if region in RAW]
    if not named or any(region not in RAW for region in where.regions if "-" not in region):
        named.append("*")
    return bool(where.zones) and all(_lets(RAW[region], zone, now) for region in named for zone in where.zones)


def _lets(entry: dict[str, Any], zone: str, now: datetime) -> bool:
    local = now.astimezone(tz.gettz(zone))
    window = entry[DAYS[local.weekday()]]
    if window == "closed":
        return False
    if entry.get("holidays"):
        country, _, state = str(entry["place"]).partition("-")
        if local.date() in holidays.country_holidays(country, subdiv=state or None, years=local.year):
            return False
    start, end = window.split("-")
    return start <= f"{local:%H:%M}" < end


@given(
    number=st.sampled_from(NUMBERS),
    night=st.sampled_from(NIGHTS),
    minutes=st.integers(-3 * 24 * 60, 3 * 24 * 60),
)
def test_it_is_open_exactly_when_a_plain_reckoning_says_so(number: str, night: str, minutes: int) -> None:
    now = at(night) + timedelta(minutes=minutes)
    assert quiet.is_open(quiet.shipped(), place.of(number), now) is oracle(number, now)


@given(number=st.sampled_from(NUMBERS), night=st.sampled_from(NIGHTS), minutes=st.integers(0, 3 * 24 * 60))
def test_the_next_opening_is_the_first_minute_that_is_open(number: str, night: str, minutes: int) -> None:
    now = at(night) + timedelta(minutes=minutes)
    found = quiet.next_open(quiet.shipped(), place.of(number), now)
    if not place.of(number).zones:
        assert found is None
        return
    assert found is not None
    assert oracle(number, found)
    quarters = range(0, int((found - now).total_seconds() // 60), 15)  # every rule begins on a quarter of some zone
    assert not any(oracle(number, now + timedelta(minutes=minute)) for minute in quarters)
    assert not oracle(number, found - timedelta(minutes=1)) or found == now


def test_the_campaigns_own_hours_and_the_law_must_both_be_open() -> None:
    own = hours.parse({"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "06:00", "end": "14:30"}]})
    found = quiet.common_opening(quiet.shipped(), place.of("+12125550100"), own, ("UTC",), at("2026-11-24T15:00"))
    assert found == at("2026-11-25T13:00")  # eight in New York; the campaign's own hours end at 14:30 UTC
    never = hours.parse({"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "06:00", "end": "07:00"}]})
    assert (
        quiet.common_opening(quiet.shipped(), place.of("+12125550100"), never, ("UTC",), at("2026-11-24T15:00")) is None
    )


def test_zones_of_a_contact_take_the_place_of_those_of_the_number() -> None:
    law, regions = quiet.shipped(), place.of("+12125550100").regions
    assert not quiet.is_open(law, Place(regions, ("Pacific/Honolulu",)), at("2026-11-24T15:00"))
    assert quiet.is_open(law, Place(regions, ("America/New_York",)), at("2026-11-24T15:00"))


def test_an_app_may_replace_a_rule_or_take_it_away() -> None:
    law = quiet.changed(
        quiet.shipped(),
        [
            {"place": "US-NY", "monday_to_friday": "10:00-12:00", "saturday": "closed", "sunday": "closed"},
            {"place": "US-FL", "off": True},
        ],
    )
    assert not quiet.is_open(law, place.of("+12125550100"), at("2026-11-24T14:30"))
    assert quiet.is_open(law, place.of("+12125550100"), at("2026-11-24T16:30"))
    assert [rule.place for rule in law.of(place.of("+18505550100").regions)] == ["US"]
    assert law.version.startswith(quiet.shipped().version)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ("US", "takes a list"),
        (["US"], "no object with a place"),
        ([{"place": "US", "monday_to_friday": "9 to 5", "saturday": "closed", "sunday": "closed"}], "'9 to 5'"),
        ([{"place": "US", "monday_to_friday": "25:00-26:00", "saturday": "closed", "sunday": "closed"}], "25:00"),
        ([{"place": "US", "monday_to_friday": "closed", "saturday": "closed", "sunday": "closed"}], "every day"),
        ([{"place": "US", "saturday": "closed", "sunday": "closed"}], "monday_to_friday"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(places: object, words: str) -> None:
    with pytest.raises(Invalid, match=r"quietHours\.places") as caught:
        quiet.changed(quiet.shipped(), places)
    assert words in caught.value.message


def test_every_shipped_rule_names_its_source() -> None:
    for rule in quiet.shipped().rules.values():
        assert rule.source
        assert rule.basis in {"law", "practice"}
        assert rule.country == "*" or rule.country in quiet.shipped().rules
