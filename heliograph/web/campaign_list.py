"""The pages of many campaigns: every app's at ``/``, one app's below it; a table, or cards with every number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from heliograph.actions import saved_views as keeping
from heliograph.errors import Invalid, NotFound
from heliograph.rules import quiet
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import apps, overview, panics, saved_views
from heliograph.web import asking, door, teaching, why
from heliograph.web.kit import link, number_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.overview import Sort, Standing
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
LONGEST_SEARCH = 100
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
        views = await self._views(request, view)
        more: dict[str, object] = {"sorts": list(SORTS.items()), "views": views, "most": keeping.LONGEST}
        return await self.kit.page(request, "home.html", values | more, section="campaigns", app=view.app)

    async def live(self, request: Request) -> Response:
        """The part of the page that changes by itself."""

        async def piece() -> str:
            return self.kit.text("campaigns.html", await self._campaigns(request))

        return await self.kit.live(request, piece)

    async def keep(self, request: Request) -> Response:
        """Keep the view that somebody looks at under a name, or forget one."""
        form = await door.check_form(request)
        app, user_id = await self.kit.app(request), _user_id(request)
        path = f"/console/{app.public_id}/campaigns"
        if forget := form.text("forget"):
            await keeping.forget(self.kit.db, app, user_id, forget)
            return self.kit.done(request, path, f"Forgot the view {forget[: keeping.LONGEST]}.")
        sent = form.text("query")[: keeping.LONGEST_QUERY]
        wanted = {key: value for key, value in parse_qsl(sent) if key != "page"}
        query = link("", **wanted).removeprefix("?")
        kept = await keeping.keep(self.kit.db, app, user_id, form.text("name"), query, now=self.kit.now)
        return self.kit.done(
            request, link(path, **wanted), f"Kept this view as {kept.name}. It is yours wherever you sign in."
        )

    async def _views(self, request: Request, view: View) -> list[tuple[str, str, bool]]:
        """What its reader has kept of the app looked at: name, address, and whether it is this one."""
        if view.app is None or not view.own:
            return []
        async with self.kit.db.connection() as conn:
            kept = await saved_views.list_of(conn, view.app.app_id, _user_id(request))
        here = view.link(page=None)
        paths = {one.name: link(view.path, **dict(parse_qsl(one.query))) for one in kept}
        return [(name, path, path == here) for name, path in paths.items()]

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


def _user_id(request: Request) -> int:
    """Whoever is signed in; nobody else comes here."""
    user = door.user(request)
    return 0 if user is None else user.user_id
