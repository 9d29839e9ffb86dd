"""One message's whole story, as a line of events; and a number's: all its messages, and whether it could be texted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from heliograph.rules import message as law
from heliograph.rules import quiet, timing, wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.message import MessageStatus


class Happened(StrEnum):
    """What can happen to a message."""

    IMPORTED = "imported"  # its contact came to the list
    PLANNED = "planned"
    REFUSED_FOR_NOW = "refused_for_now"  # by the carrier, and tried again; without a time
    HELD = "held"  # at: until when
    TAKEN = "taken"  # to be submitted; without a time
    SUBMITTED = "submitted"
    DECIDED = "decided"
    CAME_OF = "came_of"  # a decision about an earlier message made this one
    ENDED = "ended"  # the last word so far: its status
    RUN_ENDED = "run_ended"
    DNC = "do_not_contact"  # an entry that counts for its number
    REMOVED = "removed"  # what its app keeps no longer
    CONSENT = "consent"  # something that its person said of being texted


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a time, or will; None: at a time that nobody wrote down."""

    at: datetime | None
    what: Happened
    words: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is stored of a message. See the tables ``message``, ``chunk`` and ``outcome``."""

    app_id: int
    run_id: int
    campaign_public_id: str
    campaign_name: str
    run_public_id: str
    seq: int
    place: int
    number: str
    text: str
    parts: int
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    list_name: str | None
    imported_at: datetime | None
    zone: str | None
    law: str | None
    transactional: bool
    quiet_hours: str | None
    due_at: datetime | None
    taken: bool
    address: str | None
    account: str | None
    status: str | None
    reason: str | None
    carrier_ref: str | None
    submitted_at: datetime | None
    settled_at: datetime | None
    removed: str | None = None  # what of it is kept no longer: its text, or its number too
    removed_at: datetime | None = None

    def standing(self, now: datetime) -> tuple[MessageStatus, str]:
        """Where it stands, and why."""
        due = self.due_at is not None and self.due_at <= now
        where, why = law.standing(outcome=self.status, taken=self.taken, due=due, ended=self.ended_at is not None)
        return where, self.reason or (self._quiet(now) if where is law.MessageStatus.HELD else "") or why

    def _quiet(self, now: datetime) -> str:
        """Where it is too early or too late by the law, if that is so; told for somebody who is held."""
        rules = quiet.in_force(self.quiet_hours)
        if self.law is None or timing.is_lawful(rules, self.law, now):
            return ""
        return f"quiet hours in {timing.closest(rules, self.law)}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about it, or, when ``made_it``, about the message in whose place it was made."""

    at: datetime
    kind: str
    by: str
    note: str = ""
    until: str = ""
    finding: str = ""
    other: str = ""  # the message that was made in its place, or that it was made in place of
    made_it: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A do-not-contact entry that covers its number. ``counts``: for this message's run, or for every campaign."""

    list_name: str
    entry: str
    reason: str
    source: str
    created_at: datetime
    expires_at: datetime | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said of being texted, by its person or for them. ``what``: as in store/consents.py."""

    at: datetime
    what: str
    source: str
    text: str
    word: str
    by: str


def events(
    message: Message,
    decisions: Sequence[Decision],
    entries: Sequence[Entry],
    now: datetime,
    *,
    said: Sequence[Said] = (),
) -> list[Event]:
    """The story of a message, in the order in which it happened; what has no time stands where it belongs."""
    where, why = message.standing(now)
    found: list[Event] = []
    if message.imported_at is not None:
        found.append(Event(message.imported_at, Happened.IMPORTED, f"came to list {message.list_name}"))
    found += [_came_of(each) for each in decisions if each.made_it]
    found.append(Event(message.started_at, Happened.PLANNED, _planned(message)))
    if message.attempts:
        times = "once" if message.attempts == 1 else f"{message.attempts} times"
        found.append(Event(None, Happened.REFUSED_FOR_NOW, f"refused by the carrier for now, {times}, and tried again"))
    if message.submitted_at is not None:
        through = f"submitted from {message.address} through {message.account}"
        found.append(Event(message.submitted_at, Happened.SUBMITTED, through))
    elif message.taken and message.status in (None, "unknown"):
        found.append(Event(None, Happened.TAKEN, "taken to be submitted; nobody wrote down when it left"))
    if message.status is not None:
        ref = f", which the carrier calls {message.carrier_ref}" if message.carrier_ref else ""
        found.append(Event(message.settled_at, Happened.ENDED, f"{where.word}{f': {why}' if why else ''}{ref}"))
    elif where in law.WAITING:
        found.append(Event(message.due_at, Happened.HELD, f"{where.word}{f': {why}' if why else ''}"))
    found += [_decided(each) for each in decisions if not each.made_it]
    if message.ended_at is not None:
        found.append(Event(message.ended_at, Happened.RUN_ENDED, f"its run was {message.end_reason}"))
    if message.removed is not None and message.removed_at is not None:
        when = f"removed by retention on {message.removed_at:%Y-%m-%d}"
        found.append(Event(message.removed_at, Happened.REMOVED, f"its {message.removed} {when}"))
    found += [_entry(each, now) for each in entries]
    found += [_said(each) for each in said]
    return _in_time(found)


def _planned(message: Message) -> str:
    parts = f"{message.parts} part" if message.parts == 1 else f"{message.parts} parts"
    how = f", {parts}, in {wording.zone_names(message.zone)}" if message.zone else ""
    if message.transactional:
        how += ", transactional: quiet hours do not count"
    elif message.law and (names := timing.names(quiet.in_force(message.quiet_hours), message.law)):
        how += f", by the law of {names}"
    return f"planned in a run of {message.campaign_name} at place {message.place}{how}"


def _came_of(each: Decision) -> Event:
    why = "sent again" if each.kind == "resend" else "the carrier had never got it"
    return Event(each.at, Happened.CAME_OF, f"made in place of {each.other}, {why}, by {each.by}{_note(each)}")


def _decided(each: Decision) -> Event:
    what = {
        "ask": f"its carrier was asked and said: {each.finding.replace('_', ' ')}",
        "wait": f"a receipt is waited for until {each.until}",
        "accept": "taken for sent",
        "resend": "sent again",
    }[each.kind]
    other = f" as {each.other}" if each.other else ""
    return Event(each.at, Happened.DECIDED, f"{what}{other}, by {each.by}{_note(each)}")


def _note(each: Decision) -> str:
    return f" ({each.note})" if each.note else ""


def _entry(each: Entry, now: datetime) -> Event:
    over = each.expires_at is not None and each.expires_at <= now
    how = "expired since" if over else "counts" if each.counts else "does not count for this run"
    reason = f", because: {each.reason}" if each.reason else ""
    return Event(each.created_at, Happened.DNC, f"{each.entry} on {each.list_name} by {each.source}{reason}; {how}")


def _said(each: Said) -> Event:
    what = {"opt_out": "said no", "opt_in": "said yes", "review": "perhaps said no", "decided": "it was decided"}
    words = f": {each.text}" if each.text else f": {each.word}" if each.word else ""
    by = f", recorded by {each.by}" if each.by else ""
    return Event(each.at, Happened.CONSENT, f"{what[each.what]} by {each.source}{words}{by}")


def _in_time(found: list[Event]) -> list[Event]:
    """By time; what has none keeps its place behind what stands before it."""
    last: datetime | None = None
    keyed: list[tuple[datetime | None, Event]] = []
    for event in found:
        last = event.at or last
        keyed.append((last, event))
    early = [event for at, event in keyed if at is None]
    timed = sorted(((at, event) for at, event in keyed if at is not None), key=lambda pair: pair[0])
    return early + [event for _, event in timed]


def would_be_texted(entries: Sequence[Entry], now: datetime) -> tuple[bool, str]:
    """Whether a campaign that begins now would text a number, as far as do-not-contact lists say; and why."""
    for each in entries:
        if each.counts and (each.expires_at is None or each.expires_at > now):
            return False, f"{each.entry} is on the do-not-contact list {each.list_name}"
    others = ", ".join(sorted({each.list_name for each in entries}))
    if others:
        return True, f"yes, in its hours, by a campaign that is not linked to {others}"
    return True, "yes, in the hours of whichever campaign has it on its lists"
