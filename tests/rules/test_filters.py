"""Who a campaign is for: conditions on columns."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import filters, template


def means(column: str, word: str, value: object = None, *, fields: dict[str, object]) -> bool:
    """Whether one condition is met by somebody with these fields."""
    return filters.parse({"conditions": [{"column": column, "is": word, "value": value}]}).matches(fields)


@pytest.mark.parametrize(
    ("word", "value", "has", "met"),
    [
        # texts: case and blanks around do not count
        ("equals", "pune", " PUNE ", True),
        ("equals", "Straße", "STRASSE", True),
        ("equals", "pune", "Pune City", False),
        ("equals", True, "true", True),
        ("notEquals", "Pune", "pune", False),
        ("notEquals", "Pune", "Delhi", True),
        ("contains", "UN", "Pune", True),
        ("contains", "x", "Pune", False),
        ("startsWith", "pu", "Pune", True),
        ("startsWith", "un", "Pune", False),
        ("greater", "M", "nagpur", True),
        ("less", "M", "nagpur", False),
        ("in", ["Delhi", "PUNE"], "pune", True),
        ("in", ["Delhi"], "pune", False),
        ("notIn", ["Delhi"], "pune", True),
        ("notIn", ["Delhi", "Pune"], "pune", False),
        ("between", ["A", "N"], "kochi", True),
        # numbers, when both sides are
        ("equals", 7, "7.0", True),
        ("equals", "7", 7, True),
        ("equals", 7, "007", False),
        ("equals", "+14155550100", "14155550100", False),
        ("equals", 0.1, "0.1", True),
        ("greater", 9, "10", True),
        ("greater", "9", "10", True),
        ("greater", 10, "10", False),
        ("greaterOrEqual", 10, 10.0, True),
        ("less", -1, "-2.5", True),
        ("lessOrEqual", 10, "10.5", False),
        ("between", [1, 3], "3", True),
        ("between", [1, 3], "3.01", False),
        ("in", [1, "2", "two"], 2.0, True),
        ("in", [1, "2", "two"], "TWO", True),
        ("greater", 9, "many", False),
        ("less", 9, "many", False),
        ("equals", 9, "many", False),
        ("notEquals", 9, "many", True),
        ("greater", 9, True, False),
        # dates, when both sides are
        ("equals", "2026-03-02", "2026-03-02T23:59:59Z", True),
        ("greater", "2026-03-02", "2026-03-10", True),
        ("greater", "2026-03-02", "2026-03-02T10:00:00", False),
        ("greater", "2026-03-02T09:00:00Z", "2026-03-02T10:30:00+01:00", True),
        ("equals", "2026-03-02T09:00:00Z", "2026-03-02 09:00", True),
        ("less", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00", False),
        ("between", ["2026-01-01", "2026-01-31"], "2026-01-31T18:00:00Z", True),
        ("between", ["2026-01-01", "2026-01-31"], "2026-02-01", False),
        ("in", ["2026-01-01", "2026-02-01"], "2026-02-01T00:00Z", True),
        ("less", "2026-03-02", "yesterday", False),
        ("greater", "2026-03-02", "31.12.2026", False),
        ("equals", "2026-02-30", "2026-02-30", True),  # no day, so a text
        # nothing there
        ("empty", None, "", True),
        ("empty", None, "  ", True),
        ("empty", None, None, True),
        ("empty", None, 0, False),
        ("notEmpty", None, "x", True),
        ("notEmpty", None, "\t", False),
        ("equals", "x", None, False),
        ("notEquals", "x", None, True),
        ("in", ["x"], "", False),
        ("notIn", ["x"], "", True),
        ("greater", 1, "", False),
        ("less", 1, None, False),
        ("less", "x", "", False),
        ("contains", "x", ["x"], False),
    ],
)
def test_a_condition(word: str, value: object, has: object, met: bool) -> None:
    assert means("City", word, value, fields={"city": has}) is met


@pytest.mark.parametrize("column", ["First Name", "first_name", "FIRSTNAME", "first-name"])
def test_columns_are_found_as_placeholders_find_them(column: str) -> None:
    assert means(column, "equals", "ada", fields={"firstName": "Ada"})
    assert means(column, "equals", "ada", fields=template.canonical({"firstName": "Ada"}))
    assert means(column, "empty", fields={"lastName": "Ada"})


def test_it_tells_which_columns_it_looks_at() -> None:
    inner = {"op": "or", "conditions": [{"column": "B c", "is": "notEmpty"}, {"column": "a_b", "is": "empty"}]}
    found = filters.parse({"conditions": [{"column": "First Name", "is": "notEmpty"}, inner]})
    assert found.columns == {"firstname", "bc", "ab"}


def test_groups_in_groups() -> None:
    found = filters.parse(
        {
            "op": "and",
            "conditions": [
                {"column": "city", "is": "equals", "value": "Pune"},
                {
                    "op": "or",
                    "conditions": [
                        {"column": "visits", "is": "greater", "value": 3},
                        {"conditions": [{"column": "vip", "is": "equals", "value": "yes"}]},
                    ],
                },
            ],
        }
    )
    assert found.matches({"city": "pune", "visits": "4"})
    assert found.matches({"city": "pune", "visits": "1", "VIP": "Yes"})
    assert not found.matches({"city": "pune", "visits": "1"})
    assert not found.matches({"city": "delhi", "visits": "4", "VIP": "Yes"})


ONE: dict[str, Any] = {"column": "city", "is": "equals", "value": "Pune"}


def nested(levels: int) -> dict[str, Any]:
    found = {"conditions": [ONE]}
    for _ in range(levels - 1):
        found = {"conditions": [found]}
    return found


def test_as_much_as_there_may_be() -> None:
    filters.parse(nested(filters.DEEPEST))
    filters.parse({"conditions": [ONE] * filters.MOST_CONDITIONS})
    most = [f"city {n}" for n in range(filters.MOST_VALUES)]
    assert means("city", "in", most, fields={"city": "City 999"})


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "filters"),
        ([], "filters"),
        ("city = Pune", "filters"),
        ({}, "filters.conditions"),
        ({"conditions": []}, "filters.conditions"),
        ({"conditions": ONE}, "filters.conditions"),
        ({"op": "xor", "conditions": [ONE]}, "filters.op"),
        ({"op": None, "conditions": [ONE]}, "filters.op"),
        ({"op": ["and"], "conditions": [ONE]}, "filters.op"),
        ({"conditions": ["city"]}, "filters.conditions[0]"),
        ({"conditions": [ONE, {}]}, "filters.conditions[1].column"),
        ({"conditions": [{**ONE, "column": " "}]}, "filters.conditions[0].column"),
        ({"conditions": [{**ONE, "column": "_-_"}]}, "filters.conditions[0].column"),
        ({"conditions": [{**ONE, "column": "x" * 301}]}, "filters.conditions[0].column"),
        ({"conditions": [{**ONE, "is": "="}]}, "filters.conditions[0].is"),
        ({"conditions": [{**ONE, "is": {}}]}, "filters.conditions[0].is"),
        ({"conditions": [{"column": "city"}]}, "filters.conditions[0].is"),
        ({"conditions": [{**ONE, "value": ""}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "value": None}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "value": ["Pune"]}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "value": "x" * 301}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "is": "in"}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "is": "in", "value": []}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "is": "in", "value": ["a", {}]}]}, "filters.conditions[0].value[1]"),
        ({"conditions": [{**ONE, "is": "in", "value": ["a"] * 1001}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "is": "between", "value": [1]}]}, "filters.conditions[0].value"),
        ({"conditions": [{**ONE, "is": "between", "value": [1, 2, 3]}]}, "filters.conditions[0].value"),
        ({"conditions": [ONE, {"conditions": [{**ONE, "is": "?"}]}]}, "filters.conditions[1].conditions[0].is"),
        (nested(filters.DEEPEST + 1), "filters" + ".conditions[0]" * filters.DEEPEST),
        ({"conditions": [ONE] * 51}, "filters.conditions[50]"),
        ({"conditions": [{"conditions": [ONE] * 26}] * 2}, "filters.conditions[1].conditions[24]"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(raw: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        filters.parse(raw)
    assert refused.value.field == field
    assert refused.value.message.startswith(field)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
CONDITION = st.fixed_dictionaries(
    {"column": st.sampled_from(["city", "Visits"]), "is": st.sampled_from(filters.WORDS), "value": JSON}
)


@given(JSON | st.fixed_dictionaries({"op": st.sampled_from(["and", "or"]), "conditions": st.lists(CONDITION)}), JSON)
def test_whatever_is_sent_is_read_or_refused_and_whatever_somebody_has_is_judged(raw: object, has: object) -> None:
    before = copy.deepcopy(raw)
    try:
        found = filters.parse(raw)
    except Invalid:
        return
    assert found.matches({"city": has, "visits": "3"}) in (True, False)
    assert repr(raw) == repr(before)


VALUES = st.text(max_size=5) | st.integers(-99, 99) | st.decimals(-9, 9, places=1).map(float) | st.dates().map(str)


@given(VALUES.filter(lambda value: bool(template.plain(value))), VALUES)
def test_words_and_their_opposites(value: object, has: object) -> None:
    def met(word: str) -> bool:
        return means("x", word, [value] if word in ("in", "notIn") else value, fields={"x": has})

    assert met("equals") is not met("notEquals")
    assert met("in") is not met("notIn")
    assert met("equals") is met("in")
    assert met("empty") is not met("notEmpty")
    assert sum(map(met, ("less", "equals", "greater"))) <= 1
    assert met("greaterOrEqual") is (met("greater") or met("equals"))
    assert met("lessOrEqual") is (met("less") or met("equals"))
