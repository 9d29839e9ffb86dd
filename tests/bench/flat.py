"""What does not grow with the campaign: pages of PostgreSQL that each step touches, in tables small and large."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString

from heliograph import config
from heliograph.actions import receipts as receipt_actions
from heliograph.actions import runs
from heliograph.store import chunks, messages, outcomes, overview, receipts, tallies
from heliograph.store import runs as run_rows
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from psycopg.errors import Diagnostic

    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn, Database
    from tests.bench.rig import Rig

TITLE = "Flat cost"
ABOUT = """\
Tables with a run of {least:,} people, then with one of {most:,} beside it: half of it sent, half waiting, in chunks of
500. Every step below is the engine's or the API's own function, its every statement watched by PostgreSQL's
`auto_explain`. Counted are the **pages** (8 kB) that they touch, in memory or not: the same on every machine. Each step
is done eight times (a statement that is prepared by then has the plan it will keep), once with statistics that are
older than the run, which is how runs begin, and once with new ones; the worst counts. *ms* is what the statements of
the median took, without commit.

The floor of each is the same step in the small run: 1x is flat. A page or two more are the greater depth of the
indexes.
"""
CHUNK = 500
ROUNDS = 8
AT_ONCE = 100
HELD = "count, while all who wait are held"
WATCH: tuple[LiteralString, ...] = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = 'json'",
    "SET auto_explain.log_level = 'notice'",
    "SET auto_explain.log_parameter_max_length = 0",
)
FILL: tuple[LiteralString, ...] = (
    """INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts)
       SELECT %(app_id)s, %(run_id)s, n, 1, n, '+999' || lpad(n::text, 9, '0'), 'Hello, your order is on its way.', 1
       FROM generate_series(1, %(people)s::int) AS n""",
    """INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq, done)
       SELECT %(app_id)s, %(run_id)s, n, %(sender_id)s, 'UTC', %(now)s, (n - 1) * 500 + 1, n * 500,
              CASE WHEN n <= %(sent)s THEN n * 500 ELSE (n - 1) * 500 END + 1, n <= %(sent)s
       FROM generate_series(1, %(chunks)s::int) AS n""",
    """INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, submitted_at, settled_at)
       SELECT %(app_id)s, %(run_id)s, n, 'accepted', %(account_id)s, %(run_id)s || '-' || n, %(now)s, %(now)s
       FROM generate_series(1, %(sent)s::int * 500) AS n""",
    """INSERT INTO run_page (app_id, run_id, before, first_seq)
       SELECT %(app_id)s, %(run_id)s, n * 5000, n * 5000 + 1
       FROM generate_series(0, (%(people)s::int - 1) / 5000) AS n""",
    """UPDATE tally SET total = CASE WHEN sender_id = 0 THEN %(people)s ELSE 0 END,
                        waiting = CASE WHEN sender_id = 0 THEN %(people)s ELSE -%(sent)s * 500 END,
                        accepted = CASE WHEN sender_id = 0 THEN 0 ELSE %(sent)s * 500 END
       WHERE app_id = %(app_id)s AND run_id = %(run_id)s""",
    """UPDATE run SET planned_at = %(now)s, last_seq = %(people)s, last_chunk = %(chunks)s
       WHERE app_id = %(app_id)s AND run_id = %(run_id)s""",
)


@dataclass(frozen=True, slots=True)
class _Cost:
    pages: int
    ms: float


class _Meter:
    """Adds up what every statement of a connection cost."""

    def __init__(self, conn: Conn) -> None:
        self._conn = conn
        self.pages, self.ms = 0, 0.0

    async def watch(self) -> None:
        for statement in WATCH:
            await self._conn.execute(statement)
        self._conn.add_notice_handler(self._note)

    def _note(self, said: Diagnostic) -> None:
        head, _, plan = (said.message_primary or "").partition("plan:\n")
        if plan:
            shown = json.loads(plan)["Plan"]
            self.pages += shown["Shared Hit Blocks"] + shown["Shared Read Blocks"]
            self.ms += float(head.split()[1])


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that was filled, and what of it comes next."""

    campaign: Campaign
    app_id: int
    run_id: int
    people: int
    sent: int  # the first of them, in whole chunks
    sender_id: int
    account_id: int


async def measure(rig: Rig) -> Section:
    """In an installation of its own: nobody is to send to these people."""
    async with rigs.rig(rig.scale, rig.settings.data.parent.parent) as own:
        return await _measure(own)


