"""Templates: what is taken, what is kept, and that a campaign made with one says these very words."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import draft, ids, markup, parts, system_templates, template, template_draft
from heliograph.rules.template import Missing

GREETING = "Hello <First Name>, {{city|default:'friend'}}!"


def test_a_body_is_kept_as_words() -> None:
    found = template_draft.parse({"name": " Hi ", "description": "For all", "body": "<p>Hello <First Name></p>"})
    assert (found.name, found.description, found.body) == ("Hi", "For all", "Hello <First Name>")
    packed = base64.b64encode(GREETING.encode()).decode()
    assert template_draft.parse({"name": "Hi", "body": packed}).body == GREETING


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], None),
        ({"body": "Hi"}, "name"),
        ({"name": "x" * 49, "body": "Hi"}, "name"),
        ({"name": "Hi"}, "body"),
        ({"name": "Hi", "body": " \n "}, "body"),
        ({"name": "Hi", "body": 7}, "body"),
        ({"name": "Hi", "body": "x" * 40_000}, "body"),
        ({"name": "Hi", "body": "Hello {{first name"}, "body"),
        ({"name": "Hi", "body": "<p>&lt;b&gt;bold&lt;/b&gt; \ue000</p>"}, "body"),
        ({"name": "Hi", "body": "Hi", "description": "x" * 257}, "description"),
        ({"name": "Hi", "body": "Hi", "description": 5}, "description"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(body: object, field: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        template_draft.parse(body)
    assert refused.value.field == field


def test_changes_are_what_was_sent() -> None:
    found = template_draft.changes({"body": "<p>Hi</p>", "name": None, "extra": 1})
    assert (found.name, found.description, found.body) == (None, None, "Hi")
    assert template_draft.changes({"description": ""}).description == ""
    for nothing in ({}, {"name": None}, {"extra": 1}):
        with pytest.raises(Invalid, match="nothing to change"):
            template_draft.changes(nothing)
    with pytest.raises(Invalid, match="name is ''"):
        template_draft.changes({"name": ""})


def test_whom_to_show_it_with() -> None:
    people = ids.new("cl")
    contact = ids.contact_id(people, 17)
    found = template_draft.sample({"contactId": contact, "fields": {"a": 1}, "onMissing": {"rule": "skip"}})
    assert found == template_draft.Sample(contact, people, {"a": 1}, Missing("skip"))
    assert template_draft.sample({}) == template_draft.Sample(None, None, {}, Missing())
    for body, field in (
        ({"contactId": "cc-1"}, "contactId"),
        ({"contactId": 7}, "contactId"),
        ({"fields": []}, "fields"),
        ({"onMissing": {"rule": "guess"}}, "onMissing.rule"),
    ):
        with pytest.raises(Invalid) as refused:
            template_draft.sample(body)
        assert refused.value.field == field


@given(st.text(min_size=1))
@example("Use <b>bold</b> & more")
@example("two  spaces and <br>")
@example("\ue000 private")
@example("Test")
@example("SGVsbG8=")
@example("a &lt; b")
@example("<First Name>\n\n<p>")
def test_the_encoded_form_stands_for_these_very_words(text: str) -> None:
    words = parts.normalise(text)
    packed = markup.encode(words)
    assert packed is None or draft.message_text({"message": packed}) == words


@pytest.mark.parametrize(
    "words", ["Use <b>bold</b> & more", "two  spaces\n\nand <br>", "\ue000 private", "a &lt;<p> b"]
)
def test_words_that_base64_alone_would_change_have_another_form(words: str) -> None:
    assert draft.message_text({"message": markup.encode(words)}) == words


@given(st.text(st.characters(codec="latin-1"), min_size=1))
def test_what_people_write_is_answered_in_base64(text: str) -> None:
    words = parts.normalise(template.decode(text))
    if words and words == template.decode(words):
        assert markup.encode(words) == base64.b64encode(words.encode()).decode()


@pytest.mark.parametrize("one", system_templates.ALL, ids=lambda one: one.name)
def test_system_templates_are_templates(one: system_templates.SystemTemplate) -> None:
    found = template_draft.parse({"name": one.name, "description": one.description, "body": one.body})
    assert (found.name, found.description, found.body) == one
    assert parts.measure(one.body).parts == 1
    assert "firstname" in template.compile_text(one.body).names
    assert system_templates.named(one.name.upper()) is one


def test_a_system_template_has_one_id_in_each_app() -> None:
    apps = ["st-1", "st-2"]
    found = {one.id_in(app) for app in apps for one in system_templates.ALL}
    assert len(found) == len(apps) * len(system_templates.ALL)
    assert all(ids.looks_like("cmt", one) for one in found)
    assert system_templates.ALL[0].id_in("st-1") == system_templates.ALL[0].id_in("st-1")
