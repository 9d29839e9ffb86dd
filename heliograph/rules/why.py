"""Why a campaign stands where it stands: what it waits for, until when, and for how many people.

Pure: from what is known of it at one moment to an ordered list of causes, of which the first is the main one. Each face
words them by :mod:`heliograph.rules.why_words`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from heliograph.errors import Invalid
from heliograph.rules import hours, place, quiet, timing, wording
from heliograph.rules.campaign import CampaignStatus

if TYPE_CHECKING:
    from datetime import datetime

MOMENT = timedelta(seconds=1)
NOTICE = timedelta(seconds=5)  # a worker finds a run that was just started within a second or two


class Kind(StrEnum):
    """What can be the cause."""

    # It does not send, and is not meant to now.
    PREPARING = "preparing"
    READY_TO_START = "ready_to_start"
    EMPTY_LISTS = "empty_lists"
    SCHEDULED = "scheduled"  # until: the start
    NO_START_TO_COME = "no_start_to_come"  # scheduled, and its schedule has no start any more
    PAUSED_BY_PERSON = "paused_by_person"
    BEING_STOPPED = "being_stopped"  # somebody waits for the last batch to be written, or for the last answers
    STOPPED = "stopped"
    FINISHED = "finished"
    # It is to send, and somebody has to do something first.
    PANIC = "panic"  # somebody pressed the button
    NO_SENDER = "no_sender"
    CARRIER_PAUSED = "carrier_paused"
    CARRIER_DOWN = "carrier_down"  # until: the next try
    NO_WORKER = "no_worker"
    # It moves.
    PLANNING = "planning"
    WAITING_TOKENS = "waiting_tokens"  # until: about when the rate has let the last of them through
    SENDING = "sending"
    # It waits for a time.
    QUIET_HOURS = "quiet_hours"  # detail: the place whose law it is
    CLOSED_HOURS = "closed_hours"
    DAY_USED = "day_used"
    RETRYING_FROM = "retrying_from"
    HELD_LATER = "held_later"  # more people, until later times
    # Nobody is left to text.
    TALKING = "talking"  # but conversations of it are under way
    FINISHING = "finishing"
    UNKNOWN = "unknown"  # besides whatever else there is
    UNKNOWN_ONLY = "unknown_only"


ALARMING = frozenset(
    {
        Kind.PANIC,
        Kind.NO_SENDER,
        Kind.CARRIER_PAUSED,
        Kind.CARRIER_DOWN,
        Kind.NO_WORKER,
        Kind.UNKNOWN,
        Kind.UNKNOWN_ONLY,
    }
)
"""What somebody should look at."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. ``until``: when it clears, as far as that is known; in ``zone`` for people, where it has one.

    ``zone`` may name several, with commas between them.

    ``people``: whom it keeps; 0 where it is not about a number of them. ``detail``: a carrier's words, a name, a rate.
    """

    kind: Kind
    until: datetime | None = None
    people: int = 0
    zone: str | None = None
    since: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """``people`` in ``zone`` who may not be texted before ``due_at``; ``day_used``: because their sender's day is.

    ``laws``: the places whose quiet hours count for them; an empty one: exempt. See :mod:`heliograph.rules.timing`.
    """

    zone: str
    due_at: datetime
    people: int
    day_used: bool = False
    laws: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Through:
    """A sender of the run and the line of its carrier account.

    ``gone``: the sender or the account was deleted. ``panic_at``: since then the panic button holds it, or its app, as
    ``panic_words`` say. ``lane_held``: a worker sends through it now. ``down_since``: no
    worker has its line up; None where one has, or none has said anything lately.
    """

    address: str
    account: str
    gone: bool = False
    panic_at: datetime | None = None
    panic_words: str = ""
    lane_held: bool = False
    paused_at: datetime | None = None
    paused_reason: str = ""
    down_since: datetime | None = None
    next_try_at: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of the run's ledger, those that matter here."""

    total: int = 0
    held: int = 0
    ready: int = 0
    submitting: int = 0
    unknown: int = 0
    expired: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a campaign at one moment; what concerns its run is empty when there never was one.

    ``contacts``: lines of its lists now. ``audience``: those there were when the run began, read to the end when
    ``planned``. ``waits``: the first times that people are held until. ``served``: somebody serves its caller id.
    ``gate_closing``: somebody waits for the last batch to be written. ``rate``: parts a second of all its senders.
    """

    status: CampaignStatus
    caller_id: str
    numbers: Numbers = field(default_factory=Numbers)
    contacts: int = 0
    lists: int = 0
    next_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    audience: int = 0
    planned: bool = True
    calling_hours: dict[str, Any] | None = None
    quiet_hours: str | None = None  # the app's setting, in JSON
    rate: float | None = None
    served: bool = True
    gate_closing: bool = False
    through: tuple[Through, ...] = ()
    waits: tuple[Wait, ...] = ()
    talks: int = 0  # conversations that are not over

    @property
    def unread(self) -> int:
        """Contacts that have not been read yet; at most so many people are still to come."""
        return 0 if self.planned else max(0, self.audience - self.numbers.total)

    @property
    def left(self) -> int:
        """People with whom there is something left to do, and those still to come."""
        return self.numbers.held + self.numbers.ready + self.numbers.submitting + self.unread


def causes(facts: Facts, now: datetime) -> list[Cause]:
    """Why the campaign is where it is, the main cause first; never empty."""
    match facts.status:
        case CampaignStatus.ACTIVE:
            found = _active(facts, now)
        case CampaignStatus.STOPPED | CampaignStatus.COMPLETED:
            found = _ended(facts)
        case _:
            found = _idle(facts)
    unknown = facts.numbers.unknown
    if unknown and not any(cause.kind is Kind.UNKNOWN_ONLY for cause in found):
        found.append(Cause(Kind.UNKNOWN, people=unknown))
    return found


def _idle(facts: Facts) -> list[Cause]:
    numbers = facts.numbers
    missing = [] if facts.served else [Cause(Kind.NO_SENDER, detail=facts.caller_id)]
    match facts.status:
        case CampaignStatus.PAUSED:
            return [Cause(Kind.PAUSED_BY_PERSON, people=numbers.held + numbers.ready)]
        case CampaignStatus.SCHEDULED | CampaignStatus.RESCHEDULED:
            kind = Kind.NO_START_TO_COME if facts.next_at is None else Kind.SCHEDULED
            return [Cause(kind, until=facts.next_at), *missing]
        case CampaignStatus.READY if facts.contacts:
            return [
                *missing,
                Cause(Kind.READY_TO_START, people=facts.contacts, detail=wording.counted(facts.lists, "list")),
            ]
        case CampaignStatus.READY:
            return [Cause(Kind.EMPTY_LISTS), *missing]
        case _:
            return [Cause(Kind.PREPARING)]


def _ended(facts: Facts) -> list[Cause]:
    numbers = facts.numbers
    stopped = facts.status is CampaignStatus.STOPPED
    kind = Kind.STOPPED if stopped else Kind.FINISHED
    empty = "" if stopped or numbers.total else "its lists were empty"
    found = [Cause(kind, since=facts.ended_at, people=numbers.expired if stopped else numbers.sent, detail=empty)]
    if numbers.submitting:
        found.append(Cause(Kind.BEING_STOPPED, people=numbers.submitting))
    if numbers.unknown and not numbers.submitting:
        found.append(Cause(Kind.UNKNOWN_ONLY, people=numbers.unknown))
    return found


def _active(facts: Facts, now: datetime) -> list[Cause]:
    if facts.gate_closing:
        return [Cause(Kind.BEING_STOPPED, people=facts.numbers.submitting)]
    if not facts.left and facts.planned:
        if facts.talks:
            return [Cause(Kind.TALKING, people=facts.talks)]
        unknown = facts.numbers.unknown
        return [Cause(Kind.UNKNOWN_ONLY, people=unknown) if unknown else Cause(Kind.FINISHING)]
    blocks, all_blocked = _blocks(facts, now)
    planning = [] if facts.planned else [Cause(Kind.PLANNING, people=facts.unread, detail=_so_far(facts))]
    waits = _waits(facts, now)
    if all_blocked and (facts.numbers.ready or not facts.planned):
        return [*blocks, *planning, *waits]
    return [*_moving(facts, now, stuck=all_blocked), *planning, *waits, *blocks]


def _so_far(facts: Facts) -> str:
    return f"{facts.numbers.total:,} of up to {facts.audience:,}"


def _moving(facts: Facts, now: datetime, *, stuck: bool) -> list[Cause]:
    ready = facts.numbers.ready
    if stuck or not (ready or facts.numbers.submitting):
        return []
    if facts.rate is None or not ready:
        return [Cause(Kind.SENDING, people=ready + facts.numbers.submitting, detail=_rate(facts))]
    until = now + timedelta(seconds=min(ready / facts.rate, timedelta(days=3650).total_seconds()))
    return [Cause(Kind.WAITING_TOKENS, until=until, people=ready, detail=_rate(facts))]


def _rate(facts: Facts) -> str:
    return "" if facts.rate is None else f"{facts.rate:g}"


def _blocks(facts: Facts, now: datetime) -> tuple[list[Cause], bool]:
    """What keeps senders from sending, and whether it keeps all of them."""
    found: list[Cause] = []
    blocked = 0
    waited_for = facts.started_at is not None and now - facts.started_at >= NOTICE
    unattended = [sender for sender in facts.through if not (sender.gone or sender.lane_held)]
    for sender in facts.through:
        cause = _block(sender)
        if cause is not None:
            blocked += 1
            if cause not in found:
                found.append(cause)
    if not facts.through:
        return [Cause(Kind.NO_SENDER, detail=facts.caller_id)], True
    if waited_for and len(unattended) == len(facts.through):
        if not found:
            found.append(Cause(Kind.NO_WORKER, people=facts.left, since=facts.started_at))
        return found, True
    return found, blocked == len(facts.through)


def _block(sender: Through) -> Cause | None:
    """What keeps one sender from sending, if anything does."""
    if sender.gone:
        return Cause(Kind.NO_SENDER, detail=sender.address)
    if sender.panic_at is not None:
        return Cause(Kind.PANIC, since=sender.panic_at, detail=sender.panic_words)
    if sender.paused_at is not None:
        detail = f"{sender.account}: {sender.paused_reason}" if sender.paused_reason else sender.account
        return Cause(Kind.CARRIER_PAUSED, since=sender.paused_at, detail=detail)
    if sender.down_since is not None:
        detail = f"{sender.account}: {sender.words}" if sender.words else sender.account
        return Cause(Kind.CARRIER_DOWN, since=sender.down_since, until=sender.next_try_at, detail=detail)
    return None


def _waits(facts: Facts, now: datetime) -> list[Cause]:
    found = [_wait(facts, wait, now) for wait in facts.waits]
    more = facts.numbers.held - sum(wait.people for wait in facts.waits)
    return [*found, Cause(Kind.HELD_LATER, people=more)] if more > 0 else found


def _wait(facts: Facts, wait: Wait, now: datetime) -> Cause:
    """What these people wait for."""
    rules = quiet.in_force(facts.quiet_hours)
    called = _is_called(facts, wait, now)
    quiet_now = [law for law in wait.laws if not timing.is_lawful(rules, law, now)]
    last = [law for law in quiet_now if not timing.is_lawful(rules, law, wait.due_at - MOMENT)]
    if wait.day_used:
        kind = Kind.DAY_USED
    elif called and not quiet_now:
        kind = Kind.RETRYING_FROM  # hours are no reason: a temporary refusal was
    elif called or last:  # whichever of the two opens last is what they wait for
        kind = Kind.QUIET_HOURS
    else:
        kind = Kind.CLOSED_HOURS
    if kind is not Kind.QUIET_HOURS:
        return Cause(kind, until=wait.due_at, people=wait.people, zone=wait.zone)
    found = last or quiet_now
    zone = timing.BETWEEN.join(place.from_key(found[0]).zones)
    names = list(dict.fromkeys(timing.closest(rules, law) for law in found))
    return Cause(kind, until=wait.due_at, people=wait.people, zone=zone, detail=wording.first_of(names))


def _is_called(facts: Facts, wait: Wait, now: datetime) -> bool:
    """Whether the calling hours are open."""
    try:
        return timing.is_called(hours.parse(facts.calling_hours), wait.zone, now)
    except Invalid:
        return False
