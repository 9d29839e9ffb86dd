"""What a frequency cap and a campaign that leaves out readers ask keeps to its indexes, statistics or not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.rules.caps import Cap
from heliograph.store import exclusions, texted
from tests.store.test_plans import FILL, NOW

if TYPE_CHECKING:
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

TEXTED: LiteralString = """
INSERT INTO texted (app_id, number, at, message)
SELECT app_id, '+1' || n, ARRAY['2026-03-01'::timestamptz], ARRAY[(1::bigint << 32) + n]
FROM app, generate_series(1, 40000) n
"""
BIG = ("texted", "message", "outcome")


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_they_never_read_a_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.connection() as conn:
        for statement in (*FILL, TEXTED):
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute("SELECT min(app_id), min(campaign_id) FROM run")).fetchone()
        assert row is not None
        numbers = [f"+1{n}" for n in range(1, 101)]
        limits = (Cap(1, 7), Cap(4, 30))
        values: dict[str, object] = {
            "app_id": row[0],
            "numbers": json.dumps(numbers),
            "messages": json.dumps([(2 << 32) + n for n in range(100)]),
            "campaign_ids": [row[1]],
            "texts": [cap.texts for cap in limits],
            "days": [cap.days for cap in limits],
            "since": NOW - limits[1].span,
            "now": NOW,
        }
        hot: dict[str, LiteralString] = {
            "TAKE": texted.TAKE,
            "FIND_FULL": texted.FIND_FULL,
            "FIND_GOT": exclusions.FIND_GOT,
        }
        for name, statement in hot.items():
            cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
            plan = "\n".join(str(line[0]) for line in await cursor.fetchall())
            for table in BIG:
                assert not re.search(rf"Seq Scan on {table}\b", plan), f"{name} reads {table} from end to end:\n{plan}"
        assert set(await texted.find_full(conn, row[0], numbers, limits, now=NOW)) == set(numbers)
        assert set(await exclusions.find_got(conn, row[0], [row[1]], numbers)) == set(numbers)
