"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from heliograph.rules import zones

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN_A_WEEK = timedelta(days=6)


def counted(number: int, noun: str) -> str:
    """``1 list``, ``1,204 lists``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def people(number: int) -> str:
    """``nobody``, ``1 person``, ``1,204 people``."""
    if number == 0:
        return "nobody"
    return "1 person" if number == 1 else f"{number:,} people"


def were(number: int) -> str:
    """The verb that goes with :func:`people`."""
    return "were" if number > 1 else "was"


def are(number: int) -> str:
    """The verb that goes with :func:`people`, in the present."""
    return "are" if number > 1 else "is"


def percent(part: int, whole: int) -> int:
    """Whole percents, rounded down: 100 only when all is done."""
    return 100 * part // whole if whole else 0


def zone_names(zone: str) -> str:
    """``America/Chicago and 1 more`` for several zones with commas between them."""
    return first_of(zone.split(","))


def first_of(names: Sequence[str]) -> str:
    """``Florida and 2 more``."""
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


def moment(at: datetime, zone: str | None, now: datetime) -> str:
    """``Mon 09:00 Asia/Kolkata``, with the date when it is no day of the coming week. ``zone`` None: UTC.

    Of several zones, with commas between them, it is told in the first.
    """
    told, zone = zone, None if zone is None else zone.partition(",")[0]
    clock = (zones.clock(zone) if zone else None) or UTC
    local = at.astimezone(clock)
    near = timedelta(0) <= at - now <= WITHIN_A_WEEK
    name = zone_names(told) if told and clock is not UTC else "UTC"
    if near:
        return f"{local:%a %H:%M} {name}"
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M} {name}"
