"""What carriers answered and told, in numbers: enough to see how an account does, cheap enough to keep always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

SLOT = 10
"""Seconds that are counted together."""


@dataclass(frozen=True, slots=True)
class Count:
    """``n`` times ``what``: accepted, lost, refused:CODE, deferred:CODE, delivered, failed:CODE."""

    app_id: int
    account_id: int
    what: str
    n: int


# In the order of the key, so that two workers cannot lock each other.
ADD = """
INSERT INTO carrier_count AS c (app_id, account_id, slot, what, n)
SELECT t.app_id, t.account_id, date_bin('10 seconds', %(now)s, 'epoch'::timestamptz), t.what, t.n
FROM unnest(%(app_id)s::int[], %(account_id)s::int[], %(what)s::text[], %(n)s::bigint[])
     AS t (app_id, account_id, what, n)
ORDER BY 1, 2, 3, 4
ON CONFLICT (app_id, account_id, slot, what) DO UPDATE SET n = c.n + excluded.n
"""


async def add(conn: Conn, counts: Sequence[Count], *, now: datetime) -> None:
    """Count on; each account and ``what`` once at most."""
    values = {
        "app_id": [c.app_id for c in counts],
        "account_id": [c.account_id for c in counts],
        "what": [c.what for c in counts],
        "n": [c.n for c in counts],
        "now": now,
    }
    await conn.execute(ADD, values)


SUMS = """
SELECT account_id, what, sum(n) FROM carrier_count
WHERE app_id = %(app_id)s AND account_id = ANY(%(account_ids)s::int[]) AND slot >= %(after)s AND slot < %(before)s
GROUP BY account_id, what
"""


async def sums(
    conn: Conn, app_id: int, account_ids: Sequence[int], *, after: datetime, before: datetime
) -> Mapping[int, dict[str, int]]:
    """By account, how often what, in the slots that begin in a span of time."""
    values = {"app_id": app_id, "account_ids": list(account_ids), "after": after, "before": before}
    found: dict[int, dict[str, int]] = {account_id: {} for account_id in account_ids}
    for account_id, what, n in await (await conn.execute(SUMS, values)).fetchall():
        found[int(account_id)][str(what)] = int(n)
    return found


FORGET = "DELETE FROM carrier_count WHERE slot < %(before)s"


async def forget(conn: Conn, *, before: datetime) -> None:
    """Drop what nobody asks for any more."""
    await conn.execute(FORGET, {"before": before})


# Bounded whatever the history: of the account's five latest runs the last 2,000 places each, by primary keys.
LAG = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM o.settled_at - o.submitted_at))
FROM (
    SELECT r.app_id, r.run_id FROM run r
    WHERE r.app_id = %(app_id)s
      AND coalesce(r.sender_ids, ARRAY[r.sender_id])
          && ARRAY(SELECT s.sender_id FROM sender s WHERE s.app_id = %(app_id)s AND s.account_id = %(account_id)s)
    ORDER BY r.run_id DESC LIMIT 5
) recent CROSS JOIN LATERAL (
    SELECT account_id, status, submitted_at, settled_at FROM outcome o
    WHERE o.app_id = recent.app_id AND o.run_id = recent.run_id ORDER BY o.seq DESC LIMIT 2000
) o
WHERE o.account_id = %(account_id)s AND o.status = 'delivered' AND o.submitted_at IS NOT NULL
"""


async def lag(conn: Conn, app_id: int, account_id: int) -> tuple[float, float] | None:
    """Seconds from a text's submission to its receipt: of half, and of 95 in 100, of its last deliveries."""
    row = await (await conn.execute(LAG, {"app_id": app_id, "account_id": account_id})).fetchone()
    return None if row is None or row[0] is None else (float(row[0][0]), float(row[0][1]))
