"""Conversations over HTTP; ours. Their paths stand in routes.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import answers as answering
from heliograph.actions import inbox as keeping
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.contacts import MAX_SKIP, Limit, Skip
from heliograph.api.inbox_shapes import CONVERSATION_ID
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import ids
from heliograph.rules import inbox as law
from heliograph.store import inbox, inbox_pages, threads
from heliograph.store.inbox import Conversation
from heliograph.store.inbox_pages import Wanted
from heliograph.store.threads import Before, Entry

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_PLACE = 3
_DIGITS = 18
_MICROSECOND = timedelta(microseconds=1)

ConversationId = Annotated[
    str, Path(alias="conversationId", description="The conversation's id, `cv-…`.", examples=[CONVERSATION_ID])
]
StatusOf = Annotated[
    str | None, Query(alias="status", description="Only these.", json_schema_extra={"enum": ["open", "closed"]})
]
Unread = Annotated[
    str | None,
    Query(description="`true`: only those with something unread.", json_schema_extra={"enum": ["true", "false"]}),
]
Unassigned = Annotated[
    str | None, Query(description="`true`: only those of nobody.", json_schema_extra={"enum": ["true", "false"]})
]
Assignee = Annotated[str | None, Query(description="Only those of this one.")]
Team = Annotated[str | None, Query(description="Only those of this team.")]
Search = Annotated[
    str | None,
    Query(
        description="A number, three or more digits of one, or words of what they wrote (of the newest 50,000 replies)."
    ),
]
BeforeOf = Annotated[str | None, Query(alias="before", description="Where the page before ended: its `next`.")]


async def start(call: auth.OutboundSms) -> Response:
    """Open the conversation with somebody. There may be one already; it is the same then."""
    made = await keeping.start(call.db, call.app, await call.body(), by=call.client_id, now=call.now)
    return envelope.success("Conversation opened", record(made))


async def list_page(  # noqa: PLR0913  # a parameter is a query value
    call: auth.OutboundSms,
    *,
    skip: Skip = None,
    limit: Limit = None,
    status: StatusOf = None,
    unread: Unread = None,
    unassigned: Unassigned = None,
    assignee: Assignee = None,
    team: Team = None,
    search: Search = None,
) -> Response:
    """Conversations, those with the newest message first."""
    whole = campaign_query.whole_number
    passed = whole(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = whole(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    wanted = Wanted(
        open=law.status(status) if status else None,
        unread=_flag(unread, "unread"),
        unassigned=_flag(unassigned, "unassigned"),
        assignee=assignee or None,
        team=team or None,
        **(law.sought(search) if search else {}),
    )
    async with call.db.connection() as conn:
        found = await inbox_pages.page(conn, call.app.app_id, wanted, skip=passed, limit=most + 1)
    data = {
        "results": [record(one) for one in found[:most]],
        "skip": passed,
        "limit": most,
        "hasMore": len(found) > most,
    }
    return envelope.success("Conversations retrieved successfully", data)


async def count(call: auth.OutboundSms, assignee: Assignee = None) -> Response:
    """How many conversations are open, nobody's, unread, and `assignee`'s. Counted to 1,000."""
    async with call.db.connection() as conn:
        found = await inbox_pages.count(conn, call.app.app_id, mine=assignee or None)
    data = {
        "open": found.open,
        "unassigned": found.unassigned,
        "unread": found.unread,
        "mine": found.mine,
        "mineUnread": found.mine_unread,
    }
    return envelope.success("Conversations counted successfully", data)


async def get(call: auth.OutboundSms, conversation: ConversationId) -> Response:
    """One conversation."""
    async with call.db.connection() as conn:
        found = await inbox.get(conn, call.app.app_id, conversation)
    return envelope.success("Conversation retrieved successfully", record(found))


async def change(call: auth.OutboundSms, conversation: ConversationId) -> Response:
    """Assign a conversation, mark it read or unread, close it, open it again.

    The next message of theirs opens a closed one by itself. Closing marks it read.
    """
    after = await keeping.change(call.db, call.app, conversation, await call.body(), by=call.client_id, now=call.now)
    return envelope.success("Conversation changed", record(after))


async def messages(
    call: auth.OutboundSms, conversation: ConversationId, *, limit: Limit = None, before: BeforeOf = None
) -> Response:
    """The messages of a conversation, both ways, whatever sent them, and what happened between; the newest first."""
    most = campaign_query.whole_number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    start_at = _before(before) if before else None
    async with call.db.connection() as conn:
        found = await inbox.get(conn, call.app.app_id, conversation)
        page = await threads.page(conn, found, before=start_at, limit=most + 1, now=call.now)
    shown = page[:most]
    data = {
        "results": [entry(one, call.now) for one in shown],
        "limit": most,
        "next": _token(shown[-1]) if len(page) > most else None,
    }
    return envelope.success("Messages retrieved successfully", data)


async def answer(call: auth.OutboundSms, conversation: ConversationId) -> Response:
    """Write to the person of a conversation: `text`, or `template`, which their columns fill in.

    It leaves before every campaign. Within 24 hours of a message of theirs it leaves at once, at any hour; later it
    keeps quiet hours, and `heldUntil` says until when. It opens the conversation, marks it read, and ends the flow that
    the person may be in. Nobody who said no is written to: that is a 409.
    """
    done = await answering.answer(call.db, call.app, conversation, await call.body(), by=call.client_id, now=call.now)
    data = {"messageId": done.message_id, "heldUntil": envelope.instant(done.due_at) if done.held else None}
    return envelope.success("Answer is held by quiet hours" if done.held else "Answer is on its way", data)


async def note(call: auth.OutboundSms, conversation: ConversationId) -> Response:
    """Keep a note beside the messages. Nobody outside is shown it."""
    await keeping.note(call.db, call.app, conversation, await call.body(), by=call.client_id, now=call.now)
    return await get(call, conversation)


def record(found: Conversation) -> dict[str, object]:
    """A conversation as the API tells it."""
    return {
        "_id": found.public_id,
        "phoneNumber": found.number,
        "address": found.sent_from,
        "status": "open" if found.open else "closed",
        "reason": found.why_open,
        "unread": found.unread,
        "assignee": found.assignee,
        "team": found.team,
        "preview": found.preview,
        "previewIsOurs": found.preview_out,
        "lastMessageAt": envelope.instant(found.last_at),
        "lastInAt": _instant(found.last_in_at),
        "lastAnswerAt": _instant(found.last_out_at),
        "openedAt": _instant(found.opened_at),
        "closedAt": _instant(found.closed_at),
        "createdAt": envelope.instant(found.created_at),
    }


def entry(found: Entry, now: datetime) -> dict[str, object]:
    """A line of a conversation as the API tells it."""
    ours = found.run_public_id is not None and found.seq is not None
    status, why = found.standing(now) if ours else (None, None)
    return {
        "kind": found.kind,
        "at": envelope.instant(found.at),
        "who": found.who,
        "by": found.by,
        "text": found.text,
        "messageId": ids.message_id(found.run_public_id or "", found.seq or 0) if ours else None,
        "campaignId": found.campaign_public_id,
        "parts": found.parts,
        "status": None if status is None else status.word,
        "why": why or None,
    }


def _flag(value: str | None, field: str) -> bool:
    if value not in {None, "", "true", "false"}:
        raise Invalid(f"{field} is {reading.shown(value)}. It takes true or false", field=field)
    return value == "true"


def _token(found: Entry) -> str:
    """The place of an entry, as ``before`` takes it: microseconds since 1970, rank, number."""
    micros = (found.at - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND
    return f"{micros}-{found.rank}-{found.number}"


def _before(value: str) -> Before:
    parts = value.split("-")
    if len(parts) != _PLACE or not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts):
        raise Invalid(f"before is {reading.shown(value)}. It takes the next of the page before", field="before")
    micros, rank, number = map(int, parts)
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + micros * _MICROSECOND
    except OverflowError:
        raise Invalid(f"before is {reading.shown(value)}, which is beyond all times", field="before") from None
    return Before(at, rank, number)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else envelope.instant(moment)
