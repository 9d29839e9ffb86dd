"""Sessions: one person each, on their way through a flow. Only whoever holds an app's REPLIES lock changes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row

from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

OPENING = "opening"
"""The state of a session whose first text has not left yet."""


class Planned(NamedTuple):
    """A session to be written with its person's first text. In the order of COPY_IN's columns; JSON as text.

    ``seq`` 0: it begins without a text, when it is due.
    """

    seq: int
    number: str
    address: str
    address_key: str
    list_id: int
    contact_seq: int
    zone: str
    law: str
    flow: str
    version: int
    node: str
    data: str
    todo: str | None
    asked_at: datetime
    due: datetime


COPY_IN = """
COPY session (app_id, run_id, said_run, said_seq, state, started_at, seq, number, address, address_key, list_id,
              contact_seq, zone, law, flow, version, node, data, todo, asked_at, due) FROM STDIN
"""


async def copy_in(conn: Conn, app_id: int, run_id: int, rows: Iterable[Planned]) -> None:
    """Write the sessions of a planned page."""
    async with conn.cursor() as cursor, cursor.copy(COPY_IN) as copy:
        for row in rows:
            said_run = run_id if row.seq else 0
            await copy.write_row((app_id, run_id, said_run, row.seq, OPENING, row.asked_at, *row))


@dataclass(frozen=True, slots=True)
class Session:
    """A row of table ``session``; with what became of its run and of a text of it.

    The text is its first one while it is opening, else its last one. ``status``: of that text's outcome; ``taken``: it
    has been taken to be submitted, and has none yet; ``text_due``: when it is to leave; all None without a text.
    """

    session_id: int
    run_id: int
    seq: int
    number: str
    address: str
    address_key: str
    list_id: int
    contact_seq: int
    zone: str
    law: str
    flow: str
    version: int
    state: str
    data: dict[str, Any]
    todo: list[dict[str, Any]] | None
    opened: bool
    asked_at: datetime
    due: datetime | None
    said_run: int
    said_seq: int
    texts: int
    answers: int
    started_at: datetime
    left_at: datetime | None
    first_answer_at: datetime | None
    ended_at: datetime | None
    kind: str | None  # of its run's campaign: campaign, or single
    run_ended_at: datetime | None
    run_end_reason: str | None
    status: str | None
    submitted_at: datetime | None
    settled_at: datetime | None
    taken: bool | None
    taken_at: datetime | None
    text_due: datetime | None
    text_ended: bool | None  # the run of that text has ended


# Each part one probe by a primary key, or of chunk_place, for each session.
_SELECT = """
SELECT s.session_id, s.run_id, s.seq, s.number, s.address, s.address_key, s.list_id, s.contact_seq, s.zone, s.law,
       s.flow, s.version, s.state, s.data, s.todo, s.opened, s.asked_at, s.due, s.said_run, s.said_seq, s.texts,
       s.answers, s.started_at, s.left_at, s.first_answer_at, s.ended_at, k.kind, r.ended_at AS run_ended_at,
       r.end_reason AS run_end_reason, o.status::text AS status, o.submitted_at, o.settled_at, c.taken, c.taken_at,
       c.due_at AS text_due, t.ended_at IS NOT NULL AS text_ended
