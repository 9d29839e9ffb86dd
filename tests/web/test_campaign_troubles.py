"""The panic button and texts of unknown fate in the console, and the words for what went wrong."""

from __future__ import annotations

import html
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import campaigns, pools
from heliograph.actions import panics as pressing
from heliograph.rules import hours, ids
from heliograph.store import carrier_accounts, panics, runs, senders
from heliograph.web import hours_words, reasons
from heliograph.web.kit import link
from heliograph.web.teaching import CAMPAIGN
from tests.web.test_campaigns import post, went

if TYPE_CHECKING:
    import httpx

    from heliograph.store.campaigns import Campaign
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
    async with db.connection() as conn:
        (sender,) = await senders.list_all(conn, app.app_id)
    await post(browser, page, page, {"do": "press", "sender": sender.public_id})
    audit = (await browser.get("/console/audit")).text
    assert "Pressed the panic button of the sender for any address" in audit
    assert "Pressed the panic button of the whole app: Wrong price" in audit
    assert (await post(browser, page, page, {"do": "release"})).status_code == 303
    assert (await post(browser, page, page, {"do": "release"})).status_code == 404
    assert (await post(browser, page, page, {"do": "shout"})).status_code == 400


async def test_what_is_held_of_whom_a_campaign_goes_through_is_told_before_a_start(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    async with db.connection() as conn:
        (account,) = await carrier_accounts.list_all(conn, app.app_id)
        for address in ("+12025550177", "+12025550178"):
            await senders.add(conn, app.app_id, address=address, account_id=account.account_id, now=clock())
    members = [{"sender": "+12025550177"}, {"sender": "+12025550178"}]
    await pools.create(db, app, {"name": "Main", "senders": members}, now=clock())
    body: dict[str, Any] = deepcopy(CAMPAIGN)
    body["dialingStrategy"] |= {"callerId": {"phoneNumber": "pool:Main"}}
    of_pool = await stage.campaign(app, "Pooled", dialingStrategy=body["dialingStrategy"])
    of_any = await stage.campaign(app, "Any")

    async def told(campaign: Campaign) -> list[str]:
        at = f"/console/{app.public_id}/campaigns/{campaign.public_id}"
        return [
            " ".join(html.unescape((await browser.get(f"{at}/{page}")).text).split()) for page in ("check", "start")
        ]

    async def press(*addresses: str) -> None:
        for address in addresses:
            await pressing.press(db, app, address, {}, who="ada@example.com", now=clock())

    assert not any("panic button" in page for page in await told(of_pool))
    await press("+12025550178")
    check, start = await told(of_pool)
    assert "<strong>1 of 2 senders of the pool Main is held</strong> since" in check
    assert "1 of 2 senders of the pool Main is held. The panic button holds +12025550178. It can be started" in start
    assert "Start now" in start
    await press("+12025550177")
    check, start = await told(of_pool)
    assert "<strong>Nothing leaves the pool Main</strong> since" in check
    assert "holds all of its senders (+12025550177, +12025550178). One of them has to be let go before a start" in start
    assert "Start now" not in start
    assert "Start now" in (await told(of_any))[1]
    await press("*")
    check, start = await told(of_any)
    assert f"Nothing leaves the sender for any address, which serves {of_any.caller_id}</strong> since" in check
    assert "pressed the panic button. It has to be let go before a start." in start
    assert "Start now" not in start


async def test_a_campaign_that_is_held_or_stopped_says_how_to_go_on_in_other_hours(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock, forms: Any
) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)
    own = f"/console/{app.public_id}/campaigns/{campaign.public_id}"
    await forms.press(app, campaign, "pause")
    assert f'<a href="{own}/stop">stop it</a>; then its hours can be changed' in (await browser.get(own)).text
    await forms.press(app, campaign, "stop")
    page = (await browser.get(own)).text
    assert "To go on in other hours with the 3 not texted" in page
    assert f'<a href="{own}/edit">change its hours</a> and then <a href="{own}/retry">' in page
    body: dict[str, Any] = deepcopy(CAMPAIGN) | {"name": campaign.name, "contactLists": list(campaign.list_names)}
    morning = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "8:00 AM", "end": "9:00 AM"}]}
    body["dialingStrategy"]["callingHours"] = morning
    await campaigns.update(db, app, campaign.public_id, body, now=clock())
    await forms.press(app, campaign, "retry")
    assert "To go on" not in (await browser.get(own)).text
    async with db.connection() as conn:
        row = await (await conn.execute("SELECT calling_hours FROM run ORDER BY run_id DESC LIMIT 1")).fetchone()
    assert row is not None
    assert row[0] == morning


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
