"""Conversations tried out: a script in, a transcript out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import document, transcript

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP: dict[str, Any] = {
    "name": "Shop",
    "expires": "2d",
    "nodes": {
        "hello": {"type": "send", "text": "Hi {{first_name}}: which order?", "next": "ask"},
        "ask": {"type": "wait", "save": "order", "timeout": "1h", "on_timeout": "nudge", "next": "shop"},
        "nudge": {"type": "send", "text": "Still there? 👋", "next": "again"},
        "again": {"type": "wait", "next": "shop"},
        "shop": {
            "type": "webhook", "url": "https://shop.example/{{order}}", "save": "got", "next": "tell", "failed": "desk",
        },
        "tell": {"type": "send", "text": "It is {{got.state}}.", "next": "keep"},
        "keep": {"type": "set", "field": "Last", "value": "{{order}}", "next": "add"},
        "add": {"type": "list_add", "list": "Asked", "next": "ask"},
        "desk": {"type": "handoff", "note": "{{order}}", "team": "Desk"},
    },
}  # fmt: skip


def find(name: str, version: int | None) -> tuple[int, document.Flow] | None:
    return (version or 3, document.read(SHOP)) if name == "Shop" else None


def run(**script: Any) -> dict[str, Any]:
    found = transcript.simulate(find, "Shop", script, now=NOON)
    json.dumps(found)
    return found


def kinds(found: dict[str, Any]) -> list[str]:
    return [entry["kind"] for entry in found["entries"]]


def test_a_script_becomes_a_transcript() -> None:
    found = run(fields={"First Name": "Ada"}, calls={"shop": {"state": "on its way"}}, steps=["77"])
    assert kinds(found) == ["text", "heard", "call", "called", "text", "field", "list"]
    assert found["entries"][0] == {
        "at": "2026-03-02T12:00:00+00:00", "kind": "text", "node": "hello", "text": "Hi Ada: which order?",
        "parts": 1, "encoding": "GSM-7", "answering": False,
    }  # fmt: skip
    assert found["entries"][2] == {
        "at": "2026-03-02T12:00:00+00:00", "kind": "call", "node": "shop", "method": "POST",
        "url": "https://shop.example/77", "headers": {}, "body": None,
    }  # fmt: skip
    assert (found["texts"], found["parts"], found["state"], found["node"]) == (2, 2, "answer", "ask")
    assert (found["version"], found["changed"], found["results"]["got.state"]) == (3, {"Last": "77"}, "on its way")


def test_time_passes_deadline_by_deadline() -> None:
    found = run(steps=[{"wait": "3d"}])
    assert kinds(found) == ["text", "waited", "text", "waited", "finished", "waited"]
    assert [entry["at"] for entry in found["entries"] if entry["kind"] in {"text", "finished"}] == [
        "2026-03-02T12:00:00+00:00",
        "2026-03-02T13:00:00+00:00",
        "2026-03-04T13:00:00+00:00",
    ]
    assert (found["result"], found["entries"][2]["encoding"]) == ("expired", "UCS-2")


def test_a_call_without_an_answer_waits_for_one() -> None:
    waiting = run(steps=["77"])
    assert (waiting["state"], waiting["node"]) == ("call", "shop")
    assert run(steps=["77", {"answer": None}])["entries"][-1]["kind"] == "handed"
    assert run(steps=["1", {"answer": {"state": "lost"}}])["entries"][4]["text"] == "It is lost."
    twice = run(calls={"shop": [{"state": "here"}, None]}, steps=["1", "2"])
    assert (twice["state"], twice["texts"]) == ("handed", 2)


def test_a_no_wins_over_every_flow() -> None:
    found = run(steps=["STOP", "77"])
    assert kinds(found) == ["text", "heard", "consent", "finished", "heard"]
    assert (found["result"], found["entries"][-1]["changes"]) == ("opted out", "nothing")


def test_a_person_may_begin() -> None:
    assert kinds(run(opening="hello")) == ["heard", "text"]


@pytest.mark.parametrize(
    ("script", "field"),
    [
        ({"stages": []}, "stages"),
        ({"steps": "x"}, "steps"),
        ({"steps": [{}]}, "steps[0]"),
        ({"steps": [{"wait": "soon"}]}, "steps[0].wait"),
        ({"steps": ["1", {"answer": 2}]}, "steps[1].answer"),
        ({"steps": [{"answer": {}}]}, "steps[0].answer"),
        ({"steps": ["1"], "calls": {"shop": 7}}, "calls.shop"),
        ({"zone": "Mars"}, "zone"),
        ({"now": "yesterday"}, "now"),
        ({"now": "2026-03-02T12:00:00"}, "now"),
    ],
)
def test_a_fault_in_a_script_is_told_with_its_place(script: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        run(**script)
    assert caught.value.field == field


def test_a_flow_that_is_not_there_is_named() -> None:
    with pytest.raises(Invalid, match="no flow 'Other'"):
        transcript.simulate(find, "Other", None, now=NOON)


def test_a_service_asked_again_and_again_ends_the_trial() -> None:
    again = document.read({"name": "R", "nodes": {"a": {"type": "webhook", "url": "https://x.example", "next": "a"}}})
    with pytest.raises(Invalid, match="round and round"):
        transcript.simulate(lambda _name, version: (version or 1, again), "R", {"calls": {"a": {}}}, now=NOON)


STEPS = st.one_of(
    st.text(max_size=8), st.sampled_from(["77", "STOP", "help"]), st.sampled_from([{"wait": "1h"}, {"wait": "90d"}])
)


@settings(max_examples=25)
@given(st.lists(cast("st.SearchStrategy[object]", STEPS), max_size=8), st.sampled_from([{"state": "ok"}, None]))
def test_any_script_is_told_and_told_the_same_again(steps: list[object], answer: object) -> None:
    steps = [each for each in steps if not isinstance(each, str) or "\0" not in each]
    first = run(steps=steps, calls={"shop": answer})
    assert first == run(steps=steps, calls={"shop": answer})
    assert first["texts"] == kinds(first).count("text")
