from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from heliograph.rules.campaign import CampaignStatus
from heliograph.store import campaigns

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:8080"


async def test_this_machine_comes_in_by_its_own_names(browser: httpx.AsyncClient) -> None:
    for host in ("127.0.0.1:8080", "localhost", "LOCALHOST:9", "[::1]:8080"):
        assert (await browser.get("/", headers={"Host": host})).status_code == 200, host


FOREIGN = [
    "console.example.com",
    "127.0.0.1.example.com",
    "127.0.0.1:8080@example.com",
    "localhost.",
    "[bad",
    "",
]


async def test_a_foreign_name_is_turned_away_with_the_reason_and_the_way(browser: httpx.AsyncClient) -> None:
    for host in FOREIGN:
        for path in ("/", "/console/campaigns", "/console/st-x/cd-x/stop"):
            answer = await browser.get(path, headers={"Host": host})
            assert answer.status_code == 403, host
            assert "This page is for this machine only" in answer.text
            assert "ssh -N -L" in answer.text


async def test_whoever_was_passed_on_is_turned_away(browser: httpx.AsyncClient) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"):
        answer = await browser.get("/", headers={header: "127.0.0.1"})
        assert answer.status_code == 403, header
        assert header.lower() in answer.text


ADDRESSES = {"203.0.113.7": 403, "::ffff:203.0.113.7": 403, "": 403, "::1": 200, "::ffff:127.0.0.1": 200}


async def test_only_loopback_addresses_come_in(console: Starlette) -> None:
    for address, status in ADDRESSES.items():
        transport = httpx.ASGITransport(console, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            assert (await client.get("/")).status_code == status, address
            # The page that says so is dressed.
            assert (await client.get("/console/static/console.css")).status_code == 200


async def status_of(db: Database, app: Any, campaign: Any) -> CampaignStatus:
    async with db.connection() as conn:
        return (await campaigns.get(conn, app.app_id, campaign.public_id)).status


ELSEWHERE: list[dict[str, str]] = [
    {"Origin": "http://127.0.0.1:9999"},  # another server of this machine
    {"Origin": "https://example.com"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": BASE, "Sec-Fetch-Site": "cross-site"},
    {},
]


async def test_a_form_of_another_site_changes_nothing(browser: httpx.AsyncClient, stage: Any, db: Database) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/start"
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(at)).text)
    assert found
    for headers in ELSEWHERE:
        answer = await browser.post(at, data={"token": found.group(1)}, headers=headers)
        assert answer.status_code == 403, headers
    assert await status_of(db, app, campaign) is CampaignStatus.READY


async def test_a_form_without_the_token_of_this_browser_changes_nothing(
    browser: httpx.AsyncClient, stage: Any, db: Database
) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/start"
    for visit in (False, True):
        if visit:
            await browser.get("/")
            assert "heliograph_csrf" in browser.cookies
        for token in ("", "x", "A" * 43, "é" * 43):
            answer = await browser.post(at, data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == 403, token
    assert await status_of(db, app, campaign) is CampaignStatus.READY


async def test_sec_fetch_site_alone_is_proof_enough(stage: Any, browser: httpx.AsyncClient, forms: Any) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    answer = await forms.press(app, campaign, "start", **{"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


async def test_a_form_too_long_is_refused_unread(stage: Any, browser: httpx.AsyncClient) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/start"
    answer = await browser.post(at, content=b"token=" + b"x" * 5000, headers={"Origin": BASE})
    assert answer.status_code == 413


async def test_nothing_but_our_own_files_may_run_or_load(browser: httpx.AsyncClient, stage: Any) -> None:
    await stage.campaign(await stage.app(), "Reminder")
    for path in ("/", "/console/campaigns", "/console/nothing"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script>|https?://(?!127\.0\.0\.1)", answer.text), path


async def test_cookies_stay_with_this_site(browser: httpx.AsyncClient) -> None:
    cookie = (await browser.get("/")).headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie


async def test_other_paths_of_the_server_are_left_alone(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/campaign/api/v2/public/st-x/campaign", headers={"Host": "example.com"})
    assert (answer.status_code, answer.text) == (404, "Not Found")
