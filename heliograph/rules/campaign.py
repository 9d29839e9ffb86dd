"""The lifecycle of a campaign, as one table."""

from __future__ import annotations

from enum import StrEnum

from heliograph.errors import IllegalMove


class CampaignStatus(StrEnum):
    """The vendor's words for where a campaign stands."""

    PREPARING = "Preparing"  # being made ready; cannot be played yet
    READY = "Ready"  # never played, or its schedule was taken off
    SCHEDULED = "Scheduled"  # will play by itself at a time
    RESCHEDULED = "Rescheduled"  # scheduled again after an edit
    ACTIVE = "Active"  # a run is under way
    PAUSED = "Paused"  # a run is under way and held by a person
    STOPPED = "Stopped"  # its last run was ended by a person
    COMPLETED = "Completed"  # its last run has nobody left to text


class Verb(StrEnum):
    """What can be done to a campaign that changes its status."""

    PLAY = "play"
    RETRY = "retry"  # play over those of an earlier run with whom it failed
    EMERGENCY = "emergency"  # play at once, whatever the schedule and the hours say, before all others
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    COMPLETE = "complete"
    SCHEDULE = "enabling the schedule"
    UNSCHEDULE = "disabling the schedule"
    START = "a scheduled start"  # its time has come
    RECUR = "waiting for the next start"  # as COMPLETE, when its schedule has another one
    EDIT = "edit"
    DELETE = "delete"


_S = CampaignStatus

MOVES: dict[tuple[CampaignStatus, Verb], CampaignStatus] = {
    (_S.READY, Verb.PLAY): _S.ACTIVE,
    (_S.STOPPED, Verb.PLAY): _S.ACTIVE,
    (_S.COMPLETED, Verb.PLAY): _S.ACTIVE,
    (_S.READY, Verb.RETRY): _S.ACTIVE,
    (_S.STOPPED, Verb.RETRY): _S.ACTIVE,
    (_S.COMPLETED, Verb.RETRY): _S.ACTIVE,
    # An Active campaign has to be stopped first, a Paused one can only be resumed as what it is.
    (_S.READY, Verb.EMERGENCY): _S.ACTIVE,
    (_S.STOPPED, Verb.EMERGENCY): _S.ACTIVE,
    (_S.COMPLETED, Verb.EMERGENCY): _S.ACTIVE,
    (_S.SCHEDULED, Verb.EMERGENCY): _S.ACTIVE,
    (_S.RESCHEDULED, Verb.EMERGENCY): _S.ACTIVE,
    (_S.ACTIVE, Verb.PAUSE): _S.PAUSED,
    (_S.PAUSED, Verb.RESUME): _S.ACTIVE,
    (_S.ACTIVE, Verb.STOP): _S.STOPPED,
    (_S.PAUSED, Verb.STOP): _S.STOPPED,
    (_S.SCHEDULED, Verb.STOP): _S.STOPPED,
    (_S.RESCHEDULED, Verb.STOP): _S.STOPPED,
    (_S.ACTIVE, Verb.COMPLETE): _S.COMPLETED,
    # Ready, Stopped and Completed are scheduled; what is scheduled already is scheduled anew. While a run is
    # under way there is nothing to wait for, so its schedule is set when it is over.
    (_S.READY, Verb.SCHEDULE): _S.SCHEDULED,
    (_S.STOPPED, Verb.SCHEDULE): _S.SCHEDULED,
    (_S.COMPLETED, Verb.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, Verb.SCHEDULE): _S.RESCHEDULED,
    (_S.RESCHEDULED, Verb.SCHEDULE): _S.RESCHEDULED,
    (_S.SCHEDULED, Verb.START): _S.ACTIVE,
    (_S.RESCHEDULED, Verb.START): _S.ACTIVE,
    (_S.ACTIVE, Verb.RECUR): _S.SCHEDULED,
    # Disabling is allowed everywhere, so that saying it twice does no harm; a run under way goes on and is the last.
    (_S.SCHEDULED, Verb.UNSCHEDULE): _S.READY,
    (_S.RESCHEDULED, Verb.UNSCHEDULE): _S.READY,
    (_S.PREPARING, Verb.UNSCHEDULE): _S.PREPARING,
    (_S.READY, Verb.UNSCHEDULE): _S.READY,
    (_S.ACTIVE, Verb.UNSCHEDULE): _S.ACTIVE,
    (_S.PAUSED, Verb.UNSCHEDULE): _S.PAUSED,
    (_S.STOPPED, Verb.UNSCHEDULE): _S.STOPPED,
    (_S.COMPLETED, Verb.UNSCHEDULE): _S.COMPLETED,
    (_S.PREPARING, Verb.EDIT): _S.PREPARING,
    (_S.READY, Verb.EDIT): _S.READY,
    (_S.STOPPED, Verb.EDIT): _S.STOPPED,
    (_S.COMPLETED, Verb.EDIT): _S.COMPLETED,
    (_S.PAUSED, Verb.EDIT): _S.PAUSED,
    (_S.SCHEDULED, Verb.EDIT): _S.RESCHEDULED,
    (_S.RESCHEDULED, Verb.EDIT): _S.RESCHEDULED,
    # Deleting is allowed everywhere; of a campaign that could still send it is a stop first.
    (_S.PREPARING, Verb.DELETE): _S.PREPARING,
    (_S.READY, Verb.DELETE): _S.READY,
    (_S.STOPPED, Verb.DELETE): _S.STOPPED,
    (_S.COMPLETED, Verb.DELETE): _S.COMPLETED,
    (_S.ACTIVE, Verb.DELETE): _S.STOPPED,
    (_S.PAUSED, Verb.DELETE): _S.STOPPED,
    (_S.SCHEDULED, Verb.DELETE): _S.STOPPED,
    (_S.RESCHEDULED, Verb.DELETE): _S.STOPPED,
}

UNDER_WAY = frozenset({_S.ACTIVE, _S.PAUSED})
WAITING = frozenset({_S.SCHEDULED, _S.RESCHEDULED})  # for the time to start by itself


def after(status: CampaignStatus, verb: Verb, *, name: str) -> CampaignStatus:
    """The status that ``verb`` leads to from ``status``.

    Raises :class:`IllegalMove`, naming the campaign, its status and the statuses the verb is allowed from.
    """
    found = MOVES.get((status, verb))
    if found is not None:
        return found
    allowed = ", ".join(s.value for s, v in MOVES if v is verb)
    text = f"Campaign {name} is {status.value}, and {verb.value} is possible only when it is: {allowed}"
    raise IllegalMove(text, field="status")
