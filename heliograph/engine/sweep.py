"""The sweep: whoever a dead worker had in its hands is `unknown`, listed, and never sent to again by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.store import messages, outcomes

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
    async with session.use() as conn:
        left = await messages.list_unsettled(conn, app_id, sender_id)
        rows = [
            outcomes.NewOutcome(app_id, person.run_id, person.seq, person.chunk_no, "unknown", REASON, None, None, None)
            for person in left
        ]
        if rows:
            await outcomes.record(conn, rows, sender_id=sender_id, now=now)
            log.warning("swept sender=%s unknown=%d", sender_id, len(rows))
    return len(rows)
