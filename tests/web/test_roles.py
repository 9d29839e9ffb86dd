"""What a role may not do is not offered to it: no link and no button that somebody is shown turns them away."""

from __future__ import annotations

from collections import deque
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest

from heliograph.rules.roles import Grant, Grants, Role
from tests.web import crawl
from tests.web.conftest import BASE, enter, signed_in
from tests.web.test_every_page import furnish

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from heliograph.config import Clock
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio
ROLES = {
    "Developer": Grant(Role.DEVELOPER),
    "Supervisor": Grant(Role.SUPERVISOR),
    "Tester with the campaign module": Grant(Role.TESTER, module=True),
    "Tester": Grant(Role.TESTER),
    "Agent": Grant(Role.AGENT),
}
ORIGIN = {"Origin": BASE}


class Offered(HTMLParser):
    """The addresses that a page leads to, and those that its forms post to."""

    def __init__(self, text: str, here: str) -> None:
        super().__init__()
        self.here = here
        self.links: set[str] = set()
        self.posts: set[str] = set()
        self._form: str | None = None
        self._fixed = 0  # fieldsets around that are disabled
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.add(urljoin(self.here, str(given["href"])))
        elif tag == "form":
            at = urljoin(self.here, given.get("action") or self.here)
            self._form = at if given.get("method") == "post" else None
            if self._form is None:
                self.links.add(at)
                if "asks" in str(given.get("class")):
                    self.posts.add(at)  # what is asked there is done there
        elif tag == "fieldset" and ("disabled" in given or self._fixed):
            self._fixed += 1
        elif tag in {"button", "input"} and self._form is not None and self._pressed(given):
            self.posts.add(urljoin(self.here, given.get("formaction") or self._form))

    def _pressed(self, given: dict[str, str | None]) -> bool:
        return given.get("type") not in {"hidden", "button"} and "disabled" not in given and not self._fixed

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self._fixed:
            self._fixed -= 1
        elif tag == "form":
            self._form = None


@pytest.mark.parametrize("who", ROLES)
async def test_nothing_is_offered_that_is_refused(
    console: Starlette, stage: Any, db: Database, clock: Clock, who: str
) -> None:
    app = await stage.app()
    await stage.app("Another app")
    await furnish(db, app, stage, clock)
    session = await enter(db, clock, Grants(None, {app.public_id: ROLES[who]}), "Grace Hopper")
    async with signed_in(console, session, follow_redirects=True) as browser:
        seen, refused = await _walk(browser)
    assert not refused, "\n" + "\n".join(refused)
    assert len(seen) > (3 if who in {"Agent", "Tester"} else 20), seen


async def _walk(browser: httpx.AsyncClient) -> tuple[set[str], list[str]]:
    """Every kind of page from ``/`` on; and what was offered there and refused because of a role."""
    waiting, seen, posted = deque([("/", "where everybody begins")]), {crawl.kind("/")}, set[str]()
    refused: list[str] = []
    while waiting:
        at, offered_by = waiting.popleft()
        answer = await browser.get(at)
        if answer.status_code in {401, 403, 404}:
            refused.append(f"{answer.status_code} {crawl.kind(at)} offered by {crawl.kind(offered_by)}")
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        page = Offered(answer.text, str(answer.url))
        for post in sorted(page.posts):
            if crawl.kind(post) in posted:
                continue
            posted.add(crawl.kind(post))
            told = await browser.post(post, data={}, headers=ORIGIN)  # without its token nothing is done
            if told.status_code == 404 or "You are signed in as" in told.text:
                refused.append(f"{told.status_code} POST {crawl.kind(post)} offered by {crawl.kind(at)}")
        for there in sorted(page.links):
            parts = urlsplit(there)
            ours = there.startswith(BASE) and (parts.path == "/" or parts.path.startswith("/console"))
            if ours and crawl.kind(there) not in seen and "/sign-out" not in parts.path:
                seen.add(crawl.kind(there))
                waiting.append((there, at))
    return seen, refused
