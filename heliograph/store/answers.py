"""First answers to requests that carry a key, so that a repeat gets the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from psycopg.rows import class_row
from psycopg.types.json import Json

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Place:
    """What a key belongs to: whose it is, and which request it marks. ``place`` is a SHA-256 of verb, path, query."""

    app_id: int
    client_id: str
    key: str
    place: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to which body (its SHA-256)."""

    body: bytes
    status: int
    headers: dict[str, str]
    content: bytes


FIND = """
SELECT body, status, headers, content FROM answer
WHERE app_id = %(app_id)s AND client_id = %(client_id)s AND key = %(key)s AND place = %(place)s
  AND answered_at > %(since)s
"""


async def find(conn: Conn, at: Place, *, since: datetime) -> Answer | None:
    """The first answer, if it was given after ``since``."""
    async with conn.cursor(row_factory=class_row(Answer)) as cursor:
        return await (await cursor.execute(FIND, _key(at) | {"since": since})).fetchone()


KEEP = """
INSERT INTO answer (app_id, client_id, key, place, body, status, headers, content, answered_at)
VALUES (%(app_id)s, %(client_id)s, %(key)s, %(place)s, %(body)s, %(status)s, %(headers)s, %(content)s, %(now)s)
ON CONFLICT (app_id, client_id, key, place) DO UPDATE
SET body = excluded.body, status = excluded.status, headers = excluded.headers, content = excluded.content,
    answered_at = excluded.answered_at
"""


async def keep(conn: Conn, at: Place, answer: Answer, *, now: datetime) -> None:
    """Remember the first answer, in place of one that is too old to count."""
    values = {"body": answer.body, "status": answer.status, "headers": Json(answer.headers), "content": answer.content}
    await conn.execute(KEEP, _key(at) | values | {"now": now})


def _key(at: Place) -> dict[str, object]:
    return {"app_id": at.app_id, "client_id": at.client_id, "key": at.key, "place": at.place}


DISCARD = "DELETE FROM answer WHERE answered_at <= %(before)s"


async def discard(conn: Conn, *, before: datetime) -> int:
    """Forget the answers given until ``before``; how many they were."""
    return (await conn.execute(DISCARD, {"before": before})).rowcount
