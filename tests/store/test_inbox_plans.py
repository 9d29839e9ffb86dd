"""The inbox and webhooks keep to their indexes on tables that are full, analysed or not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import (
    columns,
    inbox,
    inbox_answers,
    inbox_pages,
    retention,
    text_news,
    threads,
    webhook_deliveries,
)
from heliograph.store.inbox_pages import Wanted
from tests.store.test_plans import FILL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Conn, Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BIG = {
    "conversation",
    "conversation_event",
    "conversation_answer",
    "webhook_delivery",
    "webhook_try",
    "message",
    "outcome",
    "chunk",
    "reply",
    "contact",
    "auto_answer",
    "session_text",
}
# Of 20,000 conversations with as many people, one in a hundred waits for somebody.
MORE: tuple[LiteralString, ...] = (
    """INSERT INTO conversation (app_id, public_id, number, address, sent_from, open, why_open, unread, assignee,
                                 last_in_at, last_at, created_at, updated_at)
       SELECT app_id, 'cv-' || n, '+1' || n, '1', '+1', n % 100 = 0, 'reply', CASE WHEN n % 200 = 0 THEN 1 ELSE 0 END,
              CASE WHEN n % 300 = 0 THEN 'ana' END, now(), now() - n * interval '1 minute', now(), now()
       FROM app, generate_series(1, 20000) n""",
    """INSERT INTO conversation_event (app_id, conversation_id, kind, at)
       SELECT app_id, conversation_id, 'opened', now() FROM conversation, generate_series(1, 2)""",
    """INSERT INTO conversation_answer (app_id, run_id, seq, conversation_id, key, by, created_at)
       SELECT app_id, 1, conversation_id, conversation_id, 'k', 'ana', now() FROM conversation""",
    """INSERT INTO session_text (app_id, session_id, act, run_id, seq, node, answering, at)
       SELECT app_id, conversation_id, 1, 2, conversation_id, 'n', true, now() FROM conversation""",
    """INSERT INTO webhook (app_id, public_id, url, events, enabled, secret_sealed, created_at, updated_at)
       SELECT app_id, 'wh-' || n, 'https://example.com', '{*}', true, '', now(), now()
       FROM app, generate_series(1, 10) n""",
    """INSERT INTO webhook_delivery (app_id, webhook_id, event_id, event, data, state, created_at, next_at)
       SELECT app_id, webhook_id, 'ev-' || webhook_id || '-' || n, 'reply.received', '{}', 'delivered',
              now() - n * interval '1 minute', CASE WHEN n % 1000 = 0 THEN now() END
       FROM webhook, generate_series(1, 4000) n""",
    """INSERT INTO webhook_try (app_id, webhook_id, delivery_id, try_no, at, ms, status)
       SELECT app_id, webhook_id, delivery_id, 1, now(), 10, 200 FROM webhook_delivery""",
)


async def scans(conn: Conn, statement: LiteralString, values: Mapping[str, object]) -> set[str]:
    """The big tables that the statement reads from end to end."""
    cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
    lines = [str(row[0]) for row in await cursor.fetchall()]
    return {table for table in BIG for line in lines if re.search(rf"Seq Scan on {table}\b", line)}


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_what_people_wait_for_reads_no_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.connection() as conn:
        for statement in (*FILL, *MORE):
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute("SELECT app_id FROM app")).fetchone()
        assert row is not None
        app_id = int(row[0])
        conversation = await inbox.get(conn, app_id, "cv-77")
        before = threads.Before(NOW.replace(year=9000), 0, 1)
        numbers = [f"+1{n}" for n in range(1, 501)]
        news: dict[str, object] = {
            "app_id": app_id,
            "now": NOW,
            "public_id": columns.of([f"new-{n}" for n in numbers]),
            "number": columns.of(numbers),
            "address": columns.of(["1"] * 500),
            "sent_from": columns.of(["+1"] * 500),
            "unread": columns.of([1] * 500),
            "session_id": columns.of([None] * 500),
            "preview": columns.of(["Hi"] * 500),
            "last_in_at": columns.times([NOW] * 500),
            "handed": columns.of(["false"] * 500),
            "team": columns.of([None] * 500),
        }
        seen = {
            "put": await scans(conn, inbox.PUT, news),
            "thread": await scans(conn, threads.PAGE, threads.values(conversation, before=before, limit=50)),
            "count": await scans(conn, inbox_pages.COUNT, {"app_id": app_id, "mine": "ana", "most": 1000}),
            "key": await scans(conn, inbox_answers.FIND, {"app_id": app_id, "conversation_id": 7, "key": "k"}),
            "fields": await scans(conn, inbox_answers.FIELDS, {"app_id": app_id, "number": "+177"}),
            "due": await scans(conn, webhook_deliveries.LIST_DUE, {"now": NOW}),
            "read due": await scans(
                conn, webhook_deliveries.DUE, {"app_id": app_id, "webhook_id": 3, "now": NOW, "limit": 32}
            ),
            "texts": await scans(
                conn,
                text_news.STAND,
                {"app_id": app_id, "account_id": 1, "refs": columns.of([f"ref-{n}" for n in range(500)])},
            ),
            "of texts": await scans(
                conn,
                text_news.OF,
                {"app_id": app_id, "run_id": columns.of([1] * 500), "seq": columns.of(list(range(1, 501)))},
            ),
            "last tries": await scans(
                conn, webhook_deliveries.LAST_TRIES, {"app_id": app_id, "webhook_ids": [1, 2, 3]}
            ),
            "forget replies": await scans(
                conn,
                retention.FORGET_REPLIES,
                {"app_id": app_id, "before": NOW.replace(year=2000), "since": None, "rows": 1000},
            ),
            "remove people": await scans(
                conn,
                retention.REMOVE["people"],
                {"app_id": app_id, "run_id": 1, "first": 1, "last": 2000, "done": False, "now": NOW},
            ),
            "forget": await scans(conn, webhook_deliveries.FORGET, {"before": NOW.replace(year=2000)}),
            "again": await scans(
                conn,
                webhook_deliveries.AGAIN,
                {"app_id": app_id, "webhook_id": 3, "event_id": "ev-3-7", "now": NOW},
            ),
        }
        pages = {
            "all": Wanted(),
            "open": Wanted(open=True),
            "unread": Wanted(open=True, unread=True),
            "nobody's": Wanted(open=True, unassigned=True),
            "mine": Wanted(open=True, assignee="ana"),
            "number": Wanted(number="+177"),
        }
        for name, wanted in pages.items():
            values = inbox_pages.values(app_id, wanted, skip=0, limit=50)
            seen[name] = await scans(conn, inbox_pages.statement(wanted), values)
    assert {name: found for name, found in seen.items() if found} == {}
