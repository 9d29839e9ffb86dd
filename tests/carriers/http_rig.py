"""Every HTTP carrier under the carrier contract: one server that follows a script, in each vendor's words."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from aiohttp import web

from heliograph.carriers import registry
from heliograph.carriers.base import Carrier, Heard, ReceiptState
from tests.carriers.contract import WRITTEN, Answer, Can, DeafEar, Ear, Later, Script
from tests.carriers.hooks import URL, deliver
from tests.carriers.http_far import Asked, Far, Handed
from tests.carriers.http_hooks import said_of, written

log = logging.getLogger(__name__)

_A, _D, _F = ReceiptState.ACCEPTED, ReceiptState.DELIVERED, ReceiptState.FAILED
SAID: dict[Later, tuple[ReceiptState, ...]] = {
    Later.DELIVERED: (_D,),
    Later.FAILED: (_F,),
    Later.TWICE: (_D, _D),
    Later.STALE: (_D, _A),
    Later.EARLY: (_D,),
}


class HttpRig:
    def __init__(self, far: Far) -> None:
        self.far = far
        self.name = far.name
        self.lacks: Mapping[Can, str] = far.lacks
        self._sites: list[_Server] = []
        self._taken: list[tuple[str, str]] = []

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier:
        server = _Server(self.far, script, listener, self._taken)
        self._sites.append(server)
        port = await server.start()
        if script.down:
            await server.stop()
        settings = {
            **self.far.settings,
            "url": f"http://127.0.0.1:{port}" + (self.far.path if self.far.kind == "generic" else ""),
            # Short only where an answer never comes: elsewhere a machine under load is no reason to give up.
            "answer_timeout_s": 0.4 if Answer.IS_SILENT in script.answers.values() else 30,
        }
        return await registry.open_carrier(
            self.far.kind, settings, listener=listener, name="rig", transcript=folder, webhook_url=URL
        )

    def record(self) -> list[tuple[str, str]]:
        return self._taken

    async def close(self) -> None:
        for server in self._sites:
            await server.stop()


class _Server:
    def __init__(self, far: Far, script: Script, listener: Ear | DeafEar, taken: list[tuple[str, str]]) -> None:
        self._far, self._script, self._listener, self._taken = far, script, listener, taken
        self._known: dict[str, Handed] = {}
        self._count = count(1)
        self._parts = 0
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        held = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(self._runner, held).start()
        return held.getsockname()[1]

    async def stop(self) -> None:
        self._over.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, request.query_string, request.headers, await request.read())
        if self._far.authorization:
            assert asked.headers["Authorization"].startswith(self._far.authorization)
        if self._script.refuses_us:
            return _answer(*self._far.shuts)
        if self._far.found is not None and asked.method == "GET":
            return _answer(200, self._far.found(asked, self._known))
        assert asked.path == self._far.path
        handed = self._far.reads(asked)
        assert handed.sender == "+15555550100"
        limit = self._script.parts_per_second
        if limit is not None and self._parts >= limit:
            return _answer(*self._far.throttles, {"Retry-After": "7"})
        self._parts += 1
        self._taken.append((handed.number, handed.text))
        status, body, ref = self._far.takes(handed, f"ref-{next(self._count)}")
        self._known[ref] = handed
        match self._script.answers.get(handed.number, Answer.TAKES):
            case Answer.REFUSES:
                status, body = self._refusal(self._far.refuses, handed)
            case Answer.REFUSES_FOR_NOW:
                status, body = self._refusal(self._far.refuses_for_now or self._far.refuses, handed)
            case Answer.IS_SILENT:
                await self._over.wait()
            case Answer.CUTS:
                assert request.transport is not None
                request.transport.abort()
            case _:
                await self._speak_early(handed, ref)
        answer = _answer(status, body)
        await answer.prepare(request)
        await answer.write_eof()
        if self._script.answers.get(handed.number, Answer.TAKES) is Answer.TAKES:
            self._speak(handed, ref)
        return answer

    def _refusal(self, words: tuple[int, object], handed: Handed) -> tuple[int, object]:
        """Infobip names the text it refuses."""
        status, body = words
        if self._far.name == "infobip" and isinstance(body, dict) and "status" in body:
            group, number, name = body["status"]
            said = {"groupId": group, "id": number, "name": name}
            return status, {"messages": [{"messageId": handed.ours, "status": said}]}
        return status, body

    def _speak(self, handed: Handed, ref: str) -> None:
        later = self._script.later.get(handed.number, Later.NOTHING)
        if later is Later.REPLIES:
            self._call(written(handed.number, handed.sender, WRITTEN, f"in-{ref}"))
        elif later is not Later.EARLY:
            for state in SAID.get(later, ()):
                self._call(said_of(ref, state))

    async def _speak_early(self, handed: Handed, ref: str) -> None:
        if self._script.later.get(handed.number) is Later.EARLY:
            self._call(said_of(ref, _D))
            await asyncio.sleep(0.1)  # whoever heard it looks whether the answer is there

    def _call(self, said: Heard) -> None:
        hook = self._far.hook
        settings = {**hook.settings, **self._far.settings}
        for call in hook.calls(said, settings):
            try:
                assert deliver(hook.webhook, settings, call, self._listener)
            except RuntimeError as error:  # the deaf ear's; a server tells no more of it than this
                log.error("listener_failed error=%s", type(error).__name__)  # noqa: TRY400  # a traceback would hold what no log may


def _answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers)
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)
