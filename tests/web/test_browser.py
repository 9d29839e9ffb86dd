"""The page in a real browser: it follows the numbers, asks before it acts, and never leaves this machine."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from playwright.async_api import async_playwright, expect

from heliograph.rules.campaign import CampaignStatus
from heliograph.store import campaigns
from heliograph.web import door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page
    from starlette.applications import Starlette

    from heliograph.store.database import Database

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
).split()
expect.set_options(timeout=30_000)  # milliseconds: a loaded machine is slow, and only what is wrong takes this long

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]


@contextlib.asynccontextmanager
async def listening(console: Starlette) -> AsyncIterator[str]:
    """The console on a free port of this machine; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = uvicorn.Server(uvicorn.Config(console, log_level="warning", lifespan="off", ws="none"))
        task = asyncio.create_task(server.serve(sockets=[free]))
        try:
            yield f"http://127.0.0.1:{free.getsockname()[1]}"
        finally:
            server.should_exit = True
            console.state.web.state.closing = True  # as the command line's server tells it
            await task


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        await browser.close()


async def opened(browser: Browser, session: str = "", **options: Any) -> tuple[Page, list[str]]:
    """A page of a browser that has this session, and everything it complains of or asks of another host."""
    context = await browser.new_context(**options)
    if session:
        await context.add_cookies([{"name": door.SESSION, "value": session, "domain": "127.0.0.1", "path": "/"}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else complaints.append(asked.url))
    return page, complaints


async def test_a_supervisor_starts_watches_and_stops(
    console: Starlette, stage: Any, session: str, db: Database
) -> None:
    app = await stage.app()
    ready = await stage.campaign(app, "Invoices", contacts=312)
    running = await stage.running(app, "Reminder", waiting=1312, delivered=688)
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 1400, "height": 900})
        await page.goto(base)
        card = page.locator(f"#{running.public_id}")
        await expect(card.locator(".delivered dd")).to_have_text("688")

        async with db.connection() as conn:  # the numbers move while the page is looked at
            await conn.execute("UPDATE tally SET waiting = waiting - 12, delivered = delivered + 12 WHERE waiting > 12")
        await expect(card.locator(".delivered dd")).to_have_text("700")
        await expect(card.locator(".progress")).to_have_attribute("aria-valuenow", "700")

        await card.get_by_role("button", name="Stop Reminder").press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("1,300 people still waiting are not texted")
        await expect(dialog.get_by_role("link", name="Keep it running")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(card.get_by_role("button", name="Stop Reminder")).to_be_focused()
        await page.keyboard.press("Enter")
        await dialog.get_by_role("button", name="Stop now").click()
        await expect(page.get_by_role("status")).to_contain_text("Stopped Reminder. 1,300 people were not texted.")
        await expect(card.locator(".badge")).to_have_text("Stopped")
        await expect(card.get_by_role("button", name="Start again Reminder")).to_be_focused()

        await page.get_by_role("button", name="Start Invoices").click()
        await expect(dialog).to_contain_text("312 contacts")
        await dialog.get_by_role("button", name="Start now").click()
        await expect(page.locator(f"#{ready.public_id} .badge")).to_have_text("Active")
        await page.get_by_role("button", name="Delete Reminder").click()
        await dialog.get_by_role("button", name="Delete for good").click()
        await expect(card).to_have_count(0)
        assert complaints == []
    async with db.connection() as conn:
        assert (await campaigns.get(conn, app.app_id, ready.public_id)).status is CampaignStatus.ACTIVE
        assert await campaigns.find(conn, app.app_id, running.public_id) is None


async def test_it_fits_the_smallest_and_the_widest_screen_and_shows_the_readers_time(
    console: Starlette, stage: Any, session: str, db: Database
) -> None:
    app = await stage.app()
    await stage.running(app, "A name as long as the longest that may be given", waiting=300_000, delivered=699_999)
    await stage.running(app, "W" * 48, waiting=10_000_000, delivered=80_000_000, unknown=3)
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET status = 'Stopped'")
        await conn.execute("UPDATE run SET ended_at = '2026-03-01T23:30:00Z'")
    async with listening(console) as base, chromium() as browser:
        for width, scheme in ((360, "dark"), (1000, "light"), (2000, "light")):
            page, complaints = await opened(
                browser,
                session,
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                timezone_id="Australia/Sydney",
                locale="en-GB",
            )
            await page.goto(base)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            cut = await page.locator(".number").evaluate_all(
                "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
            )
            assert cut == []
            moment = page.locator("time").first
            await expect(moment).to_have_text(re.compile(r"Mon,? 2 Mar.* 10:30"))
            assert await moment.get_attribute("title") == "Sun 1 Mar 23:30 UTC"
            assert complaints == []


async def test_when_the_server_is_gone_the_page_says_so_and_keeps_the_numbers(
    console: Starlette, stage: Any, session: str
) -> None:
    app = await stage.app()
    await stage.running(app, "Reminder", waiting=1312, delivered=688)
    async with chromium() as browser:
        page, _ = await opened(browser, session)
        async with listening(console) as base:
            await page.goto(base)
            await expect(page.locator(".pulse")).to_have_text("Live")
        await expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        await expect(page.locator(".delivered dd")).to_have_text("688")