FROM session s
LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
LEFT JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
LEFT JOIN message m ON m.app_id = s.app_id AND m.run_id = s.said_run AND m.seq = s.said_seq
LEFT JOIN run t ON t.app_id = m.app_id AND t.run_id = m.run_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
LEFT JOIN LATERAL (
    SELECT h.next_seq > coalesce(m.place, m.seq) AS taken, h.taken_at, h.due_at FROM chunk h
    WHERE h.app_id = m.app_id AND h.run_id = m.run_id AND h.first_seq <= coalesce(m.place, m.seq)
    ORDER BY h.first_seq DESC LIMIT 1
) c ON o.seq IS NULL
"""

OF_NUMBERS = f"""{_SELECT}
WHERE s.app_id = %(app_id)s AND s.number = ANY(%(numbers)s::text[]) AND s.ended_at IS NULL
ORDER BY s.session_id
"""


async def of_numbers(conn: Conn, app_id: int, numbers: Sequence[str]) -> list[Session]:
    """The sessions of these people that are not over, on every address, in the order in which they began."""
    values = {"app_id": app_id, "numbers": list(numbers)}
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        return await (await cursor.execute(OF_NUMBERS, values, prepare=False)).fetchall()


OF_IDS = f"""{_SELECT}
WHERE s.app_id = %(app_id)s AND s.session_id = ANY(%(session_ids)s::bigint[])
ORDER BY s.session_id
"""


async def of_ids(conn: Conn, app_id: int, session_ids: Sequence[int]) -> list[Session]:
    """These sessions, over or not."""
    values = {"app_id": app_id, "session_ids": list(session_ids)}
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        return await (await cursor.execute(OF_IDS, values, prepare=False)).fetchall()


# Apps without any cost one look into session_due each.
LIST_DUE_APPS = """
SELECT a.app_id FROM app a
WHERE EXISTS (SELECT FROM session s WHERE s.app_id = a.app_id AND s.due <= %(now)s AND s.state <> 'call')
ORDER BY a.app_id
"""


async def list_due_apps(conn: Conn, now: datetime) -> list[int]:
    """The apps with sessions that are to be looked at."""
    return [int(row[0]) for row in await (await conn.execute(LIST_DUE_APPS, {"now": now})).fetchall()]


DUE = """
SELECT session_id, number FROM session
WHERE app_id = %(app_id)s AND due <= %(now)s AND state <> 'call' ORDER BY due LIMIT %(limit)s
"""


async def list_due(conn: Conn, app_id: int, now: datetime, *, limit: int) -> list[tuple[int, str]]:
    """Sessions that are to be looked at, and whose they are: those that have waited longest."""
    values = {"app_id": app_id, "now": now, "limit": limit}
    return [(int(row[0]), str(row[1])) for row in await (await conn.execute(DUE, values)).fetchall()]


PUT_OFF = """
UPDATE session SET due = %(due)s WHERE app_id = %(app_id)s AND session_id = ANY(%(session_ids)s::bigint[])
"""


async def put_off(conn: Conn, app_id: int, session_ids: Sequence[int], due: datetime | None) -> None:
    """Look at these sessions then; None: no more, as they are over."""
    await conn.execute(PUT_OFF, {"app_id": app_id, "session_ids": list(session_ids), "due": due})


class New(NamedTuple):
    """A session that a person has begun. In the order of INSERT's columns; JSON as text."""

    run_id: int
    seq: int
    number: str
    address: str
    address_key: str
    list_id: int
    contact_seq: int
    flow: str
    version: int
    state: str
    data: str
    ended_at: str | None
    result: str | None


INSERT = """
INSERT INTO session (app_id, run_id, seq, number, address, address_key, list_id, contact_seq, flow, version, state,
                     data, opened, asked_at, started_at, left_at, ended_at, result)
SELECT %(app_id)s, t.run_id::int, t.seq::int, t.number, t.address, t.address_key, t.list_id::int, t.contact_seq::int,
       t.flow, t.version::int, t.state, t.data::json, true, %(now)s, %(now)s, %(now)s, t.ended_at::timestamptz,
       t.result
FROM ROWS FROM (
    json_array_elements_text(%(run_id)s::json), json_array_elements_text(%(seq)s::json),
    json_array_elements_text(%(number)s::json), json_array_elements_text(%(address)s::json),
    json_array_elements_text(%(address_key)s::json), json_array_elements_text(%(list_id)s::json),
    json_array_elements_text(%(contact_seq)s::json), json_array_elements_text(%(flow)s::json),
    json_array_elements_text(%(version)s::json), json_array_elements_text(%(state)s::json),
    json_array_elements_text(%(data)s::json), json_array_elements_text(%(ended_at)s::json),
    json_array_elements_text(%(result)s::json)
) WITH ORDINALITY AS t (run_id, seq, number, address, address_key, list_id, contact_seq, flow, version, state, data,
                        ended_at, result, place)
ORDER BY t.place
RETURNING session_id
"""


async def insert(conn: Conn, app_id: int, rows: Sequence[New], *, now: datetime) -> list[int]:
    """Write sessions that people have begun; their ids, in order."""
    values: dict[str, object] = {name: columns.of([getattr(row, name) for row in rows]) for name in New._fields}
    cursor = await conn.execute(INSERT, values | {"app_id": app_id, "now": now})
    return sorted(int(row[0]) for row in await cursor.fetchall())


class Change(NamedTuple):
    """What becomes of a session; JSON as text."""

    session_id: int
    state: str
    node: str
    data: str
    todo: str | None
    opened: bool
    asked_at: datetime
    due: datetime | None
    said_run: int
    said_seq: int
    texts: int
    answers: int
    left_at: datetime | None
    first_answer_at: datetime | None
    ended_at: datetime | None
    result: str | None


_TIMES = {"asked_at", "due", "left_at", "first_answer_at", "ended_at"}

