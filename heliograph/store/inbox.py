"""Conversations: everything between one person and one address of ours, as people who answer see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, LiteralString

from psycopg.rows import class_row

from heliograph.errors import NotFound
from heliograph.store import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

WhyOpen = Literal["reply", "handed_over", "person"]
Kind = Literal["opened", "handed_over", "assigned", "unassigned", "closed", "reopened", "note"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row of table ``conversation``. ``address`` is folded; ``sent_from`` is the same as texts leave from it."""

    app_id: int
    conversation_id: int
    public_id: str
    number: str
    address: str
    sent_from: str
    open: bool
    why_open: WhyOpen | None
    unread: int
    assignee: str | None
    team: str | None
    session_id: int | None
    preview: str
    preview_out: bool
    last_in_at: datetime | None
    last_out_at: datetime | None
    last_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    created_at: datetime


COLUMNS = """app_id, conversation_id, public_id, number, address, sent_from, open, why_open, unread, assignee, team,
       session_id, preview, preview_out, last_in_at, last_out_at, last_at, opened_at, closed_at, created_at"""


@dataclass(frozen=True, slots=True)
class News:
    """What a batch changes of one conversation; each number and address once in a batch.

    ``unread``: how many messages of theirs nobody has answered; any of them, or ``handed``, opens it.
    """

    public_id: str  # should it be new
    number: str
    address: str
    sent_from: str
    unread: int
    session_id: int | None
    preview: str
    last_in_at: datetime | None  # null: they have not written anything
    handed: bool = False
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """A conversation after a batch. ``opened``: it is open by it, and was not before."""

    conversation_id: int
    public_id: str
    number: str
    address: str
    opened: bool


# Once for each batch of replies, beside bulk sending: one statement however many there are, by the unique index of
# (app_id, number, address). Locked in that order, as everybody does who takes several. What was before is read by the
# statement that changes it, under the lock, so that a conversation is opened once.
PUT = """
WITH given AS (
    SELECT public_id, number, address, sent_from, unread::int AS unread, session_id::bigint AS session_id, preview,
           last_in_at::timestamptz AS last_in_at, handed::boolean AS handed, team
    FROM ROWS FROM (
        json_array_elements_text(%(public_id)s::json), json_array_elements_text(%(number)s::json),
        json_array_elements_text(%(address)s::json), json_array_elements_text(%(sent_from)s::json),
        json_array_elements_text(%(unread)s::json), json_array_elements_text(%(session_id)s::json),
        json_array_elements_text(%(preview)s::json), json_array_elements_text(%(last_in_at)s::json),
        json_array_elements_text(%(handed)s::json), json_array_elements_text(%(team)s::json)
    ) AS t (public_id, number, address, sent_from, unread, session_id, preview, last_in_at, handed, team)
), before AS (
    SELECT c.number, c.address, c.open FROM given g
    JOIN conversation c ON c.app_id = %(app_id)s AND c.number = g.number AND c.address = g.address
    ORDER BY c.number, c.address FOR UPDATE OF c
), put AS (
    INSERT INTO conversation AS c (app_id, public_id, number, address, sent_from, open, why_open, unread, team,
                                   session_id, preview, last_in_at, last_at, opened_at, created_at, updated_at)
    SELECT %(app_id)s, g.public_id, g.number, g.address, g.sent_from, g.handed OR g.unread > 0,
           CASE WHEN g.handed THEN 'handed_over' WHEN g.unread > 0 THEN 'reply' END,
           greatest(g.unread, g.handed::int), g.team, g.session_id, g.preview, g.last_in_at,
           coalesce(g.last_in_at, %(now)s), CASE WHEN g.handed OR g.unread > 0 THEN %(now)s::timestamptz END,
           %(now)s, %(now)s
    FROM given g LEFT JOIN before b USING (number, address)
    ORDER BY g.number, g.address
    ON CONFLICT (app_id, number, address) DO UPDATE SET
        open = c.open OR excluded.open,
        why_open = CASE WHEN c.open AND excluded.why_open IS DISTINCT FROM 'handed_over' THEN c.why_open
                        ELSE coalesce(excluded.why_open, c.why_open) END,
        opened_at = CASE WHEN c.open THEN c.opened_at ELSE coalesce(excluded.opened_at, c.opened_at) END,
        unread = CASE WHEN excluded.why_open = 'handed_over' THEN greatest(c.unread, excluded.unread)
                      ELSE c.unread + excluded.unread END,
        team = coalesce(excluded.team, c.team),
        session_id = coalesce(excluded.session_id, c.session_id),
        preview = CASE WHEN excluded.last_in_at >= c.last_at THEN excluded.preview ELSE c.preview END,
        preview_out = c.preview_out AND NOT coalesce(excluded.last_in_at >= c.last_at, false),
        last_in_at = greatest(c.last_in_at, excluded.last_in_at),
        last_at = greatest(c.last_at, excluded.last_in_at),
        updated_at = excluded.updated_at
    RETURNING c.conversation_id, c.public_id, c.number, c.address, c.open
)
SELECT p.conversation_id, p.public_id, p.number, p.address, p.open AND NOT coalesce(b.open, false) AS opened
FROM put p LEFT JOIN before b USING (number, address)
"""


