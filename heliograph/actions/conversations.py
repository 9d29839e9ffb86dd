"""Conversations: what people write, what time brings and what services answer, taken through their flows.

Each of it is one transaction: the session as it is then, its texts, and that it was dealt with. So a crash anywhere
neither loses anything nor says anything twice. An app's sessions are one worker's at a time (the lock REPLIES), and are
worked on in bulk: as many statements for a thousand replies as for one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import flow_book, opt_outs, talk_changes, talk_texts, talks
from heliograph.actions.talks import Talk
from heliograph.rules import conversation, optout
from heliograph.rules.conversation import Became
from heliograph.rules.flow import acts
from heliograph.rules.flow.session import Session, State
from heliograph.store import app_settings, bell, contact_fields, flow_users, locks, replies, senders, sessions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.actions.flow_book import Book
    from heliograph.actions.talk_changes import Fields
    from heliograph.store.app_settings import AppSettings
    from heliograph.store.contact_fields import Known
    from heliograph.store.database import Conn, Database
    from heliograph.store.replies import Unanswered
    from heliograph.store.senders import Sender

DUE_AT_ONCE = 500
WAITING = 5_000  # replies that nobody has looked at, of which their people are asked for
HOUR = timedelta(hours=1)
LATER = timedelta(minutes=1)  # until one that is to wait for another is looked at again
OPTED_OUT, TAKEN_OVER = "opted out", "taken over"
"""Results of sessions that ended because their person said no, or because one of ours answers."""

Place = tuple[str, str]
"""A person's number, and the address of ours they wrote to, folded."""


class Fate(NamedTuple):
    """What became of a reply, and the session that heard it (0: none)."""

    became: Became
    session_id: int = 0


def place_of(reply: Unanswered) -> Place:
    """By what the session of a reply is found."""
    return opt_outs.number_of(reply.number), optout.address_key(reply.address)


@dataclass(slots=True)
class Hand:
    """The sessions of some people, taken in hand to be worked on and put back."""

    conn: Conn
    app_id: int
    now: datetime
    settings: AppSettings
    ours: Sequence[Sender]
    by_place: dict[Place, list[Talk]]
    book: Book
    fields: Fields
    known: Mapping[str, Known]
    hearing: bool  # somebody waits for an answer
    new: list[Talk] = field(default_factory=list[Talk])

    @classmethod
    async def take(  # whose, and what is known already
        cls,
        conn: Conn,
        app_id: int,
        numbers: Collection[str],
        *,
        now: datetime,
        settings: AppSettings | None = None,
        ours: Sequence[Sender] | None = None,
    ) -> Hand:
        """Take all sessions of these people that are not over. The caller holds the app's REPLIES lock.

        ``settings``, ``ours``: the app's settings and senders where the caller has them; then others may begin, too,
        so that what is known of everybody is looked up.
        """
        by_place: defaultdict[Place, list[Talk]] = defaultdict(list)
        wanted: set[tuple[str, int | None]] = set()
        for row in await sessions.of_numbers(conn, app_id, sorted(numbers)):
            talk = Talk.of(row)
            by_place[talk.number, talk.address_key].append(talk)
            frames = ((frame.flow, frame.version) for frame in talk.session.stack)
            wanted.update([(talk.session.flow, talk.session.version), (talk.flow, talk.version), *frames])
        hearing = ours is not None
        here = {(each.list_id, each.contact_seq) for group in by_place.values() for each in group if each.list_id}
        fields: Fields = dict(await contact_fields.of(conn, app_id, sorted(here))) if here else {}
        known = await contact_fields.newest(conn, app_id, sorted(numbers)) if hearing else {}
        fields = {(one.list_id, one.seq): one.fields for one in known.values()} | fields
        book = await flow_book.load(conn, app_id, wanted)
        settings = settings or await app_settings.get(conn, app_id)
        ours = await senders.list_all(conn, app_id) if ours is None else ours
        return cls(conn, app_id, now, settings, ours, dict(by_place), book, fields, known, hearing)

    def of(self, talk: Talk) -> Mapping[str, object]:
        """What is known of the person of a session."""
        return self.fields.get((talk.list_id, talk.contact_seq), {})

    def newest(self, place: Place, *, wrote: bool) -> Talk | None:
        """The session that counts for somebody; the others whose text has left are over."""
        group = self.by_place.get(place, [])
        queue = conversation.read(self.settings.conversations).queue
        for talk in sorted(group, key=lambda talk: talk.silent):
            if queue and talk.silent and any(other.opened and other.ended_at is None for other in group):
                talk.wait(self.now + LATER)
            else:
                talk.look(self.now, wrote=wrote)
        return talks.newest(group, self.now)

    def begin(self, flow: str, said: Unanswered, *, within: bool) -> Talk | None:
        """The session that somebody begins by writing; None when that flow is gone."""
        found = self.book(flow, None)
        if found is None:
            return None
        number, key = place = place_of(said)
        address = next((each.address for each in self.ours if optout.address_key(each.address) == key), said.address)
        one = self.known.get(number)
        public_id = self.book.public_id(flow) or flow
        talk = Talk(
            0, 0, 0, number, address, key, 0 if one is None else one.list_id, 0 if one is None else one.seq, "", "",
            public_id, found[0], None, Session(f"reply-{said.reply_id}", public_id, found[0]),
            opened=True, asked_at=self.now, started_at=self.now, left_at=self.now,
        )  # fmt: skip
        event = acts.Begin(said.text)
        talk.step(self.book, event, self.of(talk), self.now, reply_id=said.reply_id if within else None)
        talk.hear(self.now)
        self.by_place.setdefault(place, []).append(talk)
        self.new.append(talk)
        return talk

    async def put_back(self) -> None:
        """Write what has come of it."""
        conn, app_id, now = self.conn, self.app_id, self.now
        everyone = [talk for group in self.by_place.values() for talk in group if talk.changed]
        await talk_changes.change(conn, app_id, everyone, self.fields, lists_too=not self.hearing, now=now)
        for talk in everyone:
            talk.settle(now)
        # A person's earlier session is over before the one in its place is open.
        over = [talk for talk in everyone if talk.session_id and talk.ended_at is not None]
        if over:
            await sessions.save(conn, app_id, [talk.change() for talk in over])
        if self.new:
            made = await sessions.insert(conn, app_id, [talk.row() for talk in self.new], now=now)
            for talk, session_id in zip(self.new, made, strict=True):
                talk.session_id = session_id
        await talk_texts.write(conn, app_id, everyone, self.settings, self.ours, now=now)
        await talk_changes.hand_over(conn, app_id, everyone, now=now)
        if any(talk.ended_at is None and talk.session.state is State.CALL for talk in everyone):
            await bell.ring(conn, bell.SERVICES)
        done = {talk.session_id for talk in over if not talk.says}
        await sessions.save(conn, app_id, [talk.change() for talk in everyone if talk.session_id not in done])


