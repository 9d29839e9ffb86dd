"""Lines that are kept open though nothing is sent: some carriers bring receipts and replies on them alone.

One worker of all keeps each such account's line, by its lock; a worker that sends through the account has one besides.
Without it a STOP that comes a day after a campaign, or after a restart, would wait until somebody sends again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.carriers import registry
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.store import carrier_accounts, locks

if TYPE_CHECKING:
    from heliograph.engine.lines import Lines
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database
    from heliograph.store.session import Session

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks for accounts that nobody listens to


class Listening:
    """Keeps lines open until cancelled."""

    def __init__(self, db: Database, session: Session, lines: Lines) -> None:
        self._db = db
        self._session = session
        self._lines = lines
        self._held: set[int] = set()  # accounts whose lock this session has

    async def run(self) -> None:
        """Look, take, open. Raises StoreUnavailable when the session is lost, and the locks with it."""
        kinds = registry.listening()
        while True:
            async with self._db.connection() as conn:
                accounts = await carrier_accounts.list_of_kinds(conn, kinds)
            for account in accounts:
                await self._take(account)
            await self._let_go(self._held - {account.account_id for account in accounts})
            await asyncio.sleep(LOOK)

    async def _take(self, account: CarrierAccount) -> None:
        account_id = account.account_id
        if account_id not in self._held:
            async with self._session.use() as conn:
                if not await locks.take(conn, locks.Kind.LISTENING, account_id):
                    return
            self._held.add(account_id)
        try:
            await self._lines.of(account)  # at once, where it is open
        except StoreUnavailable:
            raise
        except HeliographError as error:
            log.warning("not_listening account=%s error=%s", account.public_id, error)

    async def _let_go(self, account_ids: set[int]) -> None:
        """Give back the locks of accounts that are gone; their lines are closed by whoever renews lines."""
        for account_id in account_ids:
            async with self._session.use() as conn:
                await locks.release(conn, locks.Kind.LISTENING, account_id)
        self._held -= account_ids
