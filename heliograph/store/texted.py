"""Which texts a person was sent of late, in apps with a frequency cap. Nothing is kept for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.caps import Cap
    from heliograph.store.database import Conn

# The caps that are full for the row t, leaving out text %OWN%. Counting times is cheap and nearly always enough; only
# where a cap looks full is each text looked up, by primary keys: one that the carrier refused, or that its run never
# got round to, does not count. Ten minutes after the end of a run whoever was in a worker's hand has an outcome.
_FULL = """
SELECT cap.place FROM unnest(%(texts)s::int[], %(days)s::int[]) WITH ORDINALITY AS cap (texts, days, place)
WHERE CASE
    WHEN (SELECT count(*) FROM unnest(t.at) AS a (at) WHERE a.at > %(now)s - cap.days * interval '24 hours')
         < cap.texts THEN false
    ELSE (SELECT count(*) FROM unnest(t.at, t.message) AS u (at, message)
          WHERE u.at > %(now)s - cap.days * interval '24 hours' AND u.message <> {own}
            AND NOT EXISTS ({not_counted})) >= cap.texts
    END
LIMIT 1
"""

# Whether text u of somebody does not count: refused by the carrier, settled as never sent, or never come to by its run.
_NOT_COUNTED = """
SELECT FROM run r LEFT JOIN outcome o
  ON o.app_id = r.app_id AND o.run_id = r.run_id AND o.seq = (u.message & 4294967295)::int
WHERE r.app_id = %(app_id)s AND r.run_id = (u.message >> 32)::int
  AND (o.status IN ('suppressed', 'expired') OR o.status = 'failed' AND o.carrier_ref IS NULL
       OR o.seq IS NULL AND r.ended_at < %(now)s - interval '10 minutes')
"""

# The hot one of the two: once for each batch, of apps with a cap only. The row of a person is locked by the conflict,
# also where nothing comes of it, so that of two lanes the second counts the text of the first. In the order of the
# numbers, or two batches with the same two people would wait for each other. It does not wait for the disk: the claim
# that follows does, and what is written before it is on the disk then too.
TAKE = f"""
INSERT INTO texted AS t (app_id, number, at, message)
SELECT %(app_id)s, p.number, ARRAY[%(now)s::timestamptz], ARRAY[p.message::bigint]
FROM ROWS FROM (json_array_elements_text(%(numbers)s::json), json_array_elements_text(%(messages)s::json))
     AS p (number, message), (SELECT set_config('synchronous_commit', 'off', true)) AS without_waiting
ORDER BY p.number
ON CONFLICT (app_id, number) DO UPDATE SET
    at = ARRAY(SELECT u.at FROM unnest(t.at, t.message) AS u (at, message)
               WHERE u.message <> excluded.message[1] AND u.at > %(since)s) || excluded.at,
    message = ARRAY(SELECT u.message FROM unnest(t.at, t.message) AS u (at, message)
                    WHERE u.message <> excluded.message[1] AND u.at > %(since)s) || excluded.message
WHERE NOT EXISTS ({_FULL.format(own="excluded.message[1]", not_counted=_NOT_COUNTED)})
RETURNING t.number
"""


async def take(
    conn: Conn, app_id: int, messages: Mapping[str, tuple[int, int]], caps: Sequence[Cap], *, now: datetime
) -> set[str]:
    """Write down that these people, ``(run_id, seq)`` by number, are being texted; those whom the caps allow it.

    A message that has a place already keeps one. Outside a transaction, or rows stay locked.
    """
    values = _values(app_id, caps, now) | {
        "numbers": columns.of(list(messages)),
        "messages": columns.of([run_id << 32 | seq for run_id, seq in messages.values()]),
    }
    return {str(row[0]) for row in await (await conn.execute(TAKE, values)).fetchall()}


FIND_TIMES = f"""
SELECT u.at FROM texted t CROSS JOIN LATERAL unnest(t.at, t.message) AS u (at, message)
WHERE t.app_id = %(app_id)s AND t.number = %(number)s AND NOT EXISTS ({_NOT_COUNTED}) ORDER BY u.at
"""


async def find_times(conn: Conn, app_id: int, number: str, *, now: datetime) -> list[datetime]:
    """When ``number`` was texted, as far as caps count it, the oldest first. For telling of one person."""
    values = {"app_id": app_id, "number": number, "now": now}
    return [row[0] for row in await (await conn.execute(FIND_TIMES, values)).fetchall()]


FIND_FULL = f"""
SELECT p.number, full_cap.place FROM json_array_elements_text(%(numbers)s::json) AS p (number)
JOIN texted t ON t.app_id = %(app_id)s AND t.number = p.number
CROSS JOIN LATERAL ({_FULL.format(own="0", not_counted=_NOT_COUNTED)}) AS full_cap
"""


async def find_full(
    conn: Conn, app_id: int, numbers: Sequence[str], caps: Sequence[Cap], *, now: datetime
) -> dict[str, Cap]:
    """Who of ``numbers`` may get no further text at ``now``, and by which cap."""
    values = _values(app_id, caps, now) | {"numbers": columns.of(list(numbers))}
    rows = await (await conn.execute(FIND_FULL, values)).fetchall()
    return {str(number): caps[int(place) - 1] for number, place in rows}


# Once, when a cap is set or its days grow: what left while nobody counted.
RECALL = """
INSERT INTO texted AS t (app_id, number, at, message)
SELECT m.app_id, m.number, array_agg(coalesce(o.submitted_at, o.settled_at)),
       array_agg(m.run_id::bigint << 32 | m.seq)
FROM run r
JOIN outcome o ON o.app_id = r.app_id AND o.run_id = r.run_id
JOIN message m ON m.app_id = o.app_id AND m.run_id = o.run_id AND m.seq = o.seq
WHERE r.app_id = %(app_id)s AND NOT r.transactional AND (r.ended_at IS NULL OR r.ended_at > %(since)s)
  AND coalesce(o.submitted_at, o.settled_at) > %(since)s
  AND (o.status IN ('accepted', 'delivered', 'unknown') OR o.status = 'failed' AND o.carrier_ref IS NOT NULL)
GROUP BY m.app_id, m.number
ON CONFLICT (app_id, number) DO UPDATE SET (at, message) = (
    SELECT array_agg(u.at), array_agg(u.message)
    FROM (SELECT DISTINCT ON (message) at, message
          FROM unnest(t.at || excluded.at, t.message || excluded.message) AS b (at, message) ORDER BY message) AS u)
"""


async def recall(conn: Conn, app_id: int, caps: Sequence[Cap], *, now: datetime) -> None:
    """Write down who was texted while no cap, or one of fewer days, was set: 7 µs a text."""
    await conn.execute(RECALL, _values(app_id, caps, now))


FORGET = "DELETE FROM texted WHERE app_id = %(app_id)s"


async def forget(conn: Conn, app_id: int) -> None:
    """The app has no cap any more."""
    await conn.execute(FORGET, {"app_id": app_id})


def _values(app_id: int, caps: Sequence[Cap], now: datetime) -> dict[str, Any]:
    return {
        "app_id": app_id,
        "texts": [cap.texts for cap in caps],
        "days": [cap.days for cap in caps],
        "since": now - max(cap.span for cap in caps),
        "now": now,
    }
