"""Lists and templates in a real browser: a file dropped, looked through and brought in; a text written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from heliograph.actions import import_runs
from heliograph.rules import quota
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]
FILE = "Name,Mobile,City\nAda,+12025550100,Boston\nNobody,12-34,Nowhere\n"


async def taken_in(db: Database, clock: FrozenClock) -> None:
    """What a worker does: take in the next file that comes."""
    while not await import_runs.take_next(db, clock, quota.DEFAULT):
        await asyncio.sleep(0.05)


async def test_a_file_is_sent_watched_and_brought_in_and_a_text_shown_to_its_people(
    console: Starlette, stage: Any, session: str, db: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    app = await stage.app()
    file = tmp_path / "people.csv"
    file.write_text(FILE)
    async with listening(console) as base, chromium() as browser:
        page, complaints = await opened(browser, session, viewport={"width": 360, "height": 800})
        await page.goto(f"{base}/console/{app.public_id}/lists/new")
        await page.get_by_label("Name", exact=True).fill("Readers")
        await page.get_by_role("button", name="Make list").click()
        await page.get_by_label("File", exact=True).set_input_files(file)
        await expect(page.locator(".drop-word")).to_contain_text("people.csv")
        await page.get_by_role("button", name="Look through it").click()
        await expect(page.locator(".badge")).to_have_text("Waits for its turn")
        await taken_in(db, clock)
        bring = page.get_by_role("button", name="Bring 1 person onto Readers")
        await expect(bring).to_be_enabled()
        await expect(page.locator("td.wrong-cell")).to_have_text("12-34")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await bring.click()
        await taken_in(db, clock)
        await expect(page.locator(".badge")).to_have_text("Brought in")

        await page.set_viewport_size({"width": 1400, "height": 900})
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
