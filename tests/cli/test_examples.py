from __future__ import annotations

import csv
import io
import runpy
from pathlib import Path

from heliograph.rules import phone, zones

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "examples" / "contacts.csv"


def test_the_shipped_contacts_are_what_the_script_writes() -> None:
    written = io.StringIO()
    runpy.run_path(str(ROOT / "examples" / "make_contacts.py"))["write"](written)
    assert written.getvalue() == SHIPPED.read_text(encoding="utf-8")


def test_the_shipped_contacts_are_two_thousand_good_rows() -> None:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2000
    assert len({phone.normalise(row["phoneNumber"]) for row in rows}) == 2000
    assert all(zones.zone(row["timezone"]) == row["timezone"] for row in rows)
    assert all(value for row in rows for value in row.values())
    assert len({row["phoneNumber"][:3] for row in rows}) >= 6
