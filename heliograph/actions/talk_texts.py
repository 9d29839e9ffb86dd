"""Texts of sessions, put where they leave from: behind the gate of their campaign, or among one-off texts.

What answers a person's own message leaves at once, before all campaigns, at whatever hour; anything else waits for
calling hours and the law. A campaign has a run for each of the two, made when it is first needed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import singles
from heliograph.actions.reruns import AT_ANY_HOUR
from heliograph.errors import Conflict
from heliograph.rules import hours, ids, optout, parts, plain, quiet, timing
from heliograph.store import auto_answers, bell, chunks, companions, runs, session_texts, tallies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.actions.talks import Said, Talk
    from heliograph.store.app_settings import AppSettings
    from heliograph.store.companions import Purpose
    from heliograph.store.database import Conn
    from heliograph.store.runs import Run
    from heliograph.store.senders import Sender

log = logging.getLogger(__name__)

SOON = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): a confirmation later than this is taken for an advertisement
ENDED, NO_SENDER, NEVER_OPEN = "ended", "no sender", "never open"
"""Results of sessions that cannot say what they have to say."""


class Turn(NamedTuple):
    """What the texts of one chunk have in common."""

    sender_id: int
    zone: str
    law: str
    due_at: datetime


@dataclass(slots=True)
class _Outbox:
    """The texts of one run."""

    run: Run
    by_turn: dict[Turn, list[tuple[Talk, Said]]] = field(
        default_factory=lambda: defaultdict[Turn, "list[tuple[Talk, Said]]"](list)
    )

    @property
    def count(self) -> int:
        return sum(len(group) for group in self.by_turn.values())

    @property
    def chunks(self) -> int:
        return sum(-(-len(group) // chunks.SIZE) for group in self.by_turn.values())


async def write(
    conn: Conn, app_id: int, talks: Sequence[Talk], settings: AppSettings, ours: Sequence[Sender], *, now: datetime
) -> None:
    """Put on record all that ``talks``, which have rows, have to say.

    Those that cannot say it any more are over: their run has ended, no sender serves their address, or no hour is
    ever open to their person.
    """
    speaking = [talk for talk in talks if talk.says]
    if not speaking:
        return
    boxes: dict[int, _Outbox] = {}
    by_key = {optout.address_key(one.address): one.sender_id for one in ours}
    finder = _Runs(conn, app_id, now)
    for talk in speaking:
        for said in talk.says:
            run = await finder.of(talk, answering=said.act.answering)
            if not isinstance(run, str):
                turn = _turn(run, talk, said, by_key, now)
                if turn is not None:
                    boxes.setdefault(run.run_id, _Outbox(run)).by_turn[turn].append((talk, said))
                    continue
            talk.close(NEVER_OPEN if not isinstance(run, str) else run, now)
            break
    substitutes = settings.plain_substitutes == plain.Plain.ON
    for _, box in sorted(boxes.items()):
        await _put(conn, box, now, substitutes=substitutes)
    await bell.ring(conn, "conversations")


class _Runs:
    """The runs by which a step's texts leave, each looked for once."""

    def __init__(self, conn: Conn, app_id: int, now: datetime) -> None:
        self._conn = conn
        self._app_id = app_id
        self._now = now
        self._found: dict[object, Run | str] = {}

    async def of(self, talk: Talk, *, answering: bool) -> Run | str:
        """The run of a text; or the result of a session that has none."""
        key: object = talk.address
        purpose: Purpose = "answers" if answering else "follow_ups"
        if talk.kind == "campaign":
            key = talk.run_id, purpose
        if key not in self._found:
            if talk.kind == "campaign":
                self._found[key] = await self._companion(talk.run_id, purpose)
            else:
                self._found[key] = await self._single(talk)
        return self._found[key]

    async def _companion(self, run_id: int, purpose: Purpose) -> Run | str:
        made = (await companions.list_of(self._conn, self._app_id, run_id)).get(purpose)
        if made is None:
            at_any = AT_ANY_HOUR if purpose == "answers" else None
            new = await companions.insert(
                self._conn, self._app_id, run_id, purpose, public_id=ids.new("cid"), hours=at_any, now=self._now
            )
            if new is None:
                return _why_ended(await runs.get(self._conn, self._app_id, run_id))
            made, sender_ids = new
            await tallies.open_for(self._conn, self._app_id, made, [0, *sender_ids])
        run = await runs.get(self._conn, self._app_id, made)
        return run if run.ended_at is None else _why_ended(run)

    async def _single(self, talk: Talk) -> Run | str:
        try:
            run_id = await singles.run_of(
                self._conn, self._app_id, talk.address, talk.number, exempt=False, now=self._now
            )
        except Conflict as error:
            log.warning("not_said app=%s error=%s", self._app_id, error)
            return NO_SENDER
        return await runs.get(self._conn, self._app_id, run_id)


