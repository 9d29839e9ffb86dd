"""Putting together what is known of one message or one number, for every face that tells of it. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from heliograph.errors import Invalid, NotFound
from heliograph.rules import caps, conversation, do_not_contact, ids, optout, phone, story
from heliograph.store import app_settings, consents, decisions, dnc, opt_outs, runs, session_numbers, stories, texted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.story import Entry, Event, Message
    from heliograph.store.apps import App
    from heliograph.store.database import Conn

MOST = 50  # messages told of one number
MOST_SEQ = 2**31 - 1
_STORED = re.compile(r"\+[0-9]{5,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MessageStory:
    """A message, where it stands and why, and what happened to it in order."""

    message_id: str
    message: Message
    status: str
    why: str
    events: list[Event]


@dataclass(frozen=True, slots=True)
class NumberStory:
    """A number: whether it would be texted now, and its newest messages, the newest first.

    ``talks``: where its conversations that are not over stand, a sentence each.
    """

    number: str
    would_be_texted: bool
    because: str
    messages: list[MessageStory]
    talks: list[str]


async def of_message(conn: Conn, app: App, message_id: str, now: datetime) -> MessageStory:
    """The story of a message; of one in whose place another was made, that one's, which tells of both.

    Raises Invalid for what is no message id, NotFound for one that this app does not have.
    """
    named = ids.parse_message_id(message_id)
    if named is None or named[1] > MOST_SEQ:
        raise Invalid(f"{message_id[:80]!r} is no message id. It takes one such as msg-…-0000001", field="messageId")
    run = await runs.find_public(conn, app.app_id, named[0])
    found = None if run is None else await stories.find(conn, app.app_id, run.run_id, named[1])
    if run is not None and found is None:
        after = await decisions.find_successor(conn, app.app_id, run.run_id, named[1])
        found = None if after is None else await stories.find(conn, app.app_id, *after)
    if found is None:
        raise NotFound(f"There is no message {message_id} in this app", field="messageId")
    of_run = await runs.get(conn, app.app_id, found.run_id)
    entries = await _entries(conn, app, found.number, of_run.dnc_list_ids, found.address)
    return await _story(conn, found, entries, now)


async def of_number(conn: Conn, app: App, number: str, now: datetime) -> NumberStory:
    """The story of a number. Raises Invalid for what is none."""
    # As it is stored, when it is written so: what was a number when it came may be none by today's plans.
    whole = number if _STORED.fullmatch(number) else phone.normalise(number, field="phoneNumber")
    everywhere: list[int] = []
    settings = await app_settings.get(conn, app.app_id)
    limits = caps.in_force(settings.frequency_cap)
    if settings.global_dnc_applies_to_sms:
        everywhere = await dnc.list_global(conn, app.app_id)
    entries = await _entries(conn, app, whole, everywhere)
    would, because = story.would_be_texted(entries, now)
    capped = caps.full(limits, await texted.find_times(conn, app.app_id, whole, now=now), now) if limits else None
    if would and capped is not None:
        would, because = False, f"{capped.told('UTC')}, unless the campaign is transactional"
    found = await stories.list_of_number(conn, app.app_id, whole, limit=MOST)
    told = [await _story(conn, each, entries, now) for each in found]
    talking = await session_numbers.under_way(conn, app.app_id, whole)
    talks = [conversation.standing(each.state, each.address, each.due, now) for each in talking]
    return NumberStory(whole, would, because, told, talks)


async def _entries(
    conn: Conn, app: App, number: str, list_ids: Sequence[int], address: str | None = None
) -> list[Entry]:
    """What is on lists for a number, and what it said itself: to everything, or to what leaves from ``address``."""
    found = await stories.list_entries(conn, app.app_id, do_not_contact.covering(number), list_ids)
    mine = {"", optout.address_key(address or "")}
    for one in await opt_outs.list_of(conn, app.app_id, number):
        kind = "opt-outs" if one.kind == "no" else "opt-outs to be reviewed"
        name = f"the {kind} for {one.address}" if one.address else f"the {kind}"
        found.append(story.Entry(name, one.number, one.reason, one.source, one.created_at, None, one.address in mine))
    return found


async def _story(conn: Conn, message: Message, entries: Sequence[Entry], now: datetime) -> MessageStory:
    decided = await decisions.list_of(conn, message.app_id, message.run_id, message.seq)
    mine = (message.run_public_id, message.seq)
    consent = await consents.list_of(conn, message.app_id, message.number, limit=MOST)
    said = [story.Said(one.at, one.what, one.source, one.text, one.word, one.by) for one in consent]
    where, why = message.standing(now)
    return MessageStory(
        ids.message_id(*mine),
        message,
        where.word,
        why,
        story.events(message, [_decision(each, mine) for each in decided], entries, now, said=said),
    )


def _decision(each: decisions.Decision, mine: tuple[str, int]) -> story.Decision:
    old = (each.run_public_id, each.seq)
    new = None if each.new_run_public_id is None or each.new_seq is None else (each.new_run_public_id, each.new_seq)
    other = old if old != mine else new
    return story.Decision(
        at=each.decided_at,
        kind=each.kind,
        by=each.decided_by,
        note=each.note,
        until="" if each.until is None else each.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        finding=each.finding or "",
        other="" if other is None else ids.message_id(*other),
        made_it=old != mine,
    )
