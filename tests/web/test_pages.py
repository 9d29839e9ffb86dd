from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import app_settings, runs
from heliograph.rules import draft
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import campaigns, overview
from heliograph.web import teaching

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from heliograph.config import Settings
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

NINE = "Held Ready Submitting Unknown Accepted Delivered Failed Suppressed Expired".split()


def numbers(page: str) -> dict[str, int]:
    """The numbers of the first campaign on a page."""
    first = page[page.index('<dl class="numbers') :]
    found = re.findall(r"<dt>(\w+)</dt><dd>([\d,]+)</dd>", first[: first.index("</dl>")])
    return {word: int(value.replace(",", "")) for word, value in found}


def why(page: str) -> str:
    """The sentence of the first campaign on a page."""
    found = re.search(r'<p class="why">(.*?)</p>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", found.group(1)).split()) if found else ""


async def test_without_an_app_the_page_teaches_to_make_one(browser: httpx.AsyncClient, settings: Settings) -> None:
    page = (await browser.get("/")).text
    assert "Nothing here yet" in page
    assert "heliograph app create" in page


async def test_without_a_campaign_the_page_teaches_with_commands_for_this_app(
    browser: httpx.AsyncClient, stage: Any
) -> None:
    app = await stage.app()
    page = (await browser.get("/")).text
    assert "No campaigns yet" in page
    assert f"heliograph token --app {app.public_id}" in page
    assert f"http://127.0.0.1:8080/campaign/api/v2/public/{app.public_id}/campaign?campaignType=sms" in page


def test_the_campaign_that_is_taught_can_be_created() -> None:
    assert draft.parse(json.loads(json.dumps(teaching.CAMPAIGN))).name == "First campaign"


async def test_the_numbers_add_up_on_the_page(browser: httpx.AsyncClient, stage: Any) -> None:
    app = await stage.app()
    await stage.running(
        app, "Reminder", waiting=700, submitting=40, unknown=3, accepted=500, failed=17, delivered=700, suppressed=40
    )
    page = (await browser.get("/")).text
    shown = numbers(page)
    assert shown["Total"] == 2000 == sum(shown[word] for word in NINE)
    assert shown["Ready"] == 700
    assert 'aria-valuemax="2000" aria-valuenow="1260"' in page


async def test_it_says_until_when_it_is_closed_and_for_how_many(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Diwali", waiting=1300, delivered=700)
    opening = clock.now.replace(hour=3, minute=30) + timedelta(days=1)  # Tuesday 09:00 in Kolkata
    async with db.connection() as conn:
        await conn.execute(
            """UPDATE run SET calling_hours = '{"frequency": "DAILY", "timezone": "Asia/Kolkata",
                   "days": [{"start": "9:00 AM", "end": "10:00 AM"}]}' WHERE run_id = %(run_id)s""",
            {"run_id": campaign.run_id},
        )
        await conn.execute(
            """INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq)
               SELECT app_id, run_id, n, sender_id, 'Asia/Kolkata', %(due_at)s, 602 * n - 601, 602 * n, 602 * n - 601
               FROM run, generate_series(1, 2) n WHERE run_id = %(run_id)s""",
            {"run_id": campaign.run_id, "due_at": opening},
        )
    page = (await browser.get("/")).text
    assert numbers(page)["Held"] == 1204
    assert numbers(page)["Ready"] == 96
    assert "Closed until Tue 09:00 Asia/Kolkata for 1,204 people." in why(page)
    async with db.connection() as conn:
        held_until = opening + timedelta(hours=5)
        await conn.execute("UPDATE sender SET held_until = %(until)s", {"until": held_until})
    page = (await browser.get("/")).text
    assert "The sender's day is used up until Tue 14:00 Asia/Kolkata for 1,204 people" in html.unescape(why(page))


async def test_it_says_where_quiet_hours_are_off(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app("Demonstration")
    await stage.running(app, "Diwali", waiting=10)
    assert "Quiet hours are off" not in (await browser.get("/")).text
    await app_settings.update(db, app, {"quietHours": {"enabled": False}}, now=clock())
    assert "Quiet hours are off in Demonstration" in (await browser.get("/")).text


async def test_it_says_that_nobody_sends_and_that_some_are_unknown(
    browser: httpx.AsyncClient, stage: Any, clock: FrozenClock
) -> None:
    app = await stage.app()
    await stage.running(app, "Reminder", waiting=10, unknown=3)
    assert "No worker" not in (await browser.get("/")).text
    clock.advance(10)
    sentence = why((await browser.get("/")).text)
    assert "No worker is sending it. Start one: heliograph work" in sentence
    assert "3 people unknown" in sentence


async def test_a_scheduled_campaign_says_when_it_starts(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    async with db.connection() as conn:
        await campaigns.set_status(conn, app.app_id, campaign.campaign_id, CampaignStatus.SCHEDULED, now=clock())
        await conn.execute(
            """INSERT INTO schedule (app_id, campaign_id, body, recurs, enabled, next_at, updated_at)
               VALUES (%(app_id)s, %(campaign_id)s, '{}', false, true, %(at)s, %(at)s)""",
            {"app_id": app.app_id, "campaign_id": campaign.campaign_id, "at": clock() + timedelta(hours=30)},
        )
    assert why((await browser.get("/")).text) == "Starts by itself Tue 12:00 UTC."


OFFERED = {
    CampaignStatus.PREPARING: ["delete"],
    CampaignStatus.READY: ["start", "delete"],
    CampaignStatus.SCHEDULED: ["stop", "delete"],
    CampaignStatus.RESCHEDULED: ["stop", "delete"],
    CampaignStatus.ACTIVE: ["pause", "stop", "delete"],
    CampaignStatus.PAUSED: ["resume", "stop", "delete"],
    CampaignStatus.STOPPED: ["start", "delete"],
    CampaignStatus.COMPLETED: ["start", "delete"],
}


async def test_a_campaign_offers_what_its_status_allows(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    for status in CampaignStatus:
        async with db.connection() as conn:
            await campaigns.set_status(conn, app.app_id, campaign.campaign_id, status, now=clock())
        page = (await browser.get("/")).text
        offered = re.findall(rf'action="/console/[^"]+/{campaign.public_id}/(\w+)"', page)
        assert offered == OFFERED[status], status
        assert f'badge {status.lower()}">{status}<' in page


async def test_a_hostile_name_stays_text(browser: httpx.AsyncClient, stage: Any, forms: Any) -> None:
    app = await stage.app("<i>app</i>")
    await stage.app("second")
    name = "<script>alert(1)</script>\"'><img src=x>"
    campaign = await stage.campaign(app, name)
    asked = (await forms.ask(app, campaign, "start")).text
    done = await forms.press(app, campaign, "start")
    assert done.status_code == 303
    for page in ((await browser.get("/")).text, (await browser.get("/console/campaigns")).text, asked):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<i>app" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_it_says_before_and_after_what_a_stop_does(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock, forms: Any
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Reminder", waiting=1312, submitting=40, delivered=648)
    asked = (await forms.ask(app, campaign, "stop")).text
    assert "1,312 people still waiting are not texted" in asked
    assert "What left already, for 688 people, cannot be called back." in asked
    answer = await forms.press(app, campaign, "stop")
    own = f"/console/{app.public_id}/campaigns/{campaign.public_id}"
    assert (answer.status_code, answer.headers["location"]) == (303, own)
    page = (await browser.get("/")).text
    assert "Stopped Reminder. 1,312 people were not texted. 40 had left in that very moment" in page
    assert numbers(page)["Expired"] == 1312
    assert "Stopped Reminder." not in (await browser.get("/")).text  # said once
    async with db.connection() as conn:
        assert (await campaigns.get(conn, app.app_id, campaign.public_id)).status is CampaignStatus.STOPPED


async def test_a_pause_keeps_everybody_waiting_and_a_resume_carries_on(
    browser: httpx.AsyncClient, stage: Any, db: Database, forms: Any
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Reminder", waiting=1312, delivered=688)
    assert "1,312 people still waiting are kept waiting" in (await forms.ask(app, campaign, "pause")).text
    await forms.press(app, campaign, "pause")
    page = (await browser.get("/")).text
    assert "Paused Reminder. 1,312 people are kept waiting." in page
    assert "carries on with 1,312 people not yet texted" in (await forms.ask(app, campaign, "resume")).text
    await forms.press(app, campaign, "resume")
    assert "Resumed Reminder with 1,312 people not yet texted." in (await browser.get("/")).text
    async with db.connection() as conn:
        assert (await campaigns.get(conn, app.app_id, campaign.public_id)).status is CampaignStatus.ACTIVE


async def test_deleting_what_runs_says_that_it_stops_first(
    browser: httpx.AsyncClient, stage: Any, db: Database, forms: Any
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Reminder", waiting=1, delivered=1)
    asked = (await forms.ask(app, campaign, "delete")).text
    assert "It is Active, so it is stopped first." in asked
    assert "1 person still waiting is not texted" in asked
    await forms.press(app, campaign, "delete")
    page = (await browser.get("/")).text
    assert "Stopped and deleted Reminder. 1 person was not texted." in page
    assert "No campaigns yet" in page
    async with db.connection() as conn:
        assert await campaigns.find(conn, app.app_id, campaign.public_id) is None


async def test_a_start_shows_the_text_and_whom_it_reaches(stage: Any, db: Database, forms: Any) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder", contacts=312)
    asked = (await forms.ask(app, campaign, "start")).text
    assert "Hello {{first name}}, this is our first campaign." in asked
    assert "312 contacts" in asked
    await forms.press(app, campaign, "start")
    async with db.connection() as conn:
        assert (await campaigns.get(conn, app.app_id, campaign.public_id)).status is CampaignStatus.ACTIVE


async def test_what_the_law_does_not_allow_is_told_in_a_sentence(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock, forms: Any
) -> None:
    app = await stage.app()
    campaign = await stage.running(app, "Reminder", waiting=5)
    token = re.search(r'name="token" value="([^"]+)"', (await forms.ask(app, campaign, "stop")).text)
    assert token
    await runs.stop(db, app, campaign.public_id, now=clock())  # somebody else was quicker
    at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/stop"
    asked = await browser.get(at)
    assert (asked.status_code, "Campaign Reminder is Stopped" in asked.text) == (200, True)
    headers = {"Origin": "http://127.0.0.1:8080", "HX-Request": "true"}
    answer = await browser.post(at, data={"token": token.group(1)}, headers=headers)
    assert answer.status_code == 409
    assert answer.headers["hx-retarget"] == "#said"
    assert "Campaign Reminder is Stopped, and stop is possible only when" in answer.text
    assert "Traceback" not in answer.text


async def test_a_database_that_is_gone_is_told_in_a_sentence(
    browser: httpx.AsyncClient, stage: Any, db: Database
) -> None:
    await stage.app()
    await db.close()
    for path in ("/", "/console/campaigns"):
        answer = await browser.get(path)
        assert answer.status_code == 503
        assert "Traceback" not in answer.text
        assert "<p>" in answer.text


async def test_apps_are_told_apart_and_switched(browser: httpx.AsyncClient, stage: Any) -> None:
    one, two = await stage.app("One"), await stage.app("Two")
    await stage.campaign(one, "First")
    await stage.campaign(two, "Second")
    both = (await browser.get("/")).text
    assert all(f">{name}</a>" in both for name in ("First", "Second"))
    only = (await browser.get("/", params={"app": two.public_id})).text
    assert "Second" in only
    assert ">First</a>" not in only
    assert f'data-stream="/console/campaigns?app={two.public_id}&amp;as=cards"' in only
    assert (await browser.get("/", params={"app": "st-none"})).status_code == 404


async def test_campaigns_are_filtered_by_status_and_paged(browser: httpx.AsyncClient, stage: Any) -> None:
    app = await stage.app()
    for number in range(52):
        await stage.campaign(app, f"Number {number:02}")
    await stage.running(app, "Running", waiting=5)
    first, second = (await browser.get("/")).text, (await browser.get("/", params={"page": 2})).text
    assert first.count('<li class="card"') == 50
    assert second.count('<li class="card"') == 3
    assert "Page 2 of 2" in second
    active = (await browser.get("/", params={"status": "Active"})).text
    assert active.count('<li class="card"') == 1
    for wrong in ({"status": "Sleeping"}, {"page": "0"}, {"page": "x"}, {"page": "²"}):
        answer = await browser.get("/", params=wrong)
        assert answer.status_code == 400
        assert "it takes" in answer.text


async def test_what_is_not_there_is_told_in_a_sentence(browser: httpx.AsyncClient, stage: Any) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    for path in (
        "/console/nothing",
        f"/console/{app.public_id}/campaigns/{campaign.public_id}/explode",
        f"/console/{app.public_id}/cd-none/stop",
        f"/console/st-none/{campaign.public_id}/stop",
        "/console/static/none.css",
    ):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "That did not work" in answer.text


async def test_pages_and_files_are_compressed_and_events_are_not_held_back(
    browser: httpx.AsyncClient, console: Starlette, stage: Any
) -> None:
    await stage.running(await stage.app(), "Reminder", waiting=5, delivered=7)
    page = await browser.get("/")
    for path in ("/", *re.findall(r'"(/console/static/[a-z]+\.(?:css|js)\?v=[^"]+)"', page.text)):
        answer = await browser.get(path)
        assert answer.headers["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["Vary"]
        plain = await browser.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert len(plain.content) == len(answer.content), path
    console.state.web.state.closing = True  # the stream ends with its first event
    events = await browser.get("/console/campaigns", headers={"Accept": "text/event-stream"})
    assert "Content-Encoding" not in events.headers


async def test_one_app_cannot_be_named_to_reach_the_campaign_of_another(stage: Any, forms: Any) -> None:
    one, two = await stage.app("One"), await stage.app("Two")
    campaign = await stage.campaign(one, "First")
    assert (await forms.ask(two, campaign, "delete")).status_code == 404


async def test_a_campaign_that_ends_by_itself_keeps_its_place(
    stage: Any, db: Database, clock: FrozenClock, browser: httpx.AsyncClient
) -> None:
    app = await stage.app()
    await stage.running(app, "Older", delivered=2)
    clock.advance(60)
    await stage.campaign(app, "Newer")
    clock.advance(60)
    names = re.findall(r'class="name" href="[^"]+">(\w+)<', (await browser.get("/")).text)
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET status = 'Completed', updated_at = %(now)s", {"now": clock()})
        shown = await overview.page(conn, app_id=None, status=None, offset=0, limit=50, now=clock())
    assert names == ["Newer", "Older"] == [standing.name for standing in shown]
