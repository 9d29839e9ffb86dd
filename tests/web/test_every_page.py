"""Every page in a real browser: accessible (axe), quiet, asking nobody else, as wide as the narrowest screen."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import auto_answers, flows, webhooks
from heliograph.actions.replies import keep
from heliograph.actions.seal import Seal
from heliograph.carriers.base import Reply
from heliograph.rules import ids
from heliograph.store import carrier_accounts, report_mails
from heliograph.store.report_mails import Wish
from heliograph.web.flow_forms import STARTER
from tests.web import crawl
from tests.web.conftest import KEY
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from heliograph.config import Clock
    from heliograph.store.apps import App
    from heliograph.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]


async def furnish(db: Database, app: App, stage: Any, clock: Clock) -> None:
    """Something on every page."""
    await stage.campaign(app, "Ready one", contacts=12)
    await stage.running(app, "Running one", waiting=100, delivered=900, failed=7, unknown=1, suppressed=3)
    body = {"name": "Call back", "document": STARTER | {"name": "Call back"}, "publish": True}
    await flows.create(db, app, body, by="a test", now=clock())
    told = {"url": "https://example.com/told", "events": ["*"]}
    made, _ = await webhooks.create(db, Seal(KEY), app, told, now=clock())
    await webhooks.test(db, app, made.public_id, now=clock())
    daily = Wish("Every morning", "day", "yesterday", "pdf", ["ada@example.com"], "day", 0, 1, time(8), "UTC")
    async with db.transaction() as conn:
        await report_mails.add(conn, app.app_id, ids.new("rm"), daily, made_by="a test", due_at=clock(), now=clock())
        (account,) = await carrier_accounts.list_all(conn, app.app_id)
        said = [Reply(ref=str(n), number=f"+44770090012{n}", to="+14155550199", text=t, at=clock())
                for n, t in enumerate(("Where is my parcel?", "STOP"))]  # fmt: skip
        await keep(conn, app.app_id, account.account_id, said, now=clock())
    await auto_answers.work(db, app.app_id, now=clock())


async def test_every_page_can_be_used_by_everybody(
    console: Starlette, stage: Any, session: str, db: Database, clock: Clock
) -> None:
    app = await stage.app()
    await furnish(db, app, stage, clock)
    faults: list[str] = []
    seen: list[str] = []
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 1280, "height": 900})
        async for kind in crawl.pages(page, base):
            seen.append(kind)
            faults += [f"{kind}: {told}" for told in await crawl.faults(page)]
            await page.emulate_media(color_scheme="dark")
            await page.set_viewport_size({"width": 360, "height": 800})
            if await page.evaluate("document.documentElement.scrollWidth") > 360:
                faults.append(f"{kind}: wider than 360 pixels")
            faults += [f"{kind}, dark: {told}" for told in await crawl.faults(page, only="color-contrast")]
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size({"width": 1280, "height": 900})
    assert complaints == []
    assert faults == [], "\n".join(faults)
    for section in ("campaigns", "inbox", "lists", "templates", "flows", "senders", "reports", "settings", "api"):
        assert any(f"/{section}?" in kind for kind in seen), section