# ---------------------------------------------------------------- what people write


async def hear(
    conn: Conn,
    app_id: int,
    said: Sequence[Unanswered],
    refused: Iterable[Place],
    *,
    settings: AppSettings,
    ours: Sequence[Sender],
    now: datetime,
) -> dict[int, Fate]:
    """Take replies through the sessions of their people, in order, within the caller's transaction.

    ``refused``: whose sessions are over as they said no; an address of "" is all of them. ``settings``,
    ``ours``: the app's settings and senders. The caller holds the app's REPLIES lock.
    """
    no = list(refused)
    numbers = {opt_outs.number_of(reply.number) for reply in said} | {number for number, _ in no}
    if not numbers:
        return {}
    hand = await Hand.take(conn, app_id, numbers, now=now, settings=settings, ours=ours)
    for number, key in no:
        for (whose, address), group in hand.by_place.items():
            if whose == number and key in {"", address}:
                for talk in group:
                    talk.close(OPTED_OUT, now)
    rules = conversation.read(settings.conversations)
    had = await replies.count_heard(conn, app_id, sorted({reply.number for reply in said}), since=now - HOUR)
    flow_of = _Flows(
        await flow_users.of_addresses(conn, app_id),
        await flow_users.default(conn, app_id),
        await sessions.with_people(conn, app_id, sorted(numbers)),
    )
    fates: dict[int, Fate | Talk] = {}
    for reply in said:
        if optout.automatic(reply.text):
            fates[reply.reply_id] = Fate(Became.MACHINE)
        elif had.get(reply.number, 0) >= rules.per_hour:
            fates[reply.reply_id] = Fate(Became.TOO_MANY)
        else:
            within = now - reply.received_at <= rules.answer_window
            fates[reply.reply_id] = _heard(hand, reply, flow_of, rules.answer_window, within=within)
            had[reply.number] = had.get(reply.number, 0) + 1
    await hand.put_back()
    return {
        reply_id: Fate(Became.FLOW, fate.session_id) if isinstance(fate, Talk) else fate
        for reply_id, fate in fates.items()
    }


class _Flows:
    """The flow for whoever writes without a conversation."""

    def __init__(self, of_addresses: Mapping[str, str], default: str | None, taken: Collection[Place]) -> None:
        self._of = {optout.address_key(address): flow for address, flow in of_addresses.items()}
        self._default = default
        self._taken = taken  # one of ours talks to them

    def at(self, place: Place) -> str | None:
        """The one attached to the address of ours, else to the sender of any address, else the app's."""
        address_key = place[1]
        if place in self._taken:
            return None
        return self._of.get(address_key) or self._of.get("*") or self._default


