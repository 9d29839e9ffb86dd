"""How many parts a sender may send in a day, and when its next day begins.

A day is one of the calendar in the sender's own zone: carriers that cap a day reset it at some midnight (T-Mobile
USA at that of the Pacific). Every part handed to the carrier counts, whatever the carrier answers.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from heliograph.rules import zones

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo


def day_of(now: datetime, zone: str) -> date:
    """The day that ``now`` belongs to in ``zone``."""
    return now.astimezone(_clock(zone)).date()


def next_day(now: datetime, zone: str) -> datetime:
    """The first instant (UTC) of the day after that of ``now`` in ``zone``, also where a clock jumps at midnight."""
    clock = _clock(zone)
    tomorrow = now.astimezone(clock).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time.min)
    begins = zones.instant(clock, midnight)
    # A clock set back just after midnight shows it twice: then the second time is meant.
    return begins if begins > now else midnight.replace(tzinfo=clock, fold=1).astimezone(UTC)


def room(limit: int | None, used: int, parts: int) -> int | None:
    """How many parts may leave today when ``used`` have and the next text has ``parts``; None without a limit.

    0 when that text does not fit: what is left then stays unused, as texts go in their order. One of more parts than
    the limit leaves on a day on which nothing else has: it would never leave otherwise.
    """
    if limit is None:
        return None
    if not used:
        return max(limit, parts)
    return limit - used if used + parts <= limit else 0


def _clock(zone: str) -> ZoneInfo:
    found = zones.clock(zone)
    if found is None:
        raise ValueError(f"{zone!r} is no time zone")  # it was checked when it was stored
    return found
