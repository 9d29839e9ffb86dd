"""What an app decides about conversations, and what can become of what somebody wrote.

Kept as JSON in ``app_setting.conversations``: what is not in it is as it is shipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, wording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FIELD = "conversations"
SECOND = ("newest", "queue")
MOST_MINUTES = 24 * 60
MOST_PER_HOUR = 1000
LONGEST_NAME = 100
_NUMBERS = {"answerMinutes": (1, MOST_MINUTES), "answersPerHour": (1, MOST_PER_HOUR)}
_NAMES = ("secondSession", *_NUMBERS, "webhookSecret")


class Became(StrEnum):
    """What became of a reply."""

    FLOW = "flow"  # a session heard it, or began with it
    KEPT = "kept"  # a session hears it at its next wait, unless something newer is written before
    UNWAITED = "unwaited"  # the session did not wait for an answer: it changed nothing
    CONSENT = "consent"  # it says no, yes or help, or perhaps no: that comes before every flow
    MACHINE = "machine"  # a machine wrote it: it is not answered
    TOO_MANY = "too_many"  # the person has had as many answers in an hour as they may: it is not answered
    INBOX = "inbox"  # no session, and no flow for whoever has none


@dataclass(frozen=True, slots=True)
class Settings:
    """An app's decisions.

    ``queue``: a campaign's first text waits until the person's session on that address is over; else the newest
    session takes the place of the one before. ``answer_window``: for so long a text counts as the answer to what its
    person wrote, for which no hours are kept. ``per_hour``: what one person writes is answered so often in an hour.
    ``secret``: the name of the app's secret that calls of services are signed with; "": they are not.
    """

    queue: bool
    answer_window: timedelta
    per_hour: int
    secret: str


def setting(sent: object, before: str | None) -> str:
    """What is to be kept once ``sent`` has changed ``before``; what is left out stays. Raises :class:`Invalid`."""
    kept: dict[str, object] = json.loads(before) if before else {}
    for name, value in body.mapping(sent, FIELD).items():
        if name not in _NAMES:
            text = f"There is no setting {FIELD}.{name}; there is: {', '.join(_NAMES)}"
            raise Invalid(text, field=f"{FIELD}.{name}")
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = _checked(name, value)
    return json.dumps(kept, ensure_ascii=False)


def standing(state: str, address: str, until: datetime | None, now: datetime) -> str:
    """Where somebody's conversation stands, in a sentence. ``until``: when it is looked at if nothing happens."""
    when = "" if until is None else f" until {wording.moment(until, None, now)} at least"
    waits = {
        "opening": "begins when its first text has left",
        "answer": f"waits for their answer{when}",
        "time": f"goes on after a while: it waits{when}",
        "call": "waits for a service that it asks",
    }
    return f"A conversation from {address} {waits.get(state, 'is ending')}."


def _checked(name: str, value: object) -> object:
    if name == "secondSession" and value not in SECOND:
        _refuse(name, value, "newest, or queue: a campaign's first text waits until the session before is over")
    if name in _NUMBERS:
        low, high = _NUMBERS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            _refuse(name, value, f"a whole number from {low} to {high}")
    if name == "webhookSecret":
        return body.text(value, f"{FIELD}.{name}", longest=LONGEST_NAME)
    return value


def _refuse(name: str, value: object, accepted: str) -> None:
    raise Invalid(f"{FIELD}.{name} is {body.shown(value)}. It takes {accepted}", field=f"{FIELD}.{name}")


@lru_cache(maxsize=64)
def read(kept: str | None) -> Settings:
    """The settings from what is kept; None: as they are shipped."""
    found: Mapping[str, object] = json.loads(kept) if kept else {}
    return Settings(
        queue=found.get("secondSession", "newest") == "queue",
        answer_window=timedelta(minutes=cast("int", found.get("answerMinutes", 15))),
        per_hour=cast("int", found.get("answersPerHour", 30)),
        secret=cast("str", found.get("webhookSecret", "")),
    )


def told(kept: str | None) -> dict[str, object]:
    """The settings as they are told and sent: all of them."""
    now = read(kept)
    return {
        "secondSession": "queue" if now.queue else "newest",
        "answerMinutes": now.answer_window // timedelta(minutes=1),
        "answersPerHour": now.per_hour,
        "webhookSecret": now.secret,
    }
