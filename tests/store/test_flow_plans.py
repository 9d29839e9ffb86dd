"""What is asked of flows for each batch of replies keeps to its indexes on tables that are full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

import pytest

from heliograph.store import flow_users, flow_versions

if TYPE_CHECKING:
    from heliograph.store.database import Conn, Database

pytestmark = pytest.mark.anyio

# 50 apps of 100 flows with 3 versions each, and 200 campaigns of the first app for each of its flows.
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO account VALUES ('a', now())",
    """INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
       SELECT 'st-' || n, 'a', 'o', 'u', 'X', now() FROM generate_series(1, 50) n""",
    """INSERT INTO flow (app_id, public_id, name, lname, draft, published_version, created_at, updated_at)
       SELECT app_id, 'cf-' || app_id || '-' || n, 'F' || n, 'f' || n, '{}', 3, now(), now()
       FROM app, generate_series(1, 100) n""",
    """INSERT INTO flow_version (app_id, flow_id, version, document, published_at)
       SELECT app_id, flow_id, n, '{}', now() FROM flow, generate_series(1, 3) n""",
    """INSERT INTO campaign (app_id, public_id, name, lname, status, priority, format, caller_id, dialing, schedule,
                             flow_id, created_at, updated_at)
       SELECT 1, 'cd-' || n, 'C' || n, 'c' || n, 'Ready', 5, 'advanced', 'x', '{}', '{}',
              'cf-1-' || n % 100, now(), now() FROM generate_series(1, 20000) n""",
    "ANALYZE",
)
ONE: dict[str, Any] = {"app_id": 1}


ASKED: tuple[tuple[LiteralString, dict[str, Any], str], ...] = (
    (flow_versions.LISTED, ONE, "flow"),
    (flow_versions.DOCUMENTS, ONE | {"public_ids": ["cf-1-7", "cf-1-8"], "versions": [1, 2]}, "flow_version"),
    (flow_users.CAMPAIGNS, ONE | {"flow_ids": ["cf-1-7"]}, "campaign"),
)


async def test_no_table_is_read_from_end_to_end(db: Database) -> None:
    async with db.connection() as conn:
        for each in FILL:
            await conn.execute(each)
        for statement, values, big in ASKED:
            assert big not in await _scans(conn, statement, values), statement


async def _scans(conn: Conn, statement: LiteralString, values: dict[str, Any]) -> list[str]:
    """The tables that a statement reads from end to end."""
    row = await (await conn.execute("EXPLAIN (FORMAT json) " + statement, values)).fetchone()
    waiting: list[Any] = json.loads(json.dumps(row[0])) if row else []
    found: list[str] = []
    while waiting:
        node = waiting.pop()
        waiting += [node["Plan"]] if "Plan" in node else node.get("Plans", [])
        if node.get("Node Type") == "Seq Scan":
            found.append(str(node["Relation Name"]))
    return found
