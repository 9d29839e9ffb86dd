"""What may be done about a message of which nobody can say whether it has left.

It is settled by evidence, or by a person who takes the risk upon them; never by ourselves sending it again. The
evidence is a receipt, an answer that came late, or what the carrier says when it is asked. A carrier that says for
certain that it never got the text makes it one that has not left: it waits for its turn again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from heliograph.errors import Invalid
from heliograph.rules import body as reading

LONGEST_NOTE = 500

CERTAIN_AFTER = timedelta(seconds=15)
"""How long a message has to have been unknown before "it never came" is believed.

A carrier's own list may lag behind, and a worker that stood still in the middle of a batch gives up its bytes after
five seconds (engine/batch.py): from then on nothing of it can still arrive.
"""

ASK_AGAIN = (20.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0)
"""Seconds from each time that we ask by ourselves to the next. Then it is for a person: no carrier tells after a day
what it has not told before."""


class Kind(StrEnum):
    """What can be decided."""

    ASK = "ask"  # the carrier, now
    WAIT = "wait"  # for a receipt until a time
    ACCEPT = "accept"  # take it for sent
    RESEND = "resend"  # send it again, though that may be a second text


def ask_again(tries: int, now: datetime) -> datetime | None:
    """When to ask again after the ``tries``-th time without news; None: not by ourselves."""
    return now + timedelta(seconds=ASK_AGAIN[tries - 1]) if tries <= len(ASK_AGAIN) else None


def believed_absent(since: datetime, now: datetime) -> bool:
    """Whether a carrier's "it never came" settles a message that is unknown ``since`` then."""
    return now - since >= CERTAIN_AFTER


def note(value: object) -> str:
    """Why somebody decided so: their words, or none."""
    return "" if value is None else reading.text(value, "note", longest=LONGEST_NOTE).strip()


def until(value: object, now: datetime) -> datetime:
    """The time until which a receipt is waited for, as ISO 8601 with a zone. Raises :class:`Invalid`."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found <= now:
        text = f"until is {reading.shown(value)}. It takes a time to come, with its zone, such as 2031-01-01T09:00:00Z"
        raise Invalid(text, field="until")
    return found
