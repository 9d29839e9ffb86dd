"""Every page of the console, found by following its links: one of each kind, whatever ids stand in the address."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

SERIOUS = {"serious", "critical"}
MOST = 120  # pages: more means that a kind of page is not told apart
ID = re.compile(r"(?<=/)[a-z]{1,4}-[0-9a-f][0-9A-Za-z-]*|(?<=/)%2B\d+|(?<=/)\+?\d+(?=/|$)")
ONE_IS_ENOUGH = frozenset(
    "page from to zone search conversation node app after before number sender run status state view object".split()
)
"""What chooses other rows of the same page."""
LINKS = """() => [...document.querySelectorAll('a[href]:not([download]), form[method=get][action]')]
    .filter(each => !each.closest('.thread'))
    .map(each => each.tagName === 'A' ? each.getAttribute('href') : each.getAttribute('action'))"""


def kind(address: str) -> str:
    """What kind of page an address is: its path without ids, and those values of its query that choose a view."""
    parts = urlsplit(address)
    query = sorted((name, "" if name in ONE_IS_ENOUGH else value) for name, value in parse_qsl(parts.query))
    path = re.sub(r"(?<=/carriers/new/)[a-z]+", "*", ID.sub("*", parts.path))  # a form made from what a carrier says
    return path + "?" + "&".join(f"{name}={value}" for name, value in query if name != "app")


async def pages(page: Page, base: str) -> AsyncIterator[str]:
    """Go to one page of each kind, from ``/`` on; gives the kind each time the page is there."""
    waiting = deque(["/"])
    seen = {kind("/")}
    found = 0
    while waiting:
        address = waiting.popleft()
        try:
            answer = await page.goto(urljoin(base, address))
        except Error as error:
            if "Download is starting" in error.message:
                continue  # a file, not a page
            raise
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        found += 1
        assert found <= MOST, f"more than {MOST} kinds of pages; the last is {kind(address)}"
        assert answer.status < 400, f"{address} was answered {answer.status}"  # the first of the errors
        yield kind(address)
        here = page.url
        for href in await page.evaluate(LINKS):
            there = urlsplit(urljoin(here, href))
            new = there.path + (f"?{there.query}" if there.query else "")
            ours = urljoin(here, href).startswith(base) and (there.path == "/" or there.path.startswith("/console"))
            if ours and not there.path.startswith("/console/link") and kind(new) not in seen:
                seen.add(kind(new))
                waiting.append(new)


async def faults(page: Page, *, only: str | None = None) -> list[str]:
    """What axe finds serious: the rule, and what breaks it first."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = [only]
    found = await Axe().run(page, options=options)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0].get('failureSummary', '')[:200]!r}"
        for each in found.response["violations"]
        if each["impact"] in SERIOUS
    ]
