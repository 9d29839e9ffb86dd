"""Evidence of who said no and who said yes, when, how and in which words: appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

What = Literal["opt_out", "opt_in", "review", "decided"]


@dataclass(frozen=True, slots=True)
class NewConsent:
    """Something said about being texted. ``at``: when it was said; ``by``: who recorded it, if somebody did."""

    number: str
    what: What
    source: str
    at: datetime
    how: str = ""
    word: str = ""
    text: str = ""
    address: str = ""
    reply_id: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A :class:`NewConsent` as it was kept."""

    consent_id: int
    number: str
    what: What
    source: str
    at: datetime
    recorded_at: datetime
    how: str
    word: str
    text: str
    address: str
    by: str


ADD = """
INSERT INTO consent (app_id, number, what, source, at, recorded_at, how, word, text, address, reply_id, by)
SELECT %(app_id)s, t.number, t.what, t.source, t.at, %(now)s, t.how, t.word, t.text, t.address, t.reply_id, t.by
FROM unnest(%(number)s::text[], %(what)s::text[], %(source)s::text[], %(at)s::timestamptz[], %(how)s::text[],
            %(word)s::text[], %(text)s::text[], %(address)s::text[], %(reply_id)s::bigint[], %(by)s::text[])
     WITH ORDINALITY AS t (number, what, source, at, how, word, text, address, reply_id, by, place)
ORDER BY t.place
"""


async def add(conn: Conn, app_id: int, rows: Sequence[NewConsent], *, now: datetime) -> None:
    """Keep these, in their order."""
    names = ("number", "what", "source", "at", "how", "word", "text", "address", "reply_id", "by")
    values = {name: [getattr(row, name) for row in rows] for name in names}
    await conn.execute(ADD, values | {"app_id": app_id, "now": now})


# One look into consent_number for each number.
LATEST = """
SELECT t.number, c.what, c.at FROM unnest(%(numbers)s::text[]) AS t (number)
CROSS JOIN LATERAL (
    SELECT CASE what WHEN 'opt_in' THEN what ELSE 'opt_out' END AS what, at FROM consent
    WHERE app_id = %(app_id)s AND number = t.number AND NOT (what = 'decided' AND word = 'keep')
    ORDER BY at DESC, consent_id DESC LIMIT 1
) AS c
"""


async def latest(conn: Conn, app_id: int, numbers: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Of those of ``numbers`` with any, the newest yes or no (``opt_in``, ``opt_out``), and when it was said.

    What is to be reviewed, or was decided to have been a no, is one here.
    """
    cursor = await conn.execute(LATEST, {"app_id": app_id, "numbers": list(numbers)})
    return {str(row[0]): (str(row[1]), row[2]) for row in await cursor.fetchall()}


OF_NUMBER = """
SELECT consent_id, number, what, source, at, recorded_at, how, word, text, address, by FROM consent
WHERE app_id = %(app_id)s AND number = %(number)s ORDER BY at, consent_id LIMIT %(limit)s
"""


async def list_of(conn: Conn, app_id: int, number: str, *, limit: int) -> list[Consent]:
    """What one number said, the first first."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        values = {"app_id": app_id, "number": number, "limit": limit}
        return await (await cursor.execute(OF_NUMBER, values)).fetchall()


AFTER = """
SELECT consent_id, number, what, source, at, recorded_at, how, word, text, address, by FROM consent
WHERE app_id = %(app_id)s AND consent_id > %(after)s ORDER BY consent_id LIMIT %(limit)s
"""


async def read_after(conn: Conn, app_id: int, after: int, *, limit: int) -> list[Consent]:
    """The next rows behind one (0: the first). The millionth page costs what the first did."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        values = {"app_id": app_id, "after": after, "limit": limit}
        return await (await cursor.execute(AFTER, values)).fetchall()
