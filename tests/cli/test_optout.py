"""``heliograph optout``: recording, deciding, taking back, files; numbers are masked unless asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph import errors
from heliograph.cli.main import app

Command = Callable[..., Any]

ADA, BO, CARL = "+14155550100", "+14155550101", "+447700900123"
FILE = f"""phoneNumber,what,at,text
{ADA},optOut,2026-01-05T09:00:00Z,STOP
{BO},optOut,2026-01-05T09:00:00Z,stop it
{BO},optIn,2026-01-06T09:00:00Z,START
nobody,optOut,2026-01-05T09:00:00Z,STOP
"""


def words(*arguments: str) -> str:
    """What a command says to a person, on one line."""
    result = CliRunner().invoke(app, ["optout", *arguments], prog_name="heliograph")
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture
def optout(heliograph: Command) -> Command:
    heliograph("app", "create", "--name", "Acme")

    def run(*arguments: str | Path) -> Any:
        return heliograph("optout", *arguments)

    return run


def test_somebody_says_no_and_yes_again(optout: Command, heliograph: Command) -> None:
    assert optout("add", ADA, "+44 7700 900123", "--note", "At the counter") == {"optedOut": 2}
    (row,) = optout("ls", "--number", ADA, "--numbers")
    assert (row["number"], row["kind"], row["address"], row["source"]) == (ADA, "no", None, "person")
    assert heliograph("explain", ADA)["wouldBeTexted"] is False
    assert ADA not in json.dumps(optout("ls")), "numbers are masked"
    assert optout("remove", ADA, "--note", "A signed form") == {"removed": 1}
    assert heliograph("explain", ADA)["wouldBeTexted"] is True
    assert len(optout("ls")) == 1
    assert len(optout("ls", "--limit", "1")) == 1
    with pytest.raises(errors.NotFound):
        optout("remove", ADA)
    with pytest.raises(errors.Invalid, match="nobody"):
        optout("add", "nobody")


def test_it_says_so_to_people(optout: Command) -> None:
    del optout
    assert words("add", ADA) == "1 opted out."
    assert "all" in words("ls")
    assert ADA in words("ls", "--numbers")
    assert ADA not in words("remove", ADA)


def test_there_is_somebody_to_be_decided_about_or_not(optout: Command) -> None:
    assert optout("ls", "--review") == []
    with pytest.raises(errors.Invalid, match="maybe"):
        optout("review", ADA, "maybe")
    with pytest.raises(errors.HeliographError):
        optout("review", ADA, "keep")


def test_files_come_in_and_go_out(optout: Command, tmp_path: Path) -> None:
    old, out = tmp_path / "old.csv", tmp_path / "evidence.csv"
    old.write_text(FILE)
    done = optout("import", old)
    assert (done["rows"], done["rejected"], done["optedOut"], done["optedIn"]) == (4, 1, 1, 1)
    assert [row["number"] for row in optout("ls", "--numbers")] == [ADA], "the newest word of each counts"
    assert "5 phoneNumber nobody 'nobody' is not a telephone number" in words("import", str(old))
    assert words("export", str(out)).startswith("Written to")
    told = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["phoneNumber"].lstrip("'") for row in told} == {ADA, BO}
    again = CliRunner().invoke(app, ["optout", "export", str(out)], prog_name="heliograph")
    assert isinstance(again.exception, errors.Invalid), "what is there is not written over"
