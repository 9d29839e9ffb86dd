"""Conversations, step by step; and whatever comes in whatever order, one well-defined transcript."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.rules.flow import acts, document, machine
from heliograph.rules.flow.acts import Answered, Begin, Call, Called, Cancel, Event, Finish, Passed, Person, Say
from heliograph.rules.flow.session import Kept, Session, State

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SUPPORT: dict[str, Any] = {
    "name": "Support",
    "start": "hello",
    "expires": "2d",
    "nodes": {
        "hello": {"type": "send", "text": "Hi {{context.userInfo.First Name}}: ORDER or AGENT?", "next": "ask"},
        "ask": {"type": "wait", "save": "choice", "timeout": "1h", "on_timeout": "nudge", "next": "route"},
        "nudge": {"type": "send", "text": "Still there?", "next": "ask again"},
        "ask again": {"type": "wait", "next": "route"},
        "route": {
            "type": "branch",
            "cases": [
                {"any_word": ["order", "status"], "next": "which"},
                {"only": ["agent", "a person"], "next": "human"},
                {"number": [1, 9], "label": "stars", "next": "rated"},
            ],
            "otherwise": "sorry",
            "max": 2,
            "then": "human",
        },
        "sorry": {"type": "send", "text": "Sorry, ORDER or AGENT?", "next": "ask"},
        "rated": {"type": "set", "field": "Rating", "value": "{{choice}}", "next": "thanks"},
        "thanks": {"type": "send", "text": "Thanks for {{rating}}.", "next": "done"},
        "which": {
            "type": "webhook", "url": "https://shop.example/{{order no}}", "method": "GET", "save": "shop",
            "next": "tell", "failed": "human",
        },
        "tell": {"type": "send", "text": "It is {{shop.order.state}}.", "next": "done"},
        "human": {"type": "handoff", "note": "{{answer}}", "team": "Desk"},
        "done": {"type": "end", "result": "helped"},
    },
}  # fmt: skip
SUPPORT["nodes"]["ask_again"] = SUPPORT["nodes"].pop("ask again")
SUPPORT["nodes"]["nudge"]["next"] = "ask_again"


class Talk:
    """One person's conversation with some flows; everything that was asked for."""

    def __init__(self, *flows: dict[str, Any], **fields: object) -> None:
        self.flows = {flow["name"]: document.read(flow) for flow in flows}
        self.session = Session("s-1", flows[0]["name"], 1)
        self.fields, self.now = fields, NOON
        self.done: list[acts.Act] = []

    def __call__(self, event: Event, *, later: float = 0) -> list[acts.Act]:
        self.now += timedelta(seconds=later)
        told = json.loads(json.dumps(self.session.to_json()))  # every step survives a restart
        person = Person("+12025550100", self.fields, self.now, "UTC")
        self.session, done = machine.advance(self._find, Session.from_json(told), event, person)
        self.done += done
        return done

    def _find(self, name: str, version: int | None) -> tuple[int, document.Flow] | None:
        return (version or 1, self.flows[name]) if name in self.flows else None

    @property
    def said(self) -> list[str]:
        return [act.text for act in self.done if isinstance(act, Say)]


def one(*nodes: tuple[str, dict[str, Any]], name: str = "One") -> dict[str, Any]:
    return {"name": name, "nodes": dict(nodes)}


def test_a_conversation_to_its_end() -> None:
    talk = Talk(SUPPORT, **{"first_name": "Ada", "Order No": 77})
    (hello,) = talk(Begin())
    assert hello == Say(1, "hello", "Hi Ada: ORDER or AGENT?", answering=False)
    assert (talk.session.state, talk.session.deadline) == (State.ANSWER, NOON + timedelta(hours=1))
    (call,) = talk(Answered("my ORDER please"))
    assert call == Call(2, "which", "https://shop.example/77", "GET", {}, None, 10.0, 2)
    tell, end = talk(Called(2, {"order": {"state": "on its way"}}))
    assert tell == Say(3, "tell", "It is on its way.", answering=True), "what they wrote is what it answers"
    assert end == Finish(4, "helped")
    assert talk.session.result == "helped"
    assert talk(Answered("thanks")) == []


