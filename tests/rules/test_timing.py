"""Whose clock counts, and how that is told."""

from __future__ import annotations

import pytest

from heliograph.rules import place, timing, wording
from heliograph.rules.timing import Basis, Counted, Where, ZoneRule

PANHANDLE = place.of("+18505550100")
BOTH = "America/Chicago,America/New_York"
SHIP = place.of("+870773111632")


@pytest.mark.parametrize(
    ("rule", "own", "may_be", "expected"),
    [
        (ZoneRule.VENDOR, None, PANHANDLE, Where("Asia/Kolkata", f"US,US-FL {BOTH}", Basis.CAMPAIGN)),
        (ZoneRule.RECIPIENT, None, PANHANDLE, Where(BOTH, f"US,US-FL {BOTH}", Basis.NUMBER)),
        (ZoneRule.RECIPIENT, "Mars/Olympus", PANHANDLE, Where(BOTH, f"US,US-FL {BOTH}", Basis.NUMBER)),
        (
            ZoneRule.RECIPIENT,
            "europe/london",
            PANHANDLE,
            Where("Europe/London", "US,US-FL Europe/London", Basis.CONTACT),
        ),
        (ZoneRule.VENDOR, "Europe/London", SHIP, Where("Europe/London", " Europe/London", Basis.CONTACT)),
        (ZoneRule.RECIPIENT, None, SHIP, Where("Asia/Kolkata", " Asia/Kolkata", Basis.CAMPAIGN)),
    ],
)
def test_whose_clocks_count(rule: ZoneRule, own: str | None, may_be: place.Place, expected: Where) -> None:
    assert timing.where(rule, own, may_be, "Asia/Kolkata", exempt=False) == expected
    assert timing.where(rule, own, may_be, "Asia/Kolkata", exempt=True) == expected._replace(law="")


@pytest.mark.parametrize("number", ["+18505550100", "+61491570156", "+870773111632", "+18005550100"])
def test_a_place_is_its_key(number: str) -> None:
    found = place.of(number)
    assert place.from_key(found.key) == found


def test_how_it_is_told() -> None:
    assert timing.told(Counted()) == ""
    assert timing.told(Counted(1200, 0, 3)) == (
        "Calling hours count for 1,200 people by their own zone, for 3 people by the campaign's zone."
    )
    assert timing.told(Counted(0, 2, 0, exempt=True)).endswith("It is transactional: quiet hours do not count.")
    assert wording.zone_names(BOTH) == "America/Chicago and 1 more"
    assert wording.zone_names("UTC") == "UTC"
