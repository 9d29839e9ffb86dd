"""The shape of what goes in and out: JSON bodies read strictly, answers in the vendor's envelope."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, NoReturn, cast

from starlette.responses import Response

from heliograph.errors import Invalid, TooLarge
from heliograph.rules import body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import datetime

    from starlette.requests import Request

JSON_LIMIT = 10 * 1024 * 1024  # bytes; a body is held in memory


def reply(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response with exactly this body, its keys in this order."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(), status_code=status, headers=headers, media_type="application/json")


def success(message: str, data: object) -> Response:
    """The vendor's common envelope."""
    return reply({"status": "success", "message": message, "data": data})


def instant(moment: datetime) -> str:
    """A time as the API writes it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def chunks(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives. Raises TooLarge as soon as it is, or says it will be, over ``limit`` bytes."""
    announced = request.headers.get("content-length", "")
    got = 0
    if announced.isascii() and announced.isdigit() and (len(announced) > len(str(limit)) or int(announced) > limit):
        _too_large(limit)
    async for chunk in request.stream():
        got += len(chunk)
        if got > limit:
            _too_large(limit)
        yield chunk


def _too_large(limit: int) -> NoReturn:
    raise TooLarge(f"The body is larger than the {limit // (1024 * 1024)} MB that this call takes")


async def json_object(request: Request) -> dict[str, object]:
    """The JSON object in the body; an empty body is an empty object. Raises Invalid or TooLarge."""
    value = await json_value(request)
    if not isinstance(value, dict):
        raise Invalid(f"The body is {_kind(value)}, and a JSON object is expected")
    return cast("dict[str, object]", value)


async def json_value(request: Request) -> object:
    """The JSON value in the body whatever its Content-Type says; an empty object when it is empty.

    Raises :class:`Invalid` for what is no JSON and for what PostgreSQL or a phone could never hold
    (NUL, half of a surrogate pair, NaN, infinity), and :class:`TooLarge` beyond JSON_LIMIT bytes.
    """
    raw = b"".join([chunk async for chunk in chunks(request, JSON_LIMIT)])
    try:
        text = raw.decode("utf-8-sig")
        if not text.strip():
            return {}
        value: object = json.loads(text)
    except UnicodeDecodeError as error:
        raise Invalid(f"The body is not UTF-8 text: byte {error.start} cannot be read") from error
    except RecursionError as error:
        raise Invalid("The body is nested too deeply") from error
    except json.JSONDecodeError as error:
        text = f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise Invalid(text) from error
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid("The body holds a number that is too long") from error
    body.storable(value)
    return value


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a JSON array"
    return "a text" if isinstance(value, str) else "a single value"
