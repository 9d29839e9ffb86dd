"""Imports by real workers: beside the event loop, once, and again from the start when somebody is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.actions import imports
from heliograph.rules.import_wish import Wish
from heliograph.store import imports as jobs
from heliograph.store import lists

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.imports import Job
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

WORK = [sys.executable, "-c", "from heliograph.cli.main import main; main()", "work"]
PEOPLE = 40_000
COUNT: LiteralString = "SELECT count(*), count(DISTINCT number) FROM contact"
TAKERS: LiteralString = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 11
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@asynccontextmanager
async def worker_process(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker as its own process, killed at the end of the block however it fares."""
    environ = os.environ | {
        "HELIOGRAPH_DATABASE_URL": str(world.settings.database_url),
        "HELIOGRAPH_DATA": str(world.settings.data),
    }
    process = await asyncio.create_subprocess_exec(*WORK, env=environ, stdin=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def children(worker: asyncio.subprocess.Process) -> list[int]:
    """The processes that a worker has started."""
    path = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def number(n: int) -> str:
    """Of those kept for fiction: 0100 to 0199 of every area code."""
    return f"+1{n // 100:03d}55501{n % 100:02d}"


async def begin(world: World, people: int) -> Job:
    await world.add_list("People", [])
    data = ("phone,name\n" + "".join(f"{number(n)},P{n}\n" for n in range(people))).encode()

    async def body() -> AsyncIterator[bytes]:
        yield data

    return await imports.begin(world.db, world.app, "People", body(), file_name="a.csv", wish=Wish(), clock=world.clock)


async def job(world: World, begun: Job) -> Job:
    async with world.db.connection() as conn:
        return await jobs.get(conn, begun.app_id, begun.list_id, begun.public_id)


async def until(world: World, begun: Job, *, rows: int) -> Job:
    async with asyncio.timeout(60):
        while True:
            now = await job(world, begun)
            if now.rows >= rows and (rows < PEOPLE or now.state == "done"):
                return now
            await asyncio.sleep(0.005)


async def counted(world: World, statement: LiteralString = COUNT) -> tuple[int, ...]:
    async with world.db.connection() as conn:
        row = await (await conn.execute(statement)).fetchone()
    assert row is not None
    return tuple(int(each) for each in row)


async def nobody_at_it(world: World) -> None:
    async with asyncio.timeout(60):
        while (await counted(world, TAKERS))[0]:
            await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="finds a worker's children in /proc")
async def test_whoever_is_killed_in_the_middle_leaves_the_list_as_it_was(world: World) -> None:
    """The process that takes the file in is killed, then its worker; at the end everybody is there once."""
    begun = await begin(world, PEOPLE)
    async with worker_process(world) as worker:
        await until(world, begun, rows=10_000)
        (taker,) = await children(worker)
        os.kill(taker, signal.SIGKILL)
        await nobody_at_it(world)
        assert await counted(world) == (0, 0)
        async with world.db.connection() as conn:
            assert (await lists.get(conn, world.app.app_id, "People")).contact_count == 0
    await nobody_at_it(world)
    async with worker_process(world) as worker:
        async with asyncio.timeout(60):
            while (await job(world, begun)).tries < 2:
                await asyncio.sleep(0.005)
        await until(world, begun, rows=10_000)
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
    await nobody_at_it(world)  # the process that took the file in went with its worker
    assert await counted(world) == (0, 0)
    async with worker_process(world) as worker:
        ended = await until(world, begun, rows=PEOPLE)
        assert ended.added == PEOPLE
        assert ended.tries <= 3  # one that sees its worker go in time gives its try back
        async with asyncio.timeout(60):
            while await children(worker):  # it ends when nothing waits
                await asyncio.sleep(0.02)
    assert await counted(world) == (PEOPLE, PEOPLE)
    async with world.db.connection() as conn:
        found = await lists.get(conn, world.app.app_id, "People")
    assert (found.contact_count, found.last_seq, len(found.files)) == (PEOPLE, PEOPLE, 1)


async def test_a_worker_that_is_told_to_stop_leaves_its_import_to_the_next(world: World) -> None:
    begun = await begin(world, PEOPLE)
    async with worker_process(world) as worker:
        await until(world, begun, rows=10_000)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.wait(), 60) == 0
    await nobody_at_it(world)
    now = await job(world, begun)
    assert (now.state, now.tries, await counted(world)) == ("waiting", 0, (0, 0))
