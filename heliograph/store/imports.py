"""Imports: files of people for a list, each a row that says where it stands. The row is the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, LiteralString

from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import NotFound
from heliograph.rules import ids
from heliograph.store.locks import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

State = Literal["receiving", "waiting", "running", "done", "failed", "cancelled"]
OnDuplicate = Literal["skip", "update", "add"]
Source = Literal["given", "saved", "guessed"]


@dataclass(frozen=True, slots=True)
class Job:
    """A row of table ``import_job``. ``rows = added + updated + duplicates + rejected``."""

    app_id: int
    import_id: int
    public_id: str
    list_id: int
    file_name: str
    size: int
    state: State
    dry_run: bool
    on_duplicate: OnDuplicate | None
    region: str | None
    mapping: dict[str, str] | None
    tries: int
    form: dict[str, Any] | None
    used: dict[str, str] | None
    used_from: Source | None
    columns: list[str] | None
    rows: int
    added: int
    updated: int
    duplicates: int
    rejected: int
    noted: int
    bytes_read: int
    error: str | None
    created_at: datetime
    touched_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(slots=True)
class Counts:
    """What became of the rows so far."""

    rows: int = 0
    added: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: int = 0
    noted: int = 0


INSERT = """
INSERT INTO import_job (app_id, public_id, list_id, file_name, state, dry_run, on_duplicate, region, mapping,
                        created_at, touched_at)
VALUES (%(app_id)s, %(public_id)s, %(list_id)s, %(file_name)s, 'receiving', %(dry_run)s, %(on_duplicate)s, %(region)s,
        %(mapping)s, %(now)s, %(now)s)
RETURNING app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
          tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
          created_at, touched_at, started_at, ended_at
"""


async def create(
    conn: Conn,
    app_id: int,
    list_id: int,
    *,
    file_name: str,
    dry_run: bool,
    on_duplicate: OnDuplicate | None,
    region: str | None,
    mapping: Mapping[str, str] | None,
    now: datetime,
) -> Job:
    """A new import, whose file is still to come."""
    values = {
        "app_id": app_id,
        "public_id": ids.new("im"),
        "list_id": list_id,
        "file_name": file_name,
        "dry_run": dry_run,
        "on_duplicate": on_duplicate,
        "region": region,
        "mapping": None if mapping is None else Json(dict(mapping)),
        "now": now,
    }
    found = await _one(conn, INSERT, values)
    if found is None:
        raise NotFound(f"No contact list {list_id}")
    return found


GET = """
SELECT app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
       tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
       created_at, touched_at, started_at, ended_at
FROM import_job WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND public_id = %(public_id)s
"""


async def get(conn: Conn, app_id: int, list_id: int, public_id: str) -> Job:
    """The import of a list with this id. Raises NotFound, for one of another list, too."""
    found = await _one(conn, GET, {"app_id": app_id, "list_id": list_id, "public_id": public_id})
    if found is None:
        raise NotFound(f"Import {public_id} not found in this contact list", field="importId")
    return found


PAGE = """
SELECT app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
       tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
       created_at, touched_at, started_at, ended_at
FROM import_job WHERE app_id = %(app_id)s AND list_id = %(list_id)s
ORDER BY import_id DESC OFFSET %(skip)s LIMIT %(limit)s
"""


async def page(conn: Conn, app_id: int, list_id: int, *, skip: int, limit: int) -> list[Job]:
    """Some of a list's imports, the newest first."""
    values = {"app_id": app_id, "list_id": list_id, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Job)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


COUNT = "SELECT count(*) FROM import_job WHERE app_id = %(app_id)s AND list_id = %(list_id)s"


async def count(conn: Conn, app_id: int, list_id: int) -> int:
    """How many imports of a list are known."""
    row = await (await conn.execute(COUNT, {"app_id": app_id, "list_id": list_id})).fetchone()
    return 0 if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class Due:
    """An import that is to be taken in."""

    app_id: int
    import_id: int
    app_public_id: str
    list_public_id: str


# The few rows of import_job_due. Files of one list are taken in in the order in which they came; one that somebody
# takes in is left to them: the lock of a process that is gone is gone, too. pg_locks is read only when there is work.
FIND_DUE = """
SELECT j.app_id, j.import_id,
       (SELECT a.public_id FROM app a WHERE a.app_id = j.app_id) AS app_public_id,
       (SELECT l.public_id FROM contact_list l WHERE l.app_id = j.app_id AND l.list_id = j.list_id) AS list_public_id
FROM import_job j
WHERE j.state IN ('waiting', 'running')
  AND NOT EXISTS (
      SELECT FROM import_job e
      WHERE e.app_id = j.app_id AND e.list_id = j.list_id AND e.import_id < j.import_id
        AND e.state IN ('waiting', 'running'))
  AND NOT EXISTS (
      SELECT FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.classid = %(kind)s AND l.objid = j.import_id::oid AND l.objsubid = 2
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
ORDER BY j.import_id LIMIT 1
"""


async def find_due(conn: Conn) -> Due | None:
    """The next import that nobody takes in, of all apps; None when there is none."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        return await (await cursor.execute(FIND_DUE, {"kind": int(Kind.IMPORT)})).fetchone()


CLAIM = """
UPDATE import_job
SET state = 'running', tries = tries + 1, started_at = %(now)s, touched_at = %(now)s, bytes_read = 0, rows = 0,
    added = 0, updated = 0, duplicates = 0, rejected = 0, noted = 0
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state IN ('waiting', 'running')
RETURNING app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
          tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
          created_at, touched_at, started_at, ended_at
