"""The bell: LISTEN/NOTIFY wakes workers when there is something new to do.

A missed ring costs a moment, never a message: everyone also looks again on a timer. Never ring once per
message: a NOTIFY takes a lock that all commits share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.store.database import Conn

CHANNEL = "heliograph"

RING = "SELECT pg_notify(%(channel)s, %(topic)s)"


async def ring(conn: Conn, topic: str) -> None:
    """Wake every worker once this transaction commits. ``topic`` says what changed, for logs."""
    await conn.execute(RING, {"channel": CHANNEL, "topic": topic})


LISTEN = "LISTEN heliograph"


CALLS = "calls"
"""The topic of carriers' calls that were stored: of no concern to lanes."""
WEBHOOKS = "webhooks"
"""The topic of what webhooks are to be told: of no concern to lanes either."""
REPLIES = "reply"
"""The topic of what people wrote: of no concern to lanes before it is answered."""
SERVICES = "services"
"""The topic of services that conversations ask."""


async def hear(conn: Conn) -> AsyncIterator[str]:
    """Topics as they are rung, for as long as the connection lives; StoreUnavailable when it is lost."""
    with database.lost_is_unavailable(conn, conn.info.dsn):
        await conn.execute(LISTEN)
        async for notify in conn.notifies():
            yield notify.payload
