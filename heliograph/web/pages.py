"""The pages of campaigns, and asking before something is done to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from heliograph.actions import runs
from heliograph.errors import IllegalMove, Invalid, NotFound
from heliograph.rules import quiet
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import apps, overview, tallies
from heliograph.web import asking, door, teaching, why
from heliograph.web.kit import is_partial, number_of

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.overview import Standing
    from heliograph.web.kit import Kit

ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class View:
    """Which campaigns are looked at: those of one app or all, in one status or all, from which page on."""

    app: App | None
    status: CampaignStatus | None
    number: int
    several: bool  # whether there is more than one app to tell apart

    def link(self, **other: object) -> str:
        """The query of this view, with some of it changed."""
        values: dict[str, object] = {
            "app": self.app.public_id if self.app else None,
            "status": self.status,
            "page": self.number if self.number > 1 else None,
        }
        query = urlencode({name: value for name, value in (values | other).items() if value})
        return f"?{query}" if query else ""


def routes(kit: Kit) -> list[Route]:
    """The addresses of campaigns: the page at ``/``, an app's, and asking before something is done to one."""
    page = Pages(kit)
    verb = "/console/{app}/campaigns/{campaign}/{word}"
    return [
        kit.route("/", page.home, right="campaigns"),
        kit.route("/console/campaigns", page.live, right="campaigns"),
        kit.route("/console/{app}/campaigns", page.home, right="campaigns"),
        kit.route(verb, page.ask, right="campaigns"),
        kit.route(verb, page.act, right="campaigns", methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def home(self, request: Request) -> Response:
        """The page at ``/``, and that of an app."""
        values = await self._campaigns(request)
        view = cast("View", values["view"])
        return await self.kit.page(request, "home.html", values, section="campaigns", app=view.app)

    async def live(self, request: Request) -> Response:
        """The part of the page at ``/`` that changes by itself."""

        async def piece() -> str:
            return self.kit.text("campaigns.html", await self._campaigns(request))

        return await self.kit.live(request, piece)

    async def ask(self, request: Request) -> Response:
        """What a verb would do to a campaign now, and the button that does it."""
        word, app = _word(request), await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            standing = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.kit.now)
        values: dict[str, object] = {
            "standing": standing,
            "word": word,
            "title": f"{word.capitalize()} {standing.name}",
        }
        try:
            values |= {"question": asking.question(word, standing), "refused": ""}
        except IllegalMove as error:
            values |= {"question": None, "refused": error.message}
        return await self.kit.question(request, "ask.html", values, section="campaigns", app=app)

    async def act(self, request: Request) -> Response:
        """Do it, and say what was done."""
        word = _word(request)
        await door.check_form(request)
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            before = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.kit.now)
        verb = {
            "start": runs.play,
            "resume": runs.resume,
            "pause": runs.pause,
            "stop": runs.stop,
            "delete": runs.delete,
        }[word]
        campaign = await verb(self.kit.db, app, before.public_id, now=self.kit.now)
        async with self.kit.db.connection() as conn:
            ledger = await tallies.read(conn, app.app_id, campaign.run_id or 0, self.kit.now)
        text = asking.done(word, before, ledger)
        if is_partial(request):
            return self.kit.said(text)
        return self.kit.done(request, "/", text)

    async def _campaigns(self, request: Request) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            known = [one for one in await apps.list_all(conn) if door.may_enter(request, one)]
            view = _view(request, known)
            app_id = view.app.app_id if view.app else None
            counts = await overview.count(conn, app_id=app_id)
            offset = (view.number - 1) * ON_A_PAGE
            found = await overview.page(
                conn, app_id=app_id, status=view.status, offset=offset, limit=ON_A_PAGE, now=now
            )
        matching = counts.get(view.status, 0) if view.status else sum(counts.values())
        newest = view.app or (known[-1] if known else None)
        base = f"{request.scope['scheme']}://{request.headers['host']}"
        return {
            "view": view,
            "apps": known,
            "counts": counts,
            "matching": matching,
            "last_page": max(1, -(-matching // ON_A_PAGE)),
            "rows": [_row(standing, now) for standing in found],
            "loud": sorted({one.app_name for one in found if quiet.in_force(one.quiet_hours) is quiet.OFF}),
            "steps": () if counts else teaching.steps(newest, self.kit.settings, base),
            "now": now,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign as it is shown."""

    standing: Standing
    why: why.Why
    verbs: tuple[str, ...]


def _row(standing: Standing, now: datetime) -> Row:
    return Row(standing, why.explain(standing, now), asking.allowed(standing.status))


def _view(request: Request, known: list[App]) -> View:
    wanted = request.path_params.get("app") or request.query_params.get("app", "")
    status = request.query_params.get("status", "")
    app = next((app for app in known if app.public_id == wanted), None)
    if wanted and app is None:
        raise NotFound(f"There is no app {wanted[:80]}")
    if status and status not in list(CampaignStatus):
        raise Invalid(f"status is {status[:80]!r}; it takes one of: {', '.join(CampaignStatus)}")
    return View(app, CampaignStatus(status) if status else None, number_of(request), several=len(known) > 1)


def _word(request: Request) -> str:
    word = request.path_params["word"]
    if word not in asking.VERBS:
        raise NotFound(f"There is nothing called {word[:80]} to do to a campaign")
    return word
