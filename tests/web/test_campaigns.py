from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import contacts
from heliograph.rules import ids
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import campaigns, progress, run_people, runs, schedules
from heliograph.web import chart, reasons, schedule_form
from heliograph.web.kit import link
from tests.web.conftest import BASE, enter, signed_in

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

FATES = ["delivered"] * 6 + ["accepted", "failed", "failed", "suppressed", "unknown"]


def at(app: App, campaign: Campaign, page: str = "", **query: object) -> str:
    own = f"/console/{app.public_id}/campaigns/{campaign.public_id}"
    return link(f"{own}/{page}" if page else own, **query)


async def post(browser: httpx.AsyncClient, page: str, to: str, data: dict[str, Any]) -> httpx.Response:
    """What the form of ``page`` would post, with ``data``."""
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(page)).text)
    assert found, page
    return await browser.post(to, data={"token": found.group(1)} | data, headers={"Origin": BASE})


async def went(stage: Any, db: Database, clock: FrozenClock, app: App, *, waiting: int = 3) -> Campaign:
    """A campaign under way: people of every fate, and some who wait."""
    settled = len(FATES)
    counts = {word: FATES.count(word) for word in set(FATES)} | {"waiting": waiting}
    campaign = await stage.running(app, "Renewal", **counts)
    values = {"run_id": campaign.run_id, "fates": FATES, "now": clock(), "whole": settled + waiting, "settled": settled}
    async with db.connection() as conn:
        await conn.execute(
            """INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts)
               SELECT app_id, run_id, n, list_ids[1], n, '+1415555' || lpad(n::text, 4, '0'), 'Hello ' || n, 1 + n %% 2
               FROM run, generate_series(1, %(whole)s) AS n WHERE run_id = %(run_id)s""",
            values,
        )
        await conn.execute(
            """INSERT INTO outcome (app_id, run_id, seq, status, reason, account_id, carrier_ref, submitted_at,
                                    settled_at)
               SELECT r.app_id, r.run_id, n, f::message_status,
                      CASE f WHEN 'failed' THEN 'absent_subscriber' WHEN 'suppressed' THEN 'do_not_contact' END,
                      s.account_id,
                      CASE WHEN f IN ('delivered', 'accepted', 'failed') THEN 'ref' || n END,
                      CASE WHEN f <> 'suppressed'
                          THEN %(now)s::timestamptz - interval '1 minute' + n * interval '1 s' END,
                      %(now)s
               FROM run r JOIN sender s ON s.sender_id = r.sender_id,
                    unnest(%(fates)s::text[]) WITH ORDINALITY AS x (f, n) WHERE r.run_id = %(run_id)s""",
            values,
        )
        await conn.execute(
            """INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq)
               SELECT app_id, run_id, 1, sender_id, 'UTC', %(now)s::timestamptz + interval '1 hour', 1, %(whole)s,
                      %(settled)s + 1
               FROM run WHERE run_id = %(run_id)s""",
            values,
        )
        await conn.execute("UPDATE run SET last_seq = %(whole)s WHERE run_id = %(run_id)s", values)
    return campaign


# ---------------------------------------------------------------- the list