"""


async def claim(conn: Conn, app_id: int, import_id: int, *, now: datetime) -> Job | None:
    """Begin an import; None when it is no longer to be done. Only for whoever holds its lock."""
    return await _one(conn, CLAIM, {"app_id": app_id, "import_id": import_id, "now": now})


RECEIVED = """
UPDATE import_job SET state = 'waiting', touched_at = %(now)s, size = (
    SELECT coalesce(sum(octet_length(p.data)), 0) FROM import_piece p
    WHERE p.app_id = %(app_id)s AND p.import_id = %(import_id)s)
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'receiving'
RETURNING app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
          tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
          created_at, touched_at, started_at, ended_at
"""


async def received(conn: Conn, app_id: int, import_id: int, *, now: datetime) -> Job | None:
    """The file is whole; None when the import was cancelled meanwhile."""
    return await _one(conn, RECEIVED, {"app_id": app_id, "import_id": import_id, "now": now})


PROGRESS = """
UPDATE import_job SET rows = %(rows)s, added = %(added)s, updated = %(updated)s, duplicates = %(duplicates)s,
                      rejected = %(rejected)s, noted = %(noted)s, bytes_read = %(bytes_read)s, touched_at = %(now)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'running'
"""


async def progress(conn: Conn, app_id: int, import_id: int, counts: Counts, *, bytes_read: int, now: datetime) -> bool:
    """Tell how far it is; False when it is no longer to go on."""
    values = {"app_id": app_id, "import_id": import_id, "bytes_read": bytes_read, "now": now, **_told(counts)}
    return (await conn.execute(PROGRESS, values)).rowcount > 0


TELL_FORM = """
UPDATE import_job SET form = %(form)s, used = %(used)s, used_from = %(used_from)s, columns = %(columns)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'running'
"""


async def tell_form(
    conn: Conn,
    app_id: int,
    import_id: int,
    *,
    form: Mapping[str, object],
    used: Mapping[str, str],
    used_from: Source,
    columns: Sequence[str],
) -> bool:
    """Tell what the file turned out to be; False when the import is no longer to go on."""
    values = {
        "app_id": app_id,
        "import_id": import_id,
        "form": Json(dict(form)),
        "used": Json(dict(used)),
        "used_from": used_from,
        "columns": list(columns),
    }
    return (await conn.execute(TELL_FORM, values)).rowcount > 0


END = """
UPDATE import_job SET state = %(state)s::import_state, rows = %(rows)s, added = %(added)s, updated = %(updated)s,
                      duplicates = %(duplicates)s, rejected = %(rejected)s, noted = %(noted)s,
                      bytes_read = CASE WHEN %(whole)s THEN size ELSE bytes_read END,
                      error = %(error)s, ended_at = %(now)s, touched_at = %(now)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'running'
"""


async def end(
    conn: Conn,
    app_id: int,
    import_id: int,
    state: Literal["done", "failed"],
    counts: Counts,
    *,
    whole: bool,
    error: str | None = None,
    now: datetime,
) -> bool:
    """Write down how it ended; False when it is no longer running: then whoever took it in must undo that."""
    values = {"app_id": app_id, "import_id": import_id, "state": state, "whole": whole, "error": error, "now": now}
    return (await conn.execute(END, values | _told(counts))).rowcount > 0


GIVE_BACK = """
UPDATE import_job SET state = 'waiting', tries = greatest(tries - %(spared)s, 0), touched_at = %(now)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'running'
"""


async def give_back(conn: Conn, app_id: int, import_id: int, *, spared: int, now: datetime) -> None:
    """Leave an import to the next worker. ``spared``: 1 when this beginning is not to count as a try."""
    await conn.execute(GIVE_BACK, {"app_id": app_id, "import_id": import_id, "spared": spared, "now": now})


# A dry run that is done has its file still: cancelling it lets that go.
CANCEL = """
UPDATE import_job SET state = 'cancelled', ended_at = %(now)s, touched_at = %(now)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s
  AND (state IN ('receiving', 'waiting', 'running') OR (state = 'done' AND dry_run))
RETURNING app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
          tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
          created_at, touched_at, started_at, ended_at
"""


async def cancel(conn: Conn, app_id: int, import_id: int, *, now: datetime) -> Job | None:
    """Let an import not come to its end; None when it has."""
    return await _one(conn, CANCEL, {"app_id": app_id, "import_id": import_id, "now": now})


FOR_REAL = """
UPDATE import_job SET state = 'waiting', dry_run = false, tries = 0, started_at = NULL, ended_at = NULL, error = NULL,
                      touched_at = %(now)s
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'done' AND dry_run
RETURNING app_id, import_id, public_id, list_id, file_name, size, state::text, dry_run, on_duplicate, region, mapping,
          tries, form, used, used_from, columns, rows, added, updated, duplicates, rejected, noted, bytes_read, error,
          created_at, touched_at, started_at, ended_at
"""


async def for_real(conn: Conn, app_id: int, import_id: int, *, now: datetime) -> Job | None:
    """Do the file of a dry run for real; None when it is no dry run that is done."""
    return await _one(conn, FOR_REAL, {"app_id": app_id, "import_id": import_id, "now": now})


def _told(counts: Counts) -> dict[str, object]:
    return {
        "rows": counts.rows,
        "added": counts.added,
        "updated": counts.updated,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
        "noted": counts.noted,
    }


async def _one(conn: Conn, statement: LiteralString, values: Mapping[str, object]) -> Job | None:
    async with conn.cursor(row_factory=class_row(Job)) as cursor:
        return await (await cursor.execute(statement, values)).fetchone()
