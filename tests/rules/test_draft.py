from __future__ import annotations

import base64
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import draft
from heliograph.rules.template import Missing

DAYS = [{"day": day, "start": "9:00 AM", "end": "6:00 PM"} for day in ("MO", "TU", "WE", "TH", "FR")]
SIMPLE = {
    "name": "Spring Sale",
    "description": "Everything must go",
    "contactLists": ["Leads", "Renewals"],
    "campaignType": "sms",
    "priority": "5",
    "format": "simple",
    "message": {"message": "Hi <First Name>!", "templateId": ""},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+91987654321"},
        "callingHours": {"frequency": "WEEKLY", "timezone": "Asia/Kolkata", "days": DAYS},
    },
    "schedule": {"isSchedulingEnabled": False},
}
ADVANCED = {
    **{key: SIMPLE[key] for key in SIMPLE if key != "message"},
    "format": "advanced",
    "experienceFlowName": "Support",
}
FILTERS = {"op": "or", "conditions": [{"column": "City", "is": "in", "value": ["Pune", "Delhi"]}]}
GONE = object()


def _with(path: str, value: object, base: dict = SIMPLE) -> dict:
    """The base body with one value changed, or taken away."""
    body = copy.deepcopy(base)
    *way, last = path.split(".")
    here = body
    for step in way:
        here = here[step]
    if value is GONE:
        here.pop(last, None)
    else:
        here[last] = value
    return body


def test_the_vendors_simple_body() -> None:
    found = draft.parse(SIMPLE)
    assert (found.name, found.lname, found.description) == ("Spring Sale", "spring sale", "Everything must go")
    assert found.list_names == ("Leads", "Renewals")
    assert (found.dnc_name, found.dnc_sent) == (None, False)
    assert (found.priority, found.format, found.caller_id) == (5, "simple", "+91987654321")
    assert found.dialing == SIMPLE["dialingStrategy"]
    assert found.message == {"message": "Hi <First Name>!"}
    assert (found.text, found.missing) == ("Hi <First Name>!", Missing())
    assert (found.template_name, found.template_id, found.flow_name) == (None, None, None)
    assert found.schedule == {"isSchedulingEnabled": False}


def test_a_schedule_is_not_set_by_a_draft() -> None:
    draft.unscheduled(draft.parse(SIMPLE))
    with pytest.raises(Invalid, match="set with the schedule call") as refused:
        draft.unscheduled(draft.parse(_with("schedule.isSchedulingEnabled", True)))
    assert refused.value.field == "schedule.isSchedulingEnabled"


def test_filters_can_be_kept_out_of_use_but_not_be_switched_on_without_any() -> None:
    assert draft.parse({**SIMPLE, "filters": FILTERS, "isFiltersEnabled": True}).filters == FILTERS
    assert draft.parse({**SIMPLE, "filters": FILTERS, "isFiltersEnabled": False}).filters is None
    for wrong, field in (
        ({"isFiltersEnabled": True}, "filters"),
        ({"isFiltersEnabled": True, "filters": None}, "filters"),
        ({"isFiltersEnabled": "true", "filters": FILTERS}, "isFiltersEnabled"),
        ({"isFiltersEnabled": False, "filters": {}}, "filters.conditions"),
        ({"filters": {"conditions": [{}]}}, "filters.conditions[0].column"),
    ):
        with pytest.raises(Invalid) as refused:
            draft.parse({**SIMPLE, **wrong})
        assert refused.value.field == field


def test_the_vendors_advanced_body() -> None:
    found = draft.parse(ADVANCED)
    assert (found.format, found.flow_name, found.message, found.text) == ("advanced", "Support", None, None)


