"""A run over time, drawn on the server: lines of an SVG, with their axis in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.progress import Slot

WIDTH, HEIGHT = 720, 180
KINDS = (("sent", "Submitted"), ("delivered", "Delivered"), ("failed", "Failed"), ("replies", "Replies"))
MOST = 400  # slots drawn
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of thing that happened: its points as SVG's polyline takes them, and how often it did in all."""

    kind: str
    word: str
    points: str
    whole: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A time below the chart, ``x`` percent from its left; ``word``: in UTC, for whoever has no script."""

    x: float
    at: datetime
    word: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: ``lines``, what a slot of ``each`` ("minute", ``seconds``) holds at most, times below, rows."""

    lines: tuple[Line, ...]
    top: int
    each: str
    seconds: int
    ticks: tuple[Tick, ...]
    rows: tuple[tuple[datetime, int, int, int, int], ...]
    every: int


def draw(slots: Sequence[Slot], every: int) -> Chart | None:
    """The chart of what happened; one in ``every`` people was looked at. None: nothing did."""
    if not slots:
        return None
    seconds = slots[0].seconds
    known = {slot.at: slot for slot in slots}
    first, last = slots[0].at, slots[-1].at
    count = min(MOST, int((last - first).total_seconds()) // seconds + 1)
    times = [first + timedelta(seconds=seconds * place) for place in range(-1, count + 1)]
    values = {kind: [getattr(known[at], kind) * every if at in known else 0 for at in times] for kind, _ in KINDS}
    top = _nice(max(max(row) for row in values.values()))
    step = WIDTH / (len(times) - 1)
    lines = tuple(
        Line(
            kind,
            word,
            " ".join(f"{step * x:.1f},{HEIGHT - HEIGHT * y / top:.1f}" for x, y in enumerate(values[kind])),
            sum(values[kind]),
        )
        for kind, word in KINDS
        if kind == "sent" or any(values[kind])
    )
    end = len(times) - 1
    ticks = _ticks([(round(100 * x / end, 2), times[x]) for x in sorted({0, end // 2, end})], seconds)
    rows = tuple(
        (slot.at, slot.sent * every, slot.delivered * every, slot.failed * every, slot.replies * every)
        for slot in slots
    )
    return Chart(lines, top, _length(seconds), seconds, ticks, rows, every)


def _ticks(marks: Sequence[tuple[float, datetime]], seconds: int) -> tuple[Tick, ...]:
    """Clock times; the date is told where a day begins that was not told before. console.js has the same rule."""
    clock = "" if seconds >= _DAY else "%H:%M:%S" if seconds < _MINUTE else "%H:%M"
    found: list[Tick] = []
    for x, at in marks:
        new = not found or found[-1].at.date() != at.date()
        day = f"{at:%a} {at.day} {at:%b}" if new or not clock else ""
        found.append(Tick(x, at, " ".join(filter(None, (day, f"{at:{clock}}" if clock else "")))))
    return tuple(found)


def _nice(most: int) -> int:
    """A round number at or above ``most``."""
    size = 1
    while True:
        for factor in (1, 2, 4, 5, 8):
            if factor * size >= most:
                return factor * size
        size *= 10


def _length(seconds: int) -> str:
    for size, word in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds % size == 0:
            number = seconds // size
            return word if number == 1 else f"{number} {word}s"
    return f"{seconds} seconds"
