"""Checking everything that a person would, when something seems wrong: `heliograph doctor`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from heliograph.actions.seal import KEY_FILE
from heliograph.errors import BadSetting
from heliograph.rules import wording
from heliograph.store import checkups, locks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from heliograph.actions.seal import Seal
    from heliograph.config import Clock, Settings
    from heliograph.store.checkups import Run, Server, State
    from heliograph.store.database import Conn, Database

LATELY = timedelta(days=7)  # runs that ended so lately are recounted too
FRESH = timedelta(seconds=15)  # what a worker last said of a line: it says so again every few seconds
OLDEST_SERVER = 160000
SKEW_WARN, SKEW_FAULT = 1.0, 30.0  # seconds
FULL = 0.9  # of connections, or of the disk
LEAST_FREE = 1 << 30  # bytes
OLD_RECEIPT = timedelta(hours=1)
NAMED = 5


class Verdict(StrEnum):
    """How a check ended."""

    OK = "OK"
    WARN = "WARN"
    FAULT = "FAULT"


OK, WARN, FAULT = Verdict.OK, Verdict.WARN, Verdict.FAULT


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: how it is, and what to do about it, if anything."""

    name: str
    state: Verdict
    words: str
    do: str = ""


async def look(
    db: Database, seal: Seal, settings: Settings, clock: Clock, *, every: bool = False, repair: bool = False
) -> list[Check]:
    """Look at everything. ``every``: recount every run there ever was. ``repair``: put wrong tallies right."""
    async with db.connection() as conn:
        server = await checkups.server(conn)
        skew = await _skew(conn, clock)
        now = clock()
        state = await checkups.state(conn, lane=locks.Kind.LANE, gate=locks.Kind.GATE, fresh=now - FRESH)
        runs = await checkups.list_runs(conn, since=now - LATELY, every=every)
        accounts = await checkups.list_troubled(conn, fresh=now - FRESH)
        sealed = await checkups.list_sealed(conn)
    numbers = await _numbers(db, runs, repair=repair)
    return [
        *numbers,
        *_server(server),
        _disk(settings, server),
        _clocks(skew),
        *_work(state),
        _accounts(accounts),
        _receipts(state, now),
        _unknown(state),
        _folder(settings.data),
        _secrets(seal, sealed),
    ]


# ---------------------------------------------------------------- numbers


async def _numbers(db: Database, runs: Sequence[Run], *, repair: bool) -> list[Check]:
    """Every run's tally against its rows, its chunks against theirs, and people whom no chunk has."""
    wrong: list[str] = []
    lost: list[str] = []
    chunks: list[str] = []
    for run in runs:
        async with db.connection() as conn:
            count = await checkups.recount(conn, run.app_id, run.run_id)
            if count.wrong:
                wrong.append(f"{run.public_id} of {run.campaign_name} ({_differences(count.wrong)})")
            if count.nowhere:
                lost.append(f"{wording.people(count.nowhere)} of {run.public_id} of {run.campaign_name}")
            bad = await checkups.count_wrong_chunks(conn, run.app_id, run.run_id)
            if bad:
                chunks.append(f"{bad} of {run.public_id} of {run.campaign_name}")
        if count.wrong and repair:
            async with db.transaction() as conn:
                await checkups.repair(conn, run.app_id, run.run_id)
    looked = wording.counted(len(runs), "run")
    return [
        _tallies(looked, wrong, repaired=repair),
        Check(
            "chunks", FAULT, f"wrong counts in {_some(chunks)}", "Report it: those people are not settled by themselves"
        )
        if chunks
        else Check("chunks", OK, f"{looked}: who is in hand is counted right"),
        Check(
            "places", FAULT, f"nobody will text {_some(lost)}: no chunk has them", "Report it; stop and retry the run"
        )
        if lost
        else Check("places", OK, f"{looked}: everybody who waits has a place in a chunk"),
    ]


def _tallies(looked: str, wrong: list[str], *, repaired: bool) -> Check:
    if not wrong:
        return Check("tallies", OK, f"{looked} recounted: what is kept equals the rows")
    if repaired:
        return Check("tallies", WARN, f"put right: {_some(wrong)}", "Report it, with what happened before")
    return Check("tallies", FAULT, f"differ from the rows: {_some(wrong)}", "heliograph doctor --repair, and report it")


def _differences(wrong: dict[str, int]) -> str:
    return ", ".join(f"{name} {missing:+}" for name, missing in wrong.items())


# ---------------------------------------------------------------- the server


def _server(server: Server) -> list[Check]:
    settings = {"fsync": server.fsync, "full_page_writes": server.full_page_writes, "autovacuum": server.autovacuum}
    off = [name for name, value in settings.items() if value != "on"]
    if server.synchronous_commit in ("off", "local"):
        off.append(f"synchronous_commit ({server.synchronous_commit})")
    unsafe = f"{', '.join(off)} not on: a power cut may text people twice"
    used = server.connections / server.most_connections
    room = f"{server.connections} of {server.most_connections} connections used"
    return [
        Check("PostgreSQL", OK, f"version {server.version}")
        if server.number >= OLDEST_SERVER
        else Check("PostgreSQL", FAULT, f"version {server.version}", "Upgrade to 16 or newer"),
        Check("durability", FAULT, unsafe, "Switch it on in postgresql.conf, for this database and its role too")
        if off
        else Check("durability", OK, "fsync, full_page_writes, synchronous_commit and autovacuum are on"),
        Check("connections", OK, room)
        if used < FULL
        else Check("connections", WARN, room, "Raise max_connections, or run fewer workers and servers"),
    ]


