"""What became of each pull of a list: one row a sync, the newest thousand of each list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

KEPT = 1000  # of each list

Outcome = Literal["running", "completed", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Sync:
    """A row of table ``sync_log``. ``problems`` are ``{record, field, value, problem}``, the first ones."""

    sync_no: int
    outcome: Outcome
    by_hand: bool
    started_at: datetime
    ended_at: datetime | None
    pages: int
    fetched: int
    added: int
    duplicates: int
    rejected: int
    problems: list[dict[str, Any]]
    reason: str | None


BEGIN = """
INSERT INTO sync_log (app_id, list_id, sync_no, outcome, by_hand, started_at)
VALUES (%(app_id)s, %(list_id)s, %(sync_no)s, 'running', %(by_hand)s, %(now)s)
"""


async def begin(conn: Conn, app_id: int, list_id: int, sync_no: int, *, by_hand: bool, now: datetime) -> None:
    """Write down that a sync has begun."""
    values = {"app_id": app_id, "list_id": list_id, "sync_no": sync_no, "by_hand": by_hand, "now": now}
    await conn.execute(BEGIN, values)


INTERRUPT = """
UPDATE sync_log SET outcome = 'interrupted', ended_at = %(now)s, reason = %(reason)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND outcome = 'running'
"""


async def interrupt(conn: Conn, app_id: int, list_id: int, *, reason: str, now: datetime) -> int:
    """Write down that whatever sync of the list had begun will not end; how many there were."""
    values = {"app_id": app_id, "list_id": list_id, "reason": reason, "now": now}
    return (await conn.execute(INTERRUPT, values)).rowcount


END = """
UPDATE sync_log
SET outcome = %(outcome)s::sync_outcome, ended_at = %(now)s, pages = %(pages)s, fetched = %(fetched)s,
    added = %(added)s, duplicates = %(duplicates)s, rejected = %(rejected)s, problems = %(problems)s,
    reason = %(reason)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND sync_no = %(sync_no)s AND outcome = 'running'
"""


async def end(
    conn: Conn,
    app_id: int,
    list_id: int,
    sync_no: int,
    *,
    outcome: Outcome,
    now: datetime,
    pages: int = 0,
    fetched: int = 0,
    added: int = 0,
    duplicates: int = 0,
    rejected: int = 0,
    problems: Sequence[Mapping[str, object]] = (),
    reason: str | None = None,
) -> bool:
    """Write down how a sync ended; False when it was interrupted before."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "sync_no": sync_no,
        "outcome": outcome,
        "now": now,
        "pages": pages,
        "fetched": fetched,
        "added": added,
        "duplicates": duplicates,
        "rejected": rejected,
        "problems": Json([dict(each) for each in problems]),
        "reason": reason,
    }
    return (await conn.execute(END, values)).rowcount > 0


TRIM = "DELETE FROM sync_log WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND sync_no <= %(last)s"


async def trim(conn: Conn, app_id: int, list_id: int, *, newest: int) -> None:
    """Forget all but the thousand syncs up to number ``newest``."""
    await conn.execute(TRIM, {"app_id": app_id, "list_id": list_id, "last": newest - KEPT})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which syncs: with this text in their outcome, reason or problems, and begun between these instants."""

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


PAGE = """
SELECT sync_no, outcome::text, by_hand, started_at, ended_at, pages, fetched, added, duplicates, rejected, problems,
       reason
FROM sync_log
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
  AND (%(text)s = '' OR strpos(lower(concat_ws(' ', outcome::text, reason, problems::text)), lower(%(text)s)) > 0)
  AND started_at >= coalesce(%(since)s, started_at) AND started_at <= coalesce(%(until)s, started_at)
ORDER BY sync_no DESC OFFSET %(skip)s LIMIT %(limit)s
"""


async def page(conn: Conn, app_id: int, list_id: int, wanted: Wanted, *, skip: int, limit: int) -> list[Sync]:
    """Some of a list's syncs, the newest first."""
    values = _values(app_id, list_id, wanted) | {"skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Sync)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


COUNT = """
SELECT count(*) FROM sync_log
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
  AND (%(text)s = '' OR strpos(lower(concat_ws(' ', outcome::text, reason, problems::text)), lower(%(text)s)) > 0)
  AND started_at >= coalesce(%(since)s, started_at) AND started_at <= coalesce(%(until)s, started_at)
"""


async def count(conn: Conn, app_id: int, list_id: int, wanted: Wanted) -> int:
    """How many of a list's syncs are wanted."""
    row = await (await conn.execute(COUNT, _values(app_id, list_id, wanted))).fetchone()
    return 0 if row is None else int(row[0])


def _values(app_id: int, list_id: int, wanted: Wanted) -> dict[str, object]:
    return {
        "app_id": app_id,
        "list_id": list_id,
        "text": wanted.text,
        "since": wanted.since,
        "until": wanted.until,
    }
