"""Who of a run is texted, and the reason for whoever is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from heliograph.rules import audience, filters, hours, template
from heliograph.rules.audience import LeftOut, Person, Plan, Planned

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ALWAYS = hours.parse({"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]})
PUNE = filters.parse({"conditions": [{"column": "City", "is": "equals", "value": "Pune"}]})


def plan(text: str, *, filter: filters.Filter | None = None, rule: template.Rule = "empty") -> Plan:  # noqa: A002
    return Plan(template.compile_text(text), template.Missing(rule), ALWAYS, NOW, own=text, filter=filter)


CALIFORNIA = "US,US-CA America/Los_Angeles"


def person(**fields: Any) -> Person:
    return Person(1, 1, "+14155550100", None, fields)


@pytest.mark.parametrize(
    ("made", "who", "blocked", "why"),
    [
        (plan("Hi", filter=PUNE), person(city="Delhi"), (), (LeftOut.FILTERED, "")),
        (plan("Hi", filter=PUNE), person(), (), (LeftOut.FILTERED, "")),
        (plan("Hi", filter=PUNE), person(city="Delhi"), ("+14155550100",), (LeftOut.DO_NOT_CONTACT, "")),
        (plan("Hi <x>", filter=PUNE, rule="skip"), person(city="Delhi"), (), (LeftOut.FILTERED, "")),
        (plan("Hi <x>", filter=PUNE, rule="skip"), person(city="Pune"), (), (LeftOut.MISSING_VALUE, "x")),
        (plan("<x>"), person(), (), (LeftOut.EMPTY_TEXT, "")),
        (plan("<x>"), person(x="y" * 40_000), (), (LeftOut.TOO_LONG, "262 parts")),
    ],
)
def test_the_first_reason_is_told(made: Plan, who: Person, blocked: tuple[str, ...], why: tuple[LeftOut, str]) -> None:
    assert made.decide(who, blocked) == why


def test_whoever_is_meant_is_texted() -> None:
    assert plan("Hi", filter=PUNE).decide(person(City=" pune "), ()) == Planned(None, 1, "UTC", NOW, CALIFORNIA)
    ada = plan("Hi <x>", filter=PUNE).decide(person(city="PUNE", X="Ada"), ())
    assert ada == Planned("Hi Ada", 1, "UTC", NOW, CALIFORNIA)


def test_columns_are_read_only_when_they_matter() -> None:
    assert not plan("Hi").needs_fields
    assert plan("Hi", filter=PUNE).needs_fields
    assert plan("Hi <x>").needs_fields
    assert audience.LeftOut.FILTERED.value == "filter_excluded"
