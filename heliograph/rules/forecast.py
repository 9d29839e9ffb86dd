"""When a run would be through: hours and law, the rate of its senders, and what they may send in a day.

A walk through time in steps of a quarter of an hour: in each, whoever is due and may be texted leaves, as many parts as
the senders take in that time, those who were due first before the others. Other campaigns are not reckoned with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.rules import daily, timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from heliograph.rules.hours import CallingHours
    from heliograph.rules.quiet import Law

STEP = timedelta(minutes=15)
HORIZON = timedelta(days=60)  # what is not through by then is said not to end


@dataclass(frozen=True, slots=True)
class Rate:
    """What senders take together; None is no limit."""

    parts_per_second: float | None
    parts_per_day: int | None
    day_zone: str = "UTC"


def together(limits: Sequence[tuple[float | None, int | None, str]]) -> Rate:
    """The senders of a run, ``(parts a second, parts a day, zone of the day)`` each, as one."""
    rates, days = [rate for rate, _, _ in limits], [day for _, day, _ in limits]
    return Rate(
        None if None in rates else sum(rate or 0 for rate in rates),
        None if None in days else sum(day or 0 for day in days),
        limits[0][2] if limits else "UTC",
    )


def ends(
    waiting: Mapping[tuple[datetime, str, str], int], rate: Rate, calling: CallingHours, rules: Law, now: datetime
) -> datetime | None:
    """When the last part leaves; None: never within 60 days, or there is none.

    ``waiting``: parts by due time, zone and law, as in :class:`heliograph.rules.audience.Planned`.
    """
    if not waiting:
        return None
    if rate.parts_per_second is None and rate.parts_per_day is None:
        return max(due for due, _, _ in waiting)
    left = dict(sorted(waiting.items(), key=lambda entry: entry[0][0]))
    moment = min(due for due, _, _ in left)
    used = Counter["date"]()
    while left and moment - now < HORIZON:
        day = daily.day_of(moment, rate.day_zone)
        room = _room(rate, used[day])
        took = room - _leave(left, room, moment, calling, rules)
        used[day] += int(took)
        if not left:
            seconds = 0.0 if rate.parts_per_second is None else took / rate.parts_per_second
            return moment + timedelta(seconds=seconds)
        moment = _next(left, moment)
    return None


def _room(rate: Rate, used: int) -> float:
    """The parts that may leave in a step."""
    by_rate = float("inf") if rate.parts_per_second is None else rate.parts_per_second * STEP.total_seconds()
    return by_rate if rate.parts_per_day is None else min(by_rate, max(0, rate.parts_per_day - used))


def _leave(
    left: dict[tuple[datetime, str, str], int], room: float, moment: datetime, calling: CallingHours, rules: Law
) -> float:
    """Let leave who may; the room that stays."""
    is_open: dict[tuple[str, str], bool] = {}
    for key in list(left):
        due, zone, law = key
        if due > moment or room <= 0:
            break
        if (zone, law) not in is_open:
            is_open[zone, law] = timing.is_open(calling, zone, rules, law, moment)
        if is_open[zone, law]:
            took = min(room, left[key])
            room -= took
            left[key] -= int(took)
            if left[key] <= 0:
                del left[key]
    return room


def _next(left: Mapping[tuple[datetime, str, str], int], moment: datetime) -> datetime:
    """The next step: a quarter of an hour later, or when somebody is due again."""
    return max(moment + STEP, min(due for due, _, _ in left))
