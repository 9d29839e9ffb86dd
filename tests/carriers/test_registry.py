"""Carriers are opened by kind; wrong settings are refused by name, before anything is stored or opened."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from heliograph.carriers import registry
from heliograph.carriers.sandbox_behaviour import Behaviour, Settings, read
from heliograph.errors import Invalid
from tests.carriers.contract import Ear

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text()

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"refuze": 1}, "refuze", "refuse"),
    ({"refuse": 1.5}, "refuse", "share from 0 to 1"),
    ({"refuse": -0.1}, "refuse", "share from 0 to 1"),
    ({"refuse": True}, "refuse", "share"),
    ({"refuse": "0.5"}, "refuse", "'0.5'"),
    ({"refuse": None}, "refuse", "share"),
    ({"receipt_lost": float("nan")}, "receipt_lost", "share"),
    ({"refuse": 0.6, "temporary": 0.6}, "temporary", "together"),
    ({"refuse_code": ""}, "refuse_code", "word"),
    ({"temporary_times": -1}, "temporary_times", "0 (every time)"),
    ({"temporary_times": 1.5}, "temporary_times", "whole number"),
    ({"seed": 2**70}, "seed", "whole number"),
    ({"seed": "1"}, "seed", "whole number"),
    ({"latency_ms": 20}, "latency_ms", "[low, high]"),
    ({"latency_ms": [30, 20]}, "latency_ms", "low first"),
    ({"latency_ms": [1, 2, 3]}, "latency_ms", "[low, high]"),
    ({"receipt_ms": [0, 1e12]}, "receipt_ms", "up to a day"),
    ({"throttle_per_second": 0}, "throttle_per_second", "above 0"),
    ({"answer_timeout_s": -1}, "answer_timeout_s", "seconds"),
    ({"down": 2}, "down", "share"),
    ({"down_windows": [1, 2]}, "down_windows", "[from, to]"),
    ({"down_windows": {}}, "down_windows", "[from, to]"),
    ({"patterns": {}}, "patterns", "list"),
    ({"patterns": ["+1*"]}, "patterns.0", "object"),
    ({"patterns": [{"refuse": 1}]}, "patterns.0.match", "+1555*"),
    ({"patterns": [{"match": "*"}, {"match": "*", "refuse": 3}]}, "patterns.1.refuse", "share"),
    ({"patterns": [{"match": "*", "seed": 3}]}, "patterns.0.seed", "latency_ms"),
    ({"patterns": [{"match": "*", "refuse": 0.9, "lost_answer": 0.2}]}, "patterns.0.lost_answer", "together"),
]


@pytest.mark.parametrize(("settings", "field", "says"), WRONG, ids=lambda part: str(part)[:60])
def test_a_wrong_setting_is_named_with_what_it_takes(settings: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        registry.check("sandbox", settings)
    assert refused.value.field == field
    assert field in refused.value.message
    assert says in refused.value.message


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match=r"'pigeon'.*sandbox"):
        registry.check("pigeon", {})
    assert "sandbox" in registry.KINDS


@pytest.mark.anyio
async def test_a_line_does_not_open_with_wrong_settings(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        await registry.open_carrier("sandbox", {"down": 2}, listener=Ear(), name="test", transcript=tmp_path / "t")


def test_a_pattern_keeps_the_account_where_it_says_nothing() -> None:
    found = read({"refuse": 0.5, "receipt_ms": [1, 2], "patterns": [{"match": "+44*", "lost_answer": 1}]})
    there = found.behaviour("+447700900123")
    assert (there.refuse, there.lost_answer, there.receipt_ms) == (0, 1, (1, 2))
    assert found.behaviour("+15555550123").refuse == 0.5
    read({"refuse": 0.1, "temporary": 0.2, "lost_answer": 0.7})


def defaults() -> dict[str, Any]:
    """Every key with its default, as in JSON."""
    found = {item.name: getattr(Settings(), item.name) for item in fields(Settings)}
    del found["usual"]
    found |= {item.name: getattr(Behaviour(), item.name) for item in fields(Behaviour)}
    return json.loads(json.dumps(found))


def test_every_setting_is_accepted_and_documented_with_its_default() -> None:
    registry.check("sandbox", defaults())
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {key: json.loads(default) for key, default in rows} == defaults()


def test_every_example_on_the_page_works() -> None:
    examples = re.findall(r"^```json\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(examples) > 3
    for example in examples:
        registry.check("sandbox", json.loads(example))
