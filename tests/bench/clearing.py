"""Clearing up after deleted campaigns: how fast, and that the tables do not grow by it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, LiteralString

from heliograph import config
from heliograph.actions import runs
from heliograph.engine import purge
from tests.bench import flat
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from tests.bench.rig import Rig

TITLE = "Clearing up"
ABOUT = """\
{rounds} times a campaign of {people:,} people, planned and not sent, is deleted and cleared up after as the worker
does it in the background: 5,000 people in a step, a commit each. After each round the tables are vacuumed, as
PostgreSQL does by itself when a fiftieth of them is dead. *The size* is theirs on the disk, with their indexes, when
all the people of a round are planned: bloat would have it grow from round to round. (The second is the first that can
tell: index pages emptied by one vacuum are used again after the next.)

The floor is a **bare DELETE** of as many rows from a copy of the table with its indexes, as many in a transaction.
"""
ROUNDS = 5
STEP = 5_000
MAKE: tuple[LiteralString, ...] = (
    "CREATE TABLE floor_message (LIKE message INCLUDING ALL)",
    "INSERT INTO floor_message SELECT * FROM message",
    "VACUUM ANALYZE floor_message",
)
BARE = """
DELETE FROM floor_message WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND seq BETWEEN %(first)s AND %(last)s
"""
VACUUM = "VACUUM message, chunk, tally, run_page"
SIZE = "SELECT pg_total_relation_size('message') + pg_total_relation_size('chunk')"


async def measure(rig: Rig) -> Section:
    """In an installation of its own: nobody is to send to these people."""
    async with rigs.rig(rig.scale, rig.settings.data.parent.parent) as own:
        return await _measure(own)


async def _measure(rig: Rig) -> Section:
    people = rig.scale.people
    section = Section("purge", TITLE, ABOUT.format(rounds=ROUNDS, people=people))
    few = await rig.add_list(10)
    took, bare, sizes = 0.0, 0.0, list[float]()
    for number in range(ROUNDS):
        run = await flat.fill(rig, few, people, sent=0)
        if number == 0:
            bare = await _bare(rig, run.app_id, run.run_id, people)
        await rig.execute("ANALYZE message")
        sizes.append(await rig.value(SIZE) / 1024 / 1024)
        await runs.delete(rig.db, rig.app, run.campaign.public_id, now=config.utc_now())
        began = time.monotonic()
        removed = await purge.purge(rig.db, config.utc_now)
        took += time.monotonic() - began
        if removed != people:
            section.faults.append(f"{removed} of {people} people were cleared away")
        await rig.execute(VACUUM)
    rate = people * ROUNDS / took
    section.add("cleared away", rate, "people/s", Floor(bare, "bare DELETE"))
    section.add(f"size in round {ROUNDS}", sizes[-1], "MiB", Floor(sizes[1], "in the second"))
    section.headlines.append(
        f"Clearing up after a DELETE: **{rate:,.0f} people/s**, **{times(bare / rate)}** the time of a bare DELETE; "
        f"the tables in round {ROUNDS} of it are **{times(sizes[-1] / sizes[1])}** the size of the second."
    )
    return section


async def _bare(rig: Rig, app_id: int, run_id: int, people: int) -> float:
    for statement in MAKE:
        await rig.execute(statement)
    began = time.monotonic()
    for first in range(1, people + 1, STEP):
        await rig.execute(BARE, {"app_id": app_id, "run_id": run_id, "first": first, "last": first + STEP - 1})
    rate = people / (time.monotonic() - began)
    await rig.execute("DROP TABLE floor_message")
    return rate
