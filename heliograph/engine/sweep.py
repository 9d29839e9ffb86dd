"""The sweep: whoever a dead worker had in its hands is `unknown`, listed, and never sent to again by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.store import chunks, messages, outcomes

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.session import Session

log = logging.getLogger(__name__)

REASON = "the worker was gone before the carrier answered"


async def sweep(session: Session, app_id: int, sender_id: int, *, now: datetime) -> int:
    """Settle as unknown everyone of a sender who was taken and has no outcome; answers how many.

    Call it when the lane's lock has just been taken, before anything is sent: then nobody else has anyone
    of this sender in hand. An answer that still comes (a carrier that outlived us, a receipt) settles them.
    """
    async with session.transaction() as conn:
        rows: list[outcomes.NewOutcome] = []
        for chunk in await chunks.list_unsettled(conn, app_id, sender_id):
            first, last = chunk.first_seq, chunk.next_seq - 1
            seqs = await messages.list_without_outcome(conn, app_id, chunk.run_id, first=first, last=last)
            # Once more under lock: whoever lost this lane may be telling at this moment that somebody did not leave.
            await messages.lock(conn, app_id, chunk.run_id, seqs)
            seqs = await messages.list_without_outcome(conn, app_id, chunk.run_id, first=first, last=last)
            run_id, number, left = chunk.run_id, chunk.chunk_no, chunk.taken_at
            rows += [
                outcomes.NewOutcome(app_id, run_id, seq, number, "unknown", REASON, None, None, left) for seq in seqs
            ]
        if rows:
            await outcomes.record(conn, rows, sender_id=sender_id, now=now)
            log.warning("swept sender=%s unknown=%d", sender_id, len(rows))
    return len(rows)
