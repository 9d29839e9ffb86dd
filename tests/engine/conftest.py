"""A small world for the engine: an app, its lists, its campaigns, workers, and the sandbox's own record of events."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.types.json import Json

from heliograph import config
from heliograph.actions import access, app_settings, campaigns, runs
from heliograph.actions import seal as seals
from heliograph.carriers import sandbox
from heliograph.carriers.base import Text
from heliograph.carriers.kind import Opening
from heliograph.engine.worker import Worker
from heliograph.errors import StoreUnavailable
from heliograph.rules import ids
from heliograph.store import campaigns as campaign_rows
from heliograph.store import carrier_accounts, dnc, lists, messages, tallies, unknowns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from heliograph.carriers.base import LineState, Receipt, Reply
    from heliograph.config import Clock, Settings
    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database
    from heliograph.store.tallies import Ledger

ALWAYS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}

ADD_CONTACTS = """
INSERT INTO contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at)
SELECT %(app_id)s, %(list_id)s, t.seq, t.number, t.zone, t.priority, t.fields, now(), now()
FROM unnest(%(seq)s::int[], %(number)s::text[], %(zone)s::text[], %(priority)s::int[], %(fields)s::json[])
     AS t (seq, number, zone, priority, fields)
"""
COUNT_CONTACTS = "UPDATE contact_list SET contact_count = %(n)s, last_seq = %(n)s WHERE list_id = %(list_id)s"


def number(n: int) -> str:
    """The ``n``-th number of a range kept for fiction (possible, never given to anyone)."""
    return f"+1202555{n:07d}"


@dataclass
class World:
    """One app with everything a run needs."""

    db: Database
    settings: Settings
    clock: Clock
    app: App

    async def add_list(self, name: str, people: Sequence[dict[str, Any]]) -> None:
        """A contact list; each person a dict with ``number`` and, if wanted, ``zone``, ``priority`` and columns."""
        now = self.clock()
        async with self.db.transaction() as conn:
            made = await lists.create(
                conn,
                self.app.app_id,
                kind="call",
                name=name,
                description="",
                source="passiveApi",
                allow_duplicates=False,
                now=now,
            )
            columns = [{k: v for k, v in p.items() if k not in {"number", "zone", "priority"}} for p in people]
            values = {
                "app_id": self.app.app_id,
                "list_id": made.list_id,
                "seq": list(range(1, len(people) + 1)),
                "number": [p["number"] for p in people],
                "zone": [p.get("zone") for p in people],
                "priority": [p.get("priority") for p in people],
                "fields": [Json(c) for c in columns],
            }
            await conn.execute(ADD_CONTACTS, values)
            await conn.execute(COUNT_CONTACTS, {"n": len(people), "list_id": made.list_id})

    async def add_numbers(self, name: str, first: int, count: int) -> None:
        """A contact list of ``count`` plain numbers."""
        await self.add_list(name, [{"number": number(n)} for n in range(first, first + count)])

    async def campaign(
        self, name: str, list_names: Sequence[str], *, text: str = "Hello", hours: object = ALWAYS, **more: object
    ) -> Campaign:
        body = {
            "name": name,
            "contactLists": list(list_names),
            "campaignType": "sms",
            "format": "simple",
            "message": {"message": text},
            "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": hours},
        }
        return await campaigns.create(self.db, self.app, body | more, now=self.clock())

    async def play(self, campaign: Campaign) -> Campaign:
        return await runs.play(self.db, self.app, campaign.public_id, now=self.clock())

    async def block(self, *numbers: str) -> None:
        async with self.db.transaction() as conn:
            everywhere = await dnc.list_global(conn, self.app.app_id)
            await dnc.add_entries(
                conn, self.app.app_id, everywhere[0], list(numbers), reason="asked", source="person", now=self.clock()
            )

    async def ledger(self, campaign: Campaign) -> Ledger:
        """The run's numbers, held against a recount of its rows."""
        assert campaign.run_id is not None
        async with self.db.transaction() as conn:
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            kept = await tallies.read(conn, self.app.app_id, campaign.run_id, self.clock())
            counted = await tallies.recount(conn, self.app.app_id, campaign.run_id, self.clock())
        assert kept == counted
        return kept

    async def status(self, campaign: Campaign) -> str:
        async with self.db.connection() as conn:
            return (await campaign_rows.get(conn, self.app.app_id, campaign.public_id)).status.value

    async def reasons(self, campaign: Campaign) -> dict[str, str | None]:
        """``number → reason`` of everyone with an outcome."""
        assert campaign.run_id is not None
        async with self.db.connection() as conn:
            page = await messages.page(conn, self.app.app_id, campaign.run_id, offset=0, limit=1000)
        return {p.number: p.reason for p in page if p.status is not None}

    async def sandbox(self, **behaviour: object) -> None:
        """Set how this app's sandbox carrier behaves."""
        async with self.db.connection() as conn:
            account = (await carrier_accounts.list_all(conn, self.app.app_id))[0]
            await carrier_accounts.set_settings(conn, self.app.app_id, account.account_id, behaviour)

    async def took(self, message_ids: Sequence[str], **behaviour: object) -> None:
        """Let the sandbox have taken these texts, as a process did that is gone."""
        await self.sandbox(**behaviour)
        ear = Silent()
        opening = Opening(ear, "test", self.settings.transcript)
        carrier = await sandbox.open_line(behaviour, opening)
        async with self.db.connection() as conn:
            found = await unknowns.page(conn, self.app.app_id, unknowns.Wanted(), offset=0, limit=1000)
        number_of = {ids.message_id(one.run_public_id, one.seq): one.number for one in found}
        await carrier.submit([Text(one, "+12025550100", number_of[one], "Hello", 1) for one in message_ids])
        await carrier.close()

    async def again(self, campaign: Campaign) -> Campaign:
        """The campaign as it is now, on its present run."""
        async with self.db.connection() as conn:
            return await campaign_rows.get(conn, self.app.app_id, campaign.public_id)

    async def rate(self, parts_per_second: float) -> None:
        async with self.db.connection() as conn:
            await conn.execute(
                "UPDATE sender SET parts_per_second = %(rate)s WHERE app_id = %(app_id)s",
                {"rate": parts_per_second, "app_id": self.app.app_id},
            )

    def transcript(self, campaign: Campaign | None = None) -> list[dict[str, Any]]:
        """What the sandbox carrier took, as it wrote it down; of one campaign, or of all."""
        path = self.settings.transcript
        lines = path.read_text().splitlines() if path.exists() else []
        # A process killed inside its write leaves half a line: that text may have left, or not.
        taken = [json.loads(line) for line in lines if line.endswith("}")]
        return [t for t in taken if campaign is None or t["campaignId"] == campaign.public_id]

    async def taken(self, at_least: int, campaign: Campaign | None = None, *, seconds: float = 30) -> None:
        """Wait until the sandbox has taken so many texts."""
        async with asyncio.timeout(seconds):
            while len(self.transcript(campaign)) < at_least:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Worker]:
        """A worker in this process, for as long as the block runs."""
        worker = Worker(self.settings, self.db, self.clock)
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()
        try:
            yield worker
        finally:
            worker.stop()
            await task

    async def until(self, campaign: Campaign, status: str = "Completed", *, seconds: float = 30) -> Ledger:
        """Wait until the campaign has ``status``; answers its ledger then."""
        async with asyncio.timeout(seconds):
            while await self._seen(campaign) != status:
                await asyncio.sleep(0.02)
        return await self.ledger(campaign)

    async def _seen(self, campaign: Campaign) -> str | None:
        """The campaign's status; None when this look's own connection was among those a test has cut."""
        try:
            return await self.status(campaign)
        except StoreUnavailable:
            return None


class Silent:
    """Hears a carrier and does nothing."""

    def receipts(self, receipts: Sequence[Receipt], /) -> None: ...
    def replies(self, replies: Sequence[Reply], /) -> None: ...
    def line(self, state: LineState, words: str, /) -> None: ...


async def make_world(db: Database, settings: Settings, clock: Clock) -> World:
    seal = seals.from_settings(settings)
    made = await access.create_app(db, seal, name="Engine", now=clock())
    # Tests of crashes look at who is unknown; those of asking switch it on again. And most go by the system's clock,
    # at whatever hour: those of quiet hours switch them on.
    away = {"unknownAsk": False, "quietHours": {"enabled": False}}
    await app_settings.update(db, made.app, away, now=clock())
    return World(db, settings, clock, made.app)


@pytest.fixture
async def world(db: Database, settings: Settings) -> World:
    """A world on the system's clock."""
    return await make_world(db, settings, config.utc_now)


@pytest.fixture
async def frozen_world(db: Database, settings: Settings, clock: Clock) -> World:
    """A world on the frozen clock."""
    return await make_world(db, settings, clock)
