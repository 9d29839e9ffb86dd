"""The API's description (OpenAPI) and a page to read and try it, without a request to any other host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from heliograph.api import envelope, paths, repeats, shapes

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
REF = "#/components/schemas/{model}"

DESCRIPTION = """
SMS campaigns: contact lists, campaigns, and their running. Send the JWT in the header `auth`.

Every path also answers under the vendor's other prefixes (`/campaign/api/v1`, `/api/v2`, `/api/1.1`), with
doubled or trailing slashes, and whatever the Content-Type says. Errors are
`{"status": "error", "message", "errors": [{"msg", "code", "field"}]}`.

A POST with an `Idempotency-Key` is done once: for 24 hours a repeat gets the first answer. `RateLimit-…` headers tell
how many requests the account has left.
"""

# Headers of requests and answers that no handler knows of.
KEY: dict[str, Any] = {
    "name": repeats.HEADER,
    "in": "header",
    "required": False,
    "description": "Of your choice, one for each request: a repeat with the same key and body gets the first answer.",
    "schema": {"type": "string", "pattern": repeats.PATTERN},
}
REPLAYED = {repeats.REPLAYED: ("`true` on an answer to a repeat.", "string")}
REMAINING = {
    "RateLimit-Limit": ("Requests the account may make in any 60 seconds.", "integer"),
    "RateLimit-Remaining": ("How many of them are left.", "integer"),
    "RateLimit-Reset": ("Seconds until there is one more.", "integer"),
    "RateLimit": ("The same as a structured field.", "string"),
    "RateLimit-Policy": ("The limit as a structured field.", "string"),
}
RETRY = {"Retry-After": ("Seconds to wait before asking again.", "integer")}
COUNTED = {"200", "202", "400", "404", "409", "413", "429", "503"}  # answers to callers who were let in

# Handlers read query values as text and say themselves what is wrong with one; they tell what it is for the
# description in ``json_schema_extra``. With this in it, the value has to be there.
NEEDED = {"x-needed": True}

# Swagger UI sets styles on elements from its script, which 'unsafe-inline' for styles allows; no script is inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Heliograph API</title>
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/own/start.js"></script>
</body>
</html>
"""


def mount(api: FastAPI) -> None:
    """Serve /docs and /openapi.json."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    async def description(_request: Request) -> Response:
        return envelope.reply(api.openapi())

    api.add_route("/docs", page, methods=["GET"], include_in_schema=False)
    api.add_route("/openapi.json", description, methods=["GET"], include_in_schema=False)
    api.mount("/docs/assets", StaticFiles(directory=STATIC / "vendor" / "swagger-ui"))
    api.mount("/docs/own", StaticFiles(directory=STATIC / "docs"))
    api.openapi = lambda: openapi(api)


def openapi(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, built once."""
    if api.openapi_schema is None:
        schema = get_openapi(title=api.title, version=api.version, description=DESCRIPTION, routes=api.routes)
        schema["components"]["schemas"] |= _bodies()
        schema["paths"] = _printed(schema["paths"])
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        api.openapi_schema = schema
    return api.openapi_schema


def _bodies() -> dict[str, Any]:
    models: list[tuple[type[shapes.Shape], Literal["validation"]]]
    models = [(model, "validation") for model in _all_shapes(shapes.Shape)]
    _, schema = models_json_schema(models, ref_template=REF)
    return schema["$defs"]


def _all_shapes(base: type[shapes.Shape]) -> list[type[shapes.Shape]]:
    return [shape for child in base.__subclasses__() for shape in (child, *_all_shapes(child))]


def _printed(routed: dict[str, Any]) -> dict[str, Any]:
    """The operations under the prefixes they are printed with, with their bodies, without the framework's 422."""
    printed: dict[str, Any] = {}
    named = {shape.__name__: shape for shape in _all_shapes(shapes.Shape)}
    for path, verbs in routed.items():
        for verb, operation in verbs.items():
            shown: str | None = operation.pop("x-shown", None)
            takes = operation.pop("x-takes", None)
            operation["responses"].pop("422", None)
            operation["parameters"] = [_told(parameter) for parameter in operation["parameters"]]
            _tell_headers(operation, post=verb == "post")
            for status, response in operation["responses"].items():
                if not status.startswith("2"):  # errors are JSON also where what is answered is not
                    (response["content"],) = ({"application/json": told} for told in response["content"].values())
            if takes is not None:
                body = named[takes]
                content = {"schema": {"$ref": REF.format(model=takes)}, "example": body.example}
                operation["requestBody"] = {"content": {body.media: content}, "required": body.needed}
            at: str = path if shown is None else shown + path[len(paths.SAME_AS.get(shown, shown)) :]
            printed.setdefault(at, {})[verb] = operation
    return printed


def _tell_headers(operation: dict[str, Any], *, post: bool) -> None:
    """Name the headers that every operation takes and answers with."""
    if post:
        operation["parameters"].append(KEY)
    for status, response in operation["responses"].items():
        told = {**(REPLAYED if post else {}), **(RETRY if status in ("429", "503") else {}), **REMAINING}
        if status in COUNTED:
            response["headers"] = {
                name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in told.items()
            }


def _told(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter as its handler tells of it; an empty query value is as good as none where none is needed."""
    schema = {key: value for key, value in parameter["schema"].items() if key not in ("anyOf", "title", "description")}
    needed = parameter["required"] or schema.pop("x-needed", False)
    told = {**parameter, "required": needed, "schema": {"type": "string", **schema}}
    if parameter["in"] == "query" and not needed:
        told["allowEmptyValue"] = True
        if "enum" in schema:
            told["schema"]["enum"] = [*schema["enum"], ""]
    return told
