"""The inbox: what people write, and what they are handed over with, kept by conversation.

A conversation is opened by whatever needs a person: a reply that no flow answers, a flow that hands over. What a flow
deals with is kept too, closed, so that it can be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import audit, opt_outs, routes, webhooks
from heliograph.rules import body as reading
from heliograph.rules import ids, optout, phone, sender_body
from heliograph.rules import inbox as law
from heliograph.rules.webhook import Event, Told, instant
from heliograph.store import inbox, senders
from heliograph.store.inbox import NewEvent, News

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.inbox import Conversation

PREVIEW = 160  # characters of the last message that lists show


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply. ``by_flow``: a flow, or an automatic answer, deals with it, so nobody needs to look at it."""

    reply_id: int
    number: str
    address: str
    text: str
    at: datetime
    by_flow: bool
    session_id: int | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """A flow gives a conversation to a person, with a ``note`` for them, and perhaps to a ``team``."""

    number: str
    address: str
    session_id: int | None
    note: str
    team: str | None


async def heard(conn: Conn, app_id: int, replies: Sequence[Heard], *, now: datetime) -> None:
    """Keep replies, in their order, within the caller's transaction; as many statements however many they are."""
    if not replies:
        return
    ours = await _as_sent(conn, app_id)
    news: dict[tuple[str, str], News] = {}
    for reply in replies:
        number, address = key = place(reply.number, reply.address)
        before = news.get(key)
        news[key] = News(
            public_id=ids.new("cv") if before is None else before.public_id,
            number=number,
            address=address,
            sent_from=ours.get(address, reply.address),
            unread=(0 if before is None else before.unread) + (not reply.by_flow),
            session_id=reply.session_id or (None if before is None else before.session_id),
            preview=reply.text[:PREVIEW],
            last_in_at=reply.at,
        )
    found = {(put.number, put.address): put for put in await inbox.put(conn, app_id, list(news.values()), now=now)}
    told = [_received(reply, found[place(reply.number, reply.address)].public_id) for reply in replies]
    opened = [put for put in found.values() if put.opened]
    if opened:
        await inbox.add_events(
            conn, app_id, [NewEvent(put.conversation_id, "opened", "reply") for put in opened], now=now
        )
    told += [_opened(put, news[put.number, put.address].sent_from, "reply") for put in opened]
    await webhooks.emit_all(conn, app_id, told, now=now)


async def hand_over(conn: Conn, app_id: int, given: Sequence[HandOver], *, now: datetime) -> None:
    """Open conversations that flows hand over, within the caller's transaction; the last of one person's counts."""
    if not given:
        return
    ours = await _as_sent(conn, app_id)
    last = {place(each.number, each.address): each for each in given}
    news = [
        News(
            public_id=ids.new("cv"),
            number=number,
            address=address,
            sent_from=ours.get(address, each.address),
            unread=0,
            session_id=each.session_id,
            preview="",
            last_in_at=None,
            handed=True,
            team=each.team,
        )
        for (number, address), each in last.items()
    ]
    events: list[NewEvent] = []
    told: list[Told] = []
    for put in await inbox.put(conn, app_id, news, now=now):
        each = last[put.number, put.address]
        sent_from = ours.get(put.address, each.address)
        events.append(NewEvent(put.conversation_id, "handed_over", each.note))
        if put.opened:
            told.append(_opened(put, sent_from, "handed_over"))
        about = _about(put, sent_from) | {"note": each.note, "team": each.team}
        told.append(Told(Event.CONVERSATION_HANDED_OVER, about))
    await inbox.add_events(conn, app_id, events, now=now)
    await webhooks.emit_all(conn, app_id, told, now=now)


def place(number: str, address: str) -> tuple[str, str]:
    """By what a conversation is found: the person's number and our address, however a carrier writes them."""
    return opt_outs.number_of(number), optout.address_key(address)


def _received(reply: Heard, conversation_id: str) -> Told:
    data = {
        "conversationId": conversation_id,
        "from": opt_outs.number_of(reply.number),
        "to": reply.address,
        "text": reply.text,
        "receivedAt": instant(reply.at),
        "needsPerson": not reply.by_flow,
    }
    return Told(Event.REPLY_RECEIVED, data)


def _opened(put: inbox.Put, sent_from: str, why: str) -> Told:
    return Told(Event.CONVERSATION_OPENED, _about(put, sent_from) | {"reason": why})


def _about(put: inbox.Put, sent_from: str) -> dict[str, object]:
    return {"conversationId": put.public_id, "number": put.number, "address": sent_from}


