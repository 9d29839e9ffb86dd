"""Where a number may be: by hand for odd ones, and the shipped table against the library it was made from."""

from __future__ import annotations

import phonenumbers
import pytest

from heliograph.rules import place, zones
from tests.rules import area_codes


@pytest.mark.parametrize(
    ("number", "regions", "some", "count"),
    [
        ("+12125550100", ("US", "US-NY"), "America/New_York", 1),
        ("+18505550100", ("US", "US-FL"), "America/Chicago", 2),  # the panhandle lies in two zones
        ("+19075550100", ("US", "US-AK"), "America/Adak", 4),
        ("+16045550100", ("CA", "CA-BC"), "America/Vancouver", 1),
        ("+18765550100", ("JM",), "America/Jamaica", 1),
        ("+18005550100", ("US",), "Pacific/Honolulu", 29),  # toll-free: anywhere
        ("+61491570156", ("AU",), "Australia/Perth", 12),
        ("+6189162123", ("CC",), "Indian/Cocos", 1),
        ("+447700900123", ("GB", "GG", "IM", "JE"), "Europe/London", 4),
        ("+33639980001", ("FR",), "Europe/Paris", 1),
        ("+919999999999", ("IN",), "Asia/Kolkata", 1),
        ("+79161234567", ("RU", "KZ"), "Europe/Kaliningrad", 33),
        ("+870773111632", (), None, 0),  # a satellite
        ("+", (), None, 0),
    ],
)
def test_where_a_number_may_be(number: str, regions: tuple[str, ...], some: str | None, count: int) -> None:
    found = place.of(number)
    assert found.regions == regions
    assert len(found.zones) == count
    assert some is None or some in found.zones
    assert place.of(place.start(number)) is found


def test_every_country_code_has_zones_that_exist() -> None:
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == ("001",):
            continue
        found = place.of(f"+{code}")
        assert found.zones, code
        assert all(zones.zone(name) for name in found.zones)


def test_the_table_of_area_codes_is_what_the_library_says() -> None:
    assert area_codes.FILE.read_text() == area_codes.table(), "run: python -m tests.rules.area_codes"
