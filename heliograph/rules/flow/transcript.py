"""A conversation tried out: a script of what the person writes, of time and of services' answers, and what comes of it.

Nothing is sent, asked or changed. The machine is the one that carries real conversations on, so what is told here is
what would happen, but for what is outside a flow: calling hours, other campaigns, limits of the app.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, optout, parts, zones
from heliograph.rules.flow import acts, machine, values
from heliograph.rules.flow.session import Session, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.rules.flow.acts import Act, Event

MOST_STEPS = 500
MOST_ENTRIES = 5000  # of a transcript
LONGEST_SAID = 2000
OPTED_OUT = "opted out"
NUMBER = "+12025550100"  # fictional, for a script that names none
ITS = ("flow", "number", "zone", "fields", "now", "opening", "calls", "steps")

Entry = dict[str, object]


@dataclass(slots=True)
class Talk:
    """A conversation that is being tried out. ``entries`` is all that happened so far, in order."""

    flows: machine.Flows
    session: Session
    number: str
    fields: Mapping[str, object]
    zone: str
    now: datetime
    calls: dict[str, list[object]] = field(default_factory=dict[str, list[object]])
    words: optout.Words | None = None
    entries: list[Entry] = field(default_factory=list[Entry])


def simulate(
    flows: machine.Flows, flow: str, script: object, *, now: datetime, words: optout.Words | None = None
) -> dict[str, object]:
    """What comes of a script, as :func:`told` tells it. ``words``: the app's own for a no.

    A script is an object, every key of it optional:
    ``fields`` (the contact's columns), ``number``, ``zone`` (of the person; empty: not known), ``now`` (ISO 8601 with
    a zone; else the argument), ``opening`` (what the person writes first; without it we begin), ``calls`` (by node:
    the JSON object that its service answers, null for a failure, or a list of those, one a call; the last one stays),
    and ``steps``: ``"text"`` or ``{"say": "text"}``, ``{"wait": "2h"}``, and ``{"answer": {...}}`` for a call that
    ``calls`` has nothing for. Raises :class:`Invalid` with the path of what is wrong.
    """
    talk, steps = begin(flows, flow, script, now=now, words=words)
    for place, each in enumerate(steps):
        step(talk, each, at=f"steps[{place}]")
    return told(talk)


def begin(
    flows: machine.Flows, flow: str, script: object, *, now: datetime, words: optout.Words | None = None
) -> tuple[Talk, list[object]]:
    """A conversation that has begun, and the script's steps, not taken yet: for a prompt, that takes one at a time."""
    body.storable(script)
    sent = body.mapping({} if script is None else script, "")
    for key in sent:
        if key not in ITS:
            raise Invalid(f"A script has no {key!r}; it has: {', '.join(ITS)}", field=key)
    found = flows(flow, None)
    if found is None:
        raise Invalid(f"There is no flow {body.shown(flow)}", field="flow")
    talk = Talk(
        flows,
        Session("simulated", flow, found[0]),
        body.name(sent.get("number", NUMBER), "number", longest=values.LONGEST_NAME),
        body.mapping(sent.get("fields") or {}, "fields"),
        _zone(sent.get("zone")),
        _instant(sent.get("now"), now),
        {key: values.listed(each) or [each] for key, each in body.mapping(sent.get("calls") or {}, "calls").items()},
        words,
    )
    opening = sent.get("opening")
    first = None if opening is None else body.text(opening, "opening", longest=LONGEST_SAID)
    if first is not None:
        _note(talk, "heard", text=first)
    steps = values.listed(sent.get("steps"))
    if len(steps) > MOST_STEPS or not isinstance(sent.get("steps", []), list):
        raise Invalid(
            f"steps is {body.shown(sent.get('steps'))}. It takes a list of at most {MOST_STEPS}", field="steps"
        )
    _happened(talk, acts.Begin(first))
    return talk, steps


def step(talk: Talk, raw: object, *, at: str = "step") -> None:
    """Take one step of a script: see :func:`simulate`. Raises :class:`Invalid`."""
    if isinstance(raw, str):
        return _say(talk, body.text(raw, at, longest=LONGEST_SAID))
    sent = body.mapping(raw, at)
    if len(sent) != 1 or next(iter(sent)) not in {"say", "wait", "answer"}:
        raise Invalid(f"{at} is {body.shown(raw)}. It takes one of say, wait and answer", field=at)
    if "say" in sent:
        return _say(talk, body.text(sent["say"], f"{at}.say", longest=LONGEST_SAID))
    if "wait" in sent:
        return _wait(talk, values.time(sent["wait"], f"{at}.wait"))
    answer = None if sent["answer"] is None else body.mapping(sent["answer"], f"{at}.answer")
    if talk.session.state is not State.CALL:
        raise Invalid(f"{at}.answer answers a call, and there is none", field=f"{at}.answer")
    return _answer(talk, answer)


