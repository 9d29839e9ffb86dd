"""Lists that pull from a customer's API, for tests: an app, the API, and a clock that stands still."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from heliograph.actions import access, lists, pulls
from heliograph.actions import seal as seals
from heliograph.rules import address
from heliograph.store import contacts, list_sources, sync_logs
from heliograph.store import lists as list_rows
from tests import customer
from tests.customer import HERE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from heliograph.actions.fetch import Limits
    from heliograph.config import Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.list_sources import Source
    from heliograph.store.lists import ContactList
    from heliograph.store.sync_logs import Sync
    from tests.conftest import FrozenClock
    from tests.customer import CustomerApi

MAPPING = {"phoneNumber": "phone", "firstName": "name.first"}
ALLOWED = address.networks(HERE)


def person(n: int) -> dict[str, Any]:
    return {"phone": f"+1415555{n:04d}", "name": {"first": f"P{n}"}}


@dataclass
class Desk:
    """An app that pulls, its customer's API, and a clock that stands still."""

    db: Database
    settings: Settings
    clock: FrozenClock
    app: App
    api: CustomerApi

    async def pulling(self, *, allow_duplicates: bool = False, **config: Any) -> ContactList:
        body = {
            "name": "Leads",
            "source": "apiIntegration",
            "allowDuplicates": allow_duplicates,
            "apiConfigurations": {"url": self.api.url(), "mapping": MAPPING, "dataSyncInterval": 15} | config,
        }
        return await lists.create(self.db, self.app, body, now=self.clock())

    async def sync(self, target: ContactList, *, limits: Limits | None = None) -> Sync | None:
        """Do what is due, as a worker does; what was written down of it, None when nothing was due."""
        source = await pulls.begin(self.db, self.app.app_id, target.list_id, now=self.clock())
        if source is None:
            return None
        await self.run(target, source, limits=limits)
        return (await self.log(target))[0]

    async def run(self, target: ContactList, source: Source, *, limits: Limits | None = None) -> None:
        seal = seals.from_settings(self.settings)
        await pulls.run(
            self.db, seal, self.app, target.public_id, source, clock=self.clock, allowed=ALLOWED, limits=limits
        )

    async def log(self, target: ContactList) -> list[Sync]:
        async with self.db.connection() as conn:
            wanted = sync_logs.Wanted()
            return await sync_logs.page(conn, self.app.app_id, target.list_id, wanted, skip=0, limit=100)

    async def next_sync(self, target: ContactList) -> datetime | None:
        async with self.db.connection() as conn:
            source = await list_sources.find(conn, self.app.app_id, target.list_id)
        assert source is not None
        return source.next_sync_at

    async def people(self, target: ContactList) -> list[dict[str, Any]]:
        async with self.db.connection() as conn:
            page = await contacts.list_page(conn, self.app.app_id, target.list_id, skip=0, limit=100)
        return [one.fields for one in page]

    async def row(self, target: ContactList) -> ContactList:
        async with self.db.connection() as conn:
            return await list_rows.get(conn, self.app.app_id, target.public_id)


@asynccontextmanager
async def open_desk(db: Database, settings: Settings, clock: FrozenClock) -> AsyncIterator[Desk]:
    """A desk whose API may be reached, for as long as the block runs."""
    settings = replace(settings, pull_private_networks=ALLOWED)
    made = await access.create_app(db, seals.from_settings(settings), name="Pulling", now=clock())
    async with customer.serve() as api:
        yield Desk(db, settings, clock, made.app, api)
