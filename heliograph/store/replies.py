"""Replies: what people wrote to us, each once, whoever brings it and however often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class NewReply:
    """One reply. ``carrier_ref`` tells repetitions apart and is never empty."""

    carrier_ref: str
    number: str
    address: str
    text: str
    written_at: datetime


# In the order they were written down by the carrier; ON CONFLICT makes a replay of any length nothing.
ADD = """
INSERT INTO reply (app_id, account_id, carrier_ref, number, address, text, written_at, received_at)
SELECT %(app_id)s, %(account_id)s, t.carrier_ref, t.number, t.address, t.text, t.written_at, %(now)s
FROM unnest(%(carrier_ref)s::text[], %(number)s::text[], %(address)s::text[], %(text)s::text[],
            %(written_at)s::timestamptz[]) WITH ORDINALITY AS t (carrier_ref, number, address, text, written_at, place)
ORDER BY t.place
ON CONFLICT (app_id, account_id, carrier_ref) DO NOTHING
"""


async def add(conn: Conn, app_id: int, account_id: int, replies: Sequence[NewReply], *, now: datetime) -> int:
    """Keep replies of one carrier account that are not kept yet; answers how many were new."""
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "carrier_ref": [r.carrier_ref for r in replies],
        "number": [r.number for r in replies],
        "address": [r.address for r in replies],
        "text": [r.text for r in replies],
        "written_at": [r.written_at for r in replies],
        "now": now,
    }
    return (await conn.execute(ADD, values)).rowcount
