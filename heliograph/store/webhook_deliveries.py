"""What webhooks are to be told: a row for each event and address, until a week after it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.errors import NotFound
from heliograph.rules import webhook
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
WHERE t.event = ANY(w.events) OR ('*' = ANY(w.events) AND t.event <> ALL(%(by_name)s))
ORDER BY w.webhook_id, t.place
"""


async def add(conn: Conn, app_id: int, events: Sequence[tuple[str, str, str]], *, now: datetime) -> int:
    """Have every webhook that listens told of these events, ``(event_id, event, data)``; how many there are to tell."""
    values: dict[str, object] = {
        "event_id": columns.of([event_id for event_id, _, _ in events]),
        "event": columns.of([event for _, event, _ in events]),
        "data": columns.of([data for _, _, data in events]),
        "by_name": [str(event) for event in webhook.BY_NAME],
        "app_id": app_id,
        "now": now,
    }
    return (await conn.execute(ADD, values)).rowcount


ADD_ONE = """
INSERT INTO webhook_delivery (app_id, webhook_id, event_id, event, data, state, created_at, next_at)
VALUES (%(app_id)s, %(webhook_id)s, %(event_id)s, %(event)s, %(data)s, 'waiting', %(now)s, %(now)s)
RETURNING delivery_id
"""


async def add_one(  # a row has as many parts as it has
    conn: Conn, app_id: int, webhook_id: int, *, event_id: str, event: str, data: str, now: datetime
) -> int:
    """Have one webhook told of something, whatever it listens to; answers the delivery's number."""
    values = {
        "app_id": app_id,
        "webhook_id": webhook_id,
        "event_id": event_id,
        "event": event,
        "data": data,
        "now": now,
    }
    row = await (await conn.execute(ADD_ONE, values)).fetchone()
    return 0 if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook that there is something to tell now."""

    app_id: int
    webhook_id: int


# Each look of each worker: one probe of webhook_delivery_due for each webhook there is, of all apps; they are few.
LIST_DUE = """
SELECT w.app_id, w.webhook_id FROM webhook w
WHERE w.enabled AND EXISTS (
    SELECT FROM webhook_delivery d
    WHERE d.app_id = w.app_id AND d.webhook_id = w.webhook_id AND d.next_at IS NOT NULL AND d.next_at <= %(now)s)
ORDER BY w.webhook_id
"""


async def list_due(conn: Conn, now: datetime) -> list[Waiting]:
    """The webhooks that there is something to tell now, of all apps."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(LIST_DUE, {"now": now})).fetchall()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. ``next_at``: when it is tried next; None: not any more."""

    webhook_id: int
    delivery_id: int
    event_id: str
    event: str
    data: str
    state: str
    tries: int
    created_at: datetime
    next_at: datetime | None


_COLUMNS = "webhook_id, delivery_id, event_id, event, data, state, tries, created_at, next_at"

DUE = f"""
SELECT {_COLUMNS} FROM webhook_delivery
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s AND next_at IS NOT NULL AND next_at <= %(now)s
ORDER BY next_at, delivery_id LIMIT %(limit)s
"""


async def read_due(conn: Conn, app_id: int, webhook_id: int, now: datetime, *, limit: int) -> list[Delivery]:
    """What one webhook is to be told now, the first due first."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "now": now, "limit": limit}
    async with conn.cursor(row_factory=class_row(Delivery)) as cursor:
        return await (await cursor.execute(DUE, values)).fetchall()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try. ``status``: of HTTP; None: there was no answer. ``words``: why it failed, or the answer's."""

    delivery_id: int
    try_no: int
    at: datetime
    ms: int
    status: int | None
    words: str
    state: str  # of the delivery, after it
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastTry:
    """A try of a webhook's newest delivery, as :class:`Tried`."""

    webhook_id: int
    delivery_id: int
    try_no: int
    at: datetime
    ms: int
    status: int | None
    words: str


