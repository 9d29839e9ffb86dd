"""The API over a real database: two tenants who know nothing of each other, and a client that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from heliograph.actions import access
from heliograph.actions.access import NewApp
from heliograph.actions.seal import Seal
from heliograph.api import app as api_app
from heliograph.config import Settings
from heliograph.store.apps import App
from heliograph.store.database import Database
from tests.conftest import FrozenClock


@dataclass(frozen=True)
class Tenant:
    """An app with its first client, and what its requests carry."""

    app: App
    client_id: str
    client_secret: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"auth": self.token, "iid": self.app.public_id, "accountId": self.app.account_id}

    @property
    def v1(self) -> str:
        return f"/agentassist/api/v1/public/{self.app.public_id}"

    @property
    def v2(self) -> str:
        return f"/campaign/api/v2/public/{self.app.public_id}"

    def sign(self, **claims: object) -> str:
        """A token of the tenant's first client with these claims besides ``appId``; None leaves one out."""
        import jwt  # noqa: PLC0415  # only here

        merged = {"appId": self.client_id, **claims}
        sent = {key: value for key, value in merged.items() if value is not None}
        return jwt.encode(sent, self.client_secret, algorithm="HS256")


@pytest.fixture
def seal() -> Seal:
    return Seal(bytes(range(32)))


async def _tenant(db: Database, seal: Seal, clock: FrozenClock, name: str) -> Tenant:
    made: NewApp = await access.create_app(db, seal, name=name, now=clock())
    token = access.sign(made.client_id, made.client_secret, now=clock())
    return Tenant(made.app, made.client_id, made.client_secret, token)


@pytest.fixture
async def tenant(db: Database, seal: Seal, clock: FrozenClock) -> Tenant:
    return await _tenant(db, seal, clock, "First")


@pytest.fixture
async def second_tenant(db: Database, seal: Seal, clock: FrozenClock) -> Tenant:
    return await _tenant(db, seal, clock, "Second")


@pytest.fixture
async def api(db: Database, seal: Seal, settings: Settings, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client that gets our answer to a fault, where a test server would raise it."""
    transport = httpx.ASGITransport(api_app.create_api(db, seal, settings, clock), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
        yield client