@pytest.mark.parametrize(
    ("path", "value", "attribute", "read"),
    [
        ("name", "  Sale ", "name", "Sale"),
        ("name", "x" * 48, "name", "x" * 48),
        ("description", GONE, "description", None),
        ("description", "", "description", ""),
        ("contactLists", ["Leads", "leads"], "list_names", ("Leads",)),
        ("campaignType", GONE, "priority", 5),
        ("priority", GONE, "priority", 5),
        ("priority", "", "priority", 5),
        ("priority", 3, "priority", 3),
        ("priority", "1", "priority", 1),
        ("format", "basic", "format", "simple"),
        ("format", "template", "format", "simple"),
        ("dncLists", {"name": "No"}, "dnc_name", "No"),
        ("dncLists", {"id": "cl-1", "name": "No"}, "dnc_name", "No"),
        ("dncLists", "No", "dnc_name", "No"),
        ("dncLists", [{"name": "No"}], "dnc_name", "No"),
        ("dncLists", None, "dnc_name", None),
        ("dncLists", {}, "dnc_name", None),
        ("schedule", GONE, "schedule", {"isSchedulingEnabled": False}),
        ("message.message", base64.b64encode(b"<p>Hi</p>").decode(), "text", "Hi"),
        ("message.message", "a\r\nb", "text", "a\nb"),
        ("message.template_name", "Welcome", "template_name", "Welcome"),
        ("message.template_name", "Welcome", "text", None),
        ("message", {"templateId": "cmt-1"}, "template_id", "cmt-1"),
        ("message.onMissing", {"rule": "skip"}, "missing", Missing("skip")),
        ("dialingStrategy.callerId.phoneNumber", "ACME", "caller_id", "ACME"),
        ("dialingStrategy.maxAttemptsPerRecord", 3, "caller_id", "+91987654321"),
        ("queue_name", "q", "name", "Spring Sale"),
        ("experienceFlowName", "ignored", "flow_name", None),
        ("filters", FILTERS, "filters", FILTERS),
        ("filters", None, "filters", None),
        ("isFiltersEnabled", False, "filters", None),
        ("isFiltersEnabled", None, "filters", None),
    ],
)
def test_tolerant_readings(path: str, value: object, attribute: str, read: object) -> None:
    assert getattr(draft.parse(_with(path, value)), attribute) == read


def test_format_was_once_called_direction() -> None:
    body = _with("format", GONE)
    assert draft.parse({**body, "direction": "simple"}).format == "simple"


