"""Webhooks: telling other systems what happens here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.rules import ids, webhook
from heliograph.store import bell
from heliograph.store import webhook_deliveries as deliveries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.webhook import Event, Told
    from heliograph.store.database import Conn


async def emit(conn: Conn, app_id: int, event: Event, data: Mapping[str, object], *, now: datetime) -> None:
    """Have those who listen told of something, if and only if the caller's transaction is committed."""
    await emit_all(conn, app_id, [webhook.Told(event, data)], now=now)


async def emit_all(conn: Conn, app_id: int, told: Sequence[Told], *, now: datetime) -> None:
    """As :func:`emit`, of several things, in this order."""
    if not told:
        return
    rows = [(ids.new("ev"), str(each.event), webhook.written(each.data)) for each in told]
    if await deliveries.add(conn, app_id, rows, now=now):
        await bell.ring(conn, bell.WEBHOOKS)
