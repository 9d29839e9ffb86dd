"""The open lines of a worker: one for each carrier account, whatever the number of its senders.

A line is opened anew when its account is changed: first the new one, then the old one is closed behind it, so that
answers on their way still come. Lanes keep their :class:`Line` and notice nothing but the change.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from heliograph.actions import seal as seals
from heliograph.actions import secrets
from heliograph.carriers import registry
from heliograph.carriers.base import LineState
from heliograph.errors import CarrierDown, HeliographError

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Sequence

    from heliograph.carriers.base import Carrier, Outcome, Text
    from heliograph.config import Settings
    from heliograph.engine.hearing import Hearing
    from heliograph.store.carrier_accounts import CarrierAccount

log = logging.getLogger(__name__)

GRACE = 0.5  # seconds that a lane waits for its line to open; after that it opens while others work
AFTER_FAULT = 5.0  # seconds before a line that could not be opened is tried again


class Line:
    """A carrier account's line, through all its openings.

    ``opened`` counts these, ``failures`` the submissions that it did not take; ``why`` says what was wrong last.
    """

    def __init__(self, account: CarrierAccount, carrier: Carrier | None, hearing: Hearing | None = None) -> None:
        self._hearing = hearing
        self.account = account
        self.carrier: Carrier | None = carrier
        self.opened = 1
        self.failures = 0
        self.why = ""
        self._failing_since: float | None = None

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """As :meth:`heliograph.carriers.base.Carrier.submit`; CarrierDown too while it is not open."""
        try:
            if self.carrier is None:
                raise CarrierDown(f"The line of {self.account.public_id} is not open: {self.why}")
            answers = await self.carrier.submit(texts)
        except CarrierDown as error:
            self.failures += 1
            if self._failing_since is None:
                self._failing_since = asyncio.get_running_loop().time()
            if self.carrier is not None:
                self.why = error.message
            raise
        self._failing_since = None
        for answer in answers:
            answer.add_done_callback(self._count)
        return answers

    def _count(self, answer: Future[Outcome]) -> None:
        if self._hearing is not None and not answer.cancelled() and answer.exception() is None:
            self._hearing.count(self.account, answer.result())

    def out_of_use(self, patience: float) -> bool:
        """Whether nothing can go through it for now: it is paused, or has failed for ``patience`` seconds."""
        if self.account.paused_at is not None:
            return True
        since = self._failing_since
        return since is not None and asyncio.get_running_loop().time() - since >= patience


class Lines:
    """All lines of a worker. They outlive its sessions."""

    def __init__(self, settings: Settings, hearing: Hearing) -> None:
        self._settings = settings
        self._hearing = hearing
        self._lines: dict[int, Line] = {}
        self._not_before: dict[int, float] = {}  # account → when it may be tried again
        self._opening: set[int] = set()
        self._closed = False
        self._begun: set[asyncio.Task[HeliographError | None]] = set()  # first openings that take longer than the grace

    @property
    def account_ids(self) -> list[int]:
        """The accounts that have a line."""
        return list(self._lines)

    async def of(self, account: CarrierAccount) -> Line:
        """The line of an account, opened if it is not. One whose carrier is not reached is tried again by itself.

        One that takes its time is down until it is open, so that it holds up no other. Raises what else opening it
        raises: what is wrong with it here need not be so at another worker.
        """
        line = self._lines.get(account.account_id)
        if line is not None:
            return line
        if self._closed:
            raise CarrierDown("This worker is ending and opens no more lines")
        line = self._lines[account.account_id] = Line(account, None, self._hearing)
        if account.paused_at is not None:
            self._paused(line, account)
            return line
        line.why = "it is being opened"
        self._opening.add(account.account_id)
        begun = asyncio.create_task(self._begin(line, account))
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)
        await asyncio.wait({begun}, timeout=GRACE)
        if begun.done() and (error := begun.result()) is not None and not isinstance(error, CarrierDown):
            del self._lines[account.account_id]
            raise error
        begun.add_done_callback(partial(self._begun_with, line, account))
        return line

    def _begun_with(self, line: Line, account: CarrierAccount, begun: asyncio.Task[HeliographError | None]) -> None:
        if not begun.cancelled() and (error := begun.result()) is not None:
            self._not_opened(line, account, error)

    async def _begin(self, line: Line, account: CarrierAccount) -> HeliographError | None:
        """Open a line for the first time; what was wrong, if anything was."""
        try:
            carrier = await self._open(account)
        except HeliographError as error:
            return error
        finally:
            self._opening.discard(account.account_id)
        if self._lines.get(account.account_id) is line and line.account is account:
            line.carrier = carrier
        else:  # it was closed or paused meanwhile
            await carrier.close()
        return None

    def _not_opened(self, line: Line, account: CarrierAccount, error: HeliographError) -> None:
        log.error("carrier_not_opened account=%s error=%s", account.public_id, error)
        line.why = error.message
        self._not_before[account.account_id] = asyncio.get_running_loop().time() + AFTER_FAULT
        self._hearing.not_opened(account, error.message, seconds=AFTER_FAULT)

    def _paused(self, line: Line, account: CarrierAccount) -> None:
        line.why = f"the account is paused: {account.paused_reason}"
        self._hearing.of(account)  # what the old line still says of itself is not how the account stands
        self._hearing.stands(account, LineState.REFUSED, account.paused_reason or "")

    def renew(self, accounts: Sequence[CarrierAccount], group: asyncio.TaskGroup) -> None:
        """Hold the lines against their accounts as they are now, those that are not deleted.

        Whatever was changed is opened anew, and the line of an account that is gone is closed, in the background.
        """
        for account_id in self._lines.keys() - {account.account_id for account in accounts}:
            line = self._lines.pop(account_id)
            self._hearing.closed(line.account)
            carrier = line.carrier
            if carrier is not None:
                group.create_task(carrier.close())
        now = asyncio.get_running_loop().time()
        for account in accounts:
            account_id = account.account_id
            line = self._lines.get(account_id)
            if line is None or account_id in self._opening:
                continue
            if account.paused_at is not None:
                if line.account.paused_at is None:
                    self._pause(line, account, group)
                continue
            changed = line.account.version != account.version
            if changed or (line.carrier is None and now >= self._not_before.get(account_id, 0.0)):
                self._opening.add(account_id)
                group.create_task(self._reopen(line, account))

    def _pause(self, line: Line, account: CarrierAccount, group: asyncio.TaskGroup) -> None:
        """Close the line of an account that is paused now: nothing asks its carrier any more."""
        carrier, line.carrier, line.account = line.carrier, None, account
        self._paused(line, account)
        if carrier is not None:
            group.create_task(carrier.close())

    async def _reopen(self, line: Line, account: CarrierAccount) -> None:
        """Exchange what a line sends through. One that cannot be opened sends nothing: its old settings are void."""
        old, new = line.carrier, None
        try:
            new = await self._open(account)
        except HeliographError as error:
            self._not_opened(line, account, error)
        finally:
            self._opening.discard(account.account_id)
        if self._lines.get(account.account_id) is line:
            line.account, line.carrier, line.opened = account, new, line.opened + 1
        else:  # all lines were closed meanwhile, the old one too
            old = new
        if old is not None:
            await old.close()

    async def _open(self, account: CarrierAccount) -> Carrier:
        settings: dict[str, object] = account.settings
        if account.secrets_sealed is not None:
            settings = secrets.all_settings(seals.from_settings(self._settings), account)
        ear = self._hearing.of(account)
        carrier = await registry.open_carrier(
            account.kind,
            settings,
            listener=ear,
            name=account.public_id,
            transcript=self._settings.transcript,
            webhook_url=self._settings.webhook_url(account.public_id),
            networks=self._settings.carrier_private_networks,
        )
        ear.opened()
        return carrier

    async def close(self) -> None:
        """Close every line, for good: answers already due are given, the rest are given as lost."""
        self._closed = True
        lines = list(self._lines.values())
        begun = list(self._begun)
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        self._lines.clear()
        await asyncio.gather(*(line.carrier.close() for line in lines if line.carrier is not None))
