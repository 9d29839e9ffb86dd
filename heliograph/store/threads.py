"""The messages of a conversation, both ways and in order: replies, texts of whatever run, and what happened between.

Nothing is written for it when a campaign is planned: what was sent to a number is found through message_number, one
probe for each run that sends from the conversation's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg.rows import class_row

from heliograph.rules import message as law
from heliograph.rules import quiet, timing

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.message import MessageStatus
    from heliograph.store.database import Conn
    from heliograph.store.inbox import Conversation


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a conversation. ``kind``: in (a reply), out (a text of ours), event.

    ``who``: person; of what is ours campaign, flow, agent, automatic, api; of an event its kind. ``by``: the agent, the
    campaign's name, or who did it. ``(at, rank, number)`` is its place: no two have the same.
    """

    kind: str
    at: datetime
    rank: int
    number: int
    text: str
    who: str
    by: str
    run_public_id: str | None
    seq: int | None
    campaign_public_id: str | None
    parts: int | None
    status: str | None
    reason: str | None
    due_at: datetime | None
    taken: bool
    ended: bool
    law: str | None
    quiet_hours: str | None

    def standing(self, now: datetime) -> tuple[MessageStatus, str]:
        """Of a text of ours: where it stands, and why."""
        due = self.due_at is not None and self.due_at <= now
        where, why = law.standing(outcome=self.status, taken=self.taken, due=due, ended=self.ended)
        if where is law.MessageStatus.HELD and self.law is not None and not self.reason:
            rules = quiet.in_force(self.quiet_hours)
            if not timing.is_lawful(rules, self.law, now):
                why = f"quiet hours in {timing.closest(rules, self.law)}"
        return where, self.reason or why


@dataclass(frozen=True, slots=True)
class Before:
    """A place in a conversation: what is older comes after it on a page."""

    at: datetime
    rank: int
    number: int


