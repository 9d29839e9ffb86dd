"""Pages of reports that are mailed: which there are, making and changing one, what came of it, a letter to try it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import mail, report_tables
from heliograph.actions import report_mails as verbs
from heliograph.errors import HeliographError, NotFound
from heliograph.rules import report
from heliograph.store import report_mails as rows
from heliograph.web import door
from heliograph.web.kit import Sure

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.report_mails import Mail, Sending
    from heliograph.web.kit import Kit

SECTION = "reports"
MOST_BYTES = 16_384
NEW = {
    "name": "",
    "what": "campaign",
    "span": "yesterday",
    "format": "pdf",
    "recipients": "",
    "often": "day",
    "weekday": "0",
    "month_day": "1",
    "at": "08:00",
    "zone": "UTC",
}
MONTH_DAYS = [*((str(day), str(day)) for day in range(1, report.LATEST_MONTH_DAY + 1)), (str(report.LAST_DAY), "Last")]


def routes(kit: Kit) -> list[Route]:
    """The addresses of mailed reports."""
    page = Pages(kit)
    at = "/console/{app}/reports/mails"
    one = at + "/{report}"
    return [
        kit.route(at, page.show, right=SECTION),
        kit.route(f"{at}/new", page.new, right=SECTION, act=True),
        kit.route(f"{at}/new", page.add, right=SECTION, methods=["POST"]),
        kit.route(one, page.edit, right=SECTION),
        kit.route(one, page.save, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/delete", page.ask_delete, right=SECTION),
        kit.route(f"{one}/{{word}}", page.act, right=SECTION, methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """Every mailed report, with what came of it last."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            found = await rows.list_all(conn, app.app_id)
            last = [await rows.list_sendings(conn, app.app_id, each.public_id, limit=1) for each in found]
        values = {
            "at": _at(app),
            "mails": [
                (each, verbs.times(each).words, said(sent[0]) if sent else None)
                for each, sent in zip(found, last, strict=True)
            ],
            "labels": report_tables.WORDS,
            "spans": report.SPANS,
            "can_send": mail.can_send(self.kit.settings),
            "may_act": door.may_act(request, SECTION, app),
        }
        return await self.kit.page(request, "report_mails.html", values, section=SECTION, app=app)

    async def new(self, request: Request) -> Response:
        """The form of a new one, with one's own address in it."""
        app, user = await self.kit.app(request), door.user(request)
        given = NEW | {"recipients": user.email if user else "", "what": request.query_params.get("what", "campaign")}
        return await self._form(request, app, None, given)

    async def add(self, request: Request) -> Response:
        """Have it mailed from now on."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        given = {name: form.text(name) for name in NEW}
        user = door.user(request)
        try:
            made = await verbs.add(
                self.kit.db,
                self.kit.settings,
                app,
                verbs.read(given),
                made_by=user.name if user else "",
                now=self.kit.now,
            )
        except HeliographError as error:
            return await self._form(request, app, None, given, error=error)
        return self.kit.done(request, f"{_at(app)}/{made}", "Saved. Send yourself one now to see what they will get.")

    async def edit(self, request: Request) -> Response:
        """One of them, and what came of it."""
        app = await self.kit.app(request)
        found = await self._get(request, app)
        given = {name: str(getattr(found, name)) for name in NEW}
        given |= {"recipients": "\n".join(found.recipients), "at": f"{found.at:%H:%M}"}
        return await self._form(request, app, found, given)

    async def save(self, request: Request) -> Response:
        """Change it."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        found = await self._get(request, app)
        given = {name: form.text(name) for name in NEW}
        try:
            await verbs.change(self.kit.db, app, found.public_id, verbs.read(given), now=self.kit.now)
        except HeliographError as error:
            return await self._form(request, app, found, given, error=error)
        return self.kit.done(request, f"{_at(app)}/{found.public_id}", "Saved. It counts from the next letter on.")

    async def ask_delete(self, request: Request) -> Response:
        """What deleting it would do."""
        app = await self.kit.app(request)
        found = await self._get(request, app)
        at = f"{_at(app)}/{found.public_id}"
        sentences = ("Nobody gets it any more, and what came of it is forgotten.",)
        asked = Sure(f"Delete {found.name}?", sentences, "Delete", f"{at}/delete", at)
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def act(self, request: Request) -> Response:
        """Pause, resume, try or delete it."""
        await door.check_form(request)
        app, word, now = await self.kit.app(request), request.path_params["word"], self.kit.now
        found = await self._get(request, app)
        at = f"{_at(app)}/{found.public_id}"
        if word in {"pause", "resume"}:
            await verbs.pause(self.kit.db, app, found.public_id, paused=word == "pause", now=now)
            told = "Paused: nobody gets it until it is resumed." if word == "pause" else "Resumed."
            return self.kit.done(request, at, told)
        if word == "delete":
            await verbs.delete(self.kit.db, app, found.public_id)
            return self.kit.done(request, _at(app), f"{found.name} is deleted.")
        user = door.user(request)
        if word != "test" or user is None:
            raise NotFound(f"There is nothing called {word[:40]} to do to a mailed report")
        await verbs.test(self.kit.db, self.kit.settings, app, found.public_id, to=user.email, now=now)
        return self.kit.done(request, at, f"A letter to {user.email} is on its way; below stands what came of it.")

    async def _get(self, request: Request, app: App) -> Mail:
        async with self.kit.db.connection() as conn:
            return await rows.get(conn, app.app_id, request.path_params["report"])

    async def _form(
        self,
        request: Request,
        app: App,
        found: Mail | None,
        given: dict[str, str],
        *,
        error: HeliographError | None = None,
    ) -> Response:
        sendings: list[Sending] = []
        if found is not None:
            async with self.kit.db.connection() as conn:
                sendings = await rows.list_sendings(conn, app.app_id, found.public_id)
        values = {
            "at": _at(app),
            "mail": found,
            "given": given,
            "errors": defaultdict[str, str](str, {error.field or "": error.message} if error else {}),
            "whats": list(report_tables.WORDS.items()),
            "spans": list(report.SPANS.items()),
            "formats": list(report.FORMATS.items()),
            "oftens": list(report.OFTEN.items()),
            "weekdays": list(report.WEEKDAYS.items()),
            "month_days": MONTH_DAYS,
            "sendings": [(each, said(each)) for each in sendings],
            "can_send": mail.can_send(self.kit.settings),
            "may_act": door.may_act(request, SECTION, app),
        }
        return await self.kit.page(
            request, "report_mail.html", values, section=SECTION, app=app, status=400 if error else 200
        )


def said(sending: Sending) -> tuple[str, str, str]:
    """What came of one time: a badge's kind, its word, and more."""
    if sending.sent_at is not None:
        return ("good", "Sent", "") if not sending.error else ("wait", "Sent, but not to all", sending.error)
    if sending.next_at is not None:
        times = "once" if sending.attempts == 1 else f"{sending.attempts} times"
        return ("wait", f"Failed {times}, tried again", sending.error) if sending.attempts else ("", "Waits", "")
    if sending.taken_at is not None:
        return "info", "Being sent", "Where this stays, a worker was cut off, and nobody knows whether it was sent."
    return "bad", "Not sent", sending.error


def _at(app: App) -> str:
    return f"/console/{app.public_id}/reports/mails"
