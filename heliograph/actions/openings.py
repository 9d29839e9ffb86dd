"""How conversations of a campaign begin: everybody's first text by the flow, and the session to be kept beside it.

The first text is planned like any other, page by page. What the flow wants besides, up to where it first waits, is done
when that text has left (``actions/conversations.py``): of somebody who gets no text nothing is changed, and no service
is asked about them. A flow that asks a service or waits a while before it says anything begins without a text, once the
person's hours are open; what it says then is a follow-up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.errors import Conflict
from heliograph.rules import optout, parts, plain
from heliograph.rules.audience import MAX_PARTS, LeftOut
from heliograph.rules.flow import acts, machine
from heliograph.rules.flow.session import Session, State
from heliograph.store import sessions

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.actions.flow_book import Book
    from heliograph.rules.audience import Person, Planned, Someone
    from heliograph.rules.flow.acts import Act
    from heliograph.store.runs import Run

FIRST_LOOK = timedelta(minutes=10)  # after it is due, a text is looked for: at the end of its wait if that is sooner
SOON = timedelta(seconds=5)  # where the flow has more to do than to wait
A_TEXT = "-"
"""What everybody is decided about as if they were told it, until it is known what the flow tells each."""
SILENT = "the flow says nothing before it waits for an answer or ends"
LATER = "the flow asks a service or waits before it says anything"


class Opening(NamedTuple):
    """A person's first text, and what else there is to keep of their session, which began with ``flow``.

    Without a text (``later``) it begins when ``said`` is due.
    """

    flow: str
    version: int
    session: Session
    todo: tuple[Act, ...]
    said: Planned

    @property
    def later(self) -> bool:
        """Whether the flow says something only after it has asked a service or waited."""
        return not self.said.parts


class Openings:
    """How the people of one page of a run begin."""

    def __init__(self, book: Book, run: Run, now: datetime) -> None:
        """Raises Conflict when the flow of the run is gone, which nothing does while a campaign uses it."""
        if run.flow is None or run.flow_version is None or book(run.flow, run.flow_version) is None:
            raise Conflict(f"The flow {run.flow} of run {run.public_id} is gone", field="experienceFlow")
        self._book = book
        self._run = run
        self._now = now
        self._flow, self._version = run.flow, run.flow_version

    def of(self, person: Person, planned: Planned) -> Opening | tuple[LeftOut, str]:
        """How ``person`` begins, due as ``planned``; or why they get no text."""
        # Named by run and number, so that planning a page again after a crash draws the same ways.
        session = Session(f"{self._run.public_id}/{person.number}", self._flow, self._version)
        return begin(self._book, session, person, planned, self._now, substitutes=self._run.plain_substitutes)

    def row(self, seq: int, person: Person, opening: Opening, address: str) -> sessions.Planned:
        """The session to be kept beside message ``seq``, which leaves from ``address``."""
        return row(seq, person, opening, address, self._now)


def begin(
    book: Book, session: Session, person: Someone, planned: Planned, now: datetime, *, substitutes: bool
) -> Opening | tuple[LeftOut, str]:
    """How a new session with ``person`` begins, due as ``planned``; or why they get no text."""
    who = acts.Person(person.number, person.fields, now, person.time_zone or "")
    flow, version = session.flow, session.version
    session, done = machine.advance(book, session, acts.Begin(), who)
    first = next((act for act in done if isinstance(act, acts.Say)), None)
    if first is None and session.state in {State.CALL, State.TIME}:
        return Opening(flow, version, session, tuple(done), planned._replace(text="", parts=0))
    if first is None:
        return LeftOut.EMPTY_TEXT, SILENT
    text = parts.normalise(first.text)
    if substitutes:
        text = plain.simplify(text).text
    needed = parts.measure(text).parts
    if needed > MAX_PARTS:
        return LeftOut.TOO_LONG, f"{needed} parts"
    todo = tuple(act for act in done if act is not first)
    return Opening(flow, version, session, todo, planned._replace(text=text, parts=needed))


def row(seq: int, person: Person, opening: Opening, address: str, now: datetime) -> sessions.Planned:
    """The session to be kept beside message ``seq``, which leaves from ``address``; 0: it begins without one."""
    flow, version, session, todo, said = opening
    wait = timedelta() if opening.later else SOON
    if not opening.later and session.deadline is not None and not todo:
        wait = min(FIRST_LOOK, session.deadline - now)
    return sessions.Planned(
        seq=seq,
        number=person.number,
        address=address,
        address_key=optout.address_key(address),
        list_id=person.list_id,
        contact_seq=person.contact_seq,
        zone=said.zone,
        law=said.law,
        flow=flow,
        version=version,
        node=session.node or "",
        data=sessions.told(session.to_json()),
        todo=sessions.told([acts.to_json(act) for act in todo]) if todo else None,
        asked_at=now,
        due=max(now, said.due_at) + wait,
    )