async def test_an_apps_campaigns_are_a_table_that_is_searched_sorted_and_kept_as_views(
    browser: httpx.AsyncClient, stage: Any, console: Starlette, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    for name, priority in (("Spring sale", "2"), ("Summer sale", "5"), ("Invoices", "3")):
        await stage.campaign(app, name, priority=priority)
    path = f"/console/{app.public_id}/campaigns"

    def names(page: str) -> list[str]:
        return re.findall(r'<td class="t-name"><a href="[^"]+">([^<]+)</a>', page)

    assert names((await browser.get(path)).text) == ["Invoices", "Summer sale", "Spring sale"]
    assert names((await browser.get(path, params={"sort": "priority"})).text) == [
        "Summer sale",
        "Invoices",
        "Spring sale",
    ]
    assert names((await browser.get(path, params={"sort": "name"})).text) == ["Invoices", "Spring sale", "Summer sale"]
    found = (await browser.get(path, params={"q": "SALE", "sort": "name"})).text
    assert names(found) == ["Spring sale", "Summer sale"]
    assert "All <b>2</b>" in found
    assert "No campaign here" in (await browser.get(path, params={"q": "winter"})).text
    assert (await browser.get(path, params={"sort": "colour"})).status_code == 400
    assert '<li class="card"' in (await browser.get(path, params={"as": "cards"})).text

    kept = await post(browser, path, f"{path}/views", {"name": "Sales", "query": "q=sale&sort=name&page=7"})
    assert kept.headers["location"] == f"{path}?q=sale&sort=name"
    page = (await browser.get(path)).text
    assert f'href="{path}?q=sale&amp;sort=name">Sales</a>' in page
    async with signed_in(console, await enter(db, clock, name="Bo Carter")) as other:
        assert ">Sales</a>" not in (await other.get(path)).text
    async with signed_in(console, await enter(db, clock)) as elsewhere:
        assert ">Sales</a>" in (await elsewhere.get(path)).text
    await post(browser, path, f"{path}/views", {"forget": "Sales"})
    assert ">Sales</a>" not in (await browser.get(path)).text
    assert (await post(browser, path, f"{path}/views", {"name": " "})).status_code == 400


# ---------------------------------------------------------------- one campaign


async def test_a_campaigns_page_tells_how_it_goes_and_why(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)
    page = html.unescape((await browser.get(at(app, campaign))).text)
    assert "<h1>Renewal" in page
    assert "absent subscriber" in page
    assert reasons.WORDS["do_not_contact"] in page
    assert "<polyline" in page
    assert "66 %" in page  # six of nine that left were delivered
    assert "Decide about 1 whose fate is unknown" in page
    assert "Every day 00:00 to 23:59" in page
    live = (await browser.get(at(app, campaign, "live"))).text
    assert "<dt>Delivered</dt><dd>6</dd>" in live
    drawn = (await browser.get(at(app, campaign, "progress"))).text
    assert "Finished" in drawn
    assert (await browser.get(f"/console/{app.public_id}/campaigns/cd-none")).status_code == 404
    never = await stage.campaign(app, "Never")
    assert "It has not been started yet" in (await browser.get(at(app, never))).text


async def test_what_is_drawn_of_a_large_run_is_a_sample(stage: Any, db: Database, clock: FrozenClock) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)
    async with db.connection() as conn:
        whole = await progress.sample(conn, app.app_id, campaign.run_id or 0)
        slots = await progress.timeline(conn, whole)
        assert whole.every == 1
        assert (sum(one.sent for one in slots), sum(one.delivered for one in slots)) == (10, 6)
        thin = progress.Sample(app.app_id, campaign.run_id or 0, whole.last, 5)
        assert sum(one.sent for one in await progress.timeline(conn, thin)) == 3  # places 3, 7 and 11
        assert [(one.reason, one.people) for one in await progress.reasons(conn, thin)] == [("", 1)]  # unknown
        waits = await progress.waits(conn, app.app_id, campaign.run_id or 0)
        assert [(one.zone, one.people) for one in waits] == [("UTC", 3)]
        exact = await progress.refless_reasons(conn, app.app_id, campaign.run_id or 0)
        assert {one.status: one.people for one in exact} == {"suppressed": 1, "unknown": 1}
    found = chart.draw(slots, 3)
    assert found is not None
    assert {line.kind: line.whole for line in found.lines}["delivered"] == 18
    assert chart.draw([], 1) is None


async def test_people_are_found_by_status_and_number_and_told_one_by_one(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)

    async def numbers(**query: object) -> list[str]:
        answer = await browser.get(at(app, campaign, "people", **query))
        assert answer.status_code == 200
        return re.findall(r'<a class="tel"[^>]*>\+1415555(\d+)<', answer.text)

    assert len(await numbers()) == 14
    assert await numbers(status="failed") == ["0008", "0009"]
    assert await numbers(status="suppressed") == ["0010"]
    assert await numbers(status="held") == ["0012", "0013", "0014"]
    assert await numbers(status="ready") == []
    assert await numbers(number="1 415 555 001") == ["0010", "0011", "0012", "0013", "0014"]
    assert await numbers(number="+14155550008", status="failed") == ["0008"]
    assert await numbers(number="+14155550008", status="held") == []
    assert (await browser.get(at(app, campaign, "people", status="asleep"))).status_code == 400
    assert (await browser.get(at(app, campaign, "people", run="cid-none"))).status_code == 404
    assert (await browser.get(at(app, campaign, "people", after="x"))).status_code == 400

    async with db.connection() as conn:
        run = await runs.get(conn, app.app_id, campaign.run_id or 0)
    told = (await browser.get(at(app, campaign, f"people/{ids.message_id(run.public_id, 8)}"))).text
    assert "+14155550008" in told
    assert "Hello 8" in told
    assert "absent" in told
    sheet = await browser.get(at(app, campaign, "people.csv", status="failed"))
    assert sheet.headers["content-disposition"].startswith('attachment; filename="Renewal failed.csv"')
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert [(row["phoneNumber"], row["status"], row["detail"]) for row in rows] == [
        ("+14155550008", "failed", "absent_subscriber"),
        ("+14155550009", "failed", "absent_subscriber"),
    ]


