"""Who comes in, how, and what they then see."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pyotp.totp import TOTP
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from heliograph.actions import audit as book
from heliograph.actions import sign_in, users
from heliograph.actions.seal import Seal
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.store import audit
from heliograph.web import deeds, door
from heliograph.web.app import create_web, mount
from tests.web.conftest import BASE, KEY, OWNER, enter, signed_in

if TYPE_CHECKING:
    from heliograph.config import Clock, Settings
    from heliograph.store.audit import Entry
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

PHRASE = "seven quiet lighthouses"


async def post(browser: httpx.AsyncClient, at: str, page: str | None = None, **fields: str) -> httpx.Response:
    """Post the form of a page (of the address itself, unless another is named)."""
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(page or at)).text)
    assert found, page or at
    return await browser.post(at, data={"token": found[1], **fields}, headers={"Origin": BASE})


async def owned(db: Database, clock: Clock, browser: httpx.AsyncClient) -> httpx.Response:
    """Become the owner by the link that the terminal shows."""
    token = await users.owner_link(db, made_by="the terminal", now=clock())
    assert token
    fields = {"name": "Ada Lovelace", "email": "ada@example.com", "password": PHRASE}
    return await post(browser, f"/console/link/{token}", **fields)


async def entries(db: Database) -> list[Entry]:
    async with db.connection() as conn:
        return await audit.page(conn, audit.Wanted(None), before=1 << 60, limit=50)


async def test_before_there_is_an_owner_nothing_opens_but_the_way_to_become_one(
    stranger: httpx.AsyncClient, db: Database, clock: Clock
) -> None:
    page = await stranger.get("/")
    assert page.status_code == 200
    assert "heliograph user owner" in page.text
    assert "<form" not in page.text
    for path in ("/console/campaigns", "/console/users", "/console/me", "/console/nothing"):
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, door.SIGN_IN), path
    assert (await stranger.post("/console/sign-out", headers={"Origin": BASE})).status_code == 303
    answer = await owned(db, clock, stranger)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Ada Lovelace" in (await stranger.get("/")).text


async def test_a_password_that_is_none_is_told_beside_its_field(
    stranger: httpx.AsyncClient, db: Database, clock: Clock
) -> None:
    token = await users.owner_link(db, made_by="the terminal", now=clock())
    answer = await post(stranger, f"/console/link/{token}", name="Ada", email="ada@example.com", password="short")
    assert answer.status_code == 400
    assert "The password has 5 characters" in answer.text
    assert 'value="ada@example.com"' in answer.text
    assert "short" not in answer.text.replace("shortest", "")


async def test_signing_in_leads_to_where_one_wanted_to_go_and_nowhere_else(
    console: Starlette, stranger: httpx.AsyncClient, db: Database, clock: Clock
) -> None:
    await owned(db, clock, stranger)
    for wanted, led in (
        ("/console/me", "/console/me"),
        ("//evil.example.com", "/"),
        ("https://evil.example.com", "/"),
        ("/console/\\evil", "/"),
    ):
        async with signed_in(console) as browser:
            fields = {"email": "ada@example.com", "password": PHRASE, "next": wanted}
            answer = await post(browser, door.SIGN_IN, **fields)
            assert answer.headers["location"] == led, wanted
            cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(door.SESSION))
            assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
            assert "Secure" not in cookie
            assert (await browser.get("/console/me")).status_code == 200
            assert (await post(browser, "/console/sign-out", "/console/me")).status_code == 303
            assert (await browser.get("/console/me")).status_code == 303


async def test_what_is_wrong_is_not_said_and_too_much_of_it_has_to_wait(
    stranger: httpx.AsyncClient, console: Starlette, db: Database, clock: Clock
) -> None:
    await owned(db, clock, stranger)
    async with signed_in(console) as browser:
        texts = set[str]()
        for email in ("ada@example.com", "nobody@example.com"):
            answer = await post(browser, door.SIGN_IN, email=email, password="wrong")
            assert answer.status_code == 401
            texts.add(answer.text.replace(email, ""))
        assert len(texts) == 1
        for _ in range(4):
            await post(browser, door.SIGN_IN, email="ada@example.com", password="wrong")
        answer = await post(browser, door.SIGN_IN, email="ada@example.com", password=PHRASE)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    told = [one.what for one in await entries(db) if one.kind == "nobody"]
    assert "The e-mail address or the password is wrong: a…@example.com" in told


async def test_a_phone_is_set_up_and_asked_for(
    stranger: httpx.AsyncClient, console: Starlette, db: Database, clock: Any
) -> None:
    await owned(db, clock, stranger)
    page = (await stranger.get("/console/me/codes")).text
    assert "<svg" in page
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page)
    assert found
    totp = TOTP(found[1].replace(" ", ""))
    answer = await post(stranger, "/console/me/codes", code=totp.at(clock()))
    assert len(re.findall(r"\b[a-z2-9]{5}-[a-z2-9]{5}\b", answer.text)) == 10
    async with signed_in(console) as browser:
        answer = await post(browser, door.SIGN_IN, email="ada@example.com", password=PHRASE, next="/console/me")
        assert answer.headers["location"] == "/console/sign-in/code?next=%2Fconsole%2Fme"
        assert (await browser.get("/console/me")).status_code == 303  # half is not in
        assert (await post(browser, "/console/sign-in/code", code="000000")).status_code == 401
        clock.advance(60)
        answer = await post(browser, "/console/sign-in/code", code=totp.at(clock()), next="/console/me")
        assert answer.headers["location"] == "/console/me"
        answer = await post(browser, "/console/me/codes/off", "/console/me", password="wrong")
        assert answer.status_code == 400
        assert (await post(browser, "/console/me/codes/off", "/console/me", password=PHRASE)).status_code == 303
    async with signed_in(console) as browser:
        answer = await post(browser, door.SIGN_IN, email="ada@example.com", password=PHRASE)
        assert answer.headers["location"] == "/"


async def test_a_session_that_ended_elsewhere_is_at_its_end(
    browser: httpx.AsyncClient, console: Starlette, db: Database, clock: Clock
) -> None:
    async with signed_in(console, await enter(db, clock)) as other:
        assert (await other.get("/console/me")).status_code == 200
        answer = await post(browser, "/console/me/sessions/end", "/console/me")
        assert answer.status_code == 303
        assert (await other.get("/console/me")).status_code == 303
        piece = await other.get("/console/campaigns", headers={"HX-Request": "true"})
        assert (piece.status_code, piece.headers["hx-redirect"]) == (204, door.SIGN_IN)
        events = await other.get("/console/campaigns", headers={"Accept": "text/event-stream"})
        assert events.status_code == 401


async def test_an_agent_is_turned_away_from_campaigns_with_a_sentence(
    console: Starlette, db: Database, clock: Clock, stage: Any
) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    agent = await enter(db, clock, Grants(Grant(Role.AGENT)), "Grace Hopper")
    async with signed_in(console, agent) as browser:
        assert (await browser.get("/")).headers["location"] == door.START
        for path in (f"/console/{app.public_id}/campaigns", "/console/campaigns"):
            answer = await browser.get(path)
            assert answer.status_code == 403
            assert "You are signed in as Agent" in answer.text
            assert "that takes Owner, Developer or Supervisor" in answer.text
        at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/start"
        answer = await post(browser, at, "/console/me")
        assert answer.status_code == 403
    entry = (await entries(db))[0]
    assert (entry.name, entry.verb, entry.object, entry.outcome) == (
        "Grace Hopper",
        "campaigns start",
        campaign.public_id,
        "refused",
    )


async def test_somebody_of_one_app_sees_nothing_of_another(
    console: Starlette, db: Database, clock: Clock, stage: Any
) -> None:
    ours, theirs = await stage.app("Ours"), await stage.app("Theirs")
    await stage.campaign(ours, "Reminder")
    await stage.campaign(theirs, "Somebody's secret")
    grants = Grants(None, {ours.public_id: Grant(Role.SUPERVISOR)})
    async with signed_in(console, await enter(db, clock, grants, "Grace Hopper")) as browser:
        assert (await browser.get(f"/console/{ours.public_id}/campaigns")).status_code == 200
        answer = await browser.get(f"/console/{theirs.public_id}/campaigns")
        assert answer.status_code == 404
        assert f"There is no app {theirs.public_id}" in answer.text
        own = "/console/campaigns?app="
        for path in ("/", f"/?app={theirs.public_id}", "/console/campaigns", own + theirs.public_id):
            answer = await browser.get(path)
            assert answer.status_code in {303, 403, 404}
            assert "secret" not in answer.text, path
        assert (await browser.get(own + ours.public_id)).status_code == 200
        assert (await browser.get(door.START)).headers["location"] == f"/console/{ours.public_id}/campaigns"


async def test_what_is_done_is_written_down_with_who_did_it(
    browser: httpx.AsyncClient, db: Database, stage: Any
) -> None:
    app = await stage.app()
    campaign = await stage.campaign(app, "Reminder")
    book.end()
    at = f"/console/{app.public_id}/campaigns/{campaign.public_id}/start"
    await post(browser, at)
    found = [one for one in await entries(db) if one.verb == "campaigns start"]
    assert [(one.name, one.app_public_id, one.object, one.address, one.outcome) for one in found] == [
        ("Ada Lovelace", app.public_id, campaign.public_id, "127.0.0.1", "done")
    ]


async def test_the_audit_can_only_grow(db: Database, browser: httpx.AsyncClient) -> None:
    for statement in ("UPDATE audit SET name = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(Exception, match="evidence"):
            async with db.connection() as conn:
                await conn.execute(statement)


def test_every_route_says_which_right_it_takes(console: Starlette) -> None:
    """Those without one are for everybody who is signed in, or stand before there is a user."""
    web: Starlette = console.state.web
    open_to_all = (*door.PUBLIC, door.START, "/console/me", "/console/sign-out", "/console/go", "/console/static")
    rights: dict[str, str] = web.state.kit.rights
    silent = [
        route.path
        for route in web.routes
        if isinstance(route, Route | Mount) and route.path not in rights and route.path != "/console"
    ]
    assert [path for path in silent if not path.startswith(open_to_all)] == []


def test_every_form_is_a_sentence_in_the_audit(console: Starlette) -> None:
    """No entry shows the bare path of what was posted; and no sentence is left of a form that is gone."""
    web: Starlette = console.state.web
    posts = {route.path for route in web.routes if isinstance(route, Route) and "POST" in (route.methods or ())}
    written = {path for path in posts if path.rpartition("/")[2] not in door.ONLY_LOOKING}
    assert written == set(deeds.DEEDS)
    assert [path for path in written if deeds.told(path) != deeds.DEEDS[path]] == []


# ---------------------------------------------------------------- from other machines

AWAY = "https://texts.example.com"


def away(db: Database, settings: Settings, clock: Clock, client: str, **changes: Any) -> httpx.AsyncClient:
    whole = Starlette()
    mount(whole, create_web(db, replace(settings, **changes), clock, Seal(KEY)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(whole, client=(client, 5)), base_url=AWAY)


async def test_behind_a_proxy_that_is_named_it_answers_under_its_name(
    db: Database, settings: Settings, clock: Clock
) -> None:
    from heliograph.rules import address  # noqa: PLC0415

    changes = {"console_url": AWAY, "trusted_proxies": address.networks("10.0.0.0/8")}
    by_proxy = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7, 10.1.1.1", "X-Forwarded-Proto": "https"}
    token = await enter(db, clock)
    async with away(db, settings, clock, "10.1.2.3", **changes) as browser:
        browser.cookies.set(door.SESSION, token)
        answer = await browser.get("http://texts.example.com/console/me", headers=by_proxy)
        assert answer.status_code == 200
        assert "203.0.113.7" in answer.text  # the last that is no proxy of ours, whatever stands before it
        assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
        for headers in ({"X-Forwarded-For": "203.0.113.7"}, by_proxy | {"Host": "evil.example.com"}):
            answer = await browser.get("http://texts.example.com/console/me", headers=headers)
            assert answer.status_code == 403, headers
    async with away(db, settings, clock, "203.0.113.7", **changes) as browser:  # not by the proxy
        assert (await browser.get("/", headers=by_proxy)).status_code == 403


async def test_without_a_name_that_is_set_another_machine_is_told_what_to_set(
    db: Database, settings: Settings, clock: Clock
) -> None:
    async with away(db, settings, clock, "203.0.113.7") as browser:
        answer = await browser.get("/")
        assert answer.status_code == 403
        assert "HELIOGRAPH_CONSOLE_URL" in answer.text


async def test_the_sessions_of_a_user_are_no_others_to_end(
    console: Starlette, browser: httpx.AsyncClient, db: Database, clock: Clock
) -> None:
    other = await enter(db, clock, OWNER, "Grace Hopper")
    found = await sign_in.find(db, other, sign_in.Came("127.0.0.1"), now=clock())
    assert found
    answer = await post(browser, f"/console/me/sessions/{found[1].public_id}/end", "/console/me")
    assert answer.status_code == 404
    async with signed_in(console, other) as theirs:
        assert (await theirs.get("/console/me")).status_code == 200
