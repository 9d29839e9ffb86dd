"""Whole journeys in a real browser, with a worker behind it: what people do from signing in to the end of a campaign.

Every page on the way is quiet and asks no other host for anything; those that stand otherwise than where every page is
looked at are accessible (axe).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette

from heliograph import config
from heliograph.actions import audit, seal, users
from heliograph.web.app import create_web, mount
from tests.engine.conftest import make_world, number
from tests.web import crawl
from tests.web.conftest import enter
from tests.web.test_browser import CHROMIUM, chromium, listening, opened

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from heliograph.config import Settings
    from heliograph.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; on Debian: apt-get install chromium"),
]
WIDE: Any = {"viewport": {"width": 1400, "height": 900}}
AREAS = (
    "202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 "
    "254 256"
).split()
NUMBERS = [f"+1{area}5550{n}" for area in AREAS for n in range(100, 200)]  # reserved for fiction
PHRASE = "seven quiet lighthouses"


@pytest.fixture
def living(db: Database, settings: Settings) -> Starlette:
    """The console on the system's clock, as a worker is."""
    db.witness = audit.write
    whole = Starlette()
    whole.state.web = create_web(db, settings, config.utc_now, seal.from_settings(settings))
    mount(whole, whole.state.web)
    return whole


async def looked_at(page: Page) -> None:
    """The page, as it is now, can be used by everybody."""
    assert await crawl.faults(page) == [], page.url


async def sure(page: Page, button: str, says: str, do: str) -> Locator:
    """Press a button, read what it asks, do it; gives the line that tells what was done."""
    await page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(says)
    await dialog.get_by_role("button", name=do, exact=True).click()
    return page.locator("#said")


async def settled(page: Page) -> int:
    return int(await page.get_by_role("progressbar").first.get_attribute("aria-valuenow") or 0)


