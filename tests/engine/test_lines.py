"""Lines open beside each other: one that takes its time holds up nobody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import seal as seals
from heliograph.actions import senders
from heliograph.engine import lines
from tests.carriers import smpp_rig
from tests.engine.conftest import ALWAYS

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

SLOW = "+12025550101"


async def test_a_line_that_is_long_in_opening_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "GRACE", 0.05)
    async with smpp_rig.hesitant(0) as port:
        settings = {"host": "127.0.0.1", "port": port, "system_id": "test", "connect_timeout_s": 120}
        body = {"name": "Slow", "kind": "smpp", "settings": settings}
        await accounts.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())
        await senders.create(world.db, world.app, {"address": SLOW, "carrierAccountId": "Slow"}, now=world.clock())
        await world.add_numbers("People", 0, 5)
        strategy = {"callerId": {"phoneNumber": SLOW}, "callingHours": ALWAYS}
        waits = await world.play(await world.campaign("Waits", ["People"], dialingStrategy=strategy))
        async with world.working():
            async with asyncio.timeout(60):
                while (await world.ledger(waits)).ready < 5:
                    await asyncio.sleep(0.02)
            await world.until(await world.play(await world.campaign("Goes", ["People"])))
            assert (await world.ledger(waits)).ready == 5
