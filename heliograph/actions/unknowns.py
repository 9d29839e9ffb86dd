"""What a person can decide about messages whose fate is unknown: wait, take them for sent, or send them again.

Asking their carrier is in :mod:`heliograph.actions.asking`. Every decision is set down with who made it, when and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, cast

from heliograph.actions import resends
from heliograph.errors import Conflict, Invalid, NotFound, TooLarge
from heliograph.rules import body as reading
from heliograph.rules import ids
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
ACCEPTED_BY_PERSON = "accepted_by_person"
SENT_AGAIN = "sent_again"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages a decision is about: some by id, or all unknown ones of a campaign, a run or a sender."""

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


def choice(body: Mapping[str, object]) -> Choice:
    """What a request's body chooses. Raises Invalid unless it is exactly one thing."""
    names = ("messageIds", "campaignId", "campaignInstanceId", "senderId")
    given = [name for name in names if body.get(name) is not None]
    if len(given) != 1:
        what = " and ".join(given) if given else "nothing"
        raise Invalid(f"The body chooses {what}. It takes exactly one of {', '.join(names)}", field=names[0])
    raw = body[given[0]]
    if given[0] == "messageIds":
        return Choice(message_ids=tuple(_ids(raw)))
    text = reading.text(raw, given[0], longest=200)
    return {
        "campaignId": Choice(campaign=text),
        "campaignInstanceId": Choice(run=text),
        "senderId": Choice(sender=text),
    }[given[0]]


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
    if chosen.message_ids is not None:
        parsed = [(text, ids.parse_message_id(text)) for text in chosen.message_ids]
        bad = next((text for text, found in parsed if found is None), None)
        if bad is not None:
            raise Invalid(
                f"messageIds has {reading.shown(bad)}. It takes ids such as msg-…-0000001", field="messageIds"
            )
        return Wanted(messages=tuple(found for _, found in parsed if found is not None))
    if chosen.campaign is not None:
        return Wanted(campaign_id=(await campaigns.get(conn, app.app_id, chosen.campaign)).campaign_id)
    if chosen.run is not None:
        if await runs.find_public(conn, app.app_id, chosen.run) is None:
            raise NotFound(f"There is no run {chosen.run} in this app", field="campaignInstanceId")
        return Wanted(run_public_id=chosen.run)
    if chosen.sender is not None:
        return Wanted(sender_id=(await senders.get_named(conn, app.app_id, chosen.sender)).sender_id)
    return Wanted()


async def chosen_messages(conn: Conn, app: App, chosen: Choice) -> Decided:
    """The unknown messages that were chosen. Raises Conflict when one named by its id is not unknown."""
    where = await wanted(conn, app, chosen)
    found = await unknowns.page(conn, app.app_id, where, offset=0, limit=MOST)
    if where.messages is not None:
        known = {(one.run_public_id, one.seq) for one in found}
        other = next((each for each in where.messages if each not in known), None)
        if other is not None:
            raise Conflict(f"Message {ids.message_id(*other)} is not unknown in this app", field="messageIds")
    more = await unknowns.count(conn, app.app_id, where) - len(found) if len(found) == MOST else 0
    return Decided(found, more)


async def wait(db: Database, app: App, chosen: Choice, by: By, *, until: datetime) -> Decided:
    """Wait for a receipt until then. The messages stay unknown; once the time has passed they are told as overdue."""
    async with db.transaction() as conn:
        found = await chosen_messages(conn, app, chosen)
        rows = [NewDecision(one.run_id, one.seq, until=until) for one in found.messages]
        await decisions.add(conn, app.app_id, law.Kind.WAIT, rows, decided_by=by.who, note=by.note, now=by.now)
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
