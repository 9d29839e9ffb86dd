"""The audit: who did what, when and from where; as a page with filters, and as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from heliograph.actions import report_files
from heliograph.errors import Invalid
from heliograph.rules import spreadsheet
from heliograph.rules.report import Column, Table
from heliograph.rules.roles import Right
from heliograph.store import apps, audit
from heliograph.store import users as rows
from heliograph.store.audit import Wanted
from heliograph.web import door, downloads
from heliograph.web.kit import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.audit import Entry
    from heliograph.web.kit import Kit

HOME = "/console/audit"
ON_A_PAGE = 100
AT_ONCE = 1000  # of the file
MOST_ROWS = 50_000  # of a workbook
FILTERS = ("text", "actor", "kind", "object", "in", "from", "to", "outcome")
NEWEST = 2**62
LONGEST_TEXT = 100
COLUMNS = "time kind who id address what verb object app outcome".split()
KINDS = {"user": "in the console", "client": "by the API", "command": "at the terminal", "nobody": ""}


def routes(kit: Kit) -> list[Route]:
    """The addresses of the audit."""
    page = Pages(kit)
    return [
        kit.route(HOME, page.show, right="audit"),
        kit.route(HOME + "/file", page.file, right="audit"),
        kit.route(HOME + "/xlsx", page.workbook, right="audit"),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """The entries that the filters leave, the newest first."""
        given = {name: request.query_params.get(name, "") for name in FILTERS}
        before = _number(request.query_params.get("before", ""))
        known = await self._apps(request)
        async with self.kit.db.connection() as conn:
            found = await audit.page(conn, self._wanted(request, known), before=before, limit=ON_A_PAGE + 1)
            people = await rows.list_all(conn)
        shown, more = found[:ON_A_PAGE], len(found) > ON_A_PAGE
        values: dict[str, object] = {
            "entries": shown,
            "given": given,
            "known": known,
            "people": people,
            "kinds": KINDS,
            "filtered": any(given.values()),
            "newest": link(HOME, **given) if before < NEWEST else None,
            "older": link(HOME, **given, before=shown[-1].audit_id) if more else None,
            "files": [(link(HOME + path, **given), word) for path, word in (("/file", "CSV"), ("/xlsx", "XLSX"))],
            "home": HOME,
        }
        return await self.kit.page(request, "audit.html", values, section="audit")

    async def file(self, request: Request) -> Response:
        """The same as CSV, all of it, read while it is sent."""
        wanted = self._wanted(request, await self._apps(request))
        return await downloads.csv_answer(f"audit-{self.kit.now:%Y-%m-%d}", self._lines(wanted))

    async def workbook(self, request: Request) -> Response:
        """The same as a workbook, the newest :data:`MOST_ROWS` of it."""
        wanted = self._wanted(request, await self._apps(request))
        found: list[Entry] = []
        async for page in self._pages(wanted):
            found += page
            if len(found) >= MOST_ROWS:
                break
        shown = found[:MOST_ROWS]
        more = f" There are older entries than these {MOST_ROWS:,}; choose days." if len(found) > MOST_ROWS else ""
        columns = tuple(Column(word, "time" if word == "time" else "text") for word in COLUMNS)
        rows = tuple((one.at.astimezone(UTC).replace(tzinfo=None), *_cells(one)[1:]) for one in shown)
        about = f"Made {self.kit.now:%Y-%m-%d %H:%M} UTC; times are UTC."
        table = Table("Audit", about, f"Who did what, when and from where.{more}", columns, rows, ())
        name = f"audit-{self.kit.now:%Y-%m-%d}"
        return downloads.whole(name, "xlsx", report_files.MEDIA["xlsx"], await report_files.write(table, "xlsx"))

    async def _pages(self, wanted: Wanted) -> AsyncIterator[list[Entry]]:
        before = NEWEST
        while True:
            async with self.kit.db.connection() as conn:
                found = await audit.page(conn, wanted, before=before, limit=AT_ONCE)
            if not found:
                return
            yield found
            before = found[-1].audit_id

    async def _lines(self, wanted: Wanted) -> AsyncIterator[str]:
        yield spreadsheet.MARK + spreadsheet.line(COLUMNS)
        async for found in self._pages(wanted):
            yield "".join(spreadsheet.line(map(spreadsheet.guarded, _cells(entry))) for entry in found)

    async def _apps(self, request: Request) -> list[App]:
        """The apps whose audit the user may see."""
        async with self.kit.db.connection() as conn:
            return [one for one in await apps.list_all(conn) if door.may_see(request, Right.AUDIT, one)]

    def _wanted(self, request: Request, known: list[App]) -> Wanted:
        ask = request.query_params
        user = door.user(request)
        everything = user is not None and user.may_everywhere(Right.AUDIT)
        mine = None if everything else [one.app_id for one in known]
        if ask.get("in"):
            mine = [one.app_id for one in known if one.public_id == ask["in"]]
        until = _day(ask.get("to", ""), "to")
        return Wanted(
            apps=mine,
            actor=ask.get("actor", "")[:LONGEST_TEXT],
            text=ask.get("text", "").strip()[:LONGEST_TEXT].replace("\0", ""),
            since=_day(ask.get("from", ""), "from"),
            until=until + timedelta(days=1) if until else None,
            kind=ask.get("kind", "") if ask.get("kind") in KINDS else "",
            object=ask.get("object", "")[:LONGEST_TEXT].replace("\0", ""),
            outcome=ask.get("outcome", "") if ask.get("outcome") in {"done", "refused"} else "",
        )


def _day(text: str, name: str) -> datetime | None:
    """A day of the filters, as it begins in UTC. Raises :class:`Invalid`."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        raise Invalid(f"{name} is {text[:40]!r}, and a day such as 2026-03-02 is expected", field=name) from error


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else NEWEST  # noqa: PLR2004  # of a bigint


def _cells(entry: Entry) -> list[str]:
    return [
        entry.at.isoformat(),
        entry.kind,
        entry.name,
        entry.actor,
        entry.address,
        entry.what,
        entry.verb,
        entry.object,
        entry.app_name or "",
        entry.outcome,
    ]
