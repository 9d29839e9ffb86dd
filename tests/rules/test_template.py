from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import template
from heliograph.rules.template import Missing


def say(text: str, fields: dict[str, object], missing: Missing = Missing()) -> str | None:  # noqa: B008  # immutable
    return template.compile_text(text).render(fields, missing).text


@pytest.mark.parametrize(
    "column", ["First Name", "firstName", "first_name", "FIRST-NAME", " first  name ", "\ufeffFirstName"]
)
@pytest.mark.parametrize("text", ["Hi <First Name>!", "Hi {{first name}}!", "Hi {{ firstName }}!", "Hi <first_name>!"])
def test_names_match_however_they_are_written(text: str, column: str) -> None:
    assert say(text, {column: "Ann"}) == "Hi Ann!"


def test_names_are_canonical_and_in_order() -> None:
    found = template.compile_text("<First Name> {{Order-No}} <First Name> {{prénom}}")
    assert found.names == ("firstname", "orderno", "firstname", "prénom")
    assert not found.is_plain
    assert template.compile_text("Hi all").is_plain


@pytest.mark.parametrize(
    "text", ["I <3 you> all", "1 < 2 and 3 > 2", "<p>x</p>", "<br>", "<a=b>", "<" + "x" * 65 + ">", "<-_ >"]
)
def test_what_is_no_placeholder_stays(text: str) -> None:
    found = template.compile_text(text)
    assert found.is_plain
    assert found.render({}, Missing()).text == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hi <First Name>, welcome", "Hi, welcome"),
        ("Hi <First Name>!", "Hi!"),
        ("Dear <Title> <Last Name>, welcome", "Dear, welcome"),
        ("Your <x> order", "Your order"),
        ("<First Name>, your order is here", "your order is here"),
        ("Line\n<First Name>, next", "Line\nnext"),
        ("Bye <First Name>", "Bye"),
        ("Bye <First Name>\nThe shop", "Bye\nThe shop"),
        ("Code:<x>.", "Code:."),
        ("a  b <x> c", "a  b c"),  # only what the empty value left behind goes
        ("<x>", ""),
    ],
)
def test_an_empty_value_leaves_no_hole(text: str, said: str) -> None:
    assert say(text, {}) == said
    assert say(text, {"First Name": " ", "x": None, "Title": "", "Last Name": []}) == said


def test_one_of_two_neighbours_may_be_missing() -> None:
    assert say("Dear <Title> <Last Name>, hi", {"Title": "Dr"}) == "Dear Dr, hi"
    assert say("Dear <Title> <Last Name>, hi", {"Last Name": "Roe"}) == "Dear Roe, hi"
    assert say("Dear {{a}}{{b}}!", {"b": "Roe"}) == "Dear Roe!"


def test_missing_values_follow_the_campaigns_rule() -> None:
    hello = template.compile_text("Hi <First Name>, {{code}}")
    assert hello.render({"code": 7}, Missing("default", "friend")) == ("Hi friend, 7", ("firstname",))
    assert hello.render({"code": 7}, Missing("skip")) == (None, ("firstname",))
    assert hello.render({}, Missing("skip")).missing == ("firstname", "code")
    assert hello.render({"first name": "Ann", "code": 7}, Missing("skip")) == ("Hi Ann, 7", ())


