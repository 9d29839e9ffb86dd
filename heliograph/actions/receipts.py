"""What carriers say later about texts they accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import receipts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Database


async def record(
    db: Database, app_id: int, account_id: int, said: Sequence[receipts.NewReceipt], *, now: datetime
) -> None:
    """Move messages of one carrier account forward; keep what belongs to no message yet."""
    async with db.transaction() as conn:
        unmatched = await receipts.apply(conn, app_id, account_id, said, now=now)
        if unmatched:
            early = [receipt for receipt in said if receipt.carrier_ref in unmatched]
            await receipts.park(conn, app_id, account_id, early, now=now)


async def match_parked(db: Database, *, now: datetime) -> int:
    """Apply parked receipts whose message is known by now; answers how many there were."""
    matched = 0
    async with db.connection() as conn:
        accounts = await receipts.list_parked_accounts(conn)
    for app_id, account_id in accounts:
        async with db.transaction() as conn:
            known = await receipts.unpark(conn, app_id, account_id)
            if known:
                await receipts.apply(conn, app_id, account_id, known, now=now)
        matched += len(known)
    return matched
