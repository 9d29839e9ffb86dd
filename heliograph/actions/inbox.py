"""The inbox: what people write, and what they are handed over with, kept by conversation.

A conversation is opened by whatever needs a person: a reply that no flow answers, a flow that hands over. What a flow
deals with is kept too, closed, so that it can be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import opt_outs, webhooks
from heliograph.rules import ids, optout
from heliograph.rules.webhook import Event, Told, instant
from heliograph.store import inbox, senders
from heliograph.store.inbox import NewEvent, News

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

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
