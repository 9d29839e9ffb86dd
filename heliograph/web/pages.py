"""The pages: the campaigns, and asking before something is done to one of them.

Every page works without a script: buttons are forms, a form that was posted answers with a redirect. With
the script the same addresses answer with the piece of the page that changes (they are told by HX-Request).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse

from heliograph.actions import runs
from heliograph.errors import IllegalMove, Invalid, NotFound
from heliograph.rules import quiet
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import apps, overview, tallies
from heliograph.web import asking, door, teaching, why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response

    from heliograph.config import Clock, Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.overview import Standing

ON_A_PAGE = 50
SAID = "heliograph_said"  # cookie: what was just done, until the next page has shown it
LONGEST_SAID = 1000


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


class Pages:
    """The handlers, with what they need."""

    def __init__(self, db: Database, settings: Settings, clock: Clock, templates: Environment) -> None:
        self.db = db
        self.settings = settings
        self.clock = clock
        self.templates = templates

    async def home(self, request: Request) -> Response:
        """The page at ``/``."""
        values = await self._campaigns(request)
        token = door.token(request)
        response = self._render("home.html", values | {"said": _recall(request)})
        door.give_token(request, response, token)
        if SAID in request.cookies:
            response.delete_cookie(SAID, path="/")
        return response

    async def live(self, request: Request) -> Response:
        """The part of the page at ``/`` that changes by itself."""
        return self._render("campaigns.html", await self._campaigns(request))

    async def ask(self, request: Request) -> Response:
        """What a verb would do to a campaign now, and the button that does it."""
        word, token = _word(request), door.token(request)
        async with self.db.connection() as conn:
            app = await apps.get(conn, request.path_params["app"])
            standing = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.clock())
        values: dict[str, object] = {"standing": standing, "word": word, "token": token}
        try:
            values |= {"question": asking.question(word, standing), "refused": ""}
        except IllegalMove as error:
            values |= {"question": None, "refused": error.message}
        response = self._render("ask.html" if is_partial(request) else "ask_page.html", values)
        door.give_token(request, response, token)
        return response

    async def act(self, request: Request) -> Response:
        """Do it, and say what was done."""
        word = _word(request)
        await door.check_form(request)
        async with self.db.connection() as conn:
            app = await apps.get(conn, request.path_params["app"])
            before = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.clock())
        verb = {
            "start": runs.play,
            "resume": runs.resume,
            "pause": runs.pause,
            "stop": runs.stop,
            "delete": runs.delete,
        }[word]
        campaign = await verb(self.db, app, before.public_id, now=self.clock())
        async with self.db.connection() as conn:
            ledger = await tallies.read(conn, app.app_id, campaign.run_id or 0, self.clock())
        text = asking.done(word, before, ledger)
        if is_partial(request):
            return self._render("said.html", {"said": {"text": text, "trouble": False}})
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(SAID, _packed(text), max_age=60, path="/", httponly=True, samesite="strict")
        return response

    async def _campaigns(self, request: Request) -> dict[str, object]:
        now = self.clock()
        async with self.db.connection() as conn:
            known = await apps.list_all(conn)
            view = _view(request, known)
            app_id = view.app.app_id if view.app else None
            counts = await overview.count(conn, app_id=app_id)
            offset = (view.number - 1) * ON_A_PAGE
            found = await overview.page(
                conn, app_id=app_id, status=view.status, offset=offset, limit=ON_A_PAGE, now=now
            )
        matching = counts.get(view.status, 0) if view.status else sum(counts.values())
        base = f"{request.scope['scheme']}://{request.headers['host']}"
        return {
            "view": view,
            "apps": known,
            "counts": counts,
            "matching": matching,
            "last_page": max(1, -(-matching // ON_A_PAGE)),
            "rows": [_row(standing, now) for standing in found],
            "loud": sorted({one.app_name for one in found if quiet.in_force(one.quiet_hours) is quiet.OFF}),
            "steps": () if counts else teaching.steps(view.app or (known[-1] if known else None), self.settings, base),
            "now": now,
        }

    def _render(self, template: str, values: Mapping[str, object]) -> HTMLResponse:
        text = self.templates.get_template(template).render({"now": self.clock(), **values})
        return HTMLResponse(text, headers={"Vary": "HX-Request"})


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign as it is shown."""

    standing: Standing
    why: why.Why
    verbs: tuple[str, ...]


def is_partial(request: Request) -> bool:
    """Whether the script asks for a piece of the page."""
    return request.headers.get("hx-request") == "true"


def _row(standing: Standing, now: datetime) -> Row:
    return Row(standing, why.explain(standing, now), asking.allowed(standing.status))


def _view(request: Request, known: list[App]) -> View:
    wanted, status, number = (request.query_params.get(name, "") for name in ("app", "status", "page"))
    app = next((app for app in known if app.public_id == wanted), None)
    if wanted and app is None:
        raise NotFound(f"There is no app {wanted[:80]}")
    if status and status not in list(CampaignStatus):
        raise Invalid(f"status is {status[:80]!r}; it takes one of: {', '.join(CampaignStatus)}")
    if number and not (number.isascii() and number.isdigit() and 0 < int(number[:9]) < 1_000_000):  # noqa: PLR2004  # far more pages than there are
        raise Invalid(f"page is {number[:80]!r}; it takes a number from 1 on")
    return View(app, CampaignStatus(status) if status else None, int(number or 1), several=len(known) > 1)


def _word(request: Request) -> str:
    word = request.path_params["word"]
    if word not in asking.VERBS:
        raise NotFound(f"There is nothing called {word[:80]} to do to a campaign")
    return word


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(text[:LONGEST_SAID]).encode()).decode()


def _recall(request: Request) -> dict[str, object] | None:
    """What was just done. Whoever forges the cookie shows himself a text, and no more than text."""
    try:
        text = json.loads(base64.urlsafe_b64decode(request.cookies[SAID]))
    except (KeyError, ValueError):
        return None
    return {"text": text[:LONGEST_SAID], "trouble": False} if isinstance(text, str) else None