# One statement for a batch of tries. Whoever asks for one again meanwhile (redeliver) has set next_at: that stays.
RECORD = """
WITH given AS (
    SELECT * FROM unnest(
        %(delivery_id)s::bigint[], %(try_no)s::int[], %(at)s::timestamptz[], %(ms)s::int[], %(status)s::int[],
        %(words)s::text[], %(state)s::text[], %(next_at)s::timestamptz[])
    AS t (delivery_id, try_no, at, ms, status, words, state, next_at)
), moved AS (
    UPDATE webhook_delivery d SET state = g.state, tries = g.try_no, next_at = g.next_at
    FROM given g
    WHERE d.app_id = %(app_id)s AND d.webhook_id = %(webhook_id)s AND d.delivery_id = g.delivery_id
    RETURNING d.delivery_id
)
INSERT INTO webhook_try (app_id, webhook_id, delivery_id, try_no, at, ms, status, words)
SELECT %(app_id)s, %(webhook_id)s, g.delivery_id, g.try_no, g.at, g.ms, g.status, g.words
FROM given g JOIN moved m USING (delivery_id)
ON CONFLICT (app_id, webhook_id, delivery_id, try_no) DO NOTHING
"""


async def record(conn: Conn, app_id: int, webhook_id: int, tried: Sequence[Tried]) -> None:
    """Write down what came of tries; of deliveries that are gone, nothing."""
    names = ("delivery_id", "try_no", "at", "ms", "status", "words", "state", "next_at")
    values: dict[str, object] = {name: [getattr(one, name) for one in tried] for name in names}
    await conn.execute(RECORD, values | {"app_id": app_id, "webhook_id": webhook_id})


PAGE = f"""
SELECT {_COLUMNS} FROM webhook_delivery
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY delivery_id DESC OFFSET %(skip)s LIMIT %(limit)s
"""


async def page(conn: Conn, app_id: int, webhook_id: int, *, state: str | None, skip: int, limit: int) -> list[Delivery]:
    """What a webhook was told and is to be told, the newest first."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "state": state, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Delivery)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


TRIES = """
SELECT t.delivery_id, t.try_no, t.at, t.ms, t.status, t.words, d.state, d.next_at
FROM webhook_try t JOIN webhook_delivery d USING (app_id, webhook_id, delivery_id)
WHERE t.app_id = %(app_id)s AND t.webhook_id = %(webhook_id)s AND t.delivery_id = ANY(%(delivery_ids)s)
ORDER BY t.delivery_id, t.try_no
"""


async def tries_of(conn: Conn, app_id: int, webhook_id: int, delivery_ids: Sequence[int]) -> list[Tried]:
    """The tries of some deliveries, in their order."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "delivery_ids": list(delivery_ids)}
    async with conn.cursor(row_factory=class_row(Tried)) as cursor:
        return await (await cursor.execute(TRIES, values)).fetchall()


# The primary key of webhook_try backwards: one row for each.
LAST_TRIES = """
SELECT w.webhook_id, t.delivery_id, t.try_no, t.at, t.ms, t.status, t.words
FROM unnest(%(webhook_ids)s::int[]) AS w (webhook_id)
CROSS JOIN LATERAL (
    SELECT delivery_id, try_no, at, ms, status, words FROM webhook_try
    WHERE app_id = %(app_id)s AND webhook_id = w.webhook_id
    ORDER BY delivery_id DESC, try_no DESC LIMIT 1
) AS t
"""


async def last_tries(conn: Conn, app_id: int, webhook_ids: Sequence[int]) -> dict[int, LastTry]:
    """What came of the last try of the newest delivery of each webhook that was tried at all."""
    async with conn.cursor(row_factory=class_row(LastTry)) as cursor:
        await cursor.execute(LAST_TRIES, {"app_id": app_id, "webhook_ids": list(webhook_ids)})
        return {row.webhook_id: row for row in await cursor.fetchall()}


AGAIN = f"""
UPDATE webhook_delivery SET state = 'waiting', next_at = %(now)s
WHERE app_id = %(app_id)s AND webhook_id = %(webhook_id)s AND event_id = %(event_id)s
RETURNING {_COLUMNS}
"""


async def again(conn: Conn, app_id: int, webhook_id: int, event_id: str, *, now: datetime) -> Delivery:
    """Tell it once more, with the id it had. Raises NotFound."""
    values = {"app_id": app_id, "webhook_id": webhook_id, "event_id": event_id, "now": now}
    async with conn.cursor(row_factory=class_row(Delivery)) as cursor:
        found = await (await cursor.execute(AGAIN, values)).fetchone()
    if found is None:
        raise NotFound(f"This webhook was not told of {event_id}, or more than a week ago", field="eventId")
    return found


FORGET = """
DELETE FROM webhook_delivery WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM webhook_delivery WHERE created_at < %(before)s ORDER BY created_at LIMIT 1000)::tid[])
"""


async def forget(conn: Conn, *, before: datetime) -> int:
    """Forget what came about before then, 1,000 at most; how many that were."""
    return (await conn.execute(FORGET, {"before": before})).rowcount