async def put(conn: Conn, app_id: int, news: Sequence[News], *, now: datetime) -> list[Put]:
    """Keep what is new of conversations, making those there are none of yet; answers each, in no order."""
    values: dict[str, object] = {
        "public_id": columns.of([each.public_id for each in news]),
        "number": columns.of([each.number for each in news]),
        "address": columns.of([each.address for each in news]),
        "sent_from": columns.of([each.sent_from for each in news]),
        "unread": columns.of([each.unread for each in news]),
        "session_id": columns.of([each.session_id for each in news]),
        "preview": columns.of([each.preview for each in news]),
        "last_in_at": columns.times([each.last_in_at for each in news]),
        "handed": columns.of([str(each.handed) for each in news]),
        "team": columns.of([each.team for each in news]),
        "app_id": app_id,
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(Put)) as cursor:
        return await (await cursor.execute(PUT, values)).fetchall()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened to a conversation besides its messages. ``by``: "" when it happened by itself."""

    conversation_id: int
    kind: Kind
    text: str = ""
    by: str = ""


ADD_EVENTS = """
INSERT INTO conversation_event (app_id, conversation_id, kind, text, by, at)
SELECT %(app_id)s, t.conversation_id, t.kind, t.text, t.by, %(now)s
FROM unnest(%(conversation_id)s::int[], %(kind)s::text[], %(text)s::text[], %(by)s::text[]) WITH ORDINALITY
     AS t (conversation_id, kind, text, by, place)
ORDER BY t.place
"""


async def add_events(conn: Conn, app_id: int, events: Sequence[NewEvent], *, now: datetime) -> None:
    """Write down what happened, in this order."""
    names = ("conversation_id", "kind", "text", "by")
    values: dict[str, object] = {name: [getattr(event, name) for event in events] for name in names}
    await conn.execute(ADD_EVENTS, values | {"app_id": app_id, "now": now})


GET = f"SELECT {COLUMNS} FROM conversation WHERE app_id = %(app_id)s AND public_id = %(public_id)s"
LOCK = f"{GET} FOR UPDATE"


async def get(conn: Conn, app_id: int, public_id: str) -> Conversation:
    """The conversation with this ``cv-`` id. Raises NotFound."""
    return await _one(conn, GET, app_id, public_id)


async def lock(conn: Conn, app_id: int, public_id: str) -> Conversation:
    """As :func:`get`, and nobody else changes it before this transaction ends."""
    return await _one(conn, LOCK, app_id, public_id)


async def _one(conn: Conn, statement: LiteralString, app_id: int, public_id: str) -> Conversation:
    async with conn.cursor(row_factory=class_row(Conversation)) as cursor:
        values = {"app_id": app_id, "public_id": public_id}
        found = await (await cursor.execute(statement, values)).fetchone()
    if found is None:
        raise NotFound(f"There is no conversation {public_id} in this app", field="conversationId")
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person decides about a conversation."""

    open: bool
    why_open: WhyOpen | None
    unread: int
    assignee: str | None
    team: str | None


CHANGE = f"""
UPDATE conversation SET open = %(open)s, why_open = %(why_open)s, unread = %(unread)s, assignee = %(assignee)s,
    team = %(team)s, updated_at = %(now)s,
    opened_at = CASE WHEN %(open)s AND NOT open THEN %(now)s ELSE opened_at END,
    closed_at = CASE WHEN NOT %(open)s AND open THEN %(now)s ELSE closed_at END
WHERE app_id = %(app_id)s AND conversation_id = %(conversation_id)s
RETURNING {COLUMNS}
"""


async def change(conn: Conn, app_id: int, conversation_id: int, standing: Standing, *, now: datetime) -> Conversation:
    """Give a conversation, which the caller has locked, another standing; answers it as it is then."""
    values = {
        "open": standing.open,
        "why_open": standing.why_open,
        "unread": standing.unread,
        "assignee": standing.assignee,
        "team": standing.team,
        "app_id": app_id,
        "conversation_id": conversation_id,
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(Conversation)) as cursor:
        found = await (await cursor.execute(CHANGE, values)).fetchone()
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}", field="conversationId")
    return found


START = """
INSERT INTO conversation AS c (app_id, public_id, number, address, sent_from, open, why_open, last_at, opened_at,
                               created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(number)s, %(address)s, %(sent_from)s, true, 'person', %(now)s, %(now)s, %(now)s,
        %(now)s)
ON CONFLICT (app_id, number, address) DO NOTHING
RETURNING public_id
"""
ITS_ID = """
SELECT public_id FROM conversation WHERE app_id = %(app_id)s AND number = %(number)s AND address = %(address)s
"""


async def start(
    conn: Conn, app_id: int, public_id: str, *, number: str, address: str, sent_from: str, now: datetime
) -> tuple[str, bool]:
    """The id of the conversation with ``number`` on ``address`` (folded), and whether it was begun by this, open."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "number": number,
        "address": address,
        "sent_from": sent_from,
        "now": now,
    }
    if await (await conn.execute(START, values)).fetchone() is not None:
        return public_id, True
    row = await (await conn.execute(ITS_ID, values)).fetchone()
    if row is None:
        raise NotFound(f"There is no conversation with {number}", field="phoneNumber")
    return str(row[0]), False


WROTE = """
UPDATE conversation SET unread = 0, preview = %(preview)s, preview_out = true, last_out_at = %(now)s,
    last_at = greatest(last_at, %(now)s), updated_at = %(now)s
WHERE app_id = %(app_id)s AND conversation_id = %(conversation_id)s
"""


async def wrote(conn: Conn, app_id: int, conversation_id: int, *, preview: str, now: datetime) -> None:
    """A person of ours has written: that is the last message now, and what was unread is not any more."""
    values = {"app_id": app_id, "conversation_id": conversation_id, "preview": preview, "now": now}
    await conn.execute(WROTE, values)
