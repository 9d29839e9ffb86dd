"""Conversations: advanced campaigns, replies, time, services; through everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from heliograph.actions import replies
from heliograph.carriers.base import Reply
from heliograph.store import carrier_accounts
from tests.engine.conftest import number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

US = "+12025550100"


@dataclass
class Phones:
    """What people write, and what they get."""

    world: World
    read: dict[str, int] = field(default_factory=dict[str, int])

    async def write(self, who: str, *texts: str, to: str = US, ref: str | None = None) -> None:
        async with self.world.db.transaction() as conn:
            account = (await carrier_accounts.list_all(conn, self.world.app.app_id))[0]
            said = [Reply(who, to, text, self.world.clock(), ref or uuid4().hex) for text in texts]
            await replies.keep(conn, self.world.app.app_id, account.account_id, said, now=self.world.clock())

    def got(self, who: str) -> list[str]:
        return [each["text"] for each in self.world.transcript() if each["to"] == who]

    async def gets(self, who: str, count: int) -> list[str]:
        """Wait until somebody has got so many texts."""
        async with asyncio.timeout(30):
            while len(found := self.got(who)) < count:
                await asyncio.sleep(0.01)
        return found

    async def result(self, who: str) -> str | None:
        """Wait for the end of somebody's last session."""
        async with asyncio.timeout(30):
            while True:
                async with self.world.db.connection() as conn:
                    cursor = await conn.execute(
                        "SELECT result, ended_at FROM session WHERE number = %s ORDER BY session_id DESC LIMIT 1", [who]
                    )
                    row: Any = await cursor.fetchone()
                if row is not None and row[1] is not None:
                    return row[0]
                await asyncio.sleep(0.02)


async def support(world: World, people: int) -> Campaign:
    await world.add_list("people", [{"number": number(n), "First Name": f"P{n}"} for n in range(people)])
    made = await world.campaign("flow", ["people"], format="advanced", experienceFlowName="SMS Support Flow")
    return await world.play(made)


async def test_everybody_is_talked_to_until_the_end_and_then_the_campaign_is_complete(world: World) -> None:
    campaign = await support(world, 3)
    phones = Phones(world)
    async with world.working():
        await phones.gets(number(0), 1)
        await phones.write(number(0), "1")
        assert "order number" in (await phones.gets(number(0), 2))[1]
        await phones.write(number(0), "1002")
        assert "1002 is on its way" in (await phones.gets(number(0), 3))[2]
        await phones.write(number(0), "No, thanks")
        await phones.gets(number(0), 4)
        assert await phones.result(number(0)) is not None
        assert await world.status(campaign) == "Active"
        await phones.gets(number(1), 1)
        await phones.write(number(1), "agent")
        assert await phones.result(number(1)) == "handed over"
        await phones.gets(number(2), 1)
        await phones.write(number(2), "STOP")
        assert await phones.result(number(2)) == "opted out"
        ledger = await world.until(campaign)
    assert ledger.total == ledger.sent == 3
