# ruff: noqa: INP001  # a script beside its data, no package
"""Writes contacts.csv beside this file: 2,000 invented people whose numbers nobody can have.

Every number is from a range that a regulator keeps free for films and books: +1 NPA 555-0100 to 0199
(NANPA), +44 7700 900000 to 900999 and +44 20 7946 0000 to 0999 (Ofcom), +61 491 570 xxx and
(0)2/3/7/8 5550 and 7010 (ACMA), +33 6 39 98 (ARCEP), +353 20 91x (ComReg), +46 70 174 06 (PTS).
The same file comes out each time. Run it with any Python: python examples/make_contacts.py
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TextIO

PEOPLE = 2000
HEADER = ["firstName", "lastName", "phoneNumber", "timezone", "uniqueId", "Priority", "city", "plan", "renewalDate"]
PLANS = ["Basic", "Basic", "Family", "Family", "Premium", "Business"]
FIRST_RENEWAL, RENEWAL_DAYS = date(2026, 5, 1), 61

ENGLISH = (
    (
        "Ada Alan Amara Carmen Chloe Daniel Deepa Dylan Ella Ethan Fatima Grace Hannah Isaac Jasmine Kofi Leah Liam "
        "Maya Mei Noah Olivia Omar Priya Quinn Ravi Rosa Samuel Sofia Tariq Uma Victor Wei Xavier Yusuf Zara"
    ),
    (
        "Adeyemi Ahmed Baker Brown Campbell Chen Cohen Davis Diaz Evans Fernandez Garcia Gupta Ivanova Jackson Kim "
        "Kowalski Lee Lopez Mehta Morgan Nguyen O'Brien Okafor Park Patel Quigley Rossi Santos Singh Taylor Young"
    ),
)
FRENCH = (
    (
        "Amélie Antoine Aïcha Baptiste Camille Chloé Élise Fatou François Gaëlle Hugo Inès Jules Karim Léa Louis Manon "
        "Mathieu Nadia Noémie Océane Pierre Rachid Romain Sarah Théo Yasmine Zoé"
    ),
    (
        "Aubert Bernard Boucher Chevalier Dubois Durand Fournier Garnier Haddad Lambert Lefèvre Leroy Marchand Mercier "
        "Moreau Nguyen Petit Renard Rousseau Traoré"
    ),
)
IRISH = (
    (
        "Aisling Aoife Brendan Cian Ciara Conor Darragh Deirdre Éanna Gráinne Liam Maeve Niamh Oisín Orla Pádraig "
        "Roisin Saoirse Sean Sinéad Tadhg"
    ),
    "Brennan Byrne Doyle Fitzgerald Gallagher Hughes Kavanagh Kelly Lynch Murphy Nolan O'Connor O'Neill Ryan Walsh",
)
SWEDISH = (
    "Alma Anders Astrid Björn Ebba Elin Erik Freja Gustav Ingrid Johan Karin Lars Linnéa Maja Nils Oskar Saga Sven",
    "Åberg Andersson Bergström Dahl Eklund Forsberg Holm Johansson Karlsson Lindqvist Nyström Öberg Sjögren Svensson",
)


@dataclass(frozen=True)
class Place:
    """Where some of the people live. ``numbers`` are all there are for it."""

    city: str
    zone: str
    people: int
    numbers: list[str]
    names: tuple[str, str] = ENGLISH


def _north_america(area: int) -> list[str]:
    return [f"+1{area}555{last:04d}" for last in range(100, 200)]


def _australia(area: int) -> list[str]:
    return [f"+61{area}{block}{last:04d}" for block in (5550, 7010) for last in range(1000)]


AUSTRALIAN_MOBILES = [f"+61491570{last}" for last in ("006", "110", "156", "157", "158", "159", "313", "737")]

PLACES = [
    Place("New York", "America/New_York", 80, _north_america(212)),
    Place("Brooklyn", "America/New_York", 70, _north_america(718)),
    Place("Boston", "America/New_York", 70, _north_america(617)),
    Place("Atlanta", "America/New_York", 70, _north_america(404)),
    Place("Miami", "America/New_York", 70, _north_america(305)),
    Place("Chicago", "America/Chicago", 80, _north_america(312)),
    Place("Houston", "America/Chicago", 70, _north_america(713)),
    Place("Minneapolis", "America/Chicago", 50, _north_america(612)),
    Place("Denver", "America/Denver", 60, _north_america(303)),
    Place("Phoenix", "America/Phoenix", 50, _north_america(602)),
    Place("Los Angeles", "America/Los_Angeles", 80, _north_america(213)),
    Place("San Francisco", "America/Los_Angeles", 70, _north_america(415)),
    Place("Seattle", "America/Los_Angeles", 60, _north_america(206)),
    Place("Anchorage", "America/Anchorage", 15, _north_america(907)),
    Place("Honolulu", "Pacific/Honolulu", 15, _north_america(808)),
    Place("Toronto", "America/Toronto", 80, _north_america(416)),
    Place("Vancouver", "America/Vancouver", 60, _north_america(604)),
    Place("Halifax", "America/Halifax", 30, _north_america(902)),
    Place("Manchester", "Europe/London", 300, [f"+447700900{last:03d}" for last in range(1000)]),
    Place("London", "Europe/London", 100, [f"+442079460{last:03d}" for last in range(1000)]),
    Place("Sydney", "Australia/Sydney", 8, AUSTRALIAN_MOBILES),
    Place("Newcastle", "Australia/Sydney", 60, _australia(2)),
    Place("Melbourne", "Australia/Melbourne", 60, _australia(3)),
    Place("Brisbane", "Australia/Brisbane", 40, _australia(7)),
    Place("Perth", "Australia/Perth", 32, _australia(8)),
    Place("Lyon", "Europe/Paris", 200, [f"+3363998{last:04d}" for last in range(10000)], FRENCH),
    Place("Cork", "Europe/Dublin", 75, [f"+3532091{last:05d}" for last in range(0, 100000, 7)], IRISH),
    Place("Stockholm", "Europe/Stockholm", 45, [f"+46701740{last}" for last in range(605, 700)], SWEDISH),
]


def rows() -> list[list[str]]:
    """The people, in an order that mixes the countries."""
    chance = Random(1907)  # noqa: S311  # the same people each time; nothing here is secret
    people = [(place, number) for place in PLACES for number in chance.sample(place.numbers, place.people)]
    chance.shuffle(people)
    found: list[list[str]] = []
    for serial, (place, number) in enumerate(people, 1):
        first, last = (chance.choice(names.split()) for names in place.names)
        renewal = FIRST_RENEWAL + timedelta(days=chance.randrange(RENEWAL_DAYS))
        row = [first, last, number, place.zone, f"C-{serial:05d}", str(chance.choice([1, 2, 3, 3, 4, 5]))]
        found.append([*row, place.city, chance.choice(PLANS), renewal.isoformat()])
    return found


def write(file: TextIO) -> None:
    """Write header and people as CSV."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows())


if __name__ == "__main__":
    target = Path(__file__).with_name("contacts.csv")
    with target.open("w", encoding="utf-8", newline="") as opened:
        write(opened)
    sys.stdout.write(f"{PEOPLE} people written to {target.name}\n")
