"""A customer's HTTP API on this machine: it answers as the test says, and writes down how it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

Maker = Callable[[web.Request], Awaitable[web.StreamResponse]]

HERE = "127.0.0.0/8"  # what has to be allowed for a pull to reach it


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    place: str  # path and query
    headers: dict[str, str]
    body: bytes


@dataclass
class CustomerApi:
    """``answers`` by path: a JSON value, a response, or a function that makes one."""

    port: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, place: str = "/contacts", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{place}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.path_qs, dict(request.headers), body))
        found = self.answers.get(request.path)
        if callable(found):
            return await cast("Maker", found)(request)
        if isinstance(found, web.Response):
            return web.Response(status=found.status, headers=found.headers, body=found.body)  # one answers once
        if found is None:
            return web.Response(status=404, text="nothing here")
        return web.Response(text=json.dumps(found), content_type="application/json")


@asynccontextmanager
async def serve(host: str = "127.0.0.1") -> AsyncIterator[CustomerApi]:
    """The API, for as long as the block runs."""
    api = CustomerApi()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", api.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    api.port = runner.addresses[0][1]
    try:
        yield api
    finally:
        await runner.cleanup()
