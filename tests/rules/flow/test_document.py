"""Reading flows: every fault with its place; and what the linter finds in those that can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import document, matching, nodes, transcript

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def flow(**its: Any) -> dict[str, Any]:
    return {"name": "F", "nodes": its}


SAY = {"type": "send", "text": "Hi"}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], None),
        ({}, "name"),
        ({"name": "F", "flow": 2, "nodes": {}}, "flow"),
        ({"name": "F"}, "nodes"),
        (flow(), "nodes"),
        ({"name": "F", "start": "x", "nodes": {"a": SAY}}, "start"),
        ({"name": "F", "expires": "soon", "nodes": {"a": SAY}}, "expires"),
        ({"name": "F", "expires": "91d", "nodes": {"a": SAY}}, "expires"),
        ({"name": "F", "nodes": {"a b": SAY}}, "nodes"),
        ({"name": "F", "begin": "a", "nodes": {"a": SAY}}, "begin"),
        (flow(a={"type": "sing"}), "nodes.a.type"),
        (flow(a={"type": "send", "text": " "}), "nodes.a.text"),
        (flow(a={"type": "send", "text": "Hi {{na"}), "nodes.a.text"),
        (flow(a={"type": "send", "text": "Hi", "next": "b"}), "nodes.a.next"),
        (flow(a={"type": "send", "text": "Hi", "nxt": "b"}), "nodes.a.nxt"),
        (flow(a={"type": "wait"}), "nodes.a.next"),
        (flow(a={"type": "wait", "next": "a", "on_timeout": "a"}), "nodes.a.timeout"),
        (flow(a={"type": "branch", "cases": []}), "nodes.a.cases"),
        (flow(a={"type": "branch", "cases": [{}]}), "nodes.a.cases[0]"),
        (flow(a={"type": "branch", "cases": [{"only": "x", "number": [1, 2]}]}), "nodes.a.cases[0]"),
        (flow(a={"type": "branch", "cases": [{"only": []}]}), "nodes.a.cases[0].only"),
        (flow(a={"type": "branch", "cases": [{"pattern": "("}]}), "nodes.a.cases[0].pattern"),
        (flow(a={"type": "branch", "cases": [{"number": [1]}]}), "nodes.a.cases[0].number"),
        (flow(a={"type": "branch", "cases": [{"number": [1, 10**400]}]}), "nodes.a.cases[0].number"),
        (flow(a={"type": "branch", "cases": [{"only": "x", "is": "y"}]}), "nodes.a.cases[0].is"),
        (flow(a={"type": "branch", "cases": [{"field": "x", "is": {}}]}), "nodes.a.cases[0].is"),
        (flow(a={"type": "branch", "cases": [{"only": "x"}], "max": 0}), "nodes.a.max"),
        (flow(a={"type": "split", "ways": [{"next": "a"}]}), "nodes.a.ways"),
        (flow(a={"type": "split", "ways": [{}, {"weight": -1}]}), "nodes.a.ways[1].weight"),
        (flow(a={"type": "set", "field": "", "value": "x"}), "nodes.a.field"),
        (flow(a={"type": "webhook", "url": "x", "method": "BREW"}), "nodes.a.method"),
        (flow(a={"type": "webhook", "url": "x", "timeout_s": 99}), "nodes.a.timeout_s"),
        (flow(a={"type": "delay", "for": "0s"}), "nodes.a.for"),
        (flow(a={"type": "flow"}), "nodes.a.flow"),
    ],
)
def test_every_fault_is_told_with_its_place(raw: object, field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        document.read(raw)
    assert caught.value.field == field


def test_a_number_is_a_word_to_look_for() -> None:
    read = document.read(flow(a={"type": "branch", "cases": [{"any_word": [1, "one"]}, {"only": 2}]}))
    assert isinstance(read.nodes["a"], nodes.Branch)
    assert [case.test for case in read.nodes["a"].cases] == [matching.AnyWord(("1", "one")), matching.Only(("2",))]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=12,
)


@given(st.sampled_from(document.KINDS), st.dictionaries(st.text(max_size=8), JSON, max_size=4), JSON)
def test_no_document_is_too_odd_to_be_refused(kind: str, more: dict[str, object], cases: object) -> None:
    with pytest.raises(Invalid):
        document.read(flow(a={"type": kind, "unheard of": 1, **more, "cases": cases}))


def test_which_case_held_is_kept() -> None:
    raw = flow(
        a={
            "type": "branch",
            "cases": [{"any_word": ["yes", "ok"], "label": "Yes", "next": "b"}],
            "save": "kept.category",
        },
        b={"type": "send", "text": "{{kept.category}}!"},
    )
    read = document.read(raw)
    talk = transcript.simulate(lambda _name, _version: (1, read), "F", {"opening": "ok"}, now=NOON)
    assert [each["text"] for each in cast("list[Any]", talk["entries"]) if each["kind"] == "text"] == ["Yes!"]
