"""Pages of the console: how long the server takes for each, how much is sent, how soon a browser shows something."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx
from playwright.async_api import async_playwright

from heliograph import config
from heliograph.actions import sign_in, users
from heliograph.rules.message import MessageStatus
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.web import door
from heliograph.web.app import STATIC
from tests.bench import crowd, processes
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section, quantity
from tests.bench.stopping import p99
from tests.web import crawl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.crowd import Crowd
    from tests.bench.rig import Rig

TITLE = "Pages of the console"
ABOUT = """\
A database with {messages:,} messages: half of them of a campaign that stands half way, a quarter of one that is over,
the others of a hundred; half as many people on one list; one of fifty of them has written, said no, and is in a
conversation. `heliograph serve` answers, a worker beside it. One page of each kind is found by following links from the
front page, with live pieces, and places deep in long tables, and asked for {rounds} times, one after the other. *ms* is
what its median took, from asking to its last byte; the floor is the same page in a database of {few:,} messages. Shown
are the {shown} slowest. Nothing is in a browser's cache where it paints (Chromium, this machine, no network between).
"""
FEW = 1_000
SHOWN = 30
PAINTS = 5
PROMISED_MS = 300.0
PROMISED_KB = 150.0
OURS = (".css", ".js", ".svg")
LIVE = "live: "


@dataclass(slots=True)
class _Page:
    """One kind of page: where one of it is, and what it cost."""

    address: str
    took: list[float] = field(default_factory=list[float])  # ms
    size: int = 0  # bytes as they were sent

    @property
    def p50(self) -> float:
        return median(self.took)


class _Links(HTMLParser):
    """Where a page leads to, by links, by forms that look for something, and by its live pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []  # label before the kind, address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "a" and "download" not in known and (there := known.get("href")):
            self.found.append(("", there))
        if tag == "form" and (known.get("method") or "get").lower() == "get" and (there := known.get("action")):
            self.found.append(("", there))
        if there := known.get("data-stream"):
            self.found.append((LIVE, there))


async def measure(rig: Rig) -> Section:
    """In two installations of their own: one as good as new, one after years."""
    rounds = 20 if rig.scale.seconds >= 0.4 else 3
    section = Section("pages", TITLE, ABOUT.format(messages=rig.scale.messages, few=FEW, rounds=rounds, shown=SHOWN))
    folder = rig.settings.data.parent.parent
    async with rigs.rig(rig.scale, folder) as fresh:
        few = await _measured(fresh, await crowd.gather(fresh, FEW), rounds, section, paint=False)
    async with rigs.rig(rig.scale, folder) as old:
        began = time.monotonic()
        made = await crowd.gather(old, rig.scale.messages)
        took = time.monotonic() - began
        section.add("making them, by SQL", took, "s", group="the database")
        size = await old.value("SELECT pg_database_size(current_database())")
        section.add("its size", size / 1e9, "GB", group="the database")
        many = await _measured(old, made, rounds, section, paint=True)
    judge(section, few, many, rig.scale.messages)
    return section


def judge(section: Section, few: dict[str, _Page], many: dict[str, _Page], messages: int) -> None:
    """The slowest pages beside what they take where there is nearly nothing, and what was promised."""
    slowest = sorted(many.items(), key=lambda each: -each[1].p50)
    for label, page in slowest[:SHOWN]:
        floor = Floor(few[label].p50, f"of {FEW:,}") if label in few else None
        section.add(f"{label} (p99 {quantity(p99(page.took), 'ms')})", page.p50, "ms", floor, group="the server's time")
    over = [label for label, page in slowest if page.p50 > PROMISED_MS]
    everything = [took for page in many.values() for took in page.took]
    section.headlines.append(
        f"With {messages:,} messages in the database, the slowest of {len(many)} kinds of console pages takes the "
        f"server **{slowest[0][1].p50:.0f} ms** p50; all of them together {median(everything):.0f} ms p50, "
        f"{p99(everything):.0f} ms p99; **{len(over)}** are above {PROMISED_MS:.0f} ms."
    )
    for label, page in sorted(many.items(), key=lambda each: -each[1].size)[:3]:
        section.add(label, page.size / 1000, "kB", group="what is sent, compressed")


async def _measured(rig: Rig, made: Crowd, rounds: int, section: Section, *, paint: bool) -> dict[str, _Page]:
    token = await enter(rig)
    with processes.serving(rig.settings.data) as port:
        base = f"http://127.0.0.1:{port}"
        found = await look(base, token, made, rounds)
        if paint:
            await _weigh(base, found["/"].size, section)
            await _paint(base, token, [found[label] for label in ("/", "campaigns", "lists")], section)
    return found


async def enter(rig: Rig) -> str:
    """The session of an Owner who is signed in."""
    now = config.utc_now()
    user = await users.add(rig.db, email="ada@example.com", name="Ada", grants=Grants(Grant(Role.OWNER)), now=now)
    async with rig.db.transaction() as conn:
        came = sign_in.Came("127.0.0.1", "A browser")
        return (await sign_in.open_session(conn, user, came, half=False, how="for a bench", now=now)).token


