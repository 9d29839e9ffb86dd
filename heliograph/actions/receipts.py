"""What carriers say later about texts they accepted."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from heliograph.actions import opt_outs, text_news
from heliograph.carriers import registry
from heliograph.rules import message
from heliograph.rules.message import MessageStatus
from heliograph.store import carrier_accounts, message_parts, receipts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn, Database


async def record(
    db: Database, app_id: int, account_id: int, said: Sequence[receipts.NewReceipt], *, now: datetime
) -> None:
    """Move messages of one carrier account forward; keep what belongs to no message yet.

    A receipt of a part of a text of several counts for that part; the text moves when its parts have all been told of.
    """
    async with db.transaction() as conn:
        unmatched = await _apply(conn, app_id, account_id, said, now=now)
        await _heed(conn, app_id, account_id, said, now=now)
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
                await _apply(conn, app_id, account_id, known, now=now)
                await _heed(conn, app_id, account_id, known, now=now)
        matched += len(known)
    return matched


async def _heed(
    conn: Conn, app_id: int, account_id: int, said: Sequence[receipts.NewReceipt], *, now: datetime
) -> None:
    """Let it count when receipts say of people that they do not want to be texted."""
    failed = [receipt for receipt in said if receipt.status == MessageStatus.FAILED.word]
    if not failed:
        return
    codes = registry.opted_out((await carrier_accounts.get(conn, app_id, account_id)).kind)
    code_of = {receipt.carrier_ref: receipt.code for receipt in failed if receipt.code in codes}
    if code_of:
        whose = await receipts.whose(conn, app_id, account_id, list(code_of))
        said_no = [opt_outs.SaidNo(one.number, one.address, code_of[one.carrier_ref]) for one in whose]
        await opt_outs.refused(conn, app_id, said_no, now=now)


async def _apply(
    conn: Conn, app_id: int, account_id: int, said: Sequence[receipts.NewReceipt], *, now: datetime
) -> set[str]:
    """The refs among ``said`` that name no message yet."""
    texts = await message_parts.find(conn, app_id, account_id, [receipt.carrier_ref for receipt in said])
    if not texts:
        return await _settle(conn, app_id, account_id, said, now=now)
    parts = await message_parts.lock(conn, app_id, texts)
    known = {part.carrier_ref for part in parts}
    moved, told = _folded(parts, [receipt for receipt in said if receipt.carrier_ref in known])
    if moved:
        await message_parts.move(conn, app_id, moved)
    told += [receipt for receipt in said if receipt.carrier_ref not in known]
    return await _settle(conn, app_id, account_id, told, now=now) - known if told else set()


async def _settle(
    conn: Conn, app_id: int, account_id: int, said: Sequence[receipts.NewReceipt], *, now: datetime
) -> set[str]:
    """Move whole texts, and have those told who listen to that; the refs among ``said`` that name no message yet."""
    wanted = await text_news.listened_to(conn, app_id)
    if not wanted:
        return await receipts.apply(conn, app_id, account_id, said, now=now)
    before = await text_news.lock(conn, app_id, account_id, [receipt.carrier_ref for receipt in said])
    unmatched = await receipts.apply(conn, app_id, account_id, said, now=now)
    await text_news.tell(conn, app_id, wanted, before, now=now)
    return unmatched


def _folded(
    parts: Sequence[message_parts.Part], said: Sequence[receipts.NewReceipt]
) -> tuple[list[message_parts.Part], list[receipts.NewReceipt]]:
    """The parts that ``said`` moves forward, and what is told of their texts by it, each known by its last part."""
    furthest: dict[str, receipts.NewReceipt] = {}
    for receipt in said:
        before = furthest.get(receipt.carrier_ref)
        if before is None or message.parse(before.status) < message.parse(receipt.status):
            furthest[receipt.carrier_ref] = receipt
    moved: list[message_parts.Part] = []
    told: list[receipts.NewReceipt] = []
    for _, group in groupby(parts, key=lambda part: (part.run_id, part.seq)):
        now_stand = list(group)
        news: list[receipts.NewReceipt] = []
        for place, part in enumerate(now_stand):
            receipt = furthest.get(part.carrier_ref)
            if receipt is not None and message.parse(part.status) < message.parse(receipt.status):
                now_stand[place] = part._replace(status=receipt.status, code=receipt.code)
                moved.append(now_stand[place])
                news.append(receipt)
        if news:
            told += _of_text(now_stand, max(receipt.at for receipt in news))
    return moved, told


def _of_text(parts: Sequence[message_parts.Part], at: datetime) -> list[receipts.NewReceipt]:
    """The receipt of a text whose parts stand so since ``at``; none while it is accepted, as it was before."""
    status = message.of_parts(message.parse(part.status) for part in parts)
    if status is MessageStatus.ACCEPTED:
        return []
    code = next(part.code for part in parts if part.status == status.word)
    return [receipts.NewReceipt(parts[-1].carrier_ref, status.word, code, at)]
