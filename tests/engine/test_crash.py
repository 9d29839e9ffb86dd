"""The ledger of crashes: nobody twice, nobody skipped, and whoever is in doubt is listed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from heliograph.engine import lane
from heliograph.store import outcomes
from tests.engine.conftest import number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.campaigns import Campaign
    from heliograph.store.tallies import Ledger
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

COMMAND = [sys.executable, "-c", "from heliograph.cli.main import main; main()", "work"]
PEOPLE = 8000

DROP_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def worker_process(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker as its own process, killed at the end of the block however it fares."""
    environ = os.environ | {
        "HELIOGRAPH_DATABASE_URL": str(world.settings.database_url),
        "HELIOGRAPH_DATA": str(world.settings.data),
    }
    process = await asyncio.create_subprocess_exec(*COMMAND, env=environ, stdin=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


def judge(world: World, ledger: Ledger, unknown: set[str], *, kills: int) -> None:
    """Hold our ledger against the carrier's own record."""
    taken = Counter(t["to"] for t in world.transcript())
    everybody = {number(n) for n in range(PEOPLE)}
    assert max(taken.values()) == 1, "somebody was texted twice"
    assert set(taken) | unknown == everybody, "somebody was skipped"
    assert ledger.total == PEOPLE
    assert ledger.sent + ledger.unknown == PEOPLE
    assert ledger.unknown == len(unknown) <= kills * (lane.WINDOW + lane.BATCH)


async def unknown_numbers(world: World, campaign: Campaign) -> set[str]:
    found: set[str] = set()
    after = 0
    assert campaign.run_id is not None
    async with world.db.connection() as conn:
        while page := await outcomes.list_unknown(conn, world.app.app_id, campaign.run_id, after=after):
            found |= {person.number for person in page}
            after = page[-1].seq
    return found


async def test_workers_killed_in_the_middle(world: World) -> None:
    await world.add_numbers("People", 0, PEOPLE)
    campaign = await world.campaign("Killed", ["People"])
    moments = random.Random(3)  # a repeatable spread of moments
    playing = await world.play(campaign)
    kills = 3
    for kill in range(1, kills + 1):
        async with worker_process(world):
            await world.taken(kill * PEOPLE // 5 + moments.randrange(500))
    async with worker_process(world):
        ledger = await world.until(playing, seconds=60)
        judge(world, ledger, await unknown_numbers(world, playing), kills=kills)


async def test_a_lost_connection_costs_nobody_their_text(world: World) -> None:
    """The worker lives on and still gets the answers it waited for: they settle what the sweep called unknown."""
    await world.sandbox(latency_ms=[150, 300])
    await world.add_numbers("People", 0, PEOPLE)
    campaign = await world.campaign("Cut off", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        for cut in (1, 2):
            await world.taken(cut * PEOPLE // 4)
            admin = await world.db.connect()
            async with admin:
                await admin.execute(DROP_CONNECTIONS)
        ledger = await world.until(playing, seconds=60)
        unknown = await unknown_numbers(world, playing)
    judge(world, ledger, unknown, kills=2)
    assert len(unknown) <= 2 * lane.BATCH, "answers that came later must have settled the others"


async def test_two_workers_share_the_work_and_never_a_person(world: World) -> None:
    await world.add_numbers("People", 0, PEOPLE)
    playing = await world.play(await world.campaign("Two workers", ["People"]))
    async with world.working(), world.working():
        ledger = await world.until(playing)
    judge(world, ledger, set(), kills=0)


async def test_what_a_dead_worker_left_is_found_even_when_the_campaign_was_stopped(world: World) -> None:
    await world.sandbox(latency_ms=[5000, 5000])
    await world.add_numbers("People", 0, 50)
    playing = await world.play(await world.campaign("Left", ["People"]))
    async with worker_process(world):
        await world.taken(50)
    async with world.working(), asyncio.timeout(10):
        while (await world.ledger(playing)).submitting:
            await asyncio.sleep(0.05)
        ledger = await world.ledger(playing)
    assert ledger.unknown == 50
    assert await unknown_numbers(world, playing) == {number(n) for n in range(50)}
