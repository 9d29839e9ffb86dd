"""Telling webhooks what they are to be told: at least once each, with the same id however often."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import fetch
from heliograph.errors import Invalid
from heliograph.rules import webhook
from heliograph.rules.pull import Question, plain_url
from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks
from heliograph.store.webhook_deliveries import Delivery, Tried

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.actions.fetch import Line
    from heliograph.actions.seal import Seal
    from heliograph.config import Clock
    from heliograph.rules.address import Network
    from heliograph.store.database import Database
    from heliograph.store.webhooks import Webhook

log = logging.getLogger(__name__)

BATCH = 32  # deliveries that are read, tried and written down together
CONNECTIONS = 4  # to one address
LIMITS = fetch.Limits(connect=5.0, silence=15.0, total=600.0)
PATIENCE = 15.0  # seconds for one try
SHOWN = 500  # characters of an answer that are kept
SETTING = "HELIOGRAPH_WEBHOOK_PRIVATE_NETWORKS"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a try came to: ``status`` of HTTP, None when there was no answer; the words that say why, or were said."""

    status: int | None
    words: str
    ms: int


async def deliver(
    db: Database, seal: Seal, app_id: int, webhook_id: int, *, allowed: Sequence[Network], clock: Clock
) -> int:
    """Tell one webhook what is due, some of it; how many tries that were.

    What a crash cuts off before it is written down is told again. Raises NotFound when it is gone, and
    :class:`~heliograph.errors.BadSetting` when its secret was sealed with another key.
    """
    now = clock()
    async with db.connection() as conn:
        found = await webhooks.by_id(conn, app_id, webhook_id)
        due = await deliveries.read_due(conn, app_id, webhook_id, now, limit=BATCH) if found.enabled else []
    if not due:
        return 0
    secrets = _secrets(seal, found, now)
    room = asyncio.Semaphore(CONNECTIONS)
    async with (
        fetch.open_line(allowed, LIMITS, connections=CONNECTIONS, who="webhooks", setting=SETTING) as line,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(_try(line, room, found, each, secrets, clock)) for each in due]
    tried = [task.result() for task in tasks]
    await _record(db, found, tried, now=clock())
    return len(tried)


def _secrets(seal: Seal, found: Webhook, now: datetime) -> list[str]:
    """Those that sign now, the newest first."""
    sealed = [found.secret_sealed]
    if found.old_secret_sealed is not None and found.old_secret_until is not None and now < found.old_secret_until:
        sealed.append(found.old_secret_sealed)
    called = f"The secret of webhook {found.public_id}"
    return [seal.open(each, owner=found.public_id, called=called) for each in sealed]


async def _try(  # whom, what, signed by what
    line: Line, room: asyncio.Semaphore, found: Webhook, delivery: Delivery, secrets: Sequence[str], clock: Clock
) -> Tried:
    """One try of one delivery; it never raises for what the other side does."""
    content = webhook.content(delivery.event, delivery.data, at=delivery.created_at, app=found.app_public_id)
    async with room:
        at = clock()
        headers = webhook.headers(delivery.event_id, content, secrets, now=at)
        answer = await _ask(line, Question("POST", found.url, tuple(headers.items()), content.encode()))
    tries = delivery.tries + 1
    taken = answer.status is not None and answer.status in webhook.TAKEN
    next_at = None if taken else webhook.next_try(tries, delivery.delivery_id, now=clock())
    state = "delivered" if taken else "failed" if next_at is None else "waiting"
    return Tried(delivery.delivery_id, tries, at, answer.ms, answer.status, answer.words, state, next_at)


async def _ask(line: Line, question: Question) -> _Answer:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(PATIENCE):
            status, said = await line.tell(question, most=SHOWN * 4)
        words = said.decode(errors="replace").replace("\0", "")[:SHOWN]
    except Invalid as error:
        status, words = None, error.message
    except TimeoutError:
        status, words = None, f"{plain_url(question.url)} did not answer within {PATIENCE:g} s"
    return _Answer(status, words, round((loop.time() - began) * 1000))


async def _record(db: Database, found: Webhook, tried: Sequence[Tried], *, now: datetime) -> None:
    """Write down what came of the tries; switch off what says that it is gone, or has taken nothing for too long."""
    async with db.transaction() as conn:
        await deliveries.record(conn, found.app_id, found.webhook_id, tried)
        if any(each.status == webhook.GONE for each in tried):
            reason = "It answered 410 Gone: nobody listens there any more"
        elif any(each.state == "delivered" for each in tried):
            await webhooks.arrived(conn, found.app_id, found.webhook_id)
            return
        else:
            since = await webhooks.failed(conn, found.app_id, found.webhook_id, now=now)
            if now - since < webhook.GIVEN_UP:
                return
            last = tried[-1]
            why = f"answered {last.status}" if last.status is not None else last.words
            reason = f"Nothing has arrived since {since:%Y-%m-%d %H:%M} UTC; at last: {why}"
        await webhooks.disable(conn, found.app_id, found.webhook_id, reason=reason, now=now)
    log.warning("webhook_disabled webhook=%s reason=%s", found.public_id, reason)
