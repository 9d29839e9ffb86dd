"""The panic button of an app and of its senders, for whoever looks after campaigns: pressing it, and letting go.

Other pages ask here what it holds of a campaign (:func:`told`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import panics as pressing
from heliograph.actions import routes as ways
from heliograph.errors import Invalid
from heliograph.rules import sender_body
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import overview, panics, senders
from heliograph.web import door

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn
    from heliograph.store.overview import Standing
    from heliograph.web.kit import Kit

NEWEST = 20
LONGEST_BODY = 8192
MOST_NAMED = 5  # senders of a pool
ANY = "the sender for any address"
LET_GO = "It has to be let go before a start."


class Held(NamedTuple):
    """What the button holds of whom a campaign would go through, and what that means, in sentences.

    ``what`` has no full stop. ``every``: nobody is left to go through, and a start is refused.
    """

    what: str
    means: str
    since: datetime
    every: bool = True


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


async def told(conn: Conn, campaign: Campaign | Standing, app_id: int) -> Held | None:
    """What the button holds of whom a campaign would go through, and what that means; None when it holds nothing."""
    route = await ways.look(conn, app_id, campaign.caller_id)
    held = await pressing.look(conn, app_id, route)
    if not held.by:
        return None
    first = held.by[0]
    pool = sender_body.pool_name(campaign.caller_id)
    named = ", ".join(ANY if each.address == "*" else str(each.address) for each in held.by[:MOST_NAMED])
    named += f" and {len(held.by) - MOST_NAMED} more" if len(held.by) > MOST_NAMED else ""
    pressed = f"{first.pressed_by} pressed the panic button{f' ({first.reason})' if first.reason else ''}."
    if first.sender_id is None:
        return Held("Nothing leaves this app", f"{pressed} {LET_GO}", first.pressed_at)
    if pool is None:
        whose = f"{ANY}, which serves {campaign.caller_id}" if first.address == "*" else named
        return Held(f"Nothing leaves {whose}", f"{pressed} {LET_GO}", first.pressed_at)
    if held.every:
        what = f"Nothing leaves the pool {pool}"
        meant = f"The panic button holds all of its senders ({named}). One of them has to be let go before a start."
        return Held(what, meant, first.pressed_at)
    what = f"{len(held.by)} of {len(route)} senders of the pool {pool} {'is' if len(held.by) == 1 else 'are'} held"
    meant = "It can be started: whoever falls to a held sender waits until that is let go, the others are texted."
    return Held(what, f"The panic button holds {named}. {meant}", first.pressed_at, every=False)


def who(request: Request) -> str:
    """How whoever is signed in is written down."""
    visitor = door.user(request)
    return "console" if visitor is None else visitor.email
