"""What retention removes and counts it finds by indexes, however much stays; no table is read from end to end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import retention
from tests.store.test_plans import FILL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

BEFORE = datetime(2026, 3, 2, tzinfo=UTC)
TABLES = (
    "message", "outcome", "reply", "auto_answer", "conversation", "conversation_event", "session", "audit",
)  # fmt: skip
# The older half of 20,000 conversations is open; run 2 is one-off texts, of which those up to the 100th were settled.
MORE: tuple[LiteralString, ...] = (
    """INSERT INTO conversation (app_id, public_id, number, address, sent_from, open, why_open, unread, last_in_at,
                                 last_at, created_at, updated_at)
       SELECT app_id, 'cv-' || n, '+1' || n, '1', '+1', n <= 10000, 'reply', 0, now(),
              '2020-01-01'::timestamptz + n * interval '1 minute', now(), now()
       FROM app, generate_series(1, 20000) n""",
    """INSERT INTO conversation_event (app_id, conversation_id, kind, at)
       SELECT app_id, conversation_id, 'opened', now() FROM conversation""",
    """INSERT INTO session (app_id, run_id, seq, number, address, address_key, list_id, contact_seq, flow, version,
                            state, node, data, opened, asked_at, texts, answers, started_at, left_at, ended_at, result)
       SELECT app_id, 1, n, '+1' || n, '1', '1', 1, n, 'cf-1', 1, 'ended', 'start', '{}', true, now(), 1, 1, now(),
              now(), '2020-01-01'::timestamptz + n * interval '1 minute', 'done'
       FROM app, generate_series(1, 20000) n""",
    """INSERT INTO audit (app_id, at, kind, actor, name, address, verb, object, what, outcome)
       SELECT app_id, '2020-01-01'::timestamptz + n * interval '1 minute', 'client', 'cs-1', 'C', '', '', '', '', 'done'
       FROM app, generate_series(1, 20000) n""",
    "UPDATE campaign SET kind = 'single' WHERE campaign_id = (SELECT campaign_id FROM run WHERE run_id = 2)",
    "UPDATE run SET last_seq = 500",
    "DELETE FROM outcome WHERE run_id = 2",
    """INSERT INTO outcome (app_id, run_id, seq, status, settled_at)
       SELECT app_id, 2, n, 'delivered', CASE WHEN n > 100 THEN '2026-03-09'::timestamptz ELSE '2026-03-01' END
       FROM app, generate_series(1, 300) n""",
)


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_retention_reads_no_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.connection() as conn:
        for statement in (*FILL, *MORE):
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute("SELECT app_id FROM app")).fetchone()
        assert row is not None
        some = {"app_id": row[0], "before": BEFORE.replace(year=2019), "rows": retention.ROWS, "since": None}
        run = {"app_id": row[0], "run_id": 2, "first": 1, "last": 500, "before": BEFORE, "done": False, "now": BEFORE}
        kept = dict.fromkeys(("texts", "people", "conversations", "audit"), BEFORE.replace(year=2019))
        asked: dict[str, tuple[LiteralString, Mapping[str, object]]] = {
            "reach": (retention.REACH, run),
            "people": (retention.REMOVE["people"], run),
            "texts": (retention.REMOVE["texts"], run),
            "replies": (retention.FORGET_REPLIES, some),
            "conversations": (retention.FORGET_CONVERSATIONS, some),
            "sessions": (retention.FORGET_SESSIONS, some),
            "audit": (retention.FORGET_AUDIT, some),
            "count": (retention.COUNT, kept | {"app_id": row[0], "most": retention.MOST}),
        }
        seen: dict[str, str] = {}
        for name, (statement, values) in asked.items():
            found = await (await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)).fetchall()
            seen[name] = "\n".join(str(line[0]) for line in found)
        read = {(name, of) for name, plan in seen.items() for of in TABLES if f"Seq Scan on {of}" in plan}
        assert read == set()
        assert "conversation_closed" in seen["conversations"]  # past none that is open
