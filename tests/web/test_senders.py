"""Senders and carriers in the console: how they do, limits, tests, the panic button, accounts of any kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.carriers import registry
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.store import carrier_accounts, flow_users, flows, panics, senders
from tests.web.conftest import enter, signed_in

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from heliograph.config import Clock
    from heliograph.store.apps import App
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


async def post(browser: httpx.AsyncClient, form: str, to: str = "", **fields: str) -> httpx.Response:
    """Post the fields with the token that the page ``form`` carries."""
    page = await browser.get(form)
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return await browser.post(to or form, data={"token": found.group(1)} | fields, headers=ORIGIN)


async def test_every_carrier_is_shown_with_its_senders(
    browser: httpx.AsyncClient, app: App, db: Database, clock: Clock
) -> None:
    async with db.transaction() as conn:
        (first, *_) = await senders.list_all(conn, app.app_id)
        support = next(one.public_id for one in await flows.list_system(conn, app.app_id))
        await flow_users.attach(conn, app.app_id, first.sender_id, support, now=clock())
    page = (await browser.get(f"/console/{app.public_id}/senders")).text
    assert "Any caller id" in page
    assert "answered by SMS Support Flow" in page
    sender_page = (await browser.get(f"/console/{app.public_id}/senders/{first.public_id}")).text
    assert f'href="/console/{app.public_id}/flows/{support}"' in sender_page
    assert "Idle" in page
    live = await browser.get(f"/console/{app.public_id}/senders/live")
    assert "Any caller id" in live.text
    assert "<html" not in live.text


async def test_a_sender_is_added_changed_and_deleted(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    at = f"/console/{app.public_id}/senders"
    async with db.connection() as conn:
        (account,) = await carrier_accounts.list_all(conn, app.app_id)
    answer = await post(browser, f"{at}/new", address="+14155550123", account=account.public_id, rate="12.5", zone="")
    assert answer.status_code == 303, answer.text
    async with db.connection() as conn:
        made = await senders.get_named(conn, app.app_id, "+14155550123")
    assert (made.parts_per_second, made.parts_per_day) == (12.5, None)
    one = f"{at}/{made.public_id}"
    await post(browser, one, account=account.public_id, rate="", day="1,000", zone="Asia/Kolkata")
    async with db.connection() as conn:
        changed = await senders.get_named(conn, app.app_id, "+14155550123")
    assert (changed.parts_per_second, changed.parts_per_day, changed.day_zone) == (None, 1000, "Asia/Kolkata")
    assert "No campaign can be sent from +14155550123" in (await browser.get(f"{one}/delete")).text
    assert (await post(browser, f"{one}/delete")).status_code == 303
    assert (await browser.get(one)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"address": "nobody at all, really"}, "address"),
        ({"address": "+14155550123", "rate": "fast"}, "is no number"),
        ({"address": "+14155550123", "zone": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
async def test_what_is_wrong_is_told_beside_the_field_and_what_was_typed_stays(
    browser: httpx.AsyncClient, app: App, db: Database, fields: dict[str, str], told: str
) -> None:
    async with db.connection() as conn:
        (account,) = await carrier_accounts.list_all(conn, app.app_id)
    answer = await post(browser, f"/console/{app.public_id}/senders/new", account=account.public_id, **fields)
    assert answer.status_code == 400
    assert told in answer.text
    assert "wrong-text" in answer.text
    assert all(value in answer.text for value in fields.values())


async def test_the_panic_button_is_asked_pressed_and_let_go(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    at = f"/console/{app.public_id}/senders"
    assert "Not one more text leaves" in (await browser.get(f"{at}/panic/press")).text
    assert (await post(browser, f"{at}/panic/press")).status_code == 303
    async with db.connection() as conn:
        assert [one.sender_id for one in await panics.list_in_force(conn, app.app_id)] == [None]
    assert "Everything is held" in (await browser.get(at)).text
    await post(browser, f"{at}/panic/release")
    async with db.connection() as conn:
        assert await panics.list_in_force(conn, app.app_id) == []
    assert (await browser.get(f"{at}/panic/explode")).status_code == 400


async def test_whoever_may_stop_campaigns_may_press_it_and_change_nothing_else_of_a_sender(
    console: Starlette, app: App, db: Database, clock: Clock
) -> None:
    at = f"/console/{app.public_id}/senders"
    grants = Grants(None, {app.public_id: Grant(Role.SUPERVISOR)})
    async with signed_in(console, await enter(db, clock, grants, "Grace Hopper")) as theirs:
        assert "Hold everything" in (await theirs.get(at)).text
        assert (await theirs.get(f"{at}/new")).status_code == 403
        assert (await post(theirs, f"{at}/panic/press")).status_code == 303
        held = (await theirs.get(f"/console/{app.public_id}/panic")).text
    assert "grace@example.com pressed it" in held


async def test_every_kind_of_carrier_has_a_form_and_says_what_it_misses(browser: httpx.AsyncClient, app: App) -> None:
    at = f"/console/{app.public_id}/carriers/new"
    chooser = (await browser.get(at)).text
    for kind in registry.KINDS:
        assert f"{at}/{kind}" in chooser
        page = await browser.get(f"{at}/{kind}")
        assert page.status_code == 200, kind
        for setting in registry.get(kind).settings:
            assert f'name="set-{setting.name}"' in page.text, (kind, setting.name)
    answer = await post(browser, f"{at}/twilio", name="Main")
    assert answer.status_code == 400
    assert "needs the setting" in answer.text


async def test_an_account_is_made_its_secret_is_kept_and_never_shown(
    browser: httpx.AsyncClient, app: App, db: Database
) -> None:
    at = f"/console/{app.public_id}/carriers"
    fields = {"name": "Main", "set-system_id": "heliograph", "set-password": "hush", "set-host": "127.0.0.1"}
    fields |= {"set-port": "2775"}
    answer = await post(browser, f"{at}/new/smpp", **fields)
    assert answer.status_code == 303, answer.text
    async with db.connection() as conn:
        made = await carrier_accounts.get_named(conn, app.app_id, "Main")
    assert made.settings["port"] == 2775
    assert made.secret_names == ["password"]
    page = (await browser.get(f"{at}/{made.public_id}")).text
    assert "hush" not in page
    changes = {"name": "Other", "set-system_id": "heliograph", "set-password": "", "set-host": "127.0.0.1"}
    assert (await post(browser, f"{at}/{made.public_id}", **changes, **{"set-port": "2776"})).status_code == 303
    async with db.connection() as conn:
        changed = await carrier_accounts.get_named(conn, app.app_id, "Other")
    assert changed.settings["port"] == 2776
    assert changed.secret_names == ["password"]
    assert (await post(browser, f"{at}/{made.public_id}/delete")).status_code == 303
