"""Hot statements keep to their indexes on tables that are full, analysed or not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import (
    audience,
    auto_answers,
    chunks,
    consents,
    contact_search,
    contacts,
    dnc,
    messages,
    opt_outs,
    outcomes,
    overview,
    pools,
    purges,
    receipts,
    replies,
    runs,
    senders,
    tallies,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Conn, Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BIG = {
    "message",
    "outcome",
    "chunk",
    "contact",
    "dnc_entry",
    "tally",
    "sender_day",
    "sticky_sender",
    "opt_out",
    "consent",
    "auto_answer",
    "reply",
}

# 100 runs of 500 people in chunks of 5: the run in question is one of many, half sent.
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO account VALUES ('a', now())",
    """INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
       VALUES ('st-x', 'a', 'o', 'u', 'X', now())""",
    """INSERT INTO campaign (app_id, public_id, name, lname, status, priority, format, caller_id, dialing, schedule,
                             created_at, updated_at)
       SELECT app_id, 'cd-' || n, 'C' || n, 'c' || n, 'Active', 5, 'simple', '+1', '{}', '{}', now(), now()
       FROM app, generate_series(1, 100) n""",
    """INSERT INTO run (app_id, public_id, campaign_id, sender_id, caller_id, template, missing, calling_hours,
                        list_ids, dnc_list_ids, audience, started_at)
       SELECT app_id, 'cid-' || campaign_id, campaign_id, 1, '+1', 'Hi', '{}', '{}', '{1}', '{2}', 1000, now()
       FROM campaign""",
    "UPDATE campaign k SET run_id = r.run_id FROM run r WHERE r.campaign_id = k.campaign_id",
    """INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq, done)
       SELECT app_id, run_id, n, 1, 'UTC', '2026-03-01', n * 5 - 4, n * 5,
              CASE WHEN n <= 50 THEN n * 5 + 1 ELSE n * 5 - 4 END, n <= 50
       FROM run, generate_series(1, 100) n""",
    """INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, parts)
       SELECT app_id, run_id, n, 1, n, '+1' || n, 1 FROM run, generate_series(1, 500) n""",
    """INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, settled_at)
       SELECT app_id, run_id, n, 'accepted', 1, run_id || '/' || n, now() FROM run, generate_series(1, 250) n""",
    """INSERT INTO tally (app_id, run_id, sender_id, total, waiting, accepted)
       SELECT app_id, run_id, n, 1000, 500, 500 FROM run, generate_series(1, 50) n""",
    """INSERT INTO contact (app_id, list_id, seq, number, priority, fields, created_at, updated_at)
       SELECT app_id, l, n, '+1' || n, nullif(n % 5, 0), '{}', now(), now()
       FROM app, generate_series(1, 5) l, generate_series(1, 8000) n""",
    """INSERT INTO dnc_entry (app_id, list_id, number, source, created_at)
       SELECT app_id, 2, '+1' || n || s, 'person', now()
       FROM app, (SELECT n, '' FROM generate_series(1, 40000) n
                  UNION ALL SELECT n, '*' FROM generate_series(500, 900) n) AS e (n, s)""",
    """INSERT INTO sender_day (app_id, sender_id, day, parts)
       SELECT app_id, s, '2020-01-01'::date + n, 100 FROM app, generate_series(1, 20) s, generate_series(1, 2000) n""",
    """INSERT INTO sticky_sender (app_id, pool_id, number, sender_id)
       SELECT app_id, p, '+1' || n, 1 FROM app, generate_series(1, 3) p, generate_series(1, 10000) n""",
    """INSERT INTO opt_out (app_id, number, address, kind, source, created_at)
       SELECT app_id, '+1' || n, '', 'no', 'reply', now() FROM app, generate_series(1, 40000) n""",
    """INSERT INTO consent (app_id, number, what, source, reply_id, at, recorded_at)
       SELECT app_id, '+1' || n, 'opt_out', 'reply', n, now(), now() FROM app, generate_series(1, 40000) n""",
    """INSERT INTO auto_answer (app_id, run_id, seq, number, kind, reply_id, created_at, leave_by)
       SELECT app_id, 1, n, '+1' || n, 'stop', n, now(), now() FROM app, generate_series(1, 40000) n""",
    """INSERT INTO reply (app_id, account_id, carrier_ref, number, address, text, written_at, received_at, handled_at)
       SELECT app_id, 1, n::text, '+1' || n, '+1', 'STOP', now(), now(), CASE WHEN n < 39000 THEN now() END
       FROM app, generate_series(1, 40000) n""",
)

ONE_RUN: LiteralString = "SELECT app_id, run_id, campaign_id FROM run ORDER BY run_id OFFSET 20 LIMIT 1"


async def scans(conn: Conn, statement: LiteralString, values: Mapping[str, object]) -> set[str]:
    """The big tables that the statement reads from end to end."""
    cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
    lines = [str(row[0]) for row in await cursor.fetchall()]
    return {table for table in BIG for line in lines if re.search(rf"Seq Scan on {table}\b", line)}


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_hot_statements_never_read_a_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.connection() as conn:
        for statement in FILL:
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute(ONE_RUN)).fetchone()
        assert row is not None
        run: dict[str, object] = {"app_id": row[0], "run_id": row[1], "campaign_id": row[2], "sender_id": 1, "now": NOW}
        numbers = [f"+1{n}" for n in range(100)]
        of_list = run | {"list_id": 1, "after": 100, "limit": 500, "with_fields": True}
        outcome = {
            name: [value] * 50
            for name, value in {
                "app_id": row[0], "run_id": row[1], "chunk_no": 51, "status": "accepted", "reason": None,
                "account_id": 1, "submitted_at": NOW.isoformat(),
            }.items()
        }  # fmt: skip
        outcome |= {"seq": list(range(251, 301)), "carrier_ref": [f"r{n}" for n in range(50)]}
        outcome = {name: json.dumps(column) for name, column in outcome.items()}
        receipt = {
            "carrier_ref": json.dumps([f"{row[1]}/{n}" for n in range(1, 51)]),
            "status": json.dumps(["delivered"] * 50),
            "code": json.dumps([""] * 50),
        }
        day: dict[str, object] = {"day": NOW.date(), "parts": 5, "parts_per_day": 100}
        pool: dict[str, object] = {"pool_id": 1, "sender_ids": [1, 2]}
        hot: dict[str, tuple[LiteralString, Mapping[str, object]]] = {
            "chunks NEXT_DUE": (chunks.NEXT_DUE, run),
            "chunks NEXT_TIME": (chunks.NEXT_TIME, run),
            "chunks CLAIM": (
                chunks.CLAIM,
                run
                | day
                | {"main_id": 1, "chunk_no": 51, "next_seq": 251, "last_seq": 255, "gaps": 0, "upto": 256, "people": 5},
            ),
            "chunks REWIND": (chunks.REWIND, run | day | {"chunk_no": 51, "next_seq": 251, "upto": 256, "people": 5}),
            "chunks LIST_UNSETTLED": (chunks.LIST_UNSETTLED, {}),
            "messages READ_PLACES": (messages.READ_PLACES, run | {"first": 251, "last": 255}),
            "receipts UNPARK": (receipts.UNPARK, run | {"account_id": 1}),
            "messages PLACE_OF_NUMBER": (messages.PLACE_OF_NUMBER, run | {"number": "+15"}),
            "messages PAGE": (messages.PAGE, run | {"limit": 100, "offset": 200}),
            "messages WITHOUT_OUTCOME": (messages.WITHOUT_OUTCOME, run | {"first": 251, "last": 255}),
            "chunks OF_SENDER_UNSETTLED": (chunks.OF_SENDER_UNSETTLED, run),
            "dnc FIND_BLOCKED": (
                dnc.FIND_BLOCKED,
                run | {"list_ids": [2], "numbers": numbers, "addresses": ["", "1"], "exempt": False},
            ),
            "consents LATEST": (consents.LATEST, run | {"numbers": numbers}),
            "auto_answers OF": (auto_answers.OF, run | {"seqs": list(range(50))}),
            "auto_answers RECENT": (auto_answers.RECENT, run | {"numbers": numbers, "hour_ago": NOW, "day_ago": NOW}),
            "replies LIST_WAITING": (replies.LIST_WAITING, {}),
            "replies UNHANDLED": (replies.UNHANDLED, run | {"limit": 2000}),
            "dnc PAGE": (dnc.PAGE, of_list | {"list_id": 2, "skip": 1000}),
            "dnc AFTER": (dnc.AFTER, of_list | {"list_id": 2, "after": "+12"}),
            "contacts AFTER": (contacts.AFTER, of_list),
            "contacts BEFORE": (contacts.BEFORE, of_list | {"before": 400}),
            "opt_outs AFTER": (opt_outs.AFTER, run | {"number": "+12", "address": "", "limit": 51}),
            "opt_outs REVIEWS_AFTER": (opt_outs.REVIEWS_AFTER, run | {"number": "+12", "limit": 51}),
            "contacts OTHER": (contacts.OTHER, of_list | {"number": "+17", "seq": 7}),
            "contact_search FIND": (
                contact_search.FIND + " AND number = %(number)s",
                of_list | {"number": "+17", "first": 1, "last": 50},
            ),
            "audience READ_LEVEL": (audience.READ_LEVEL, of_list | {"level": 3}),
            "audience READ_WITHOUT": (audience.READ_WITHOUT, of_list),
            "audience NEXT_LEVEL": (audience.NEXT_LEVEL, run | {"list_ids": [1, 2], "below": 5}),
            "audience READ_NUMBERS": (
                audience.READ_NUMBERS,
                of_list | {"list_ids": [1, 2], "after": "+15", "until": audience.LAST, "each": 2500, "every": 1},
            ),
            "audience READ_FAILED": (audience.READ_FAILED, run | {"classes": ["failed"], "after": 9, "limit": 500}),
            "senders PARTS_OF_DAY": (senders.PARTS_OF_DAY, run | day),
            "senders COUNT_PARTS": (senders.COUNT_PARTS, run | day),
            "pools FIND_STICKY": (pools.FIND_STICKY, run | pool | {"numbers": numbers}),
            "pools STICK": (pools.STICK, run | pool | {"numbers": numbers, "senders": [1] * 100}),
            "overview PAGE": (
                overview.PAGE,
                run | {"status": None, "offset": 0, "limit": 25, "lane": 2, "gate": 1, "fresh": NOW},
            ),
            "tallies READ": (tallies.READ, run),
            "tallies EXPIRE": (tallies.EXPIRE, run | {"run_ids": [row[1]]}),
            "purges PURGE_STEP": (purges.PURGE_STEP, run),
            "runs LIST_ACTIVE": (runs.LIST_ACTIVE, {}),
            "receipts APPLY": (receipts.APPLY, run | {"account_id": 1} | receipt),
            "outcomes RECORD": (outcomes.RECORD, outcome | {"sender_id": 1, "now": NOW}),
        }
        found = {name: await scans(conn, statement, values) for name, (statement, values) in hot.items()}
        assert {name: tables for name, tables in found.items() if tables} == {}
