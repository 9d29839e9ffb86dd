"""Campaigns whose readers another campaign leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.database import Conn

FIND = """
SELECT w.ref, (SELECT c.campaign_id FROM campaign c
               WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL AND c.kind = 'campaign'
                 AND (c.public_id = w.ref OR c.lname = lower(w.ref))
               ORDER BY c.public_id = w.ref DESC LIMIT 1)
FROM unnest(%(refs)s::text[]) AS w (ref)
"""


async def find(conn: Conn, app_id: int, refs: Sequence[str]) -> dict[str, int | None]:
    """The internal ids of the app's campaigns with these ``cd-`` ids or names; None where there is none."""
    rows = await (await conn.execute(FIND, {"app_id": app_id, "refs": list(refs)})).fetchall()
    return {str(ref): None if found is None else int(found) for ref, found in rows}


# One probe of message_number and one of outcome for each number and run: the cost grows with the runs of the
# campaigns, not with their size. OFFSET 0 keeps it so; joined freely, every message of a run would be read.
# number > '' is what lets message_number be used at all: see its migration.
FIND_GOT = """
SELECT DISTINCT ON (p.number) p.number, got.name
FROM json_array_elements_text(%(numbers)s::json) AS p (number)
CROSS JOIN LATERAL (
    SELECT c.name FROM run r JOIN campaign c ON c.app_id = r.app_id AND c.campaign_id = r.campaign_id
    CROSS JOIN LATERAL (
        SELECT m.seq FROM message m
        WHERE m.app_id = r.app_id AND m.run_id = r.run_id AND m.number = p.number AND m.number > '' OFFSET 0
    ) AS m
    JOIN outcome o ON o.app_id = r.app_id AND o.run_id = r.run_id AND o.seq = m.seq
    WHERE r.app_id = %(app_id)s AND r.campaign_id = ANY(%(campaign_ids)s)
      AND (o.status IN ('accepted', 'delivered', 'unknown') OR o.status = 'failed' AND o.carrier_ref IS NOT NULL)
    LIMIT 1
) AS got
"""


async def find_got(conn: Conn, app_id: int, campaign_ids: Sequence[int], numbers: Sequence[str]) -> dict[str, str]:
    """Who of ``numbers`` got one of these campaigns in any run, and its name: accepted, or perhaps (unknown)."""
    values = {"app_id": app_id, "campaign_ids": list(campaign_ids), "numbers": columns.of(list(numbers))}
    rows = await (await conn.execute(FIND_GOT, values)).fetchall()
    return {str(number): str(name) for number, name in rows}
