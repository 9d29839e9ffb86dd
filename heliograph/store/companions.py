"""Companion runs: what conversations of a campaign's run say later leaves by them, behind the gate of the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from psycopg.types.json import Json

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

Purpose = Literal["answers", "follow_ups"]

LIST_OF = "SELECT purpose, run_id FROM run WHERE app_id = %(app_id)s AND companion_of = %(run_id)s"


async def list_of(conn: Conn, app_id: int, run_id: int) -> dict[str, int]:
    """The companions of a run, by purpose: two at most."""
    cursor = await conn.execute(LIST_OF, {"app_id": app_id, "run_id": run_id})
    return {str(row[0]): int(row[1]) for row in await cursor.fetchall()}


# Everything of the main run but its audience: nobody is planned in it. Hours count for follow_ups alone.
INSERT = """
INSERT INTO run (app_id, public_id, campaign_id, sender_id, sender_ids, weights, pool_id, caller_id, template, missing,
                 calling_hours, list_ids, dnc_list_ids, zone_rule, transactional, plain_substitutes, emergency,
                 audience, planned_at, started_at, companion_of, purpose)
SELECT app_id, %(public_id)s, campaign_id, sender_id, sender_ids, weights, pool_id, caller_id, '', missing,
       coalesce(%(calling_hours)s::json, calling_hours), '{}', dnc_list_ids, zone_rule, transactional,
       plain_substitutes, emergency, 0, %(now)s, %(now)s, run_id, %(purpose)s
FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND ended_at IS NULL
ON CONFLICT (app_id, companion_of, purpose) WHERE companion_of IS NOT NULL DO NOTHING
RETURNING run_id, coalesce(sender_ids, ARRAY[sender_id])
"""


async def insert(  # what it is, of which run, at which hours
    conn: Conn, app_id: int, run_id: int, purpose: Purpose, *, public_id: str, hours: object | None, now: datetime
) -> tuple[int, list[int]] | None:
    """Begin a companion of a run: its id and senders. None when the run has ended, or has one already.

    ``hours``: its calling hours; None: those of the run.
    """
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "purpose": purpose,
        "public_id": public_id,
        "calling_hours": None if hours is None else Json(hours),
        "now": now,
    }
    row = await (await conn.execute(INSERT, values)).fetchone()
    return None if row is None else (int(row[0]), list(row[1]))
