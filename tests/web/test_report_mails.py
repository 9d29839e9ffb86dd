"""Reports by e-mail: made in the console, sent once for each time, tried again where they certainly were not taken."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import report_mails
from heliograph.config import Settings
from heliograph.store import report_mails as rows
from tests.mail_sink import Sink, open_sink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.report_mails import Sending

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:8080"
GIVEN = {
    "name": "Yesterday's texts",
    "what": "campaign",
    "span": "today",
    "format": "xlsx",
    "recipients": "ada@example.com, bob@example.com",
    "often": "day",
    "at": "08:00",
    "zone": "Europe/Berlin",
}


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with open_sink() as found:
        yield found


@pytest.fixture
def settings(settings: Settings, sink: Sink) -> Settings:
    return replace(
        settings,
        smtp_host="127.0.0.1",
        smtp_port=sink.port,
        smtp_security="none",
        smtp_from="texts@example.com",
        console_url=None,
    )


@pytest.fixture
async def app(stage: Any) -> App:
    app = await stage.app()
    await stage.running(app, "First", accepted=5, delivered=80, failed=4)
    return app


async def post(browser: httpx.AsyncClient, page: str, to: str, **fields: str) -> httpx.Response:
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(page)).text)
    assert found is not None
    return await browser.post(to, data={"token": found[1], **fields}, headers={"Origin": BASE})


async def made(browser: httpx.AsyncClient, app: App, **changes: str) -> str:
    at = f"/console/{app.public_id}/reports/mails/new"
    answer = await post(browser, at, at, **(GIVEN | changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def last(db: Database, app: App, address: str) -> Sending:
    async with db.connection() as conn:
        return (await rows.list_sendings(conn, app.app_id, address.rpartition("/")[2]))[0]


async def work(db: Database, settings: Settings, clock: Any) -> None:
    """What the worker does when it looks."""
    await report_mails.take_due(db, now=clock())
    while await report_mails.send_one(db, settings, clock):
        pass


async def test_it_is_sent_at_its_time_once_with_the_report_in_it(
    browser: httpx.AsyncClient, app: App, db: Database, settings: Settings, clock: Any, sink: Sink
) -> None:
    at = await made(browser, app)  # it is 06:00 UTC, 07:00 in Berlin
    await work(db, settings, clock)
    assert sink.letters == []
    clock.advance(3600)
    for _ in range(2):
        await work(db, settings, clock)
    assert sink.to == [["ada@example.com", "bob@example.com"]]
    letter = sink.letters[0]
    assert letter["Subject"] == "Yesterday's texts, 2026-03-02"
    file = next(letter.iter_attachments())
    assert file.get_filename() == "Test app by campaign 2026-03-02 to 2026-03-02.xlsx"
    assert file.get_content().startswith(b"PK")
    body = letter.get_body()
    assert body is not None
    assert "Sent: 85" in body.get_content()
    page = (await browser.get(at)).text
    assert "Sent</span>" in page
    clock.advance(3 * 86400)  # nobody was there for three days: only the last time counts
    await work(db, settings, clock)
    assert len(sink.letters) == 2
    assert (await last(db, app, at)).due_at == datetime(2026, 3, 5, 7, 0, tzinfo=UTC)


async def test_what_was_certainly_not_taken_is_tried_again_and_what_may_have_been_is_not(
    browser: httpx.AsyncClient, app: App, db: Database, settings: Settings, clock: Any, sink: Sink
) -> None:
    at = await made(browser, app)
    clock.advance(3600)
    sink.answers["MAIL"] = "451 come back"
    await work(db, settings, clock)
    assert (await last(db, app, at)).error == "451 come back"
    assert "tried again" in (await browser.get(at)).text
    await work(db, settings, clock)
    assert (await last(db, app, at)).attempts == 1  # not before its time
    del sink.answers["MAIL"]
    sink.answers["TO:<bob@example.com>"] = "550 nobody here"
    clock.advance(60)
    await work(db, settings, clock)
    found = await last(db, app, at)
    assert found.sent_at is not None
    assert found.error == "bob@example.com: 550 nobody here"
    sink.answers["after"] = "hang up"
    clock.advance(86400)
    await work(db, settings, clock)
    clock.advance(3600)
    await work(db, settings, clock)
    assert len(sink.letters) == 2
    found = await last(db, app, at)
    assert (found.sent_at, found.next_at) == (None, None)
    assert "did not say whether it took the letter" in found.error
    sink.answers = {"MAIL": "550 never"}
    clock.advance(86400)
    await work(db, settings, clock)
    assert (await last(db, app, at)).next_at is None


async def test_nothing_is_said_in_the_clear_where_starttls_is_asked_for(
    browser: httpx.AsyncClient, app: App, db: Database, settings: Settings, clock: Any, sink: Sink
) -> None:
    at = await made(browser, app)
    clock.advance(3600)
    await work(db, replace(settings, smtp_security="starttls", smtp_user="ada", smtp_password="secret"), clock)
    assert sink.letters == []
    assert "STARTTLS" in (await last(db, app, at)).error


async def test_a_test_goes_to_whoever_asks_for_it_and_pausing_and_deleting_hold(
    browser: httpx.AsyncClient, app: App, db: Database, settings: Settings, clock: Any, sink: Sink
) -> None:
    at = await made(browser, app, format="pdf", what="country", often="month", month_day="-1")
    assert (await post(browser, at, f"{at}/test")).status_code == 303
    await work(db, settings, clock)
    assert sink.to == [["ada@example.com"]]
    assert sink.letters[0]["Subject"].startswith("Test: ")
    assert next(sink.letters[0].iter_attachments()).get_content().startswith(b"%PDF")
    assert (await post(browser, at, f"{at}/pause")).status_code == 303
    moment = clock()
    clock.advance(40 * 86400)
    await work(db, settings, clock)
    assert len(sink.letters) == 1
    clock.set(moment)  # who is signed in would not be so any more
    assert (await post(browser, at, f"{at}/resume")).status_code == 303
    async with db.connection() as conn:
        found = (await rows.list_all(conn, app.app_id))[0]
    assert found.due_at == datetime(2026, 3, 31, 6, 0, tzinfo=UTC)
    assert (await post(browser, at, at, **(GIVEN | {"name": "Another"}))).status_code == 303
    assert "Another" in (await browser.get(at)).text
    assert (await browser.get(f"{at}/delete")).status_code == 200
    assert (await post(browser, at, f"{at}/delete")).status_code == 303
    assert "Deleted the mailed report Another" in (await browser.get("/console/audit")).text
    clock.advance(timedelta(days=60).total_seconds())
    await work(db, settings, clock)
    assert len(sink.letters) == 1


async def test_what_cannot_be_mailed_is_said_beside_its_field(
    browser: httpx.AsyncClient, app: App, settings: Settings
) -> None:
    at = f"/console/{app.public_id}/reports/mails"
    assert "No report is mailed" in (await browser.get(at)).text
    for wrong in (
        {"name": " "},
        {"recipients": "ada@@example.com"},
        {"recipients": ""},
        {"span": "ever"},
        {"zone": "Mars/Olympus"},
        {"at": "25:00"},
        {"often": "week", "weekday": "7"},
    ):
        answer = await post(browser, f"{at}/new", f"{at}/new", **(GIVEN | wrong))
        assert answer.status_code == 400, wrong
        assert 'class="wrong-text"' in answer.text, wrong
    assert (await browser.get(f"{at}/rm-nothing")).status_code == 404


async def test_an_invitation_is_mailed_and_the_link_is_shown_all_the_same(
    browser: httpx.AsyncClient, sink: Sink
) -> None:
    at = "/console/users/new"
    grace = {"name": "Grace", "email": "grace@example.com", "role": "Supervisor"}
    page = (await post(browser, at, at, **grace)).text
    link = re.search(r"<code>([^<]+/console/link/[^<]+)</code>", page)
    assert link is not None
    assert "It was mailed to grace@example.com" in page
    body = sink.letters[0].get_body()
    assert body is not None
    assert link[1] in body.get_content()
    sink.answers["MAIL"] = "550 not from you"
    page = (await post(browser, at, at, **(grace | {"email": "alan@example.com"}))).text
    assert "It could not be mailed to alan@example.com: 550 not from you" in page
    assert "/console/link/" in page
