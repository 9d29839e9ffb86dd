"""Receipts of parts make one word on a text: across restarts, in any order, heard by several workers at once."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import receipts as receipts_actions
from heliograph.actions import seal as seals
from heliograph.actions import senders
from heliograph.carriers.base import ReceiptState
from heliograph.carriers.smpp.pdu import Address
from heliograph.carriers.smpp.simulator import letters
from heliograph.rules import message
from heliograph.rules.message import MessageStatus
from heliograph.store import message_parts
from heliograph.store.receipts import NewReceipt
from tests.carriers import smpp_rig
from tests.engine.conftest import number

if TYPE_CHECKING:
    from pathlib import Path

    from heliograph.carriers.smpp.simulator.centre import Centre
    from heliograph.store.campaigns import Campaign
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

LONG = "The quick brown fox jumps over the lazy dog, and on. " * 7  # three parts
AT = datetime(2026, 3, 2, tzinfo=UTC)
ACCEPTED, FAILED, DELIVERED = MessageStatus.ACCEPTED, MessageStatus.FAILED, MessageStatus.DELIVERED

ADD_OUTCOMES: LiteralString = """
INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, settled_at)
SELECT 1, 1, n, 'accepted', 1, 't' || n || '-3', now() FROM generate_series(1, %(n)s) n
"""
FIND_OUTCOMES: LiteralString = "SELECT seq, status::text, reason FROM outcome ORDER BY seq"
COUNT_PARTS: LiteralString = "SELECT count(*) FROM message_part WHERE status = %(status)s"
FIND_TALLY: LiteralString = "SELECT accepted, failed, delivered FROM tally WHERE sender_id = -1"
PARKED: LiteralString = "SELECT count(*) FROM early_receipt"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([ACCEPTED, ACCEPTED], ACCEPTED), ([DELIVERED, ACCEPTED], ACCEPTED), ([DELIVERED, DELIVERED], DELIVERED),
        ([ACCEPTED, FAILED], FAILED), ([DELIVERED, FAILED, DELIVERED], FAILED),
    ],
)  # fmt: skip
def test_a_text_is_what_its_parts_are(parts: list[MessageStatus], text: MessageStatus) -> None:
    assert message.of_parts(parts) is text


class Far:
    """A message centre whose receipts are sent when a test says so."""

    def __init__(self, centre: Centre, record: Path) -> None:
        self._centre = centre
        self._record = record

    def tell(self, to: str, *parts: int, state: ReceiptState = ReceiptState.DELIVERED) -> None:
        lines = [json.loads(line) for line in self._record.read_text().splitlines()]
        ids = {line["part"][2]: line["id"] for line in lines if line["to"] == to and line["part"]}
        there, us = Address(1, 1, to[1:]), Address(1, 1, "12025550100")
        self._centre.deliver(
            [
                letters.receipt(self._centre.script, letters.Letter(int(ids[part], 16), us, there, "x"), state, "")
                for part in parts
            ]
        )


async def attach(world: World, port: int, ids: str = "auto") -> None:
    who: dict[str, object] = {"host": "127.0.0.1", "port": port, "system_id": "test", "message_ids": ids}
    settings = who | {"reconnect_s": [0.02, 0.5]}
    body = {"name": "SMSC", "kind": "smpp", "settings": settings}
    await accounts.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())
    await senders.update(world.db, world.app, "*", {"carrierAccountId": "SMSC"}, now=world.clock())


async def told(world: World, parts: int, status: str = "delivered") -> None:
    """Wait until so many parts stand so."""
    async with asyncio.timeout(60):
        while True:
            async with world.db.connection() as conn:
                row = await (await conn.execute(COUNT_PARTS, {"status": status})).fetchone()
            if row is not None and row[0] >= parts:
                return
            await asyncio.sleep(0.02)


async def outcome_of(world: World, campaign: Campaign) -> list[int]:
    ledger = await world.ledger(campaign)
    return [ledger.accepted, ledger.failed, ledger.delivered]


@pytest.mark.parametrize("ids", ["same", "hex_then_decimal"])
async def test_parts_told_of_before_and_after_a_restart_are_one_text(world: World, tmp_path: Path, ids: str) -> None:
    record = tmp_path / "smsc.jsonl"
    written: dict[str, Any] = {"answer_ids": "hex"} | (
        {"receipt_ids": "decimal"} if ids != "same" else {"receipt_ids": "hex"}
    )
    async with smpp_rig.centre(record, behaviour={"receipt_lost": 1}, **written) as (made, port):
        far = Far(made, record)
        await attach(world, port, ids)
        await world.add_numbers("People", 1, 4)
        await world.add_numbers("Another", 9, 1)
        async with world.working():
            campaign = await world.play(await world.campaign("Long", ["People"], text=LONG))
            await world.until(campaign)
            far.tell(number(1), 3)  # its last part: no word on the text any more
            far.tell(number(2), 1, 2)
            far.tell(number(3), 1, 2)
            await told(world, 5)
            assert await outcome_of(world, campaign) == [4, 0, 0]
        async with world.working():
            await world.until(await world.play(await world.campaign("Again", ["Another"])))
            far.tell(number(2), 3)
            far.tell(number(3), 3, state=ReceiptState.FAILED)
            far.tell(number(4), 3, 2, 1)
            await told(world, 9)
            await told(world, 1, "failed")
    assert await outcome_of(world, campaign) == [1, 1, 2]
    reasons = await world.reasons(campaign)
    assert [reasons[number(n)] for n in (1, 2, 3, 4)] == [None, None, reasons[number(3)], None]
    assert reasons[number(3)]


async def test_a_text_of_one_part_costs_no_row(world: World, tmp_path: Path) -> None:
    async with smpp_rig.centre(tmp_path / "smsc.jsonl") as (_, port):
        await attach(world, port)
        await world.add_numbers("People", 1, 5)
        async with world.working():
            campaign = await world.play(await world.campaign("Short", ["People"]))
            await world.until(campaign)
            async with asyncio.timeout(60):
                while (await world.ledger(campaign)).delivered < 5:
                    await asyncio.sleep(0.02)
    async with world.db.connection() as conn:
        row = await (await conn.execute("SELECT count(*) FROM message_part")).fetchone()
    assert row == (0,)


async def test_whoever_hears_them_in_whatever_order_the_last_part_decides(world: World) -> None:
    """Forty texts of three parts; three at a time hear their receipts, some before the texts are known."""
    chance, texts = random.Random(7), range(1, 41)
    failing = {n for n in texts if n % 5 == 0}
    said = [
        NewReceipt(f"t{n}-{part}", "failed" if n in failing and part == 2 else "delivered", "late" * (n in failing), AT)
        for n in texts
        for part in (1, 2, 3)
    ]
    said += [receipt._replace(status="accepted", code="") for receipt in said[::2]] + said[::3]
    chance.shuffle(said)

    async def hear(some: list[NewReceipt]) -> None:
        while some:
            group, some = some[: (size := chance.randint(1, 9))], some[chance.randint(1, size) :]
            await receipts_actions.record(world.db, 1, 1, group, now=AT)

    third = len(said) // 4
    await hear(said[:third])  # early: nobody knows these ids
    async with world.db.transaction() as conn:
        await conn.execute(ADD_OUTCOMES, {"n": len(texts)})
        kept = [message_parts.NewParts(1, 1, n, 1, f"t{n}-3", [f"t{n}-{part}" for part in (1, 2, 3)]) for n in texts]
        await message_parts.add(conn, kept, now=AT)
    await asyncio.gather(
        hear(said[third : 2 * third]),
        hear(said[2 * third : 3 * third]),
        hear(said[3 * third :]),
        receipts_actions.match_parked(world.db, now=AT),
    )
    await receipts_actions.match_parked(world.db, now=AT)
    async with world.db.connection() as conn:
        found = await (await conn.execute(FIND_OUTCOMES)).fetchall()
        assert found == [(n, "failed", "late") if n in failing else (n, "delivered", None) for n in texts]
        assert await (await conn.execute(FIND_TALLY)).fetchone() == (-40, 8, 32)
        assert await (await conn.execute(PARKED)).fetchone() == (0,)


async def test_ids_that_are_given_out_anew_name_the_newest_text(world: World) -> None:
    async with world.db.transaction() as conn:
        await conn.execute(ADD_OUTCOMES.replace("'t' || n || '-3'", "'same'"), {"n": 2})
        for seq in (1, 2):
            kept = message_parts.NewParts(1, 1, seq, 1, "same", ["first", "same"])
            await message_parts.add(conn, [kept], now=AT)
    await receipts_actions.record(world.db, 1, 1, [NewReceipt("first", "failed", "late", AT)], now=AT)
    async with world.db.connection() as conn:
        parts = await message_parts.lock(conn, 1, [(1, 1), (1, 2)])
    assert [(part.seq, part.status) for part in parts] == [
        (1, "accepted"), (1, "accepted"), (2, "failed"), (2, "accepted"),
    ]  # fmt: skip
