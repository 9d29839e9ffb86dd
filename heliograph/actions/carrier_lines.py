"""How the lines to carriers stand, and what follows from it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heliograph.carriers.base import LineState
from heliograph.store import bell, carrier_accounts, lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Database

log = logging.getLogger(__name__)


async def tell(db: Database, worker: str, standings: Sequence[lines.Standing], *, now: datetime) -> None:
    """Set down how all lines of a worker stand. An account whose carrier does not let us in is paused for it.

    Nothing goes through a paused account until a person resumes or changes it: asking again and again with a wrong
    password gets a customer locked out.
    """
    async with db.transaction() as conn:
        await lines.put(conn, worker, standings, now=now)
        await lines.forget_others(conn, worker, [s.account_id for s in standings])
        for refused in (s for s in standings if s.state == LineState.REFUSED.value):
            reason = refused.words or "the carrier refused our credentials"
            paused = await carrier_accounts.pause(
                conn, refused.app_id, refused.account_id, reason, version=refused.version, now=now
            )
            if paused is not None:
                log.error("carrier_account_paused account=%s reason=%s", paused, reason)
                await bell.ring(conn, "carrier account")
