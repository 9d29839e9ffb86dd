"""When a sender's carrier account is out of use, others of its pool text who waits for it.

Only who was never taken: whoever was in hand when the line broke is unknown, or goes again by the rules of retries.
It is done by the worker that holds the sender's lane, through the session that holds it: nobody else can take any of
these people meanwhile. Whom a person usually hears from is not changed by it.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.rules import pool
from heliograph.store import bell, failovers, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.config import Clock
    from heliograph.engine.lane import Lane
    from heliograph.store.database import Conn
    from heliograph.store.runs import Run
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

LOOK = 0.5
PATIENCE = 10.0  # seconds a line may be down before its people go elsewhere: most break and are back sooner
FRESH = timedelta(seconds=15)  # what workers have said of other lines counts for so long


class Failover:
    """Watches the lanes of a worker until cancelled. ``lanes``: by sender, as they come and go."""

    def __init__(self, session: Session, lanes: Mapping[int, Lane], clock: Clock) -> None:
        self._session = session
        self._lanes = lanes
        self._clock = clock
        self._seen: dict[int, int] = {}  # sender → tries of its line that were answered by moving

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when the session is lost."""
        while True:
            for sender_id, lane in list(self._lanes.items()):
                failures = lane.line.failures
                # Once for each try that failed: so a line that works again, unknown to us, gets its chance.
                if failures != self._seen.get(sender_id, 0) and lane.line.out_of_use(PATIENCE):
                    self._seen[sender_id] = failures
                    await self.move(lane)
            await asyncio.sleep(LOOK)

    async def move(self, lane: Lane) -> int:
        """Give the people whose time has come to other senders of their run's pool; answers how many chunks."""
        moved = 0
        async with self._session.transaction() as conn:
            active = [run for run in await runs.list_active(conn) if lane.sender.sender_id in run.sender_ids]
        for run in active:
            if run.pool_id is not None and len(run.sender_ids) > 1:
                async with self._session.transaction() as conn:
                    moved += await self._move_run(conn, lane, run)
        if moved:
            log.warning("failed_over sender=%s chunks=%s reason=%s", lane.sender.public_id, moved, lane.line.why)
        return moved

    async def _move_run(self, conn: Conn, lane: Lane, run: Run) -> int:
        sender, now = lane.sender, self._clock()
        alive = await failovers.list_alive(
            conn, run.app_id, run.sender_ids, account_id=sender.account_id, fresh=now - FRESH, now=now
        )
        weights = {s: w for s, w in zip(run.sender_ids, run.weights or [], strict=True) if s in alive and w > 0}
        if not weights:
            return 0
        # The run's row before its chunks, as everyone who locks both does.
        if await runs.reserve(conn, run.app_id, run.run_id, places=0, chunks=0) is None:
            return 0
        due = await failovers.lock_due(conn, run.app_id, run.run_id, sender.sender_id, now)
        begun = [chunk for chunk in due if chunk.next_seq > chunk.first_seq]
        whole = [chunk for chunk in due if chunk.next_seq == chunk.first_seq]
        to = {chunk.chunk_no: pool.pick(run.pool_id or 0, weights, str(chunk.chunk_no)) for chunk in due}
        if whole:
            await failovers.give(conn, run.app_id, run.run_id, {c.chunk_no: to[c.chunk_no] for c in whole})
        if begun:
            last = await runs.reserve(conn, run.app_id, run.run_id, places=0, chunks=len(begun))
            first = (last or (0, 0))[1] - len(begun) + 1
            cuts = [failovers.Cut(c.chunk_no, c.next_seq, n, to[c.chunk_no]) for n, c in enumerate(begun, first)]
            await failovers.cut(conn, run.app_id, run.run_id, cuts)
        if due:
            await bell.ring(conn, "failed over")
        return len(due)
