"""The machine: a session, what has just happened, and so the session as it is now and the acts to be done.

Pure, and the same each time: a crash between a step and its acts is mended by doing the acts again, each named by
session and number. A text is asked for once in a session's life.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from heliograph.rules import parts, template
from heliograph.rules.flow import acts, nodes
from heliograph.rules.flow.matching import Answer
from heliograph.rules.flow.session import Frame, Kept, Session, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.acts import Act, Event, Person
    from heliograph.rules.flow.document import Flow

    # Finds a flow by its id or name: in the version a session runs, or (None) the newest; its version with it.
    Flows = Callable[[str, int | None], tuple[int, Flow] | None]

MOST_STEPS = 100  # nodes passed between two waits: more is a loop
MOST_FRAMES = 10  # flows entered from flows
LONGEST_RESULT = 640  # characters kept of an answer or a value
MOST_RESULTS = 200  # values kept of a service's answer
DEEPEST = 8  # levels of it
CHANCES = 1_000_000
EMPTY = template.Missing()


@dataclass(slots=True)
class _Run:
    """One step under way."""

    flows: Flows
    person: Person
    session: Session
    flow: Flow
    answering: bool
    done: list[Act] = field(default_factory=list["Act"])

    def number(self) -> int:
        """The number of the next act."""
        self.session = self.session.with_(acts=self.session.acts + 1)
        return self.session.acts

    def say(self, words: template.Template) -> str:
        """The words for this person, here and now."""
        return words.render(self.known(), EMPTY).text or ""

    def known(self) -> template.Canonical:
        """Everything a text or a branch may name: the contact's columns, what was changed, answers and results."""
        found = template.Canonical()
        for source in (self.session.results, self.session.changed, self.person.fields):  # what is newer comes first
            for name, value in template.canonical(source).items():
                found.setdefault(name, value)
        for name, value in list(found.items()):
            found.setdefault(f"context.userinfo.{name}", value)
        found[template.key("answer")] = self.session.answer
        return found


def advance(flows: Flows, session: Session, event: Event, person: Person) -> tuple[Session, list[Act]]:
    """The session after ``event``, and what is to be done. What the session does not wait for changes nothing."""
    found = flows(session.flow, session.version)
    if session.over or found is None:
        return (session, []) if session.over else _lost(session)
    answering = isinstance(event, acts.Answered) or (isinstance(event, acts.Begin) and event.answer is not None)
    if isinstance(event, acts.Called):
        answering = session.answering
    run = _Run(flows, person, session, found[1], answering)
    to = _after(run, event)
    if to is not _STAY:
        _walk(run, cast("str | None", to))
    return run.session, run.done


_STAY = object()


def _after(run: _Run, event: Event) -> object:
    """The node that an event leads to; None for the end, ``_STAY`` when it changes nothing."""
    session = run.session
    node = run.flow.nodes.get(session.node) if session.node else None
    match event:
        case acts.Begin(answer) if session.state is State.NEW:
            run.session = session.with_(answer=(answer or "")[:LONGEST_RESULT])
            return _first(run, answer)
        case acts.Answered(text) if session.state is State.ANSWER and isinstance(node, nodes.Wait):
            return _heard(run, node, text)
        case acts.Answered(text, until, ref) if session.state in {State.TIME, State.CALL}:
            run.session = session.with_(kept=Kept(parts.normalise(text)[:LONGEST_RESULT], until, ref))
        case acts.Passed() if session.deadline is not None and run.person.now >= session.deadline:
            if session.state is State.TIME and isinstance(node, nodes.Delay):
                return node.next
            if session.state is State.ANSWER and isinstance(node, nodes.Wait) and node.timeout is not None:
                return node.on_timeout
            _finish(run, "expired")
        case acts.Called(number, answer) if session.state is State.CALL and number == session.acts:
            return _called(run, cast("nodes.Webhook", node), answer)
        case acts.Cancel(why):
            _finish(run, why)
        case _:
            pass
    return _STAY


def _first(run: _Run, answer: str | None) -> object:
    """Where a session begins. One that the person began, with a flow that listens first, has been listened to."""
    node = run.flow.nodes[run.flow.start]
    if answer is not None and isinstance(node, nodes.Wait):
        return _heard(run, node, answer)
    return run.flow.start


def _heard(run: _Run, node: nodes.Wait, text: str) -> str:
    kept = parts.normalise(text).strip()[:LONGEST_RESULT]
    results = dict(run.session.results) | ({node.save: kept} if node.save else {})
    run.session = run.session.with_(answer=kept, results=results)
    return node.next


def _listen(run: _Run, node: nodes.Wait) -> object:
    """Wait for what the person writes; or hear what they wrote already while nobody waited for it.

    That is answered at once if it is not too long ago, unless a text that waits for hours is to come before.
    """
    kept = run.session.kept
    if kept is None:
        wait = node.timeout if node.timeout is not None else run.flow.expires
        run.session = run.session.with_(state=State.ANSWER, deadline=run.person.now + wait)
        return _STAY
    in_time = kept.until is not None and run.person.now <= kept.until
    if in_time and all(act.answering for act in run.done if isinstance(act, acts.Say)):
        run.answering = True
    run.session = run.session.with_(kept=None)
    return _heard(run, node, kept.text)


def _called(run: _Run, node: nodes.Webhook, answer: Mapping[str, object] | None) -> str | None:
    if answer is None:
        return node.failed
    if node.save:
        run.session = run.session.with_(results=dict(run.session.results) | flat(node.save, answer))
    return node.next


