"""The flow that every app has: every way through it ends well, and every text is one part in plain letters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import demo_support, ids, parts
from heliograph.rules.flow import document, lint, system, transcript
from heliograph.rules.flow.session import State

if TYPE_CHECKING:
    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.transcript import Talk

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SAID = [
    *"1234567",
    "1001",
    "order 1005?",
    "9999",
    "T-1002",
    "t1003",
    "T-9000",
    "it is broken",
    "no",
    "thanks",
    "agent",
    "where is my parcel",
    "refund",
    "¿qué?",
    "",
    "x" * 200,
]


def find(wanted: str, version: int | None) -> tuple[int, Flow] | None:
    found = system.named(wanted)
    flow = None if found is None else found.flow(version)
    return None if found is None or flow is None else (version or found.newest, flow)


def talk(script: dict[str, Any], steps: list[Any]) -> Talk:
    """A conversation with the support flow, the demo desk answering."""
    found, _ = transcript.begin(find, system.ALL[0].name, script, now=NOW)
    for step in [None, *steps]:
        if step is not None:
            transcript.step(found, step)
        while found.session.state is State.CALL:
            call = next(entry for entry in reversed(found.entries) if entry["kind"] == "call")
            assert call["url"] == demo_support.URL
            transcript.step(found, {"answer": demo_support.answer(call["body"])})
    return found


def texts(found: Talk) -> list[str]:
    return [str(entry["text"]) for entry in found.entries if entry["kind"] == "text"]


def test_each_has_ids_of_its_own_in_each_app() -> None:
    (support,) = system.ALL
    assert support.id_in("st-1") == ids.named("cf", "st-1", "sms support flow") != support.id_in("st-2")
    assert system.named("SMS SUPPORT flow") is support
    assert support.flow(0) is None
    assert support.flow(support.newest + 1) is None
    assert support.flow() is support.flow(support.newest)


def test_the_linter_finds_nothing_wrong() -> None:
    for each in system.ALL:
        for written in each.versions:
            found = lint.lint(document.read(dict(written)), fields=["First Name"], flows=[], known=None)
            assert not [finding.words for finding in found if finding.fault]


@given(
    steps=st.lists(st.sampled_from([*SAID, {"wait": "2h"}, {"wait": "25h"}]), max_size=12),
    opening=st.none() | st.sampled_from(SAID),
    name=st.sampled_from(["", "Ada", "Maximiliana"]),
)
@settings(max_examples=60)
def test_every_way_is_short_plain_and_ends(steps: list[Any], opening: str | None, name: str) -> None:
    script: dict[str, Any] = {"fields": {"First Name": name}}
    if opening is not None:
        script["opening"] = opening
    found = talk(script, [*steps, {"wait": "25h"}, {"wait": "25h"}])
    for text in texts(found):
        size = parts.measure(text)
        assert (size.parts, size.encoding) == (1, "GSM-7"), text
        assert "  " not in text
        assert "{{" not in text
    assert found.session.over
    assert found.session.result in ("helped", "no answer", "handed over"), found.session.result
    heard = [entry for entry in found.entries if entry["kind"] == "heard" and "changes" not in entry]
    assert len(texts(found)) <= len(heard) + 1, "one text an answer, and the first"


@pytest.mark.parametrize(
    ("opening", "steps", "said", "result"),
    [
        (None, ["2", "It broke", "no"], ["Reply 1", "Tell us in one", "Your ticket is T-", "You are"], "helped"),
        (None, ["t-1003", "bye"], ["Reply 1", "Ticket T-1003 waits for your answer", "You are welcome"], "helped"),
        ("is 1001 there?", [], ["Order 1001 was delivered"], None),
        ("my order", ["1001"], ["What is your order number", "Order 1001 was delivered"], None),
        (None, ["3", "6", "4"], ["Reply 1", "Reply 5 for delivery", "Returns are free", "One moment"], "handed over"),
        (None, ["hm", "hm", "hm"], ["Reply 1", "Sorry", "Sorry", "One moment"], "handed over"),
        (None, [{"wait": "25h"}], ["Reply 1"], "no answer"),
    ],
)  # fmt: skip
def test_what_people_want(opening: str | None, steps: list[Any], said: list[str], result: str | None) -> None:
    found = talk({"opening": opening} if opening else {}, steps)
    assert [words in text for words, text in zip(said, texts(found), strict=True)] == [True] * len(said), texts(found)
    assert found.session.result == result


def test_a_desk_that_is_away_means_a_person() -> None:
    found, _ = transcript.begin(find, system.ALL[0].name, {"calls": {"look_up_order": None}}, now=NOW)
    transcript.step(found, "1002")
    assert texts(found)[-1] == "We cannot look that up right now. One of us will answer you here."
    assert (found.session.state, found.entries[-1]["note"]) == (
        State.HANDED,
        "From the support flow. They last wrote: 1002",
    )


@given(st.text(max_size=300), st.sampled_from(demo_support.ASKED))
@settings(max_examples=60)
def test_the_desk_answers_anything_the_same_each_time(text: str, ask: str) -> None:
    told = demo_support.answer({"ask": ask, "text": text})
    assert told == demo_support.answer({"ask": ask, "text": text})
    assert told["found"] in ("yes", "no")
    if ask == "open":
        assert demo_support.answer({"ask": "ticket", "text": cast("str", told["number"])}) == told


@pytest.mark.parametrize("asked", [None, [], {}, {"ask": "order"}, {"ask": "x", "text": ""}, {"ask": 1, "text": "a"}])
def test_the_desk_says_what_it_takes(asked: object) -> None:
    with pytest.raises(Invalid):
        demo_support.answer(asked)
