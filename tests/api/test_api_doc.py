"""``docs/api.md`` cannot rot: every command on it is run, in order, and what it shows is what comes back.

A ``sh`` block holds one ``curl``. The shell itself takes it apart, with a ``curl`` that only says what it was called
with; the request goes to the API in this process, beside a worker. ``# → LIST = .data._id`` in a block sets a
variable for the blocks after it. The ``json`` block that follows shows the answer: its keys, their order, its words and
the kinds of all other values have to be right; of a ``csv`` block, the first line. Every POST is sent twice with one
key: that each heeds its key is known by this, too.

After a deliberate change: ``UPDATE_API_DOC=1 pytest tests/api/test_api_doc.py`` writes the answers anew; read the diff.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from starlette.routing import Match

from heliograph.actions.seal import Seal
from heliograph.api import app as api_app
from heliograph.api.routes import ROUTES
from heliograph.config import Settings
from heliograph.engine.worker import Worker
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
UPDATE = os.environ.get("UPDATE_API_DOC") == "1"
HOST = "http://heliograph.test"
CRM = "https://crm.example.com"  # what the page calls the reader's own API
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()  # that of the fixture `seal`, for the worker
WIDTH = 116
PENDING = ("/secrets", "/sources")

BLOCK = re.compile(r"^```(sh|json|csv)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET = re.compile(r"^# → (\w+) = (\S+)$", re.MULTILINE)
CURL = """curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n"""
# What the worker is about to do: plan a run, sync a list, take in a file.
TO_DO = """
SELECT (SELECT count(*) FROM run WHERE planned_at IS NULL AND ended_at IS NULL)
     + (SELECT count(*) FROM list_source WHERE next_sync_at <= %(now)s)
     + (SELECT count(*) FROM sync_log WHERE outcome = 'running')
     + (SELECT count(*) FROM import_job WHERE state IN ('waiting', 'running'))
"""
# What the reader's own API answers.
PEOPLE = {
    "data": {
        "items": [
            {"id": "c-1", "name": {"first": "Eszter"}, "contact": {"phone": "+12025550121"}},
            {"id": "c-2", "name": {"first": "Femi"}, "contact": {"phone": "unknown"}},
        ]
    }
}


@dataclass
class Example:
    """A command on the page, and where its answer stands below it."""

    command: str
    kind: str = ""
    shown: str = ""
    span: tuple[int, int] = (0, 0)


def examples(page: str) -> list[Example]:
    """The commands of a page, in order."""
    found: list[Example] = []
    for block in BLOCK.finditer(page):
        if block[1] == "sh":
            found.append(Example(block[2]))
        else:
            assert found, "the page shows an answer before the first command"
            assert not found[-1].kind, f"two answers to {found[-1].command}"
            found[-1].kind, found[-1].shown, found[-1].span = block[1], block[2], block.span(2)
    return found


@dataclass
class Reader:
    """Somebody who follows the page from top to bottom."""

    client: httpx.AsyncClient
    db: Database
    clock: FrozenClock
    folder: Path
    known: dict[str, str]
    sent: int = 0

    async def run(self, example: Example) -> httpx.Response:
        """Do what a command says, and remember what it sets."""
        verb, url, headers, body = self.request(example.command)
        self.sent += 1
        headers = {"Idempotency-Key": f"example-{self.sent}"} | headers
        answer = await self.client.request(verb, url, headers=headers, **body)
        assert answer.status_code in (200, 202), (example.command, answer.status_code, answer.text)
        if verb == "POST":
            again = await self.client.request(verb, url, headers=headers, **body)
            assert again.headers["idempotency-replayed"] == "true", example.command
            assert again.content == answer.content, example.command
        for name, path in SET.findall(example.command):
            self.known[name] = at(answer.json(), path)
        await self.done()
        return answer

    def request(self, command: str) -> tuple[str, str, dict[str, str], dict[str, Any]]:
        """What ``curl`` would send."""
        shell = subprocess.run(
            ["sh", "-euc", CURL + command], env=self.known, cwd=self.folder, capture_output=True, check=True
        )
        words = iter(shell.stdout.decode().split("\0")[:-1])
        verb, url, headers, body = "", "", dict[str, str](), dict[str, Any]()
        for word in words:
            match word:
                case "-X":
                    verb = next(words)
                case "-H":
                    name, _, value = next(words).partition(": ")
                    headers[name] = value
                case "-d":
                    verb, body = verb or "POST", {"content": next(words).encode()}
                case "-F":
                    name, _, file = next(words).partition("=@")
                    verb, body = verb or "POST", {"files": {name: (file, (self.folder / file).read_bytes())}}
                case _:
                    assert not word.startswith("-"), f"{word} is no option that this page may use"
                    assert not url, f"two addresses in {command}"
                    url = word
        return verb or "GET", url, headers, body

    async def done(self) -> None:
        """Wait until the worker has done what it was told to: a reader is slower than it is."""
        async with asyncio.timeout(20), self.db.connection() as conn:
            while (await (await conn.execute(TO_DO, {"now": self.clock()})).fetchone()) != (0,):
                await asyncio.sleep(0.02)


def at(value: Any, path: str) -> str:
    """The value at ``.data.results[0]._id``."""
    for key, place in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value[key] if key else value[int(place)]
    return str(value)


def shape(value: Any) -> Any:
    """Keys in their order, and the kinds of values; of a list, its first entry. Words count, ids and times do not."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return ["list", *map(shape, value[:1])]
    if isinstance(value, bool) or (isinstance(value, str) and not re.search(r"\d", value)):
        return f"exactly {value}"
    return "number" if isinstance(value, int | float) else type(value).__name__


