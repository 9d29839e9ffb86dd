"""What can become of one message to one person."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MessageStatus(IntEnum):
    """States in lifecycle order, so that ``<`` is the whole rule for late, duplicate and stale receipts.

    At every instant a run's ``total`` is the sum of its people over these nine.
    """

    HELD = 1  # waits for a time that has not come: outside its hours, to be tried again later, its sender's next day
    READY = 2  # may leave now; waits only for its sender's rate and its turn
    SUBMITTING = 3  # its bytes may be on their way; the carrier has not answered
    UNKNOWN = 4  # a crash or a silent carrier left its fate open; never re-sent without a person's word
    ACCEPTED = 5  # the carrier took it; a receipt may still come
    FAILED = 6  # the carrier or the network refused it for good
    DELIVERED = 7  # the handset confirmed it
    SUPPRESSED = 8  # this person may not be texted; the reason says why
    EXPIRED = 9  # its run ended, or its time passed, before its turn came

    @property
    def word(self) -> str:
        """The status as people and the database write it."""
        return self.name.lower()


WAITING = frozenset({MessageStatus.HELD, MessageStatus.READY})
UNSETTLED = WAITING | {MessageStatus.SUBMITTING}


def parse(word: str) -> MessageStatus:
    """The status that ``word`` (lower case, as stored) names."""
    return MessageStatus[word.upper()]


def moves_forward(old: MessageStatus, new: MessageStatus) -> bool:
    """Whether a receipt that says ``new`` is news for a message at ``old``.

    Only a message that has left can move: a late, repeated or stale receipt changes nothing.
    """
    return MessageStatus.SUBMITTING <= old < new <= MessageStatus.DELIVERED


def of_parts(parts: Iterable[MessageStatus]) -> MessageStatus:
    """What receipts of its parts, each ACCEPTED, FAILED or DELIVERED, make of a text of several.

    Delivered when every part is; failed when any has failed, for then the person has not got the text.
    """
    there = set(parts)
    if MessageStatus.FAILED in there:
        return MessageStatus.FAILED
    return MessageStatus.DELIVERED if there == {MessageStatus.DELIVERED} else MessageStatus.ACCEPTED


def standing(*, outcome: str | None, taken: bool, due: bool, ended: bool) -> tuple[MessageStatus, str]:
    """Where a message stands and, when its row does not say, why.

    ``outcome``: the status of its outcome, if it has one. ``taken``: its chunk's cursor has passed it.
    ``due``: its time has come. ``ended``: its run has ended.
    """
    if outcome is not None:
        return parse(outcome), ""
    if taken:
        return MessageStatus.SUBMITTING, ""
    if ended:
        return MessageStatus.EXPIRED, "stopped"
    if due:
        return MessageStatus.READY, ""
    return MessageStatus.HELD, "outside its hours, to be tried again, or its sender's day is used up"
