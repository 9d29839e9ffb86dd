"""Reports that are mailed: what, to whom, when; and what came of each time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, time

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Wish:
    """What is mailed, to whom, and when. ``what``: by what the report is; the words are those of rules/report.py."""

    name: str
    what: str
    span: str
    format: str
    recipients: list[str]
    often: str
    weekday: int
    month_day: int
    at: time
    zone: str


@dataclass(frozen=True, slots=True)
class Mail(Wish):
    """A :class:`Wish` as it is kept. ``due_at``: the next time it is for."""

    app_id: int
    public_id: str
    paused: bool
    made_by: str
    created_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """One time. ``next_at``: when it is tried (again); None: over, or under way since ``taken_at``.

    ``only_to``: a test, to these in place of the recipients.
    """

    app_id: int
    sending_id: int
    report_id: str
    due_at: datetime
    only_to: list[str] | None
    attempts: int
    next_at: datetime | None
    taken_at: datetime | None
    sent_at: datetime | None
    error: str


_FIELDS = "name, what, span, format, recipients, often, weekday, month_day, at, zone"
_ALL = f"app_id, public_id, {_FIELDS}, paused, made_by, created_at, due_at"
_SENDING = "app_id, sending_id, report_id, due_at, only_to, attempts, next_at, taken_at, sent_at, error"

ADD = f"""
INSERT INTO report_mail (app_id, public_id, {_FIELDS}, made_by, created_at, due_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(what)s, %(span)s, %(format)s, %(recipients)s, %(often)s, %(weekday)s,
        %(month_day)s, %(at)s, %(zone)s, %(made_by)s, %(now)s, %(due_at)s)
"""


async def add(
    conn: Conn, app_id: int, public_id: str, wish: Wish, *, made_by: str, due_at: datetime, now: datetime
) -> None:
    """Keep this."""
    values = {"app_id": app_id, "public_id": public_id, "made_by": made_by, "due_at": due_at, "now": now}
    await conn.execute(ADD, asdict(wish) | values)


CHANGE = """
UPDATE report_mail
SET name = %(name)s, what = %(what)s, span = %(span)s, format = %(format)s, recipients = %(recipients)s,
    often = %(often)s, weekday = %(weekday)s, month_day = %(month_day)s, at = %(at)s, zone = %(zone)s,
    due_at = %(due_at)s
WHERE app_id = %(app_id)s AND public_id = %(public_id)s
"""


async def change(conn: Conn, app_id: int, public_id: str, wish: Wish, *, due_at: datetime) -> None:
    """Keep this in place of what was kept."""
    await conn.execute(CHANGE, asdict(wish) | {"app_id": app_id, "public_id": public_id, "due_at": due_at})


PAUSE = """
UPDATE report_mail SET paused = %(paused)s, due_at = %(due_at)s WHERE app_id = %(app_id)s AND public_id = %(public_id)s
"""


async def pause(conn: Conn, app_id: int, public_id: str, *, paused: bool, due_at: datetime) -> None:
    """Mail it no more, or again from ``due_at`` on."""
    values = {"app_id": app_id, "public_id": public_id, "paused": paused, "due_at": due_at}
    await conn.execute(PAUSE, values)


DELETE = "DELETE FROM report_mail WHERE app_id = %(app_id)s AND public_id = %(public_id)s"


async def delete(conn: Conn, app_id: int, public_id: str) -> None:
    """Forget it, and what came of it."""
    await conn.execute(DELETE, {"app_id": app_id, "public_id": public_id})


GET = f"SELECT {_ALL} FROM report_mail WHERE app_id = %(app_id)s AND public_id = %(public_id)s"


async def get(conn: Conn, app_id: int, public_id: str) -> Mail:
    """The one with this id. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Mail)) as cursor:
        found = await (await cursor.execute(GET, {"app_id": app_id, "public_id": public_id})).fetchone()
    if found is None:
        raise NotFound(f"There is no mailed report {public_id[:80]}")
    return found


LIST_ALL = f"SELECT {_ALL} FROM report_mail WHERE app_id = %(app_id)s ORDER BY lower(name), public_id"


async def list_all(conn: Conn, app_id: int) -> list[Mail]:
    """Those of an app, by name."""
    async with conn.cursor(row_factory=class_row(Mail)) as cursor:
        return await (await cursor.execute(LIST_ALL, {"app_id": app_id})).fetchall()