def told(talk: Talk) -> dict[str, object]:
    """The conversation as JSON can hold it.

    ``entries`` (each with ``at`` and ``kind``: text, heard, waited, call, called, field, list, consent, handed,
    finished; see docs/flow-format.md), ``state`` (what it waits for now: answer, time, call; or handed, ended),
    ``flow``, ``node``, ``deadline``, ``result``, ``results`` (what answers and services gave), ``changed`` (fields),
    ``texts`` and ``parts`` (how many would have been sent).
    """
    session = talk.session
    texts = [entry for entry in talk.entries if entry["kind"] == "text"]
    return {
        "flow": session.flow,
        "version": session.version,
        "state": session.state.value,
        "node": session.node,
        "deadline": None if session.deadline is None else session.deadline.isoformat(),
        "result": session.result,
        "results": dict(session.results),
        "changed": dict(session.changed),
        "texts": len(texts),
        "parts": sum(cast("int", entry["parts"]) for entry in texts),
        "entries": list(talk.entries),
    }


# ---------------------------------------------------------------- what happens


def _say(talk: Talk, text: str) -> None:
    over, state = talk.session.over, talk.session.state
    said_no = optout.read(text, talk.words).wish is optout.Wish.STOP
    changes = "later" if state in {State.TIME, State.CALL} else "nothing"  # kept for the next wait
    heeded = (said_no and not over) or state is State.ANSWER
    _note(talk, "heard", text=text, **({} if heeded else {"changes": changes}))
    if said_no and not over:
        _note(talk, "consent", out=True, by="law")
        _happened(talk, acts.Cancel(OPTED_OUT))
    else:
        _happened(talk, acts.Answered(text))


def _wait(talk: Talk, long: timedelta) -> None:
    until = talk.now + long
    while talk.session.deadline is not None and talk.session.deadline <= until:
        passed = max(talk.session.deadline, talk.now)
        _note(talk, "waited", until=passed.isoformat())
        talk.now = passed
        before = talk.session
        _happened(talk, acts.Passed())
        if talk.session == before:
            break
    _note(talk, "waited", until=until.isoformat())
    talk.now = until


def _answer(talk: Talk, answer: Mapping[str, object] | None) -> None:
    _note(talk, "called", answer=answer)
    _happened(talk, acts.Called(talk.session.acts, answer))


def _happened(talk: Talk, event: Event) -> None:
    """Let the machine take a step, and further ones for the calls that the script has answers for."""
    person = acts.Person(talk.number, talk.fields, talk.now, talk.zone)
    while True:
        talk.session, done = machine.advance(talk.flows, talk.session, event, person)
        for act in done:
            _tell(talk, act)
        given = talk.calls.get(talk.session.node or "")
        if talk.session.state is not State.CALL or not given:
            return
        first = given.pop(0) if len(given) > 1 else given[0]
        answer = None if first is None else body.mapping(first, f"calls.{talk.session.node}")
        _note(talk, "called", answer=answer)
        event = acts.Called(talk.session.acts, answer)


def _tell(talk: Talk, act: Act) -> None:
    match act:
        case acts.Say():
            size = parts.measure(act.text)
            cost = {"parts": size.parts, "encoding": size.encoding, "answering": act.answering}
            _note(talk, "text", node=act.node, text=act.text, **cost)
        case acts.Call():
            sent = {"headers": dict(act.headers), "body": None if act.body is None else dict(act.body)}
            _note(talk, "call", node=act.node, method=act.method, url=act.url, **sent)
        case acts.SetField():
            _note(talk, "field", name=act.name, value=act.value)
        case acts.ChangeList():
            _note(talk, "list", list=act.list, added=act.add)
        case acts.ChangeConsent():
            _note(talk, "consent", out=act.out, by="flow")
        case acts.Hand():
            _note(talk, "handed", note=act.note, team=act.team)
        case acts.Finish():
            _note(talk, "finished", result=act.result)


def _note(talk: Talk, kind: str, **more: object) -> None:
    if len(talk.entries) >= MOST_ENTRIES:
        raise Invalid(f"The conversation has more than {MOST_ENTRIES} entries: it goes round and round")
    talk.entries.append({"at": talk.now.isoformat(), "kind": kind, **more})


# ---------------------------------------------------------------- values


def _zone(raw: object) -> str:
    found = zones.zone(raw) if raw else ""
    if found is None:
        raise Invalid(f"zone is {body.shown(raw)}. It takes a tz-database name such as America/New_York", field="zone")
    return found


def _instant(raw: object, now: datetime) -> datetime:
    if raw is None:
        return now.astimezone(UTC)
    try:
        found = datetime.fromisoformat(raw) if isinstance(raw, str) and re.match(r"[12]\d{3}-", raw) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(f"now is {body.shown(raw)}. It takes a time such as 2026-03-02T12:00:00Z", field="now")
    return found.astimezone(UTC)
