"""Making and changing a campaign: one page in steps, whom, what, when; the check is a page behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import campaigns as making
from heliograph.actions import schedules as switching
from heliograph.errors import Conflict, Invalid
from heliograph.rules import campaign as law
from heliograph.rules import schedule_body, template, zones
from heliograph.rules.campaign import Verb
from heliograph.rules.sender_body import ANY
from heliograph.store import campaigns, flows, lists, pools, senders, templates
from heliograph.web import campaign_fields, composer, door, schedule_form
from heliograph.web.hours_words import DAYS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.rules.campaign import CampaignStatus
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn
    from heliograph.web.campaign_fields import Typed
    from heliograph.web.kit import Kit

MOST_BYTES = composer.MOST_BYTES
OTHERS = 200  # campaigns offered to leave out the readers of
MOST_TEMPLATES = 200
POOL = "pool:"


def routes(kit: Kit) -> list[Route]:
    """The addresses of the form."""
    page = Form(kit)
    every = "/console/{app}/campaigns"
    return [
        kit.route(f"{every}/new", page.new, right="campaigns"),
        kit.route(f"{every}/new", page.create, right="campaigns", methods=["POST"]),
        kit.route(f"{every}/{{campaign}}/edit", page.edit, right="campaigns"),
        kit.route(f"{every}/{{campaign}}/edit", page.update, right="campaigns", methods=["POST"]),
    ]


class Form:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def new(self, request: Request) -> Response:
        """The form of a new campaign; ``list``, ``template`` and ``text`` of the address are filled in already."""
        app = await self.kit.app(request)
        typed = dict(campaign_fields.EMPTY)
        sent = request.query_params
        typed["list"] = sent.getlist("list")
        typed |= {name: sent[name] for name in ("template", "text", "flow") if sent.get(name)}
        typed["kind"] = next((kind for kind in ("template", "flow") if sent.get(kind)), "text")
        return await self._page(request, app, typed, {})

    async def create(self, request: Request) -> Response:
        """Make it, and go on to the check."""
        form = await door.check_form(request, most=MOST_BYTES)
        app = await self.kit.app(request)
        typed = campaign_fields.read(form)
        errors = campaign_fields.missing(typed)
        if not errors:
            try:
                made = await self._make(app, typed)
            except (Invalid, Conflict) as error:
                errors = _told(error)
            else:
                to = f"/console/{app.public_id}/campaigns/{made.public_id}/check"
                started = "It starts by itself when its time comes." if made.scheduled else "Nothing has been sent."
                return self.kit.done(request, to, f"{made.name} is kept. {started}")
        return await self._page(request, app, typed, errors)

    async def edit(self, request: Request) -> Response:
        """The form of a campaign that there is."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
            kept = await schedule_form.kept(conn, campaign)
        return await self._page(request, app, campaign_fields.typed_of(campaign, kept), {}, campaign)

    async def update(self, request: Request) -> Response:
        """Change it, and go on to the check."""
        form = await door.check_form(request, most=MOST_BYTES)
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
        typed = campaign_fields.read(form)
        errors = campaign_fields.missing(typed)
        if not errors:
            try:
                await self._change(app, campaign, typed)
            except (Invalid, Conflict) as error:
                errors = _told(error)
            else:
                to = f"/console/{app.public_id}/campaigns/{campaign.public_id}/check"
                return self.kit.done(request, to, f"{typed['name']} is changed.{_run_stays(campaign.status)}")
        return await self._page(request, app, typed, errors, campaign)

    async def _make(self, app: App, typed: Typed) -> Campaign:
        now = self.kit.now
        schedule = schedule_form.body(typed["schedule"], typed["zone"] or "UTC")
        if schedule is not None:  # before anything is written
            schedule_body.first_start(schedule_body.parse(schedule, "UTC"), now)
        made = await making.create(self.kit.db, app, campaign_fields.body(typed), now=now)
        if schedule is None:
            return made
        return await switching.enable(self.kit.db, app, made.name, schedule, now=now)

    async def _change(self, app: App, campaign: Campaign, typed: Typed) -> None:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            kept = await schedule_form.kept(conn, campaign)
        schedule = schedule_form.body(typed["schedule"], typed["zone"] or "UTC")
        same = typed["schedule"] == schedule_form.typed_of(kept)
        if schedule is not None and not same:
            law.after(campaign.status, Verb.SCHEDULE, name=campaign.name)
            schedule_body.first_start(schedule_body.parse(schedule, "UTC"), now)
        body = campaign_fields.body(typed, campaign)
        changed = await making.update(self.kit.db, app, campaign.public_id, body, now=now)
        if schedule is None and kept is not None:
            await switching.disable(self.kit.db, app, changed.name, now=now)
        elif schedule is not None and not same:
            await switching.enable(self.kit.db, app, changed.name, schedule, now=now)

    async def _page(
        self,
        request: Request,
        app: App,
        typed: Typed,
        errors: dict[str, str],
        campaign: Campaign | None = None,
    ) -> Response:
        async with self.kit.db.connection() as conn:
            offered = await _offered(conn, app, typed, campaign)
            if campaign is None and not errors and not typed["caller"]:
                typed["caller"] = offered["last_caller"]
            composed = await composer.look(conn, app, typed["text"], typed["list"], missing=_missing(typed))
        every = f"/console/{app.public_id}/campaigns"
        values: dict[str, object] = {
            "typed": typed,
            "errors": _Errors(errors),
            "campaign": campaign,
            "at": f"{every}/{campaign.public_id}/edit" if campaign else f"{every}/new",
            "back": f"{every}/{campaign.public_id}" if campaign else every,
            "composed": composed,
            "zones": zones.names(),
            "days": list(zip(campaign_fields.DAYS, DAYS, strict=True)),
            "weekdays": schedule_form.WEEKDAYS,
            "starts": schedule_form.STARTS,
            "fresh": campaign is None and not errors,
            **offered,
        }
        status = 400 if errors else 200
        return await self.kit.page(request, "campaign_form.html", values, section="campaigns", app=app, status=status)


