"""Pictures of every page: wide and narrow, light and dark, of a demonstration that has just run.

    python -m tests.web.screens [FOLDER]        # make screenshots

Those that the README shows are put into docs/screens as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.web import crawl

HERE = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("heliograph")
SHOWN = {
    "/console/*/campaigns?": "campaigns.png",
    "/console/*/campaigns/*?": "campaign.png",
    "/console/*/flows/*?": "flow.png",
    "/console/*/campaigns/new?": "new-campaign.png",
}
"""The pages in the README, wide and light."""
FORMS = [(1400, "light"), (1400, "dark"), (360, "light"), (360, "dark")]


async def shoot(page: Page, folder: Path, kind: str) -> None:
    """The page as it is, in every form."""
    plain = kind.removeprefix("/console/*").replace("/console", "").replace("*", "one")
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "home"
    for width, scheme in FORMS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        path = folder / f"{name}-{width}-{scheme}.png"
        await page.screenshot(path=path, full_page=True)
        if (width, scheme) == FORMS[0] and kind in SHOWN:
            shown = HERE / "docs" / "screens"
            shown.mkdir(exist_ok=True)
            await page.screenshot(path=shown / SHOWN[kind])
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1400, "height": 900})


async def crawl_all(base: str, link: str, folder: Path) -> int:
    """Sign in by the link, and take a picture of one page of each kind; answers how many kinds there are."""
    pages = 0
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = await (await browser.new_context(viewport={"width": 1400, "height": 900})).new_page()
        await page.goto(link)
        async for kind in crawl.pages(page, base):
            await shoot(page, folder, kind)
            pages += 1
        await browser.close()
    return pages


def main(folder: Path) -> None:
    """Run a demonstration, take the pictures, end it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="heliograph-screens-") as data:
        command = [str(COMMAND), "demo", "--data", data, "--json"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # our own
        facts = json.loads(done.stdout)
        server = re.search(r"kill (\d+) ends it", done.stderr)
        try:
            pages = asyncio.run(crawl_all(facts["url"], facts["signIn"], folder))
        finally:
            if server is not None:
                os.kill(int(server[1]), signal.SIGTERM)
                time.sleep(5)  # its folder goes with it
    sys.stdout.write(f"{pages} pages, {len(FORMS)} pictures each, in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screens"))
