"""Answering by ourselves those who say no, yes or help: once each, soon or not at all, and never a machine for long."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import conversations, inbox, opt_outs, singles
from heliograph.actions.conversations import Fate
from heliograph.errors import Conflict
from heliograph.rules import optout, optout_settings, parts
from heliograph.rules.conversation import Became
from heliograph.rules.optout import Wish
from heliograph.store import app_settings, bell, chunks, locks, replies, runs, senders, tallies
from heliograph.store import auto_answers as rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.optout_settings import Settings
    from heliograph.store.database import Conn, Database
    from heliograph.store.replies import Unanswered
    from heliograph.store.runs import Run

log = logging.getLogger(__name__)

AT_ONCE = 2_000
SOON = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): a confirmation later than this is taken for an advertisement
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)  # a second no within this long is heeded and not confirmed again
_OF_CONSENT = {"opt_out": "stop", "opt_in": "start"}
_NUMBER = re.compile(r"\+[0-9]{7,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Due:
    """An answer to give. ``kind``: stop, start or help."""

    reply: Unanswered
    number: str
    kind: str


async def work(db: Database, app_id: int, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Look at the replies of an app that came first, and answer them; how many, 0 when another worker is at it.

    One transaction: each is looked at once, whatever crashes.
    """
    # Sent on without waiting for what needs no answer: half of some thirty statements.
    async with db.transaction() as conn, conn.pipeline():
        if not await locks.try_hold(conn, locks.Kind.REPLIES, app_id):
            return 0
        waiting = await replies.read_unhandled(conn, app_id, limit=limit)
        if not waiting:
            return 0
        kept = await app_settings.get(conn, app_id)
        settings, ours = optout_settings.read(kept.opt_out), await senders.list_all(conn, app_id)
        as_sent = {optout.address_key(one.address): one.address for one in ours}
        by_address: defaultdict[str, list[_Due]] = defaultdict(list)
        for due in await _due(conn, app_id, waiting, settings, now):
            by_address[as_sent.get(optout.address_key(due.reply.address), due.reply.address)].append(due)
        for address, answers in by_address.items():
            await _give(conn, app_id, address, answers, settings, now)
        apart, refused = _of_consent(waiting, settings)
        said = [reply for reply in waiting if reply.reply_id not in apart]
        fates = await conversations.hear(conn, app_id, said, refused, settings=kept, ours=ours, now=now)
        fates = dict.fromkeys(sorted(apart), Fate(Became.CONSENT)) | fates
        await replies.handled(conn, app_id, fates, now=now)
        await inbox.heard(conn, app_id, [_told(reply, *fates[reply.reply_id]) for reply in waiting], now=now)
    return len(waiting)


def _of_consent(waiting: Sequence[Unanswered], settings: Settings) -> tuple[set[int], list[tuple[str, str]]]:
    """Which replies say no, yes or help, and are for no flow; and whose sessions are over as they say no."""
    apart = {reply.reply_id for reply in waiting if reply.what is not None or _asks_help(reply, settings)}
    refused: list[tuple[str, str]] = []
    for reply in waiting:
        if reply.what == "opt_out":
            number, key = conversations.place_of(reply)
            refused.append((number, key if settings.per_sender else ""))
    return apart, refused


def _asks_help(reply: Unanswered, settings: Settings) -> bool:
    """Whether it is for the answer to HELP, which the law wants, and so for no flow; unless the app gives none."""
    answered = settings.confirm and bool(settings.texts["help"])
    return answered and optout.read(reply.text, settings.words).wish is Wish.HELP


def _told(reply: Unanswered, became: Became, session_id: int) -> inbox.Heard:
    """A reply for the inbox: perhaps a no, one without a flow and one too many are for a person to look at."""
    by_flow = became not in {Became.INBOX, Became.TOO_MANY} and reply.what != "review"
    return inbox.Heard(
        reply.reply_id, reply.number, reply.address, reply.text, reply.received_at, by_flow, session_id or None
    )


