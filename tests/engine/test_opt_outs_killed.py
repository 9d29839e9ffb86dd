"""Saying no while processes are killed: a no is kept with its reply or not at all, and confirmed once at most.

Run as a module it is a process that keeps replies without end, which a test kills in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.actions import replies
from heliograph.carriers.base import Reply
from heliograph.config import Settings, utc_now
from heliograph.store.database import Database
from tests.engine.conftest import number
from tests.engine.test_crash import worker_process

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

OURS = "+12025550100"
PEOPLE = 120
KEPT = """
SELECT (SELECT count(*) FROM reply WHERE app_id = %(app_id)s),
       (SELECT count(*) FROM consent WHERE app_id = %(app_id)s AND what = 'opt_out'),
       (SELECT count(*) FROM opt_out WHERE app_id = %(app_id)s AND kind = 'no')
"""
UNHANDLED = "SELECT count(*) FROM reply WHERE app_id = %(app_id)s AND handled_at IS NULL"
WAITING = """
SELECT count(*) FROM auto_answer a LEFT JOIN outcome o ON o.app_id = a.app_id AND o.run_id = a.run_id AND o.seq = a.seq
WHERE a.app_id = %(app_id)s AND o.seq IS NULL
"""
ACCOUNT = "SELECT account_id FROM carrier_account WHERE app_id = %(app_id)s"


async def counts(world: World, statement: LiteralString = KEPT) -> tuple[int, ...]:
    async with world.db.connection() as conn:
        row = await (await conn.execute(statement, {"app_id": world.app.app_id})).fetchone()
    return tuple(row or ())


async def keep(db: Database, app_id: int, account_id: int, who: str) -> None:
    said = [Reply(who, OURS, "STOP", datetime(2026, 3, 2, tzinfo=UTC), "")]
    async with db.transaction() as conn:
        await replies.keep(conn, app_id, account_id, said, now=utc_now())


async def without_end(data: str, url: str, app_id: int, account_id: int) -> None:
    """Keep a STOP of one person after the other; a line for each that is kept."""
    db = await Database.open(Settings(data=Path(data), database_url=url), size=1)
    people = 0
    while True:
        await keep(db, app_id, account_id, number(people))
        sys.stdout.write(f"{people}\n")
        sys.stdout.flush()
        people += 1


async def test_a_no_is_kept_with_its_reply_or_not_at_all(world: World) -> None:
    (account_id,) = await counts(world, ACCOUNT)
    ours = (str(world.settings.data), str(world.settings.database_url), str(world.app.app_id), str(account_id))
    command = (sys.executable, "-m", "tests.engine.test_opt_outs_killed", *ours)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told = 0
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            for _ in range(25):
                told = int(await process.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
    replied, recorded, opted_out = await counts(world)
    assert replied == recorded == opted_out
    assert replied > told, "what was told to be kept is kept"


async def test_workers_killed_while_they_confirm(world: World) -> None:
    (account_id,) = await counts(world, ACCOUNT)
    for person in range(PEOPLE):
        await keep(world.db, world.app.app_id, account_id, number(person))
    for kill in (1, 2):
        async with worker_process(world):
            await world.taken(kill * PEOPLE // 4)
    async with worker_process(world), asyncio.timeout(60):
        while (await counts(world, UNHANDLED))[0]:
            await asyncio.sleep(0.05)
        while (await counts(world, WAITING))[0]:
            await asyncio.sleep(0.05)
    assert await counts(world) == (PEOPLE, PEOPLE, PEOPLE)
    confirmed = Counter(text["to"] for text in world.transcript())
    assert set(confirmed) <= {number(person) for person in range(PEOPLE)}
    assert max(confirmed.values()) == 1, "somebody was told twice that they are not texted any more"


if __name__ == "__main__":
    asyncio.run(without_end(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
