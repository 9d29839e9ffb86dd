"""Why a campaign stands where it stands, in sentences: one source of them for the console, the API and the commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from heliograph.rules import wording
from heliograph.rules.why import ALARMING, Cause, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to be shown in ``zone``; None: in the reader's own, and in UTC where nobody knows that."""

    at: datetime
    zone: str | None = None

    @property
    def iso(self) -> str:
        """For machines."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Pieces = list[str | Moment]
"""What makes sentences when it is put side by side."""

_WAITS = {
    Kind.QUIET_HOURS: "quiet hours in {} until ",
    Kind.CLOSED_HOURS: "closed until ",
    Kind.DAY_USED: "the sender's day is used up until ",
    Kind.RETRYING_FROM: "to be tried again from ",
}

_SINCE = {
    Kind.PANIC: ("The panic button was pressed {} ", ": nothing leaves until it is released."),
    Kind.CARRIER_DOWN: ("The line of {} has been down since ", "."),
    Kind.CARRIER_PAUSED: ("Carrier account {} has been paused since ", "; resume it once that is put right."),
}


def tell(causes: Sequence[Cause], *, alarms: bool | None = None) -> Pieces:
    """Causes in sentences, in their order. ``alarms``: only those that somebody should look at, or only the others."""
    pieces: Pieces = []
    waits = [cause for cause in causes if cause.kind in _WAITS or cause.kind is Kind.HELD_LATER]
    for cause in causes:
        if alarms is not None and (cause.kind in ALARMING) is not alarms:
            continue
        said = _held(waits) if waits and cause is waits[0] else [] if cause in waits else _one(cause)
        pieces += [" ", *said] if pieces and said else said
    return pieces


def plain(pieces: Sequence[str | Moment], now: datetime) -> str:
    """Sentences as text."""
    return "".join(piece if isinstance(piece, str) else wording.moment(piece.at, piece.zone, now) for piece in pieces)


def sentence(cause: Cause, now: datetime) -> str:
    """One cause as text."""
    return plain(tell([cause]), now)


def _held(waits: Sequence[Cause]) -> Pieces:
    """``Closed until Mon 09:00 Asia/Kolkata for 1,204 people; until ... for ...``."""
    pieces: Pieces = []
    before = ""
    for wait in waits:
        if wait.kind is Kind.HELD_LATER or wait.until is None:
            more = f"{wait.people:,} more" if pieces else wording.people(wait.people)
            pieces.append(f"{'; later' if pieces else 'Held until later'} for {more}")
            continue
        how = _WAITS[wait.kind].format(wait.detail)
        short = f"; {how.rsplit(maxsplit=1)[-1]} " if how == before else f"; {how}"
        pieces += [short if before else how[0].upper() + how[1:], Moment(wait.until, wait.zone)]
        pieces.append(f" for {wording.people(wait.people)}")
        before = how
    return [*pieces, "."]


def _one(cause: Cause) -> Pieces:
    """The kinds that have a time in the middle; the others are in :func:`_fixed`."""
    if cause.kind in (Kind.STOPPED, Kind.FINISHED):
        return _ended(cause)
    if cause.since is not None and cause.kind in _SINCE:
        before, after = _SINCE[cause.kind]
        again: Pieces = [", next try ", Moment(cause.until)] if cause.until is not None else []
        return [before.format(cause.detail), Moment(cause.since), *again, after]
    if cause.until is not None and cause.kind is Kind.SCHEDULED:
        return ["Starts by itself ", Moment(cause.until), "."]
    if cause.until is not None and cause.kind is Kind.WAITING_TOKENS:
        people = wording.people(cause.people)
        text = f"Sending, at most {cause.detail} parts a second: {people} to come, until about "
        return [text, Moment(cause.until), "."]
    return [_fixed(cause, wording.people(cause.people))]


def _fixed(cause: Cause, people: str) -> str:
    texts = {
        Kind.PREPARING: "Being made ready; it cannot be started yet.",
        Kind.READY_TO_START: f"Ready to start: {wording.counted(cause.people, 'contact')} on {cause.detail}.",
        Kind.EMPTY_LISTS: "Its lists are empty.",
        Kind.NO_START_TO_COME: "Scheduled, with no start to come.",
        Kind.PAUSED_BY_PERSON: f"Held by a person, with {people} waiting until it is resumed.",
        Kind.BEING_STOPPED: f"Being stopped: {people} had left already; their answers are awaited."
        if cause.people
        else "Being stopped.",
        Kind.NO_SENDER: f"Sender {cause.detail} has no carrier.",
        Kind.NO_WORKER: "No worker is sending it. Start one: heliograph work",
        Kind.PLANNING: f"Reading its lists: {cause.detail} people so far.",
        Kind.SENDING: "Sending as fast as the carrier takes."
        if not cause.detail
        else f"Sending, at most {cause.detail} parts a second.",
        Kind.TALKING: f"Everybody is settled; {people} {wording.are(cause.people)} still in a conversation, "
        "until they answer or their time is over.",
        Kind.FINISHING: "Everybody is settled; finishing.",
        Kind.UNKNOWN: f"{people} unknown: a text may have reached them; none is sent again by itself.",
        Kind.UNKNOWN_ONLY: f"Nobody is left but {people} unknown: a text may have reached them; "
        "none is sent again by itself.",
    }
    return texts[cause.kind]


def _ended(cause: Cause) -> Pieces:
    how = "Stopped" if cause.kind is Kind.STOPPED else "Finished"
    if cause.since is None:
        return [f"{how} before it was ever started."]
    end = f"{wording.people(cause.people)} {wording.were(cause.people)} not texted"
    if cause.kind is Kind.FINISHED:
        end = cause.detail or f"{wording.people(cause.people)} texted"
    return [f"{how} ", Moment(cause.since), f"; {end}."]
