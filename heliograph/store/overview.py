"""Campaigns as the console shows them: many at once, of all apps, each with its numbers and what holds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.rows import dict_row

from heliograph.errors import NotFound
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import locks, tallies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Wait:
    """``people`` in ``zone`` who may not be texted before ``due_at``; ``day_used``: because their sender's day is."""

    zone: str
    due_at: datetime
    people: int
    day_used: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign, its present or last run, and where everybody of that run stands.

    ``contacts`` are the lines of its lists now, ``audience`` those there were when the run began.
    ``planned``: the lists of the run have been read to the end. ``waits`` are the first two times that
    people are held until, soonest first. ``next_at``: when it starts by itself, if it does.
    ``carrier``, ``parts_per_second``: the carriers of the run's senders, and what these may send together.
    ``lane_held``: some worker sends through one of them now.
    What concerns the run is empty when there never was one.
    """

    app_public_id: str
    app_name: str
    public_id: str
    name: str
    status: CampaignStatus
    priority: int
    caller_id: str
    message: dict[str, Any] | None
    list_names: tuple[str, ...]
    contacts: int
    run_id: int | None
    next_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    audience: int
    planned: bool
    calling_hours: dict[str, Any] | None
    carrier: str | None
    parts_per_second: float | None
    lane_held: bool
    waits: tuple[Wait, ...]
    ledger: tallies.Ledger

    @property
    def unread(self) -> int:
        """Contacts of the run's lists that have not been read yet; at most so many people are still to come."""
        return 0 if self.planned or self.run_id is None else max(0, self.audience - self.ledger.total)


# One snapshot for all, so that every row adds up. Per campaign with a run: a handful of tally rows by primary
# key and, while the run goes on, its open chunks with a due time ahead by the partial index chunk_open (500
# people each; ten million held are an index range of 20,000). No message and no outcome is touched.
# pg_locks is read once, for all lanes.
_SELECT = """
WITH lane AS MATERIALIZED (
    SELECT objid::bigint AS sender_id FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(lane)s
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), shown AS (
    SELECT c.app_id, c.campaign_id, c.public_id, c.name, c.status, c.priority, c.caller_id, c.message,
           r.run_id, coalesce(r.sender_ids, ARRAY[r.sender_id]) AS sender_ids, r.started_at, r.ended_at,
           coalesce(r.audience, 0) AS audience, r.planned_at IS NOT NULL AS planned, r.calling_hours,
           greatest(c.created_at, r.started_at) AS begun_at
    FROM campaign c LEFT JOIN run r ON r.app_id = c.app_id AND r.run_id = c.run_id
    WHERE c.deleted_at IS NULL AND c.kind = 'campaign'
"""

_NUMBERS = """
)
SELECT a.public_id AS app_public_id, a.name AS app_name, s.public_id, s.name, s.status, s.priority, s.caller_id,
       s.message, linked.list_names, linked.contacts, s.run_id, s.started_at, s.ended_at, s.audience, s.planned,
       s.calling_hours, z.next_at, through.carrier, through.parts_per_second,
       EXISTS (SELECT FROM lane WHERE lane.sender_id = ANY(s.sender_ids)) AS lane_held,
       coalesce(later.held, 0)::bigint AS later_held, later.zones, later.dues, later.people, later.used, sums.*
FROM shown s
JOIN app a ON a.app_id = s.app_id
LEFT JOIN schedule z ON z.app_id = s.app_id AND z.campaign_id = s.campaign_id AND z.enabled
CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT k.kind, ', ') AS carrier,
           CASE WHEN bool_and(n.parts_per_second IS NOT NULL) THEN sum(n.parts_per_second) END AS parts_per_second
    FROM sender n JOIN carrier_account k ON k.app_id = n.app_id AND k.account_id = n.account_id
    WHERE n.app_id = s.app_id AND n.sender_id = ANY(s.sender_ids)
) through
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(l.name ORDER BY x.position), '{}') AS list_names,
           coalesce(sum(l.contact_count), 0)::bigint AS contacts
    FROM campaign_list x JOIN contact_list l ON l.app_id = x.app_id AND l.list_id = x.list_id
    WHERE x.app_id = s.app_id AND x.campaign_id = s.campaign_id
) linked
CROSS JOIN LATERAL (
    SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(waiting), 0)::bigint AS waiting,
           coalesce(sum(submitting), 0)::bigint AS submitting, coalesce(sum(unknown), 0)::bigint AS unknown,
           coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(suppressed), 0)::bigint AS suppressed,
           coalesce(sum(expired), 0)::bigint AS expired
    FROM tally t WHERE t.app_id = s.app_id AND t.run_id = s.run_id
) sums
CROSS JOIN LATERAL (
    SELECT sum(g.people) AS held, (array_agg(g.zone ORDER BY g.due_at, g.zone))[1:2] AS zones,
           (array_agg(g.due_at ORDER BY g.due_at, g.zone))[1:2] AS dues,
           (array_agg(g.people ORDER BY g.due_at, g.zone))[1:2] AS people,
           (array_agg(g.used ORDER BY g.due_at, g.zone))[1:2] AS used
    FROM (
        SELECT h.zone, h.due_at, h.used, sum(h.people) AS people
        FROM unnest(s.sender_ids) AS t (sender_id)
        LEFT JOIN sender n ON n.app_id = s.app_id AND n.sender_id = t.sender_id AND n.held_until > %(now)s
        CROSS JOIN LATERAL (
            SELECT c.zone, greatest(c.due_at, n.held_until) AS due_at, coalesce(c.due_at < n.held_until, false) AS used,
                   c.last_seq - c.next_seq + 1 - c.gaps AS people
            FROM chunk c
            WHERE c.app_id = s.app_id AND c.sender_id = t.sender_id AND c.run_id = s.run_id AND s.ended_at IS NULL
              AND NOT c.done AND c.next_seq <= c.last_seq
              AND c.due_at > CASE WHEN n.held_until IS NULL THEN %(now)s::timestamptz ELSE '-infinity' END
        ) h
        GROUP BY h.zone, h.due_at, h.used
    ) g
) later
ORDER BY s.begun_at DESC, s.campaign_id DESC
"""

