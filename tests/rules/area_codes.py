"""``python -m tests.rules.area_codes``: write ``rules/data/area_codes.csv`` anew from libphonenumber's tables.

To be run when ``phonenumbers`` is updated; a test says when the file no longer says what the tables say.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from pathlib import Path

import phonenumbers
from phonenumbers import geocoder
from phonenumbers.tzdata import TIMEZONE_DATA

FILE = Path(__file__).resolve().parents[2] / "heliograph" / "rules" / "data" / "area_codes.csv"
EXCHANGES = ("2000123", "5550123", "3330123", "4440123", "7770123", "2340123")
STATE = re.compile(r".*, ([A-Z]{2})")
NAMES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME",
    "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO",
    "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM",
    "New York": "NY", "North Carolina": "NC", "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR",
    "Pennsylvania": "PA", "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
    "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "West Virginia": "WV",
    "Wisconsin": "WI", "Wyoming": "WY", "Washington D.C.": "DC",
    "Alberta": "AB", "British Columbia": "BC", "Manitoba": "MB", "New Brunswick": "NB",
    "Newfoundland and Labrador": "NL", "Nova Scotia": "NS", "Ontario": "ON", "Quebec": "QC", "Saskatchewan": "SK",
}  # fmt: skip


def table() -> str:
    """The file as it should be."""
    zones: dict[str, set[str]] = defaultdict(set)
    for prefix, names in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            zones[prefix[1:4]].update(names)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("area_code", "region", "state", "zones"))
    for code in sorted(zones):
        writer.writerow((code, *_place(code), " ".join(sorted(zones[code]))))
    return out.getvalue()


def _place(code: str) -> tuple[str, str]:
    regions, states = set[str](), set[str]()
    for exchange in EXCHANGES:
        number = phonenumbers.PhoneNumber(country_code=1, national_number=int(code + exchange))
        region = phonenumbers.region_code_for_number(number)
        if region is None:
            continue
        regions.add(region)
        said = geocoder.description_for_number(number, "en")
        if region in {"US", "CA"}:
            found = STATE.fullmatch(said)
            state = found[1] if found else NAMES.get(said, "")
            states.update({state} - {""})
    return " ".join(sorted(regions)), " ".join(sorted(states))


if __name__ == "__main__":
    FILE.write_text(table())
