"""The API as one ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

import heliograph
from heliograph.api import auth, carrier_calls, demo, docs, envelope, errors, limits, paths, routes
from heliograph.errors import StoreUnavailable
from heliograph.rules.allowance import Allowances
from heliograph.store import apps

if TYPE_CHECKING:
    from heliograph.actions.seal import Seal
    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database


def create_api(db: Database, seal: Seal, settings: Settings, clock: Clock) -> FastAPI:
    """The API over an open database. Whoever opened the database closes it.

    Pages mount on the result; every path and error goes through the same three middlewares; calls of carriers
    are answered before them.
    """
    api = FastAPI(
        title="Heliograph",
        version=heliograph.__version__,
        openapi_url=None,  # docs.py serves the description, with our answers instead of the framework's 422
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.house = auth.House(db, seal, settings, clock, Allowances(settings.rate_limit_per_minute))
    errors.install(api)
    api.add_route("/healthz", _health, methods=["GET"], include_in_schema=False)
    api.add_route(demo.PATH, demo.support, methods=["POST"], include_in_schema=False)
    docs.mount(api)
    routes.mount(api)
    api.add_middleware(limits.Tell)
    api.add_middleware(paths.Normalise)
    api.add_middleware(errors.Guard)
    api.add_middleware(carrier_calls.Calls, db=db, seal=seal, settings=settings, clock=clock)  # last, so outermost
    return api


async def _health(request: Request) -> Response:
    """Whether this process can serve: it is up, and its database answers."""
    try:
        async with auth.house(request).db.connection() as conn:
            await apps.ping(conn)
    except StoreUnavailable as error:
        return errors.answer(503, error.message, headers={"Retry-After": "1"})
    return envelope.reply({"status": "ok"})