def flat(name: str, answer: Mapping[str, object]) -> dict[str, str]:
    """A service's JSON as results: ``name.path.to.value``; what is no word or number is left out."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, object, int]] = [(name, answer, 0)]
    while waiting and len(found) < MOST_RESULTS:
        path, value, depth = waiting.pop()
        inner = _inner(value) if depth < DEEPEST else []
        waiting += [(f"{path}.{key}", each, depth + 1) for key, each in reversed(inner)]
        if not isinstance(value, dict | list):
            found[path] = template.plain(value)[:LONGEST_RESULT]
    return found


def _inner(value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).items())
    if isinstance(value, list):
        return [(str(place), each) for place, each in enumerate(cast("list[object]", value))]
    return []


def _walk(run: _Run, to: str | None) -> None:
    """Go from node to node until one waits, or it is over."""
    for _ in range(MOST_STEPS):
        if to is None:
            if not run.session.stack:
                _finish(run, "completed")
                return
            to = _back(run)
            continue
        run.session = run.session.with_(node=to)
        following = _visit(run, to, run.flow.nodes[to])
        if following is _STAY:
            return
        to = cast("str | None", following)
    _finish(run, "loop")


def _visit(run: _Run, key: str, node: nodes.Node) -> object:
    """Do what a node says; the node that follows, or ``_STAY`` when the session waits or is over."""
    match node:
        case nodes.Wait():
            return _listen(run, node)
        case nodes.Delay():
            run.session = run.session.with_(state=State.TIME, deadline=run.person.now + node.wait)
        case nodes.Branch():
            return _chosen(run, key, node)
        case nodes.Split():
            return _drawn(run, key, node)
        case nodes.Webhook():
            _call(run, key, node)
        case nodes.Go():
            return _enter(run, node)
        case nodes.HandOff() | nodes.End():
            _close(run, node)
        case _:
            return _do(run, key, node)
    return _STAY


def _close(run: _Run, node: nodes.HandOff | nodes.End) -> None:
    if isinstance(node, nodes.End):
        _finish(run, node.result)
        return
    run.done.append(acts.Hand(run.number(), run.say(node.note), node.team))
    run.session = run.session.with_(state=State.HANDED, deadline=None, result="handed over")


def _do(run: _Run, key: str, node: nodes.Send | nodes.Set | nodes.ListChange | nodes.Opt) -> str | None:
    match node:
        case nodes.Send():
            text = run.say(node.text).strip()
            if text:
                run.done.append(acts.Say(run.number(), key, text, run.answering))
        case nodes.Set():
            value = run.say(node.value)[:LONGEST_RESULT]
            run.session = run.session.with_(changed=dict(run.session.changed) | {node.name: value})
            run.done.append(acts.SetField(run.number(), node.name, value))
        case nodes.ListChange():
            run.done.append(acts.ChangeList(run.number(), node.list, node.add))
        case nodes.Opt():
            run.done.append(acts.ChangeConsent(run.number(), node.out))
    return node.next


def _chosen(run: _Run, key: str, node: nodes.Branch) -> str | None:
    text = run.session.answer if node.on is None else run.say(node.on)
    answer = Answer(text, run.known(), run.person.now, run.person.zone)
    for case in node.cases:
        if case.test.holds(answer):
            if node.save:
                run.session = run.session.with_(results=dict(run.session.results) | {node.save: case.label})
            return case.next
    before = run.session.visits.get(key, 0)
    if node.most is not None and before >= node.most:
        return node.then
    run.session = run.session.with_(visits=dict(run.session.visits) | {key: before + 1})
    return node.otherwise


def _drawn(run: _Run, key: str, node: nodes.Split) -> str | None:
    """By the session's own id, so that going through it again takes the same way."""
    chance = zlib.crc32(f"{run.session.id}/{key}".encode()) % CHANCES / CHANCES
    reached = 0.0
    whole = sum(weight for _, weight in node.ways)
    for way, weight in node.ways:
        reached += weight / whole
        if chance < reached:
            return way
    return node.ways[-1][0]


def _call(run: _Run, key: str, node: nodes.Webhook) -> None:
    said = {name: run.say(words) for name, words in node.headers.items()}
    sending = None if node.body is None else {name: run.say(words) for name, words in node.body.items()}
    call = acts.Call(run.number(), key, run.say(node.url), node.method, said, sending, node.timeout_s, node.retries)
    run.done.append(call)
    run.session = run.session.with_(state=State.CALL, deadline=None, answering=run.answering)


def _enter(run: _Run, node: nodes.Go) -> object:
    found = run.flows(node.flow, None)
    if found is None or len(run.session.stack) >= MOST_FRAMES:
        _finish(run, "no flow" if found is None else "loop")
        return _STAY
    version, flow = found
    stack = run.session.stack
    if node.next is not None:
        stack = (*stack, Frame(run.session.flow, run.session.version, node.next))
    run.session = run.session.with_(flow=node.flow, version=version, stack=stack)
    run.flow = flow
    return flow.start


def _back(run: _Run) -> str | None:
    """The node to come back to in the flow that this one was entered from."""
    *stack, frame = run.session.stack
    found = run.flows(frame.flow, frame.version)
    run.session = run.session.with_(flow=frame.flow, version=frame.version, stack=tuple(stack))
    if found is None:
        return None
    run.flow = found[1]
    return frame.node


def _finish(run: _Run, result: str) -> None:
    run.done.append(acts.Finish(run.number(), result))
    run.session = run.session.with_(state=State.ENDED, deadline=None, result=result)


def _lost(session: Session) -> tuple[Session, list[Act]]:
    """The flow is gone: the session ends, and says why."""
    ended = session.with_(state=State.ENDED, deadline=None, result="no flow", acts=session.acts + 1)
    return ended, [acts.Finish(ended.acts, "no flow")]
