"""A template in a real browser: written, shown as one of its people gets it, deleted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from heliograph.actions import contacts
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from heliograph.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]


async def test_a_text_is_shown_as_its_people_get_it(console: Starlette, stage: Any, session: str, db: Database) -> None:
    app = await stage.app()
    file = io.BytesIO(b"phoneNumber,Name\n+12025550100,Ada\n")
    await contacts.import_csv(db, app, "Readers", file, file_name="people.csv", create=True, now=stage.clock())
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 1400, "height": 900})
        await page.goto(f"{base}/console/{app.public_id}/templates/new")
        await page.get_by_label("Shown for people of").select_option(label="Readers")
        await page.get_by_role("button", name="Name", exact=True).click()
        text = page.get_by_label("Text", exact=True)
        await expect(text).to_have_value("{{Name}}")
        await text.press_sequentially(" \N{EN DASH} hi")
        await expect(page.locator(".bubble")).to_have_text("Ada \N{EN DASH} hi")
        await expect(page.locator(".ink mark.odd")).to_have_text("\N{EN DASH}")
        await page.get_by_role("button", name="Use plain characters").click()
        await expect(page.locator(".bubble")).to_have_text("Ada - hi")
        await expect(page.locator("#body-size")).to_contain_text("1 part")
        await page.get_by_label("Name", exact=True).fill("Greeting")
        await page.get_by_role("button", name="Save template").click()
        await page.get_by_role("row", name="Greeting").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Delete the template Greeting?")
        await page.get_by_role("button", name="Delete template").click()
        await expect(page.locator("#said")).to_contain_text("Deleted the template Greeting.")
        assert complaints == []
