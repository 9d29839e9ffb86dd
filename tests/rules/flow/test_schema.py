"""The JSON Schema says of a document's structure what the reader says."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import conditions, document, schema, system
from tests.rules.flow import flows

VALID = jsonschema_rs.Draft202012Validator(schema.schema())
# What a value is changed to: of every type, at and beyond the limits. Names of nodes lead somewhere.
ODD: list[Any] = [
    None, True, 0, 1, -1, 31, 1.5, 10**16, "", " ", "n0", "24h", "0s", "x" * 101, "x" * 5001, "a b", [], ["yes"],
    ["yes", 1], [1, 9], [None, None], [" "], {}, {"X": "y"}, {"X": 1}, [{}], [{"next": "n0"}, {"weight": 0}],
    [{"only": "x"}], "POST",
]  # fmt: skip


def readable(raw: object) -> bool:
    try:
        document.read(raw)
    except Invalid:
        return False
    return True


def agrees(raw: object) -> None:
    assert VALID.is_valid(raw) == readable(raw), raw


def test_the_schema_is_one_and_knows_every_kind_and_test() -> None:
    jsonschema_rs.meta.validate(schema.schema())
    made = schema.schema()["$defs"]
    assert [each["if"]["properties"]["type"]["const"] for each in made["node"]["allOf"]] == list(document.KINDS)
    assert [each["required"][0] for each in made["case"]["oneOf"]] == list(conditions.TESTS)
    for kind, each in schema._nodes().items():
        assert set(each["properties"]) == {*document.SHOWN, *document._READERS[kind][1]}
    assert set(schema.schema()["properties"]) == set(document.TOP)


@settings(max_examples=25)
@given(flows.documents())
def test_what_can_be_read_is_valid(raw: dict[str, Any]) -> None:
    document.read(raw)
    assert list(VALID.iter_errors(raw)) == []


@settings(max_examples=40)
@given(flows.documents(), st.data())
def test_a_changed_document_is_valid_when_it_can_be_read(raw: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(raw)
    key = data.draw(st.sampled_from(sorted(changed["nodes"])))
    node = changed["nodes"][key]
    for odd in data.draw(st.lists(st.sampled_from(ODD), min_size=4, max_size=4)):
        before = copy.deepcopy(node)
        what = data.draw(st.sampled_from([*sorted(node), "nxt", "case"]))
        if what == "case" and node.get("type") == "branch":
            case = node["cases"][0]
            case[data.draw(st.sampled_from(sorted(case)))] = odd
        else:
            node[what] = odd
        if not dangling(changed):
            agrees(changed)
        node.clear()
        node.update(before)


def dangling(raw: dict[str, Any]) -> bool:
    """Whether a way leads nowhere, or what is wrong is a text or an expression: what no schema can say."""
    try:
        document.read(raw)
    except Invalid as error:
        return any(words in str(error) for words in ("no node of that name", "placeholder", "regular expression"))
    return False


@pytest.mark.parametrize(
    "change",
    [
        {"flow": 2}, {"flow": 1.5}, {"name": ""}, {"name": " "}, {"nodes": {}}, {"nodes": []}, {"x_more": 1},
        {"more": 1},
        {"expires": "1w"}, {"expires": "3 d"}, {"language": 1}, {"nodes": {"a b": {"type": "end"}}}, {"start": 1},
        {"nodes": {"a": {"type": "sing"}}}, {"nodes": {"a": []}}, {"nodes": {"a": {}}},
    ],
)  # fmt: skip
def test_the_top_agrees(change: dict[str, Any]) -> None:
    agrees({"name": "F", "nodes": {"a": {"type": "end"}}, **change})


def test_the_flow_that_comes_along_is_valid() -> None:
    VALID.validate(dict(system.SUPPORT))
