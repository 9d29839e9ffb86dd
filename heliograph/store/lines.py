"""How the lines of carrier accounts stand, as each worker that has one open sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Standing:
    """How a line stands at one worker. ``state``: up, down or refused; ``words``: what was said last."""

    app_id: int
    account_id: int
    state: str
    since: datetime
    words: str
    next_try_at: datetime | None = None
    version: int = 0  # of the account with which the line was opened; not kept


@dataclass(frozen=True, slots=True)
class Seen(Standing):
    """A standing as it is kept: by which worker (``host:pid``), and when that worker last said so."""

    worker: str = ""
    seen_at: datetime | None = None


PUT = """
INSERT INTO line (app_id, account_id, worker, state, since, words, next_try_at, seen_at)
SELECT t.app_id, t.account_id, %(worker)s, t.state, t.since, t.words, t.next_try_at, %(now)s
FROM unnest(%(app_id)s::int[], %(account_id)s::int[], %(state)s::text[], %(since)s::timestamptz[],
            %(words)s::text[], %(next_try_at)s::timestamptz[])
     AS t (app_id, account_id, state, since, words, next_try_at)
ON CONFLICT (app_id, account_id, worker) DO UPDATE
    SET state = excluded.state, since = excluded.since, words = excluded.words,
        next_try_at = excluded.next_try_at, seen_at = excluded.seen_at
"""


async def put(conn: Conn, worker: str, standings: Sequence[Standing], *, now: datetime) -> None:
    """Set down how a worker's lines stand."""
    values = {
        "worker": worker,
        "app_id": [s.app_id for s in standings],
        "account_id": [s.account_id for s in standings],
        "state": [s.state for s in standings],
        "since": [s.since for s in standings],
        "words": [s.words for s in standings],
        "next_try_at": [s.next_try_at for s in standings],
        "now": now,
    }
    await conn.execute(PUT, values)


FORGET = "DELETE FROM line WHERE worker = %(worker)s AND NOT account_id = ANY(%(account_ids)s)"


async def forget_others(conn: Conn, worker: str, account_ids: Sequence[int]) -> None:
    """Drop what a worker has set down of lines that are not of these accounts: they are closed."""
    await conn.execute(FORGET, {"worker": worker, "account_ids": list(account_ids)})


FORGET_OLD = "DELETE FROM line WHERE seen_at < %(before)s"


async def forget_old(conn: Conn, *, before: datetime) -> int:
    """Drop what workers that are gone have left; answers how many."""
    return (await conn.execute(FORGET_OLD, {"before": before})).rowcount


LIST = """
SELECT app_id, account_id, state, since, words, next_try_at, worker, seen_at FROM line
WHERE app_id = %(app_id)s AND seen_at >= %(after)s ORDER BY account_id, since, worker
"""


async def list_seen(conn: Conn, app_id: int, *, after: datetime) -> list[Seen]:
    """The lines of an app's accounts that a worker has spoken of after ``after``, by account."""
    async with conn.cursor(row_factory=class_row(Seen)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id, "after": after})).fetchall()
