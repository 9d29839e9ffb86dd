"""How long an app keeps what is about people. JSON in ``app_setting.retention``; what is not in it: for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FIELD = "retention"
LONGEST = 3650
LEAST = {"textsDays": 1, "peopleDays": 1, "conversationsDays": 1, "auditDays": 90}
"""What can be decided, each with the fewest days it takes: whoever could empty the audit at once could hide in it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How many days an app keeps what; None: for ever.

    ``texts``: what texts of ended runs said; ``people``: whom they went to, and what they said; both from the end of
    their run on, or, of one-off texts, from when they were settled. ``conversations``: what people wrote, conversations
    that are closed, and what flows kept of them. ``audit``: who did what in the app.
    """

    texts: int | None = None
    people: int | None = None
    conversations: int | None = None
    audit: int | None = None

    @property
    def for_ever(self) -> bool:
        """Whether nothing is ever removed."""
        return self == Terms()


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is older than this is removed; None: nothing."""

    texts: datetime | None
    people: datetime | None
    conversations: datetime | None
    audit: datetime | None


def setting(sent: object, before: str | None) -> str | None:
    """What is to be kept once ``sent`` has changed ``before``; what is left out stays, null is for ever.

    Raises :class:`Invalid` naming the field at fault.
    """
    kept: dict[str, object] = json.loads(before) if before else {}
    for name, value in body.mapping(sent, FIELD).items():
        if name not in LEAST:
            raise Invalid(f"There is no setting {FIELD}.{name}; there is: {', '.join(LEAST)}", field=f"{FIELD}.{name}")
        if value is None:
            kept.pop(name, None)
        elif isinstance(value, bool) or not isinstance(value, int) or not LEAST[name] <= value <= LONGEST:
            text = (
                f"{FIELD}.{name} is {body.shown(value)}. It takes days, {LEAST[name]} to {LONGEST}, or null: for ever"
            )
            raise Invalid(text, field=f"{FIELD}.{name}")
        else:
            kept[name] = value
    return json.dumps(kept) if kept else None


@lru_cache(maxsize=64)
def read(kept: str | None) -> Terms:
    """The terms from what is kept."""
    found = cast("Mapping[str, int]", json.loads(kept) if kept else {})
    days = [found.get(name) for name in LEAST]
    return Terms(*days)


def told(kept: str | None) -> dict[str, int | None]:
    """The terms as they are told and sent: all of them."""
    found: Mapping[str, int] = json.loads(kept) if kept else {}
    return {name: found.get(name) for name in LEAST}


def cutoffs(terms: Terms, now: datetime) -> Cutoffs:
    """What has been kept for long enough at ``now``."""
    days = (terms.texts, terms.people, terms.conversations, terms.audit)
    return Cutoffs(*(None if each is None else now - timedelta(days=each) for each in days))
