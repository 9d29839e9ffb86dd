"""What stands on a sender or a pool, and so forbids to delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

# Under way, or to start by itself. A run that has begun goes through the senders it began with; whatever starts later
# goes through whoever serves its caller id then.
CAMPAIGNS_OF_SENDER = """
SELECT c.name FROM campaign c LEFT JOIN run r ON r.app_id = c.app_id AND r.run_id = c.run_id
WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL AND c.kind = 'campaign'
  AND c.status IN ('Active', 'Paused', 'Scheduled', 'Rescheduled')
  AND (
      (r.ended_at IS NULL AND %(sender_id)s = ANY(coalesce(r.sender_ids, ARRAY[r.sender_id])))
      OR (
          %(address)s IN (c.caller_id, '*') AND c.caller_id NOT LIKE 'pool:%%'
          AND NOT EXISTS (
              SELECT FROM sender o
              WHERE o.app_id = c.app_id AND o.sender_id <> %(sender_id)s AND o.deleted_at IS NULL
                AND o.address IN (c.caller_id, '*')
          )
      )
  )
ORDER BY c.campaign_id
"""


async def campaigns_of_sender(conn: Conn, app_id: int, sender_id: int, address: str) -> list[str]:
    """Names of campaigns that send through a sender, or would find nobody in its place when they start."""
    values = {"app_id": app_id, "sender_id": sender_id, "address": address}
    return [str(row[0]) for row in await (await conn.execute(CAMPAIGNS_OF_SENDER, values)).fetchall()]


CAMPAIGNS_OF_POOL = """
SELECT c.name FROM campaign c
WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL AND c.kind = 'campaign'
  AND c.status IN ('Active', 'Paused', 'Scheduled', 'Rescheduled') AND lower(c.caller_id) = lower(%(caller_id)s)
ORDER BY c.campaign_id
"""


async def campaigns_of_pool(conn: Conn, app_id: int, caller_id: str) -> list[str]:
    """Names of campaigns under way, or to start by themselves, that are sent from a pool."""
    values = {"app_id": app_id, "caller_id": caller_id}
    return [str(row[0]) for row in await (await conn.execute(CAMPAIGNS_OF_POOL, values)).fetchall()]


COUNT_SINGLES = """
SELECT coalesce(sum(t.waiting), 0)::bigint
FROM campaign c JOIN run r ON r.app_id = c.app_id AND r.run_id = c.run_id
JOIN tally t ON t.app_id = r.app_id AND t.run_id = r.run_id
WHERE c.app_id = %(app_id)s AND c.kind = 'single' AND c.deleted_at IS NULL AND r.sender_id = %(sender_id)s
"""


async def count_singles(conn: Conn, app_id: int, sender_id: int) -> int:
    """How many one-off texts wait for a sender."""
    row = await (await conn.execute(COUNT_SINGLES, {"app_id": app_id, "sender_id": sender_id})).fetchone()
    return 0 if row is None else int(row[0])


END_SINGLES = """
WITH ended AS (
    UPDATE run r SET ended_at = %(now)s, end_reason = 'deleted'
    WHERE r.app_id = %(app_id)s AND r.sender_id = %(sender_id)s AND r.ended_at IS NULL
      AND EXISTS (
          SELECT FROM campaign c WHERE c.app_id = r.app_id AND c.campaign_id = r.campaign_id AND c.kind = 'single'
      )
    RETURNING r.campaign_id
)
UPDATE campaign c SET status = 'Completed', deleted_at = %(now)s FROM ended e
WHERE c.app_id = %(app_id)s AND c.campaign_id = e.campaign_id
"""


async def end_singles(conn: Conn, app_id: int, sender_id: int, *, now: datetime) -> None:
    """End what carries one-off texts through a sender, of which none waits. Whoever holds the sender keeps it so."""
    await conn.execute(END_SINGLES, {"app_id": app_id, "sender_id": sender_id, "now": now})
