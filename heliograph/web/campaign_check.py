"""The last step before a start: whom a campaign would reach, what that costs, when it is through; a text to oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from heliograph.actions import campaigns as making
from heliograph.actions import previews, routes, runs, trials
from heliograph.errors import CarrierDown, Conflict, Invalid
from heliograph.rules import plain
from heliograph.store import audience, campaigns, overview, senders
from heliograph.web import asking, campaign_fields, composer, door, panic, reasons, schedule_form
from heliograph.web import why as whys

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.web.kit import Kit

AT_ONCE = 20_000  # contacts up to which the page waits for the preview; that of more comes into it later
MOST_ROWS = 12


def routes_of(kit: Kit) -> list[Route]:
    """The addresses of the check."""
    page = Check(kit)
    own = "/console/{app}/campaigns/{campaign}/check"
    return [
        kit.route(own, page.show, right="campaigns"),
        kit.route(f"{own}/preview", page.preview, right="campaigns"),
        kit.route(f"{own}/plain", page.write_plainly, right="campaigns", methods=["POST"]),
        kit.route(f"{own}/test", page.test, right="campaigns", methods=["POST"]),
    ]


class Check:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """The page; of a very large audience without its preview, which the page then asks for."""
        app = await self.kit.app(request)
        return await self._page(request, app, {})

    async def preview(self, request: Request) -> Response:
        """The preview alone."""
        app = await self.kit.app(request)
        return self.kit.piece("campaign_preview.html", await self._preview(app, request.path_params["campaign"]))

    async def write_plainly(self, request: Request) -> Response:
        """Exchange what makes its text cost more by plain characters."""
        await door.check_form(request)
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
            kept = await schedule_form.kept(conn, campaign)
        typed = campaign_fields.typed_of(campaign, kept)
        typed |= {"kind": "text", "text": plain.simplify(typed["text"]).text}
        body = campaign_fields.body(typed, campaign)
        await making.update(self.kit.db, app, campaign.public_id, body, now=self.kit.now)
        return self.kit.done(request, _at(app, campaign), "Its text is written in plain characters now.")

    async def test(self, request: Request) -> Response:
        """Send its text to one number, as the first person of its lists would get it."""
        form = await door.check_form(request)
        app = await self.kit.app(request)
        to = form.text("to")
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
            route = await routes.look(conn, app.app_id, campaign.caller_id)
            found = await composer.look(conn, app, _words(campaign), campaign.list_names)
            sender = await senders.get(conn, app.app_id, route[0]) if route else None
        words = "".join(one.text for one in found.said)
        try:
            if self.kit.seal is None or sender is None:
                raise Conflict(f"No sender of this app serves {campaign.caller_id}", field="to")
            if not words:
                raise Invalid("There is no text to send: a flow or a template says it", field="to")
            trial = await trials.of_sender(
                self.kit.db,
                self.kit.seal,
                app,
                sender.public_id,
                {"to": to, **({"from": campaign.caller_id} if sender.address == "*" else {})},
                transcript=self.kit.settings.transcript,
                networks=self.kit.settings.carrier_private_networks,
                now=self.kit.now,
                words=words,
            )
        except (Invalid, Conflict, CarrierDown) as error:
            return await self._page(request, app, {"to": f"{error.message}."}, to=to)
        if trial.outcome != "accepted":
            detail = trial.detail or trial.code or "no reason was given"
            return await self._page(request, app, {"to": f"The carrier did not take it ({detail})."}, to=to)
        text = f"Sent to {trial.to} from {trial.sender}; the carrier took it."
        return self.kit.done(request, _at(app, campaign), text)

    async def _page(self, request: Request, app: App, errors: dict[str, str], *, to: str = "") -> Response:
        wanted = request.path_params["campaign"]
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, wanted)
            standing = await overview.get(conn, app.app_id, wanted, now=now)
            size = await audience.size(conn, app.app_id, campaign.list_ids)
            composed = await composer.look(conn, app, _words(campaign), campaign.list_names)
            schedule = await schedule_form.stored(conn, campaign)
            held = await panic.told(conn, campaign, app.app_id)
        inline = size <= AT_ONCE or bool(request.query_params.get("whole"))
        values: dict[str, object] = {
            "campaign": campaign,
            "c": standing,
            "row_verbs": asking.allowed(standing.status),
            "why": whys.explain(standing, now),
            "at": _at(app, campaign),
            "own": f"/console/{app.public_id}/campaigns/{campaign.public_id}",
            "composed": composed,
            "schedule": schedule,
            "held": held,
            "errors": errors,
            "to": to,
            "inline": inline,
            "size": size,
            **(await self._preview(app, wanted) if inline else {}),
        }
        status = 400 if errors else 200
        return await self.kit.page(request, "campaign_check.html", values, section="campaigns", app=app, status=status)

    async def _preview(self, app: App, public_id: str) -> dict[str, object]:
        now = self.kit.now
        shown = await previews.show(self.kit.db, app, public_id, now=now)
        facts = previews.facts(shown, str)
        left_out = cast("dict[str, int]", facts["leftOut"])
        text = campaign_fields.typed_of(shown.campaign, None)["text"]
        return {
            "f": facts,
            "left_out": [(reasons.words(code), people) for code, people in left_out.items() if people],
            "begins": shown.begins,
            "ends": shown.ends,
            "late": shown.begins is not None and shown.begins > now,
            "served": shown.rate is not None,
            "most": MOST_ROWS,
            "can_simplify": bool(shown.plain_template) and bool(text),
            "at": _at(app, shown.campaign),
            "campaign": shown.campaign,
        }


def _words(campaign: Campaign) -> str:
    """What everybody reads first; nothing where a flow says it, to each what it has for them."""
    return runs.words(campaign) if campaign.flow_id is None else ""


def _at(app: App, campaign: Campaign) -> str:
    return f"/console/{app.public_id}/campaigns/{campaign.public_id}/check"
