"""Counting the texts of runs by country, for reports: page by page, and no faster than others can bear."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.rules import report
from heliograph.store import country_counts

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.store.country_counts import Stale
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

PAGE = 20_000  # people
REST = 4.0  # times as long as a page took is rested after it: a fifth of one core while a large run is counted
APART = 20.0  # times as long as the pages of a run took, it is not counted again
LEAST = timedelta(seconds=60)  # ... but so long at least
RECENT = timedelta(days=40)  # runs that began earlier are counted once: what moves them then is a rarity
AT_ONCE = 50  # runs of one look


async def count(db: Database, clock: Clock) -> int:
    """Count the runs that have moved since they were counted; how many they were."""
    async with db.connection() as conn:
        stale = await country_counts.list_stale(conn, since=clock() - RECENT, now=clock(), limit=AT_ONCE)
    for each in stale:
        await _count(db, each, clock)
    return len(stale)


async def _count(db: Database, run: Stale, clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    worked = 0.0
    for after in range(0, run.last_seq, PAGE):
        began = loop.time()
        async with db.connection() as conn:
            for start, status, people in await country_counts.count_page(conn, run, after=after, upto=after + PAGE):
                found[report.country(start)][status] += people
        took = loop.time() - began
        worked += took
        if after + PAGE < run.last_seq:
            await asyncio.sleep(REST * took)
    async with db.transaction() as conn:
        await country_counts.drop(conn, run)
        await country_counts.put(conn, run, found)
        await country_counts.mark(
            conn, run, now=clock(), not_before=clock() + max(LEAST, timedelta(seconds=APART * worked))
        )
    log.debug("countries_counted run=%s people=%s seconds=%.3f", run.run_id, run.last_seq, worked)
