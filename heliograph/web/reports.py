"""Pages of reports: what campaigns, senders, carriers and countries did in some days, on the screen and as a file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from heliograph.actions import report_files, report_tables
from heliograph.actions.report_tables import Asked
from heliograph.errors import Invalid
from heliograph.rules import report, zones
from heliograph.store import report_mails as rows
from heliograph.store import reports
from heliograph.web import downloads, report_mails
from heliograph.web.kit import link

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.reports import Sums
    from heliograph.web.kit import Handler, Kit

SECTION = "reports"
DAYS = 30  # looked at unless asked for others
MOST_SHOWN = 1000
TABS = {"campaign": "Campaigns", "day": "Days", "sender": "Senders", "carrier": "Carriers", "country": "Countries"}


def routes(kit: Kit) -> list[Route]:
    """The addresses of reports."""
    page = Reports(kit)
    at = "/console/{app}/reports"
    return [
        kit.route(at, page.front, right=SECTION),
        *(kit.route(f"{at}/{kind}", page.file(kind), right=SECTION) for kind in report.FORMATS),
        *report_mails.routes(kit),
    ]


class Reports:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """A table, with its sums."""
        app, asked = await self.kit.app(request), _asked(request, self.kit.now)
        async with self.kit.db.connection() as conn:
            found = await report_tables.read(conn, app, asked, limit=MOST_SHOWN)
            mails = await rows.count(conn, app.app_id)
        at = f"/console/{app.public_id}/{SECTION}"
        query = {"from": asked.first, "to": asked.last, "zone": asked.zone}
        values = {
            "asked": asked,
            "rows": found.rows,
            "more": found.more,
            "whole": found.whole,
            "most": max((row.sent for row in found.rows), default=0),
            "numbers": report_tables.numbers(asked),
            "heads": report_tables.HEADS,
            "first": report_tables.WORDS[asked.by],
            "names": [report_tables.name_of(asked, row) for row in found.rows],
            "linked": [_linked(asked, row) for row in found.rows],
            "rest": reports.REST,
            "notes": [report_tables.NOTE, *([report_tables.COUNTRIES] if asked.by == "country" else [])],
            "tabs": [(link(at, by=key, **query), word, None, key == asked.by) for key, word in TABS.items()],
            "files": [(link(f"{at}/{kind}", by=asked.by, **query), kind.upper()) for kind in report.FORMATS],
            "mails": (f"{at}/mails", mails),
        }
        return await self.kit.page(request, "reports.html", values, section=SECTION, app=app)

    def file(self, kind: str) -> Handler:
        """What answers with the same as a file of this kind."""

        async def answer(request: Request) -> Response:
            app, asked = await self.kit.app(request), _asked(request, self.kit.now)
            async with self.kit.db.connection() as conn:
                table = await report_tables.table(conn, app, asked, now=self.kit.now)
            content = await report_files.write(table, kind)
            return downloads.whole(report_tables.file_name(app, asked), kind, report_files.MEDIA[kind], content)

        return answer


def _linked(asked: Asked, row: Sums) -> bool:
    """Whether a line leads to a page: one-off texts have none."""
    return asked.by == "campaign" and not row.gone and not row.name.startswith("One-off texts")


def _asked(request: Request, now: datetime) -> Asked:
    """What the address asks for. Raises Invalid."""
    by = report_tables.by(request.query_params.get("by") or "campaign")
    zone = request.query_params.get("zone") or "UTC"
    if zones.clock(zone) is None:
        raise Invalid(f"zone is {zone[:60]!r}; it takes a time zone such as Europe/London", field="zone")
    today = now.astimezone(zones.clock(zone)).date()
    last = _day(request, "to", today)
    first = _day(request, "from", last - timedelta(days=DAYS - 1))
    if not timedelta(0) <= last - first <= timedelta(days=report.MOST_DAYS):
        raise Invalid(f"{first} to {last} are not 1 to {report.MOST_DAYS} days", field="from")
    return Asked(by, first, last, zone)


def _day(request: Request, name: str, otherwise: date) -> date:
    text = request.query_params.get(name, "")
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise Invalid(f"{name} is {text[:40]!r}; it takes a day such as {otherwise}", field=name) from None