async def _as_sent(conn: Conn, app_id: int) -> dict[str, str]:
    """Our addresses as texts leave from them, by how they are compared."""
    return {optout.address_key(one.address): one.address for one in await senders.list_all(conn, app_id)}


async def start(db: Database, app: App, body: object, *, by: str, now: datetime) -> Conversation:
    """Open the conversation with the body's ``phoneNumber`` on ``address``, one of our senders; there may be one.

    Raises Invalid, and Conflict when no sender serves the address.
    """
    sent = reading.mapping(body, "")
    number = phone.normalise(sent.get("phoneNumber"), field="phoneNumber")
    address = sender_body.caller_id(sent.get("address"), field="address")
    async with db.transaction() as conn:
        await routes.find(conn, app.app_id, address, field="address")
        key = optout.address_key(address)
        public_id, new = await inbox.start(
            conn, app.app_id, ids.new("cv"), number=number, address=key, sent_from=address, now=now
        )
        conversation = await inbox.lock(conn, app.app_id, public_id)
        if not new and not conversation.open:
            return await change_in(conn, conversation, {"status": "open"}, by=by, now=now)
        if new:
            event = NewEvent(conversation.conversation_id, "opened", "person", by)
            await inbox.add_events(conn, app.app_id, [event], now=now)
            await webhooks.emit(
                conn, app.app_id, Event.CONVERSATION_OPENED, facts(conversation) | {"reason": "person"}, now=now
            )
    return conversation


async def change(db: Database, app: App, conversation_id: str, body: object, *, by: str, now: datetime) -> Conversation:
    """Assign it, read it, close it, open it again: what the body says (:func:`heliograph.rules.inbox.changed`).

    Answers it as it is then. Raises Invalid, NotFound.
    """
    async with db.transaction() as conn:
        conversation = await inbox.lock(conn, app.app_id, conversation_id)
        after = await change_in(conn, conversation, body, by=by, now=now)
        audit.tell(_did(conversation, after), object=conversation_id)
    return after


def _did(before: Conversation, after: Conversation) -> str:
    """What was done to a conversation, for the audit."""
    if before.open != after.open:
        return "Opened the conversation again" if after.open else "Closed the conversation"
    if before.assignee != after.assignee:
        return f"Gave the conversation to {after.assignee}" if after.assignee else "Left the conversation to anybody"
    return "Read the conversation" if before.unread != after.unread else "Changed the conversation"


async def change_in(conn: Conn, before: Conversation, body: object, *, by: str, now: datetime) -> Conversation:
    """As :func:`change`, of a conversation that the caller's transaction has locked."""
    standing, did = law.changed(law.Standing(before.open, before.unread, before.assignee, before.team), body)
    opened, closed = standing.open and not before.open, before.open and not standing.open
    after = await inbox.change(
        conn,
        before.app_id,
        before.conversation_id,
        inbox.Standing(
            open=standing.open,
            why_open="person" if opened else before.why_open,
            unread=standing.unread,
            assignee=standing.assignee,
            team=standing.team,
        ),
        now=now,
    )
    if did:
        events = [NewEvent(before.conversation_id, each.kind, each.text, by) for each in did]
        await inbox.add_events(conn, before.app_id, events, now=now)
    if opened:
        told = facts(after) | {"reason": "person"}
        await webhooks.emit(conn, before.app_id, Event.CONVERSATION_OPENED, told, now=now)
    if closed:
        await webhooks.emit(conn, before.app_id, Event.CONVERSATION_CLOSED, facts(after) | {"by": by}, now=now)
    return after


async def note(db: Database, app: App, conversation_id: str, body: object, *, by: str, now: datetime) -> None:
    """Keep the body's ``text`` beside the messages of a conversation; nobody outside is shown it.

    Raises Invalid, NotFound.
    """
    text = law.words(reading.mapping(body, "").get("text"), "text", longest=law.LONGEST_NOTE)
    async with db.transaction() as conn:
        conversation = await inbox.lock(conn, app.app_id, conversation_id)
        event = NewEvent(conversation.conversation_id, "note", text, by)
        await inbox.add_events(conn, app.app_id, [event], now=now)
        audit.tell("Left a note beside the conversation", object=conversation_id)


def facts(conversation: Conversation) -> dict[str, object]:
    """What a webhook is told of every conversation."""
    return {
        "conversationId": conversation.public_id,
        "number": conversation.number,
        "address": conversation.sent_from,
        "assignee": conversation.assignee,
        "team": conversation.team,
    }
