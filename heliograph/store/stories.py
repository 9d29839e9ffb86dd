"""What is stored of one message, or of one number, all together: for telling its story."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

from heliograph.rules.story import Entry, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.database import Conn

_SELECT: LiteralString = """
SELECT m.app_id, m.run_id, k.public_id AS campaign_public_id, k.name AS campaign_name, r.public_id AS run_public_id,
       m.seq, coalesce(m.place, m.seq) AS place, m.number, coalesce(m.text, r.template) AS text, m.parts, m.attempts,
       r.started_at, r.ended_at, r.end_reason, l.name AS list_name, t.created_at AS imported_at, c.zone, c.law,
       c.due_at, r.transactional,
       (SELECT x.quiet_hours::text FROM app_setting x WHERE x.app_id = r.app_id) AS quiet_hours,
       coalesce(c.next_seq > coalesce(m.place, m.seq), false) AS taken,
       CASE WHEN c.address = '*' THEN r.caller_id ELSE c.address END AS address, a.name AS account,
       o.status::text AS status, o.reason, o.carrier_ref, o.submitted_at, o.settled_at,
       CASE WHEN m.seq < r.people_kept THEN 'number and text' WHEN m.seq < r.texts_kept AND m.text = '' THEN 'text' END
       AS removed, r.removed_at
"""
_WITH: LiteralString = """
JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
LEFT JOIN contact_list l ON l.app_id = m.app_id AND l.list_id = m.list_id
LEFT JOIN contact t ON t.app_id = m.app_id AND t.list_id = m.list_id AND t.seq = m.contact_seq
LEFT JOIN LATERAL (
    SELECT h.zone, h.law, h.next_seq, greatest(h.due_at, s.held_until) AS due_at, s.address, s.account_id
    FROM chunk h LEFT JOIN sender s ON s.app_id = h.app_id AND s.sender_id = h.sender_id
    WHERE h.app_id = m.app_id AND h.run_id = m.run_id
      AND coalesce(m.place, m.seq) BETWEEN h.first_seq AND h.last_seq
    ORDER BY h.first_seq DESC LIMIT 1
) c ON true
LEFT JOIN carrier_account a ON a.app_id = m.app_id AND a.account_id = coalesce(o.account_id, c.account_id)
"""

FIND: LiteralString = f"""{_SELECT}
FROM run r JOIN message m ON m.app_id = r.app_id AND m.run_id = r.run_id AND m.seq = %(seq)s
{_WITH}
WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s
"""


async def find(conn: Conn, app_id: int, run_id: int, seq: int) -> Message | None:
    """A message of a run; None when there is none of this number, or none any more."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        values = {"app_id": app_id, "run_id": run_id, "seq": seq}
        return await (await cursor.execute(FIND, values)).fetchone()


# One probe of message_number for each run there ever was of the app: joined, it would read every message.
OF_NUMBER: LiteralString = f"""{_SELECT}
FROM run r CROSS JOIN LATERAL (
    SELECT x.* FROM message x
    WHERE x.app_id = r.app_id AND x.run_id = r.run_id AND x.number = %(number)s AND x.number > ''
    ORDER BY x.nth DESC LIMIT %(limit)s
) m
{_WITH}
WHERE r.app_id = %(app_id)s
ORDER BY coalesce(o.submitted_at, o.settled_at, r.started_at) DESC, m.run_id DESC, m.seq DESC LIMIT %(limit)s
"""


async def list_of_number(conn: Conn, app_id: int, number: str, *, limit: int) -> list[Message]:
    """The newest messages to a number, the newest first."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        values = {"app_id": app_id, "number": number, "limit": limit}
        return await (await cursor.execute(OF_NUMBER, values)).fetchall()


# ids: the number and every prefix of it, so that this is a few probes of the primary key for each list.
ENTRIES = """
SELECT l.name AS list_name, e.number AS entry, e.reason, e.source, e.created_at, e.expires_at,
       e.list_id = ANY(%(list_ids)s) AS counts
FROM contact_list l JOIN dnc_entry e ON e.app_id = l.app_id AND e.list_id = l.list_id AND e.number = ANY(%(ids)s)
WHERE l.app_id = %(app_id)s AND l.kind = 'dnc' AND l.deleted_at IS NULL
ORDER BY e.created_at, l.list_id, e.number
"""


async def list_entries(conn: Conn, app_id: int, ids: Sequence[str], list_ids: Sequence[int]) -> list[Entry]:
    """The app's do-not-contact entries among ``ids``; those on ``list_ids`` count."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        values = {"app_id": app_id, "ids": list(ids), "list_ids": list(list_ids)}
        return await (await cursor.execute(ENTRIES, values)).fetchall()
