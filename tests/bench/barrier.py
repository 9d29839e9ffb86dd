"""The barrier, over and over: pause, panic, stop and delete, with fast carriers and slow ones, one worker and two."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import time
from bisect import bisect_right
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import campaigns, panics, pools, runs
from heliograph.store import campaigns as campaign_rows
from heliograph.store import locks, senders
from heliograph.store import pools as pool_rows
from tests.bench import processes
from tests.bench import rig as rigs
from tests.bench.report import Section

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

    _Act = Callable[[], Awaitable[object]]

TITLE = "The barrier, over and over"
ABOUT = """\
`heliograph work`, once and twice, on {people:,} people through a pool of four senders, with the sandbox answering at
once and after two seconds. While all of it is sent at full speed it is **paused** and resumed, the **panic button** is
pressed and released, and small campaigns are **stopped** and **deleted**, each at a random moment. A *violation* is a
text whose own time in the sandbox's transcript is later than the answer and earlier than the next resume or release (of
a stopped or deleted campaign: any later one).

Then a worker is **frozen** (SIGSTOP) at a random moment while it sends, its campaign is deleted, and it is woken up.
And the worker that has all lanes is killed, or frozen, while another one stands by: how long until the next text?
"""
POOL = "Barrier"
PACED = "UPDATE sender SET parts_per_second = %(rate)s WHERE address <> '*'"
LANE_PIDS = "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %(kind)s AND granted"
WHO, TAKEOVER, FROZEN = "cs-bench", "Takeover", "Deleted while a worker is frozen"
IN_A_GATE = 500.0  # milliseconds: an answer that took longer had to wait for PostgreSQL to end the session


@dataclass(slots=True)
class Quiet:
    """A time in which nothing of ``campaign`` (None: of anybody) may leave: unix seconds."""

    what: str
    campaign: str | None
    begins: float
    ends: float
    took: float = 0.0  # milliseconds until the answer


@dataclass(slots=True)
class _Trials:
    quiet: list[Quiet] = field(default_factory=list[Quiet])

    async def of(self, what: str, campaign: Campaign | None, act: Awaitable[object]) -> Quiet:
        began = time.perf_counter()
        await act
        trial = Quiet(what, None if campaign is None else campaign.public_id, time.time(), float("inf"))
        trial.took = (time.perf_counter() - began) * 1000
        self.quiet.append(trial)
        return trial

    def violations(self, rig: Rig) -> list[str]:
        """Each text that left when nothing was to leave."""
        times: dict[str | None, list[float]] = {None: []}
        path = rig.settings.transcript
        for line in path.read_text().splitlines() if path.exists() else []:
            text = json.loads(line)
            times.setdefault(text["campaignId"], []).append(text["at"])
            times[None].append(text["at"])
        for each in times.values():
            each.sort()
        found: list[str] = []
        for trial in self.quiet:
            of = times.get(trial.campaign, [])
            after = bisect_right(of, trial.begins)
            if after < len(of) and of[after] < trial.ends:
                found.append(f"{trial.what}: a text {of[after] - trial.begins:.4f} s after the answer")
        return found


async def measure(rig: Rig) -> Section:
    scale = rig.scale
    section = Section("barrier", TITLE, ABOUT.format(people=scale.people))
    large, small = await rig.add_list(scale.people), await rig.add_list(scale.few * 2)
    await pool(rig)
    every = min(scale.trials, 90)
    whole = every >= 50  # a quick one tries what differs most
    kinds = itertools.product(([5, 35], [2000, 2000]), (1, 2)) if whole else [([5, 35], 1), ([2000, 2000], 2)]
    total, wrong = 0, 0
    for latency, workers in kinds:
        trials = _Trials()
        rig.clear_transcript()
        await rig.behave(latency_ms=latency)
        with ExitStack() as stack:
            for n in range(workers):
                stack.enter_context(processes.doomed(rig.settings.data, n))
            holders = await _trials(rig, trials, large, small, every)
        broken = trials.violations(rig)
        section.faults += broken
        total, wrong = total + len(trials.quiet), wrong + len(broken)
        name = f"{workers} worker{'s' * (workers > 1)}, answers after {latency[1]} ms"
        section.add("trials", len(trials.quiet), "", group=name)
        section.add("workers that had lanes", holders, "", group=name)
        section.add("violations", len(broken), "", group=name)
        for what in ("pause", "panic", "stop", "delete"):
            took = sorted(each.took for each in trials.quiet if each.what == what)
            section.add(f"{what}, p50", median(took), "ms", group=name)
            section.add(f"{what}, longest", took[-1], "ms", group=name)
    section.headlines.append(f"The barrier: **{wrong} violations** in {total:,} trials.")
    await rig.behave(latency_ms=[5, 35])
    await _frozen(rig, section, large, 20 if whole else 1)
    for how in (signal.SIGKILL, signal.SIGSTOP) if whole else ():
        await _takeover(rig, section, large, how, 5)
    return section


async def pool(rig: Rig) -> None:
    """Four senders without a rate, under one name, if they are not there yet."""
    now = config.utc_now()
    async with rig.db.connection() as conn:
        there = {sender.address for sender in await senders.list_all(conn, rig.app.app_id)}
        for n in range(4):
            if f"+120255501{n + 60}" not in there:
                account_id = await rig.account_id()
                await senders.add(conn, rig.app.app_id, address=f"+120255501{n + 60}", account_id=account_id, now=now)
        if POOL in [each.name for each in await pool_rows.list_all(conn, rig.app.app_id)]:
            return
    members = [{"sender": f"+120255501{n + 60}"} for n in range(4)]
    await pools.create(rig.db, rig.app, {"name": POOL, "senders": members}, now=now)


async def _play(rig: Rig, list_name: str) -> Campaign:
    body = rig.draft(list_name, rigs.PLAIN)
    body["dialingStrategy"]["callerId"] = {"phoneNumber": f"pool:{POOL}"}
    return await rig.play(await campaigns.create(rig.db, rig.app, body, now=config.utc_now()))


async def _trials(rig: Rig, trials: _Trials, large: str, small: str, every: int) -> int:
    """So many of each verb; how many workers had lanes."""
    moments, holders = random.Random(every), 0
    playing = await _play(rig, large)
    for n in range(every):
        if await _status(rig, playing) != "Active":
            playing = await _play(rig, large)
        await asyncio.sleep(moments.uniform(0, 0.06))
        for what, hold, let_go in (_pausing(rig, playing), _panicking(rig)):
            with suppress(Exception):  # it has just completed: the next one begins another
                trial = await trials.of(what, playing if what == "pause" else None, hold())
                await asyncio.sleep(moments.uniform(0.01, 0.05))
                trial.ends = time.time()
                await let_go()
            await asyncio.sleep(moments.uniform(0, 0.03))
        if n % 2 == 0:
            holders = max(holders, len(await _holders(rig)))
            for what, verb in (("stop", runs.stop), ("delete", runs.delete)):
                target = await _play(rig, small)
                await asyncio.sleep(moments.uniform(0, 0.25))
                with suppress(Exception):
                    await trials.of(what, target, verb(rig.db, rig.app, target.public_id, now=config.utc_now()))
    await runs.delete(rig.db, rig.app, playing.public_id, now=config.utc_now())
    await asyncio.sleep(0.5)
    return holders


def _pausing(rig: Rig, playing: Campaign) -> tuple[str, _Act, _Act]:
    def act(verb: Callable[..., Awaitable[object]]) -> _Act:
        return lambda: verb(rig.db, rig.app, playing.public_id, now=config.utc_now())

    return "pause", act(runs.pause), act(runs.resume)


def _panicking(rig: Rig) -> tuple[str, _Act, _Act]:
    return (
        "panic",
        lambda: panics.press(rig.db, rig.app, None, {}, who=WHO, now=config.utc_now()),
        lambda: panics.release(rig.db, rig.app, None, who=WHO, now=config.utc_now()),
    )


async def _status(rig: Rig, campaign: Campaign) -> str:
    async with rig.db.connection() as conn:
        return (await campaign_rows.get(conn, rig.app.app_id, campaign.public_id)).status.value


async def _holders(rig: Rig) -> list[int]:
    """The backends of workers that have lanes."""
    async with rig.db.connection() as conn:
        found = await conn.execute(LANE_PIDS, {"kind": locks.Kind.LANE})
        return [int(row[0]) for row in await found.fetchall()]


async def _frozen(rig: Rig, section: Section, large: str, count: int) -> None:
    """Delete a campaign whose worker stands still, and wake it."""
    trials, moments = _Trials(), random.Random(8)
    rig.clear_transcript()
    for _ in range(count):
        with processes.doomed(rig.settings.data, 0) as pid:
            playing = await _play(rig, large)
            await _grows(rig)
            await asyncio.sleep(moments.uniform(0, 0.4))
            os.kill(pid, signal.SIGSTOP)
            await trials.of("frozen", playing, runs.delete(rig.db, rig.app, playing.public_id, now=config.utc_now()))
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.5)
    broken = trials.violations(rig)
    section.faults += broken
    took = sorted(each.took for each in trials.quiet)
    section.add("trials", len(took), "", group=FROZEN)
    section.add("of those, frozen inside a gate", sum(each > IN_A_GATE for each in took), "", group=FROZEN)
    section.add("violations", len(broken), "", group=FROZEN)
    section.add("until the answer, longest", took[-1] / 1000, "s", group=FROZEN)


async def _takeover(rig: Rig, section: Section, large: str, how: signal.Signals, count: int) -> None:
    """How long nothing leaves when the worker that sends is killed, or frozen, and another one stands by."""
    waits: list[float] = []
    await rig.execute(PACED, {"rate": 100.0})  # so that there is work for as long as it takes
    for _ in range(count):
        with processes.doomed(rig.settings.data, 0) as first:
            playing = await _play(rig, large)
            await _grows(rig)
            with processes.doomed(rig.settings.data, 1):
                os.kill(first, how)
                began = time.monotonic()
                await _grows(rig)
                waits.append(time.monotonic() - began)
                await runs.delete(rig.db, rig.app, playing.public_id, now=config.utc_now())
                os.kill(first, signal.SIGCONT)
    await rig.execute(PACED, {"rate": None})
    what = "killed" if how is signal.SIGKILL else "frozen"
    section.add(f"the worker that sends is {what}: until the next text, median", median(waits), "s", group=TAKEOVER)
    section.add(f"longest of {len(waits)}", max(waits), "s", group=TAKEOVER)


async def _grows(rig: Rig) -> None:
    """Wait until one more text leaves."""
    path = rig.settings.transcript
    size = path.stat().st_size if path.exists() else 0
    async with asyncio.timeout(rig.scale.patience):
        while not path.exists() or path.stat().st_size <= size:
            await asyncio.sleep(0.002)
