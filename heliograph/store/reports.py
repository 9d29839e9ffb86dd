"""Sums over the runs of an app that began in some days: by campaign, day, sender, carrier or country.

Read from the tallies, which are kept as texts leave: the same price for ten people and for ten million. Countries are
counted apart (:mod:`heliograph.store.country_counts`); what they do not account for stands in a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, LiteralString

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

By = Literal["campaign", "day", "sender", "carrier", "country"]

REST: Literal["?"] = "?"
"""The ``ref`` of what no country has been counted for yet, or any more."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The texts of a campaign, day, sender, carrier or country. ``ref``: its public id, the day, the country's code.

    ``people``: those of main runs, ``None`` by sender and carrier, as somebody not texted has none. ``sent`` were
    taken by a carrier, ``delivered`` among them; ``left_out`` may not be texted; ``expired`` were not texted in time.
    """

    ref: str
    name: str
    gone: bool
    runs: int
    people: int | None
    sent: int
    delivered: int
    failed: int
    unknown: int
    left_out: int
    expired: int
    waiting: int


_SUMS: LiteralString = """
       count(DISTINCT t.run_id)::int AS runs, sum(t.accepted + t.delivered)::bigint AS sent,
       sum(t.delivered)::bigint AS delivered, sum(t.failed)::bigint AS failed, sum(t.unknown)::bigint AS unknown,
       sum(t.suppressed)::bigint AS left_out, sum(t.expired)::bigint AS expired,
       sum(t.waiting + t.submitting)::bigint AS waiting
"""
_RUNS: LiteralString = """
FROM run r JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
JOIN tally t ON t.app_id = r.app_id AND t.run_id = r.run_id
"""
# By run_started. One-off texts have one run for ever; it counts in the days in which it was begun.
_WHERE: LiteralString = """
WHERE r.app_id = %(app_id)s AND r.started_at >= %(after)s AND r.started_at < %(before)s
"""
_PEOPLE: LiteralString = "sum(t.total) FILTER (WHERE r.companion_of IS NULL)::bigint AS people"

STATEMENTS: dict[By, LiteralString] = {
    "campaign": f"""
SELECT k.public_id AS ref, k.name, k.deleted_at IS NOT NULL AS gone, {_PEOPLE}, {_SUMS} {_RUNS} {_WHERE}
GROUP BY k.public_id, k.name, k.deleted_at ORDER BY max(r.started_at) DESC LIMIT %(limit)s
""",
    "day": f"""
SELECT d.day AS ref, d.day AS name, false AS gone, {_PEOPLE}, {_SUMS} {_RUNS}
CROSS JOIN LATERAL (SELECT to_char(r.started_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD') AS day) AS d {_WHERE}
GROUP BY d.day ORDER BY d.day DESC LIMIT %(limit)s
""",
    "sender": f"""
SELECT s.public_id AS ref, s.address AS name, s.deleted_at IS NOT NULL AS gone, NULL::bigint AS people, {_SUMS} {_RUNS}
JOIN sender s ON s.app_id = t.app_id AND s.sender_id = t.sender_id {_WHERE}
GROUP BY s.public_id, s.address, s.deleted_at ORDER BY sent DESC LIMIT %(limit)s
""",
    "carrier": f"""
SELECT a.public_id AS ref, a.name, a.deleted_at IS NOT NULL AS gone, NULL::bigint AS people, {_SUMS} {_RUNS}
JOIN sender s ON s.app_id = t.app_id AND s.sender_id = t.sender_id
JOIN carrier_account a ON a.app_id = s.app_id AND a.account_id = s.account_id {_WHERE}
GROUP BY a.public_id, a.name, a.deleted_at ORDER BY sent DESC LIMIT %(limit)s
""",
    # The rest: what the tallies say now and the counts did not yet; below 0 where people have left a column since.
    "country": f"""
WITH counted AS (
    SELECT c.country AS ref, count(DISTINCT c.run_id)::int AS runs,
           sum(c.total) FILTER (WHERE r.companion_of IS NULL) AS people, sum(c.accepted + c.delivered) AS sent,
           sum(c.delivered) AS delivered, sum(c.failed) AS failed, sum(c.unknown) AS unknown,
           sum(c.suppressed) AS left_out, sum(c.expired) AS expired, sum(c.waiting) AS waiting
    FROM run r JOIN run_country c ON c.app_id = r.app_id AND c.run_id = r.run_id {_WHERE} GROUP BY c.country
), whole AS (
    SELECT {_PEOPLE}, {_SUMS} {_RUNS} {_WHERE}
), lines AS (
    SELECT *, false AS rest FROM counted
    UNION ALL
    SELECT '{REST}', w.runs, coalesce(w.people, 0) - c.people, w.sent - c.sent, w.delivered - c.delivered,
           w.failed - c.failed, w.unknown - c.unknown, w.left_out - c.left_out, w.expired - c.expired,
           w.waiting - c.waiting, true
    FROM whole w CROSS JOIN (
        SELECT coalesce(sum(people), 0) AS people, coalesce(sum(sent), 0) AS sent,
               coalesce(sum(delivered), 0) AS delivered, coalesce(sum(failed), 0) AS failed,
               coalesce(sum(unknown), 0) AS unknown, coalesce(sum(left_out), 0) AS left_out,
               coalesce(sum(expired), 0) AS expired, coalesce(sum(waiting), 0) AS waiting FROM counted
    ) c
    WHERE w.runs > 0
)
SELECT ref, ref AS name, false AS gone, runs, coalesce(people, 0)::bigint AS people, sent::bigint, delivered::bigint,
       failed::bigint, unknown::bigint, left_out::bigint, expired::bigint, waiting::bigint
FROM lines
WHERE NOT rest OR (coalesce(people, 0), sent, delivered, failed, unknown, left_out, expired, waiting)
                  <> (0, 0, 0, 0, 0, 0, 0, 0)
ORDER BY rest, sent DESC, people DESC, ref LIMIT %(limit)s
""",
}


async def sums(
    conn: Conn, app_id: int, by: By, *, after: datetime, before: datetime, zone: str = "UTC", limit: int = 1000
) -> list[Sums]:
    """What the runs that began from ``after`` until ``before`` did. ``zone``: whose days, by day."""
    values = {"app_id": app_id, "after": after, "before": before, "zone": zone, "limit": limit}
    async with conn.cursor(row_factory=class_row(Sums)) as cursor:
        return await (await cursor.execute(STATEMENTS[by], values)).fetchall()
