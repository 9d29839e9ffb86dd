"""How the lines to carriers stand, and what follows from it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.carriers.base import LineState, ReceiptState
from heliograph.store import bell, carrier_accounts, carrier_counts, lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Database

log = logging.getLogger(__name__)

LONGEST_CODE = 40  # characters by which codes are told apart


async def tell(
    db: Database,
    worker: str,
    standings: Sequence[lines.Standing],
    counts: Sequence[carrier_counts.Count],
    *,
    now: datetime,
) -> None:
    """Set down how all lines of a worker stand, and what came through them.

    An account whose carrier does not let us in is paused for it: nothing goes through it until a person resumes or
    changes it, as asking again and again with a wrong password gets a customer locked out.
    """
    async with db.transaction() as conn:
        await lines.put(conn, worker, standings, now=now)
        if counts:
            await carrier_counts.add(conn, counts, now=now)
        await lines.forget_others(conn, worker, [s.account_id for s in standings])
        for refused in (s for s in standings if s.state == LineState.REFUSED.value):
            reason = refused.words or "the carrier refused our credentials"
            paused = await carrier_accounts.pause(
                conn, refused.app_id, refused.account_id, reason, version=refused.version, now=now
            )
            if paused is not None:
                log.error("carrier_account_paused account=%s reason=%s", paused, reason)
                await bell.ring(conn, "carrier account")


def class_of(state: ReceiptState, code: str) -> str:
    """Under which name a receipt is counted."""
    if state is ReceiptState.FAILED:
        return named("failed", code)
    return "delivered" if state is ReceiptState.DELIVERED else "on its way"


def named(what: str, code: str) -> str:
    """Under which name an answer with a carrier's code is counted."""
    return f"{what}:{code[:LONGEST_CODE]}".replace("\0", "").encode(errors="replace").decode()
