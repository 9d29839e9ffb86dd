"""The two looks that every worker takes twice a second read only what is due, however many schedules there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import schedules

if TYPE_CHECKING:
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LOOKS: tuple[tuple[LiteralString, str], ...] = ((schedules.DUE, "schedule_due"), (schedules.OVER, "campaign_active"))

# 5,000 campaigns with schedules of which 3 are due, 2 of them switched on; 2 are Active past their end.
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO account VALUES ('a', now())",
    """INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
       VALUES ('st-x', 'a', 'o', 'u', 'X', now())""",
    """INSERT INTO campaign (app_id, public_id, name, lname, status, priority, format, caller_id, dialing, schedule,
                             created_at, updated_at)
       SELECT app_id, 'cd-' || n, 'C' || n, 'c' || n,
              CASE WHEN n IN (11, 12) THEN 'Active' ELSE 'Scheduled' END::campaign_status,
              5, 'simple', '+1', '{}', '{}', now(), now()
       FROM app, generate_series(1, 5000) n""",
    """INSERT INTO schedule (app_id, campaign_id, body, recurs, enabled, next_at, ends_at, updated_at)
       SELECT c.app_id, c.campaign_id, '{}', true, c.name <> 'C3',
              CASE WHEN c.name IN ('C1', 'C2', 'C3')
                   THEN timestamptz '2026-03-01 00:00Z' - c.campaign_id * interval '1 s' ELSE '2026-04-01 00:00Z' END,
              CASE WHEN c.name IN ('C11', 'C21') THEN timestamptz '2026-03-02 00:00Z' END, now()
       FROM campaign c""",
)


async def test_only_what_is_due_is_read(db: Database) -> None:
    async with db.connection() as conn:
        for statement in FILL:
            await conn.execute(statement)
        for analysed in (False, True):
            if analysed:
                await conn.execute("ANALYZE")
            assert [each.campaign_public_id for each in await schedules.list_due(conn, NOW)] == ["cd-2", "cd-1"]
            assert [each.campaign_public_id for each in await schedules.list_over(conn, NOW)] == ["cd-11"]
            for statement, index in LOOKS:
                cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, {"now": NOW})
                plan = "\n".join(str(row[0]) for row in await cursor.fetchall())
                assert index in plan, (analysed, plan)
                assert "Seq Scan" not in plan, (analysed, plan)
