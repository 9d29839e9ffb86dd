"""What webhooks are to be told: a row for each event and address, until a week after it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

# In the transaction of what is told: play, stop, each batch of replies. Where nobody listens it is one look into
# webhook_listening, and no row is made of what was given.
ADD = """
INSERT INTO webhook_delivery (app_id, webhook_id, event_id, event, data, state, created_at, next_at)
SELECT w.app_id, w.webhook_id, t.event_id, t.event, t.data, 'waiting', %(now)s, %(now)s
FROM (SELECT * FROM webhook WHERE app_id = %(app_id)s AND enabled OFFSET 0) AS w
CROSS JOIN ROWS FROM (
    json_array_elements_text(%(event_id)s::json), json_array_elements_text(%(event)s::json),
    json_array_elements_text(%(data)s::json)
) WITH ORDINALITY AS t (event_id, event, data, place)
WHERE w.events && ARRAY[t.event, '*']
ORDER BY w.webhook_id, t.place
"""


async def add(conn: Conn, app_id: int, events: Sequence[tuple[str, str, str]], *, now: datetime) -> int:
    """Have every webhook that listens told of these events, ``(event_id, event, data)``; how many there are to tell."""
    values: dict[str, object] = {
        "event_id": columns.of([event_id for event_id, _, _ in events]),
        "event": columns.of([event for _, event, _ in events]),
        "data": columns.of([data for _, _, data in events]),
        "app_id": app_id,
        "now": now,
    }
    return (await conn.execute(ADD, values)).rowcount
