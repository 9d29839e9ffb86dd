"""How many requests an account has left, told in the headers of every answer to a caller who was let in.

The three headers that clients know (``RateLimit-Limit`` …) and the two of the IETF's draft (RateLimit header fields
for HTTP, version 8 and later). The law is in ``rules/allowance.py``.
"""

from __future__ import annotations

from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.rules import allowance
from heliograph.rules.allowance import Allowances, Standing

_STANDING = "standing"  # where a request's state keeps it


def count(request: Request, allowances: Allowances, account_id: str, now: datetime) -> None:
    """Count a request of an account. Raises :class:`~heliograph.errors.RateLimited` when it has none left."""
    standing = allowances.take(account_id, now.timestamp())
    if standing is None:
        return
    request.scope["state"][_STANDING] = standing
    if standing.exceeded:
        raise allowance.refuse(standing)


def headers(standing: Standing) -> dict[str, str]:
    """The headers that tell it."""
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(standing.reset),
        "RateLimit": f'"minute";r={standing.remaining};t={standing.reset}',
        "RateLimit-Policy": f'"minute";q={standing.limit};w={allowance.WINDOW}',
    }


class Tell:
    """ASGI middleware that puts the headers on whatever is answered to a request that was counted."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = dict(scope.get("state") or {})

        async def tell(message: Message) -> None:
            standing = state.get(_STANDING)
            if message["type"] == "http.response.start" and standing is not None:
                MutableHeaders(scope=message).update(headers(standing))
            await send(message)

        await self.app({**scope, "state": state}, receive, tell)
