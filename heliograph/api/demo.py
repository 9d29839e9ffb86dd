"""The demo support desk over HTTP: ``POST /demo/support``, so that a copy of the support flow can be pointed at it.

Anybody may ask: all that it knows is made up, and it keeps nothing of what it is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from heliograph.api import envelope
from heliograph.errors import Invalid
from heliograph.rules import demo_support

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PATH = "/demo/support"
LIMIT = 1024 * 1024  # bytes


async def support(request: Request) -> Response:
    """Answer as :func:`heliograph.rules.demo_support.answer`; its JSON alone, in no envelope."""
    raw = b"".join([chunk async for chunk in envelope.chunks(request, LIMIT)])
    try:
        asked: object = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {type(error).__name__}") from error
    return envelope.reply(demo_support.answer(asked))
