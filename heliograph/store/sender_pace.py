"""What a lane tells of its pace, every few seconds, never for a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sender's lane stood when it was last told. Times in seconds, by the database's clock alone."""

    learned: float | None  # parts a second
    hold_s: float  # for which what has left counts in the rate
    sending_s: float  # from now on in which its last holder may have sent; at or below 0: it was done by now
    age_s: float  # since it was told


FIND = """
SELECT learned, hold_s, extract(epoch FROM sent_until - clock_timestamp())::float8 AS sending_s,
       extract(epoch FROM clock_timestamp() - noted_at)::float8 AS age_s
FROM sender_pace WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s
"""


async def find(conn: Conn, app_id: int, sender_id: int) -> Standing | None:
    """How a lane stood last, or None when nobody ever sent through it."""
    async with conn.cursor(row_factory=class_row(Standing)) as cursor:
        return await (await cursor.execute(FIND, {"app_id": app_id, "sender_id": sender_id})).fetchone()


LEARNED = """
SELECT sender_id, learned FROM sender_pace
WHERE app_id = %(app_id)s AND sender_id = ANY(%(sender_ids)s) AND learned IS NOT NULL
"""


async def learned(conn: Conn, app_id: int, sender_ids: Sequence[int]) -> dict[int, float]:
    """Parts a second that the carriers of these senders were seen to take; without those that took all."""
    values = {"app_id": app_id, "sender_ids": list(sender_ids)}
    return {int(sender): float(rate) for sender, rate in await (await conn.execute(LEARNED, values)).fetchall()}


# By primary key, on a page with room: a heap-only update. One every few seconds for each lane that is sending.
NOTE = """
INSERT INTO sender_pace AS p (app_id, sender_id, parts_per_second, learned, away_at, waiting, sent_until, hold_s,
                              noted_at)
VALUES (%(app_id)s, %(sender_id)s, %(parts_per_second)s, %(learned)s,
        clock_timestamp() - make_interval(secs => %(away_s)s), %(waiting)s,
        clock_timestamp() + make_interval(secs => %(sending_s)s), %(hold_s)s, clock_timestamp())
ON CONFLICT (app_id, sender_id) DO UPDATE
SET parts_per_second = excluded.parts_per_second, learned = excluded.learned,
    away_at = coalesce(excluded.away_at, p.away_at), waiting = excluded.waiting, sent_until = excluded.sent_until,
    hold_s = excluded.hold_s, noted_at = excluded.noted_at
"""


@dataclass(frozen=True, slots=True)
class Note:
    """What a lane tells: see the table's columns. Seconds, from or before this moment."""

    parts_per_second: float | None
    learned: float | None
    away_s: float | None  # since the carrier last turned a text away; None: it did not
    waiting: bool
    sending_s: float
    hold_s: float


async def note(conn: Conn, app_id: int, sender_id: int, told: Note) -> None:
    """Tell how a lane stands. Only by the session that holds it."""
    values = {
        "app_id": app_id,
        "sender_id": sender_id,
        "parts_per_second": told.parts_per_second,
        "learned": told.learned,
        "away_s": told.away_s,
        "waiting": told.waiting,
        "sending_s": told.sending_s,
        "hold_s": told.hold_s,
    }
    await conn.execute(NOTE, values)