# By when it was made or last started: a campaign that ends by itself keeps its place on the screen.
PAGE: LiteralString = f"""{_SELECT}
      AND (%(app_id)s::int IS NULL OR c.app_id = %(app_id)s)
      AND (%(status)s::campaign_status IS NULL OR c.status = %(status)s)
    ORDER BY begun_at DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}"""


async def page(
    conn: Conn, *, app_id: int | None, status: CampaignStatus | None, offset: int, limit: int, now: datetime
) -> list[Standing]:
    """Campaigns ``offset`` .. ``offset + limit``, the last made or started first.

    None for ``app_id`` or ``status`` does not narrow it.
    """
    values = {
        "app_id": app_id,
        "status": None if status is None else status.value,
        "offset": offset,
        "limit": limit,
        "now": now,
        "lane": locks.Kind.LANE,
    }
    async with conn.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(PAGE, values)).fetchall()
    return [_standing(row) for row in rows]


GET: LiteralString = f"{_SELECT} AND c.app_id = %(app_id)s AND c.public_id = %(public_id)s{_NUMBERS}"


async def get(conn: Conn, app_id: int, public_id: str, *, now: datetime) -> Standing:
    """One campaign of an app. Raises NotFound."""
    values = {"app_id": app_id, "public_id": public_id, "now": now, "lane": locks.Kind.LANE}
    async with conn.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(GET, values)).fetchone()
    if row is None:
        raise NotFound(f"There is no campaign {public_id} in this app; it may have been deleted", field="campaignId")
    return _standing(row)


COUNT = """
SELECT status, count(*) FROM campaign
WHERE deleted_at IS NULL AND kind = 'campaign' AND (%(app_id)s::int IS NULL OR app_id = %(app_id)s)
GROUP BY status
"""


async def count(conn: Conn, *, app_id: int | None) -> dict[CampaignStatus, int]:
    """How many campaigns there are in each status that has any."""
    rows = await (await conn.execute(COUNT, {"app_id": app_id})).fetchall()
    return {CampaignStatus(status): int(people) for status, people in rows}


# What tally and Ledger call the same; held and ready are told apart here.
_LEDGER = ("total", "submitting", "unknown", "accepted", "failed", "delivered", "suppressed", "expired")


def _standing(row: Mapping[str, Any]) -> Standing:
    values = dict(row)
    waiting, held = values.pop("waiting"), values.pop("later_held")
    held = min(held, waiting)
    numbers = {name: values.pop(name) for name in _LEDGER}
    waits = [values.pop(name) or () for name in ("zones", "dues", "people", "used")]
    values["status"] = CampaignStatus(values["status"])
    values["list_names"] = tuple(values["list_names"])
    return Standing(
        **values,
        waits=tuple(Wait(zone, due_at, int(people), used) for zone, due_at, people, used in zip(*waits, strict=True)),
        ledger=tallies.Ledger(held=held, ready=waiting - held, **numbers),
    )
