"""Sign-ins that failed, by user and by address: what the growing delay is counted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

UNTIL = "SELECT max(until) FROM sign_in_failure WHERE subject = ANY(%(subjects)s)"


async def until(conn: Conn, subjects: Sequence[str]) -> datetime | None:
    """When something may be tried next for all of these; None or past: now."""
    row = await (await conn.execute(UNTIL, {"subjects": list(subjects)})).fetchone()
    return None if row is None else row[0]


ADD = """
INSERT INTO sign_in_failure AS f (subject, failures, last_at, until) VALUES (%(subject)s, 1, %(now)s, %(now)s)
ON CONFLICT (subject) DO UPDATE
SET failures = CASE WHEN f.last_at < %(forget_before)s THEN 1 ELSE f.failures + 1 END, last_at = excluded.last_at
RETURNING failures
"""


async def add(conn: Conn, subject: str, *, now: datetime, forget_before: datetime) -> int:
    """Count a failure; answers how many there were, without those of before a quiet time."""
    row = await (await conn.execute(ADD, {"subject": subject, "now": now, "forget_before": forget_before})).fetchone()
    return 1 if row is None else int(row[0])


HOLD = "UPDATE sign_in_failure SET until = %(until)s WHERE subject = %(subject)s"


async def hold(conn: Conn, subject: str, until: datetime) -> None:
    """Have nothing tried before then."""
    await conn.execute(HOLD, {"subject": subject, "until": until})


FORGIVE = """
UPDATE sign_in_failure SET failures = greatest(failures - 1, 0), until = %(now)s WHERE subject = %(subject)s
"""


async def forgive(conn: Conn, subject: str, *, now: datetime) -> None:
    """Take back what one attempt counted, for it was none."""
    await conn.execute(FORGIVE, {"subject": subject, "now": now})


CLEAR_ALL = "DELETE FROM sign_in_failure"


async def clear_all(conn: Conn) -> None:
    """Forget every failure: somebody at this machine's terminal says that it was them."""
    await conn.execute(CLEAR_ALL)


CLEAR = "DELETE FROM sign_in_failure WHERE subject = %(subject)s OR last_at < %(forget_before)s"


async def clear(conn: Conn, subject: str, *, forget_before: datetime) -> None:
    """Forget the failures of one, and those long past of everybody."""
    await conn.execute(CLEAR, {"subject": subject, "forget_before": forget_before})
