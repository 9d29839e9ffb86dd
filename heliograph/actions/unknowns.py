"""What a person can decide about messages whose fate is unknown: wait, take them for sent, or send them again.

Asking their carrier is in :mod:`heliograph.actions.asking`. Every decision is set down with who made it, when and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, cast

from heliograph.actions import audit, resends
from heliograph.errors import Conflict, Invalid, NotFound, TooLarge
from heliograph.rules import body as reading
from heliograph.rules import counts, ids, wording
from heliograph.rules import unknown as law
from heliograph.store import bell, campaigns, decisions, runs, senders, unknowns
from heliograph.store.decisions import NewDecision
from heliograph.store.unknowns import Settlement, Unknown, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database

MOST = 10_000  # messages in one call
MOST_SEQ = 2**31 - 1
ACCEPTED_BY_PERSON = "accepted_by_person"
SENT_AGAIN = "sent_again"
NOT_THERE = "not_there"  # a finding: the carrier never got it


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages a decision is about: some by id, all unknown ones of a campaign, a run, a sender; all, if none."""

    message_ids: tuple[str, ...] | None = None
    campaign: str | None = None
    run: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, why, and when: a client (``cs-…``), ``cli:`` and a name, or ``worker``."""

    who: str
    now: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """``messages`` were decided about; ``left`` of those chosen are unknown still, because a call takes so many."""

    messages: list[Unknown]
    left: int


@dataclass(frozen=True, slots=True)
class Resent:
    """As :class:`Decided`; ``new_ids`` are the ids of the messages made in their places, in their order."""

    messages: list[Unknown]
    new_ids: list[str]
    left: int

    @property
    def second_texts(self) -> int:
        """To how many this may be a second text: to all but those of whom the carrier said that it never came."""
        return sum(one.finding != NOT_THERE for one in self.messages)

    @property
    def words(self) -> str:
        """What was done, and what it may mean."""
        again = f"{wording.counted(len(self.messages), 'message')} sent again"
        risk = self.second_texts
        if not self.messages:
            return again
        return f"{again}. It may be a second text to {wording.people(risk)}" if risk else f"{again}: none had arrived"


def name_of(one: Unknown) -> str:
    """Its message id."""
    return ids.message_id(one.run_public_id, one.seq)


def choice(body: Mapping[str, object]) -> Choice:
    """What a request's body chooses; what is given together narrows it. Raises Invalid when nothing is."""
    names = ("messageIds", "campaignId", "campaignInstanceId", "senderId")
    if all(body.get(name) is None for name in names):
        raise Invalid(f"The body chooses no messages. It takes any of {', '.join(names)}", field=names[0])
    campaign, run, sender = (
        None if body.get(name) is None else reading.text(body[name], name, longest=200) for name in names[1:]
    )
    chosen = None if body.get(names[0]) is None else tuple(_ids(body[names[0]]))
    return Choice(message_ids=chosen, campaign=campaign, run=run, sender=sender)


def _ids(raw: object) -> list[str]:
    listed = cast("list[object]", raw) if isinstance(raw, list) else []
    if not listed:
        told = reading.shown(cast("object", raw))
        raise Invalid(f"messageIds is {told}. It takes a list of message ids", field="messageIds")
    if len(listed) > MOST:
        raise TooLarge(f"messageIds has more than {MOST:,} ids. It takes so many in one call", field="messageIds")
    return [reading.text(each, "messageIds", longest=100) for each in listed]


async def wanted(conn: Conn, app: App, chosen: Choice) -> Wanted:
    """Where to look for what was chosen. Raises NotFound for a campaign, run or sender this app does not have."""
    campaign = None if chosen.campaign is None else await campaigns.get(conn, app.app_id, chosen.campaign)
    sender = None if chosen.sender is None else await senders.get_named(conn, app.app_id, chosen.sender)
    if chosen.run is not None and await runs.find_public(conn, app.app_id, chosen.run) is None:
        raise NotFound(f"There is no run {chosen.run} in this app", field="campaignInstanceId")
    return Wanted(
        campaign_id=None if campaign is None else campaign.campaign_id,
        run_public_id=chosen.run,
        sender_id=None if sender is None else sender.sender_id,
        messages=None if chosen.message_ids is None else tuple(_parsed(text) for text in chosen.message_ids),
    )


def _parsed(message_id: str) -> tuple[str, int]:
    found = ids.parse_message_id(message_id)
    if found is None or found[1] > MOST_SEQ:
        text = f"messageIds has {reading.shown(message_id)}. It takes ids such as msg-…-0000001"
        raise Invalid(text, field="messageIds")
    return found


