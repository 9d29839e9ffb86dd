"""What carriers say on their own: receipts and replies, kept in bulk; and how their lines stand."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import carrier_lines
from heliograph.actions import receipts as actions
from heliograph.actions import replies as reply_actions
from heliograph.carriers.base import Accepted, Deferred, LineState, Lost, Refused
from heliograph.store import carrier_counts, lines, receipts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.carriers.base import Outcome, Receipt, Reply
    from heliograph.config import Clock
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database

AT_ONCE = 2_000
AGAIN = timedelta(seconds=3)  # an unchanged standing is set down again after this long: the worker lives


@dataclass(slots=True)
class _Account:
    """What one carrier account has said and is not kept yet, and how its line stands."""

    heard: list[receipts.NewReceipt] = field(default_factory=list[receipts.NewReceipt])
    written: list[tuple[Reply, asyncio.Future[None] | None]] = field(
        default_factory=list["tuple[Reply, asyncio.Future[None] | None]"]
    )  # the last of those that came together with what is done when they are kept
    stands: lines.Standing | None = None  # None: it has no line, or has said nothing of it
    counts: Counter[str] = field(default_factory=Counter[str])  # since they were written last
    ear: Ear | None = None  # of the line that was opened last: only that one tells how the line stands


class Hearing:
    """All that a worker has heard and not yet kept. It outlives the worker's sessions."""

    def __init__(self, clock: Clock) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        self._clock = clock
        self._accounts: dict[tuple[int, int], _Account] = {}
        self._news = False  # of lines
        self._told_at: datetime | None = None
        self._keeping = asyncio.Lock()
        self.wrote = asyncio.Event()  # somebody has written something that is not kept yet

    def of(self, account: CarrierAccount) -> Ear:
        """The listener for one opening of a carrier account's line."""
        kept = self._accounts.setdefault((account.app_id, account.account_id), _Account())
        kept.ear = Ear(self, account, kept)
        return kept.ear

    def stands(self, of: CarrierAccount, state: LineState, words: str, *, next_try_at: datetime | None = None) -> None:
        """Set how an account's line stands from now on."""
        account = self._accounts.setdefault((of.app_id, of.account_id), _Account())
        before, said = account.stands, _storable(words)
        since = before.since if before is not None and before.state == state.value else self._clock()
        account.stands = lines.Standing(of.app_id, of.account_id, state.value, since, said, next_try_at, of.version)
        self._news = self._news or account.stands != before

    def not_opened(self, of: CarrierAccount, words: str, *, seconds: float) -> None:
        """A line could not be opened, and is tried again in ``seconds``; unless we were refused, it is down."""
        stands = self._accounts.setdefault((of.app_id, of.account_id), _Account()).stands
        if stands is None or stands.state != LineState.REFUSED.value or stands.version != of.version:
            self.stands(of, LineState.DOWN, words, next_try_at=self._clock() + timedelta(seconds=seconds))

    def closed(self, of: CarrierAccount) -> None:
        """An account has no line here any more."""
        account = self._accounts.get((of.app_id, of.account_id))
        if account is not None:
            account.stands, account.ear = None, None
            self._news = True

    def count(self, of: CarrierAccount, outcome: Outcome) -> None:
        """A carrier has answered for a text."""
        account = self._accounts.get((of.app_id, of.account_id))
        if account is not None:
            account.counts[_class(outcome)] += 1

    @property
    def pending(self) -> int:
        """Receipts and replies heard and not yet kept."""
        return sum(len(account.heard) + len(account.written) for account in self._accounts.values())

    async def flush(self, db: Database) -> None:
        """Keep everything heard so far. If the store is away nothing is forgotten: flush again."""
        for (app_id, account_id), account in list(self._accounts.items()):
            left = len(account.heard)  # what is heard meanwhile waits for its own flush: small groups cost the most
            while left:
                group = account.heard[: min(left, AT_ONCE)]
                await actions.record(db, app_id, account_id, group, now=self._clock())
                del account.heard[: len(group)]
                left -= len(group)
        await self.flush_replies(db)
        await self._tell_lines(db)

    async def flush_replies(self, db: Database) -> None:
        """Keep what people wrote. If the store is away nothing is forgotten: flush again."""
        async with self._keeping:
            self.wrote.clear()
            for (app_id, account_id), account in list(self._accounts.items()):
                while account.written:
                    wrote = account.written[:AT_ONCE]
                    said = [reply for reply, _ in wrote]
                    async with db.transaction() as conn:
                        await reply_actions.keep(conn, app_id, account_id, said, now=self._clock())
                    del account.written[: len(wrote)]
                    for _, kept in wrote:
                        if kept is not None and not kept.done():
                            kept.set_result(None)

    async def leave(self, db: Database) -> None:
        """Take back all that was set down of lines: this worker ends."""
        await carrier_lines.tell(db, self.worker, [], [], now=self._clock())

    async def _tell_lines(self, db: Database) -> None:
        """Set down how the lines stand, when that has changed or was not said for a while."""
        now = self._clock()
        if not self._news and self._told_at is not None and now - self._told_at < AGAIN:
            return
        counts = [
            carrier_counts.Count(app_id, account_id, what, n)
            for (app_id, account_id), account in self._accounts.items()
            for what, n in account.counts.items()
        ]
        for account in self._accounts.values():
            account.counts.clear()
        self._news, told = False, [account.stands for account in self._accounts.values() if account.stands is not None]
        try:
            await carrier_lines.tell(db, self.worker, told, counts, now=now)
        except BaseException:
            self._news = True
            raise
        self._told_at = now


class Ear:
    """Hears one opening of a carrier account's line. See :class:`heliograph.carriers.base.Listener`."""

    def __init__(self, hearing: Hearing, account: CarrierAccount, kept: _Account) -> None:
        self._hearing = hearing
        self._of = account
        self._account = kept
        self._spoke = False

    def opened(self) -> None:
        """The line was opened. It is up, unless it has said otherwise itself."""
        if not self._spoke:
            self.line(LineState.UP, "")

    def receipts(self, said: Sequence[Receipt], /) -> None:
        """Keep receipts until the next flush."""
        self._account.counts.update(carrier_lines.class_of(r.state, r.code) for r in said)
        self._account.heard += [receipts.NewReceipt(r.ref, r.state.value, r.code, r.at) for r in said]

    def replies(self, said: Sequence[Reply], /) -> asyncio.Future[None]:
        """Keep replies until the next flush, which does what is returned."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._account.written += [(reply, kept if reply is said[-1] else None) for reply in said]
        self._hearing.wrote.set()
        return kept

    def line(self, state: LineState, words: str, /) -> None:
        """Note how the line stands; a line that another has taken the place of says nothing of the account's."""
        self._spoke = True
        if self._account.ear is self:
            self._hearing.stands(self._of, state, words)


def _class(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return "accepted"
        case Lost():
            return "lost"
        case Refused(code):
            return carrier_lines.named("refused", code)
        case Deferred(code):
            return carrier_lines.named("deferred", code)


def _storable(words: str) -> str:
    """What a carrier said, as one short line that PostgreSQL can hold."""
    return " ".join(words.replace("\0", " ").split())[:500].encode(errors="replace").decode()
