"""Flows of the Flow Interoperability Project and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import document, floip, floip_blocks, floip_export, system
from tests.rules.flow import flows

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def out(to: str | None, test: str | None = None, name: str = "default") -> dict[str, Any]:
    asked = {"default": True} if test is None else {"test": test}
    return {"uuid": f"x-{name}", "name": name, "destination_block": to} | asked


def block(uuid: str, kind: str, *exits: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"uuid": uuid, "name": f"{uuid}_block", "type": kind, "config": config, "exits": list(exits)}


def container(*blocks: dict[str, Any], texts: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    resources = {
        uuid: {"uuid": uuid, "values": [
            {"language_id": "eng", "content_type": "AUDIO", "modes": ["IVR"], "value": "a.wav"},
            {"language_id": "eng", "content_type": "TEXT", "modes": ["RICH_MESSAGING"], "value": f"Long: {words}"},
            {"language_id": "eng", "content_type": "TEXT", "modes": ["SMS"], "value": words},
        ]}
        for uuid, words in (texts or {}).items()
    }  # fmt: skip
    flow = {
        "uuid": "f", "name": "Survey", "interaction_timeout": 172800, "first_block_id": blocks[0]["uuid"],
        "languages": [{"id": "eng", "iso_639_3": "eng"}], "blocks": list(blocks), "resources": resources, **more,
    }  # fmt: skip
    return {"specification_version": "1.0.0-rc1", "uuid": "c", "name": "C", "flows": [flow]}


def one(raw: object) -> floip.Imported:
    (found,) = floip.read(raw)
    document.read(found.document)
    return found


def test_questions_choices_and_numbers() -> None:
    choices = [
        {"name": "chocolate", "text_tests": [{"test_expression": "block.response = '1'"},
                                             {"language": "eng", "test_expression": "block.response = 'choc'"}]},
        {"name": "vanilla"},
    ]  # fmt: skip
    exits = [
        out("old", "block.value = chocolate", "chocolate"),
        out("age", "block.value = vanilla", "vanilla"),
        out("ice"),
    ]
    found = one(container(
        block("hi", "MobilePrimitives.Message", out("ice"), prompt="t-hi"),
        block("ice", "MobilePrimitives.SelectOneResponse", *exits, prompt="t-ice", choices=choices),
        block("age", "MobilePrimitives.NumericResponse", out("old", "TRUE", "ok"), out("age"),
              prompt="t-age", validation_minimum=1, validation_maximum=120),
        block("old", "Core.Case", out("bye", "AND(flow.age_block >= 18, flow.age_block < 65)", "adult"), out(None)),
        block("bye", "Core.SetContactProperty", out(None),
              set_contact_property=[{"property_key": "flavour", "property_value": "@flow.ice_block"}]),
        texts={"t-hi": "Hi @contact.name", "t-ice": "1 chocolate or 2 vanilla?", "t-age": "Your age?"},
    ))  # fmt: skip
    assert (found.unsupported, found.notes) == ((), ())
    assert found.document == {
        "flow": 1, "name": "Survey", "language": "en", "expires": "2d", "start": "hi_block",
        "nodes": {
            "hi_block": {"type": "send", "text": "Hi {{name}}", "next": "ice_block"},
            "ice_block": {"type": "send", "text": "1 chocolate or 2 vanilla?", "next": "ice_block_2"},
            "ice_block_2": {"type": "wait", "save": "ice_block", "next": "ice_block_3"},
            "ice_block_3": {
                "type": "branch", "otherwise": "ice_block", "save": "ice_block",
                "cases": [
                    {"only": ["1", "choc"], "label": "chocolate", "next": "old_block"},
                    {"only": ["vanilla"], "label": "vanilla", "next": "age_block"},
                ],
            },
            "age_block": {"type": "send", "text": "Your age?", "next": "age_block_2"},
            "age_block_2": {"type": "wait", "save": "age_block", "next": "age_block_3"},
            "age_block_3": {
                "type": "branch", "otherwise": "age_block",
                "cases": [{"number": [1, 120], "label": "number", "next": "old_block"}],
            },
            "old_block": {
                "type": "branch", "on": "{{age_block}}",
                "cases": [{"number": [18, 64.999999], "label": "adult", "next": "bye_block"}],
            },
            "bye_block": {"type": "set", "field": "flavour", "value": "{{ice_block}}"},
        },
    }  # fmt: skip


def test_what_is_not_supported_is_named_at_once() -> None:
    found = one(container(
        block("a", "MobilePrimitives.SelectManyResponses", out("b")),
        block("b", "Core.Case", out("a", "contact.age > 3", "x"), out("c", "YEAR(NOW()) = 2026", "y"), out(None)),
        block("c", "MobilePrimitives.Message", out("d"), prompt="Hi @(UPPER(contact.name)) me@example.com"),
        block("d", "Core.Webhook", out(None), method="GET", url="https://x.example", auth={"username": "u"}),
    ))  # fmt: skip
    assert [str(each) for each in found.unsupported] == [
        "node a, blocks[0]: MobilePrimitives.SelectManyResponses is not supported",
        "node b, blocks[1]: test 'YEAR(NOW()) = 2026' is not supported",
        "node c, blocks[2]: @(UPPER(contact.name)) is not supported",
        "node d, blocks[3]: Core.Webhook with auth is not supported: put it into url or headers",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("block.response = '1'", ("block.response", {"only": ["1"]})),
        ('flow.a = "b c"', ("flow.a", {"only": ["b c"]})),
        ("contact.age < 18", ("contact.age", {"number": [None, 17.999999]})),
        ("AND(flow.x >= 1, flow.x <= 2)", ("flow.x", {"number": [1, 2]})),
        ("OR(flow.x = 'a', flow.x = 'b')", ("flow.x", {"only": ["a", "b"]})),
        ("OR(flow.x = 'a', flow.y = 'b')", None),
        ("NOT(flow.x)", None),
    ],
)
def test_conditions(written: str, expected: object) -> None:
    assert floip_blocks.condition(written) == expected


@pytest.mark.parametrize("raw", [{}, {"specification_version": "2.0"}, {"specification_version": "1.0.0", "flows": []}])
def test_what_is_no_container_is_refused(raw: object) -> None:
    with pytest.raises(Invalid):
        floip.read(raw)


@settings(max_examples=25)
@given(flows.documents())
def test_ours_comes_back_as_it_was(raw: dict[str, Any]) -> None:
    read = document.read(raw)
    made = floip_export.write([read], now=NOON)
    assert made == floip_export.write([read], now=NOON)
    found = one(json.loads(json.dumps(made.document)))
    assert (found.unsupported, found.notes) == ((), ())
    back = document.read(found.document)
    assert (back.start, back.expires, back.language) == (read.start, read.expires, read.language)
    without_counts = {key: lossless(node) for key, node in read.nodes.items()}
    assert {key: lossless(node) for key, node in back.nodes.items()} == without_counts
    counted = any(isinstance(node, document.nodes.Branch) and node.most for node in read.nodes.values())
    assert not counted or any("max and then" in words for words in made.lost)


JUNK = st.recursive(
    st.one_of(
        st.none(), st.integers(-5, 5), st.sampled_from(["Core.Case", "MobilePrimitives.OpenResponse", "x", "@("])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["uuid", "type", "config", "exits", "name", "test", "prompt", "groups"]), inner
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=25)
@given(st.lists(JUNK, max_size=3), JUNK)
def test_whatever_it_is_it_is_read_or_refused(blocks: list[Any], resources: Any) -> None:
    raw = {"name": "F", "blocks": blocks, "resources": resources, "first_block_id": "x"}
    try:
        (found,) = floip.read({"specification_version": "1.0.0", "flows": [raw]})
    except Invalid:
        return
    json.dumps(found.document)


def lossless(node: Any) -> Any:
    """A node without what is told to be lost."""
    if isinstance(node, document.nodes.Branch):
        return (node.cases, node.otherwise, node.on, node.save)
    return node


def test_a_case_that_was_changed_elsewhere_counts() -> None:
    raw = {"name": "F", "nodes": {"a": {"type": "branch", "cases": [{"any_word": ["x"], "label": "X", "next": "a"}]}}}
    made: Any = json.loads(json.dumps(floip_export.write([document.read(raw)], now=NOON).document))
    made["flows"][0]["blocks"][0]["exits"][0]["test"] = "block.response = 'y'"
    assert one(made).document["nodes"] == {
        "a": {"type": "branch", "cases": [{"only": ["y"], "label": "X", "next": "a"}]},
    }


def test_the_flow_that_comes_along_goes_out_and_comes_back() -> None:
    read = document.read(system.SUPPORT)
    made = floip_export.write([read], now=NOON)
    assert one(made.document).unsupported == ()
    assert made.lost
