"""A worker that stands still, or is cut off: its lanes and gates go on without it, and it sends nothing with them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import signal
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from heliograph import config
from heliograph.actions import runs
from heliograph.engine import deadman
from heliograph.errors import StoreUnavailable
from heliograph.store import locks
from heliograph.store.session import TRUST, Session
from tests.engine.conftest import number
from tests.engine.test_crash import unknown_numbers, worker_process

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

GATES = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %(kind)s AND database = %(db)s"
HERE = "SELECT oid FROM pg_database WHERE datname = current_database()"
LANES = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %(kind)s AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
END_LANES = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %(kind)s AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@asynccontextmanager
async def frozen(process: Process) -> AsyncIterator[None]:
    """The process stands still inside the block."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)


async def in_a_gate(world: World) -> bool:
    """Whether anybody is inside a gate now."""
    async with world.db.connection() as conn:
        row = await (await conn.execute(HERE)).fetchone()
        assert row
        found = await conn.execute(GATES, {"kind": locks.Kind.GATE, "db": row[0]})
        return await found.fetchone() is not None


async def lanes(world: World) -> int:
    """How many lanes are taken."""
    async with world.db.connection() as conn:
        row = await (await conn.execute(LANES, {"kind": locks.Kind.LANE})).fetchone()
    return row[0] if row else 0


async def test_a_stop_does_not_wait_for_a_frozen_worker_for_ever(world: World) -> None:
    """Frozen inside its gate as often as that can be hit; deleted meanwhile; woken up: it sends nothing more."""
    await world.add_numbers("People", 0, 20_000)
    moments = random.Random(5)
    hit = 0
    for trial in range(2):
        playing = await world.play(await world.campaign(f"Frozen {trial}", ["People"]))
        async with worker_process(world) as process:
            await world.taken(1 + moments.randrange(2000), playing)
            async with asyncio.timeout(10):
                while not await in_a_gate(world):
                    await asyncio.sleep(0)
            async with frozen(process):
                hit += await in_a_gate(world)
                await runs.delete(world.db, world.app, playing.public_id, now=world.clock())
                answered, taken = time.time(), len(world.transcript(playing))
            await asyncio.sleep(0.3)
            assert len(world.transcript(playing)) == taken
            assert all(t["at"] <= answered for t in world.transcript(playing))
        assert 0 < taken < 20_000
    assert hit, "no trial froze the worker inside a gate"


async def test_a_frozen_workers_lane_is_taken_over_and_nobody_is_texted_twice(world: World) -> None:
    await world.rate(400)
    await world.add_numbers("People", 0, 3000)
    playing = await world.play(await world.campaign("Taken over", ["People"]))
    async with worker_process(world) as first, worker_process(world) as second:
        await world.taken(300)
        for process in (first, second):
            async with frozen(process):  # the one that has the lane, or the other one: both must be harmless
                before = len(world.transcript())
                await world.taken(min(before + 250, 3000), seconds=60)
        ledger = await world.until(playing, seconds=60)
    unknown = await unknown_numbers(world, playing)
    taken = Counter(t["to"] for t in world.transcript())
    assert max(taken.values()) == 1, "somebody was texted twice"
    assert set(taken) | unknown == {number(n) for n in range(3000)}, "somebody was skipped"
    assert ledger.sent + ledger.unknown == ledger.total == 3000


async def test_a_session_ended_by_a_person_costs_nobody_a_second_text(world: World) -> None:
    await world.add_numbers("People", 0, 8000)
    playing = await world.play(await world.campaign("Ended", ["People"]))
    async with world.working():
        for cut in (1, 2, 3):
            await world.taken(cut * 2000)
            admin = await world.db.connect()
            async with admin:
                await admin.execute(END_LANES, {"kind": locks.Kind.LANE})
        ledger = await world.until(playing, seconds=60)
    taken = Counter(t["to"] for t in world.transcript())
    assert max(taken.values()) == 1
    assert set(taken) | await unknown_numbers(world, playing) == {number(n) for n in range(8000)}
    assert ledger.sent + ledger.unknown == 8000


async def test_a_session_that_was_ended_is_known_without_a_word(world: World) -> None:
    """No statement is needed to see it, and no time has to pass: the lanes may be somebody else's by now."""
    async with Session.open(world.db) as session:
        assert config.boot_seconds() < session.sure_until <= config.boot_seconds() + TRUST
        async with session.use() as conn:
            assert await locks.take(conn, locks.Kind.LANE, 1)
        async with world.db.connection() as admin:
            await admin.execute(END_LANES, {"kind": locks.Kind.LANE})
            async with asyncio.timeout(60):
                while not await locks.take(admin, locks.Kind.LANE, 1):
                    await asyncio.sleep(0)
            assert session.sure_until == -math.inf
            await locks.release(admin, locks.Kind.LANE, 1)


async def test_a_silent_session_is_ended_and_one_that_is_touched_is_not(world: World) -> None:
    async with Session.open(world.db) as silent, Session.open(world.db) as kept:
        sure = silent.sure_until
        async with asyncio.timeout(60):
            while silent.sure_until != -math.inf:
                await kept.touch()
                await asyncio.sleep(0.1)
        assert config.boot_seconds() > sure, "it was sure for longer than it was so"
        assert kept.sure_until > config.boot_seconds()
        with pytest.raises(StoreUnavailable):
            await silent.touch()


FROZEN_WHILE_WRITING = """
import asyncio, os, signal
from heliograph import config
from heliograph.engine.deadman import SWITCH

async def main():
    SWITCH.set_up()
    with SWITCH.watching(config.boot_seconds() + 0.1):
        print("writing", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        print("woken", flush=True)

asyncio.run(main())
"""


async def test_whoever_is_frozen_while_it_writes_does_not_live_to_write_the_rest() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FROZEN_WHILE_WRITING, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"writing\n"
    await asyncio.sleep(0.1 + deadman.GRACE + 0.2)
    process.send_signal(signal.SIGCONT)
    assert await process.stdout.read() == b""
    assert await process.wait() == -signal.SIGALRM


async def test_writing_in_time_and_living_past_it_harm_nobody() -> None:
    source = """
import asyncio
from heliograph import config
from heliograph.engine.deadman import SWITCH, GRACE

async def main():
    SWITCH.set_up()
    with SWITCH.watching(config.boot_seconds() + 0.1), SWITCH.watching(config.boot_seconds() + 60):
        await asyncio.sleep(0.1 + GRACE + 0.2)
    print("alive", flush=True)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE)
    assert (await process.communicate())[0] == b"alive\n"
