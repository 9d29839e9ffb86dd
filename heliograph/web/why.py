"""Why a campaign stands where it stands, in a sentence: what it waits for, until when, and for how many people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import hours, wording
from heliograph.rules.campaign import CampaignStatus

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.overview import Standing, Wait

NOTICE = timedelta(seconds=5)  # a worker finds a run that was just started within a second or two


_ENDED = {CampaignStatus.STOPPED: "Stopped", CampaignStatus.COMPLETED: "Finished"}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to be shown in ``zone``; None: in the reader's own, and in UTC where no script runs."""

    at: datetime
    zone: str | None = None

    @property
    def iso(self) -> str:
        """For machines."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Why:
    """Pieces that make the sentence when put side by side. ``alarm``: what somebody should look at, if anything."""

    pieces: tuple[str | Moment, ...]
    alarm: str = ""


def explain(standing: Standing, now: datetime) -> Why:
    """Why the campaign is where it is, as far as its numbers tell."""
    if standing.status is CampaignStatus.ACTIVE:
        pieces = _active(standing, now)
    elif standing.status in _ENDED:
        pieces = _ended(_ENDED[standing.status], standing)
    else:
        pieces = _idle(standing)
    return Why(tuple(pieces), " ".join(_alarms(standing, now)))


def _alarms(standing: Standing, now: datetime) -> list[str]:
    alarms: list[str] = []
    if _unattended(standing, now):
        alarms.append("No worker is sending it. Start one: heliograph work")
    unknown = standing.ledger.unknown
    if unknown:
        alarms.append(f"{wording.people(unknown)} unknown: a text may have reached them; none is sent again.")
    return alarms


def _unattended(standing: Standing, now: datetime) -> bool:
    """Active, with something left to do, and no worker at it."""
    if standing.status is not CampaignStatus.ACTIVE or standing.lane_held or standing.started_at is None:
        return False
    left = standing.ledger.total - standing.ledger.settled + standing.unread
    return left > 0 and now - standing.started_at >= NOTICE


def _idle(standing: Standing) -> list[str | Moment]:
    match standing.status:
        case CampaignStatus.PAUSED:
            waiting = standing.ledger.held + standing.ledger.ready
            return [f"Held by a person, with {wording.people(waiting)} waiting until it is resumed."]
        case CampaignStatus.SCHEDULED | CampaignStatus.RESCHEDULED if standing.next_at is not None:
            return ["Starts by itself ", Moment(standing.next_at), "."]
        case CampaignStatus.SCHEDULED | CampaignStatus.RESCHEDULED:
            return ["Scheduled, with no start to come."]
        case CampaignStatus.READY:
            lists = wording.counted(len(standing.list_names), "list")
            contacts = wording.counted(standing.contacts, "contact")
            return [f"Ready to start: {contacts} on {lists}." if standing.contacts else "Its lists are empty."]
        case _:
            return ["Being made ready; it cannot be started yet."]


def _active(standing: Standing, now: datetime) -> list[str | Moment]:
    ledger = standing.ledger
    pieces: list[str | Moment] = []
    if not standing.planned:
        pieces.append(f"Reading its lists: {ledger.total:,} of up to {standing.audience:,} people so far. ")
    if (ledger.ready or ledger.submitting) and not _unattended(standing, now):
        rate = standing.parts_per_second
        pieces.append(
            f"Sending, at most {rate:g} parts a second. " if rate else "Sending as fast as the carrier takes. "
        )
    if ledger.held:
        pieces += _held(standing, now)
    if not pieces and ledger.settled == ledger.total:
        pieces.append("Everybody is settled; finishing.")
    return pieces


def _held(standing: Standing, now: datetime) -> list[str | Moment]:
    """``Closed until Mon 09:00 Asia/Kolkata for 1,204 people; until ... for ...``."""
    pieces: list[str | Moment] = []
    told, before = 0, ""
    for wait in standing.waits:
        how = _how(standing, wait, now)
        short = f"; {how.rsplit(maxsplit=1)[-1]} " if how == before else f"; {how}"
        pieces += [short if before else how.capitalize(), Moment(wait.due_at, wait.zone)]
        pieces.append(f" for {wording.people(wait.people)}")
        told, before = told + wait.people, how
    if standing.ledger.held > told:
        pieces.append(f"; later for {standing.ledger.held - told:,} more")
    return [*pieces, "."]


def _how(standing: Standing, wait: Wait, now: datetime) -> str:
    """What these people wait for; the instant follows."""
    if wait.day_used:
        return "the sender's day is used up until "
    return "to be tried again from " if _open_now(standing, wait, now) else "closed until "


def _open_now(standing: Standing, wait: Wait, now: datetime) -> bool:
    """Whether hours are no reason to wait: then a temporary refusal was."""
    try:
        return hours.is_open(hours.parse(standing.calling_hours), wait.zone, now)
    except Invalid:
        return False


def _ended(how: str, standing: Standing) -> list[str | Moment]:
    ledger = standing.ledger
    if standing.ended_at is None:
        return [f"{how} before it was ever started."]
    pieces: list[str | Moment] = [f"{how} ", Moment(standing.ended_at)]
    if standing.status is CampaignStatus.STOPPED:
        pieces.append(f"; {wording.people(ledger.expired)} {wording.were(ledger.expired)} not texted.")
    elif ledger.total == 0:
        pieces.append("; its lists were empty.")
    else:
        pieces.append(f"; {wording.people(ledger.sent)} texted.")
    if ledger.submitting:
        pieces.append(f" {ledger.submitting:,} had left already; their answers are awaited.")
    return pieces
