"""A session in hand: where it stands, what has come of it in this step, and the row that is kept of it.

A text of a session may not have left yet, or never leave; so nothing counts from when it was asked for, but from when
it left. That is looked up when something happens to the session, and nowhere else: sending knows no sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules.flow import acts, machine
from heliograph.rules.flow.session import Kept, Session, State
from heliograph.store import sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.actions.flow_book import Book
    from heliograph.rules.flow.acts import Act, Event, Say

LEFT = {"accepted", "delivered", "unknown"}
NEVER = {"failed", "suppressed", "expired"}
SOONEST, LATEST = timedelta(seconds=5), timedelta(hours=1)  # between two looks for a text that has not left
AGAIN = timedelta(seconds=0.5)  # for what somebody else keeps us from
REPLACED = "replaced"
"""The result of a session in whose place another has come."""


class Said(NamedTuple):
    """A text that is asked for. ``reply_id``: what it answers, if it does.

    ``goodbye``: the one text that confirms a no, which its person still gets (47 CFR 64.1200(a)(12)).
    """

    act: Say
    reply_id: int | None
    goodbye: bool = False


@dataclass(slots=True)
class Talk:
    """One session. ``session_id`` 0: it has no row yet."""

    session_id: int
    run_id: int
    seq: int
    number: str
    address: str
    address_key: str
    list_id: int
    contact_seq: int
    zone: str
    law: str
    flow: str
    version: int
    kind: str | None  # of its run's campaign: campaign, or single; None: it has no run
    session: Session
    opened: bool
    asked_at: datetime
    started_at: datetime
    todo: list[Act] = field(default_factory=list["Act"])
    due: datetime | None = None
    said_run: int = 0
    said_seq: int = 0
    texts: int = 0
    answers: int = 0
    left_at: datetime | None = None
    first_answer_at: datetime | None = None
    ended_at: datetime | None = None
    result: str | None = None
    before: sessions.Session | None = None
    says: list[Said] = field(default_factory=list[Said])
    acts: list[Act] = field(default_factory=list["Act"])  # of this step, to be done with it
    changed: bool = False

    @classmethod
    def of(cls, row: sessions.Session) -> Talk:
        """The session of a row."""
        return cls(
            row.session_id, row.run_id, row.seq, row.number, row.address, row.address_key, row.list_id,
            row.contact_seq, row.zone, row.law, row.flow, row.version, row.kind, Session.from_json(row.data),
            row.opened, row.asked_at, row.started_at,
            todo=[acts.from_json(each) for each in row.todo or []],
            due=row.due, said_run=row.said_run, said_seq=row.said_seq, texts=row.texts, answers=row.answers,
            left_at=row.left_at, first_answer_at=row.first_answer_at, ended_at=row.ended_at, before=row,
        )  # fmt: skip

    @property
    def waits(self) -> bool:
        """Whether it waits for what the person writes."""
        return self.session.state is State.ANSWER

    @property
    def silent(self) -> bool:
        """Whether it is one that begins without a text, and has not begun."""
        return not self.opened and self.ended_at is None and self.seq == 0

    @property
    def keeps(self) -> bool:
        """Whether what the person writes now is kept for its next wait."""
        return self.session.state in {State.TIME, State.CALL}

    # ------------------------------------------------------------ steps

    def keep(self, said: acts.Answered) -> None:
        """Keep what the person wrote for the next wait. What the session waits for stays as it is, and so its time."""
        self.session = self.session.with_(kept=Kept(said.text, said.until, said.ref))
        self.changed = True

    def step(
        self, book: Book, event: Event, fields: Mapping[str, object], now: datetime, *, reply_id: int | None = None
    ) -> bool:
        """Take the session through ``event``; whether that changed anything."""
        zone = "" if "," in self.zone else self.zone
        who = acts.Person(self.number, fields, now, zone)
        after, done = machine.advance(book, self.session, event, who)
        if after == self.session and not done:
            return False
        kept = self.session.kept
        if kept is not None and after.kept is None and kept.until is not None and now <= kept.until:
            reply_id = kept.ref  # heard now, and answered
        self.session, self.asked_at, self.due, self.changed = _by_id(book, after), now, None, True
        self.todo = [act for act in self.todo if not isinstance(act, acts.Call)]
        self.take(done, reply_id)
        return True

    def take(self, done: list[Act], reply_id: int | None = None) -> None:
        """Have these acts done with this step."""
        for act in done:
            if isinstance(act, acts.Say):
                self.says.append(Said(act, reply_id))
            elif isinstance(act, acts.Call):
                self.todo.append(act)
            else:
                self.acts.append(act)
        refused = any(isinstance(act, acts.ChangeConsent) and act.out for act in done)
        if refused and self.says and reply_id is not None:
            self.says[-1] = self.says[-1]._replace(goodbye=True)

    def hear(self, now: datetime) -> None:
        """Count an answer."""
        self.answers += 1
        self.first_answer_at = self.first_answer_at or now
        self.changed = True

    def close(self, result: str, at: datetime) -> None:
        """It is over, whatever it waited for."""
        if self.ended_at is None:
            ended = self.session.with_(state=State.ENDED, deadline=None, result=result)
            self.session, self.result, self.ended_at, self.due, self.todo = ended, result, at, None, []
            self.says, self.changed = [], True

    def settle(self, now: datetime) -> None:
        """Say when it is looked at next, and whether it is over, once all that was to be done is."""
        if self.ended_at is not None or not self.changed:
            return
        if self.opened and self.session.over and not self.todo:
            self.ended_at, self.result, self.due = now, self.session.result, None
        elif self.opened and self.session.state is State.CALL:
            self.due = self.due or now  # of one that is being made already: when another may make it
        elif self.opened and self.todo:
            self.due = now + AGAIN
        elif self.opened and self.due is None:
            self.due = self.session.deadline

    # ------------------------------------------------------------ texts that leave, or do not

    def look(self, now: datetime, *, wrote: bool) -> None:
        """Find out what became of the first text, while it is not known to have left.

        ``wrote``: its person has written something, and may have read a text that is just being sent.
        """
        row = self.before
        if self.opened or self.ended_at is not None or row is None:
            return
        if self.silent:
            self._open(now)
            return
        if row.status in LEFT or (row.status is None and wrote and row.taken):
            self.opened, self.changed = True, True
            self.left_at = row.submitted_at or row.settled_at or row.taken_at or now
            self.due = None
            todo, self.todo = self.todo, []
            self.take(todo)
        else:
            self._wait_or_close(row, now)

    def _open(self, now: datetime) -> None:
        """Begin without a text, once its hours are open: a delay counts from now."""
        if self.due is not None and now >= self.due:
            deadline = self.session.deadline
            if deadline is not None:
                self.session = self.session.with_(deadline=now + (deadline - self.asked_at))
            self.asked_at, self.due, self.opened, self.changed = now, None, True, True
            todo, self.todo = self.todo, []
            self.take(todo)

    def wait(self, until: datetime) -> None:
        """Begin then, and not before."""
        self.due, self.changed = until, True

    def resume(self) -> None:
        """Try again what somebody else kept us from doing."""
        self.acts += [act for act in self.todo if not isinstance(act, acts.Call)]
        self.todo = [act for act in self.todo if isinstance(act, acts.Call)]

    def pass_time(self, book: Book, fields: Mapping[str, object], now: datetime) -> None:
        """Its time may have come: silence counts from when the last text left."""
        row, deadline = self.before, self.session.deadline
        if row is None or self.ended_at is not None or not self.opened:
            return
        base = self.asked_at
        if row.status in LEFT:
            base = max(base, row.submitted_at or row.settled_at or base)
        elif row.status is not None or row.text_due is not None or row.taken:
            self._wait_or_close(row, now)
            return
        if deadline is None:
            self.changed = True
            return
        real = base + (deadline - self.asked_at)
        self.due, self.changed = real, True
        if now >= real and not self.step(book, acts.Passed(), fields, now):
            self.close("expired", now)

    def _wait_or_close(self, row: sessions.Session, now: datetime) -> None:
        """The text has not left: it will be looked for later, or never leaves."""
        self.changed = True
        if row.status in NEVER:
            self.close(row.status or "", now)
        elif row.text_ended or row.text_due is None:
            self.close("expired", now)
        else:
            since = max(now, row.text_due) - row.text_due
            self.due = max(now, row.text_due) + min(max(since, SOONEST), LATEST)

    # ------------------------------------------------------------ rows

    def row(self) -> sessions.New:
        """The row of one that has none."""
        return sessions.New(
            self.run_id, self.seq, self.number, self.address, self.address_key, self.list_id, self.contact_seq,
            self.flow, self.version, self._state, sessions.told(self.session.to_json()),
            None if self.ended_at is None else self.ended_at.isoformat(), self.result,
        )  # fmt: skip

    def change(self) -> sessions.Change:
        """What its row is to be."""
        todo = sessions.told([acts.to_json(act) for act in self.todo]) if self.todo else None
        return sessions.Change(
            self.session_id, self._state, self.session.node or "", sessions.told(self.session.to_json()), todo,
            self.opened, self.asked_at, self.due, self.said_run, self.said_seq, self.texts, self.answers, self.left_at,
            self.first_answer_at, self.ended_at, self.result,
        )  # fmt: skip

    @property
    def _state(self) -> str:
        if self.ended_at is not None:
            return State.HANDED if self.session.state is State.HANDED else State.ENDED
        return self.session.state if self.opened else sessions.OPENING


def newest(talks: list[Talk], now: datetime) -> Talk | None:
    """Of one person's sessions on one address the one that counts: its first text left last. The others are over."""
    for talk in talks:
        row = talk.before
        if row is not None and row.run_ended_at is not None:
            talk.close(row.run_end_reason or "ended", row.run_ended_at)
    live = [talk for talk in talks if talk.opened and talk.ended_at is None]
    found = max(live, key=lambda talk: (talk.left_at or talk.asked_at, talk.session_id), default=None)
    for talk in live:
        if talk is not found:
            talk.close(REPLACED, now)
    return found


def _by_id(book: Book, session: Session) -> Session:
    """The session with the flows it goes through named by their ids: names change."""
    frames = tuple(replace(frame, flow=book.public_id(frame.flow) or frame.flow) for frame in session.stack)
    return session.with_(flow=book.public_id(session.flow) or session.flow, stack=frames)