COUNT = "SELECT count(*) FROM report_mail WHERE app_id = %(app_id)s"


async def count(conn: Conn, app_id: int) -> int:
    """How many an app has."""
    row = await (await conn.execute(COUNT, {"app_id": app_id})).fetchone()
    return int(row[0]) if row else 0


# ---------------------------------------------------------------- times that come due

LIST_DUE = f"SELECT {_ALL} FROM report_mail WHERE due_at <= %(now)s AND NOT paused ORDER BY due_at LIMIT 100"


async def list_due(conn: Conn, now: datetime) -> list[Mail]:
    """Those whose time has come, of every app. By report_mail_due."""
    async with conn.cursor(row_factory=class_row(Mail)) as cursor:
        return await (await cursor.execute(LIST_DUE, {"now": now})).fetchall()


# The report moves on and its sending appears in one statement, and only from the time that was seen: of any number of
# workers that see it due, one gets to do this.
TAKE_DUE = """
WITH moved AS (
    UPDATE report_mail SET due_at = %(next_at)s
    WHERE app_id = %(app_id)s AND public_id = %(public_id)s AND due_at = %(seen)s AND NOT paused
    RETURNING app_id, public_id
)
INSERT INTO report_sending (app_id, report_id, due_at, next_at)
SELECT app_id, public_id, %(due_at)s, %(due_at)s FROM moved
ON CONFLICT (app_id, report_id, due_at) WHERE only_to IS NULL DO NOTHING
"""


async def take_due(conn: Conn, mail: Mail, *, due_at: datetime, next_at: datetime) -> None:
    """Have the time ``due_at`` of a report sent, once, and wait for the time ``next_at``."""
    values = {
        "app_id": mail.app_id,
        "public_id": mail.public_id,
        "seen": mail.due_at,
        "due_at": due_at,
        "next_at": next_at,
    }
    await conn.execute(TAKE_DUE, values)


ADD_TEST = """
INSERT INTO report_sending (app_id, report_id, due_at, only_to, next_at)
VALUES (%(app_id)s, %(report_id)s, %(now)s, %(to)s, %(now)s)
"""


async def add_test(conn: Conn, mail: Mail, to: Sequence[str], *, now: datetime) -> None:
    """Have a report sent as if its time had come, to some only."""
    values = {"app_id": mail.app_id, "report_id": mail.public_id, "to": list(to), "now": now}
    await conn.execute(ADD_TEST, values)


# Whoever takes a sending ends it: until what came of it is written down, nobody tries it again. A worker that dies
# meanwhile leaves one of which nobody knows whether it was sent, and which says so.
TAKE = f"""
UPDATE report_sending SET taken_at = %(now)s, next_at = NULL, attempts = attempts + 1
WHERE (app_id, sending_id) IN (
    SELECT app_id, sending_id FROM report_sending WHERE next_at <= %(now)s
    ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING {_SENDING}
"""


async def take(conn: Conn, now: datetime) -> Sending | None:
    """A sending that is to be tried now, for the caller alone; None where there is none. By report_sending_next."""
    async with conn.cursor(row_factory=class_row(Sending)) as cursor:
        return await (await cursor.execute(TAKE, {"now": now})).fetchone()


SETTLE = """
UPDATE report_sending SET taken_at = NULL, sent_at = %(sent_at)s, next_at = %(next_at)s, error = %(error)s
WHERE app_id = %(app_id)s AND sending_id = %(sending_id)s
"""


async def settle(
    conn: Conn, sending: Sending, *, sent_at: datetime | None, next_at: datetime | None, error: str
) -> None:
    """Write down what came of a try."""
    values = {
        "app_id": sending.app_id,
        "sending_id": sending.sending_id,
        "sent_at": sent_at,
        "next_at": next_at,
        "error": error,
    }
    await conn.execute(SETTLE, values)


LIST_SENDINGS = f"""
SELECT {_SENDING} FROM report_sending
WHERE app_id = %(app_id)s AND report_id = %(report_id)s ORDER BY sending_id DESC LIMIT %(limit)s
"""


async def list_sendings(conn: Conn, app_id: int, report_id: str, *, limit: int = 20) -> list[Sending]:
    """The last times of a report, the newest first."""
    values = {"app_id": app_id, "report_id": report_id, "limit": limit}
    async with conn.cursor(row_factory=class_row(Sending)) as cursor:
        return await (await cursor.execute(LIST_SENDINGS, values)).fetchall()
