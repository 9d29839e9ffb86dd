"""``heliograph campaign preview``, and the settings and options that go with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph import errors
from heliograph.cli.main import app

Command = Callable[..., Any]

PEOPLE = "firstName,phoneNumber\nAda,+12125550100\nBo\u2019an,+12125550101\nCarl,+442079460001\n"


def test_a_preview_is_told_and_caps_and_prices_are_set(heliograph: Command, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    people, prices = tmp_path / "people.csv", tmp_path / "prices.json"
    people.write_text(PEOPLE)
    prices.write_text(json.dumps({"currency": "EUR", "perPart": {"US": 0.5}}))
    heliograph("list", "import", people, "--name", "Leads")
    text = ["--list", "Leads", "--text", "Hello {{first name}}", "--from", "+12125550199"]
    heliograph("campaign", "create", "--name", "Earlier", *text)
    heliograph("campaign", "create", "--name", "Sale", *text, "--exclude", "Earlier", "--hold-out", "0")
    found = heliograph("settings", "--cap", "2/7", "--cap", "4/30", "--prices", prices)
    assert found["frequencyCap"] == [{"texts": 2, "days": 7}, {"texts": 4, "days": 30}]
    told = heliograph("campaign", "preview", "sale")
    assert (told["exact"], told["reached"], told["parts"], told["cost"]) == (True, 3, 3, "1.00")
    assert told["characters"][0]["substitute"] == "'"
    words = CliRunner().invoke(app, ["campaign", "preview", "Sale"], prog_name="heliograph").output
    assert "1.00 EUR, and 1 part without a price" in " ".join(words.split())
    assert "\u2019 U+2019 in 1" in words
    assert heliograph("settings", "--cap", "none")["frequencyCap"] == []
    with pytest.raises(errors.Invalid, match="2/7"):
        heliograph("settings", "--cap", "two a week")
