"""Flows from RapidPro and back: what maps, what does not and where it stands, and that ours come back as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import document, rapidpro, rapidpro_export, system
from tests.rules.flow import flows

A, B, C = (f"{each}0000000-0000-4000-8000-000000000000" for each in "abc")


def category(name: str, to: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"uuid": f"c-{name}", "name": name, "exit_uuid": f"x-{name}"}, {"uuid": f"x-{name}", "destination_uuid": to}


def switch(*cases: tuple[str, list[str], str, str | None], default: str | None = None, **more: Any) -> dict[str, Any]:
    """A node with a router: cases are test, arguments, category and where it leads."""
    made = [category(name, to) for _, _, name, to in cases] + [category("Other", default)]
    timeout = more.pop("timeout", None)
    if timeout is not None:
        made.append(category("No Response", timeout))
        more["wait"] = {"type": "msg", "timeout": {"seconds": 600, "category_uuid": "c-No Response"}}
    tests = [{"type": kind, "arguments": words, "category_uuid": f"c-{name}"} for kind, words, name, _ in cases]
    router = {"type": "switch", "operand": "@input.text", "cases": tests, "default_category_uuid": "c-Other"}
    exits = {each["uuid"]: each for _, each in made}
    categories = {each["uuid"]: each for each, _ in made}
    return {"router": router | {"categories": list(categories.values())} | more, "exits": list(exits.values())}


def say(text: str, to: str | None, uuid: str = A, **more: Any) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "actions": [{"type": "send_msg", "text": text, **more}],
        "exits": [{"uuid": "x", "destination_uuid": to}],
    }


def flow(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "Colours",
        "spec_version": "13.1.0",
        "type": "messaging",
        "language": "eng",
        "nodes": list(nodes),
        **more,
    }


def one(raw: object) -> rapidpro.Imported:
    (found,) = rapidpro.read(raw)
    document.read(found.document)
    return found


def test_a_question_and_its_answers() -> None:
    found = one({
        "version": "13",
        "flows": [flow(
            say("Hi @contact.name! Your colour? Mail us at help@@example.com or me@example.com", B),
            switch(
                ("has_any_word", ["red rouge"], "Red", C), ("has_phrase", ["dark red"], "Red", C),
                ("has_number_gte", ["3"], "Many", None), ("has_pattern", [r"^x\d$"], "Code", C),
                default=B, timeout=C, result_name="Favorite Color",
            ) | {"uuid": B},
            say('@results.favorite_color @results.favorite_color.category @(default(fields.town, "nowhere"))', None, C),
            expire_after_minutes=720,
        )],
    })  # fmt: skip
    assert (found.unsupported, found.notes) == ((), ())
    assert found.document == {
        "flow": 1,
        "name": "Colours",
        "language": "en",
        "expires": "12h",
        "start": "send_1",
        "nodes": {
            "send_1": {
                "type": "send",
                "text": "Hi {{name}}! Your colour? Mail us at help@example.com or me@example.com",
                "next": "wait_2",
            },
            "wait_2": {
                "type": "wait", "save": "favorite_color", "timeout": "10m", "on_timeout": "send_3",
                "next": "branch_2_2",
            },
            "branch_2_2": {
                "type": "branch",
                "cases": [
                    {"any_word": ["red", "rouge", "dark red"], "label": "Red", "next": "send_3"},
                    {"number": [3, None], "label": "Many"},
                    {"pattern": r"^x\d$", "label": "Code", "next": "send_3"},
                ],
                "otherwise": "wait_2",
                "save": "favorite_color.category",
            },
            "send_3": {
                "type": "send",
                "text": '{{favorite_color}} {{favorite_color.category}} {{town|default:"nowhere"}}',
            },
        },
    }  # fmt: skip


def test_everything_that_is_not_supported_is_named_at_once() -> None:
    found = one(flow(
        {"uuid": A, "actions": [
            {"type": "send_msg", "text": "@(upper(contact.name)) @globals.shop", "attachments": ["image:x"]},
            {"type": "send_email", "subject": "x"},
            {"type": "add_contact_groups", "groups": [{"name_match": "@fields.x"}]},
        ], "exits": [{"uuid": "x", "destination_uuid": B}]},
        switch(("has_date", [], "Date", None), ("has_text", [], "Any", A), timeout=A) | {"uuid": B},
        localization={"fra": {}},
    ))  # fmt: skip
    assert [str(each) for each in found.unsupported] == [
        f"node {A}, nodes[0].actions[0]: send_msg has attachments, which a text has not",
        f"node {A}, nodes[0].actions[0]: @(upper(contact.name)) is not supported",
        f"node {A}, nodes[0].actions[0]: @globals.shop is not supported",
        f"node {A}, nodes[0].actions[1]: send_email is not supported",
        f"node {A}, nodes[0].actions[2]: add_contact_groups with the group '@fields.x' is not supported: name it",
        f"node {B}, nodes[1].router.cases[0]: has_date is not supported",
    ]
    assert found.document["x_unsupported"] == [str(each) for each in found.unsupported]
    assert found.notes == ("Colours: its translations (fra) are left out: a flow has one language",)


def test_services_flows_tickets_and_results() -> None:
    call = {"type": "call_webhook", "method": "GET", "url": "https://x.example/@fields.code", "result_name": "Shop"}
    went_well = switch(("has_only_text", ["Success"], "Success", B), default=C, operand="@results.shop.category")
    routed = went_well | {"uuid": A, "actions": [call]}
    completed = switch(("has_only_text", ["completed"], "Completed", C), operand="@child.status")
    inner = completed | {"uuid": B, "actions": [{"type": "enter_flow", "flow": {"name": "Inner"}}]}
    last = [
        {"type": "set_contact_field", "field": {"key": "vip", "name": "VIP"}, "value": "@results.shop.extra.level"},
        {"type": "set_contact_status", "status": "stopped"},
        {"type": "set_run_result", "name": "Result", "value": "sold"},
    ]
    found = one(flow(routed, inner, {"uuid": C, "actions": last, "exits": [{"uuid": "x", "destination_uuid": None}]}))
    assert found.unsupported == ()
    assert found.document["nodes"] == {
        "webhook_1": {
            "type": "webhook", "url": "https://x.example/{{code}}", "method": "GET", "save": "shop",
            "next": "flow_2", "failed": "set_3",
        },
        "flow_2": {"type": "flow", "flow": "Inner", "next": "set_3"},
        "set_3": {"type": "set", "field": "VIP", "value": "{{shop.level}}", "next": "opt_out_3_2"},
        "opt_out_3_2": {"type": "opt_out", "next": "end_3_3"},
        "end_3_3": {"type": "end", "result": "sold"},
    }  # fmt: skip


def test_an_expression_that_could_hang_another_engine_is_named() -> None:
    found = one(flow(switch(("has_pattern", [r"(?=a)b"], "X", None), ("has_text", [], "Y", None)) | {"uuid": A}))
    (refused,) = found.unsupported
    assert (refused.place, refused.kind) == ("nodes[0].router.cases[0]", "has_pattern")
    assert "RE2" in refused.why


def test_what_no_flow_of_ours_can_hold_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid, match="Colours cannot come in") as caught:
        rapidpro.read(flow(say("x" * 6000, None)))
    assert caught.value.field == "nodes.send_1.text"


def test_a_body_of_values_that_it_puts_in_quotes_is_one_of_texts() -> None:
    call = {"type": "call_webhook", "url": "https://x.example", "body": '{"town": @(json(fields.town)), "n": 1}'}
    found = one(flow({"uuid": A, "actions": [call], "exits": [{"uuid": "x", "destination_uuid": None}]}))
    assert found.unsupported == ()
    assert found.document["nodes"] == {
        "webhook_1": {
            "type": "webhook", "url": "https://x.example", "method": "POST", "save": "webhook",
            "body": {"town": "{{town}}", "n": "1"},
        },
    }  # fmt: skip


def test_other_formats_and_odd_ones_are_told() -> None:
    assert str(one(flow(spec_version="11.12")).unsupported[0]) == (
        "Colours: spec_version '11.12' is not read: 13 and 14 are"
    )
    for raw in ({}, {"flows": []}, {"flows": [1]}, {"flows": [{"nodes": []}]}, []):
        with pytest.raises(Invalid):
            rapidpro.read(raw)


JUNK = st.recursive(
    st.one_of(
        st.none(), st.integers(-5, 5), st.sampled_from(["msg", "switch", "x", "@(", "@fields.", "has_number_lt"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["uuid", "type", "actions", "router", "exits", "wait", "cases", "categories", "text"]),
            inner,
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=40)
@given(st.lists(JUNK, max_size=3))
def test_whatever_it_is_it_is_read_or_refused(nodes: list[Any]) -> None:
    try:
        found = rapidpro.read(flow(*nodes))
    except Invalid:
        return
    json.dumps(found[0].document)


def same(raw: dict[str, Any], back: rapidpro.Imported) -> None:
    assert (back.unsupported, back.notes) == ((), ())
    first, second = document.read(raw), document.read(back.document)
    assert second.start == first.start
    assert dict(second.nodes) == dict(first.nodes)
    assert (second.expires, second.language) == (first.expires, first.language)


@settings(max_examples=40)
@given(flows.documents(foreign=True))
def test_what_both_have_comes_back_as_it_was(raw: dict[str, Any]) -> None:
    made = rapidpro_export.write([document.read(raw)])
    assert made.lost == ()
    assert made == rapidpro_export.write([document.read(raw)]), "the same each time"
    same(raw, one(json.loads(json.dumps(made.document))))


@settings(max_examples=40)
@given(flows.documents())
def test_what_is_lost_is_told(raw: dict[str, Any]) -> None:
    read = document.read(raw)
    made = rapidpro_export.write([read])
    back = one(made.document)
    if not made.lost:
        assert dict(document.read(back.document).nodes) == dict(read.nodes)


def test_the_flow_that_comes_along_goes_to_rapidpro_and_what_it_loses_is_told() -> None:
    made = rapidpro_export.write([document.read(system.SUPPORT)])
    assert one(made.document).unsupported == ()
    assert all("max and then" in words for words in made.lost)