async def test_whoever_was_dropped_by_a_stop_is_found_as_expired(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock, forms: Any
) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)
    await forms.press(app, campaign, "stop")
    page = (await browser.get(at(app, campaign, "people", status="expired"))).text
    assert re.findall(r'<a class="tel"[^>]*>\+1415555(\d+)<', page) == ["0012", "0013", "0014"]
    async with db.connection() as conn:
        first = await run_people.list_waiting(
            conn, app.app_id, campaign.run_id or 0, held=None, after=0, limit=2, now=clock()
        )
        rest = await run_people.list_waiting(
            conn, app.app_id, campaign.run_id or 0, held=None, after=first.after or 0, limit=2, now=clock()
        )
    assert (first.seqs, rest.seqs, rest.after) == ([12, 13], [14], None)


async def test_a_retry_and_an_emergency_say_what_they_do(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock, forms: Any
) -> None:
    app = await stage.app()
    campaign = await went(stage, db, clock, app)
    await forms.press(app, campaign, "stop")
    asked = html.unescape((await forms.ask(app, campaign, "retry")).text)
    assert "failed with 2 people, and ended before 3 people had their turn" in asked
    assert "at whatever hour" in (await forms.ask(app, campaign, "emergency")).text
    await forms.press(app, campaign, "retry")
    assert "Started Renewal over 5 people whom the last run failed with." in (await browser.get("/")).text


async def test_it_is_copied_and_deleted_from_its_page(browser: httpx.AsyncClient, stage: Any, forms: Any) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Invoices")
    copied = await post(browser, at(app, campaign), at(app, campaign, "copy"), {})
    assert copied.headers["location"].endswith("/edit")
    assert 'value="Copy of Invoices"' in (await browser.get(copied.headers["location"])).text
    gone = await forms.press(
        app, campaign, "delete", **{"HX-Request": "true", "HX-Current-URL": BASE + at(app, campaign)}
    )
    assert gone.headers["hx-redirect"] == f"/console/{app.public_id}/campaigns"


# ---------------------------------------------------------------- making one


def typed(**other: Any) -> dict[str, Any]:
    return {
        "name": "Summer",
        "list": ["People"],
        "kind": "text",
        "text": "Hello {{first name}}, summer is here.",
        "missing": "empty",
        "caller": "+14155550199",
        "zone": "Asia/Kolkata",
        "hours": "daily",
        "from": "09:00",
        "to": "18:00",
        "starts": "hand",
        "start_time": "09:00",
        "every": "1",
        "month_day": "1",
        "hold_out": "0",
        "priority": "4",
    } | other


async def with_people(stage: Any, db: Database, clock: FrozenClock) -> App:
    app = await stage.app()
    file = io.BytesIO(b"phoneNumber,firstName\n+14155550101,Ada\n+14155550102,Jos\xc3\xa9\n+447700900101,Grace\n")
    await contacts.import_csv(db, app, "People", file, file_name="people.csv", create=True, now=clock())
    return app


