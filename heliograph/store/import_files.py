"""What belongs to imports and is large: their files in pieces, and their verdicts in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

ADD_PIECE = """
INSERT INTO import_piece (app_id, import_id, piece_no, data)
SELECT app_id, import_id, %(piece_no)s, %(data)s FROM import_job
WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND state = 'receiving'
"""


async def add_piece(conn: Conn, app_id: int, import_id: int, piece_no: int, data: bytes) -> bool:
    """Keep the next piece of a file; False when the import was cancelled meanwhile."""
    values = {"app_id": app_id, "import_id": import_id, "piece_no": piece_no, "data": data}
    return (await conn.execute(ADD_PIECE, values)).rowcount > 0


TOUCH = "UPDATE import_job SET touched_at = %(now)s WHERE app_id = %(app_id)s AND import_id = %(import_id)s"


async def touch(conn: Conn, app_id: int, import_id: int, *, now: datetime) -> None:
    """Tell that the file is still coming."""
    await conn.execute(TOUCH, {"app_id": app_id, "import_id": import_id, "now": now})


GET_PIECE = """
SELECT data FROM import_piece WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND piece_no = %(piece_no)s
"""


async def get_piece(conn: Conn, app_id: int, import_id: int, piece_no: int) -> bytes | None:
    """A piece of a file, None behind the last."""
    values = {"app_id": app_id, "import_id": import_id, "piece_no": piece_no}
    row = await (await conn.execute(GET_PIECE, values, binary=True)).fetchone()
    return None if row is None else bytes(row[0])


DROP_PIECES = "DELETE FROM import_piece WHERE app_id = %(app_id)s AND import_id = %(import_id)s"


async def drop_pieces(conn: Conn, app_id: int, import_id: int) -> None:
    """Let the file of an import go."""
    await conn.execute(DROP_PIECES, {"app_id": app_id, "import_id": import_id})


ADD_VERDICTS = """
INSERT INTO import_verdict (app_id, import_id, page_no, data)
VALUES (%(app_id)s, %(import_id)s, %(page_no)s, %(data)s)
"""


async def add_verdicts(conn: Conn, app_id: int, import_id: int, page_no: int, data: bytes) -> None:
    """Keep a page of verdicts."""
    await conn.execute(ADD_VERDICTS, {"app_id": app_id, "import_id": import_id, "page_no": page_no, "data": data})


GET_VERDICTS = """
SELECT data FROM import_verdict WHERE app_id = %(app_id)s AND import_id = %(import_id)s AND page_no = %(page_no)s
"""


async def get_verdicts(conn: Conn, app_id: int, import_id: int, page_no: int) -> bytes | None:
    """A page of verdicts, None behind the last."""
    values = {"app_id": app_id, "import_id": import_id, "page_no": page_no}
    row = await (await conn.execute(GET_VERDICTS, values, binary=True)).fetchone()
    return None if row is None else bytes(row[0])


DROP_VERDICTS = "DELETE FROM import_verdict WHERE app_id = %(app_id)s AND import_id = %(import_id)s"


async def drop_verdicts(conn: Conn, app_id: int, import_id: int) -> None:
    """Forget the verdicts of a dry run, whose file is done for real."""
    await conn.execute(DROP_VERDICTS, {"app_id": app_id, "import_id": import_id})


# By import_job_touched. What goes with a job goes by the foreign keys.
FORGET = """
DELETE FROM import_job
WHERE touched_at < %(before)s OR (state = 'receiving' AND touched_at < %(stale)s)
"""


async def forget(conn: Conn, *, before: datetime, stale: datetime) -> int:
    """Forget imports to which nothing has happened since ``before``, and files that stopped coming before ``stale``."""
    return (await conn.execute(FORGET, {"before": before, "stale": stale})).rowcount


# A dry run keeps its file for a while, so that it can be done for real.
FORGET_FILES = """
DELETE FROM import_piece p USING import_job j
WHERE p.app_id = j.app_id AND p.import_id = j.import_id
  AND j.state IN ('done', 'failed', 'cancelled') AND (j.touched_at < %(before)s OR j.state <> 'done' OR NOT j.dry_run)
"""


async def forget_files(conn: Conn, *, before: datetime) -> None:
    """Let the files go of imports that have ended, those of dry runs when they ended before that."""
    await conn.execute(FORGET_FILES, {"before": before})
