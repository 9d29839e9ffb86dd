"""Where a campaign stands: itself and the ledger of its present run, for every command that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from heliograph.cli import show
from heliograph.cli.desk import Desk
from heliograph.store import campaigns, tallies
from heliograph.store.apps import App
from heliograph.store.campaigns import Campaign, Wanted
from heliograph.store.database import Conn
from heliograph.store.tallies import Ledger

PAGE = 200
ROOM, SIDE_BY_SIDE = 125, 4
EVERYTHING = Wanted()

# In the order people read them: what waits, what moves, what is over.
WORDS = ("held", "ready", "submitting", "accepted", "delivered", "failed", "suppressed", "expired", "unknown")


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign and its numbers. Of one never played they are all zero."""

    campaign: Campaign
    ledger: Ledger

    def counts(self) -> dict[str, int]:
        """The nine counters and their total, by name."""
        numbers: dict[str, int] = asdict(self.ledger)
        return {word: numbers[word] for word in (*WORDS, "total")}

    def facts(self) -> dict[str, object]:
        """All of it, for programs."""
        c = self.campaign
        return {
            "id": c.public_id,
            "name": c.name,
            "status": c.status.value,
            "priority": c.priority,
            "format": c.format,
            "from": c.caller_id,
            "contactLists": list(c.list_names),
            "dncList": c.dnc_list_name,
            "message": c.message,
            "callingHours": c.dialing.get("callingHours"),
            "runId": c.run_public_id,
            "createdAt": show.when(c.created_at),
            "updatedAt": show.when(c.updated_at),
            "ledger": self.counts(),
        }


async def of(here: Desk, campaign: Campaign) -> Standing:
    """Where this campaign stands now."""
    async with here.db.connection() as conn:
        return await _standing(conn, here, campaign)


async def all_of(here: Desk, app: App) -> list[Standing]:
    """Where each campaign of the app stands, newest first."""
    found: list[Standing] = []
    async with here.db.connection() as conn:
        while True:
            page = await campaigns.page(conn, app.app_id, EVERYTHING, sort="-createdAt", offset=len(found), limit=PAGE)
            found += [await _standing(conn, here, listed.campaign) for listed in page]
            if len(page) < PAGE:
                return found


async def _standing(conn: Conn, here: Desk, campaign: Campaign) -> Standing:
    if campaign.run_id is None:
        return Standing(campaign, Ledger())
    return Standing(campaign, await tallies.read(conn, campaign.app_id, campaign.run_id, here.clock()))


def table(found: Sequence[Standing], width: int) -> Table:
    """The numbers of campaigns: a line each or, where a line has no room (``width`` characters), a column each."""
    if width < ROOM and len(found) <= SIDE_BY_SIDE:
        columns = ["", *(f"{s.campaign.name}\n{s.campaign.status.value}#" for s in found)]
        numbers = [s.counts() for s in found]
        return show.table(columns, [(word, *(f"{n[word]:,}" for n in numbers)) for word in (*WORDS, "total")])
    rows = [(s.campaign.name, s.campaign.status.value, *(f"{n:,}" for n in s.counts().values())) for s in found]
    return show.table(["campaign", "status", *(f"{word}#" for word in WORDS), "total#"], rows)