def test_an_answer_to_a_person_says_that_it_is_one() -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    (sorry,) = talk(Answered("what?"))
    assert isinstance(sorry, Say)
    assert sorry.answering


def test_who_is_never_understood_gets_a_person() -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    talk(Answered("hm"))
    talk(Answered("hmm"))
    (hand,) = talk(Answered("hmmm"))
    assert hand == acts.Hand(4, "hmmm", "Desk")
    assert talk.session.state is State.HANDED
    assert talk(Answered("hello?")) == []


def test_silence_is_an_answer_once_its_time_has_come() -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    assert talk(Passed(), later=3599) == []
    (nudge,) = talk(Passed(), later=1)
    assert isinstance(nudge, Say)
    assert (nudge.text, nudge.answering) == ("Still there?", False)
    assert talk(Passed()) == [], "the same moment comes once"
    assert talk(Passed(), later=2 * 86400) == [Finish(3, "expired")]


def test_fields_that_were_set_are_known_at_once() -> None:
    talk = Talk(SUPPORT, rating="old")
    talk(Begin())
    assert talk(Answered("I give 4 stars"))[0] == acts.SetField(2, "Rating", "I give 4 stars")
    assert talk.said[-1] == "Thanks for I give 4 stars."


def test_a_failed_call_takes_its_own_way_and_a_late_answer_none() -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    talk(Answered("order"))
    assert talk(Called(1, {"order": {}})) == [], "not the call it waits for"
    assert isinstance(talk(Called(2, None))[0], acts.Hand)
    assert talk(Called(2, {"order": {"state": "late"}})) == []


def test_a_flow_that_the_person_begins_hears_what_they_wrote() -> None:
    asks = one(
        ("hear", {"type": "wait", "save": "first", "next": "say"}),
        ("say", {"type": "send", "text": "You said {{first}}"}),
    )
    talk = Talk(asks)
    talk(Begin("hello there"))
    assert talk.said == ["You said hello there"]


def test_another_flow_and_back() -> None:
    inner = one(("a", {"type": "send", "text": "inside"}), name="Inner")
    outer = one(("go", {"type": "flow", "flow": "Inner", "next": "b"}), ("b", {"type": "send", "text": "back"}))
    talk = Talk(outer, inner)
    talk(Begin())
    assert talk.said == ["inside", "back"]
    assert talk.session.result == "completed"
    gone = Talk(outer)
    assert gone(Begin()) == [Finish(1, "no flow")]


def test_a_loop_without_a_wait_ends() -> None:
    talk = Talk(one(("a", {"type": "set", "field": "x", "value": "y", "next": "a"})))
    assert talk(Begin())[-1] == Finish(machine.MOST_STEPS + 1, "loop")
    forever = one(("go", {"type": "flow", "flow": "One", "next": "go"}))
    assert Talk(forever)(Begin()) == [Finish(1, "loop")]


def test_a_split_is_the_same_each_time_and_fair_over_many() -> None:
    flow = one(
        ("draw", {"type": "split", "ways": [{"next": "a", "weight": 3}, {"next": "b"}]}),
        ("a", {"type": "end", "result": "a"}),
        ("b", {"type": "end", "result": "b"}),
    )

    def drawn(name: str) -> str | None:
        talk = Talk(flow)
        talk.session = Session(name, "One", 1)
        talk(Begin())
        return talk.session.result

    results = [drawn(f"s-{n}") for n in range(2000)]
    assert results == [drawn(f"s-{n}") for n in range(2000)]
    assert 0.70 < results.count("a") / 2000 < 0.80


def test_a_delay_and_the_hours() -> None:
    office = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "09:00", "end": "17:00"}]}
    flow = one(
        ("pause", {"type": "delay", "for": "6h", "next": "hours"}),
        ("hours", {"type": "branch", "cases": [{"open": office, "next": "day"}], "otherwise": "night"}),
        ("day", {"type": "end", "result": "day"}),
        ("night", {"type": "end", "result": "night"}),
    )
    talk = Talk(flow)
    talk(Begin())
    assert talk(Answered("hurry")) == []
    talk(Passed(), later=6 * 3600)
    assert talk.session.result == "night"