async def test_a_campaign_is_made_checked_and_started(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await with_people(stage, db, clock)
    new = f"/console/{app.public_id}/campaigns/new"
    page = (await browser.get(new)).text
    assert '<span class="pick-name">People</span><span class="pick-count">3</span>' in page
    made = await post(browser, new, new, typed())
    assert made.status_code == 303
    assert made.headers["location"].endswith("/check")
    check = html.unescape((await browser.get(made.headers["location"])).text)
    assert "<b>3</b> of 3 contacts get a text" in check
    assert "Nothing has been sent." in check
    assert "Hello " in check
    public_id = made.headers["location"].split("/")[-2]
    async with db.connection() as conn:
        campaign = await campaigns.get(conn, app.app_id, public_id)
    assert (campaign.status, campaign.priority, campaign.zone_rule) == (CampaignStatus.READY, 4, "vendor")
    assert campaign.dialing["callingHours"]["days"] == [{"start": "09:00", "end": "18:00"}]
    alone = (await browser.get(at(app, campaign, "check/preview"))).text
    assert alone.startswith('<div class="preview">')


async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_is_kept(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await with_people(stage, db, clock)
    new = f"/console/{app.public_id}/campaigns/new"
    empty = await post(browser, new, new, {"text": "Kept words", "starts": "weekly", "hours": "weekly"})
    assert empty.status_code == 400
    page = html.unescape(empty.text)
    for sentence in ("Give it a name", "Choose at least one list", "whom the texts come from", "Tick at least one day"):
        assert sentence in page
    assert ">Kept words</textarea>" in page
    for wrong, place in (
        ({"zone": "Moon/Base"}, "zone"),
        ({"text": "Hello {{first"}, "text"),
        ({"name": "x" * 49}, "name"),
        ({"hold_out": "70"}, "hold_out"),
        ({"starts": "once", "start_date": "2001-01-01"}, "start_date"),
        ({"starts": "daily", "start_date": "2027-01-01", "every": "0"}, "every"),
        ({"kind": "flow", "flow": "cf-none"}, "flow"),
        ({"kind": "template", "template": "cmt-none"}, "template"),
    ):
        answer = await post(browser, new, new, typed(**wrong))
        assert answer.status_code == 400, wrong
        assert f'id="{place}-error"' in answer.text, (wrong, re.findall(r'id="(\w+)-error"', answer.text))
    async with db.connection() as conn:
        assert await campaigns.count(conn, app.app_id, campaigns.Wanted()) == 0
    assert (await post(browser, new, new, typed())).status_code == 303
    twice = await post(browser, new, new, typed())
    assert (twice.status_code, 'id="name-error"' in twice.text) == (400, True)


async def test_a_campaign_is_changed_with_its_schedule(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await with_people(stage, db, clock)
    new = f"/console/{app.public_id}/campaigns/new"
    day = (clock() + timedelta(days=3)).date().isoformat()
    weekly = typed(
        hours="weekly",
        days=["MO", "FR"],
        starts="weekly",
        start_date=day,
        weekdays=["Mon", "Fri"],
        recipient="yes",
        **{"MO-0": "09:00", "MO-1": "12:00", "MO-2": "22:00", "MO-3": "02:00", "FR-0": "10:00", "FR-1": "11:00"},
    )
    made = await post(browser, new, new, weekly)
    assert made.status_code == 303, re.findall(r'-error">([^<]+)', made.text)
    public_id = made.headers["location"].split("/")[-2]
    async with db.connection() as conn:
        campaign = await campaigns.get(conn, app.app_id, public_id)
        kept = await schedules.find(conn, app.app_id, campaign.campaign_id)
    assert campaign.status is CampaignStatus.SCHEDULED
    assert kept is not None
    assert schedule_form.words(kept.body) == "Every week on Mon, Fri at 09:00 Asia/Kolkata"
    own = at(app, campaign)
    shown = html.unescape((await browser.get(own)).text)
    assert "Monday 09:00 to 12:00 and 22:00 to 02:00 the next day" in shown
    edit = (await browser.get(f"{own}/edit")).text
    assert re.search(r'name="MO-3" value="02:00"', edit)
    assert re.search(r'name="weekdays" value="Fri" checked', edit)
    answer = await post(browser, f"{own}/edit", f"{own}/edit", typed(name="Autumn", hours="always"))
    assert answer.status_code == 303, re.findall(r'-error">([^<]+)', answer.text)
    async with db.connection() as conn:
        after = await campaigns.get(conn, app.app_id, public_id)
    assert (after.name, after.status, after.scheduled, after.zone_rule) == (
        "Autumn",
        CampaignStatus.READY,
        False,
        "vendor",
    )
    assert 'name="hours" value="always" checked' in (await browser.get(f"{own}/edit")).text


async def test_costly_characters_are_told_and_written_plainly(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await with_people(stage, db, clock)
    new = f"/console/{app.public_id}/campaigns/new"
    made = await post(browser, new, new, typed(text="It\u2019s summer \u2013 at last"))
    check = made.headers["location"]
    page = html.unescape((await browser.get(check)).text)
    assert "right single quotation mark" in page
    assert "Write it in plain characters" in page
    assert (await post(browser, check, f"{check}/plain", {})).status_code == 303
    assert "right single quotation mark" not in (await browser.get(check)).text
    refused = await post(browser, check, f"{check}/test", {"to": "nonsense"})
    assert refused.status_code == 400
    assert 'id="to-error"' in refused.text
