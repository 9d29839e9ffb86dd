"""What the linter finds in flows that can be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from heliograph.rules.flow import document, lint, system
from tests.rules.flow import flows as chance

SAY = {"type": "send", "text": "Hi. STOP to end"}
END = {"type": "end"}


def flow(**its: Any) -> dict[str, Any]:
    return {"name": "F", "nodes": its}


def kinds(raw: dict[str, Any], **known: Any) -> list[tuple[str, str]]:
    return [(found.path, found.kind) for found in lint.lint(document.read(raw), known=lint.Known(**known))]


def wait(**more: Any) -> dict[str, Any]:
    return {"type": "wait", "timeout": "1h", "on_timeout": "b", "next": "b", **more}


def branch(test: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "branch", "cases": [test], "otherwise": "b", **more}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (flow(a=SAY), []),
        (flow(a=SAY, b=SAY), [("nodes.b", "unreachable")]),
        (flow(a=SAY | {"next": "b"}, b=SAY | {"next": "a"}), [("nodes.a", "loop"), ("nodes.b", "loop")]),
        (flow(a=SAY | {"next": "b"}, b=wait(next="a", on_timeout="a")), []),
        (flow(a=branch({"only": "x", "next": "b"}), b=SAY), []),
        (flow(a=branch({"only": "x", "next": "b"}, otherwise=None), b=SAY), [("nodes.a.otherwise", "no_otherwise")]),
        (flow(a=branch({"only": "x"}), b=SAY), [("nodes.a.cases[0].next", "dead_end")]),
        (flow(a=branch({"only": "x", "next": "b"}, otherwise="a", max=3, then="b"), b=SAY), []),
        (flow(a=wait(on_timeout=None), b=SAY), [("nodes.a.on_timeout", "dead_end")]),
        (flow(a={"type": "wait", "next": "b"}, b=SAY), [("nodes.a.timeout", "no_timeout")]),
        (flow(a={"type": "webhook", "url": "x", "next": "b"}, b=SAY),
         [("nodes.a.failed", "dead_end"), ("nodes.a", "late_text")]),
        (flow(a=branch({"any_word": ["yes", "stop"], "next": "b"}), b=SAY), [("nodes.a.cases[0]", "law_word")]),
        (flow(a={"type": "send", "text": "Hi"}), [("nodes.a.text", "no_opt_out")]),
        (flow(a={"type": "delay", "for": "1h", "next": "b"}, b={"type": "send", "text": "Hi"}),
         [("nodes.b.text", "no_opt_out"), ("nodes.a", "late_text")]),
        (flow(a=wait(), b={"type": "send", "text": "Hi"}), []),
        (flow(a=SAY | {"text": "STOP" + "x" * 500}), [("nodes.a.text", "costly")]),
        (flow(a=SAY | {"text": "STOP " + "x" * 90 + "\u2019"}), [("nodes.a.text", "ucs2")]),
        (flow(a={"type": "flow", "flow": "f"}), [("", "flow_cycle")]),
        (flow(a=END) | {"x_unsupported": ["send_email"]}, [("x_unsupported", "unsupported")]),
    ],
)  # fmt: skip
def test_what_the_linter_finds(raw: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert kinds(raw) == expected


def test_names_that_are_known_are_looked_up() -> None:
    text = 'STOP {{name}} {{city|default:"you"}} {{context.userInfo.Town}} {{desk.state}} {{answer}}'
    raw = flow(a=SAY | {"text": text})
    assert kinds(raw) == []
    assert kinds(raw, fields=["Town"]) == [("nodes.a", "missing_field")] * 2
    saved = flow(a={"type": "webhook", "url": "x", "save": "desk", "next": "b", "failed": "b"}, b=SAY | {"text": text})
    assert kinds(saved, fields=["Name", "town"]) == [("nodes.a", "late_text")]
    other = flow(a={"type": "flow", "flow": "Other"})
    assert kinds(other, flows=["F"]) == [("nodes.a.flow", "missing_flow")]
    assert kinds(other, flows=["other"]) == []
    assert kinds(flow(a={"type": "list_add", "list": "Tour"}), lists=["x"]) == [("nodes.a.list", "missing_list")]
    assert kinds(flow(a={"type": "send", "template": "T"}), templates=[]) == [("nodes.a.template", "missing_template")]
    field = branch({"field": "Plan", "next": "b"})
    assert kinds(flow(a=field, b=SAY), fields=["Town"]) == [("nodes.a", "missing_field")]


def test_flows_that_lead_to_each_other_are_found() -> None:
    there = document.read({"name": "There", "nodes": {"a": {"type": "flow", "flow": "F"}}})
    back = flow(a={"type": "flow", "flow": "there"})
    assert kinds(back, others={"There": there}) == [("", "flow_cycle")]
    (found,) = lint.lint(document.read(back), known=lint.Known(others={"There": there}))
    assert (found.level, "F to there to F" in found.words) == ("error", True)
    waits = flow(a=wait(), b={"type": "flow", "flow": "There"})
    assert kinds(waits, others={"There": there}) == []


def test_a_sentence_says_what_it_costs_and_why() -> None:
    told = [found.words for found in lint.lint(document.read(flow(a=SAY | {"text": "STOP {{name}} " + "ş" * 200})))]
    assert told == [
        "a is 4 parts as ş is no letter of GSM 03.38; without, it would be 2",
        "a is 4 parts (UCS-2), each of its 1 placeholders taken for 12 characters: shorten it to 3",
    ]


def test_the_flow_that_comes_along_has_no_faults() -> None:
    found = lint.lint(document.read(system.SUPPORT))
    assert [each for each in found if each.fault] == []


@settings(max_examples=25)
@given(chance.documents())
def test_any_flow_is_looked_over(raw: dict[str, Any]) -> None:
    read = document.read(raw)
    for found in lint.lint(read, known=lint.Known((), (), (), ())):
        assert found.node in read.nodes or not found.node
        assert found.words
