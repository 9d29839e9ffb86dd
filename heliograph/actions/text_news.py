"""Having those who listen told which texts were delivered and which failed: in bulk, and only where somebody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import webhooks
from heliograph.rules import ids, webhook
from heliograph.rules.webhook import Event
from heliograph.store import text_news

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn
    from heliograph.store.text_news import Text

AT_ONCE = 100  # texts in one event
EVENTS: Mapping[str, Event] = {"delivered": Event.MESSAGE_DELIVERED, "failed": Event.MESSAGE_FAILED}


async def listened_to(conn: Conn, app_id: int) -> set[str]:
    """The statuses that somebody wants to be told of."""
    wanted = await text_news.listens(conn, app_id, list(EVENTS.values()))
    return {status for status, event in EVENTS.items() if event in wanted}


async def lock(conn: Conn, app_id: int, account_id: int, refs: Sequence[str]) -> dict[tuple[int, int], str]:
    """How the texts of these refs stand before receipts move them, for :func:`tell`."""
    return await text_news.lock(conn, app_id, account_id, refs)


async def tell(
    conn: Conn, app_id: int, statuses: set[str], before: Mapping[tuple[int, int], str], *, now: datetime
) -> None:
    """Tell of those texts that have come to one of ``statuses`` since they stood as ``before`` says."""
    moved = [
        text
        for text in await text_news.of(conn, app_id, list(before))
        if text.status in statuses and text.status != before[text.run_id, text.seq]
    ]
    told: list[webhook.Told] = []
    for status in sorted(statuses):
        mine = [_told(text) for text in moved if text.status == status]
        bundles = [mine[start : start + AT_ONCE] for start in range(0, len(mine), AT_ONCE)]
        told += [webhook.Told(EVENTS[status], {"messages": bundle}) for bundle in bundles]
    await webhooks.emit_all(conn, app_id, told, now=now)


async def settled(conn: Conn, app_id: int, texts: Sequence[tuple[int, int]], *, now: datetime) -> None:
    """Tell of texts, ``(run_id, seq)``, whose status was set down in this transaction, otherwise than by a receipt."""
    wanted = await listened_to(conn, app_id) if texts else set[str]()
    if wanted:
        await tell(conn, app_id, wanted, dict.fromkeys(texts, ""), now=now)


def _told(text: Text) -> dict[str, object]:
    return {
        "messageId": ids.message_id(text.run_public_id, text.seq),
        "campaignId": text.campaign_public_id,
        "runId": text.run_public_id,
        "number": text.number,
        "reason": text.reason,
        "at": webhook.instant(text.settled_at),
    }
