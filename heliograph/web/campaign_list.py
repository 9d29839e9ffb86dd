"""The pages of many campaigns: every app's at ``/``, one app's below it; a table, or cards with every number."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from heliograph.errors import Invalid, NotFound
from heliograph.rules import quiet
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import apps, overview, panics
from heliograph.web import asking, door, teaching, why
from heliograph.web.kit import YEAR, link, number_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.overview import Sort, Standing
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
LONGEST_SEARCH = 100
VIEWS = "heliograph_views"  # cookie: views that somebody has named, as [app, name, query]
MOST_VIEWS = 20
LONGEST_VIEW = 40
SORTS: dict[Sort, str] = {
    "newest": "Newest first",
    "name": "By name",
    "priority": "By priority",
    "status": "By status",
}
SHAPES = ("table", "cards")


@dataclass(frozen=True, slots=True)
class View:
    """Which campaigns are looked at, from which page on, and how: one app's or all, in one status or all."""

    app: App | None
    status: CampaignStatus | None
    number: int
    several: bool  # whether there is more than one app to tell apart
    own: bool  # it is the page of its app
    name: str = ""
    sort: Sort = "newest"
    shape: str = "cards"

    def link(self, **other: object) -> str:
        """The address of this view, with some of it changed."""
        return link(self.path, **(self._values() | other))

    def stream(self) -> str:
        """The address of the part of it that changes by itself."""
        app = self.app.public_id if self.app else None
        return link("/console/campaigns", **(self._values() | {"app": app, "as": self.shape, "own": self.own or None}))

    @property
    def path(self) -> str:
        """Its address without a query."""
        return f"/console/{self.app.public_id}/campaigns" if self.own and self.app else "/"

    @property
    def is_narrowed(self) -> bool:
        """Whether it may leave out campaigns."""
        return bool(self.status or self.name)

    def _values(self) -> dict[str, object]:
        usual = "table" if self.own else "cards"
        return {
            "app": self.app.public_id if self.app and not self.own else None,
            "status": self.status,
            "q": self.name,
            "sort": self.sort if self.sort != "newest" else None,
            "as": self.shape if self.shape != usual else None,
            "page": self.number if self.number > 1 else None,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign as it is shown."""

    standing: Standing
    why: why.Why
    verbs: tuple[str, ...]


def routes(kit: Kit) -> list[Route]:
    """The addresses of lists of campaigns."""
    page = Lists(kit)
    return [
        kit.route("/", page.home, right="campaigns"),
        kit.route("/console/campaigns", page.live, right="campaigns"),
        kit.route("/console/{app}/campaigns", page.home, right="campaigns"),
        kit.route("/console/{app}/campaigns/views", page.keep, right="campaigns", methods=["POST"]),
    ]


class Lists:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def home(self, request: Request) -> Response:
        """The page at ``/``, and that of an app."""
        values = await self._campaigns(request)
        view = cast("View", values["view"])
        more: dict[str, object] = {"sorts": list(SORTS.items()), "views": _views(request, view), "most": LONGEST_VIEW}
        return await self.kit.page(request, "home.html", values | more, section="campaigns", app=view.app)

    async def live(self, request: Request) -> Response:
        """The part of the page that changes by itself."""

        async def piece() -> str:
            return self.kit.text("campaigns.html", await self._campaigns(request))

        return await self.kit.live(request, piece)

    async def keep(self, request: Request) -> Response:
        """Keep the view that somebody looks at under a name, or forget one. They are kept in the browser's cookie."""
        form = await door.check_form(request)
        app = await self.kit.app(request)
        path = f"/console/{app.public_id}/campaigns"
        name, forget = " ".join(form.text("name").split()), form.text("forget")
        known = [
            one for one in _kept(request) if (one[0], one[1]) not in {(app.public_id, name), (app.public_id, forget)}
        ]
        if forget:
            response = self.kit.done(request, path, f"Forgot the view {forget[:LONGEST_VIEW]}.")
        elif not 0 < len(name) <= LONGEST_VIEW:
            raise Invalid(f"A view takes a name of 1 to {LONGEST_VIEW} characters; this one has {len(name)}")
        else:
            wanted = {key: value for key, value in parse_qsl(form.text("query")[:500]) if key != "page"}
            known.append((app.public_id, name, link("", **wanted).removeprefix("?")))
            response = self.kit.done(request, link(path, **wanted), f"Kept this view as {name}, in this browser.")
        packed = base64.urlsafe_b64encode(json.dumps(known[-MOST_VIEWS:]).encode()).decode()
        response.set_cookie(VIEWS, packed, max_age=YEAR, path="/", httponly=True, samesite="strict")
        return response

    async def _campaigns(self, request: Request) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            known = [one for one in await apps.list_all(conn) if door.may_enter(request, one)]
            view = _view(request, known)
            app_id = view.app.app_id if view.app else None
            counts = await overview.count(conn, app_id=app_id, name=view.name)
            found = await overview.page(
                conn,
                app_id=app_id,
                status=view.status,
                offset=(view.number - 1) * ON_A_PAGE,
                limit=ON_A_PAGE,
                now=now,
                name=view.name,
                sort=view.sort,
            )
            there = counts or (view.name and await overview.count(conn, app_id=app_id))
            held = [] if app_id is None else await panics.list_in_force(conn, app_id)
        matching = counts.get(view.status, 0) if view.status else sum(counts.values())
        newest = view.app or (known[-1] if known else None)
        base = f"{request.scope['scheme']}://{request.headers['host']}"
        return {
            "view": view,
            "apps": known,
            "counts": counts,
            "there": there,
            "matching": matching,
            "last_page": max(1, -(-matching // ON_A_PAGE)),
            "rows": [Row(one, why.explain(one, now), asking.allowed(one.status)) for one in found],
            "loud": sorted({one.app_name for one in found if quiet.in_force(one.quiet_hours) is quiet.OFF}),
            "held": held,
            "steps": () if there else teaching.steps(newest, self.kit.settings, base),
            "now": now,
        }


def _view(request: Request, known: list[App]) -> View:
    sent = request.query_params
    wanted = request.path_params.get("app") or sent.get("app", "")
    status, sort = sent.get("status", ""), sent.get("sort", "") or "newest"
    app = next((app for app in known if app.public_id == wanted), None)
    if wanted and app is None:
        raise NotFound(f"There is no app {wanted[:80]}")
    if status and status not in list(CampaignStatus):
        raise Invalid(f"status is {status[:80]!r}; it takes one of: {', '.join(CampaignStatus)}")
    if sort not in SORTS:
        raise Invalid(f"sort is {sort[:80]!r}; it takes one of: {', '.join(SORTS)}")
    own = "app" in request.path_params or bool(sent.get("own"))
    shape = sent.get("as", "") or ("table" if own else "cards")
    if shape not in SHAPES:
        raise Invalid(f"as is {shape[:80]!r}; it takes one of: {', '.join(SHAPES)}")
    return View(
        app,
        CampaignStatus(status) if status else None,
        number_of(request),
        several=len(known) > 1 and not own,
        own=own,
        name=sent.get("q", "").strip()[:LONGEST_SEARCH],
        sort=sort,
        shape=shape,
    )


def _kept(request: Request) -> list[tuple[str, str, str]]:
    """The views kept in the browser. Whoever forges the cookie has links of their own, and no more."""
    try:
        found = json.loads(base64.urlsafe_b64decode(request.cookies[VIEWS]))
        return [(str(app), str(name)[:LONGEST_VIEW], str(query)[:500]) for app, name, query in found][:MOST_VIEWS]
    except (KeyError, ValueError, TypeError):
        return []


def _views(request: Request, view: View) -> list[tuple[str, str, bool]]:
    """The views of the app looked at: name, address, and whether it is this one."""
    if view.app is None or not view.own:
        return []
    here = view.link(page=None)
    found: list[tuple[str, str, bool]] = []
    for app, name, query in _kept(request):
        path = link(view.path, **dict(parse_qsl(query)))
        if app == view.app.public_id:
            found.append((name, path, path == here))
    return found
