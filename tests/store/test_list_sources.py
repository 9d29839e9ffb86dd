"""The look that every worker takes each second reads only what is due, however many lists pull."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import list_sources

if TYPE_CHECKING:
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)

# 5,000 lists that pull: two of them are due, and one is pulled by hand only.
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO account VALUES ('a', now())",
    """INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
       VALUES ('st-x', 'a', 'o', 'u', 'X', now())""",
    """INSERT INTO contact_list (app_id, public_id, kind, name, lname, source, created_at, updated_at)
       SELECT app_id, 'cl-' || n, 'call', 'L' || n, 'l' || n, 'apiIntegration', now(), now()
       FROM app, generate_series(1, 5000) n""",
    """INSERT INTO list_source (app_id, list_id, config, secrets, next_sync_at, updated_at)
       SELECT app_id, list_id, '{}', ARRAY['S' || list_id],
              CASE WHEN name IN ('L1', 'L2') THEN timestamptz '2026-03-01 00:00Z' - list_id * interval '1 s'
                   WHEN name <> 'L3' THEN '2026-04-01 00:00Z' END, now()
       FROM contact_list""",
)


async def test_only_what_is_due_is_read(db: Database) -> None:
    async with db.connection() as conn:
        for statement in FILL:
            await conn.execute(statement)
        for analysed in (False, True):
            if analysed:
                await conn.execute("ANALYZE")
            assert [each.list_public_id for each in await list_sources.list_due(conn, NOW)] == ["cl-2", "cl-1"]
            cursor = await conn.execute("EXPLAIN (COSTS OFF) " + list_sources.LIST_DUE, {"now": NOW})
            plan = "\n".join(str(row[0]) for row in await cursor.fetchall())
            assert "list_source_due" in plan, (analysed, plan)
            assert "Seq Scan on list_source" not in plan, (analysed, plan)
            assert "Seq Scan on contact_list" not in plan, (analysed, plan)