def _disk(settings: Settings, server: Server) -> Check:
    size = f"the database has {server.bytes / 1e9:.2f} GB"
    if settings.database_url is not None:
        return Check("disk", OK, f"{size}; look after the room on its server yourself")
    usage = shutil.disk_usage(settings.data)
    words = f"{size}; {usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB are free"
    if usage.free < LEAST_FREE or usage.used / usage.total > FULL:
        return Check("disk", WARN, words, "Make room: a full disk stops everything until there is some")
    return Check("disk", OK, words)


async def _skew(conn: Conn, clock: Clock) -> float:
    """Seconds by which the server's clock is ahead of ours, as exactly as one question tells."""
    before = clock()
    theirs = await checkups.clock(conn)
    after = clock()
    return (theirs - (before + (after - before) / 2)).total_seconds()


def _clocks(skew: float) -> Check:
    words = f"PostgreSQL's clock differs from this machine's by {abs(skew):.3f} s"
    if abs(skew) < SKEW_WARN:
        return Check("clocks", OK, words)
    do = "Keep both by NTP: calling hours and rates go by them"
    return Check("clocks", FAULT if abs(skew) >= SKEW_FAULT else WARN, words, do)


# ---------------------------------------------------------------- work


def _work(state: State) -> list[Check]:
    workers = max(state.lane_holders, state.line_workers)
    found = f"{wording.counted(workers, 'worker')} at work, {wording.counted(state.active, 'campaign')} under way"
    checks = [
        Check("workers", WARN, found, "Start one: heliograph work")
        if state.active and not workers
        else Check("workers", OK, found)
    ]
    if state.left_in_hand:
        words = f"{wording.counted(state.left_in_hand, 'sender')} with people in flight and no worker"
        checks.append(
            Check("lanes", WARN, words, "Start a worker: it settles them as unknown, and asks their carriers")
        )
    else:
        checks.append(Check("lanes", OK, "nobody was left in flight by a worker that is gone"))
    if state.stuck_gates:
        words = f"{wording.counted(state.stuck_gates, 'gate')} held by a worker that has said nothing for half a minute"
        checks.append(Check("gates", FAULT, words, "A worker is frozen: stops of its campaigns fail. End that process"))
    else:
        checks.append(Check("gates", OK, "none is held by a worker that has fallen silent"))
    if state.panics:
        words = f"pressed {wording.counted(state.panics, 'time')} and not released: nothing leaves there"
        checks.append(Check("panic", WARN, words, "heliograph panic --release, once it is over"))
    if state.sticky_to_nobody:
        words = f"{wording.people(state.sticky_to_nobody)} kept to a sender that is gone"
        checks.append(Check("pools", OK, f"{words}; they get another with their next text"))
    return checks


def _accounts(accounts: Sequence[checkups.Account]) -> Check:
    if not accounts:
        return Check("carriers", OK, "no account is paused, and no line is known to be down")
    told = [
        f"{one.name} is paused ({one.paused_reason})"
        if one.paused_at is not None
        else f"{one.name} is down since {one.down_since:%Y-%m-%d %H:%M} UTC ({one.words})"
        for one in accounts
    ]
    return Check("carriers", WARN, _some(told), "Look at its settings and its carrier; resume it once they are right")


def _receipts(state: State, now: datetime) -> Check:
    if not state.parked or state.parked_since is None:
        return Check("receipts", OK, "none waits for its message")
    since = f"{state.parked_since:%Y-%m-%d %H:%M} UTC"
    words = f"{wording.counted(state.parked, 'receipt')} of messages that are not known, since {since}"
    if now - state.parked_since < OLD_RECEIPT:
        return Check("receipts", OK, words)
    return Check("receipts", WARN, words, "Does another system use this carrier account? They go after a week")


def _unknown(state: State) -> Check:
    if not state.unknown:
        return Check("unknown", OK, "the fate of every message is known")
    words = f"the fate of {wording.counted(state.unknown, 'message')} is unknown"
    return Check("unknown", WARN, words, "heliograph unknown list, then ask, wait, accept or resend")


# ---------------------------------------------------------------- the machine


def _folder(data: Path) -> Check:
    """Numbers, texts and the key are their owner's to read."""
    if not data.exists():
        return Check("data folder", OK, f"{data} is not there yet")
    open_ = [path.name for path in (data / KEY_FILE, data / "sandbox" / "transcript.jsonl") if _is_open(path)]
    if open_:
        do = f"chmod 600 {' '.join(open_)} in {data}"
        return Check("data folder", FAULT, f"others may read {', '.join(open_)} in {data}", do)
    return Check("data folder", OK, f"what is secret in {data} is its owner's alone")


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o077)


def _secrets(seal: Seal, sealed: Sequence[tuple[str, str, bytes]]) -> Check:
    shut: list[str] = []
    for what, owner, text in sealed:
        try:
            seal.open(text, owner=owner)
        except BadSetting:
            shut.append(what)
    if shut:
        do = "Give this installation the key it had before, or replace these secrets"
        return Check("secrets", FAULT, f"cannot be opened with this key: {_some(shut)}", do)
    return Check("secrets", OK, f"{wording.counted(len(sealed), 'secret')} can be opened")


def _some(told: Sequence[str]) -> str:
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
