"""What is told of single texts to whoever listens: how they stand, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


# With each batch of receipts: one look into webhook_listening, which is empty where nobody listens to anything.
LISTENS = """
SELECT DISTINCT e FROM (SELECT events FROM webhook WHERE app_id = %(app_id)s AND enabled) AS w, unnest(w.events) AS e
WHERE e = ANY(%(events)s)
"""


async def listens(conn: Conn, app_id: int, events: Sequence[str]) -> set[str]:
    """Those of ``events`` that some webhook of the app asks for by name."""
    cursor = await conn.execute(LISTENS, {"app_id": app_id, "events": list(events)})
    return {str(row[0]) for row in await cursor.fetchall()}


# One probe of outcome_ref for each ref, locked in the order in which receipts.APPLY locks them.
STAND = """
SELECT o.run_id, o.seq, o.status
FROM (SELECT DISTINCT ref FROM json_array_elements_text(%(refs)s::json) AS t (ref) ORDER BY ref) AS t
CROSS JOIN LATERAL (
    SELECT run_id, seq, status::text FROM outcome
    WHERE app_id = (SELECT %(app_id)s::int) AND account_id = %(account_id)s AND carrier_ref = t.ref
    FOR UPDATE
) AS o
"""


async def lock(conn: Conn, app_id: int, account_id: int, refs: Sequence[str]) -> dict[tuple[int, int], str]:
    """How the texts that a carrier knows by ``refs`` stand, by run and number; nobody moves them meanwhile."""
    values = {"app_id": app_id, "account_id": account_id, "refs": columns.of(list(refs))}
    cursor = await conn.execute(STAND, values)
    return {(int(row[0]), int(row[1])): str(row[2]) for row in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Text:
    """A text, whose it is, and how it stands. ``campaign_public_id``: None for one-off texts."""

    run_id: int
    seq: int
    run_public_id: str
    campaign_public_id: str | None
    number: str
    status: str
    reason: str | None
    settled_at: datetime


# A probe of three primary keys for each of some hundred texts; only where somebody listens.
OF = """
SELECT t.run_id, t.seq, r.public_id AS run_public_id, CASE WHEN k.kind = 'campaign' THEN k.public_id END
       AS campaign_public_id, m.number, o.status::text, o.reason, o.settled_at
FROM ROWS FROM (
    json_array_elements_text(%(run_id)s::json), json_array_elements_text(%(seq)s::json)
) AS g (a, b) CROSS JOIN LATERAL (SELECT g.a::int AS run_id, g.b::int AS seq) AS t
CROSS JOIN LATERAL (
    SELECT status, reason, settled_at FROM outcome
    WHERE app_id = %(app_id)s AND run_id = t.run_id AND seq = t.seq OFFSET 0
) AS o
CROSS JOIN LATERAL (
    SELECT number FROM message WHERE app_id = %(app_id)s AND run_id = t.run_id AND seq = t.seq OFFSET 0
) AS m
CROSS JOIN LATERAL (
    SELECT public_id, campaign_id FROM run WHERE app_id = %(app_id)s AND run_id = t.run_id OFFSET 0
) AS r
CROSS JOIN LATERAL (
    SELECT public_id, kind FROM campaign WHERE app_id = %(app_id)s AND campaign_id = r.campaign_id OFFSET 0
) AS k
ORDER BY t.run_id, t.seq
"""


async def of(conn: Conn, app_id: int, texts: Sequence[tuple[int, int]]) -> list[Text]:
    """Texts, ``(run_id, seq)``, as they stand now."""
    values = {
        "app_id": app_id,
        "run_id": columns.of([run_id for run_id, _ in texts]),
        "seq": columns.of([seq for _, seq in texts]),
    }
    async with conn.cursor(row_factory=class_row(Text)) as cursor:
        return await (await cursor.execute(OF, values)).fetchall()
