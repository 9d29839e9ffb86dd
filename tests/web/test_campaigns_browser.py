"""Making a campaign in a real browser: a draft that is kept, the text on the phone, the check, the start."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from heliograph.actions import contacts
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from playwright.async_api import Page
    from starlette.applications import Starlette

    from heliograph.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]


async def test_somebody_writes_checks_and_starts_a_campaign(
    console: Starlette, stage: Any, db: Database, session: str
) -> None:
    app = await stage.app()
    file = io.BytesIO(b"phoneNumber,firstName\n+14155550101,Ada\n+447700900101,Grace\n")
    await contacts.import_csv(db, app, "People", file, file_name="people.csv", create=True, now=stage.clock())
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 1400, "height": 900})
        await page.goto(f"{base}/console/{app.public_id}/campaigns")
        await page.get_by_role("link", name="New campaign").click()
        await page.get_by_label("Name", exact=True).fill("Summer")
        await page.get_by_role("checkbox", name="People 2").check()
        text = page.get_by_label("Text", exact=True)
        await text.fill("Hello ")
        await page.get_by_role("button", name="firstName").click()
        await expect(text).to_have_value("Hello {{firstName}}")
        await expect(page.locator(".bubble")).to_have_text("Hello Ada")
        await expect(page.get_by_label("Flow", exact=True)).to_be_hidden()
        await _keeps(page, 1)

        await page.reload()
        await expect(page.get_by_text("was put back")).to_be_visible()
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Summer")
        await expect(page.locator(".bubble")).to_have_text("Hello Ada")

        await page.get_by_role("button", name="Keep it and check").click()
        await expect(page.get_by_text("Choose whom the texts come from")).to_be_visible()
        await page.get_by_label("From", exact=True).fill("+14155550199")
        await page.get_by_role("radio", name="Around the clock").check()
        await page.get_by_role("button", name="Keep it and check").click()
        await expect(page.get_by_text("2 of 2 contacts get a text")).to_be_visible()
        await _keeps(page, 0)  # what was kept meanwhile is forgotten

        await page.get_by_role("button", name="Start Summer").click()
        await page.get_by_role("dialog").get_by_role("button", name="Start now").click()
        await expect(page.get_by_role("heading", name="Summer Active")).to_be_visible()
        assert [one for one in complaints if "400" not in one] == []


SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach((each) => window.shifts.push(
    [each.value, each.sources.map((one) => one.node && (one.node.id || one.node.className || one.node.nodeName))]
))).observe({type: "layout-shift", buffered: true});"""
MOVE = """UPDATE tally SET waiting = waiting - 100, delivered = delivered + 91, failed = failed + 9
          WHERE waiting >= 100"""


async def test_nothing_on_a_page_moves_while_its_numbers_do(
    console: Starlette, stage: Any, db: Database, session: str
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Renewal", contacts=2000, waiting=1000, delivered=999, failed=1)
    own = f"/console/{app.public_id}"
    moved: dict[str, object] = {}
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 1400, "height": 900})
        await page.add_init_script(SHIFTS)
        for path in ("/", f"{own}/campaigns", f"{own}/campaigns/{campaign.public_id}"):
            await page.goto(base + path)
            live = page.locator("[data-stream]").first
            before = await live.inner_text()
            async with db.connection() as conn:
                await conn.execute(MOVE)
            await expect(live).not_to_have_text(before, use_inner_text=True)
            await expect(page.locator(".pulse")).to_have_text("Live")
            shifts = await page.evaluate("window.shifts")
            if sum(value for value, _ in shifts) > 0.001:
                moved[path] = shifts
        assert complaints == []
    assert moved == {}


async def _keeps(page: Page, drafts: int) -> None:
    """Wait until the browser has so many drafts. (Playwright's own waiting is an eval, which our pages forbid.)"""
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('heliograph-draft')).length"
    async with asyncio.timeout(30):
        while await page.evaluate(kept) != drafts:
            await asyncio.sleep(0.05)