# Those that end before those that open: else two would be open for a moment, which session_open does not allow. It is
# looked at for each row, so this is two statements.
SAVE = """
UPDATE session s
SET state = t.state, node = t.node, data = t.data::json, todo = t.todo::json, opened = t.opened::bool,
    asked_at = t.asked_at::timestamptz, due = t.due::timestamptz, said_run = t.said_run::int,
    said_seq = t.said_seq::int, texts = t.texts::int, answers = t.answers::int, left_at = t.left_at::timestamptz,
    first_answer_at = t.first_answer_at::timestamptz, ended_at = t.ended_at::timestamptz, result = t.result
FROM ROWS FROM (
    json_array_elements_text(%(session_id)s::json), json_array_elements_text(%(state)s::json),
    json_array_elements_text(%(node)s::json), json_array_elements_text(%(data)s::json),
    json_array_elements_text(%(todo)s::json), json_array_elements_text(%(opened)s::json),
    json_array_elements_text(%(asked_at)s::json), json_array_elements_text(%(due)s::json),
    json_array_elements_text(%(said_run)s::json), json_array_elements_text(%(said_seq)s::json),
    json_array_elements_text(%(texts)s::json), json_array_elements_text(%(answers)s::json),
    json_array_elements_text(%(left_at)s::json), json_array_elements_text(%(first_answer_at)s::json),
    json_array_elements_text(%(ended_at)s::json), json_array_elements_text(%(result)s::json)
) AS t (session_id, state, node, data, todo, opened, asked_at, due, said_run, said_seq, texts, answers, left_at,
        first_answer_at, ended_at, result)
WHERE s.app_id = %(app_id)s AND s.session_id = t.session_id::bigint
"""


async def save(conn: Conn, app_id: int, changes: Sequence[Change]) -> None:
    """Keep what became of sessions."""
    for ends in (True, False):
        rows = [each for each in changes if (each.ended_at is not None) is ends]
        if rows:
            values: dict[str, object] = {
                name: (columns.times if name in _TIMES else columns.of)([getattr(row, name) for row in rows])
                for name in Change._fields
            }
            await conn.execute(SAVE, values | {"app_id": app_id}, prepare=False)


ANY_OPEN = """
SELECT EXISTS (SELECT FROM session WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND ended_at IS NULL)
"""


async def any_open(conn: Conn, app_id: int, run_id: int) -> bool:
    """Whether any session of a run is not over: one probe of session_run_open."""
    row = await (await conn.execute(ANY_OPEN, {"app_id": app_id, "run_id": run_id})).fetchone()
    return row is not None and bool(row[0])


# In steps: a run that was stopped may have had a million. Until then they are over as their run is.
CLOSE_ENDED = """
WITH ended AS (
    SELECT app_id, run_id, ended_at, end_reason FROM run WHERE talks AND ended_at IS NOT NULL
    ORDER BY app_id, run_id LIMIT 1
), closed AS (
    UPDATE session s SET ended_at = e.ended_at, result = e.end_reason, due = NULL, todo = NULL, state = 'ended'
    FROM ended e
    WHERE s.app_id = e.app_id AND s.session_id = ANY(ARRAY(
        SELECT o.session_id FROM session o JOIN ended e ON o.app_id = e.app_id AND o.run_id = e.run_id
        WHERE o.ended_at IS NULL LIMIT 5000))
    RETURNING s.session_id
)
UPDATE run r SET talks = false FROM ended e
WHERE r.app_id = e.app_id AND r.run_id = e.run_id AND NOT EXISTS (SELECT FROM closed)
RETURNING r.run_id
"""
COUNT_ENDED = "SELECT count(*) FROM run WHERE talks AND ended_at IS NOT NULL"


async def close_ended(conn: Conn) -> bool:
    """Close up to 5,000 sessions of a run that has ended; whether there is more to do."""
    await conn.execute(CLOSE_ENDED, prepare=False)
    row = await (await conn.execute(COUNT_ENDED)).fetchone()
    return row is not None and int(row[0]) > 0


# Those whose text has left. By session_open.
BUSY = """
SELECT s.number, s.due FROM session s LEFT JOIN run r ON r.app_id = s.app_id AND r.run_id = s.run_id
WHERE s.app_id = %(app_id)s AND s.number = ANY(%(numbers)s::text[]) AND s.address_key = %(address_key)s
  AND s.opened AND s.ended_at IS NULL AND s.run_id <> %(run_id)s AND r.ended_at IS NULL
"""


async def busy(
    conn: Conn, app_id: int, run_id: int, address_key: str, numbers: Sequence[str]
) -> dict[str, datetime | None]:
    """Those of ``numbers`` who have a session of another run on an address; when it is looked at next."""
    values = {"app_id": app_id, "run_id": run_id, "address_key": address_key, "numbers": list(numbers)}
    return {str(row[0]): row[1] for row in await (await conn.execute(BUSY, values)).fetchall()}


# By the key of conversation, whose number comes second.
WITH_PEOPLE = """
SELECT number, address FROM conversation
WHERE app_id = %(app_id)s AND number = ANY(%(numbers)s::text[]) AND open AND why_open <> 'reply'
"""


async def with_people(conn: Conn, app_id: int, numbers: Sequence[str]) -> set[tuple[str, str]]:
    """Whom of these numbers, on which address, one of ours talks to or is to: no flow begins with what they write."""
    cursor = await conn.execute(WITH_PEOPLE, {"app_id": app_id, "numbers": list(numbers)})
    return {(str(row[0]), str(row[1])) for row in await cursor.fetchall()}


def told(value: object) -> str:
    """JSON as text, as rows take it."""
    return json.dumps(value, ensure_ascii=False)
