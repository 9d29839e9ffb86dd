"""What can be taken back is: the line that tells what was done has the button, for whoever did it."""

from __future__ import annotations

import base64
import html
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.web.kit import SAID
from tests.web.conftest import BASE
from tests.web.test_inbox import writes

if TYPE_CHECKING:
    import httpx

    from heliograph.config import Clock
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": BASE}
NUMBER = "+12025550112"
FORM = re.compile(r'<form class="undo" method="post" action="([^"]+)".*?</form>', re.DOTALL)
FIELD = re.compile(r'name="([^"]+)" value="([^"]*)"')


async def press(browser: httpx.AsyncClient, page: str, to: str, **fields: str) -> str:
    """Post with the token of a page, and come to the page that follows."""
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(page)).text)
    assert found
    answer = await browser.post(to, data={"token": found.group(1)} | fields, headers=ORIGIN, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


async def undo(browser: httpx.AsyncClient, page: str) -> str:
    """Press the button of the line that tells what was done."""
    form = FORM.search(page)
    assert form, page
    fields = {name: html.unescape(value) for name, value in FIELD.findall(form.group(0))}
    answer = await browser.post(form.group(1), data=fields, headers=ORIGIN, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_pause_is_taken_back_on_the_page_and_by_the_script(
    browser: httpx.AsyncClient, stage: Any, forms: Any
) -> None:
    app = await stage.app()
    running = await stage.running(app, "Reminder", waiting=10, delivered=5)
    own = f"/console/{app.public_id}/campaigns/{running.public_id}"
    page = await undo(browser, await press(browser, f"{own}/pause", f"{own}/pause"))
    assert "Resumed Reminder with 10 people not yet texted." in page
    told = await forms.press(app, running, "pause", **{"HX-Request": "true", "HX-Current-URL": f"{BASE}{own}"})
    assert f'hx-post="{own}/resume"' in told.text
    assert "Resumed Reminder" in await undo(browser, told.text)
    assert "undo" not in await press(browser, f"{own}/stop", f"{own}/stop")


async def test_a_conversation_that_was_closed_or_given_away_is_as_before(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: Clock
) -> None:
    app = await stage.app()
    at = f"/console/{app.public_id}/inbox"
    one = f"{at}/{await writes(db, app, clock, 'Where is it?')}"
    closed = await press(browser, one, f"{one}/change", status="closed")
    assert "Closed. Their next message opens it again." in closed
    assert "It is open again." in await undo(browser, closed)
    assert "Nobody has it now." in await undo(
        browser, await press(browser, one, f"{one}/change", assignee="Ada Lovelace")
    )


async def test_a_number_taken_off_a_list_is_put_back_with_its_reason_and_end(
    browser: httpx.AsyncClient, stage: Any, db: Database
) -> None:
    app = await stage.app()
    at = f"/console/{app.public_id}/opt-outs/lists"
    found = re.search(rf'"({at}/cl-[^"/]+)', await press(browser, at, at, name="No calls"))
    assert found
    one = found.group(1)
    await press(browser, one, f"{one}/entries", numbers=NUMBER, reason='Said "no" & left')
    async with db.connection() as conn:  # as the API sets it: to the second
        await conn.execute("UPDATE dnc_entry SET expires_at = '2026-12-24T18:00:00Z'")
    assert NUMBER in await undo(browser, await press(browser, one, f"{one}/remove", entry=NUMBER))
    async with db.connection() as conn:
        cursor = await conn.execute("SELECT number, reason, expires_at FROM dnc_entry")
        ((number, reason, ends),) = await cursor.fetchall()
    assert (number, reason) == (NUMBER, 'Said "no" & left')
    assert ends == datetime(2026, 12, 25, tzinfo=UTC)  # never sooner than it was


async def test_a_button_that_this_session_was_not_given_is_not_shown(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: Clock
) -> None:
    app = await stage.app()
    one = f"/console/{app.public_id}/inbox/{await writes(db, app, clock, 'Where is it?')}"
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(one)).text)
    assert found
    answer = await browser.post(f"{one}/change", data={"token": found.group(1), "status": "closed"}, headers=ORIGIN)
    text, way, mark = json.loads(base64.urlsafe_b64decode(answer.cookies[SAID]))
    forged = [text, way.replace("open", "closed"), mark]
    browser.cookies.set(SAID, base64.urlsafe_b64encode(json.dumps(forged).encode()).decode(), domain="127.0.0.1")
    page = (await browser.get(one)).text
    assert text in page
    assert 'class="undo"' not in page
