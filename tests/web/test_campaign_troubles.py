"""The panic button and texts of unknown fate in the console, and the words for what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heliograph.rules import hours, ids
from heliograph.store import panics, runs
from heliograph.web import hours_words, reasons
from heliograph.web.kit import link
from tests.web.test_campaigns import post, went

if TYPE_CHECKING:
    import httpx

    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


async def test_the_panic_button_holds_and_lets_go(browser: httpx.AsyncClient, stage: Any, db: Database) -> None:
    app = await stage.app()
    await stage.running(app, "Renewal", waiting=5)
    page = f"/console/{app.public_id}/panic"
    assert "holds 1 Active campaign and every text" in (await browser.get(page)).text
    pressed = await post(browser, page, page, {"do": "press", "reason": "Wrong price"})
    assert pressed.status_code == 303
    async with db.connection() as conn:
        (held,) = await panics.list_in_force(conn, app.app_id)
    assert (held.reason, held.sender_id) == ("Wrong price", None)
    assert "pressed the panic button (Wrong price)" in (await browser.get(f"/console/{app.public_id}/campaigns")).text
    assert "Nothing leaves." in (await browser.get(page)).text
    assert (await post(browser, page, page, {"do": "release"})).status_code == 303
    assert (await post(browser, page, page, {"do": "release"})).status_code == 404
    assert (await post(browser, page, page, {"do": "shout"})).status_code == 400


async def test_whoever_is_unknown_is_decided_about(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    page = f"/console/{app.public_id}/unknown"
    assert "Nobody is unknown" in (await browser.get(page)).text
    campaign = await went(stage, db, clock, app)
    async with db.connection() as conn:
        run = await runs.get(conn, app.app_id, campaign.run_id or 0)
    one = ids.message_id(run.public_id, 11)
    of = link(page, campaign=campaign.public_id)
    assert "+14155550011" in (await browser.get(of)).text
    assert "Tick at least one" in (await post(browser, of, page, {"do": "accept"})).text
    assert (await post(browser, of, page, {"do": "wait", "message": [one], "hours": "0"})).status_code == 400
    assert (await post(browser, of, page, {"do": "wait", "message": [one], "hours": "2"})).status_code == 303
    sure = await post(browser, of, page, {"do": "resend", "message": [one]})
    assert "It may be a second text to 1 person" in sure.text
    done = await post(browser, of, page, {"do": "accept", "every": "yes", "note": "seen on the phone"})
    assert done.status_code == 303
    assert "1 message taken for sent." in (await browser.get(page)).text
    assert "Nobody is unknown" in (await browser.get(page)).text


async def test_reasons_and_hours_are_told_in_words() -> None:
    assert reasons.words("frequency_cap: 3 in 7 days").endswith("(3 in 7 days)")
    assert reasons.words("30006") == "Code 30006"
    assert reasons.words("absent_subscriber") == "absent subscriber"
    assert reasons.words("") == "No reason was given"
    days = [{"day": day, "start": "9:00 AM", "end": "6:00 PM"} for day in ("MO", "TU", "WE", "TH", "FR")]
    found = hours.parse({"frequency": "WEEKLY", "timezone": "UTC", "days": days})
    assert hours_words.told(found) == ("Monday to Friday 09:00 to 18:00",)