def test_what_is_written_during_a_delay_or_a_call_is_heard_at_the_next_wait() -> None:
    flow = one(
        ("pause", {"type": "delay", "for": "1h", "next": "call"}),
        ("call", {"type": "webhook", "url": "https://shop.example/", "next": "wait", "failed": "done"}),
        ("wait", {"type": "wait", "save": "size", "next": "more"}),
        ("more", {"type": "send", "text": "Size {{size}}.", "next": "last"}),
        ("last", {"type": "wait", "next": "done"}),
        ("done", {"type": "end"}),
    )
    talk = Talk(flow)
    talk(Begin())
    until = talk.now + timedelta(hours=1, minutes=1)
    assert talk(Answered("large", until, 7)) == talk(Answered("small", until, 8)) == []
    talk(Passed(), later=3600)
    assert talk.session.kept == Kept("small", until, 8)
    (said,) = talk(Called(talk.session.acts, {}))
    assert said == acts.Say(2, "more", "Size small.", answering=True)
    assert (talk.session.state, talk.session.node, talk.session.kept) == (State.ANSWER, "last", None)


@pytest.mark.parametrize(
    ("then", "minutes", "answering"), [("ask", 90, False), ("wait", 90, True), ("wait", 30, False)]
)
def test_what_is_said_of_a_reply_before_its_wait_overtakes_nothing_and_is_an_answer_for_a_while(
    then: str, minutes: int, answering: bool
) -> None:
    flow = one(
        ("pause", {"type": "delay", "for": "1h", "next": then}),
        ("ask", {"type": "send", "text": "Well?", "next": "wait"}),
        ("wait", {"type": "wait", "next": "more"}),
        ("more", {"type": "send", "text": "{{answer}}!", "next": "done"}),
        ("done", {"type": "end"}),
    )
    talk = Talk(flow)
    talk(Begin())
    talk(Answered("fine", talk.now + timedelta(minutes=minutes)))
    said = [act for act in talk(Passed(), later=3600) if isinstance(act, acts.Say)]
    assert (said[-1].text, said[-1].answering) == ("fine!", answering)


def test_a_cancelled_session_says_nothing_more() -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    assert talk(Cancel("stopped")) == [Finish(2, "stopped")]
    assert talk(Answered("order")) == []
    assert talk(Passed(), later=86400) == []


EVENTS = st.one_of(
    st.builds(Answered, st.sampled_from(["order", "agent", "7", "hm", "", "STATUS!", "\0\ud800 odd"])),
    st.just(Passed()),
    st.builds(Called, st.integers(0, 12), st.one_of(st.none(), st.just({"order": {"state": "sent"}}))),
    st.just(Begin()),
)


@given(st.lists(st.tuples(EVENTS, st.integers(0, 7200)), max_size=25))
def test_whatever_happens_each_act_is_asked_for_once_and_in_order(events: list[tuple[Event, int]]) -> None:
    talk = Talk(SUPPORT, first_name="Ada")
    talk(Begin())
    for event, later in events:
        before = talk.session
        done = talk(event, later=later)
        assert talk.session.acts == before.acts + len(done)
        if before.over:
            assert (done, talk.session) == ([], before)
    numbers = [act.number for act in talk.done]
    assert numbers == list(range(1, len(numbers) + 1))
    assert sum(isinstance(act, Finish) for act in talk.done) <= 1


@pytest.mark.parametrize("times", [2, 3])
def test_the_same_event_from_the_same_state_is_the_same_step(times: int) -> None:
    talk = Talk(SUPPORT)
    talk(Begin())
    person = Person("+12025550100", {}, NOON, "UTC")
    steps = [machine.advance(talk._find, talk.session, Answered("order"), person) for _ in range(times)]
    assert all(step == steps[0] for step in steps)
