"""Pages of reports: what campaigns, senders and carriers did in some days, on the screen and as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast, get_args

from heliograph.errors import Invalid
from heliograph.rules import spreadsheet, zones
from heliograph.store import reports
from heliograph.web import downloads
from heliograph.web.kit import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from zoneinfo import ZoneInfo

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.reports import By, Sums
    from heliograph.web.kit import Kit

SECTION = "reports"
DAYS = 30  # looked at unless asked for others
MOST_DAYS = 400
BY = {"campaign": "Campaigns", "day": "Days", "sender": "Senders", "carrier": "Carriers"}
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


def routes(kit: Kit) -> list[Route]:
    """The addresses of reports."""
    page = Reports(kit)
    at = "/console/{app}/reports"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(f"{at}/csv", page.file, right=SECTION),
    ]


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


class Reports:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """A table, with its sums."""
        app, asked = await self.kit.app(request), _asked(request, self.kit.now)
        rows = await self._rows(app, asked)
        at = f"/console/{app.public_id}/{SECTION}"
        query = {"from": asked.first, "to": asked.last, "zone": asked.zone}
        values = {
            "asked": asked,
            "rows": rows,
            "whole": {name: sum(getattr(row, name) or 0 for row in rows) for name in NUMBERS},
            "most": max((row.sent for row in rows), default=0),
            "numbers": [name for name in NUMBERS if name != "people" or asked.by in {"campaign", "day"}],
            "heads": HEADS,
            "tabs": [(link(at, by=key, **query), word, None, key == asked.by) for key, word in BY.items()],
            "file": link(f"{at}/csv", by=asked.by, **query),
        }
        return await self.kit.page(request, "reports.html", values, section=SECTION, app=app)

    async def file(self, request: Request) -> Response:
        """The same as CSV."""
        app, asked = await self.kit.app(request), _asked(request, self.kit.now)
        rows = await self._rows(app, asked)
        name = f"{app.name} by {asked.by} {asked.first} to {asked.last}"
        return await downloads.csv_answer(name, _lines(asked, rows))

    async def _rows(self, app: App, asked: Asked) -> list[Sums]:
        after, before = asked.span()
        async with self.kit.db.connection() as conn:
            return await reports.sums(conn, app.app_id, asked.by, after=after, before=before, zone=asked.zone)


async def _lines(asked: Asked, rows: Sequence[Sums]) -> AsyncIterator[str]:
    yield spreadsheet.MARK + spreadsheet.line([asked.by, "id", *(HEADS[name] for name in NUMBERS)])
    for row in rows:
        numbers = [getattr(row, name) for name in NUMBERS]
        cells = [spreadsheet.guarded(row.name.lstrip("\x01")), row.ref]
        yield spreadsheet.line([*cells, *("" if number is None else str(number) for number in numbers)])


def _asked(request: Request, now: datetime) -> Asked:
    """What the address asks for. Raises Invalid."""
    by = request.query_params.get("by") or "campaign"
    if by not in get_args(reports.By):
        raise Invalid(f"by is {by[:40]!r}; it takes one of: {', '.join(BY)}", field="by")
    zone = request.query_params.get("zone") or "UTC"
    if zones.clock(zone) is None:
        raise Invalid(f"zone is {zone[:60]!r}; it takes a time zone such as Europe/London", field="zone")
    today = now.astimezone(zones.clock(zone)).date()
    last = _day(request, "to", today)
    first = _day(request, "from", last - timedelta(days=DAYS - 1))
    if not timedelta(0) <= last - first <= timedelta(days=MOST_DAYS):
        raise Invalid(f"{first} to {last} are not 1 to {MOST_DAYS} days", field="from")
    return Asked(cast("By", by), first, last, zone)


def _day(request: Request, name: str, otherwise: date) -> date:
    text = request.query_params.get(name, "")
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise Invalid(f"{name} is {text[:40]!r}; it takes a day such as {otherwise}", field=name) from None
