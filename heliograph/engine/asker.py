"""Asking carriers, without being told to, what became of those whose fate is unknown."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby
from typing import TYPE_CHECKING

from heliograph.actions import asking
from heliograph.actions.unknowns import MOST, By
from heliograph.carriers.base import Asks
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.rules import unknown as law
from heliograph.store import carrier_accounts, decisions, locks, unknowns
from heliograph.store.unknowns import Wanted

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.engine.lines import Lines
    from heliograph.store.database import Database
    from heliograph.store.decisions import Asking
    from heliograph.store.session import Session
    from heliograph.store.unknowns import Unknown

log = logging.getLogger(__name__)

LOOK = 2.0  # seconds between looks for somebody unknown
WHO = "worker"


class Asker:
    """Asks in the background, one worker of all at a time: soon after a crash, then less and less often."""

    def __init__(self, db: Database, session: Session, lines: Lines, clock: Clock) -> None:
        self._db = db
        self._session = session
        self._lines = lines
        self._clock = clock

    async def run(self) -> None:
        """Look, ask, wait, until cancelled. Raises StoreUnavailable when the session is lost."""
        while True:
            async with self._session.use() as conn:
                mine = await locks.take(conn, locks.Kind.ASKING, 0)
            if mine:
                try:
                    await self.look()
                finally:
                    async with self._session.use() as conn:
                        await locks.release(conn, locks.Kind.ASKING, 0)
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Ask about every run that is due for it."""
        async with self._db.connection() as conn:
            due = await decisions.list_due(conn, self._clock())
        for run in due:
            await self._ask(run)

    async def _ask(self, run: Asking) -> None:
        async with self._db.connection() as conn:
            wanted = Wanted(run_public_id=run.run_public_id)
            people = await unknowns.page(conn, run.app_id, wanted, offset=0, limit=MOST)
        settled = 0
        by_account = sorted(people, key=lambda one: one.account_id)
        for account_id, group in groupby(by_account, key=lambda one: one.account_id):
            settled += await self._ask_account(run.app_id, account_id, list(group))
        now = self._clock()
        tries = 1 if settled else run.tries + 1
        async with self._db.connection() as conn:
            await decisions.asked(conn, run, tries=tries, now=now, next_at=law.ask_again(tries, now))

    async def _ask_account(self, app_id: int, account_id: int, people: list[Unknown]) -> int:
        """Ask through the line that this worker has to the account, opened if it is not; how many were settled."""
        try:
            async with self._db.connection() as conn:
                account = await carrier_accounts.get(conn, app_id, account_id)
            line = await self._lines.of(account)
            if not isinstance(line.carrier, Asks):
                return 0
            said = await asking.put_to(line.carrier, people)
        except StoreUnavailable:
            raise
        except HeliographError as error:  # the line is down, or its settings are wrong: another time
            log.info("not_asked account=%s error=%s", account_id, error)
            return 0
        found = await asking.heed(self._db, app_id, list(zip(people, said, strict=True)), By(WHO, self._clock()))
        return found.total() - found[asking.NOTHING]
