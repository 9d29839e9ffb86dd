"""Answering by hand: a text to one person, before every campaign, and from then on they talk with a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import conversations, singles, webhooks
from heliograph.actions import inbox as inbox_actions
from heliograph.actions import runs as runs_actions
from heliograph.errors import Conflict
from heliograph.rules import hours, ids, parts, plain, quiet, template, timing
from heliograph.rules import inbox as law
from heliograph.rules.webhook import Event, instant
from heliograph.store import app_settings, bell, chunks, dnc, inbox, opt_outs, runs, tallies, templates
from heliograph.store import inbox_answers as rows
from heliograph.store import singles as single_rows

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.inbox import Conversation


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is on record. ``due_at``: when it may leave; ``held``: that is later, as quiet hours keep it."""

    message_id: str
    due_at: datetime
    held: bool


async def answer(db: Database, app: App, conversation_id: str, body: object, *, by: str, now: datetime) -> Answered:
    """Write to the person of a conversation: the body's ``text``, or its ``template`` filled in for them.

    It opens the conversation, reads everything in it, and ends the flow they may be in: a person talks with them now.
    Within :data:`~heliograph.rules.inbox.AT_ONCE` of a message of
    theirs it leaves at once; later it keeps quiet hours, and says until when it is held. With a ``key`` that came
    before, the first answer is told and nothing is sent.

    Raises Invalid, NotFound, and Conflict when they may not be texted or nothing can leave from that address.
    """
    wanted = law.answer(body)
    async with db.transaction() as conn:
        conversation = await inbox.get(conn, app.app_id, conversation_id)
        before = await _given(conn, conversation, wanted.key, now=now)
        if before is not None:
            return before
        # Before the conversation's row is locked: whoever works on replies takes the two in this order.
        await conversations.take_over(conn, app.app_id, conversation.number, conversation.sent_from, now=now)
        conversation = await inbox.lock(conn, app.app_id, conversation_id)
        before = await _given(conn, conversation, wanted.key, now=now)  # by somebody who held the lock meanwhile
        if before is not None:
            return before
        exempt = law.exempt(conversation.last_in_at, now)
        await _check(conn, conversation, exempt=exempt, now=now)
        text = wanted.text or await _canned(conn, app, wanted.template or "", conversation.number)
        done, run_id, seq = await _write(conn, conversation, text, exempt=exempt, now=now)
        await rows.add(
            conn, app.app_id, run_id, seq, conversation_id=conversation.conversation_id, key=wanted.key, by=by, now=now
        )
        if not conversation.open:
            await inbox_actions.change_in(conn, conversation, {"status": "open"}, by=by, now=now)
        preview = text[: inbox_actions.PREVIEW]
        await inbox.wrote(conn, app.app_id, conversation.conversation_id, preview=preview, now=now)
        told = {
            "conversationId": conversation.public_id,
            "number": conversation.number,
            "address": conversation.sent_from,
            "messageId": done.message_id,
            "text": text,
            "by": by,
            "heldUntil": instant(done.due_at) if done.held else None,
        }
        await webhooks.emit(conn, app.app_id, Event.CONVERSATION_ANSWERED, told, now=now)
    return done


async def _given(conn: Conn, conversation: Conversation, key: str | None, *, now: datetime) -> Answered | None:
    """The answer that was given with this key before."""
    if key is None:
        return None
    before = await rows.find(conn, conversation.app_id, conversation.conversation_id, key)
    if before is None:
        return None
    return Answered(ids.message_id(before.run_public_id, before.seq), before.due_at, before.due_at > now)


async def _check(conn: Conn, conversation: Conversation, *, exempt: bool, now: datetime) -> None:
    """Raise Conflict for somebody who may not be texted: it would be suppressed, and nobody would be told."""
    app_id, number = conversation.app_id, conversation.number
    for said in await opt_outs.list_of(conn, app_id, number):
        if said.address not in {"", conversation.address}:
            continue
        if said.kind == "no":
            when = f"{said.created_at:%-d %B %Y}"
            text = f"{number} said no on {when} ({said.reason or said.source}) and may not be texted"
            raise Conflict(text, field="conversationId")
        if not exempt:
            text = (
                f"What {number} wrote may be a no, and nobody has decided about it; decide that first (optout review)"
            )
            raise Conflict(text, field="conversationId")
    lists = await runs_actions.global_dnc_lists(conn, app_id)
    if await dnc.find_blocked(conn, app_id, lists, [number], now, address=conversation.sent_from, exempt=exempt):
        raise Conflict(f"{number} is on a do-not-contact list and may not be texted", field="conversationId")


async def _canned(conn: Conn, app: App, ref: str, number: str) -> str:
    """A template's words for the person with this number. Raises NotFound, and Invalid naming what is missing."""
    found = await templates.get(conn, app, ref)
    filled = template.compile_text(found.body, field="template").render(
        await rows.fields_of(conn, app.app_id, number), template.Missing("skip")
    )
    if filled.text is None:
        raise law.missing(filled.missing, number)
    return law.words(filled.text, "template")


async def _write(
    conn: Conn, conversation: Conversation, text: str, *, exempt: bool, now: datetime
) -> tuple[Answered, int, int]:
    """Put the text on record, to leave before every campaign; with it its run and its number in it."""
    app_id, number, address = conversation.app_id, conversation.number, conversation.sent_from
    run = await runs.get(conn, app_id, await singles.run_of(conn, app_id, address, number, exempt=exempt, now=now))
    last = await runs.reserve(conn, app_id, run.run_id, places=1, chunks=1)
    if last is None:
        raise Conflict(f"One-off texts from {address} were ended", field="conversationId")
    seq, chunk_no = last
    text = plain.apply(text, plain.Plain((await app_settings.get(conn, app_id)).plain_substitutes))
    size = parts.measure(text).parts
    await single_rows.insert_message(conn, app_id, run.run_id, seq=seq, number=number, text=text, parts=size)
    place = "" if exempt else timing.law_of(number)
    rules = quiet.in_force(run.quiet_hours)
    due_at = timing.next_open(hours.parse(run.calling_hours), "UTC", rules, place, now) or now.replace(year=9999)
    chunk = chunks.NewChunk(chunk_no, "UTC", place, due_at, seq, seq)
    await chunks.insert(conn, app_id, run.run_id, run.sender_ids[0], [chunk])
    await tallies.plan(conn, app_id, run.run_id, waiting=1, suppressed=0)
    await bell.ring(conn, "answer")
    return Answered(ids.message_id(run.public_id, seq), due_at, due_at > now), run.run_id, seq
