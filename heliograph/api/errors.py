"""What an error looks like to a client: its HTTP status, the vendor's text and code, and nothing of our inside.

Every error body is ``{"status": "error", "message": ..., "errors": [{"msg", "code", "field"}]}``; ``field`` only
when the fault lies in one input. ``code`` is the vendor's number where it is known, else the HTTP status.
"""

from __future__ import annotations

import logging
import math
import secrets
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from heliograph import errors
from heliograph.actions import access
from heliograph.api import envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

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
    errors.CarrierDown: 503,
    errors.StoreUnavailable: 503,
}

# Seconds after which asking again makes sense, for errors that do not say so themselves.
RETRY_AFTER: dict[type, int] = {
    errors.UnderWay: 1,
    errors.Stopping: 1,
    errors.CarrierDown: 5,
    errors.StoreUnavailable: 5,
}

# The vendor's numbers for the vendor's texts.
VENDOR_CODES = {access.BAD_CREDENTIALS: 4002, access.NOT_A_JWT: 4002, access.WRONG_SCOPE: 4002}


LONGEST = 1000  # characters of a message: enough for any sentence of ours, with a name or an id as long as it may be


def answer(
    status: int, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that tells a client of an error."""
    if len(message) > LONGEST:  # it shows something that was sent, and that was too long to be what it should
        message = message[:LONGEST] + "…"
    text = message.split(":", 1)[0]
    problem: dict[str, object] = {"msg": message, "code": VENDOR_CODES.get(text, status)}
    if field is not None:
        problem["field"] = field
    body = {"status": "error", "message": message, "errors": [problem]}
    return envelope.reply(body, status=status, headers=headers)


def install(api: FastAPI) -> None:
    """Have every deliberate error, and the framework's own, answered in this shape."""
    api.add_exception_handler(errors.HeliographError, _deliberate)
    api.add_exception_handler(HTTPException, _framework)
    api.add_exception_handler(RequestValidationError, _unreadable)
    api.add_exception_handler(ClientDisconnect, _gone)


async def _deliberate(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.HeliographError)  # noqa: S101  # what it is installed for
    return refusal(error) or unforeseen(request.scope, error)


def refusal(error: errors.HeliographError) -> Response | None:
    """The answer to a deliberate error; None for one that no request should lead to."""
    status = _along(STATUS, error)
    if status is None:
        return None
    wait = error.retry_after if isinstance(error, errors.RateLimited) else _along(RETRY_AFTER, error)
    headers = {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
    return answer(status, error.message, field=error.field, headers=headers)


def _along(table: Mapping[type, int], error: Exception) -> int | None:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is installed for
    if error.status_code == 405:  # noqa: PLR2004  # Method Not Allowed
        return answer(405, "Method Not Allowed", headers={"Allow": ", ".join(_verbs(request))})
    if error.status_code == 404:  # noqa: PLR2004  # Not Found
        return answer(404, f"There is nothing at {request.url.path}; the API is described at /docs")
    return answer(error.status_code, str(error.detail), headers=error.headers)


def _verbs(request: Request) -> list[str]:
    found: set[str] = set()
    for route in request.app.router.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is installed for
    first = error.errors()[0]
    return answer(400, str(first["msg"]), field=".".join(str(part) for part in first["loc"][1:]))


async def _gone(_request: Request, _error: Exception) -> Response:
    return answer(400, "The connection ended before the body had arrived")  # nobody is left to read it


def unforeseen(scope: Scope, error: Exception) -> Response:
    """The answer to a fault of ours: a reference to our log, and no word about our inside."""
    reference = secrets.token_hex(6)
    where = (scope["method"], scope["path"])
    log.error("event=unforeseen reference=%s verb=%s path=%s", reference, *where, exc_info=error)
    return answer(500, f"Something went wrong on our side; the log has it under reference {reference}")


class Guard:
    """ASGI middleware: whatever escapes a handler is logged under a reference and answered with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await unforeseen(scope, error)(scope, receive, send)