def test_the_message_is_kept_word_for_word() -> None:
    packed = base64.b64encode("<p>Grüße</p>".encode()).decode()
    found = draft.parse(_with("message", {"message": packed, "templateId": None, "extra": 1}))
    assert found.message == {"message": packed, "extra": 1}
    assert draft.message_text(found.message) == found.text == "Grüße"
    assert draft.message_text(None) is None


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("name", GONE, "name"),
        ("name", " ", "name"),
        ("name", "x" * 49, "name"),
        ("name", "a\nb", "name"),
        ("name", 5, "name"),
        ("name", "a\x00b", "name"),
        ("description", "x" * 257, "description"),
        ("description", 5, "description"),
        ("contactLists", GONE, "contactLists"),
        ("contactLists", [], "contactLists"),
        ("contactLists", "Leads", "contactLists"),
        ("contactLists", ["x"] * 11, "contactLists"),
        ("contactLists", ["Leads", 5], "contactLists[1]"),
        ("dncLists", [{"name": "A"}, {"name": "B"}], "dncLists"),
        ("dncLists", {"id": "cl-1"}, "dncLists.name"),
        ("dncLists", {"name": ""}, "dncLists.name"),
        ("dncLists", 5, "dncLists"),
        ("campaignType", "voice", "campaignType"),
        ("campaignType", ["sms"], "campaignType"),
        ("priority", 0, "priority"),
        ("priority", "6", "priority"),
        ("priority", True, "priority"),
        ("priority", 2.5, "priority"),
        ("priority", [3], "priority"),
        ("format", GONE, "format"),
        ("format", "fancy", "format"),
        ("format", {}, "format"),
        ("format", "advanced", "experienceFlowName"),
        ("message", GONE, "message"),
        ("message", "Hi", "message"),
        ("message.message", GONE, "message.message"),
        ("message.message", " ", "message.message"),
        ("message.message", 5, "message.message"),
        ("message.message", "Hi {{name", "message.message"),
        ("message.message", "x" * 39_016, "message.message"),
        ("message.template_name", 5, "message.template_name"),
        ("message.templateId", [], "message.templateId"),
        ("message.onMissing", "skip", "message.onMissing"),
        ("dialingStrategy", GONE, "dialingStrategy"),
        ("dialingStrategy.callerId", GONE, "dialingStrategy.callerId"),
        ("dialingStrategy.callerId.phoneNumber", "", "dialingStrategy.callerId.phoneNumber"),
        ("dialingStrategy.note", "a\x00b", "dialingStrategy.note"),
        ("dialingStrategy.callerId.note", ["\ud800"], "dialingStrategy.callerId.note[0]"),
        ("dialingStrategy.note", float("nan"), "dialingStrategy.note"),
        ("schedule", [], "schedule"),
        ("schedule.isSchedulingEnabled", "false", "schedule.isSchedulingEnabled"),
    ],
)
def test_each_fault_is_named(path: str, value: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft.parse(_with(path, value))
    assert refused.value.field == field
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("path", "value"), [("callingHours", GONE), ("callingHours.timezone", "Mars/Base"), ("callingHours.days", 5)]
)
def test_faulty_hours_are_named(path: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        draft.parse(_with(f"dialingStrategy.{path}", value))
    assert str(refused.value.field).startswith("dialingStrategy.callingHours")


def test_a_key_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot be stored"):
        draft.parse({**SIMPLE, "a\x00": 1})


def test_endless_nesting_is_refused() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    with pytest.raises(Invalid, match="nested more than"):
        draft.parse(_with("dialingStrategy.note", deep))


any_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=20),
        st.sampled_from(["sms", "simple", "advanced", "WEEKLY", "MO", "9:00 AM", "UTC", "+14155550100", "Leads"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(st.characters(), max_size=5),
                st.sampled_from(["name", "message", "day", "days", "start", "end", "rule", "callerId", "timezone"]),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
PATHS = [
    *SIMPLE,
    *["dncLists", "experienceFlowName", "message.message", "message.onMissing", "message.templateId", "direction"],
    *["dialingStrategy.callerId", "dialingStrategy.callerId.phoneNumber", "dialingStrategy.callingHours"],
    *[f"dialingStrategy.callingHours.{key}" for key in ("frequency", "timezone", "days")],
]


@settings(deadline=None)
@given(any_json)
def test_any_json_is_a_draft_or_refused(body: object) -> None:
    for read in (draft.parse, draft.list_draft, draft.list_changes):
        try:
            read(body)
        except Invalid as refused:
            refused.message.encode()


@settings(deadline=None)
@given(st.sampled_from(PATHS), any_json, st.sampled_from(["simple", "advanced"]))
def test_any_value_anywhere_is_read_or_refused(path: str, value: object, form: str) -> None:
    body = {**_with(path, value), "experienceFlowName": "Support"}
    if path != "format":
        body["format"] = form
    try:
        found = draft.parse(body)
    except Invalid as refused:
        refused.message.encode()
    else:
        json.dumps([found.dialing, found.message, found.schedule], allow_nan=False).encode()


@settings(deadline=None)
@given(any_json, st.sampled_from(["name", "name1", "description", "source", "allowDuplicates"]))
def test_any_value_in_a_list_is_read_or_refused(value: object, key: str) -> None:
    for read in (draft.list_draft, draft.list_changes):
        try:
            read({"name": "Leads", key: value})
        except Invalid as refused:
            refused.message.encode()


def test_contact_lists() -> None:
    assert draft.list_draft({"name": "Leads", "description": "d", "source": "passiveApi", "allowDuplicates": True}) == (
        draft.ListDraft("Leads", "leads", "d", "passiveApi", True)
    )
    assert draft.list_draft({"name1": "Leads"}) == draft.ListDraft("Leads", "leads", "", "passiveApi", False)
    assert draft.list_draft({"name": "L", "source": "passiveApiIntegration"}).source == "passiveApiIntegration"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 49}, "name"),
        ({"name": "L", "description": "x" * 257}, "description"),
        ({"name": "L", "source": "fax"}, "source"),
        ({"name": "L", "source": ["fax"]}, "source"),
        ({"name": "L", "allowDuplicates": "yes"}, "allowDuplicates"),
    ],
)
def test_faulty_lists_are_named(body: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft.list_draft(body)
    assert refused.value.field == field


def test_changes_of_a_list() -> None:
    found = draft.list_changes({"allowDuplicates": False, "name": "New", "listType": "call"})
    assert found == draft.ListChanges("New", "new", None, False, {"name": "New", "allowDuplicates": False})
    with pytest.raises(Invalid, match="nothing to change"):
        draft.list_changes({"source": "x"})