@pytest.mark.parametrize("quoted", ['"friend"', "'friend'", "“friend”"])
def test_a_placeholders_own_default_wins(quoted: str) -> None:
    hello = template.compile_text("Hi {{ first name | default: " + quoted + " }}!")
    for missing in (Missing(), Missing("default", "you"), Missing("skip")):
        assert hello.render({}, missing) == ("Hi friend!", ())
        assert hello.render({"firstName": "Ann"}, missing) == ("Hi Ann!", ())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{{code}} <Code> {{", "{{code}} <Code> {{"),
        ("%s \\1 $1", "%s \\1 $1"),
        (" Ann\tB\r\nC\x00D\u200b ", "Ann B CD"),
        ("Jose\u0301", "José"),
        ("half\ud83d", "half"),
        (5, "5"),
        (5.0, "5"),
        (2.5, "2.5"),
        (True, "true"),
        (0, "0"),
        (float("nan"), ""),
        ({"a": 1}, ""),
    ],
)
def test_values_go_in_as_plain_words(value: object, said: str) -> None:
    assert say("[{{x}}]", {"x": value, "code": "no"}) == f"[{said}]"


def test_of_columns_that_are_one_by_name_the_first_with_a_value_counts() -> None:
    assert say("{{first name}}", {"firstName": "", "First Name": "Ann", "FIRST_NAME": "Bo"}) == "Ann"


def test_canonical_fields_are_taken_as_they_are() -> None:
    fields = template.canonical({"First Name": "Ann"})
    assert template.compile_text("<First Name>").render(fields, Missing()).text == "Ann"


@pytest.mark.parametrize("fields", [{"First Name": "Ann", "b": 1}, {"first_name": " ", "First Name": "Ann", "b": 1}])
def test_only_the_columns_that_are_wanted(fields: dict[str, object]) -> None:
    found = template.canonical(fields, frozenset({"firstname", "absent"}))
    assert found["firstname"] == "Ann"
    assert "absent" not in found


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "Hi {{name",
        "{{}}",
        "{{ }}",
        "{{name|upper}}",
        "{{{{a}}}}",
        "{{name|default:friend}}",
        "{{" + "x" * 65 + "}}",
    ],
)
def test_half_a_placeholder_is_refused_before_anybody_gets_it(text: str) -> None:
    with pytest.raises(Invalid, match="cannot be read") as refused:
        template.compile_text(text)
    assert refused.value.field == "message.message"


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["<First Name>", "{{a}}", "{{ a b |default:'x'}}", " ", ", ", "Hi", "\n", "<", ">", "}", "!"])
    ),
    st.dictionaries(st.sampled_from(["First Name", "a", "A B"]), st.one_of(st.none(), st.just(""), st.just("v"))),
    st.sampled_from([Missing(), Missing("default", "d"), Missing("skip")]),
)
def test_no_placeholder_ever_reaches_a_phone(tokens: list[str], fields: dict[str, object], missing: Missing) -> None:
    compiled = template.compile_text("".join(tokens))
    said, absent = compiled.render(fields, missing)
    if said is None:
        assert missing.rule == "skip"
        assert absent
    else:
        assert "First Name" not in said
        assert "{{" not in said


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60), st.dictionaries(st.text(max_size=5), st.one_of(st.text(), st.floats())))
def test_any_text_compiles_and_renders_or_is_refused(text: str, fields: dict[str, object]) -> None:
    try:
        compiled = template.compile_text(text)
    except Invalid:
        return
    assert compiled.render(fields, Missing()).text is not None


def test_compiling_is_quick_for_whatever_is_sent() -> None:
    for text in (
        "{{" + " " * 100_000,
        "{{ a" + " " * 100_000,
        "{{a|default:" * 10_000,
        "<a " * 30_000,
        "{{a}}" * 20_000,
    ):
        try:
            template.compile_text(text).render({}, Missing())
        except Invalid:
            continue


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        (None, Missing()),
        ({"rule": "empty"}, Missing("empty")),
        ({"rule": "skip", "default": "x"}, Missing("skip")),
        ({"rule": "default", "default": " friend\x00 "}, Missing("default", "friend")),
    ],
)
def test_the_rule_for_missing_values_is_read(raw: object, missing: Missing) -> None:
    assert template.parse_missing(raw) == missing


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("skip", "message.onMissing"),
        ([], "message.onMissing"),
        ({}, "message.onMissing.rule"),
        ({"rule": "drop"}, "message.onMissing.rule"),
        ({"rule": ["skip"]}, "message.onMissing.rule"),
        ({"rule": "default"}, "message.onMissing.default"),
        ({"rule": "default", "default": 5}, "message.onMissing.default"),
        ({"rule": "default", "default": " "}, "message.onMissing.default"),
        ({"rule": "default", "default": "x" * 257}, "message.onMissing.default"),
        ({"rule": "skip", "default": 5}, "message.onMissing.default"),
    ],
)
def test_a_rule_that_is_none_is_refused(raw: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        template.parse_missing(raw)
    assert refused.value.field == field
