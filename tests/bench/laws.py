"""Pure rules a second: what everybody of an audience goes through, without I/O."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from heliograph.rules import hours, parts, phone, template
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.rig import Rig

TITLE = "Rules"
ABOUT = """\
One after the other in one process, best of five. The floors are what Python does at the heart of each: encoding the
text, filling a format string, turning an instant into a zone's local time, parsing the number.
"""
ROUNDS = 5
HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/New_York",
    "days": [{"day": day, "start": "9:00 AM", "end": "6:00 PM"} for day in ("MO", "TU", "WE", "TH", "FR")],
}
GSM = rigs.words(3)
WIDE = "Привет, Łódź! Ваш заказ прибудет во вторник, между 9 и 12 часами. 🚚 Ответьте STOP, чтобы отписаться."
OPEN, SHUT = datetime(2026, 3, 3, 15, 0, tzinfo=UTC), datetime(2026, 3, 7, 15, 0, tzinfo=UTC)  # Tuesday, Saturday
WRITTEN = "+1 202-555-0143"


async def measure(rig: Rig) -> Section:
    section = Section("rules", TITLE, ABOUT)
    compiled, people = template.compile_text(rigs.PERSONAL), rigs.columns(3)
    law, missing, zone = hours.parse(HOURS), template.Missing(), ZoneInfo("Asia/Kolkata")
    form, order = "Hello {}, your order {} leaves {} on {}. Reply STOP to opt out.", tuple(people.values())

    def parse() -> None:
        number = phone.fast.parse(WRITTEN, None)
        phone.fast.format_number(number, phone.fast.PhoneNumberFormat.E164)

    work: list[tuple[str, Callable[[], object], str, Callable[[], object]]] = [
        ("parts of a GSM text", lambda: parts.measure(GSM), "encoding it", lambda: GSM.encode("ascii")),
        ("parts of a wide text", lambda: parts.measure(WIDE), "encoding it", lambda: WIDE.encode("utf-16-be")),
        (
            "a template of 4 placeholders filled",
            lambda: compiled.render(people, missing),
            "a format string",
            lambda: form.format(*order),
        ),
        (
            "next opening, open now",
            lambda: hours.next_open(law, "Asia/Kolkata", OPEN),
            "a local time",
            lambda: OPEN.astimezone(zone),
        ),
        (
            "next opening, over a weekend",
            lambda: hours.next_open(law, "Asia/Kolkata", SHUT),
            "a local time",
            lambda: SHUT.astimezone(zone),
        ),
        ("a number normalised", lambda: phone.normalise(WRITTEN), "parsing it", parse),
    ]
    for what, ours, floor, bare in work:
        section.add(what, _rate(ours, rig.scale.seconds), "/s", Floor(_rate(bare, rig.scale.seconds), floor))
    return section


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second, the best of a few rounds that take ``seconds`` together."""
    count, best = 1, 0.0
    while True:
        took = _time(work, count)
        if took > seconds / ROUNDS / 4:
            break
        count *= 2
    count = max(1, int(count * seconds / ROUNDS / took))
    for _ in range(ROUNDS):
        best = max(best, count / _time(work, count))
    return best


def _time(work: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - began
