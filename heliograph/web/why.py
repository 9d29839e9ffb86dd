"""Why a campaign stands where it stands, as the console shows it: the sentences, and what somebody should look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.rules import why, why_words
from heliograph.rules.why_words import Moment as Moment

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.overview import Standing


@dataclass(frozen=True, slots=True)
class Why:
    """Pieces that make the sentences when put side by side. ``alarm``: what somebody should look at, if anything."""

    pieces: tuple[str | Moment, ...]
    alarm: tuple[str | Moment, ...] = ()


def explain(standing: Standing, now: datetime) -> Why:
    """Why the campaign is where it is, as far as its numbers tell."""
    found = why.causes(standing.facts, now)
    return Why(tuple(why_words.tell(found, alarms=False)), tuple(why_words.tell(found, alarms=True)))
