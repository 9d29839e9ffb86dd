"""How carrier accounts do: one sight of it for every face."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from heliograph.store import carrier_counts, lines, senders, webhook_calls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Conn
    from heliograph.store.lines import Seen

FRESH = timedelta(seconds=15)  # a worker that has said nothing of its lines for longer is gone
RATE = 3  # slots over which the rate of now is measured


@dataclass(frozen=True, slots=True)
class Health:
    """How an account does.

    * ``state``: up, down, refused, paused, or closed: no worker has a line to it, as there is nothing to send or nobody
      works.
    * ``rate``: texts a second that the carrier took lately.
    * ``limit``: parts a second that its senders may send together; None when one of them has no limit.
    * ``last_hour``: how often what, as :class:`heliograph.store.carrier_counts.Count` names it.
    * ``lag``: seconds to the receipt, of half of the last texts and of 95 in 100.
    * ``unread``: calls of the carrier's that were set aside.
    """

    account: CarrierAccount
    state: str
    since: datetime | None
    words: str
    lines: Sequence[Seen]
    rate: float
    limit: float | None
    last_hour: Mapping[str, int]
    lag: tuple[float, float] | None
    unread: int


async def read(conn: Conn, app_id: int, accounts: Sequence[CarrierAccount], *, now: datetime) -> list[Health]:
    """How each of some accounts of an app does."""
    ids = [account.account_id for account in accounts]
    seen = await lines.list_seen(conn, app_id, after=now - FRESH)
    slot = timedelta(seconds=carrier_counts.SLOT)
    hour = await carrier_counts.sums(conn, app_id, ids, after=now - timedelta(hours=1), before=now + slot)
    lately = await carrier_counts.sums(conn, app_id, ids, after=now - slot * (RATE + 1), before=now - slot)
    unread = await webhook_calls.count_aside(conn, app_id)
    there = await senders.list_all(conn, app_id)
    found: list[Health] = []
    for account in accounts:
        own = [line for line in seen if line.account_id == account.account_id]
        limits = [s.parts_per_second for s in there if s.account_id == account.account_id]
        state, since, words = _stands(account, own)
        found.append(
            Health(
                account,
                state,
                since,
                words,
                own,
                rate=lately[account.account_id].get("accepted", 0) / (carrier_counts.SLOT * RATE),
                limit=_together(limits),
                last_hour=hour[account.account_id],
                lag=await carrier_counts.lag(conn, app_id, account.account_id),
                unread=unread.get(account.account_id, 0),
            )
        )
    return found


def _stands(account: CarrierAccount, own: Sequence[Seen]) -> tuple[str, datetime | None, str]:
    """An account is up as long as one worker's line is; else it is as the newest word says."""
    if account.paused_at is not None:
        return "paused", account.paused_at, account.paused_reason or ""
    up = [line for line in own if line.state == "up"]
    if up:
        return "up", min(line.since for line in up), up[-1].words
    if own:
        newest = max(own, key=lambda line: line.since)
        return newest.state, newest.since, newest.words
    return "closed", None, ""


def _together(limits: Sequence[float | None]) -> float | None:
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None
