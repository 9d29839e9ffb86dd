"""Texts that sessions send after their first: each a message of the run it leaves by, and a mark of whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class NewText(NamedTuple):
    """A text that a session sends, at a place that was reserved."""

    session_id: int
    act: int
    run_id: int
    seq: int
    node: str
    answering: bool
    list_id: int
    contact_seq: int
    number: str
    text: str
    parts: int


# The message and its mark in one. A session's act is one text: a second one of its number is refused, and with it all
# of the transaction.
ADD = """
WITH given AS (
    SELECT * FROM unnest(%(session_id)s::bigint[], %(act)s::int[], %(run_id)s::int[], %(seq)s::int[], %(node)s::text[],
                         %(answering)s::bool[], %(list_id)s::int[], %(contact_seq)s::int[], %(number)s::text[],
                         %(text)s::text[], %(parts)s::int[])
             AS t (session_id, act, run_id, seq, node, answering, list_id, contact_seq, number, text, parts)
), marked AS (
    INSERT INTO session_text (app_id, session_id, act, run_id, seq, node, answering, at)
    SELECT %(app_id)s, session_id, act, run_id, seq, node, answering, %(now)s FROM given
)
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts, nth)
SELECT %(app_id)s, run_id, seq, list_id, contact_seq, number, text, parts, seq FROM given
"""


async def add(conn: Conn, app_id: int, rows: Sequence[NewText], *, now: datetime) -> None:
    """Add texts of sessions to the runs they leave by."""
    values: dict[str, object] = {name: [getattr(row, name) for row in rows] for name in NewText._fields}
    await conn.execute(ADD, values | {"app_id": app_id, "now": now})
