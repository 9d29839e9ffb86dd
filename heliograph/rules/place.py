"""Where a telephone number may be: its country, its state, and every time zone its owner may live in.

A number tells less than people think. A mobile keeps its area code when its owner moves, an area code may lie in
two zones, and most countries give their mobiles no area at all. So a number has *candidate* zones: those of its area
code in North America (``data/area_codes.csv``), all zones of the country elsewhere (the tz database's ``zone.tab``).
Whoever must not be woken is texted only when it is day in all of them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS

from heliograph.rules import zones

NORTH_AMERICA = "1"
AREA_CODE = 3
LONGEST_CODE = 3  # digits of a country calling code
# Australia's islands far to the west have prefixes of their own; without them, six and a half hours would separate
# every Australian mobile from itself.
OWN_PREFIX = {"6189162": "CC", "6189164": "CX"}
OWN_PREFIX_DIGITS = 7
_OWN_STARTS = frozenset("+" + prefix for prefix in OWN_PREFIX)
# Countries with a calling code that ISO 3166, and so zone.tab, does not name.
UNLISTED = {"AC": ["Atlantic/St_Helena"], "TA": ["Atlantic/St_Helena"], "XK": ["Europe/Belgrade"]}


@dataclass(frozen=True, slots=True)
class Place:
    """``regions`` (ISO 3166 codes, and ``US-FL`` behind ``US``) whose laws count, and the candidate ``zones``.

    Both are empty for a number that belongs to no country (satellites, international networks).
    """

    regions: tuple[str, ...]
    zones: tuple[str, ...]

    @property
    def key(self) -> str:
        """The place as a text: ``US,US-FL America/Chicago,America/New_York``. See :func:`from_key`."""
        return f"{','.join(self.regions)} {','.join(self.zones)}"


NOWHERE = Place((), ())


def of(number: str) -> Place:
    """Where the owner of ``number`` (E.164 with its plus) may be."""
    digits = number.removeprefix("+")
    if digits.startswith(NORTH_AMERICA):
        return _american(digits[1 : 1 + AREA_CODE])
    own = OWN_PREFIX.get(digits[:OWN_PREFIX_DIGITS])
    return _of_regions((own,)) if own else _of_code(digits[:LONGEST_CODE])


def start(number: str) -> str:
    """As much of ``number`` as tells where its owner may be; there are about a thousand of them."""
    if number.startswith("+" + NORTH_AMERICA):
        return number[: 2 + AREA_CODE]
    own = number[: 1 + OWN_PREFIX_DIGITS]
    return own if own in _OWN_STARTS else number[: 1 + LONGEST_CODE]


@lru_cache(maxsize=8192)
def from_key(key: str) -> Place:
    """The place that has this :attr:`Place.key`."""
    regions, _, found = key.partition(" ")
    return Place(tuple(filter(None, regions.split(","))), tuple(filter(None, found.split(","))))


def is_known(code: str) -> bool:
    """Whether a number can tell that its owner is in the country or state ``code``."""
    return code in _zones_of() or any(code in found.regions for found in _area_codes().values())


@cache
def _american(area_code: str) -> Place:
    """One area code; one that is in nobody's table (toll-free, new) may be anywhere in the United States."""
    return _area_codes().get(area_code) or _of_regions(("US",))


@lru_cache(maxsize=2048)
def _of_code(start: str) -> Place:
    """The country, or countries, with the calling code that ``start`` begins with. No code begins another."""
    for length in range(1, LONGEST_CODE + 1):
        found = REGIONS.get(int(start[:length])) if start[:length].isdecimal() else None
        if found:
            regions = tuple(region for region in found if region.isalpha() and region not in OWN_PREFIX.values())
            return _of_regions(regions)
    return NOWHERE


@cache
def _of_regions(regions: tuple[str, ...]) -> Place:
    found = {name for region in regions for name in _zones_of().get(region, ())}
    return Place(regions, tuple(sorted(found))) if found else NOWHERE


@cache
def _area_codes() -> dict[str, Place]:
    table: dict[str, Place] = {}
    with files("heliograph.rules").joinpath("data/area_codes.csv").open(encoding="ascii") as rows:
        for row in csv.DictReader(rows):
            region, state = row["region"], row["state"]
            laws = (region, f"{region}-{state}") if state else (region,)
            table[row["area_code"]] = Place(laws, tuple(row["zones"].split()))
    return table


@cache
def _zones_of() -> dict[str, list[str]]:
    """The zones of each country."""
    found = {region: list(names) for region, names in UNLISTED.items()}
    for line in files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            region, _, name = line.split("\t")[:3]
            if zones.zone(name):
                found.setdefault(region, []).append(name)
    return found
