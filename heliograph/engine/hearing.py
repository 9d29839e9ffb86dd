"""What carriers say on their own: receipts, collected and applied in bulk."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import receipts as actions
from heliograph.store import receipts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.carriers.base import Receipt
    from heliograph.config import Clock
    from heliograph.store.database import Database

AT_ONCE = 2_000


class Hearing:
    """All receipts a worker has heard and not yet applied."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[tuple[int, int], list[receipts.NewReceipt]] = defaultdict(list)

    def of(self, app_id: int, account_id: int) -> Ear:
        """The listener for one carrier account."""
        return Ear(self._heard[app_id, account_id])

    @property
    def pending(self) -> int:
        """Receipts heard and not yet applied."""
        return sum(len(heard) for heard in self._heard.values())

    async def flush(self, db: Database) -> None:
        """Apply everything heard so far. If the store is away nothing is forgotten: flush again."""
        for (app_id, account_id), heard in list(self._heard.items()):
            while heard:
                group = heard[:AT_ONCE]
                await actions.record(db, app_id, account_id, group, now=self._clock())
                del heard[: len(group)]


class Ear:
    """Hears one carrier account. See :class:`heliograph.carriers.base.Listener`."""

    def __init__(self, heard: list[receipts.NewReceipt]) -> None:
        self._heard = heard

    def receipts(self, said: Sequence[Receipt], /) -> None:
        """Keep receipts until the next flush."""
        self._heard += [receipts.NewReceipt(r.ref, r.state.value, r.code, r.at) for r in said]
