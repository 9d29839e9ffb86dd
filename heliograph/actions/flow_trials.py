"""Trying a flow out before anybody gets it: a script in, what would happen out. Nothing leaves, nothing is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import flow_book, flow_checks
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import demo_support, flow_draft
from heliograph.rules.flow import document, nodes, transcript
from heliograph.rules.flow.session import State
from heliograph.store import flow_versions, flows

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.actions.flow_book import Book
    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.transcript import Talk
    from heliograph.store.apps import App
    from heliograph.store.database import Conn


class Answered(NamedTuple):
    """What a service said to a call: a JSON object, or None when the call failed."""

    answer: Mapping[str, object] | None


# Answers a call of the conversation, as the transcript tells it; None leaves it to the script.
Caller = Callable[[Mapping[str, object]], Awaitable[Answered | None]]

MOST_CALLS = 100  # answered in a row
DRAFT = 0  # the version that a draft is tried out as


class Tried:
    """The book of an app with one flow in it that may differ from what is published: a draft, or an older version."""

    def __init__(self, book: Book, public_id: str, name: str, version: int, flow: Flow) -> None:
        self.public_id, self._name, self._version, self._flow = public_id, name.lower(), version, flow
        self._book = book

    def __call__(self, wanted: str, version: int | None) -> tuple[int, Flow] | None:
        """As :class:`heliograph.actions.flow_book.Book`."""
        if wanted == self.public_id or wanted.lower() == self._name:
            return self._version, self._flow
        return self._book(wanted, version)


async def simulate(conn: Conn, app: App, ref: str, body: object, *, now: datetime) -> dict[str, object]:
    """What comes of a script: see :func:`heliograph.rules.flow.transcript.simulate`, which tells both forms.

    ``body`` is the script and, if wanted, a ``version`` to try or a ``document``; without them the draft is tried.
    Calls of the demo desk are answered by it; any other by the script. Raises Invalid, NotFound.
    """
    sent = dict(reading.mapping(body, ""))
    wanted, version = sent.pop("document", None), sent.pop("version", None)
    tried = await of_app(conn, app, ref, wanted, version)
    talk, steps = transcript.begin(tried, tried.public_id, sent, now=now)
    await answer_calls(talk, demo)
    for place, each in enumerate(steps):
        transcript.step(talk, each, at=f"steps[{place}]")
        await answer_calls(talk, demo)
    return transcript.told(talk)


async def of_app(conn: Conn, app: App, ref: str, wanted: object = None, version: object = None) -> Tried:
    """A flow of the app to try out: its draft, the document ``wanted`` in its place, or one of its versions."""
    found = await flows.get(conn, app.app_id, ref)
    book = await flow_book.load(conn, app.app_id)
    if version is not None:
        if wanted is not None or isinstance(version, bool) or not isinstance(version, int):
            text = f"version is {reading.shown(version)}. It takes a whole number, without a document beside it"
            raise Invalid(text, field="version")
        kept = await flow_versions.get(conn, found, version)
        return Tried(book, found.public_id, found.name, version, document.read(kept))
    draft: Mapping[str, object] = found.draft
    if wanted is not None:
        draft = flow_draft.parse({"name": found.name, "document": wanted}).document
    return await _of_draft(conn, app, draft, book, itself=found.public_id)


async def of_file(conn: Conn, app: App, draft: Mapping[str, object]) -> Tried:
    """A flow to try out that is not stored, with the templates and flows that the app has."""
    name = str(document.read(draft).name)
    return await _of_draft(conn, app, draft, await flow_book.load(conn, app.app_id), itself=name)


async def _of_draft(conn: Conn, app: App, draft: Mapping[str, object], book: Book, *, itself: str) -> Tried:
    kept = await flow_checks.frozen(conn, app, draft, book, itself=itself)
    read = document.read(kept)
    return Tried(book, itself, read.name, DRAFT, read)


def alone(draft: Mapping[str, object]) -> Tried:
    """A flow to try out when nothing is known of the app that it is for. Raises Invalid when it names a template."""
    flow = document.read(draft)
    named = next((key for key, node in flow.nodes.items() if isinstance(node, nodes.Send) and node.named), None)
    if named is not None:
        text = f"Node {named} says an SMS template, which stands in an app: name it with --app"
        raise Invalid(text, field=f"nodes.{named}.template")
    return Tried(flow_book.shipped(), flow.name, flow.name, DRAFT, flow)


async def answer_calls(talk: Talk, caller: Caller) -> None:
    """Have the calls that a conversation waits for answered, as far as ``caller`` does."""
    for _ in range(MOST_CALLS):
        if talk.session.state is not State.CALL:
            return
        call = next(entry for entry in reversed(talk.entries) if entry["kind"] == "call")
        found = await caller(call)
        if found is None:
            return
        transcript.step(talk, {"answer": None if found.answer is None else dict(found.answer)})


async def demo(call: Mapping[str, object]) -> Answered | None:
    """The demo desk's answer to a call of it; None for any other call."""
    if call["url"] != demo_support.URL:
        return None
    try:
        return Answered(demo_support.answer(call["body"]))
    except Invalid:
        return Answered(None)
