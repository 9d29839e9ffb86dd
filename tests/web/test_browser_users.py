"""Two people in a real browser: an owner comes in by the link of the terminal and invites an agent, who sees less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from heliograph.actions import users
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from heliograph.config import Clock
    from heliograph.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]

PHRASE = "seven quiet lighthouses"


async def test_an_owner_invites_an_agent_who_sees_less(
    console: Starlette, stage: Any, db: Database, clock: Clock
) -> None:
    app = await stage.app()
    await stage.campaign(app, "Reminder")
    token = await users.owner_link(db, made_by="the terminal", now=clock())
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, viewport={"width": 1400, "height": 900})
        await page.goto(base)
        await expect(page.get_by_text("Nobody can sign in yet")).to_be_visible()
        await page.goto(f"{base}/console/link/{token}")
        await page.get_by_label("Your name").fill("Ada Lovelace")
        await page.get_by_label("Your e-mail address").fill("ada@example.com")
        await page.get_by_label("Password").fill(PHRASE)
        await page.get_by_role("button", name="Go to the console").click()
        sections = page.get_by_role("navigation", name="Sections")
        await expect(sections.get_by_role("link", name="Campaigns")).to_be_visible()
        await sections.get_by_role("link", name="Users").click()
        await page.get_by_role("link", name="Invite someone").click()
        await page.get_by_label("Name", exact=True).fill("Grace Hopper")
        await page.get_by_label("E-mail address").fill("grace@example.com")
        await page.get_by_label("Role for every app").select_option("Agent")
        await page.get_by_role("button", name="Invite", exact=True).click()
        link = await page.locator("#link").inner_text()

        theirs, others = await opened(browser, viewport={"width": 360, "height": 740}, color_scheme="dark")
        await theirs.goto(link.strip())
        await theirs.get_by_label("Password").fill("a harbour at dawn")
        await theirs.get_by_role("button", name="Go to the console").click()
        words = await theirs.locator(".nav a").all_inner_texts()
        assert {word.strip() for word in words} <= {"Inbox"}
        answer = await theirs.goto(f"{base}/console/{app.public_id}/campaigns")
        assert answer is not None
        assert answer.status == 403
        await expect(theirs.get_by_text("You are signed in as Agent")).to_be_visible()
        assert await theirs.evaluate("document.documentElement.scrollWidth") <= 360

        await sections.get_by_role("link", name="Audit").click()
        await expect(page.get_by_text("Invited Grace Hopper (grace@example.com) as Agent of every app")).to_be_visible()
        await sections.get_by_role("link", name="Users").click()
        await page.get_by_role("link", name="Grace Hopper").click()
        await page.get_by_role("button", name="Disable").click()
        await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        await expect(page.get_by_role("status")).to_contain_text("Grace Hopper is signed out and cannot sign in.")
        await theirs.goto(f"{base}/console/me")
        await expect(theirs.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.goto(f"{base}/console/me")
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_label("E-mail address").fill("ada@example.com")
        await page.get_by_label("Password").fill(PHRASE)
        await page.get_by_role("button", name="Sign in").click()
        await expect(sections.get_by_role("link", name="Campaigns")).to_be_visible()
        assert complaints == []
        assert [text for text in others if "403" not in text] == []