def _heard(hand: Hand, reply: Unanswered, flow_of: _Flows, window: timedelta, *, within: bool) -> Fate | Talk:
    """The session that heard a reply, or what else became of it. One that comes ``within`` the window is answered."""
    place = place_of(reply)
    talk = hand.newest(place, wrote=True)
    if talk is not None and not talk.session.over:
        event = acts.Answered(reply.text, reply.received_at + window, reply.reply_id)
        if talk.keeps:
            talk.keep(event)
            talk.hear(hand.now)
            return Fate(Became.KEPT, talk.session_id)
        reply_id = reply.reply_id if within else None
        if not talk.waits or not talk.step(hand.book, event, hand.of(talk), hand.now, reply_id=reply_id):
            return Fate(Became.UNWAITED, talk.session_id)
        talk.hear(hand.now)
        if not within:
            _late(talk)
        return talk
    if talk is not None:  # the flow had no more to do than to say its first text
        talk.settle(hand.now)
        if talk.ended_at is None:
            return Fate(Became.UNWAITED, talk.session_id)
    flow = flow_of.at(place)
    begun = None if flow is None else hand.begin(flow, reply, within=within)
    if begun is None:
        return Fate(Became.INBOX)
    if not within:
        _late(begun)
    return begun


def _late(talk: Talk) -> None:
    """What is said now answers nothing: it was written too long ago, so hours count."""
    talk.says = [
        said._replace(act=acts.Say(said.act.number, said.act.node, said.act.text, answering=False))
        for said in talk.says
    ]
    talk.session = talk.session.with_(answering=False)


# ---------------------------------------------------------------- what time brings


async def pass_time(db: Database, app_id: int, *, now: datetime, limit: int = DUE_AT_ONCE) -> int:
    """Look at the sessions of an app whose time it is; how many, 0 when another worker is at it."""
    async with db.transaction() as conn:
        if not await locks.try_hold(conn, locks.Kind.REPLIES, app_id):
            return 0
        # What somebody has written already comes before what their silence would have meant.
        wrote = {opt_outs.number_of(number) for number in await replies.who_waits(conn, app_id, limit=WAITING)}
        due = [one for one in await sessions.list_due(conn, app_id, now, limit=limit) if one[1] not in wrote]
        if not due:
            return 0
        waiting = {session_id for session_id, _ in due}
        hand = await Hand.take(conn, app_id, {number for _, number in due}, now=now)
        seen = {talk.session_id for group in hand.by_place.values() for talk in group}
        for place, group in list(hand.by_place.items()):
            late = [talk for talk in group if talk.session_id in waiting]
            if late:
                _passed(hand, place, late)
        await hand.put_back()
        if waiting - seen:
            await sessions.put_off(conn, app_id, sorted(waiting - seen), None)
    return len(due)


async def give_up(db: Database, app_id: int, *, now: datetime) -> int:
    """Look at the session of an app whose time it is first again in an hour: it could not be worked on."""
    async with db.transaction() as conn:
        if await locks.try_hold(conn, locks.Kind.REPLIES, app_id):
            due = await sessions.list_due(conn, app_id, now, limit=1)
            await sessions.put_off(conn, app_id, [session_id for session_id, _ in due], now + HOUR)
    return 0


def _passed(hand: Hand, place: Place, late: Sequence[Talk]) -> None:
    hand.newest(place, wrote=False)
    for talk in late:
        if talk.opened and talk.ended_at is None:
            talk.resume()
            talk.pass_time(hand.book, hand.of(talk), hand.now)


# ---------------------------------------------------------------- what services answer


async def called(
    db: Database, app_id: int, session_id: int, number: int, answer: Mapping[str, object] | None, *, now: datetime
) -> bool:
    """Tell a session what the service answered that its act ``number`` asked (None: it did not); whether it heard."""
    async with db.transaction() as conn:
        await locks.hold(conn, locks.Kind.REPLIES, app_id)
        rows = await sessions.of_ids(conn, app_id, [session_id])
        if not rows or rows[0].ended_at is not None:
            return False
        hand = await Hand.take(conn, app_id, {rows[0].number}, now=now)
        talk = hand.newest((rows[0].number, rows[0].address_key), wrote=False)
        if talk is None or talk.session_id != session_id:
            await hand.put_back()
            return False
        heard = talk.step(hand.book, acts.Called(number, answer), hand.of(talk), now)
        await hand.put_back()
    return heard


# ---------------------------------------------------------------- people of ours


async def take_over(conn: Conn, app_id: int, number: str, address: str, *, now: datetime) -> int | None:
    """End the session of a person on an address of ours, as one of ours answers them now; its id, if there was one.

    Within the caller's transaction, which holds the app's REPLIES lock from then on.
    """
    await locks.hold(conn, locks.Kind.REPLIES, app_id)
    place = opt_outs.number_of(number), optout.address_key(address)
    hand = await Hand.take(conn, app_id, {place[0]}, now=now)
    talk = hand.newest(place, wrote=False)
    if talk is not None:
        talk.close(TAKEN_OVER, now)
    await hand.put_back()
    return None if talk is None else talk.session_id
