"""A line that brings replies is open whether anything is sent or not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import seal as seals
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from tests.engine.conftest import World, number
from tests.engine.test_smpp import attach

pytestmark = pytest.mark.anyio

COUNT = "SELECT count(*) FROM reply"


async def replies(world: World) -> int:
    async with world.db.connection() as conn:
        row = await (await conn.execute(COUNT)).fetchone()
    return int(row[0]) if row else 0


async def heard(world: World, many: int) -> None:
    async with asyncio.timeout(60):
        while await replies(world) < many:
            await asyncio.sleep(0.05)


async def test_replies_are_heard_after_a_restart_though_nothing_is_sent(world: World, tmp_path: Path) -> None:
    """They were written while no worker ran; the next one binds by itself, and the message centre brings them."""
    writes = {"reply": 1, "reply_text": "Yes", "reply_ms": [2500, 2600]}
    centre = Centre(scripts.read({"behaviour": {"latency_ms": [1, 2]} | writes}), tmp_path / "smsc.jsonl")
    try:
        await attach(world, await centre.listen("127.0.0.1", 0))
        await world.add_numbers("People", 0, 5)
        campaign = await world.play(await world.campaign("Asked", ["People"]))
        async with world.working():
            await world.until(campaign)
        before = await replies(world)
        async with world.working(), world.working():
            await heard(world, 5)
    finally:
        await centre.close()
    assert before < 5
    assert await replies(world) == 5
    assert {number(n) for n in range(5)} == await _writers(world)


async def test_an_account_that_is_deleted_is_listened_to_no_more(world: World, tmp_path: Path) -> None:
    centre = Centre(scripts.read({}), tmp_path / "smsc.jsonl")
    try:
        port = await centre.listen("127.0.0.1", 0)
        body = {"name": "Idle", "kind": "smpp", "settings": {"host": "127.0.0.1", "port": port, "system_id": "x"}}
        made = await accounts.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())
        async with world.working():
            async with asyncio.timeout(60):
                while not centre.bound_now:
                    await asyncio.sleep(0.02)
                await accounts.delete(world.db, world.app, made.public_id, now=world.clock())
                while centre.bound_now:
                    await asyncio.sleep(0.02)
    finally:
        await centre.close()


async def _writers(world: World) -> set[str]:
    async with world.db.connection() as conn:
        rows = await (await conn.execute("SELECT number FROM reply")).fetchall()
    return {str(row[0]) for row in rows}
