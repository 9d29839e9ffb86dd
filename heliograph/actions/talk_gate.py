"""Who of a batch waits a while longer after all, because of conversations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import conversation, hours, optout, quiet, timing
from heliograph.store import sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.chunks import Chunk
    from heliograph.store.database import Conn
    from heliograph.store.messages import Waiting
    from heliograph.store.runs import Run

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)  # until a session before is looked at again


class Later(NamedTuple):
    """From when on somebody waits again, and by which clocks."""

    due_at: datetime
    zone: str
    law: str


def answers(run: Run, law: str) -> bool:
    """Whether the texts of a run with this ``law`` answer what their people wrote, for whom no hours are kept then."""
    return not law and (run.purpose == "answers" or (run.kind == "single" and not run.transactional))


async def put_off(
    conn: Conn, run: Run, chunk: Chunk, people: Sequence[Waiting], address: str, now: datetime
) -> dict[int, Later]:
    """Who of ``people`` may not have their text yet, by seq: an answer is one no more, or they have another session.

    Costs a statement for runs whose app lets a second session wait, and nothing for all others.
    """
    settings = conversation.read(run.conversations)
    if answers(run, chunk.law) and not run.transactional and now - chunk.due_at > settings.answer_window:
        return _late(run, people, now)
    if run.flow is None or not settings.queue:
        return {}
    key = optout.address_key(address)
    busy = await sessions.busy(conn, run.app_id, run.run_id, key, [person.number for person in people])
    found: dict[int, Later] = {}
    for person in people:
        if person.number in busy:
            free = busy[person.number] or now
            due_at = min(max(free, now + SHORTEST), now + LONGEST)
            found[person.seq] = Later(due_at, chunk.zone, chunk.law)
    return found


def _late(run: Run, people: Sequence[Waiting], now: datetime) -> dict[int, Later]:
    """Answers that have waited too long to be any: by the law of the number, as one-off texts."""
    rules, calling = quiet.in_force(run.quiet_hours), hours.parse(run.calling_hours)
    found: dict[int, Later] = {}
    for person in people:
        law = timing.law_of(person.number)
        if not timing.is_lawful(rules, law, now):
            due_at = timing.next_open(calling, "UTC", rules, law, now) or now.replace(year=9999)
            found[person.seq] = Later(due_at, "UTC", law)
    return found