async def give_up(db: Database, app_id: int, *, now: datetime) -> int:
    """Leave the reply of an app that came first to a person: it could not be worked on."""
    async with db.transaction() as conn:
        if not await locks.try_hold(conn, locks.Kind.REPLIES, app_id):
            return 0
        waiting = await replies.read_unhandled(conn, app_id, limit=1)
        await replies.handled(conn, app_id, {reply.reply_id: Fate(Became.INBOX) for reply in waiting}, now=now)
        await inbox.heard(conn, app_id, [_told(reply, Became.INBOX, 0) for reply in waiting], now=now)
    return len(waiting)


async def let_pass(conn: Conn, run: Run, seqs: Sequence[int], away: dict[int, str], now: datetime) -> None:
    """Of these texts of a run, let answers pass that are in ``away`` as their person said no; turn away late ones.

    Whoever said no gets this one text, as does whoever asks for help. Whoever said yes gets its confirmation only if
    nothing else keeps them from being texted: it would not be true.
    """
    for seq, (kind, leave_by) in (await rows.of(conn, run.app_id, run.run_id, seqs)).items():
        if now > leave_by:
            away[seq] = "too_late"
        elif kind != "start":
            away.pop(seq, None)


async def _due(conn: Conn, app_id: int, waiting: Sequence[Unanswered], settings: Settings, now: datetime) -> list[_Due]:
    """Whom to answer, and how: in time, not too often, and nobody who is a machine."""
    wished = [each for reply in waiting if (each := _wished(reply, settings, now)) is not None]
    numbers = sorted({each.number for each in wished})
    if not numbers:
        return []
    had = await rows.recent(conn, app_id, numbers, hour_ago=now - HOUR, day_ago=now - DAY)
    found: list[_Due] = []
    for each in wished:
        recent, stops = had.get(each.number, (0, 0))
        if recent >= settings.per_hour or (each.kind == "stop" and stops):
            continue
        had[each.number] = (recent + 1, stops + (each.kind == "stop"))
        found.append(each)
    return found


def _wished(reply: Unanswered, settings: Settings, now: datetime) -> _Due | None:
    number = opt_outs.number_of(reply.number)
    late = now - reply.received_at >= SOON
    if not settings.confirm or late or not _NUMBER.fullmatch(number) or optout.automatic(reply.text):
        return None
    kind = None if reply.what is None else _OF_CONSENT.get(reply.what)
    if reply.what is None and optout.read(reply.text, settings.words).wish is Wish.HELP:
        kind = "help"
    return None if kind is None or not settings.texts[kind] else _Due(reply, number, kind)


async def _give(  # to whom, through what, in which words
    conn: Conn, app_id: int, address: str, answers: Sequence[_Due], settings: Settings, now: datetime
) -> None:
    """Put the answers on record, to leave before every campaign; none when nothing can leave from ``address`` now."""
    try:
        run_id = await singles.run_of(conn, app_id, address, answers[0].number, exempt=True, now=now)
    except Conflict as error:
        log.warning("not_answered app=%s replies=%s error=%s", app_id, len(answers), error)
        return
    run = await runs.get(conn, app_id, run_id)
    count = -(-len(answers) // chunks.SIZE)
    last = await runs.reserve(conn, app_id, run_id, places=len(answers), chunks=count)
    if last is None:
        log.warning("not_answered app=%s replies=%s error=its run has ended", app_id, len(answers))
        return
    first_seq, first_chunk = last[0] - len(answers) + 1, last[1] - count + 1
    size = {kind: parts.measure(text).parts for kind, text in settings.texts.items() if text}
    given = [
        rows.NewAnswer(
            seq, each.number, settings.texts[each.kind], size[each.kind], each.kind, each.reply.reply_id,
            each.reply.received_at + SOON,
        )
        for seq, each in enumerate(answers, first_seq)
    ]  # fmt: skip
    await rows.add(conn, app_id, run_id, given, now=now)
    pieces = [
        chunks.NewChunk(first_chunk + n, "UTC", "", now, start, min(start + chunks.SIZE - 1, last[0]))
        for n, start in enumerate(range(first_seq, last[0] + 1, chunks.SIZE))
    ]
    await chunks.insert(conn, app_id, run_id, run.sender_ids[0], pieces)
    await tallies.plan(conn, app_id, run_id, waiting=len(given), suppressed=0)
    await bell.ring(conn, "answers")
