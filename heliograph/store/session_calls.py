"""Calls of services that sessions wait for: taking them, and how a session stands whose call was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from heliograph.store.database import Conn

# Whoever takes a call has until `lease` to make it: then another may, as its worker must be gone.
TAKE_CALLS = """
UPDATE session s SET due = %(lease)s FROM (
    SELECT app_id, session_id FROM session WHERE due <= %(now)s AND state = 'call'
    ORDER BY due LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) w
WHERE s.app_id = w.app_id AND s.session_id = w.session_id
RETURNING s.app_id, s.session_id, s.number, s.todo
"""


class Call(NamedTuple):
    """A session that waits for a service's answer."""

    app_id: int
    session_id: int
    number: str
    todo: list[dict[str, Any]]


async def take_calls(conn: Conn, *, now: datetime, lease: datetime, limit: int) -> list[Call]:
    """Take calls of services that are to be made, of any app; nobody else is given them before ``lease``."""
    values = {"now": now, "lease": lease, "limit": limit}
    return [Call(*row) for row in await (await conn.execute(TAKE_CALLS, values)).fetchall()]


# One that has been answered meanwhile is not put off: what its session waits for next is due now, or is no call.
HOLD_CALLS = """
UPDATE session s SET due = %(lease)s
FROM ROWS FROM (json_array_elements_text(%(app_id)s::json), json_array_elements_text(%(session_id)s::json))
    AS t (app_id, session_id)
WHERE s.app_id = t.app_id::bigint AND s.session_id = t.session_id::bigint AND s.state = 'call' AND s.due > %(now)s
"""


async def hold_calls(conn: Conn, calls: Collection[Call], *, now: datetime, lease: datetime) -> None:
    """Give nobody else these calls before ``lease``, which were taken and are not made yet."""
    values = {
        "app_id": columns.of([call.app_id for call in calls]),
        "session_id": columns.of([call.session_id for call in calls]),
        "now": now,
        "lease": lease,
    }
    await conn.execute(HOLD_CALLS, values)


STANDING = """
SELECT s.ended_at IS NOT NULL OR r.ended_at IS NOT NULL, s.seq = 0 AND s.texts = 0, k.status
FROM session s
LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
LEFT JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
WHERE s.app_id = %(app_id)s AND s.session_id = %(session_id)s
"""


class Standing(NamedTuple):
    """Whether a session is over, has said nothing yet, and the status of its campaign, if it is of one."""

    over: bool
    silent: bool
    status: str | None


async def standing(conn: Conn, app_id: int, session_id: int) -> Standing | None:
    """How a session stands; None when it is gone."""
    row = await (await conn.execute(STANDING, {"app_id": app_id, "session_id": session_id})).fetchone()
    return None if row is None else Standing(*row)