def same(shown: Any, came: Any) -> bool:
    """Whether two shapes agree. A list without entries, and null, agree with any of their kind."""
    if isinstance(shown, list) and isinstance(came, list) and shown[:1] == came[:1] == ["list"]:
        return len(shown) == 1 or len(came) == 1 or same(shown[1], came[1])
    if isinstance(shown, list) and isinstance(came, list):
        return [key for key, _ in shown] == [key for key, _ in came] and all(
            same(mine, yours) for (_, mine), (_, yours) in zip(shown, came, strict=True)
        )
    return shown == came or "NoneType" in (shown, came)


def written(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON in as few lines as fit: ``before`` characters stand before it on its first line."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + before + len(line) < WIDTH or not isinstance(value, dict | list) or not value:
        return line
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    parts = (
        [f"{json.dumps(key)}: {written(each, indent + 2, len(key) + 4)}" for key, each in value.items()]
        if isinstance(value, dict)
        else [written(each, indent + 2) for each in value]
    )
    lines = [parts[0]]
    for part in parts[1:]:
        if "\n" in part or "\n" in lines[-1] or indent + 2 + len(lines[-1]) + len(part) > WIDTH - 3:
            lines.append(part)
        else:
            lines[-1] += f", {part}"
    pad = " " * (indent + 2)
    return f"{opening}\n{pad}" + f",\n{pad}".join(lines) + f"\n{' ' * indent}{closing}"


@asynccontextmanager
async def crm() -> AsyncIterator[str]:
    """The reader's own HTTP API; answers its address."""

    async def people(_request: web.Request) -> web.Response:
        return web.json_response(PEOPLE)

    own = web.Application()
    own.router.add_get("/people", people)
    runner = web.AppRunner(own)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def working(settings: Settings, db: Database, clock: FrozenClock) -> AsyncIterator[None]:
    worker = Worker(settings, db, clock)
    task = asyncio.create_task(worker.run())
    await worker.ready.wait()
    try:
        yield
    finally:
        worker.stop()
        await task


async def test_every_command_works_and_answers_what_the_page_shows(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, tenant: Tenant, tmp_path: Path
) -> None:
    page = PAGE.read_text()
    settings = replace(settings, secret_key=KEY, pull_private_networks=(ip_network("127.0.0.0/8"),))
    api = api_app.create_api(db, seal, settings, clock)
    known = {"PATH": os.environ["PATH"], "HOST": HOST, "APP": tenant.app.public_id, "TOKEN": tenant.token}
    used: set[tuple[str, str]] = set()
    edits: list[tuple[tuple[int, int], str]] = []
    async with (
        crm() as known["CRM"],
        working(settings, db, clock),
        httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=HOST) as client,
    ):
        reader = Reader(client, db, clock, tmp_path, known)
        for example in examples(page):
            if "curl" not in example.command:
                continue
            answer = await reader.run(example)
            used.add(routed(api.router.routes, answer.request))
            clock.advance(1)
            if example.kind == "csv":
                rows = answer.content.decode("utf-8-sig").splitlines()
                if rows[0] != example.shown.splitlines()[0]:
                    assert UPDATE, f"{example.command}\nshows\n{example.shown}\nand answers\n{rows}"
                    edits.append((example.span, "\n".join(rows) + "\n"))
            elif example.kind == "json":
                came = json.loads(answer.text.replace(known["CRM"], CRM))
                if not same(shape(json.loads(example.shown)), shape(came)):
                    assert UPDATE, f"{example.command}\nshows\n{example.shown}\nand answers\n{written(came)}"
                    edits.append((example.span, written(came) + "\n"))
    for (start, end), text in reversed(edits):
        page = page[:start] + text + page[end:]
    if edits:
        PAGE.write_text(page)
    missing = {(route.verb, route.path) for route in ROUTES} - used
    assert not missing, f"docs/api.md has no example of {sorted(missing)}"


def routed(routes: list[Any], request: httpx.Request) -> tuple[str, str]:
    """Verb and path, as in the table of routes, of the route that answers a request."""
    from heliograph.api.paths import routed as path_of  # noqa: PLC0415  # two things are called so

    scope = {"type": "http", "method": request.method, "path": path_of(request.url.path), "headers": []}
    route = next(route for route in routes if route.matches(scope)[0] is Match.FULL)
    return request.method, route.path.partition("/{appId}")[2]