# Our addresses fold to ASCII: lower(ltrim(btrim(...), '+')) is rules/optout.py's address_key of them. The arms are
# limited each by itself, so the page costs the same in a conversation of thousands of messages; the arm of texts cannot
# be, as their times are in other rows, but of one person there are as many as they were sent. Measured with 5,000 runs
# of one address and 750,000 messages on two busy cores: 45 to 75 ms, so ten microseconds a run; runs of other addresses
# are not probed.
PAGE: LiteralString = """
SELECT kind, at, rank, number, text, who, by, run_public_id, seq, campaign_public_id, parts, status, reason, due_at,
       taken, ended, law, quiet_hours
FROM (
    (SELECT 'in' AS kind, r.received_at AS at, 1 AS rank, r.reply_id AS number, r.text, 'person' AS who, '' AS by,
            NULL AS run_public_id, NULL::int AS seq, NULL AS campaign_public_id, NULL::smallint AS parts,
            NULL AS status, NULL AS reason, NULL::timestamptz AS due_at, false AS taken, false AS ended,
            NULL AS law, NULL AS quiet_hours
     FROM reply r
     WHERE r.app_id = %(app_id)s AND r.number IN (%(number)s, ltrim(%(number)s, '+'))
       AND lower(ltrim(btrim(r.address), '+')) = %(address)s
       AND (r.received_at, 1, r.reply_id) < (%(at)s, %(rank)s, %(place)s)
     ORDER BY r.received_at DESC, r.reply_id DESC LIMIT %(limit)s)
    UNION ALL
    SELECT 'out', o.at, 3, o.run_id::bigint << 32 | o.seq, o.text, o.who, o.by, o.run_public_id, o.seq,
           o.campaign_public_id, o.parts, o.status, o.reason, o.due_at, o.taken, o.ended, o.law, o.quiet_hours
    FROM (
        SELECT coalesce(o.submitted_at, a.created_at, t.at, u.created_at, o.settled_at, r.started_at) AS at,
               m.run_id, m.seq, coalesce(m.text, r.template) AS text,
               CASE WHEN a.seq IS NOT NULL THEN 'agent' WHEN u.seq IS NOT NULL THEN 'automatic'
                    WHEN t.seq IS NOT NULL OR r.flow IS NOT NULL THEN 'flow'
                    WHEN k.kind = 'single' THEN 'api' ELSE 'campaign' END AS who,
               CASE WHEN a.seq IS NOT NULL THEN a.by WHEN k.kind = 'single' THEN '' ELSE k.name END AS by,
               r.public_id AS run_public_id,
               CASE WHEN k.kind = 'campaign' THEN k.public_id END AS campaign_public_id, m.parts,
               o.status::text AS status, o.reason, c.due_at,
               coalesce(c.next_seq > coalesce(m.place, m.seq), false) AS taken, r.ended_at IS NOT NULL AS ended, c.law,
               (SELECT s.quiet_hours::text FROM app_setting s WHERE s.app_id = r.app_id) AS quiet_hours
        FROM run r
        CROSS JOIN LATERAL (
            SELECT x.* FROM message x
            WHERE x.app_id = r.app_id AND x.run_id = r.run_id AND x.number = %(number)s AND x.number > ''
            ORDER BY x.nth DESC LIMIT %(most)s
        ) m
        JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
        LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
        LEFT JOIN LATERAL (SELECT x.* FROM conversation_answer x
                           WHERE x.app_id = m.app_id AND x.run_id = m.run_id AND x.seq = m.seq LIMIT 1) a ON true
        LEFT JOIN LATERAL (SELECT x.* FROM auto_answer x
                           WHERE x.app_id = m.app_id AND x.run_id = m.run_id AND x.seq = m.seq LIMIT 1) u ON true
        LEFT JOIN LATERAL (SELECT x.* FROM session_text x
                           WHERE x.app_id = m.app_id AND x.run_id = m.run_id AND x.seq = m.seq LIMIT 1) t ON true
        LEFT JOIN LATERAL (
            SELECT h.next_seq, h.law, greatest(h.due_at, s.held_until) AS due_at, s.address
            FROM chunk h LEFT JOIN sender s ON s.app_id = h.app_id AND s.sender_id = h.sender_id
            WHERE h.app_id = m.app_id AND h.run_id = m.run_id
              AND coalesce(m.place, m.seq) BETWEEN h.first_seq AND h.last_seq
            ORDER BY h.first_seq DESC LIMIT 1
        ) c ON true
        WHERE r.app_id = %(app_id)s
          AND (r.pool_id IS NOT NULL OR lower(ltrim(btrim(r.caller_id), '+')) = %(address)s)
          AND lower(ltrim(btrim(CASE WHEN r.pool_id IS NULL OR c.address = '*' THEN r.caller_id ELSE c.address END),
                          '+')) = %(address)s
    ) o
    WHERE (o.at, 3, o.run_id::bigint << 32 | o.seq) < (%(at)s, %(rank)s, %(place)s)
    UNION ALL
    (SELECT 'event', e.at, 2, e.event_id, e.text, e.kind, e.by, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false,
            NULL, NULL
     FROM conversation_event e
     WHERE e.app_id = %(app_id)s AND e.conversation_id = %(conversation_id)s
       AND (e.at, 2, e.event_id) < (%(at)s, %(rank)s, %(place)s)
     ORDER BY e.at DESC, e.event_id DESC LIMIT %(limit)s)
) AS every
ORDER BY at DESC, rank DESC, number DESC LIMIT %(limit)s
"""
MOST = 1_000
"""Texts of one run to one person that are told of: only one-off texts are ever so many."""
_LAST = 2**62


def values(conversation: Conversation, *, before: Before, limit: int) -> dict[str, object]:
    """What goes with :data:`PAGE`."""
    return {
        "app_id": conversation.app_id,
        "conversation_id": conversation.conversation_id,
        "number": conversation.number,
        "address": conversation.address,
        "at": before.at,
        "rank": before.rank,
        "place": before.number,
        "most": MOST,
        "limit": limit,
    }


async def page(
    conn: Conn, conversation: Conversation, *, before: Before | None, limit: int, now: datetime
) -> list[Entry]:
    """The newest ``limit`` entries that are older than ``before``, the newest first."""
    start = before or Before(now.replace(year=9999), 0, _LAST)
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return await (await cursor.execute(PAGE, values(conversation, before=start, limit=limit))).fetchall()
