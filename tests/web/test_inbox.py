"""The inbox in the console: who waits for an answer, the whole conversation, answering, assigning, closing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import auto_answers, inbox
from heliograph.actions.inbox import HandOver
from heliograph.actions.replies import keep
from heliograph.carriers.base import Reply
from heliograph.store import carrier_accounts, inbox_pages
from heliograph.store import inbox as conversations
from heliograph.store.inbox_pages import Wanted

if TYPE_CHECKING:
    import httpx

    from heliograph.config import Clock
    from heliograph.store.apps import App
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}
ADA, OURS = "+447700900123", "+14155550199"


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


async def writes(db: Database, app: App, clock: Clock, text: str, number: str = ADA) -> str:
    """Somebody writes, and no flow answers; the conversation's id."""
    now = clock()
    async with db.transaction() as conn:
        account = (await carrier_accounts.list_all(conn, app.app_id))[0]
        said = Reply(ref=text[:20], number=number, to=OURS, text=text, at=now)
        await keep(conn, app.app_id, account.account_id, [said], now=now)
    assert await auto_answers.work(db, app.app_id, now=now)
    async with db.connection() as conn:
        wanted = Wanted(number=number)
        (found,) = await inbox_pages.page(conn, app.app_id, wanted, skip=0, limit=2)
    return found.public_id


async def post(browser: httpx.AsyncClient, form: str, to: str, fields: dict[str, Any]) -> httpx.Response:
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(form)).text)
    assert found
    return await browser.post(to, data={"token": found.group(1)} | fields, headers=ORIGIN)


async def test_an_empty_inbox_says_what_it_is_for(browser: httpx.AsyncClient, app: App) -> None:
    page = (await browser.get(f"/console/{app.public_id}/inbox")).text
    assert "Nothing waits here" in page
    assert (await browser.get(f"/console/{app.public_id}/inbox?view=sideways")).status_code == 400


async def test_somebody_writes_and_is_answered(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/inbox"
    talk = await writes(db, app, clock, "Where is my <b>parcel</b>?")
    page = (await browser.get(at)).text
    assert ADA in page
    assert "Where is my &lt;b&gt;parcel&lt;/b&gt;?" in page
    one = (await browser.get(f"{at}/{talk}")).text
    assert "Write an answer" in one
    answer = await post(browser, f"{at}/{talk}", f"{at}/{talk}/answer", {"text": "On its way", "key": "k1"})
    assert answer.status_code == 303, answer.text
    again = await post(browser, f"{at}/{talk}", f"{at}/{talk}/answer", {"text": "On its way", "key": "k1"})
    assert again.status_code == 303
    thread = (await browser.get(f"{at}/{talk}/thread")).text
    assert thread.count("On its way") == 1
    blank = await post(browser, f"{at}/{talk}", f"{at}/{talk}/answer", {"text": "  "})
    assert blank.status_code == 400
    assert "blank" in blank.text


async def test_it_is_assigned_noted_read_and_closed(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/inbox"
    talk = await writes(db, app, clock, "Help")
    one = f"{at}/{talk}"
    steps: list[tuple[str, dict[str, str]]] = [
        ("change", {"assignee": "Somebody"}),
        ("note", {"text": "Knows us well"}),
        ("change", {"unread": "no"}),
        ("change", {"status": "closed"}),
    ]
    for word, fields in steps:
        answer = await post(browser, one, f"{one}/{word}", fields)
        assert answer.status_code == 303, answer.text
    async with db.connection() as conn:
        found = await conversations.get(conn, app.app_id, talk)
    assert (found.assignee, found.open, found.unread) == ("Somebody", False, 0)
    page = (await browser.get(one)).text
    assert "Note: Knows us well" in page
    assert talk in (await browser.get(f"{at}?view=closed")).text
    assert talk not in (await browser.get(f"{at}/list?view=open")).text


async def test_it_is_found_by_number_and_a_new_one_is_opened(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/inbox"
    talk = await writes(db, app, clock, "First")
    other = await writes(db, app, clock, "Second", "+14155550111")
    found = (await browser.get(at, params={"search": ADA})).text
    assert talk in found
    assert other not in found
    made = await post(browser, at, f"{at}/new", {"number": "+447700900555", "address": "+14155550199"})
    assert made.status_code == 303, made.text
    assert "+447700900555" in (await browser.get(made.headers["location"])).text
    wrong = await post(browser, at, f"{at}/new", {"number": "somebody", "address": OURS})
    assert wrong.status_code == 400
    assert "somebody" in wrong.text


async def test_a_hand_over_is_marked(browser: httpx.AsyncClient, app: App, db: Database, clock: Clock) -> None:
    async with db.transaction() as conn:
        given = HandOver(ADA, OURS, None, "Wants a person", "billing")
        await inbox.hand_over(conn, app.app_id, [given], now=clock())
    assert "handed over" in (await browser.get(f"/console/{app.public_id}/inbox")).text
