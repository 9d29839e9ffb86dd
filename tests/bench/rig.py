"""The place where a bench happens: a temporary data folder with a durable PostgreSQL, an app, lists, campaigns."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from heliograph import config
from heliograph.actions import access, app_settings, campaigns, runs
from heliograph.actions import seal as seals
from heliograph.config import Settings
from heliograph.store import campaigns as campaign_rows
from heliograph.store import carrier_accounts, lists, tallies
from heliograph.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.tallies import Ledger

ALWAYS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
CALLER = "+12025550100"
PLAIN = "Our shop in Market Street is open again. Show this text for 10 % off until Sunday. Reply STOP to opt out."
PERSONAL = (
    'Hello <First Name>, your order {{order no}} leaves {{city}} on {{day|default:"Monday"}}. Reply STOP to opt out.'
)
FIRST_NAMES = ("Ada", "Bo", "Chidi", "Dilnoza", "Esi", "Farah", "Goran", "Hye-jin")
CITIES = ("Pune", "Boston", "Perth", "Leeds", "Durban", "Lima", "Graz", "Osaka")
DAYS = ("Tuesday", "Wednesday", "", "Friday")

COPY_CONTACTS = """
COPY contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at) FROM STDIN
"""
COUNT_CONTACTS = """
UPDATE contact_list SET contact_count = %(people)s, last_seq = %(people)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is. ``--quick`` is a twentieth."""

    people: int = 100_000
    few: int = 1_000
    vast: int = 1_000_000
    trials: int = 100
    few_trials: int = 100
    vast_trials: int = 100
    waiting_trials: int = 3
    longest_wait: float = 0.6  # seconds between the start and the end of a trial
    seconds: float = 0.4  # each pure rule is timed for
    crowds: tuple[int, int] = (10_000, 200_000)  # people of the campaigns that must need the same memory
    imports: tuple[int, ...] = (10_000, 1_000_000)  # rows of the files that are taken in
    rows: tuple[int, ...] = (10_000, 1_000_000)  # people of the runs whose steps must cost the same
    messages: int = 1_000_000  # in the database that pages are asked of

    @property
    def patience(self) -> float:
        """Seconds after which something is taken for stuck: the slowest machine worth measuring needs less."""
        return 30 + self.people / 500

    @classmethod
    def quick(cls) -> Scale:
        return cls(
            people=5_000, few=300, vast=8_000, trials=8, few_trials=5, vast_trials=2, waiting_trials=2,
            longest_wait=0.4, seconds=0.05, crowds=(500, 5_000), rows=(1_000, 20_000), imports=(500, 5_000),
            messages=10_000,
        )  # fmt: skip

    @classmethod
    def full(cls) -> Scale:
        return cls(
            crowds=(10_000, 1_000_000), rows=(10_000, 1_000_000, 10_000_000), imports=(10_000, 1_000_000, 5_000_000),
            messages=10_000_000,
        )  # fmt: skip


def number(n: int) -> str:
    """A number for the ``n``-th person, of those kept for fiction (line numbers 555-01XX of every area code)."""
    return f"+1{n // 100 % 1000:03d}55501{n % 100:02d}" + (str(n // 100_000) if n >= 100_000 else "")


def columns(n: int) -> dict[str, str]:
    """What is known of the ``n``-th person."""
    return {
        "First Name": FIRST_NAMES[n % len(FIRST_NAMES)],
        "city": CITIES[n % len(CITIES)],
        "order_no": f"{n * 7919 % 1_000_003:07d}",
        "day": DAYS[n % len(DAYS)],
    }


def words(n: int) -> str:
    """What :data:`PERSONAL` says to the ``n``-th person."""
    known = columns(n)
    day = known["day"] or "Monday"
    hello = f"Hello {known['First Name']}, your order {known['order_no']}"
    return f"{hello} leaves {known['city']} on {day}. Reply STOP to opt out."


@dataclass
class Rig:
    """One installation, made for the bench and removed after it."""

    scale: Scale
    settings: Settings
    db: Database
    app: App
    token: str
    made: int = 0

    async def add_list(self, people: int) -> str:
        """A contact list of so many; its name."""
        self.made += 1
        name, now = f"List {self.made}", config.utc_now()
        async with self.db.transaction() as conn:
            target = await lists.create(
                conn, self.app.app_id, kind="call", name=name, description="", source="passiveApi",
                allow_duplicates=False, now=now,
            )  # fmt: skip
            async with conn.cursor() as cursor, cursor.copy(COPY_CONTACTS) as copy:
                for n in range(people):
                    fields = json.dumps(columns(n))
                    await copy.write_row(
                        (self.app.app_id, target.list_id, n + 1, number(n), None, None, fields, now, now)
                    )
            values = {"people": people, "app_id": self.app.app_id, "list_id": target.list_id}
            await conn.execute(COUNT_CONTACTS, values)
        await self.execute("ANALYZE contact")
        return name

    def draft(self, list_name: str, text: str, hours: object = ALWAYS) -> dict[str, Any]:
        """The body of a create, by whichever door."""
        self.made += 1
        return {
            "name": f"Campaign {self.made}",
            "description": "A bench",
            "contactLists": [list_name],
            "campaignType": "sms",
            "format": "simple",
            "message": {"message": text},
            "dialingStrategy": {"callerId": {"phoneNumber": CALLER}, "callingHours": hours},
        }

    async def create(self, list_name: str, text: str) -> Campaign:
        return await campaigns.create(self.db, self.app, self.draft(list_name, text), now=config.utc_now())

    async def play(self, campaign: Campaign) -> Campaign:
        return await runs.play(self.db, self.app, campaign.public_id, now=config.utc_now())

    async def finish(self, campaign: Campaign) -> float:
        """Wait until a campaign is Completed; ``time.monotonic()`` then."""
        async with asyncio.timeout(self.scale.patience):
            while True:
                async with self.db.connection() as conn:
                    found = await campaign_rows.get(conn, self.app.app_id, campaign.public_id)
                if found.status.value == "Completed":
                    return time.monotonic()
                await asyncio.sleep(0.05)

    async def ledger(self, campaign: Campaign) -> Ledger:
        async with self.db.connection() as conn:
            return await tallies.read(conn, self.app.app_id, campaign.run_id or 0, config.utc_now())

    async def behave(self, **settings: object) -> None:
        """Set how the sandbox behaves. A worker that runs already has opened its line and does not see it."""
        async with self.db.connection() as conn:
            await carrier_accounts.set_settings(conn, self.app.app_id, await self.account_id(), settings)

    async def account_id(self) -> int:
        """The sandbox account's internal id."""
        async with self.db.connection() as conn:
            return (await carrier_accounts.list_all(conn, self.app.app_id))[0].account_id

    async def execute(self, statement: LiteralString, values: dict[str, object] | None = None) -> None:
        async with self.db.connection() as conn:
            await conn.execute(statement, values)

    async def value(self, statement: LiteralString) -> float:
        """The one figure a statement answers."""
        async with self.db.connection() as conn:
            row = await (await conn.execute(statement)).fetchone()
        return float(row[0]) if row else 0.0

    def clear_transcript(self) -> None:
        """Begin a new transcript. Only while no worker runs."""
        self.settings.transcript.unlink(missing_ok=True)


@asynccontextmanager
async def rig(scale: Scale, folder: Path | None = None) -> AsyncIterator[Rig]:
    """An installation in a new folder below ``folder`` (the system's temporary one), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-", dir=folder, ignore_cleanup_errors=True) as made:
        settings = Settings(data=Path(made).resolve() / "data")
        db = await Database.open(settings, size=4)
        try:
            seal = seals.from_settings(settings)
            app = await access.create_app(db, seal, name="Bench", now=config.utc_now())
            # It measures at whatever hour it is.
            await app_settings.update(db, app.app, {"quietHours": {"enabled": False}}, now=config.utc_now())
            token = access.sign(app.client_id, app.client_secret, now=config.utc_now())
            yield Rig(scale, settings, db, app.app, token)
        finally:
            await db.close()
