"""Answers by hand, each beside the one-off message that carries it; and what fills in a canned one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

ADD = """
INSERT INTO conversation_answer (app_id, run_id, seq, conversation_id, key, by, created_at)
VALUES (%(app_id)s, %(run_id)s, %(seq)s, %(conversation_id)s, %(key)s, %(by)s, %(now)s)
"""


async def add(
    conn: Conn, app_id: int, run_id: int, seq: int, *, conversation_id: int, key: str | None, by: str, now: datetime
) -> None:
    """Say that a message is an answer by hand."""
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "seq": seq,
        "conversation_id": conversation_id,
        "key": key,
        "by": by,
        "now": now,
    }
    await conn.execute(ADD, values)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer by hand, and when it may leave."""

    run_public_id: str
    seq: int
    due_at: datetime


FIND = """
SELECT r.public_id AS run_public_id, a.seq,
       coalesce((SELECT c.due_at FROM chunk c WHERE c.app_id = a.app_id AND c.run_id = a.run_id
                   AND coalesce(m.place, m.seq) BETWEEN c.first_seq AND c.last_seq
                 ORDER BY c.first_seq DESC LIMIT 1), a.created_at) AS due_at
FROM conversation_answer a
JOIN run r ON r.app_id = a.app_id AND r.run_id = a.run_id
LEFT JOIN message m ON m.app_id = a.app_id AND m.run_id = a.run_id AND m.seq = a.seq
WHERE a.app_id = %(app_id)s AND a.conversation_id = %(conversation_id)s AND a.key = %(key)s
"""


async def find(conn: Conn, app_id: int, conversation_id: int, key: str) -> Answer | None:
    """The answer that came with this key, if there is one."""
    values = {"app_id": app_id, "conversation_id": conversation_id, "key": key}
    async with conn.cursor(row_factory=class_row(Answer)) as cursor:
        return await (await cursor.execute(FIND, values)).fetchone()


FIELDS = """
SELECT t.fields FROM contact t
JOIN contact_list l ON l.app_id = t.app_id AND l.list_id = t.list_id AND l.deleted_at IS NULL
WHERE t.app_id = %(app_id)s AND t.number = %(number)s ORDER BY t.updated_at DESC, t.list_id DESC, t.seq DESC LIMIT 1
"""


async def fields_of(conn: Conn, app_id: int, number: str) -> dict[str, Any]:
    """The columns of the contact with this number that was changed last, of any list; none when there is no such."""
    row = await (await conn.execute(FIELDS, {"app_id": app_id, "number": number})).fetchone()
    return {} if row is None else dict(row[0])
