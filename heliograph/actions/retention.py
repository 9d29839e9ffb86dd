"""Keeping to an app's terms: removing, step by step, what it does not keep any longer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.rules import retention as law
from heliograph.store import retention

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from heliograph.rules.retention import Cutoffs
    from heliograph.store.database import Conn, Database
    from heliograph.store.retention import Counts, Due, What

    Step = Callable[[Conn], Awaitable[int]]


async def count(conn: Conn, app_id: int, terms: law.Terms, now: datetime) -> Counts:
    """What would go at once if the app kept to ``terms``."""
    return await retention.count(conn, app_id, law.cutoffs(terms, now))


@dataclass(slots=True)
class Passed:
    """How far the steps of one sweep have come, so that each does not pass over again what stays."""

    replies: datetime | None = None


async def step(db: Database, app_id: int, terms: law.Terms, *, now: datetime, passed: Passed | None = None) -> int:
    """Remove one small step's worth of what is due, people and texts first; how many rows. 0: nothing is left.

    Each kind is a transaction of its own; cut off anywhere, the next step goes on from what the tables say.
    """
    at = law.cutoffs(terms, now)
    removed = await _people(db, app_id, "people", at.people, now) + await _people(db, app_id, "texts", at.texts, now)
    if removed:
        return removed  # what follows may pass over much that stays: not at every step of these
    for one in _steps(app_id, at, passed or Passed()):
        async with db.transaction() as conn:
            removed += await one(conn)
    return removed


def _steps(app_id: int, at: Cutoffs, passed: Passed) -> list[Step]:
    steps: list[Step] = []
    if at.conversations is not None:
        before = at.conversations

        async def replies(conn: Conn) -> int:
            gone, last = await retention.forget_replies(conn, app_id, before=before, since=passed.replies)
            passed.replies = last or passed.replies
            return gone

        # In this order: a reply is looked for in the conversation that is open.
        steps.append(replies)
        steps.append(lambda conn: retention.forget_sessions(conn, app_id, before=before))
        steps.append(lambda conn: retention.forget_conversations(conn, app_id, before=before))
    if at.audit is not None:
        until = at.audit

        async def audit(conn: Conn) -> int:
            await retention.allow(conn)
            return await retention.forget_audit(conn, app_id, before=until)

        steps.append(audit)
    return steps


async def _people(db: Database, app_id: int, what: What, before: datetime | None, now: datetime) -> int:
    """One step through the messages of one run."""
    if before is None:
        return 0
    async with db.connection() as conn:
        ended = await retention.list_runs(conn, app_id, what, before=before)
        singles = await retention.list_singles(conn, app_id, what)
    for due in ended[:1]:
        async with db.transaction() as conn:
            last = min(due.kept + retention.STEP - 1, due.last_seq)
            await retention.remove(conn, app_id, what, due, last=max(last, due.kept - 1), now=now)
        return max(last - due.kept + 1, 1)
    for due in singles:
        async with db.transaction() as conn:
            last = await _reach(conn, app_id, due, before)
            if last >= due.kept:
                await retention.remove(conn, app_id, what, due, last=last, now=now)
                return last - due.kept + 1
    return 0


async def _reach(conn: Conn, app_id: int, due: Due, before: datetime) -> int:
    last = min(due.kept + retention.STEP - 1, due.last_seq)
    return await retention.reach(conn, app_id, due.run_id, due.kept, last, before=before)
