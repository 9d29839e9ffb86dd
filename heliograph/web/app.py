"""The console as one ASGI application, and how it stands beside the API on one server.

The command line composes them::

    api = create_api(db, seal, settings, clock)
    mount(api, create_web(db, settings, clock))

The console answers ``/`` and everything below ``/console``; every other path, and every 404 and 405 of the
API, stays the API's.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from heliograph import errors
from heliograph.rules import wording
from heliograph.rules.campaign import CampaignStatus
from heliograph.web import (
    api_page,
    app_settings,
    audit,
    composer,
    door,
    flows,
    inbox,
    lists,
    me,
    opt_outs,
    pages,
    people,
    reports,
    senders,
    sign_in,
    templates_page,
)
from heliograph.web.kit import Kit, is_partial
from heliograph.web.saying import Said

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from heliograph.actions.seal import Seal
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
STATIC = HERE / "static"

# Looked up along the class's ancestors, so that a new error has its parent's status until it gets a line.
STATUS: dict[type, int] = {
    errors.Invalid: 400,
    errors.TooLarge: 413,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Stopping: 503,
    errors.StoreUnavailable: 503,
}


SECTIONS = {
    "campaigns": pages.routes,
    "inbox": inbox.routes,
    "flows": flows.routes,
    "reports": reports.routes,
    "senders": senders.routes,
    "settings": app_settings.routes,
    "api": api_page.routes,
    "compose": composer.routes,
    "templates": templates_page.routes,
    "users": people.routes,
    "audit": audit.routes,
    "lists": lists.routes,
    "opt-outs": opt_outs.routes,
}
"""Every section that has pages, by its key in the navigation, and what makes its routes from the kit."""


def create_web(db: Database, settings: Settings, clock: Clock, seal: Seal | None = None) -> Starlette:
    """The console over an open database. Whoever opened the database closes it."""
    templates = environment()
    kit = Kit(db, settings, clock, templates, seal, set(SECTIONS))

    def trouble(request: Request, error: Exception) -> Response:
        return _trouble(templates, clock, request, error)

    async def handle(request: Request, error: Exception) -> Response:
        return trouble(request, error)

    web = Starlette(
        routes=[
            Mount("/console/static", _Static(directory=STATIC), name="static"),
            Route("/console", _front),
            Route("/console/go", _go),
            *sign_in.routes(kit),
            *me.routes(kit),
            *(route for routes in SECTIONS.values() for route in routes(kit)),
        ],
        # Compressing tells nobody a form's token: a page that another site asks for has a new one each time, as the
        # cookie does not come along. Events are not held back for it: it leaves text/event-stream as it is.
        middleware=[
            Middleware(GZipMiddleware, compresslevel=6),
            Middleware(door.Door, page=trouble, db=db, settings=settings, clock=clock),
        ],
        exception_handlers={errors.HeliographError: handle, HTTPException: handle},
    )
    web.state.kit = kit
    return web


async def _front(_request: Request) -> Response:
    return RedirectResponse("/")


async def _go(request: Request) -> Response:
    """To another app: its campaigns, or whatever else one may see of it."""
    wanted = request.query_params.get("app", "")
    return RedirectResponse(f"{door.START}?app={quote(wanted, safe='')}" if wanted else "/", status_code=303)


def mount(server: Starlette, web: Starlette) -> None:
    """Have ``web`` answer its own paths of ``server``, and no others."""
    for path in ("/", "/console", "/console/{rest:path}"):
        server.router.routes.append(Route(path, web, include_in_schema=False))


def environment() -> Environment:
    """The templates, with the words they use. Everything is escaped; a name that is not there is an error."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    version = _version()

    def asset(name: str) -> str:
        return f"/console/static/{name}?v={version}"

    def icon(name: str) -> Markup:
        return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
            asset("icons.svg"), name
        )

    words: dict[str, object] = {
        "asset": asset,
        "icon": icon,
        "statuses": list(CampaignStatus),
        "percent": wording.percent,
        "moment": wording.moment,
    }
    env.globals.update(cast("dict[str, Any]", words))
    env.filters["number"] = lambda value: f"{value:,}"
    return env


def _version() -> str:
    """Changes with any static file, so that browsers may keep each for good."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; one asked for by its version never changes."""
        response = await super().get_response(path, scope)
        kept = "public, max-age=31536000, immutable" if b"v=" in scope["query_string"] else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def _trouble(templates: Environment, clock: Clock, request: Request, error: Exception) -> Response:
    """A sentence about an error: in the status line of the page that is there, or as a page of its own."""
    status, text = _told(request, error)
    request.state.refused = text
    shut = isinstance(error, errors.Forbidden) and request.method == "GET" and door.user(request) is None
    name = "said.html" if is_partial(request) else "shut.html" if shut else "trouble.html"
    port = (request.scope.get("server") or ("", None))[1] or 8080
    said = Said(text, trouble=True) if is_partial(request) else None  # a page tells it in its middle
    values = {"said": said, "told": text, "status": status, "port": port, "now": clock(), "framed": False}
    headers = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML", "Vary": "HX-Request"}
    if status == 503:  # noqa: PLR2004  # Service Unavailable
        headers["Retry-After"] = "1"
    return HTMLResponse(templates.get_template(name).render(values), status, headers=headers)


def _told(request: Request, error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        gone = f"There is no page {request.scope['path']}."
        return error.status_code, gone if error.status_code == 404 else str(error.detail)  # noqa: PLR2004  # Not Found
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if isinstance(error, errors.HeliographError) and status is not None:
        return status, error.message
    reference = secrets.token_hex(6)
    log.error("event=unforeseen reference=%s path=%s", reference, request.scope["path"], exc_info=error)
    return 500, f"Something went wrong on our side; the log has it under reference {reference}."
