"""Schedules: when campaigns start by themselves, and what became of the last start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Json

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

Outcome = Literal["started", "held", "skipped"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A row of table ``schedule``. ``body`` is as it was sent; ``next_at`` is None when no start is to come."""

    app_id: int
    campaign_id: int
    body: dict[str, Any]
    recurs: bool
    enabled: bool
    next_at: datetime | None
    ends_at: datetime | None
    last_at: datetime | None
    last_outcome: Outcome | None
    last_reason: str | None


FIND = """
SELECT app_id, campaign_id, body, recurs, enabled, next_at, ends_at, last_at, last_outcome::text, last_reason
FROM schedule
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""


async def find(conn: Conn, app_id: int, campaign_id: int) -> Schedule | None:
    """A campaign's schedule, switched on or off, or None when it never had one."""
    async with conn.cursor(row_factory=class_row(Schedule)) as cursor:
        return await (await cursor.execute(FIND, {"app_id": app_id, "campaign_id": campaign_id})).fetchone()


ENABLE = """
INSERT INTO schedule (app_id, campaign_id, body, recurs, enabled, next_at, ends_at, updated_at)
VALUES (%(app_id)s, %(campaign_id)s, %(body)s, %(recurs)s, true, %(next_at)s, %(ends_at)s, %(now)s)
ON CONFLICT (app_id, campaign_id) DO UPDATE
SET body = excluded.body, recurs = excluded.recurs, enabled = true, next_at = excluded.next_at,
    ends_at = excluded.ends_at, last_at = NULL, last_outcome = NULL, last_reason = NULL,
    updated_at = excluded.updated_at
"""


async def enable(
    conn: Conn,
    app_id: int,
    campaign_id: int,
    *,
    body: object,
    recurs: bool,
    next_at: datetime,
    ends_at: datetime | None,
    now: datetime,
) -> None:
    """Give a campaign this schedule, in place of any it had."""
    values = {
        "app_id": app_id,
        "campaign_id": campaign_id,
        "body": Json(body),
        "recurs": recurs,
        "next_at": next_at,
        "ends_at": ends_at,
        "now": now,
    }
    await conn.execute(ENABLE, values)


DISABLE = """
UPDATE schedule SET enabled = false, next_at = NULL, updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND enabled
"""


async def disable(conn: Conn, app_id: int, campaign_id: int, *, now: datetime) -> None:
    """Switch a campaign's schedule off, if it has one; it stays readable."""
    await conn.execute(DISABLE, {"app_id": app_id, "campaign_id": campaign_id, "now": now})


MOVE = """
UPDATE schedule SET next_at = %(next_at)s, ends_at = %(ends_at)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND enabled
"""


async def move(
    conn: Conn, app_id: int, campaign_id: int, *, next_at: datetime | None, ends_at: datetime | None, now: datetime
) -> None:
    """Set the times of a schedule anew: the campaign's zone has changed under it."""
    values = {"app_id": app_id, "campaign_id": campaign_id, "next_at": next_at, "ends_at": ends_at, "now": now}
    await conn.execute(MOVE, values)


RECORD = """
UPDATE schedule
SET next_at = %(next_at)s, last_at = %(at)s, last_outcome = %(outcome)s, last_reason = %(reason)s,
    updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""


async def record(
    conn: Conn,
    app_id: int,
    campaign_id: int,
    *,
    at: datetime,
    outcome: Outcome,
    reason: str | None,
    next_at: datetime | None,
    now: datetime,
) -> None:
    """Write down what became of the start that was due at ``at``, and when the next one is."""
    values = {
        "app_id": app_id,
        "campaign_id": campaign_id,
        "at": at,
        "outcome": outcome,
        "reason": reason,
        "next_at": next_at,
        "now": now,
    }
    await conn.execute(RECORD, values)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A campaign whose schedule asks for something now."""

    app_id: int
    campaign_public_id: str


# The front of schedule_due, and for each found its campaign's id by primary key: a subquery and not a join, which
# without statistics becomes a scan of every campaign. A deleted campaign's schedule is switched off. A literal
# limit, so that the plan knows it; the rest comes half a second later.
DUE = """
SELECT s.app_id, (SELECT c.public_id FROM campaign c
                  WHERE c.app_id = s.app_id AND c.campaign_id = s.campaign_id) AS campaign_public_id
FROM schedule s
WHERE s.enabled AND s.next_at IS NOT NULL AND s.next_at <= %(now)s
ORDER BY s.next_at LIMIT 500
"""


async def list_due(conn: Conn, now: datetime) -> list[Waiting]:
    """Campaigns of all apps whose start has come, longest waiting first, 500 at most."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(DUE, {"now": now})).fetchall()


# From the few campaigns that are Active (campaign_active), each by its schedule's primary key.
OVER = """
SELECT c.app_id, c.public_id AS campaign_public_id
FROM campaign c JOIN schedule s ON s.app_id = c.app_id AND s.campaign_id = c.campaign_id
WHERE c.status = 'Active' AND c.deleted_at IS NULL AND s.enabled AND s.ends_at <= %(now)s
"""


async def list_over(conn: Conn, now: datetime) -> list[Waiting]:
    """Campaigns of all apps that are Active although their schedule's end has come."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(OVER, {"now": now})).fetchall()
