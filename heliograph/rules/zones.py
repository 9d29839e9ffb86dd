"""Time zones: which names are real, and when their clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_NAME = 64  # the tz database's own longest has 32 letters

# Steps over which a clock is compared with itself to find where it jumps: no two jumps of any zone have
# been closer than days since 1995, nor are in the years the database foretells.
_STEP = timedelta(hours=6)
_STEPS_A_DAY = 4


def zone(name: object) -> str | None:
    """The tz database's own spelling of ``name``, or None when it names no zone.

    Letters are taken in any case. Only names on the database's list count, so no path, folder,
    ``localtime`` or ``Factory`` passes. Old names (``Asia/Calcutta``) are on the list and stay as they are.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return None
    return _names().get(name.strip().casefold())


def names() -> list[str]:
    """Every name that :func:`zone` knows, as the database spells it, to choose from."""
    return sorted(_names().values())


def clock(name: str) -> ZoneInfo | None:
    """The clock of the zone called ``name``, or None when there is no such zone."""
    found = zone(name)
    return None if found is None else _load(found)


def instant(clock: ZoneInfo, local: datetime) -> datetime:
    """The instant (UTC) at which ``clock`` first shows ``local``, which has no zone of its own.

    When it skips that time: the first instant after the gap.
    """
    found = local.replace(tzinfo=clock, fold=0).astimezone(UTC)
    if found.astimezone(clock).replace(tzinfo=None, fold=0) == local:
        return found
    # In a gap the two folds stand on either side of it (PEP 495).
    before = local.replace(tzinfo=clock, fold=1).astimezone(UTC)
    return _jump(clock, before, found)


def steady(clock: ZoneInfo, since: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Stretches from ``since`` (UTC) on, in order and without gaps, in each of which the clock does not jump.

    They end with the last of ``days`` UTC days, today's being the first.
    """
    begin = since
    today = since.toordinal()
    for day in range(today, today + days):
        for until in _breaks(clock, day):
            if until > begin:
                yield begin, until
                begin = until


@lru_cache(maxsize=8192)
def _breaks(clock: ZoneInfo, day: int) -> tuple[datetime, ...]:
    """The instants of the UTC day with ordinal ``day`` at which the clock jumps, and the end of that day."""
    begin = datetime.fromordinal(day).replace(tzinfo=UTC)
    found: list[datetime] = []
    for step in range(_STEPS_A_DAY):
        low = begin + step * _STEP
        high = low + _STEP
        if _offset(clock, low) != _offset(clock, high):
            found.append(_jump(clock, low, high))
    end = begin + _STEPS_A_DAY * _STEP
    if end not in found:
        found.append(end)
    return tuple(found)


def _jump(clock: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second after ``low`` and up to ``high`` from which the clock has the offset it has at ``high``."""
    old = _offset(clock, low)
    apart = round((high - low).total_seconds())
    while apart > 1:
        middle = low + timedelta(seconds=apart // 2)
        if _offset(clock, middle) == old:
            low = middle
        else:
            high = middle
        apart = round((high - low).total_seconds())
    return high


def _offset(clock: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(clock).utcoffset()


@cache  # as many as there are zones; zoneinfo's own cache keeps only eight for sure
def _load(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _names() -> dict[str, str]:
    """Every zone of the tz database by its name in small letters."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names if name != "Factory"}  # "Factory" stands for "not set"
