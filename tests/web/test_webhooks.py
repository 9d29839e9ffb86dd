"""Webhooks in the console: made, their secret shown once, changed, paused, tried out, told again, deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks
from heliograph.store.webhook_deliveries import Tried
from tests.web.test_settings import post

if TYPE_CHECKING:
    import httpx

    from heliograph.config import Clock
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.webhooks import Webhook

pytestmark = pytest.mark.anyio
URL = "https://desk.example.com/hooks"


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


@pytest.fixture
def at(app: App) -> str:
    return f"/console/{app.public_id}/settings/webhooks"


async def the_one(db: Database, app: App) -> Webhook:
    async with db.connection() as conn:
        (found,) = await webhooks.list_all(conn, app.app_id)
    return found


async def test_one_is_made_its_secret_shown_once_and_changed(
    browser: httpx.AsyncClient, app: App, db: Database, at: str
) -> None:
    assert "No webhooks yet" in (await browser.get(at)).text
    fields: dict[str, Any] = {"url": URL, "description": "Our <desk>", "event": ["reply.received", "opt_out.recorded"]}
    made = await post(browser, f"{at}/new", fields)
    assert made.status_code == 200
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    found = await the_one(db, app)
    assert (found.url, found.events, found.enabled) == (URL, ["reply.received", "opt_out.recorded"], True)
    here = f"{at}/{found.public_id}"
    page = (await browser.get(here)).text
    assert secret not in page
    assert "Our &lt;desk&gt;" in page
    assert "Nothing yet" in page
    assert URL in (await browser.get(at)).text

    changed = {"url": f"{URL}/2", "description": "", "event": ["*"]}
    assert (await post(browser, here, changed)).status_code == 303
    assert ((await the_one(db, app)).url, (await the_one(db, app)).events) == (f"{URL}/2", ["*"])

    other = await post(browser, f"{here}/secret", {}, form=here)
    (new,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", other.text)
    assert new != secret
    assert "signs beside it until" in other.text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"url": "ftp://desk.example.com"}, "ftp"),
        ({"event": []}, "Choose at least one event"),
        ({"description": "x" * 300}, "256"),
    ],
)
async def test_what_is_wrong_is_told_beside_it_and_what_was_typed_stays(
    browser: httpx.AsyncClient, app: App, db: Database, at: str, changed: dict[str, Any], told: str
) -> None:
    fields = {"url": URL, "description": "The desk", "event": ["campaign.started"]} | changed
    refused = await post(browser, f"{at}/new", fields)
    assert refused.status_code == 400
    assert told in refused.text
    assert f'value="{fields["url"]}"' in refused.text
    async with db.connection() as conn:
        assert await webhooks.list_all(conn, app.app_id) == []


async def test_a_test_is_on_its_way_what_came_of_it_is_shown_and_it_is_told_again(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock, at: str
) -> None:
    await post(browser, f"{at}/new", {"url": URL, "event": ["*"]})
    found = await the_one(db, app)
    here = f"{at}/{found.public_id}"
    assert (await post(browser, f"{here}/test", {}, form=here)).status_code == 303
    assert "Waiting" in (await browser.get(here)).text
    async with db.transaction() as conn:
        (told,) = await deliveries.page(conn, app.app_id, found.webhook_id, state=None, skip=0, limit=9)
        tried = Tried(told.delivery_id, 1, clock(), 41, 503, "<b>no</b> room", "failed", None)
        await deliveries.record(conn, app.app_id, found.webhook_id, [tried])
        await webhooks.failed(conn, app.app_id, found.webhook_id, now=clock())
    page = (await browser.get(here)).text
    for words in ("Given up", "answered 503", "&lt;b&gt;no&lt;/b&gt; room", "Nothing has arrived since", "Failing"):
        assert words in page
    assert "answered 503" in (await browser.get(at)).text
    assert told.event_id not in (await browser.get(f"{here}?state=delivered")).text
    assert (await browser.get(f"{here}?state=lost")).status_code == 400
    assert (await post(browser, f"{here}/again", {"event": told.event_id}, form=here)).status_code == 303
    async with db.connection() as conn:
        (again,) = await deliveries.page(conn, app.app_id, found.webhook_id, state="waiting", skip=0, limit=9)
    assert again.event_id == told.event_id


async def test_paused_and_on_again_and_deleted_for_good(
    browser: httpx.AsyncClient, app: App, db: Database, at: str
) -> None:
    await post(browser, f"{at}/new", {"url": URL, "event": ["*"]})
    here = f"{at}/{(await the_one(db, app)).public_id}"
    assert (await post(browser, f"{here}/pause", {}, form=here)).status_code == 303
    assert not (await the_one(db, app)).enabled
    refused = await post(browser, f"{here}/test", {}, form=here)
    assert (refused.status_code, "switch it on first" in refused.text) == (409, True)
    assert (await post(browser, f"{here}/resume", {}, form=here)).status_code == 303
    assert (await the_one(db, app)).enabled
    assert "gone for good" in (await browser.get(f"{here}/delete")).text
    assert (await post(browser, f"{here}/delete", {}, form=here)).status_code == 303
    async with db.connection() as conn:
        assert await webhooks.list_all(conn, app.app_id) == []
    assert (await browser.get(here)).status_code == 404
