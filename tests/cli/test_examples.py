from __future__ import annotations

import csv
import io
import runpy
import zipfile
from pathlib import Path

import pytest
from hatchling import build

from heliograph.cli.demo import stage
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


def test_a_wheel_has_the_contacts_where_the_demonstration_looks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    built = tmp_path / build.build_wheel(str(tmp_path))
    with zipfile.ZipFile(built) as wheel:
        assert wheel.read("heliograph/examples/contacts.csv") == SHIPPED.read_bytes()
        wheel.extractall(tmp_path / "installed")
    looked = stage.shipped(tmp_path / "installed" / "heliograph")
    assert next(place for place in looked if place.is_file()).read_bytes() == SHIPPED.read_bytes()