async def test_an_owner_takes_a_file_to_a_campaigns_end_and_a_colleague_sees_what_they_may(
    living: Starlette, db: Database, settings: Settings, tmp_path: Path
) -> None:
    world = await make_world(db, settings, config.utc_now)
    await world.rate(100)
    rows = "".join(f"P{n},{one},Boston\n" for n, one in enumerate(NUMBERS))
    file = tmp_path / "readers.csv"
    file.write_text(f"Name,Mobile,City\nNobody,12-34,Nowhere\n{rows}")
    token = await users.owner_link(db, made_by="the terminal", now=config.utc_now())
    async with world.working(), listening(living) as base, chromium() as browser:
        page, complaints = await opened(browser, **WIDE)
        await page.goto(f"{base}/console/link/{token}")
        await looked_at(page)
        await page.get_by_label("Your name").fill("Ada Lovelace")
        await page.get_by_label("Your e-mail address").fill("ada@example.com")
        await page.get_by_label("Password").fill(PHRASE)
        await page.get_by_role("button", name="Go to the console").click()
        sections = page.get_by_role("navigation", name="Sections")

        await sections.get_by_role("link", name="Lists").click()
        await page.get_by_role("link", name="New list").first.click()
        await page.get_by_label("Name", exact=True).fill("Readers")
        await page.get_by_role("button", name="Make list").click()
        await page.get_by_label("File", exact=True).set_input_files(file)
        await page.get_by_role("button", name="Look through it").click()
        bring = page.get_by_role("button", name="Bring 3,000 people onto Readers")
        await expect(bring).to_be_enabled()
        await expect(page.locator("td.wrong-cell")).to_have_text("12-34")
        await looked_at(page)
        await page.set_viewport_size({"width": 360, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.set_viewport_size(WIDE["viewport"])
        await bring.click()
        await expect(page.locator(".badge")).to_have_text("Brought in")

        await sections.get_by_role("link", name="Campaigns").click()
        await page.get_by_role("link", name="New campaign").first.click()
        await page.get_by_label("Name", exact=True).fill("Summer")
        await page.get_by_role("checkbox", name="Readers 3,000").check()
        await page.get_by_label("Text", exact=True).fill("Hello {{Name}}")
        await expect(page.locator(".bubble")).to_have_text("Hello P0")
        await page.get_by_label("From", exact=True).fill("+12025550100")
        await page.get_by_role("radio", name="Around the clock").check()
        await looked_at(page)
        await page.get_by_role("button", name="Keep it and check").click()
        await expect(page.get_by_text("3,000 of 3,000 contacts get a text")).to_be_visible()
        await looked_at(page)

        said = await sure(page, "Start Summer", "3,000 contacts", "Start now")
        await expect(said).to_contain_text("Started Summer: 3,000 contacts to go through.")
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("Summer Active")
        await expect(page.locator(".delivered dd")).not_to_have_text("0")
        await looked_at(page)
        said = await sure(page, "Pause Summer", "Not one more text leaves until it is resumed", "Pause now")
        await expect(said).to_contain_text("Paused Summer.")
        await expect(heading).to_have_text("Summer Paused")
        paused = len(world.transcript())
        said = await sure(page, "Resume Summer", "nobody is texted again", "Resume now")
        await expect(said).to_contain_text("Resumed Summer")
        await expect(heading).to_have_text("Summer Active")
        await world.taken(paused + 20)
        said = await sure(page, "Delete Summer", "It is Active, so it is stopped first.", "Delete for good")
        await expect(said).to_contain_text("Stopped and deleted Summer.")
        left = len(world.transcript())
        assert left < len(NUMBERS)
        await expect(page.get_by_role("link", name="Summer")).to_have_count(0)
        assert len(world.transcript()) == left

        await sections.get_by_role("link", name="Users").click()
        await page.get_by_role("link", name="Invite someone").click()
        await page.get_by_label("Name", exact=True).fill("Grace Hopper")
        await page.get_by_label("E-mail address").fill("grace@example.com")
        await page.get_by_label("Role for every app").select_option("Supervisor")
        await page.get_by_role("button", name="Invite", exact=True).click()
        link = await page.locator("#link").inner_text()

        theirs, others = await opened(browser, viewport={"width": 360, "height": 740}, color_scheme="dark")
        await theirs.goto(link.strip())
        await theirs.get_by_label("Password").fill("a harbour at dawn")
        await theirs.get_by_role("button", name="Go to the console").click()
        await expect(theirs.get_by_role("heading", level=1, name="Campaigns")).to_be_visible()
        words = {word.strip() for word in await theirs.locator(".nav a").all_text_contents()}
        assert "Campaigns" in words
        assert "Users" not in words
        await expect(theirs.get_by_role("link", name="New campaign").first).to_be_visible()
        await theirs.goto(f"{base}/console/{world.app.public_id}/senders")
        await looked_at(theirs)
        await expect(theirs.get_by_role("link", name="New sender")).to_have_count(0)
        answer = await theirs.goto(f"{base}/console/users")
        assert answer is not None
        assert answer.status == 403
        await expect(theirs.get_by_text("You are signed in as Supervisor")).to_be_visible()

        await sections.get_by_role("link", name="Audit").click()
        await expect(page.get_by_text("Invited Grace Hopper (grace@example.com) as Supervisor")).to_be_visible()
        await sections.get_by_role("link", name="Users").click()
        await page.get_by_role("link", name="Grace Hopper").click()
        said = await sure(page, "Disable", "Grace Hopper", "Disable")
        await expect(said).to_contain_text("Grace Hopper is signed out and cannot sign in.")
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


async def test_a_flow_is_drawn_tried_and_run_and_whoever_it_hands_over_is_answered_by_hand(
    living: Starlette, db: Database, settings: Settings
) -> None:
    world = await make_world(db, settings, config.utc_now)
    await world.add_list(
        "Callers", [{"number": number(n), "first name": name} for n, name in enumerate(("Ada", "Bob"))]
    )
    says_yes = {"match": number(0), "reply": 1.0, "reply_text": "Yes please", "reply_ms": [5, 20]}
    await world.sandbox(latency_ms=[1, 5], receipt_ms=[5, 20], patterns=[says_yes])
    session = await enter(db, config.utc_now)
    async with world.working(), listening(living) as base, chromium() as browser:
        page, complaints = await opened(browser, session, **WIDE)
        await page.goto(f"{base}/console/{world.app.public_id}/flows")
        await page.get_by_role("link", name="New flow").click()
        await page.get_by_label("Name", exact=False).first.fill("Call back")
        await page.get_by_role("button", name="Make it").click()
        await expect(page.locator(".drawing a.box")).to_have_count(7)

        await page.locator("#box-thanks").click()
        await page.get_by_label("What to add").select_option("handoff")
        await page.get_by_role("button", name="Add behind it").click()
        await page.get_by_label("Note for whoever takes it").fill("Wants to be called")
        await page.get_by_role("button", name="Keep it in the draft").click()
        await expect(page.locator("#said")).to_contain_text("Kept in the draft.")
        await looked_at(page)
        await page.locator("#box-yes").click()
        await page.get_by_role("button", name="Remove this node").click()
        await expect(page.locator(".drawing a.box")).to_have_count(7)

        await page.get_by_label("What the person writes").fill("yes")
        await page.get_by_role("button", name="Send", exact=True).click()
        talk = page.get_by_role("log", name="A conversation to try")
        await expect(talk).to_contain_text("Thank you, we will call you.")
        await expect(talk).to_contain_text("Handed over: Wants to be called")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator("#said")).to_contain_text("Version 1 is published.")

        sections = page.get_by_role("navigation", name="Sections")
        await sections.get_by_role("link", name="Campaigns").click()
        await page.get_by_role("link", name="New campaign").first.click()
        await page.get_by_label("Name", exact=True).fill("Ask them")
        await page.get_by_role("checkbox", name="Callers 2").check()
        await page.get_by_role("radio", name="A conversation, by a flow").check()
        await page.get_by_label("Flow", exact=True).select_option(label="Call back")
        await page.get_by_label("From", exact=True).fill("+12025550100")
        await page.get_by_role("radio", name="Around the clock").check()
        await page.get_by_role("button", name="Keep it and check").click()
        await expect(page.get_by_text("2 of 2 contacts get a text")).to_be_visible()
        await looked_at(page)
        await sure(page, "Start Ask them", "2 contacts", "Start now")
        await world.taken(3)  # what the flow says first to both, and what it answers

        await sections.get_by_role("link", name="Inbox").click()
        waiting = page.locator(".talk", has_text=number(0))
        await expect(waiting).to_contain_text("handed over")
        await waiting.click()
        thread = page.get_by_role("log", name="Messages")
        await expect(thread).to_contain_text("Hello Ada, shall we call you?")
        await expect(thread).to_contain_text("Yes please")
        await expect(thread).to_contain_text("Handed over by the flow: Wants to be called")
        await looked_at(page)
        await page.get_by_label("Your answer").fill("We call you at three.")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator("#said")).to_contain_text("Sent.")
        await expect(thread.locator(".said-line", has_text="We call you at three.")).to_contain_text(
            re.compile("delivered")
        )
        assert [each["to"] for each in world.transcript() if "at three" in each["text"]] == [number(0)]
        assert complaints == []
