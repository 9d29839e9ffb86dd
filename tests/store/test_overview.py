from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import access
from heliograph.actions.seal import Seal
from heliograph.errors import NotFound
from heliograph.rules.campaign import CampaignStatus
from heliograph.rules.why import Wait
from heliograph.store import locks, overview, tallies

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

# Sixty campaigns with a run each, on one sender; 400 chunks a run, every second one due later.
FILL = """
WITH k AS (
    INSERT INTO campaign (app_id, public_id, name, lname, status, priority, format, caller_id, dialing, schedule,
                          created_at, updated_at)
    SELECT %(app_id)s, 'cd-' || n, 'c' || n, 'c' || n, 'Active', 5, 'simple', '+14155550199', '{}', '{}', %(now)s,
           %(now)s
    FROM generate_series(1, 60) n RETURNING campaign_id, app_id
), r AS (
    INSERT INTO run (app_id, public_id, campaign_id, sender_id, caller_id, template, missing, calling_hours, list_ids,
                     dnc_list_ids, audience, started_at, planned_at)
    SELECT k.app_id, 'cid-' || k.campaign_id, k.campaign_id, s.sender_id, '+14155550199', '', '{}', '{}', '{}', '{}',
           4000, %(now)s, %(now)s
    FROM k JOIN sender s USING (app_id) RETURNING app_id, run_id, sender_id
), t AS (
    INSERT INTO tally (app_id, run_id, sender_id, total, waiting)
    SELECT app_id, run_id, x, 2000, 2000 FROM r, LATERAL (VALUES (0), (sender_id)) s (x)
)
INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq)
SELECT app_id, run_id, n, sender_id, 'Asia/Kolkata', %(now)s::timestamptz + interval '1 hour' * (n %% 2), 10 * n - 9,
       10 * n, 10 * n - 9
FROM r, generate_series(1, 400) n
"""

LINK = "UPDATE campaign c SET run_id = r.run_id FROM run r WHERE r.campaign_id = c.campaign_id"


async def filled(db: Database, now: datetime) -> App:
    app = (await access.create_app(db, Seal(bytes(32)), name="Filled", now=now)).app
    async with db.connection() as conn:
        await conn.execute(FILL, {"app_id": app.app_id, "now": now})
        await conn.execute(LINK)
        await conn.execute("ANALYZE")
    return app


async def plan_of(conn: Conn, **values: object) -> str:
    return "\n".join(str(row[0]) for row in await (await conn.execute("EXPLAIN " + overview.PAGE, values)).fetchall())


async def test_numbers_are_those_of_each_runs_ledger_and_cost_no_look_at_messages(
    db: Database, clock: FrozenClock
) -> None:
    app = await filled(db, clock())
    async with db.connection() as conn:
        page = await overview.page(conn, app_id=app.app_id, status=None, offset=0, limit=50, now=clock())
        assert len(page) == 50
        for standing in page[:3]:
            assert standing.run_id is not None
            assert standing.ledger == await tallies.read(conn, app.app_id, standing.run_id, clock())
            assert (standing.ledger.total, standing.ledger.held, standing.ledger.ready) == (4000, 2000, 2000)
            hour = clock() + timedelta(hours=1)
            assert standing.waits == (Wait("Asia/Kolkata", hour, 2000),)
        values = {"app_id": None, "status": None, "limit": 50, "offset": 0, **overview.moment(clock())}
        plan = await plan_of(conn, **values)
    assert "chunk_open" in plan
    assert "tally_pkey" in plan
    assert " on message" not in plan
    assert " on outcome" not in plan
    assert "Seq Scan on chunk" not in plan
    assert "Seq Scan on tally" not in plan


async def test_who_waits_for_a_used_up_day_is_held_and_told_so(db: Database, clock: FrozenClock) -> None:
    app = await filled(db, clock())
    tomorrow = clock() + timedelta(hours=18)
    async with db.connection() as conn:
        await conn.execute("UPDATE sender SET held_until = %(until)s", {"until": tomorrow})
        standing = await overview.get(conn, app.app_id, "cd-1", now=clock())
        assert standing.run_id is not None
        assert standing.ledger == await tallies.read(conn, app.app_id, standing.run_id, clock())
        assert (standing.ledger.held, standing.ledger.ready) == (4000, 0)
        assert standing.waits == (Wait("Asia/Kolkata", tomorrow, 4000, day_used=True),)
        later = await overview.get(conn, app.app_id, "cd-1", now=tomorrow)
        assert (later.ledger.held, later.ledger.ready, later.waits) == (0, 4000, ())


async def test_it_knows_whether_a_worker_has_the_lane(db: Database, clock: FrozenClock) -> None:
    app = await filled(db, clock())
    async with db.connection() as conn, db.connection() as worker:
        assert not (await overview.get(conn, app.app_id, "cd-1", now=clock())).through[0].lane_held
        row = await (await conn.execute("SELECT sender_id FROM sender")).fetchone()
        assert row
        await locks.take(worker, locks.Kind.LANE, row[0])
        assert (await overview.get(conn, app.app_id, "cd-1", now=clock())).through[0].lane_held
        await locks.release(worker, locks.Kind.LANE, row[0])
        assert not (await overview.get(conn, app.app_id, "cd-1", now=clock())).through[0].lane_held


async def test_it_counts_by_status_and_knows_no_campaign_of_another_app(db: Database, clock: FrozenClock) -> None:
    await filled(db, clock())
    other = (await access.create_app(db, Seal(bytes(32)), name="Other", now=clock())).app
    async with db.connection() as conn:
        assert await overview.count(conn, app_id=None) == {CampaignStatus.ACTIVE: 60}
        assert await overview.count(conn, app_id=other.app_id) == {}
        assert await overview.page(conn, app_id=other.app_id, status=None, offset=0, limit=9, now=clock()) == []
        with pytest.raises(NotFound, match="cd-1"):
            await overview.get(conn, other.app_id, "cd-1", now=clock())
