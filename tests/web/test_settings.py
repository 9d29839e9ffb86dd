"""Settings, clients, secrets and ready commands in the console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import access
from heliograph.actions.access import Scope
from heliograph.actions.seal import Seal
from heliograph.errors import Unauthenticated
from heliograph.rules import caps, prices, quiet
from heliograph.store import app_secrets, app_settings, apps
from tests.web.conftest import KEY

if TYPE_CHECKING:
    import httpx

    from heliograph.config import Clock
    from heliograph.store.apps import App
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


async def post(browser: httpx.AsyncClient, at: str, fields: dict[str, Any], *, form: str = "") -> httpx.Response:
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(form or at)).text)
    assert found
    return await browser.post(at, data={"token": found.group(1)} | fields, headers=ORIGIN)


async def test_each_part_is_changed_by_itself(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    at = f"/console/{app.public_id}/settings"
    parts: list[dict[str, Any]] = [
        {"part": "quiet"},
        {"part": "caps", "caps": "3 in 7 days\n1 in 1 day"},
        {"part": "prices", "currency": "eur", "prices": "GB 0.04\n* 0.07"},
        {"part": "texts", "substitutes": "on", "dnc": "yes"},
        {"part": "talks", "second": "queue", "answerMinutes": "30", "answersPerHour": "5"},
    ]
    for fields in parts:
        answer = await post(browser, at, fields)
        assert answer.status_code == 303, answer.text
    async with db.connection() as conn:
        found = await app_settings.get(conn, app.app_id)
    assert quiet.in_force(found.quiet_hours) is quiet.OFF
    assert [tuple(cap) for cap in caps.in_force(found.frequency_cap)] == [(3, 7), (1, 1)]
    assert prices.told(found.prices) == {"currency": "EUR", "perPart": {"GB": 0.04, "*": 0.07}}
    assert (found.plain_substitutes, found.unknown_ask, found.global_dnc_applies_to_sms) == ("on", False, True)
    page = (await browser.get(at)).text
    assert "3 in 7 days" in page
    assert "GB 0.04" in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"part": "caps", "caps": "often"}, "often"),
        ({"part": "prices", "currency": "EUR", "prices": "GB cheap"}, "GB cheap"),
        ({"part": "quiet", "places": "{"}, "no JSON"),
        ({"part": "talks", "second": "newest", "answerMinutes": "soon", "answersPerHour": "5"}, "soon"),
        ({"part": "nothing"}, "no part"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_changes(
    browser: httpx.AsyncClient, app: App, db: Database, fields: dict[str, str], told: str
) -> None:
    async with db.connection() as conn:
        before = await app_settings.get(conn, app.app_id)
    answer = await post(browser, f"/console/{app.public_id}/settings", fields)
    assert answer.status_code == 400
    assert told in answer.text
    async with db.connection() as conn:
        assert await app_settings.get(conn, app.app_id) == before


async def test_a_client_is_added_its_secret_shown_once_and_removed_for_good(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/settings/clients"
    answer = await post(browser, at, {"name": "Till", "scope": [Scope.CAMPAIGNS.value]})
    found = re.search(r'made-id">(cs-[^<]+)<.*?made-secret">([^<]+)<', answer.text, re.DOTALL)
    assert found, answer.text
    client, secret = found.groups()
    page = (await browser.get(at)).text
    assert client in page
    assert secret not in page
    assert (await post(browser, at, {"name": "Till", "scope": ["everything"]})).status_code == 400

    token = access.sign(client, secret, now=clock())
    asked: dict[str, Any] = {"app_public_id": app.public_id, "scope": Scope.CAMPAIGNS, "now": clock()}
    assert (await access.authenticate(db, Seal(KEY), token=token, **asked)).client_id == client
    assert "refused at once" in (await browser.get(f"{at}/{client}/delete")).text
    assert (await post(browser, f"{at}/{client}/delete", {}, form=at)).status_code == 303
    with pytest.raises(Unauthenticated):
        await access.authenticate(db, Seal(KEY), token=token, **asked)
    async with db.connection() as conn:
        (last,) = await apps.list_clients(conn, app.app_id)
    refused = await post(browser, f"{at}/{last.public_id}/delete", {}, form=at)
    assert refused.status_code == 409
    assert "last client" in refused.text


async def test_a_secret_is_kept_and_forgotten(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    at = f"/console/{app.public_id}/settings/secrets"
    assert "No secrets yet" in (await browser.get(at)).text
    assert (await post(browser, at, {"name": "CRM_KEY", "value": "hush"})).status_code == 303
    page = (await browser.get(at)).text
    assert "CRM_KEY" in page
    assert "hush" not in page
    assert (await post(browser, at, {"name": "no name!", "value": "x"})).status_code == 400
    assert (await post(browser, f"{at}/CRM_KEY/delete", {}, form=at)).status_code == 303
    async with db.connection() as conn:
        assert await app_secrets.list_all(conn, app.app_id) == []


async def test_commands_are_ready_and_a_token_is_made_that_opens_the_api(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/api"
    page = (await browser.get(at)).text
    assert page.count('class="command"') >= 8
    assert app.account_id in page
    made = await post(browser, at, {"client": ""})
    found = re.search(r"export TOKEN=([^<]+)<", made.text)
    assert found
    await access.authenticate(
        db, Seal(KEY), token=found.group(1), app_public_id=app.public_id, scope=Scope.CAMPAIGNS, now=clock()
    )


async def test_what_would_be_removed_is_told_before_it_is(
    browser: httpx.AsyncClient, app: App, stage: Any, db: Database
) -> None:
    at = f"/console/{app.public_id}/settings/retention"
    assert "How long things are kept" in (await browser.get(at)).text
    campaign = await stage.running(app, "Long ago", delivered=1200)
    async with db.connection() as conn:
        ended = {"run": campaign.run_id}
        await conn.execute("UPDATE run SET ended_at = started_at - interval '99 days' WHERE run_id = %(run)s", ended)
    asked = await post(browser, at, {"peopleDays": "30", "auditDays": ""})
    assert asked.status_code == 200
    assert (
        "Whom 1,200 texts went to, and what they said: they, or their runs, ended more than 30 days ago." in asked.text
    )
    async with db.connection() as conn:
        assert (await app_settings.get(conn, app.app_id)).retention is None
    assert (await post(browser, at, {"peopleDays": "30", "sure": "yes"})).status_code == 303
    async with db.connection() as conn:
        assert (await app_settings.get(conn, app.app_id)).retention == '{"peopleDays": 30}'
    assert "Being removed now" in (await browser.get(at)).text
    for fields, told in (
        ({"textsDays": "soon"}, "soon will not do: 1 to 3,650 days"),
        ({"auditDays": "7"}, "90 to 3,650 days"),
    ):
        refused = await post(browser, at, fields)
        assert refused.status_code == 400
        assert told in refused.text
    assert (await post(browser, at, {})).status_code == 303
    async with db.connection() as conn:
        assert (await app_settings.get(conn, app.app_id)).retention is None