async def _measure(rig: Rig) -> Section:
    sizes = rig.scale.rows
    section = Section("flat", TITLE, ABOUT.format(least=sizes[0], most=sizes[-1]))
    found: dict[str, list[_Cost]] = defaultdict(list)
    few = await rig.add_list(10)
    for people in sizes:
        await rig.execute("ANALYZE")
        run = await fill(rig, few, people, sent=people // CHUNK // 2 * CHUNK)
        costs = [await _costs(rig, run)]
        await rig.execute("VACUUM ANALYZE message, outcome, chunk, tally, run, run_page")
        costs.append(await _costs(rig, run))
        for name in costs[0]:
            found[name].append(max((cost[name] for cost in costs), key=lambda cost: cost.pages))
    worst = 0.0
    for name, (least, *more) in found.items():
        for people, cost in zip(sizes[1:], more, strict=True):
            floor = Floor(least.pages, f"{sizes[0]:,}: {least.ms:.2f} ms")
            section.add(f"{name}: {cost.ms:.2f} ms", cost.pages, "pages", floor, group=f"of {people:,}")
            if name != HELD:
                worst = max(worst, cost.pages / max(10, least.pages))
    section.headlines.append(
        f"From {sizes[0]:,} to {sizes[-1]:,} people in a run, no step of sending, stopping or looking at it touches "
        f"more than **{times(worst)}** the pages; only counting those who are held reads their chunks."
    )
    return section


async def fill(rig: Rig, few: str, people: int, *, sent: int) -> _Run:
    """A run of so many people, of whom the first ``sent`` are sent to. ``few``: a short list, for the campaign."""
    campaign = await rig.play(await rig.create(few, rigs.PLAIN))
    async with rig.db.connection() as conn:
        row = await run_rows.get(conn, rig.app.app_id, campaign.run_id or 0)
    run = _Run(campaign, rig.app.app_id, row.run_id, people, sent, row.sender_ids[0], await rig.account_id())
    values: dict[str, object] = {
        "app_id": run.app_id, "run_id": run.run_id, "sender_id": run.sender_id, "account_id": run.account_id,
        "people": people, "chunks": people // CHUNK, "sent": run.sent // CHUNK,
        "now": config.utc_now() - timedelta(minutes=1),
    }  # fmt: skip
    for statement in FILL:
        await rig.execute(statement, values)
    return run


async def _costs(rig: Rig, run: _Run) -> dict[str, _Cost]:
    """The worst of each step."""
    found: dict[str, _Cost] = {}
    async with _watched(rig) as (conn, meter):
        for name, step in _steps(rig, run, config.utc_now()).items():
            rounds: list[_Cost] = []
            for _ in range(ROUNDS):
                async with conn.transaction(force_rollback=True):
                    meter.pages, meter.ms = 0, 0.0
                    await step(conn, rig.db.inside(conn))
                    await conn.execute("SELECT")  # a statement is told of when the next one begins
                    rounds.append(_Cost(meter.pages, meter.ms))
            found[name] = _Cost(max(each.pages for each in rounds), sorted(each.ms for each in rounds)[ROUNDS // 2])
    return found


@asynccontextmanager
async def _watched(rig: Rig) -> AsyncIterator[tuple[Conn, _Meter]]:
    conn = await rig.db.connect()
    async with conn:
        meter = _Meter(conn)
        await meter.watch()
        yield conn, meter


def _steps(rig: Rig, run: _Run, now: datetime) -> dict[str, Callable[[Conn, Database], Awaitable[object]]]:
    app_id, run_id, campaign = run.app_id, run.run_id, run.campaign.public_id
    following = run.sent // CHUNK + 1
    chunk = chunks.Chunk(app_id, run_id, following, "UTC", "", now, run.sent + CHUNK, run.sent + 1, 0)
    day = chunks.Day(now.date(), AT_ONCE, None)
    accepted = [
        outcomes.NewOutcome(
            app_id, run_id, run.sent + n, following, "accepted", None, run.account_id, f"{run_id}-{run.sent + n}", now
        )
        for n in range(1, AT_ONCE + 1)
    ]
    delivered = [receipts.NewReceipt(f"{run_id}-{n}", "delivered", "", now) for n in range(1, AT_ONCE + 1)]
    return {
        "look for whoever is next": lambda conn, _: chunks.find_due(conn, app_id, run.sender_id, run_id, now),
        f"read {CHUNK} people": lambda conn, _: messages.read_places(
            conn, app_id, run_id, first=run.sent + 1, last=run.sent + CHUNK
        ),
        f"claim {AT_ONCE}": lambda conn, _: chunks.claim(
            conn, chunk, day, campaign_id=run.campaign.campaign_id, main_id=chunk.run_id, sender_id=run.sender_id,
            next_seq=run.sent + 1, gaps=0, upto=run.sent + 1 + AT_ONCE, people=AT_ONCE,
        ),
        f"record {AT_ONCE} outcomes": lambda conn, _: outcomes.record(conn, accepted, sender_id=run.sender_id, now=now),
        f"apply {AT_ONCE} receipts": lambda _, db: receipt_actions.record(
            db, app_id, run.account_id, delivered, now=now
        ),
        "what a sender has in hand": lambda conn, _: chunks.list_unsettled(conn, app_id, run.sender_id),
        "stop": lambda _, db: runs.stop(db, rig.app, campaign, now=now),
        "delete": lambda _, db: runs.delete(db, rig.app, campaign, now=now),
        "count": lambda conn, _: tallies.read(conn, app_id, run_id, now),
        HELD: lambda conn, _: tallies.read(conn, app_id, run_id, now - timedelta(days=1)),
        "its page on the console": lambda conn, _: overview.get(conn, app_id, campaign, now=now),
        "a line of the list of campaigns": lambda conn, _: overview.page(
            conn, app_id=app_id, status=None, offset=0, limit=1, now=now
        ),
        "the first 100 people": lambda conn, _: messages.page(conn, app_id, run_id, offset=0, limit=100),
        "the last 100 people": lambda conn, _: messages.page(conn, app_id, run_id, offset=run.people - 100, limit=100),
    }  # fmt: skip