async def chosen_messages(conn: Conn, app: App, chosen: Choice) -> Decided:
    """The unknown messages that were chosen. Raises Conflict when one named by its id is not unknown."""
    where = await wanted(conn, app, chosen)
    found = await unknowns.page(conn, app.app_id, where, offset=0, limit=MOST)
    if where.messages is not None:
        known = {(one.run_public_id, one.seq) for one in found}
        other = next((each for each in where.messages if each not in known), None)
        if other is not None:
            text = f"Message {ids.message_id(*other)} is not one of the unknown messages that were chosen"
            raise Conflict(text, field="messageIds")
    more = await unknowns.count(conn, app.app_id, where) - len(found) if len(found) == MOST else 0
    return Decided(found, more)


async def wait(db: Database, app: App, chosen: Choice, by: By, *, until: datetime) -> Decided:
    """Wait for a receipt until then. The messages stay unknown; once the time has passed they are told as overdue."""
    async with db.transaction() as conn:
        found = await chosen_messages(conn, app, chosen)
        rows = [NewDecision(one.run_id, one.seq, until=until) for one in found.messages]
        await decisions.add(conn, app.app_id, law.Kind.WAIT, rows, decided_by=by.who, note=by.note, now=by.now)
        audit.tell(f"Waits for receipts of {counts.of(len(rows), 'text', 'texts')} of unknown fate")
    return found


async def accept(db: Database, app: App, chosen: Choice, by: By) -> Decided:
    """Take messages for sent: accepted, with the reason that a person said so. Answers those that were."""
    async with db.transaction() as conn:
        found = await chosen_messages(conn, app, chosen)
        rows = [Settlement(one.run_id, one.seq, "accepted", ACCEPTED_BY_PERSON) for one in found.messages]
        settled = await unknowns.settle(conn, app.app_id, rows, now=by.now)
        taken = [one for one in found.messages if (one.run_id, one.seq) in settled]
        decided = [NewDecision(one.run_id, one.seq) for one in taken]
        await decisions.add(conn, app.app_id, law.Kind.ACCEPT, decided, decided_by=by.who, note=by.note, now=by.now)
        audit.tell(f"Took {counts.of(len(taken), 'text', 'texts')} of unknown fate for sent")
    return Decided(taken, found.left)


async def resend(db: Database, app: App, chosen: Choice, by: By) -> Resent:
    """Send again, although that may be a second text to these people: that is for whoever calls this to say.

    Each person waits again as a message of a new id: in the same run while it is under way, else in a new one of its
    campaign, which is Active then. Hours and do-not-contact lists count as ever. Raises Conflict when a campaign was
    deleted or is on another run, IllegalMove when it is to start by itself.
    """
    again: list[tuple[Unknown, NewDecision, str]] = []
    async with db.transaction() as conn:
        found = await chosen_messages(conn, app, chosen)
        for run_id, group in groupby(found.messages, key=lambda one: one.run_id):
            again += await _resend(conn, app, run_id, list(group), by)
        rows = [row for _, row, _ in again]
        await decisions.add(conn, app.app_id, law.Kind.RESEND, rows, decided_by=by.who, note=by.note, now=by.now)
        await bell.ring(conn, "resend")
        audit.tell(f"Sent {counts.of(len(rows), 'text', 'texts')} of unknown fate again")
    return Resent([one for one, _, _ in again], [new_id for _, _, new_id in again], found.left)


async def _resend(
    conn: Conn, app: App, run_id: int, group: Sequence[Unknown], by: By
) -> list[tuple[Unknown, NewDecision, str]]:
    """Send the people of one run again, in it or in a new one."""
    owner = await unknowns.lock_campaign(conn, app.app_id, run_id)
    if owner.deleted:
        raise Conflict(f"Campaign {group[0].campaign_name} was deleted: nothing is sent for it again")
    if owner.under_way:
        run, people = await resends.in_run(conn, app.app_id, run_id, group, SENT_AGAIN, now=by.now)
    else:
        run, people = await resends.in_new_run(conn, app.app_id, owner.public_id, group, SENT_AGAIN, now=by.now)
    return [
        (
            one,
            NewDecision(
                run_id,
                one.seq,
                account_id=one.account_id,
                submitted_at=one.submitted_at,
                new_run_id=run.run_id,
                new_seq=seq,
            ),
            ids.message_id(run.public_id, seq),
        )
        for one, seq in people
    ]
