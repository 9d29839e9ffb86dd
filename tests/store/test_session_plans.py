"""EXPLAIN of what runs for every handful of replies and of sessions, beside many of either."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import contact_fields, replies, session_calls, session_numbers, sessions
from tests.store.test_plans import FILL, ONE_RUN, scans

if TYPE_CHECKING:
    from heliograph.store.database import Conn, Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TALKING: tuple[LiteralString, ...] = (
    """INSERT INTO session (app_id, run_id, seq, number, address, address_key, flow, version, state, data, opened,
                            asked_at, due, said_run, said_seq, started_at, ended_at)
       SELECT app_id, run_id, n, '+1' || run_id * 1000 + n, '+1', '1', 'cf-1', 1,
              CASE WHEN n % 20 = 0 THEN 'call' ELSE 'answer' END, '{}', true, now(),
              CASE WHEN n % 2 = 0 THEN '2026-03-01'::timestamptz + n * interval '1 hour' END, run_id, n, now(),
              CASE WHEN n % 2 = 1 THEN now() END
       FROM run, generate_series(1, 500) n""",
    """INSERT INTO session_text (app_id, session_id, act, run_id, seq, node, answering, at)
       SELECT app_id, session_id, 1, run_id, seq, 'ask', true, now() FROM session""",
)


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_what_conversations_ask_never_reads_a_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.connection() as conn:
        for statement in (*FILL, *TALKING):
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute(ONE_RUN)).fetchone()
        assert row is not None
        run: dict[str, object] = {"app_id": row[0], "run_id": row[1], "now": NOW}
        numbers = [f"+1{row[1] * 1000 + n}" for n in range(100)]
        asked: dict[str, tuple[LiteralString, dict[str, object]]] = {
            "OF_NUMBERS": (sessions.OF_NUMBERS, run | {"numbers": numbers}),
            "OF_IDS": (sessions.OF_IDS, run | {"session_ids": list(range(50))}),
            "LIST_DUE_APPS": (sessions.LIST_DUE_APPS, run),
            "DUE": (sessions.DUE, run | {"limit": 500}),
            "TAKE_CALLS": (session_calls.TAKE_CALLS, run | {"lease": NOW, "limit": 32}),
            "HOLD_CALLS": (session_calls.HOLD_CALLS, {"app_id": "[1]", "session_id": "[7]", "now": NOW, "lease": NOW}),
            "STANDING": (session_calls.STANDING, run | {"session_id": 7}),
            "BUSY": (sessions.BUSY, run | {"numbers": numbers, "address_key": "1"}),
            "ANY_OPEN": (sessions.ANY_OPEN, run),
            "WITH_PEOPLE": (sessions.WITH_PEOPLE, run | {"numbers": numbers}),
            "COUNT_HEARD": (replies.COUNT_HEARD, run | {"numbers": numbers, "since": NOW}),
            "WHO_WAITS": (replies.WHO_WAITS, run | {"limit": 5000}),
            "HANDLED": (replies.HANDLED, run | {"reply_ids": [1, 2], "became": ["flow"] * 2, "session_ids": [1, 2]}),
            "contact_fields OF": (contact_fields.OF, run | {"list_ids": [1, 1], "seqs": [5, 6]}),
            "contact_fields NEWEST": (contact_fields.NEWEST, run | {"numbers": numbers}),
        }
        found = {name: await scans(conn, statement, values) for name, (statement, values) in asked.items()}
        talking = {name: await _session_scans(conn, *one) for name, one in asked.items()}
    assert {name: tables for name, tables in found.items() if tables} == {}
    assert {name for name, there in talking.items() if there} == set()


async def test_of_many_conversations_some_tell_how_all_stand(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with db.connection() as conn:
        for statement in (*FILL, TALKING[0] + " ORDER BY run_id, n"):  # as planning writes them
            await conn.execute(statement)
        row = await (await conn.execute(ONE_RUN)).fetchone()
        every = await (await conn.execute("SELECT count(*) FROM session")).fetchone()
        assert row is not None
        assert every is not None
        await conn.execute("UPDATE session SET result = 'done' WHERE seq % 2 = 1")
        whole = await session_numbers.look(conn, row[0], run_id=row[1])
        monkeypatch.setattr(session_numbers, "EXACT", 499)
        monkeypatch.setattr(session_numbers, "PROBES", 50)
        some = await session_numbers.look(conn, row[0], run_id=row[1])
        flow = await session_numbers.look(conn, row[0], flow="cf-1")
        none = await session_numbers.look(conn, row[0], flow="cf-none")
        values: dict[str, object] = {"app_id": row[0], "run_id": None, "flow": "cf-1", "exact": 10}
        assert not await _session_scans(conn, session_numbers.SPAN, values)
        sampled = values | {"first": 1, "last": 1_000_000, "every": 1000}
        assert not await _session_scans(conn, session_numbers.SOME_GROUPS, sampled)
    assert (whole.every, sum(group.sessions for group in whole.groups)) == (1, 500)
    assert (some.every, sum(group.sessions for group in some.groups)) == (10, 500)
    # Every second one is over, and as many of those who were looked at: what recurs is not stepped over.
    assert {group.result: group.sessions for group in some.groups} == {None: 250, "done": 250}
    assert sum(group.sessions for group in flow.groups) == pytest.approx(every[0], rel=0.05)
    assert none == session_numbers.NOBODY


async def _session_scans(conn: Conn, statement: LiteralString, values: dict[str, object]) -> bool:
    cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
    return any("Seq Scan on session" in str(row[0]) for row in await cursor.fetchall())
