"""Parts of texts are found by their index, however full the tables are, analysed or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import message_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)

FILL: tuple[LiteralString, ...] = (
    """INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, settled_at)
       SELECT 1, r, n, 'accepted', 1, r || '/' || n || '/3', now()
       FROM generate_series(1, 20) r, generate_series(1, 500) n""",
    """INSERT INTO message_part (app_id, run_id, seq, part, account_id, carrier_ref, recorded_at)
       SELECT 1, r, n, p, 1, r || '/' || n || '/' || p, now()
       FROM generate_series(1, 20) r, generate_series(1, 500) n, generate_series(1, 3) p""",
)


def column(*values: object) -> str:
    return json.dumps(values)


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_parts_are_found_by_their_index(db: Database, analysed: bool) -> None:
    one: dict[str, object] = {
        "run_id": column(20), "seq": column(400), "part": column(2), "account_id": column(1), "now": NOW,
        "carrier_ref": column("20/400/3"), "ref": column("20/400/2"), "status": column("failed"), "code": column("x"),
    }  # fmt: skip
    hot: dict[str, tuple[LiteralString, Mapping[str, object], str]] = {
        "ADD": (message_parts.ADD, one | {"app_id": column(1)}, "outcome"),
        "FIND": (message_parts.FIND, one | {"app_id": 1, "account_id": 1}, "message_part_ref"),
        "LOCK": (message_parts.LOCK, one | {"app_id": 1}, "message_part_pkey"),
        "MOVE": (message_parts.MOVE, one | {"app_id": 1}, "message_part_pkey"),
    }
    async with db.connection() as conn:
        for statement in FILL:
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        for name, (statement, values, by) in hot.items():
            cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
            plan = "\n".join(str(row[0]) for row in await cursor.fetchall())
            assert "Seq Scan" not in plan, (name, plan)
            assert "Hash" not in plan, (name, plan)
            assert by in plan, (name, plan)