class _Errors(dict[str, str]):
    """What is wrong with each field; nothing, where nothing is."""

    def __missing__(self, name: str) -> str:
        return ""


def _missing(typed: Typed) -> template.Missing:
    try:
        return template.parse_missing({"rule": typed["missing"], "default": typed["missingDefault"]})
    except Invalid:
        return template.Missing()


async def _offered(conn: Conn, app: App, typed: Typed, campaign: Campaign | None) -> dict[str, object]:
    """What there is to choose from."""
    app_id = app.app_id
    own = [*await flows.list_all(conn, app_id), *await flows.list_system(conn, app_id)]
    addresses = [one.address for one in await senders.list_all(conn, app_id)]
    callers = [address for address in addresses if address != ANY]
    callers += [f"{POOL}{one.name}" for one in await pools.list_all(conn, app_id)]
    others = await campaigns.page(conn, app_id, campaigns.Wanted(), sort="-updatedAt", offset=0, limit=OTHERS)
    used = list(dict.fromkeys(one.campaign.caller_id for one in others))
    names = [one.campaign.name for one in others if campaign is None or one.campaign.name != campaign.name]
    return {
        "lists": sorted(await lists.list_all(conn, app_id), key=lambda one: one.created_at, reverse=True),
        "dnc_lists": await lists.list_all(conn, app_id, kind="dnc"),
        "templates": await templates.page(conn, app, offset=0, limit=MOST_TEMPLATES),
        "flows": [one for one in own if one.published_version is not None],
        "callers": list(dict.fromkeys([*callers, *used])) if ANY in addresses else callers,
        "last_caller": next((one for one in used if ANY in addresses or one in callers), ""),
        "any_caller": ANY in addresses or (typed["caller"] and typed["caller"] not in callers),
        "others": list(dict.fromkeys([*typed["exclude"], *names])),
    }


def _told(error: Invalid | Conflict) -> dict[str, str]:
    place = campaign_fields.place_of(error)
    return {place: f"{error.message}."}


def _run_stays(status: CampaignStatus) -> str:
    under_way = status in law.UNDER_WAY
    return " The run under way keeps what it was started with." if under_way else ""
