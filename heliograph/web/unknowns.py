"""Texts of which nobody can say whether they left: which there are, and what somebody decides about them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import asking, unknowns
from heliograph.actions.unknowns import By, Choice
from heliograph.errors import Conflict, Invalid
from heliograph.rules import unknown as law
from heliograph.rules import wording
from heliograph.store import campaigns
from heliograph.store import unknowns as store
from heliograph.web import door
from heliograph.web.kit import link, number_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.web.door import Form
    from heliograph.web.kit import Kit

ON_A_PAGE = 100
MOST_BYTES = 64 * 1024
MOST_HOURS = 7 * 24
VERBS = ("ask", "wait", "accept", "resend")


def routes(kit: Kit) -> list[Route]:
    """The address of the list."""
    page = Unknowns(kit)
    at = "/console/{app}/unknown"
    return [
        kit.route(at, page.show, right="campaigns"),
        kit.route(at, page.act, right="campaigns", methods=["POST"]),
    ]


class Unknowns:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """A page of them, of one campaign or of all of the app."""
        app = await self.kit.app(request)
        return await self._page(request, app, request.query_params.get("campaign", ""), "")

    async def act(self, request: Request) -> Response:
        """Do what was decided about those that were ticked; before sending again it is asked once more."""
        form = await door.check_form(request, most=MOST_BYTES)
        app = await self.kit.app(request)
        word, campaign = form.text("do"), form.text("campaign")
        if word not in VERBS:
            raise Invalid(f"do is {word[:40]!r}; it takes one of: {', '.join(VERBS)}")
        every = form.text("every") == "yes"
        picked = tuple(one for one in form.all("message") if one)
        if not every and not picked:
            return await self._page(request, app, campaign, "Tick at least one of them first.")
        chosen = Choice(message_ids=None if every else picked, campaign=campaign or None)
        if word == "resend" and form.text("sure") != "yes":
            return await self._sure(request, app, form, chosen)
        try:
            text = await self._do(app, word, chosen, form, _who(request))
        except (Invalid, Conflict) as error:
            return await self._page(request, app, campaign, f"{error.message}.")
        return self.kit.done(request, link(_at(app), campaign=campaign), text)

    async def _do(self, app: App, word: str, chosen: Choice, form: Form, who: str) -> str:
        now = self.kit.now
        by = By(who, now, law.note(form.text("note")))
        if word == "accept":
            done = await unknowns.accept(self.kit.db, app, chosen, by)
            return f"{wording.counted(len(done.messages), 'message')} taken for sent."
        if word == "wait":
            hours = form.text("hours", "24")
            if not hours.isdecimal() or not 0 < int(hours[:6]) <= MOST_HOURS:
                raise Invalid(f"Hours are {hours[:40]!r}; they take 1 to {MOST_HOURS}")
            done = await unknowns.wait(self.kit.db, app, chosen, by, until=now + timedelta(hours=int(hours)))
            waiting = wording.counted(len(done.messages), "message")
            return f"{waiting}: a receipt is waited for, for {wording.counted(int(hours), 'hour')}."
        if word == "resend":
            return f"{(await unknowns.resend(self.kit.db, app, chosen, by)).words}."
        if self.kit.seal is None:
            raise Conflict("This server was started without its key, so no carrier can be asked")
        asked = await asking.ask(
            self.kit.db,
            self.kit.seal,
            app,
            chosen,
            by,
            transcript=self.kit.settings.transcript,
            networks=self.kit.settings.carrier_private_networks,
        )
        found = [f"{number:,} {finding.replace('_', ' ')}" for finding, number in asked.findings.items() if number]
        silent = [f"{name} could not be asked: {why}" for name, why in asked.silent.items()]
        return f"Carriers were asked. {'. '.join([', '.join(found) or 'None could tell', *silent])}."

    async def _sure(self, request: Request, app: App, form: Form, chosen: Choice) -> Response:
        async with self.kit.db.connection() as conn:
            found = await unknowns.chosen_messages(conn, app, chosen)
        risk = sum(one.finding != unknowns.NOT_THERE for one in found.messages)
        values: dict[str, object] = {
            "at": _at(app),
            "back": link(_at(app), campaign=chosen.campaign),
            "people": len(found.messages),
            "risk": risk,
            "left": found.left,
            "picked": chosen.message_ids or (),
            "every": chosen.message_ids is None,
            "chosen": chosen,
            "note": form.text("note"),
        }
        return await self.kit.page(request, "unknown_sure.html", values, section="campaigns", app=app)

    async def _page(self, request: Request, app: App, campaign: str, wrong: str) -> Response:
        number = number_of(request)
        async with self.kit.db.connection() as conn:
            wanted = await unknowns.wanted(conn, app, Choice(campaign=campaign or None))
            whole = await store.count(conn, app.app_id, wanted)
            rows = await store.page(conn, app.app_id, wanted, offset=(number - 1) * ON_A_PAGE, limit=ON_A_PAGE)
            of = await campaigns.get(conn, app.app_id, campaign) if campaign else None
        at, last = _at(app), max(1, -(-whole // ON_A_PAGE))
        values: dict[str, object] = {
            "at": at,
            "campaign": of,
            "whole": whole,
            "rows": [(unknowns.name_of(one), one, one.overdue(self.kit.now)) for one in rows],
            "wrong": wrong,
            "earlier": link(at, campaign=campaign, page=number - 1) if number > 1 else None,
            "next": link(at, campaign=campaign, page=number + 1) if number < last else None,
            "told": f"Page {number:,} of {last:,}",
        }
        status = 400 if wrong else 200
        return await self.kit.page(request, "unknown.html", values, section="campaigns", app=app, status=status)


def _at(app: App) -> str:
    return f"/console/{app.public_id}/unknown"


def _who(request: Request) -> str:
    """How whoever is signed in is written down."""
    visitor = door.user(request)
    return "console" if visitor is None else visitor.email
