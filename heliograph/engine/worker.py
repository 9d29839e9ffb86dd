"""The worker process: it wakes, plans, sends and sweeps, for every app of the database.

Any number of workers, on any number of machines, meet only in PostgreSQL: who works a lane or plans a
run is whoever holds its advisory lock, and a lock is free the moment its holder's connection is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import receipts as receipts_actions
from heliograph.actions import runs as runs_actions
from heliograph.engine import plan, purge
from heliograph.engine.asker import Asker
from heliograph.engine.bell import Bell
from heliograph.engine.calls import Calls
from heliograph.engine.countries import Countries
from heliograph.engine.failover import Failover
from heliograph.engine.flow_calls import FlowCalls
from heliograph.engine.group import Group
from heliograph.engine.hearing import Hearing
from heliograph.engine.imports import Imports
from heliograph.engine.lane import Lane
from heliograph.engine.lines import Lines
from heliograph.engine.listening import Listening
from heliograph.engine.pulls import Pulls
from heliograph.engine.recorder import Recorder
from heliograph.engine.replies import Replies
from heliograph.engine.report_mails import ReportMails
from heliograph.engine.retention import Retention
from heliograph.engine.sweep import sweep
from heliograph.engine.tick import Tick
from heliograph.engine.webhooks import Webhooks
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import bell as store_bell
from heliograph.store import (
    carrier_accounts,
    carrier_counts,
    chunks,
    lines,
    locks,
    message_parts,
    panics,
    receipts,
    reply_parts,
    runs,
    senders,
)
from heliograph.store import session as session_store
from heliograph.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 0.5  # seconds between looks at what there is to do when nobody rings
WRITE = 0.03  # seconds outcomes are collected before they are written
COLLECT = 0.02  # seconds replies are collected before they are kept
HEAR = 0.1  # seconds receipts are collected before they are applied
PURGE = 2.0  # seconds between sweeps for deleted campaigns
AFTER_FAULT = 5.0  # seconds before a lane or a plan that failed is tried again
PARKED_DAYS = 7  # a receipt that belongs to nothing after this long never will


class Worker:
    """Runs until :meth:`stop`. Build one per process."""

    def __init__(self, settings: Settings, db: Database, clock: Clock) -> None:
        self._settings = settings
        self._db = db
        self._clock = clock
        self._bell = Bell()
        # Of their own: these come all the time, and are of no concern to lanes.
        self._calls, self._replies, self._services = Bell(), Bell(), Bell()
        self._webhooks = Bell()
        self._recorder = Recorder(clock)
        self._hearing = Hearing(clock)
        self._lines = Lines(settings, self._hearing)
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._lane_of: dict[int, Lane] = {}
        self._planning: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}  # sender → when its lane may be tried again
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()  # set once the first session stands

    def stop(self) -> None:
        """Ask the worker to finish: nothing new is taken, what is in flight is awaited and recorded."""
        self._stopping.set()
        self._bell.ring()

    async def run(self) -> None:
        """Work until stopped, through lost connections and restarts of PostgreSQL."""
        try:
            while not self._stopping.is_set():
                try:
                    await self._work()
                except* StoreUnavailable as group:
                    log.warning("store_unavailable error=%s", group.exceptions[0])
                    await self._pause(0.2)
                except* Exception:
                    # A fault of ours in one task: the session is given up, so nothing half-done is kept, and
                    # everything begins again from what the tables say.
                    log.exception("worker_fault")
                    await self._pause(1.0)
        finally:
            await self._lines.close()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _work(self) -> None:
        """One session's worth of work. Leaves when stopped, or by StoreUnavailable when it is lost."""
        async with Session.open(self._db) as session, Group() as group:
            self._lanes, self._lane_of, self._planning = {}, {}, {}
            background = [
                group.create_task(_keep(session)),
                group.create_task(self._listen()),
                group.create_task(self._record(session)),
                group.create_task(self._hear()),
                group.create_task(self._keep_replies()),
                group.create_task(self._purge(session)),
                group.create_task(Tick(self._db, self._clock).run()),
                group.create_task(Failover(session, self._lane_of, self._clock).run()),
                group.create_task(Calls(self._db, self._settings, self._clock, self._calls).run()),
                group.create_task(Replies(self._db, self._clock, self._replies).run()),
                group.create_task(FlowCalls(self._db, self._settings, self._clock, self._services).run()),
                group.create_task(Webhooks(self._db, session, self._settings, self._clock, self._webhooks).run()),
                group.create_task(Pulls(self._db, session, self._settings, self._clock).run()),
                group.create_task(Imports(self._db, self._settings, self._clock).run()),
                group.create_task(Asker(self._db, session, self._lines, self._clock).run()),
                group.create_task(Listening(self._db, session, self._lines).run()),
                group.create_task(Countries(self._db, session, self._clock).run()),
                group.create_task(ReportMails(self._db, self._settings, self._clock).run()),
            ]
            self.ready.set()
            while not self._stopping.is_set():
                await self._look(session, group)
                await self._bell.wait(LOOK)
            await self._drain(session)
            for task in [*background, *self._planning.values()]:
                task.cancel()

    async def _drain(self, session: Session) -> None:
        """Finish what was begun: lanes end after their batch, answers already due are recorded."""
        for lane in self._lane_of.values():
            lane.stopping = True
        self._bell.ring()
        if self._lanes:
            await asyncio.wait(self._lanes.values())
        await self._lines.close()
        await self._recorder.flush(session)
        await self._hearing.flush(self._db)
        await self._hearing.leave(self._db)

    # ------------------------------------------------------------ looking

    async def _look(self, session: Session, group: asyncio.TaskGroup) -> None:
        """Give every run that is Active to its planner and its lane; sweep what dead workers left."""
        async with self._db.connection() as conn:
            active = await runs.list_active(conn)
            left = await chunks.list_unsettled_senders(conn)
            panicking = await panics.list_everywhere(conn)
        await self._renew(group)
        for run in active:
            if run.planned_at is None and run.run_id not in self._planning:
                self._planning[run.run_id] = group.create_task(self._plan(session, run))
        by_sender = _by_sender(active, left, panicking)
        for (app_id, sender_id), wanted in by_sender.items():
            await self._offer(session, group, app_id, sender_id, wanted)
        for sender_id, lane in self._lane_of.items():
            if lane.busy and (lane.sender.app_id, sender_id) not in by_sender:
                lane.offer([])
        for run in active:
            if run.planned_at is not None and run.kind == "campaign" and run.companion_of is None:
                await runs_actions.complete(self._db, run, now=self._clock())

    async def _offer(
        self, session: Session, group: asyncio.TaskGroup, app_id: int, sender_id: int, wanted: Sequence[runs.Run]
    ) -> None:
        """Let the lane of a sender work on ``wanted``, taking the lane first if it is free."""
        lane = self._lane_of.get(sender_id)
        if lane is None:
            if asyncio.get_running_loop().time() < self._not_before.get(sender_id, 0.0):
                return
            lane = await self._open_lane(session, app_id, sender_id)
            if lane is None:
                return
            self._lane_of[sender_id] = lane
            self._lanes[sender_id] = group.create_task(self._run_lane(session, lane))
        lane.offer(wanted)

    async def _run_lane(self, session: Session, lane: Lane) -> None:
        """Run a lane. A fault in one costs the others nothing: it is given up and taken anew in a while."""
        sender_id = lane.sender.sender_id
        try:
            await lane.run()
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("lane_fault sender=%s", lane.sender.public_id)
            self._not_before[sender_id] = asyncio.get_running_loop().time() + AFTER_FAULT
            del self._lane_of[sender_id], self._lanes[sender_id]
            async with session.use() as conn:
                await locks.release(conn, locks.Kind.LANE, sender_id)

    async def _open_lane(self, session: Session, app_id: int, sender_id: int) -> Lane | None:
        """Take a sender's lane: None when another worker holds it. What its last holder left is settled first."""
        async with session.use() as conn:
            if not await locks.take(conn, locks.Kind.LANE, sender_id):
                return None
            sender = await senders.get(conn, app_id, sender_id)
            account = await carrier_accounts.get(conn, app_id, sender.account_id)
        await self._recorder.flush(session)
        await sweep(session, app_id, sender_id, now=self._clock())
        try:
            line = await self._lines.of(account)
        except HeliographError as error:
            log.error("carrier_not_opened account=%s error=%s", account.public_id, error)  # noqa: TRY400  # its sentence says it all
            self._not_before[sender_id] = asyncio.get_running_loop().time() + AFTER_FAULT
            async with session.use() as conn:
                await locks.release(conn, locks.Kind.LANE, sender_id)
            return None
        return Lane(sender, line, session, self._recorder, self._clock, self._bell)

    async def _renew(self, group: asyncio.TaskGroup) -> None:
        """Have lines and lanes go by what their accounts and senders are now."""
        async with self._db.connection() as conn:
            accounts = await carrier_accounts.list_open(conn, self._lines.account_ids)
            found = await senders.list_lanes(conn, list(self._lane_of))
        self._lines.renew(accounts, group)
        for sender in found:
            await self._renew_lane(sender)

    async def _renew_lane(self, sender: senders.Sender) -> None:
        """Have a lane go by what its sender is now: its limits at once, another account as soon as it is open."""
        lane = self._lane_of.get(sender.sender_id)
        if lane is None or lane.sender == sender:
            return
        line = lane.line
        if sender.account_id != line.account.account_id:
            async with self._db.connection() as conn:
                account = await carrier_accounts.get(conn, sender.app_id, sender.account_id)
            try:
                line = await self._lines.of(account)
            except HeliographError as error:
                log.error("carrier_not_opened account=%s error=%s", account.public_id, error)  # noqa: TRY400  # its sentence says it all
                return
        lane.renew(sender, line)

    # ------------------------------------------------------------ tasks

    async def _plan(self, session: Session, run: runs.Run) -> None:
        """Plan a run to its end, if no other worker does."""
        loop = asyncio.get_running_loop()
        try:
            async with session.use() as conn:
                if not await locks.take(conn, locks.Kind.PLAN, run.run_id):
                    return
            limit = plan.FIRST_PAGE
            while True:
                async with self._db.connection() as conn:
                    run = await runs.get(conn, run.app_id, run.run_id)
                if run.planned_at is not None or run.ended_at is not None:
                    break
                began = loop.time()
                if not await plan.plan_page(self._db, run, now=self._clock(), limit=limit):
                    break
                limit, rest = await plan.pace(self._db, run, took=loop.time() - began)
                await self._pause(rest)
            async with session.use() as conn:
                await locks.release(conn, locks.Kind.PLAN, run.run_id)
        except HeliographError as error:
            if isinstance(error, StoreUnavailable):
                raise
            log.exception("plan_fault run=%s", run.public_id)
            await self._pause(AFTER_FAULT)
            async with session.use() as conn:
                await locks.release(conn, locks.Kind.PLAN, run.run_id)
        finally:
            self._planning.pop(run.run_id, None)
            self._bell.ring()

    async def _listen(self) -> None:
        """Pass on what other processes ring."""
        apart = {
            store_bell.CALLS: self._calls,
            store_bell.REPLIES: self._replies,
            store_bell.SERVICES: self._services,
            store_bell.WEBHOOKS: self._webhooks,
        }
        conn = await self._db.connect()
        async with conn:
            async for topic in store_bell.hear(conn):
                apart.get(topic, self._bell).ring()

    async def _record(self, session: Session) -> None:
        """Write outcomes in small groups as they come."""
        while True:
            await asyncio.sleep(WRITE)
            if self._recorder.pending:
                await self._recorder.flush(session)

    async def _hear(self) -> None:
        """Apply receipts in bulk as they come; match the early ones."""
        looked = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HEAR)
            await self._hearing.flush(self._db)
            if loop.time() - looked > LOOK:
                looked = loop.time()
                await receipts_actions.match_parked(self._db, now=self._clock())

    async def _keep_replies(self) -> None:
        """Keep what people write as soon as it comes: they wait for an answer."""
        while True:
            await self._hearing.wrote.wait()
            await asyncio.sleep(COLLECT)
            await self._hearing.flush_replies(self._db)

    async def _purge(self, session: Session) -> None:
        """Clear up after deleted campaigns, and keep to how long apps keep things; one worker at a time."""
        retention = Retention(self._db, self._clock)
        while True:
            async with session.use() as conn:
                mine = await locks.take(conn, locks.Kind.PURGE, 0)
            if mine:
                await purge.purge(self._db, self._clock)
                await retention.sweep()
                async with self._db.connection() as conn:
                    await receipts.discard(conn, before=self._clock() - timedelta(days=PARKED_DAYS))
                    await message_parts.discard(conn, before=self._clock() - timedelta(days=PARKED_DAYS))
                    await reply_parts.discard(conn, before=self._clock() - timedelta(days=PARKED_DAYS))
                    await lines.forget_old(conn, before=self._clock() - timedelta(days=1))
                    await carrier_counts.forget(conn, before=self._clock() - timedelta(hours=3))
                async with session.use() as conn:
                    await locks.release(conn, locks.Kind.PURGE, 0)
            await asyncio.sleep(PURGE)


async def _keep(session: Session) -> None:
    """Keep the session: PostgreSQL ends one that says nothing, as that of a frozen worker does."""
    while True:
        await session.touch()
        await asyncio.sleep(session_store.TOUCH / 2)


def _by_sender(
    active: Sequence[runs.Run], left: Sequence[chunks.Unsettled], panicking: set[tuple[int, int | None]]
) -> dict[tuple[int, int], list[runs.Run]]:
    """The runs of each ``(app, sender)``; none for one that only has people of a dead worker's to be settled.

    Nor for those that the panic button holds: their claims would fail, this only spares them.
    """
    found: dict[tuple[int, int], list[runs.Run]] = defaultdict(list)
    for run in active:
        for sender_id in run.sender_ids:
            if panicking and not panicking.isdisjoint({(run.app_id, None), (run.app_id, sender_id)}):
                continue
            found[run.app_id, sender_id].append(run)
    for unsettled in left:
        found[unsettled.app_id, unsettled.sender_id] += []
    return found