def _turn(run: Run, talk: Talk, said: Said, ours: dict[str, int], now: datetime) -> Turn | None:
    """By whom and when a text leaves; None when it never may."""
    sender_id = ours.get(talk.address_key, run.sender_ids[0])
    if sender_id not in run.sender_ids:
        sender_id = run.sender_ids[0]
    if said.act.answering:
        return Turn(sender_id, "UTC", "", now)
    zone, law = ("UTC", timing.law_of(talk.number)) if run.kind == "single" else (talk.zone or "UTC", talk.law)
    calling, rules = hours.parse(run.calling_hours), quiet.in_force(run.quiet_hours)
    due_at = timing.next_open(calling, zone, rules, law, now)
    return None if due_at is None else Turn(sender_id, zone, law, due_at)


async def _put(conn: Conn, box: _Outbox, now: datetime, *, substitutes: bool) -> None:
    """Write the texts of one run. Those of one session keep their order."""
    run, app_id = box.run, box.run.app_id
    last = await runs.reserve(conn, app_id, run.run_id, places=box.count, chunks=box.chunks)
    everybody = [talk for group in box.by_turn.values() for talk, _ in group]
    if last is None:
        why = _why_ended(await runs.get(conn, app_id, run.run_id))
        for talk in everybody:
            talk.close(why, now)
        return
    seq, chunk_no = last[0] - box.count + 1, last[1] - box.chunks + 1
    rows: list[session_texts.NewText] = []
    pieces: dict[int, list[chunks.NewChunk]] = defaultdict(list)
    goodbyes: list[tuple[int, str, int]] = []
    for turn, group in box.by_turn.items():
        for at in range(0, len(group), chunks.SIZE):
            people = group[at : at + chunks.SIZE]
            piece = chunks.NewChunk(chunk_no, turn.zone, turn.law, turn.due_at, seq, seq + len(people) - 1)
            pieces[turn.sender_id].append(piece)
            chunk_no += 1
            for talk, said in people:
                rows.append(_text(talk, said, run.run_id, seq, substitutes=substitutes))
                if said.goodbye and said.reply_id is not None:
                    goodbyes.append((seq, talk.number, said.reply_id))
                talk.said_run, talk.said_seq, talk.texts = run.run_id, seq, talk.texts + 1
                seq += 1
    await session_texts.add(conn, app_id, rows, now=now)
    if goodbyes:
        await auto_answers.mark(conn, app_id, run.run_id, goodbyes, leave_by=now + SOON, now=now)
    for sender_id, made in sorted(pieces.items()):
        await chunks.insert(conn, app_id, run.run_id, sender_id, made)
    await tallies.plan(conn, app_id, run.run_id, waiting=len(rows), suppressed=0)


def _why_ended(run: Run) -> str:
    return run.end_reason or ENDED


def _text(talk: Talk, said: Said, run_id: int, seq: int, *, substitutes: bool) -> session_texts.NewText:
    text = parts.normalise(said.act.text)
    if substitutes:
        text = plain.simplify(text).text
    size = parts.measure(text).parts
    return session_texts.NewText(
        talk.session_id, said.act.number, run_id, seq, said.act.node, said.act.answering, talk.list_id,
        talk.contact_seq, talk.number, text, size,
    )  # fmt: skip
