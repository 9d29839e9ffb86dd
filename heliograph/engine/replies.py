"""Answering what people write, and what time brings their conversations.

That a no counts does not wait for this: it does once the reply is kept.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from heliograph.actions import auto_answers, conversations
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import replies, sessions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Work = Callable[..., Awaitable[int]]

    from heliograph.config import Clock
    from heliograph.engine.bell import Bell
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LOOK = 0.5  # seconds between looks when nobody rings


class Replies:
    """Looks at replies and at sessions that are due until cancelled.

    Every worker has one; an app's conversations are one worker's at a time.
    """

    def __init__(self, db: Database, clock: Clock, bell: Bell) -> None:
        self._db = db
        self._clock = clock
        self._bell = bell

    async def run(self) -> None:
        """Look again and again. Raises StoreUnavailable when the database is away."""
        while True:
            before = self._bell.rung
            if not await self.look() and self._bell.rung == before:
                await self._bell.wait(LOOK)

    async def look(self) -> int:
        """Look at some replies and sessions of every app that has any; answers how many."""
        async with self._db.connection() as conn:
            waiting = await replies.list_waiting(conn)
            due = await sessions.list_due_apps(conn, self._clock())
        done = await self._each(waiting, auto_answers.work, auto_answers.give_up)
        return done + await self._each(due, conversations.pass_time, conversations.give_up)

    async def _each(self, apps: Sequence[int], work: Work, give_up: Work) -> int:
        """Work for each of ``apps``. What is at fault is found by taking one at a time, and left to a person."""
        done = 0
        for app_id in apps:
            try:
                done += await self._tried(work, app_id)
            except HeliographError:
                raise
            except Exception:
                log.exception("conversations_fault app=%s", app_id)
                try:
                    done += await self._tried(partial(work, limit=1), app_id)
                except HeliographError:
                    raise
                except Exception:
                    log.exception("conversation_given_up app=%s", app_id)
                    done += await give_up(self._db, app_id, now=self._clock())
        return done

    async def _tried(self, work: Work, app_id: int) -> int:
        try:
            return await work(self._db, app_id, now=self._clock())
        except StoreUnavailable:
            raise
        except HeliographError as error:
            log.error("conversations_not_worked_on app=%s error=%s", app_id, error)  # noqa: TRY400  # its sentence says it all
            return 0
