"""Reports as tables: read for some days, with their totals, for pages, files and mails alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast, get_args

from heliograph.errors import Invalid
from heliograph.rules import report, zones
from heliograph.rules.report import Cell, Column, Table
from heliograph.store import reports

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.store.reports import By, Sums

MOST_ROWS = 20_000  # of a file
WORDS: dict[By, str] = {
    "campaign": "Campaign",
    "day": "Day",
    "sender": "Sender",
    "carrier": "Carrier",
    "country": "Country",
}
NUMBERS = ("runs", "people", "sent", "delivered", "failed", "unknown", "left_out", "expired", "waiting")
HEADS = {
    "runs": "Runs",
    "people": "People",
    "sent": "Sent",
    "delivered": "Delivered",
    "failed": "Failed",
    "unknown": "Unknown",
    "left_out": "Left out",
    "expired": "Not in time",
    "waiting": "Waiting",
}
NOTE = (
    "A run counts on the day on which it began, with all that came of it since. Sent: taken by the carrier. "
    "Left out: may not be texted."
)
COUNTRIES = (
    "Countries are those of the numbers, counted in the background: what has moved since stands in a line of its own, "
    "so that the sums are always those of the other reports. A run counts in every country it has people in."
)
REST = "Not counted by country yet"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: by what, from and until which day (both of them in it), by the clocks of ``zone``."""

    by: By
    first: date
    last: date
    zone: str

    def span(self) -> tuple[datetime, datetime]:
        """From when until when."""
        clock = cast("ZoneInfo", zones.clock(self.zone) or UTC)
        start = datetime.combine(self.first, time.min, clock)
        return start, datetime.combine(self.last + timedelta(days=1), time.min, clock)


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of a report, no more than were asked for, and the sums of all. ``more``: there are further ones."""

    rows: Sequence[Sums]
    whole: dict[str, int]
    more: bool


def by(text: str) -> By:
    """By what a report is. Raises Invalid."""
    if text not in get_args(reports.By):
        raise Invalid(f"by is {text[:40]!r}; it takes one of: {', '.join(WORDS)}", field="by")
    return cast("By", text)


def numbers(asked: Asked) -> list[str]:
    """The columns that a report has: somebody not texted has no sender."""
    return [name for name in NUMBERS if name != "people" or asked.by not in {"sender", "carrier"}]


def name_of(asked: Asked, row: Sums) -> str:
    """What a line is called."""
    if asked.by == "country":
        return REST if row.ref == reports.REST else report.country_name(row.ref)
    return row.name


async def read(conn: Conn, app: App, asked: Asked, *, limit: int = MOST_ROWS) -> Found:
    """The report. Runs of several countries, senders or days count once in the sums."""
    after, before = asked.span()
    rows = await reports.sums(conn, app.app_id, asked.by, after=after, before=before, zone=asked.zone, limit=limit + 1)
    days = await reports.sums(conn, app.app_id, "day", after=after, before=before, zone=asked.zone)
    whole = {name: sum(getattr(row, name) or 0 for row in days) for name in NUMBERS}
    return Found(rows[:limit], whole, len(rows) > limit)


async def table(conn: Conn, app: App, asked: Asked, *, now: datetime) -> Table:
    """The report as it is written to a file."""
    found = await read(conn, app, asked)
    shown = numbers(asked)
    first = Column(WORDS[asked.by], "day" if asked.by == "day" else "text")
    columns = (first, Column("Id", "text"), *(Column(HEADS[name], "number") for name in shown))
    note = [NOTE, COUNTRIES] if asked.by == "country" else [NOTE]
    if found.more:
        note.append(f"There are more lines than the {MOST_ROWS:,} that are here; the sums are of all.")
    clock = zones.clock(asked.zone) or UTC
    made = f"{now.astimezone(clock):%Y-%m-%d %H:%M}"
    return Table(
        title=f"{app.name}: {WORDS[asked.by].lower()} report",
        about=f"{asked.first} to {asked.last}, by the clocks of {asked.zone}. Made {made}.",
        note=" ".join(note),
        columns=columns,
        rows=tuple((_first(asked, row), row.ref, *(_cell(row, name) for name in shown)) for row in found.rows),
        total=("Total", None, *(found.whole[name] for name in shown)),
    )


def _first(asked: Asked, row: Sums) -> Cell:
    return date.fromisoformat(row.ref) if asked.by == "day" else name_of(asked, row)


def _cell(row: Sums, name: str) -> Cell:
    return cast("int | None", getattr(row, name))


def file_name(app: App, asked: Asked) -> str:
    """What a file of the report is called, without its ending."""
    return f"{app.name} by {asked.by} {asked.first} to {asked.last}"