def deep(made: Crowd) -> dict[str, str]:
    """Places that links from the front page lead to only after thousands of pages, and searches."""
    at = f"/console/{made.app}"
    people, everybody = f"{at}/campaigns/{made.running}/people", f"{at}/lists/{made.everybody}"
    far, last = made.people - 100, rigs.number(made.people)
    return {
        "people of a run, last page": f"{people}?after={far}",
        "people of a run, by a number's beginning": f"{people}?number={rigs.number(7)[:8]}",
        "people of a run, by number": f"{people}?number={last}",
        **{f"people of a run, {each.word}": f"{people}?status={each.word}" for each in MessageStatus},
        "a list, last page": f"{everybody}?after={far}",
        "a list, backwards": f"{everybody}?before={far}",
        "a list, by number": f"{everybody}?search={last}",
        "a list, by a word that many have": f"{everybody}?search=Dilnoza",
        "a list, by a word that nobody has": f"{everybody}?search=Xanthippe",
        "a list, by a word in one column": f"{everybody}?search=Person+{made.people}&column=lastName",
        "campaigns, page 4": f"{at}/campaigns?page=4",
        "campaigns, by name": f"{at}/campaigns?name=9&sort=name",
        "saying no, by number": f"{at}/opt-outs?number={rigs.number(7)}",
        "saying no, far down": f"{at}/opt-outs?after={rigs.number(99_999)}",
        **{f"inbox, {view}": f"{at}/inbox?view={view}" for view in ("open", "unread", "unassigned", "closed", "all")},
        "inbox, page 50": f"{at}/inbox?view=all&page=50",
        "inbox, by number": f"{at}/inbox?view=all&search={rigs.number(7)}",
    }


async def look(base: str, token: str, made: Crowd, rounds: int) -> dict[str, _Page]:
    """Every kind of page, by its label, and what each took."""
    # A cookie that is Lax and not Secure, as over plain HTTP.
    async with httpx.AsyncClient(
        base_url=base, cookies={door.SESSION: token}, headers={"Accept-Encoding": "gzip"}, timeout=120
    ) as client:
        found = await _crawl(client)
        for label, address in deep(made).items():
            if await _get(client, page := _Page(address)) is not None:
                found[label] = page
        for page in found.values():
            page.took.clear()  # the first time, everything is read from the disk
        for _ in range(rounds):
            for page in found.values():
                await _get(client, page)
    return found


async def _crawl(client: httpx.AsyncClient) -> dict[str, _Page]:
    waiting = deque([("", "/")])
    seen: set[str] = set()
    found: dict[str, _Page] = {}
    while waiting:
        before, address = waiting.popleft()
        label = before + (_label(address) or "/")
        if label in seen:
            continue
        seen.add(label)
        page = _Page(address)
        text = await _get(client, page)
        if text is None:
            continue
        found[label] = page
        links = _Links()
        links.feed(text)
        for kind, href in links.found:
            there = urlsplit(urljoin(str(client.base_url.join(address)), href))
            new = there.path + (f"?{there.query}" if there.query else "")
            ours = there.netloc == client.base_url.netloc.decode() and (there.path == "/" or "/console" in there.path)
            if ours and not there.path.startswith(("/console/link", "/console/go", "/console/static")):
                waiting.append((kind, new))
    return found


def _label(address: str) -> str:
    """What kind of page an address is, shortly."""
    kind = re.sub(r"^/console(/\*)?/?", "", crawl.kind(address)) if address != "/" else "/"
    return re.sub(r"\b(campaign|list)=[^&]*", r"\1", kind).rstrip("?&=") or "/"


async def _get(client: httpx.AsyncClient, page: _Page) -> str | None:
    """Ask for it: its text, unless it is a file or no page."""
    began = time.perf_counter()
    async with client.stream("GET", page.address) as answer:
        if not answer.headers.get("content-type", "").startswith("text/html") or answer.status_code != 200:
            return None
        body = await answer.aread()
        page.took.append((time.perf_counter() - began) * 1000)
        page.size = answer.num_bytes_downloaded
    return body.decode()


async def _weigh(base: str, front: int, section: Section) -> None:
    """Everything of ours that a browser can be sent besides pages, as it is sent."""
    group = "what is sent, compressed"
    total = plain = 0
    async with httpx.AsyncClient(base_url=base, headers={"Accept-Encoding": "gzip"}) as client:
        for path in sorted(STATIC.rglob("*")):
            if path.suffix in OURS:
                answer = await client.get(f"/console/static/{path.relative_to(STATIC).as_posix()}")
                total += answer.num_bytes_downloaded
                plain += path.stat().st_size
    section.add("all scripts, styles and drawings", total / 1000, "kB", Floor(plain / 1000, "as they lie on the disk"),
                group=group)  # fmt: skip
    section.add("the front page", front / 1000, "kB", group=group)
    section.headlines.append(
        f"All scripts, styles and drawings of the console together: **{total / 1000:.0f} kB** as they are sent "
        f"(promised: {PROMISED_KB:.0f})."
    )
    if total > PROMISED_KB * 1000:
        section.faults.append(f"the console's assets are {total / 1000:.0f} kB, more than {PROMISED_KB:.0f}")


async def _paint(base: str, token: str, pages: Sequence[_Page], section: Section) -> None:
    """First contentful paint in a browser that has never been here."""
    program = shutil.which("chromium")
    if program is None:
        section.headlines.append("First paint was not measured: there is no chromium on this machine.")
        return
    group = "first contentful paint, nothing cached"
    async with async_playwright() as play, contextlib.AsyncExitStack() as stack:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        stack.push_async_callback(browser.close)
        for each in pages:
            took: list[float] = []
            for _ in range(PAINTS):
                context = await browser.new_context(viewport={"width": 1400, "height": 900})
                await context.add_cookies([{"name": door.SESSION, "value": token, "domain": "127.0.0.1", "path": "/"}])
                page = await context.new_page()
                await page.goto(urljoin(base, each.address), wait_until="load")
                took.append(await page.evaluate(PAINTED))
                await context.close()
            section.add(_label(each.address), median(took), "ms", Floor(each.p50, "the server's time"), group=group)


PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) done(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
