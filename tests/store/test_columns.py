"""Columns of values arrive as they were sent, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from heliograph.store import columns

if TYPE_CHECKING:
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
TEXTS = ["plain", "", None, 'a "quote"', "back\\slash", "{curly,comma}", "NULL", "line\nbreak\ttab", "नमस्ते 👋", "null"]
NUMBERS = [0, -1, None, 2_147_483_647]
TIMES = [NOW, None, NOW.astimezone(timezone(timedelta(hours=5, minutes=30))), NOW]

READ = """
SELECT t, n::int, at::timestamptz FROM ROWS FROM (
    json_array_elements_text(%(t)s::json), json_array_elements_text(%(n)s::json),
    json_array_elements_text(%(at)s::json)
) AS c (t, n, at)
"""


async def test_columns_arrive_as_they_were_sent(db: Database) -> None:
    values = {"t": columns.of(TEXTS), "n": columns.of(NUMBERS), "at": columns.times(TIMES)}
    async with db.connection() as conn:
        rows = await (await conn.execute(READ, values)).fetchall()
    assert [row[0] for row in rows] == TEXTS
    assert [row[1] for row in rows[:4]] == NUMBERS
    assert [row[2] for row in rows[:4]] == TIMES
