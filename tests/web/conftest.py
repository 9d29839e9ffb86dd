"""A console over a database, with campaigns that stand where a test wants them."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette

from heliograph.actions import access, audit, campaigns, runs, sign_in, users
from heliograph.actions.seal import Seal
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.store import lists
from heliograph.store import users as store_users
from heliograph.web import door, teaching
from heliograph.web.app import create_web, mount

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Clock, Settings
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database

BASE = "http://127.0.0.1:8080"
KEY = bytes(range(32))
OWNER = Grants(Grant(Role.OWNER))


@dataclass
class Stage:
    """Puts apps and campaigns where a test wants them."""

    db: Database
    clock: Clock

    async def app(self, name: str = "Test app") -> App:
        return (await access.create_app(self.db, Seal(KEY), name=name, now=self.clock())).app

    async def list_of(self, app: App, name: str, contacts: int) -> None:
        async with self.db.connection() as conn:
            made = await lists.create(
                conn,
                app.app_id,
                kind="call",
                name=name,
                description="",
                source="passiveApi",
                allow_duplicates=False,
                now=self.clock(),
            )
            await lists.grow(conn, app.app_id, made.list_id, added=contacts, columns=["phoneNumber"], now=self.clock())

    async def campaign(self, app: App, name: str, *, contacts: int = 2000, **changes: Any) -> Campaign:
        """A campaign, Ready, with a list of its own."""
        await self.list_of(app, f"List of {name}"[:48], contacts)
        body = deepcopy(teaching.CAMPAIGN) | {"name": name, "contactLists": [f"List of {name}"[:48]]} | changes
        return await campaigns.create(self.db, app, body, now=self.clock())

    async def running(self, app: App, name: str, *, contacts: int = 2000, **numbers: int) -> Campaign:
        """A campaign, Active and planned to the end, whose tally says ``numbers`` (waiting, accepted, ...)."""
        campaign = await self.campaign(app, name, contacts=contacts)
        campaign = await runs.play(self.db, app, campaign.public_id, now=self.clock())
        columns = "waiting submitting unknown accepted failed delivered suppressed expired".split()
        values = dict.fromkeys(columns, 0) | numbers | {"total": sum(numbers.values()), "run_id": campaign.run_id}
        async with self.db.connection() as conn:
            await conn.execute(
                """UPDATE tally SET total = %(total)s, waiting = %(waiting)s, submitting = %(submitting)s,
                       unknown = %(unknown)s, accepted = %(accepted)s, failed = %(failed)s,
                       delivered = %(delivered)s, suppressed = %(suppressed)s, expired = %(expired)s
                   WHERE run_id = %(run_id)s AND sender_id <> 0""",
                values,
            )
            await conn.execute("UPDATE run SET planned_at = started_at WHERE run_id = %(run_id)s", values)
        return campaign


@pytest.fixture
def stage(db: Database, clock: Clock) -> Stage:
    return Stage(db, clock)


async def enter(db: Database, clock: Clock, grants: Grants = OWNER, name: str = "Ada Lovelace") -> str:
    """A user with these roles who is signed in: the token for the cookie of a browser."""
    email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
    async with db.connection() as conn:
        found = await store_users.find_email(conn, email)
    user = found or await users.add(db, email=email, name=name, grants=grants, now=clock())
    async with db.transaction() as conn:
        came = sign_in.Came("127.0.0.1", "A browser")
        return (await sign_in.open_session(conn, user, came, half=False, how="for a test", now=clock())).token


def signed_in(console: Starlette, token: str = "", **options: Any) -> httpx.AsyncClient:
    """A browser on this machine, without a script, that has this session."""
    transport = httpx.ASGITransport(console, client=("127.0.0.1", 50000))
    cookies = {door.SESSION: token} if token else None
    return httpx.AsyncClient(transport=transport, base_url=BASE, cookies=cookies, **options)


@pytest.fixture
async def session(db: Database, clock: Clock) -> str:
    """The session of an Owner."""
    return await enter(db, clock)


@pytest.fixture
def console(db: Database, settings: Settings, clock: Clock) -> Starlette:
    """The console as it stands beside other paths on one server."""
    db.witness = audit.write
    whole = Starlette()
    whole.state.web = create_web(db, settings, clock, Seal(KEY))
    mount(whole, whole.state.web)
    return whole


@pytest.fixture
async def browser(console: Starlette, session: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine, without a script, in which an Owner is signed in."""
    async with signed_in(console, session) as client:
        yield client


@pytest.fixture
async def stranger(console: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine, without a script, in which nobody is signed in."""
    async with signed_in(console) as client:
        yield client


class Forms:
    """Posts what a page's form would post."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser = browser

    async def ask(self, app: App, campaign: Campaign, word: str) -> httpx.Response:
        return await self.browser.get(address(app, campaign, word))

    async def press(self, app: App, campaign: Campaign, word: str, **headers: str) -> httpx.Response:
        found = re.search(r'name="token" value="([^"]+)"', (await self.ask(app, campaign, word)).text)
        token = found.group(1) if found else ""
        return await self.browser.post(
            address(app, campaign, word), data={"token": token}, headers={"Origin": BASE} | headers
        )


def address(app: App, campaign: Campaign, word: str) -> str:
    return f"/console/{app.public_id}/campaigns/{campaign.public_id}/{word}"


@pytest.fixture
def forms(browser: httpx.AsyncClient) -> Forms:
    return Forms(browser)
