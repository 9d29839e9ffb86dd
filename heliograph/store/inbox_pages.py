"""Lists of conversations: by what they are, whose they are, a number, words in what was written; and counting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

from heliograph.store.inbox import COLUMNS, Conversation

if TYPE_CHECKING:
    from heliograph.store.database import Conn

SEARCHED = 50_000
"""Of the newest replies so many are looked through for words: 40 ms, however many there are."""
COUNTED = 1_000
"""Nobody reads a higher number on a badge; all five cost 3 ms where 200,000 conversations are open."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations; None: whatever it is. ``digits``: a part of the number. ``words``: of what they wrote."""

    open: bool | None = None
    unread: bool = False
    assignee: str | None = None
    unassigned: bool = False
    team: str | None = None
    number: str | None = None
    digits: str | None = None
    words: str | None = None


# Only what is asked for stands in the statement, so that each partial index is found to hold it.
_OPEN: LiteralString = "AND open"
_PARTS: dict[str, LiteralString] = {
    "unread": "AND unread > 0",
    "assignee": "AND assignee = %(assignee)s",
    "unassigned": "AND assignee IS NULL",
    "team": "AND team = %(team)s",
    "number": "AND number = %(number)s",
    "digits": "AND number LIKE '%%' || %(digits)s || '%%'",
    # Our addresses fold to ASCII: see rules/optout.py, address_key.
    "words": """AND (number, address) IN (
    SELECT '+' || ltrim(r.number, '+'), lower(ltrim(btrim(r.address), '+'))
    FROM (SELECT number, address, text FROM reply WHERE app_id = %(app_id)s ORDER BY reply_id DESC
          LIMIT %(searched)s) AS r
    WHERE strpos(lower(r.text), lower(%(words)s)) > 0)""",
}


def statement(wanted: Wanted) -> LiteralString:
    """The statement of a page; of those whose they are, the open ones unless asked for others."""
    where: LiteralString = "WHERE app_id = %(app_id)s"
    if wanted.open is not None:
        where += f" {_OPEN}" if wanted.open else " AND NOT open"
    for name, part in _PARTS.items():
        if getattr(wanted, name):
            where += f" {part}"
    return f"""
SELECT {COLUMNS} FROM conversation {where}
ORDER BY last_at DESC, conversation_id DESC OFFSET %(skip)s LIMIT %(limit)s
"""


def values(app_id: int, wanted: Wanted, *, skip: int, limit: int) -> dict[str, object]:
    """What goes with :func:`statement`."""
    return {
        "app_id": app_id,
        "assignee": wanted.assignee,
        "team": wanted.team,
        "number": wanted.number,
        "digits": wanted.digits,
        "words": wanted.words,
        "searched": SEARCHED,
        "skip": skip,
        "limit": limit,
    }


async def page(conn: Conn, app_id: int, wanted: Wanted, *, skip: int, limit: int) -> list[Conversation]:
    """Some of the conversations, those with the newest message first."""
    async with conn.cursor(row_factory=class_row(Conversation)) as cursor:
        found = await cursor.execute(statement(wanted), values(app_id, wanted, skip=skip, limit=limit))
        return await found.fetchall()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many conversations are open, of them nobody's, of them ``mine``, and how many have something unread.

    Counted to :data:`COUNTED` and no further.
    """

    open: int
    unassigned: int
    unread: int
    mine: int
    mine_unread: int


COUNT = """
SELECT (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND open LIMIT %(most)s) AS a) AS open,
       (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND open AND assignee IS NULL
                              LIMIT %(most)s) AS a) AS unassigned,
       (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND unread > 0
                              LIMIT %(most)s) AS a) AS unread,
       (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND open AND assignee = %(mine)s
                              LIMIT %(most)s) AS a) AS mine,
       (SELECT count(*) FROM (SELECT FROM conversation WHERE app_id = %(app_id)s AND open AND assignee = %(mine)s
                                AND unread > 0 LIMIT %(most)s) AS a) AS mine_unread
"""


async def count(conn: Conn, app_id: int, *, mine: str | None = None) -> Counts:
    """What badges show; ``mine`` are those assigned to this one."""
    async with conn.cursor(row_factory=class_row(Counts)) as cursor:
        values = {"app_id": app_id, "mine": mine, "most": COUNTED}
        found = await (await cursor.execute(COUNT, values)).fetchone()
    return found or Counts(0, 0, 0, 0, 0)
