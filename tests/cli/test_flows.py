"""``heliograph flow``: files in and out, what is wrong with a flow, and a conversation at a prompt."""

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

TOUR = """flow: 1
name: Tour
start: ask
nodes:
  ask: {type: send, text: "Hello <First Name>, do you want a tour? Reply YES or NO. STOP to end.", next: answer}
  answer: {type: wait, timeout: 24h, next: which, on_timeout: silent}
  which: {type: branch, cases: [{any_word: [yes, ok], next: booked}], otherwise: bye}
  booked: {type: send, text: "Great, we will call you.", next: done}
  bye: {type: send, text: "Another time, then.", next: done}
  done: {type: end, result: answered}
  silent: {type: end, result: no answer}
"""
ASK = {
    "name": "Ask",
    "nodes": {
        "ask": {"type": "webhook", "url": "http://127.0.0.1:9/desk", "save": "it", "next": "yes", "failed": "no"},
        "yes": {"type": "send", "text": "It is {{it.state}}"},
        "no": {"type": "send", "text": "Nobody is there"},
    },
}


def said(*arguments: str | Path, typed: str | None = None, code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, list(map(str, arguments)), input=typed, prog_name="heliograph")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def tour(tmp_path: Path) -> Path:
    file = tmp_path / "tour.yaml"
    file.write_text(TOUR)
    return file


def test_a_flow_is_made_published_changed_and_written_out(heliograph: Command, tour: Path, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    made = heliograph("flow", "create", tour)
    assert (made["name"], made["publishedVersion"], made["findings"]) == ("Tour", None, [])
    assert heliograph("flow", "publish", "tour")["publishedVersion"] == 1
    tour.write_text(TOUR.replace("24h", "48h"))
    assert "saved, not published" in said("flow", "update", "Tour", tour)
    assert heliograph("flow", "update", "Tour", tour, "--publish")["publishedVersion"] == 2
    assert [(one["name"], one["usedBy"]) for one in heliograph("flow", "list")] == [
        ("SMS Support Flow", []),
        ("Tour", []),
    ]
    assert heliograph("flow", "attach", "Tour", "--default")["name"] == "Tour"
    assert "Tour" in said("flow", "list")
    with pytest.raises(errors.InUse, match="whoever writes without a conversation"):
        heliograph("flow", "delete", "Tour")
    assert said("flow", "attach", "Tour", "--default", "--off") == "Detached Tour.\n"
    found = heliograph("flow", "show", "Tour")
    assert [one["version"] for one in found["versions"]] == [2, 1]
    assert "answer" in said("flow", "show", "Tour")
    out = tmp_path / "out.json"
    said("flow", "export", "Tour", "--format", "json", "--out", out)
    assert json.loads(out.read_text()) == found["document"]
    assert said("flow", "delete", "Tour").startswith("Deleted Tour")
    assert heliograph("flow", "import", out)[0]["publishedVersion"] is None
    out.write_text(said("flow", "export", "Tour"))
    heliograph("flow", "clone", "Tour", "--name", "Other")
    assert heliograph("flow", "show", "Other")["document"]["nodes"] == found["document"]["nodes"]
    with pytest.raises(errors.Invalid, match="yaml, json, rapidpro, floip"):
        said("flow", "export", "Tour", "--format", "word")


def test_what_is_wrong_with_a_file_is_told_without_an_installation(tour: Path) -> None:
    assert "Nothing is wrong" in said("flow", "lint", tour)
    tour.write_text(TOUR.replace("otherwise: bye", "otherwise: which"))
    assert "error: " in said("flow", "lint", tour, code=1)
    told = json.loads(said("flow", "lint", tour, "--json", code=1))
    assert (told["publishable"], {one["level"] for one in told["findings"]} >= {"error"}) == (False, True)
    tour.write_text("nodes: [")
    with pytest.raises(errors.Invalid, match=r"tour\.yaml: "):
        said("flow", "lint", tour)
    tour.write_bytes(b"\xff")
    with pytest.raises(errors.Invalid, match="not UTF-8"):
        said("flow", "lint", tour)


def test_a_conversation_at_a_prompt(tour: Path, tmp_path: Path) -> None:
    told = said("flow", "simulate", tour, "--field", "first name=Ada", "--say", "OK!")
    assert told.splitlines() == [
        "< Hello Ada, do you want a tour? Reply YES or NO. STOP to end.",
        "< Great, we will call you.",
        '  finished {"result": "answered"}',
        "-- over, result answered; texts: 2, parts: 2",
    ]
    assert "< Another time, then." in said("flow", "simulate", tour, typed="never\nmind\n")
    assert "-- over, result no answer" in said("flow", "simulate", tour, typed="/wait 25h\n")
    assert "-- waits for an answer at answer" in said("flow", "simulate", tour, typed="/wait 1y\n/end\nok\n")
    asking = tmp_path / "ask.json"
    asking.write_text(json.dumps(ASK))
    assert "-- waits for a service's answer at ask" in said("flow", "simulate", asking, typed="")
    assert "< It is open" in said("flow", "simulate", asking, typed='/answer {"state": "open"}\n')
    assert "< Nobody is there" in said("flow", "simulate", asking, "--call", "real", typed="")
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"ask": {"state": "shut"}}))
    told = json.loads(said("flow", "simulate", asking, "--call", answers, "--json", typed=""))
    assert [one["text"] for one in told["entries"] if one["kind"] == "text"] == ["It is shut"]
    for option, value in (("--call", "nobody"), ("--field", "Ada")):
        with pytest.raises(errors.Invalid, match=value):
            said("flow", "simulate", asking, option, value)


def test_an_apps_flow_is_tried_with_what_the_app_has(heliograph: Command, tour: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    told = heliograph("flow", "simulate", "sms support flow", "--opening", "where is my parcel", "--say", "1002")
    assert [one["text"].partition(".")[0] for one in told["entries"] if one["kind"] == "text"] == [
        "What is your order number? It has four digits, such as 1002",
        "Order 1002 is on its way and arrives tomorrow",
    ]
    heliograph("flow", "create", tour, "--publish")
    tour.write_text(json.dumps({"name": "Go", "nodes": {"go": {"type": "flow", "flow": "Tour"}}}))
    assert "tour?" in said("flow", "simulate", tour, "--app", "Acme", "--say", "ok")
    assert "no flow" in said("flow", "simulate", tour, "--say", "ok")
    assert heliograph("flow", "lint", tour, "--app", "Acme")["publishable"]


def test_a_campaign_goes_through_a_flow(heliograph: Command, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    people = tmp_path / "people.csv"
    people.write_text("firstName,phoneNumber\nAda,+12125550100\n")
    heliograph("list", "import", people, "--name", "Leads")
    create = ["campaign", "create", "--list", "Leads", "--from", "+12125550199"]
    made = heliograph(*create, "--name", "Support", "--flow", "sms support flow")
    assert made["name"] == "Support"
    assert heliograph("flow", "list")[0]["usedBy"] == ["Support"]
    for wrong, words in (
        (["--flow", "None"], "There is no experience flow"),
        (["--text", "Hi", "--flow", "a"], "both there"),
    ):
        with pytest.raises(errors.Invalid, match=words):
            heliograph(*create, "--name", "Other", *wrong)
    with pytest.raises(errors.Invalid, match="--text"):
        heliograph(*create, "--name", "Other")
