"""Calling hours and zones: how what people write is read, and how what is wrong is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import hours
from heliograph.rules.hours import CallingHours, Frequency, Window

ENTRY: dict[str, Any] = {"start": "9:00 AM", "end": "6:00 PM"}
NINE_TO_SIX: dict[str, Any] = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [ENTRY]}


def monday(start: str, end: str) -> CallingHours:
    entry = {"day": "mo", "start": start, "end": end}
    return hours.parse({"frequency": "Weekly", "timezone": "UTC", "days": [entry]})


# ---------------------------------------------------------------- reading


def test_the_vendors_sample_is_read() -> None:
    entry = {"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}
    read = hours.parse({"frequency": "WEEKLY", "timezone": "Asia/Kolkata", "days": [entry]})
    assert read == CallingHours(Frequency.WEEKLY, "Asia/Kolkata", (Window(0, 540, 1080),))


def test_daily_without_a_day_is_every_day_and_with_one_is_that_day() -> None:
    entries = [{"start": "9:00 AM", "end": "6:00 PM"}, {"day": "SU", "start": "7:00 PM", "end": "8:00 PM"}]
    read = hours.parse({"frequency": "DAILY", "timezone": "UTC", "days": entries})
    assert read.windows == (*(Window(day, 540, 1080) for day in range(7)), Window(6, 1140, 1200))


@pytest.mark.parametrize(
    ("written", "minute"),
    [
        ("9:00 AM", 540),
        ("09:00 AM", 540),
        ("9:00AM", 540),
        ("9:00 am", 540),
        ("9:00 a.m.", 540),
        ("9:00\u202fAM", 540),
        (" 9:00 AM ", 540),
        ("9:00", 540),
        ("12:00 AM", 0),
        ("12:00 PM", 720),
        ("12:59 pm", 779),
        ("18:00", 1080),
        ("00:00", 0),
        ("23:59", 1439),
    ],
)
def test_times_are_taken_as_people_write_them(written: str, minute: int) -> None:
    assert monday(written, "11:58 PM").windows == (Window(0, minute, 1438),)


def test_midnight_to_come_may_be_written_24_00() -> None:
    assert monday("18:00", "24:00").windows == (Window(0, 1080, 0),)


WRONG: list[tuple[str, Any, str, str]] = [
    ("", None, "missing", "an object"),
    ("", [], "an empty list", "an object"),
    ("", "9-18", "'9-18'", "an object"),
    (".frequency", {"timezone": "UTC", "days": [ENTRY]}, "missing", "WEEKLY, DAILY or CUSTOM"),
    (".frequency", NINE_TO_SIX | {"frequency": "HOURLY"}, "'HOURLY'", "WEEKLY, DAILY or CUSTOM"),
    (".frequency", NINE_TO_SIX | {"frequency": ["DAILY"]}, "a list", "WEEKLY, DAILY or CUSTOM"),
    (".timezone", {"frequency": "DAILY", "days": [ENTRY]}, "missing", "Asia/Kolkata"),
    (".timezone", NINE_TO_SIX | {"timezone": "Mars/Olympus"}, "'Mars/Olympus'", "Asia/Kolkata"),
    (".timezone", NINE_TO_SIX | {"timezone": 5.5}, "5.5", "Asia/Kolkata"),
    (".days", {"frequency": "DAILY", "timezone": "UTC"}, "missing", "a list"),
    (".days", NINE_TO_SIX | {"days": []}, "an empty list", "a list"),
    (".days", NINE_TO_SIX | {"days": ENTRY}, "an object", "a list"),
    (".days", NINE_TO_SIX | {"days": [ENTRY] * 169}, "169 windows", "168"),
    (".days[0]", NINE_TO_SIX | {"days": ["MO"]}, "'MO'", "an object"),
    (".days[0].day", NINE_TO_SIX | {"frequency": "WEEKLY"}, "missing", "MO, TU"),
    (".days[0].day", NINE_TO_SIX | {"frequency": "CUSTOM"}, "missing", "MO, TU"),
    (".days[1].day", NINE_TO_SIX | {"days": [ENTRY, ENTRY | {"day": "XX"}]}, "'XX'", "none for every day"),
    (".days[0].day", NINE_TO_SIX | {"days": [ENTRY | {"day": 1}]}, "1", "MO, TU"),
    (".days[0].start", NINE_TO_SIX | {"days": [{"end": "6:00 PM"}]}, "missing", "9:00 AM"),
    (".days[0].start", NINE_TO_SIX | {"days": [ENTRY | {"start": "24:00"}]}, "'24:00'", "9:00 AM"),
    (".days[0].start", NINE_TO_SIX | {"days": [ENTRY | {"start": 10**5000}]}, "a very large number", "9:00 AM"),
    (".days[0].end", NINE_TO_SIX | {"days": [ENTRY | {"end": "13:00 PM"}]}, "'13:00 PM'", "18:00"),
    (".days[0].end", NINE_TO_SIX | {"days": [ENTRY | {"end": "0:30 AM"}]}, "'0:30 AM'", "18:00"),
    (".days[0].end", NINE_TO_SIX | {"days": [ENTRY | {"end": "6:60 PM"}]}, "'6:60 PM'", "18:00"),
    (".days[0].end", NINE_TO_SIX | {"days": [ENTRY | {"end": "٦:00"}]}, "'٦:00'", "18:00"),
    (".days[0].end", NINE_TO_SIX | {"days": [ENTRY | {"end": True}]}, "true", "18:00"),
]


@pytest.mark.parametrize(("path", "raw", "found", "accepted"), WRONG)
def test_what_is_wrong_is_named(path: str, raw: object, found: str, accepted: str) -> None:
    with pytest.raises(Invalid) as error:
        hours.parse(raw)
    assert error.value.field == "dialingStrategy.callingHours" + path
    sentence = re.escape(f"dialingStrategy.callingHours{path} ") + "(is|has) " + re.escape(found) + "; accepted: "
    assert re.match(sentence, error.value.message)
    assert accepted in error.value.message


WORDS = ["WEEKLY", "DAILY", "CUSTOM", "UTC", "Asia/Kolkata", "MO", "9:00 AM", "18:00", "", "\x00", "\ud800", "9" * 5000]
KEYS = ["frequency", "timezone", "days", "day", "start", "end"]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=9))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=15,
)
ALMOST = st.fixed_dictionaries(
    {
        "frequency": st.sampled_from(list(Frequency)) | JSON,
        "timezone": st.sampled_from(["UTC", "Asia/Kolkata"]) | JSON,
        "days": st.lists(
            st.fixed_dictionaries(
                {
                    "day": st.sampled_from(hours.DAYS) | JSON,
                    "start": st.sampled_from(["9:00 AM", "18:00"]) | JSON,
                    "end": st.sampled_from(["9:00 AM", "24:00"]) | JSON,
                }
            )
            | JSON,
            max_size=3,
        )
        | JSON,
    }
)


@settings(max_examples=60, deadline=None)
@given(JSON | ALMOST)
def test_any_json_is_read_or_refused_in_a_short_sentence(raw: object) -> None:
    refused = read = None
    try:
        read = hours.parse(raw, field="callingHours")
    except Invalid as error:
        refused = error
    if read is not None:
        assert read.windows
        assert hours.next_open(read, read.zone, datetime(2026, 11, 23, tzinfo=UTC)) is not None
    else:
        assert refused is not None
        assert str(refused.field).startswith("callingHours")
        assert len(refused.message.encode()) < 1000


# ---------------------------------------------------------------- zones


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Ushuaia", "UTC", "EST5EDT"])
def test_real_zones_are_themselves(name: str) -> None:
    assert hours.zone(name) == name


def test_letters_and_blanks_of_a_spreadsheet_are_forgiven() -> None:
    assert hours.zone(" america/new_york ") == "America/New_York"


@pytest.mark.parametrize(
    "name",
    [
        *("", "Asia", "America/Argentina", "localtime", "posixrules", "Factory", "zones", "posix/UTC", "right/UTC"),
        *("/etc/localtime", "/usr/share/zoneinfo/UTC", "../UTC", "Asia/../UTC", "Asia//Kolkata", "Asia/Kolkata/"),
        *("UTC\x00", "\x00", "\ud800", "tzdata.zi", "zone.tab", "IST+5:30", "+05:30", "x" * 100_000),
        *(None, 5, 5.5, True, [], {}, ["UTC"], b"UTC"),
    ],
)
def test_what_is_no_zone_is_none(name: object) -> None:
    assert hours.zone(name) is None
