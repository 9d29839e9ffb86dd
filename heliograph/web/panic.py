"""The panic button of an app and of its senders, for whoever looks after campaigns: pressing it, and letting go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import panics as pressing
from heliograph.errors import Invalid
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import overview, panics, senders
from heliograph.web import door

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.web.kit import Kit

NEWEST = 20
LONGEST_BODY = 8192


def routes(kit: Kit) -> list[Route]:
    """The address of the panic button."""
    page = Panic(kit)
    at = "/console/{app}/panic"
    return [
        kit.route(at, page.show, right="campaigns"),
        kit.route(at, page.act, right="campaigns", methods=["POST"]),
    ]


class Panic:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """What is held now and what could be, with what pressing does; and when it was pressed before."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            held = await panics.list_in_force(conn, app.app_id)
            latest = await panics.list_latest(conn, app.app_id, limit=NEWEST)
            there = await senders.list_all(conn, app.app_id)
            counts = await overview.count(conn, app_id=app.app_id)
        values: dict[str, object] = {
            "whole": next((one for one in held if one.sender_id is None), None),
            "of_sender": {one.sender_id: one for one in held},
            "senders": there,
            "latest": latest,
            "active": counts.get(CampaignStatus.ACTIVE, 0),
            "longest": pressing.LONGEST_REASON,
        }
        return await self.kit.page(request, "panic.html", values, section="campaigns", app=app)

    async def act(self, request: Request) -> Response:
        """Press it or let go, for a sender or for the whole app."""
        form = await door.check_form(request, most=LONGEST_BODY)
        app = await self.kit.app(request)
        sender, do = form.text("sender") or None, form.text("do")
        whose = f"sender {sender}" if sender else f"the app {app.name}"
        to = f"/console/{app.public_id}/panic"
        if do == "press":
            body = {"reason": form.text("reason")}
            await pressing.press(self.kit.db, app, sender, body, who=who(request), now=self.kit.now)
            return self.kit.done(request, to, f"Nothing leaves {whose} any more, until somebody lets go.")
        if do == "release":
            await pressing.release(self.kit.db, app, sender, who=who(request), now=self.kit.now)
            return self.kit.done(request, to, f"Let go: texts leave {whose} again, of whatever is Active.")
        raise Invalid(f"do is {do[:40]!r}; it takes press or release")


def who(request: Request) -> str:
    """How whoever is signed in is written down."""
    visitor = door.user(request)
    return "console" if visitor is None else visitor.email
