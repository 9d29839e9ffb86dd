"""Flows changed node by node."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import document, edit
from tests.rules.flow import flows

ASK: dict[str, Any] = {
    "name": "F",
    "start": "hello",
    "nodes": {
        "hello": {"type": "send", "text": "Hi", "next": "ask"},
        "ask": {"type": "wait", "timeout": "1h", "on_timeout": "bye", "next": "by"},
        "by": {"type": "branch", "cases": [{"only": "yes", "next": "hello"}, {"only": "no"}], "otherwise": "ask"},
        "bye": {"type": "end"},
    },
}


def test_a_node_is_changed() -> None:
    before = copy.deepcopy(ASK)
    made: Any = edit.change(ASK, "bye", {"type": "end", "result": "silent"})
    assert made["nodes"]["bye"] == {"type": "end", "result": "silent"}
    assert before == ASK


def test_a_node_is_put_between() -> None:
    made: Any = edit.add(ASK, "more", {"type": "send", "text": "More"}, after="hello")
    assert list(made["nodes"]) == ["hello", "more", "ask", "by", "bye"]
    assert (made["nodes"]["hello"]["next"], made["nodes"]["more"]["next"]) == ("more", "ask")
    last: Any = edit.add(ASK, "more", {"type": "end"}, after="bye")
    assert last["nodes"]["bye"] == {"type": "end"}
    assert list(edit.add(ASK, "more", {"type": "end"})["nodes"])[-1] == "more"  # pyright: ignore[reportArgumentType]


def test_a_name_follows_everywhere() -> None:
    made: Any = edit.rename(ASK, "ask", "question")
    assert list(made["nodes"]) == ["hello", "question", "by", "bye"]
    assert made["nodes"]["hello"]["next"] == made["nodes"]["by"]["otherwise"] == "question"
    again: Any = edit.rename(made, "hello", "hi")
    assert (again["start"], again["nodes"]["by"]["cases"][0]["next"]) == ("hi", "hi")


def test_what_led_to_a_node_that_is_gone_leads_on() -> None:
    made: Any = edit.remove(ASK, "hello")
    assert (made["start"], made["nodes"]["by"]["cases"][0]["next"]) == ("ask", "ask")
    ended: Any = edit.remove(ASK, "bye")
    assert "on_timeout" not in ended["nodes"]["ask"]


def test_a_way_is_led_elsewhere() -> None:
    made: Any = edit.lead(ASK, "by", "cases[1].next", "bye")
    assert made["nodes"]["by"]["cases"][1] == {"only": "no", "next": "bye"}
    assert "otherwise" not in edit.lead(ASK, "by", "otherwise", None)["nodes"]["by"]  # pyright: ignore[reportIndexIssue]
    assert edit.start(ASK, "bye")["start"] == "bye"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (lambda: edit.change(ASK, "x", {"type": "end"}), "nodes.x"),
        (lambda: edit.change(ASK, "bye", {"type": "sing"}), "nodes.bye.type"),
        (lambda: edit.add(ASK, "bye", {"type": "end"}), "nodes.bye"),
        (lambda: edit.add(ASK, "a b", {"type": "end"}), "nodes"),
        (lambda: edit.rename(ASK, "ask", "bye"), "nodes.bye"),
        (lambda: edit.rename(ASK, "ask", "a b"), "nodes"),
        (lambda: edit.remove(ASK, "by"), "nodes.ask.next"),
        (lambda: edit.remove({"name": "F", "nodes": {"a": {"type": "end"}}}, "a"), "nodes.a"),
        (lambda: edit.lead(ASK, "by", "cases[9].next", "bye"), "nodes.by.cases[9].next"),
        (lambda: edit.lead(ASK, "by", "otherwise", "nowhere"), "nodes.by.otherwise"),
        (lambda: edit.start(ASK, "nowhere"), "nodes.nowhere"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(changed: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        changed()
    assert caught.value.field == field


@settings(max_examples=25)
@given(flows.documents(), st.data())
def test_renaming_there_and_back_is_nothing(raw: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(raw["nodes"])))
    made = edit.rename(raw, key, "quite.another")
    assert key not in document.read(made).nodes
    assert edit.rename(made, "quite.another", key) == raw
