"""An SMPP line against the simulator: windows, binds, broken connections, long texts, ids, replies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliograph.carriers.base import (
    Accepted,
    Deferred,
    LineState,
    Lost,
    Receipt,
    ReceiptState,
    Refused,
    Reply,
)
from heliograph.carriers.kind import Opening
from heliograph.carriers.smpp import line as smpp
from heliograph.carriers.smpp import pdu
from heliograph.errors import CarrierDown
from tests import certificates
from tests.carriers.contract import Ear, answers
from tests.carriers.smpp_rig import SETTINGS, centre, hesitant, mute, opened, outcomes, taken, text, until

pytestmark = pytest.mark.anyio

LONG = "Señora, 5 € " * 40
DELIVERED = ReceiptState.DELIVERED


# ---------------------------------------------------------------- windows and binds


async def test_what_the_window_has_no_room_for_is_deferred_at_once_and_no_text_of_it_leaves(tmp_path: Path) -> None:
    record = tmp_path / "smsc.jsonl"
    async with centre(record, window=10) as (_, port), opened(port, window=10) as line:
        assert line.room(1) == 10
        futures = await line.submit([text(n) for n in range(25)])
        assert line.room(1) == 0
        assert [future.done() for future in futures] == [False] * 10 + [True] * 15
        found = await answers(futures)
        assert [type(each) for each in found] == [Accepted] * 10 + [Deferred] * 15
        assert all(isinstance(each, Deferred) and each.code == "window" for each in found[10:])
        assert line.room(1) == 10
        assert len(taken(record)) == 10


async def test_a_text_of_more_parts_than_the_window_goes_alone() -> None:
    async with centre() as (_, port), opened(port, window=2) as line:
        long = text(1, LONG)
        assert long.parts > 2
        assert line.room(long.parts) == long.parts
        one, other = await outcomes(line, long, text(2))
        assert (type(one), type(other)) == (Accepted, Deferred)


async def test_texts_are_shared_by_several_binds_and_receipts_come_over_any() -> None:
    ear = Ear()
    async with centre() as (made, port), opened(port, ear, binds=3, window=4) as line:
        await until(lambda: line.room(1) == 12)
        found = await outcomes(line, *(text(n) for n in range(12)))
        assert [type(each) for each in found] == [Accepted] * 12
        assert len(made._open) == 3
        await ear.hear(12)


async def test_a_pair_sends_over_one_bind_and_hears_over_the_other() -> None:
    ear = Ear()
    async with centre(behaviour={"reply": 1, "reply_ms": [1, 9]}) as (_, port), opened(port, ear, bind="pair") as line:
        assert [type(each) for each in await outcomes(line, text())] == [Accepted]
        await ear.hear(1)
        assert (await ear.read(1))[0].text == "STOP"


async def test_a_secured_line_checks_whom_it_speaks_to(tmp_path: Path) -> None:
    certificate, secured = certificates.certified(tmp_path, "smsc.example")
    ear = Ear()
    async with centre(secured=secured) as (_, port):
        async with opened(port, tls=True, tls_ca=certificate, tls_name="smsc.example") as line:
            assert [type(each) for each in await outcomes(line, text())] == [Accepted]
        async with opened(port, ear, tls=True, tls_ca=certificate, tls_name="another.example") as line:
            with pytest.raises(CarrierDown, match="certificate"):
                await line.submit([text()])
        assert ear.lines[0][0] is LineState.DOWN


# ---------------------------------------------------------------- lines that break


async def test_a_line_that_is_cut_comes_back_by_itself_and_what_was_on_its_way_is_lost() -> None:
    ear = Ear()
    async with centre(behaviour={"latency_ms": [20000, 20000]}) as (made, port), opened(port, ear) as line:
        assert ear.lines == [(LineState.UP, "bound as transceiver")]
        futures = await line.submit([text(n) for n in range(5)])
        await until(lambda: made.taken == 5)
        assert made.cut_all() == 1
        assert [type(each) for each in await answers(futures)] == [Lost] * 5
        await until(lambda: len(ear.lines) == 3)
        assert [state for state, _ in ear.lines] == [LineState.UP, LineState.DOWN, LineState.UP]
        assert line.room(1) == 50


async def test_a_far_side_that_says_nothing_any_more_is_found_out() -> None:
    ear = Ear()
    async with mute() as port, opened(port, ear, enquire_link_s=0.1, answer_timeout_s=0.1) as line:
        assert ear.lines[0][0] is LineState.UP
        assert "does not answer" in await ear.stands(LineState.DOWN)
        await line.close()


async def test_a_receipt_that_nobody_took_comes_again_on_the_next_connection() -> None:
    ear = Ear()
    async with centre(behaviour={"receipt_ms": [1, 1]}) as (made, port):
        async with opened(port, ear, bind="pair") as line:
            await outcomes(line, text())
            await ear.hear(1)
        made.deliver([pdu.message(_receipt())])
        async with opened(port, ear):
            await ear.hear(2)


async def test_a_receipt_that_the_listener_could_not_take_is_delivered_again() -> None:
    class Busy(Ear):
        refused = 0

        def receipts(self, receipts: Sequence[Receipt], /) -> None:
            if not self.refused:
                self.refused += 1
                raise RuntimeError
            super().receipts(receipts)

    ear = Busy()
    async with centre() as (_, port), opened(port, ear) as line:
        await outcomes(line, text())
        await ear.hear(1)
        assert ear.refused == 1


async def test_wrong_credentials_are_not_tried_again_and_a_refusal_for_other_reasons_is() -> None:
    ear = Ear()
    async with centre(password="another") as (made, port), opened(port, ear) as line:
        assert ear.lines == [(LineState.REFUSED, "the message centre refuses the bind: invalid_password")]
        made.script = replace(made.script, password=None)
        await asyncio.sleep(0.3)
        assert len(ear.lines) == 1
        with pytest.raises(CarrierDown, match="invalid_password"):
            await line.submit([text()])
    ear = Ear()
    async with centre(refuse_binds="bind_failed") as (made, port), opened(port, ear):
        assert ear.lines[0][0] is LineState.REFUSED
        made.script = replace(made.script, refuse_binds=0)
        await ear.stands(LineState.UP)


def _receipt() -> pdu.Message:
    source, dest = pdu.Address(1, 1, "15555550101"), pdu.Address(1, 1, "15555550100")
    return pdu.Message(source, dest, 4, 0, 0, b"", {0x1E: b"77\0", 0x427: b"\2"})


# ---------------------------------------------------------------- answers


async def test_codes_mean_what_the_table_and_the_account_say() -> None:
    refusals = {"01": "throttled", "02": "queue_full", "03": "invalid_destination", "04": "0x0400", "05": "0x0401"}
    patterns = [{"match": f"*{end}", "refuse": 1, "refuse_code": code} for end, code in refusals.items()]
    account: dict[str, Any] = {"statuses": {"0x401": "temporary", "0x0b": "throttled"}, "queue_full_s": 7}
    async with centre(behaviour={"patterns": patterns}) as (_, port), opened(port, None, **account) as line:
        found = await outcomes(line, *(text(n) for n in range(1, 6)))
    assert found[:3] == [Deferred("throttled", 1.0), Deferred("queue_full", 7.0), Deferred("invalid_destination", 1.0)]
    assert [(each.code, each.permanent) for each in found[3:] if isinstance(each, Refused)] == [
        ("status_0x00000400", True),
        ("status_0x00000401", False),
    ]


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
async def test_a_long_text_has_one_outcome_and_a_receipt_of_each_part(way: str, tmp_path: Path) -> None:
    record, ear = tmp_path / "smsc.jsonl", Ear()
    behaviour = {"receipt_early": 0.5, "latency_ms": [5, 60], "seed": 3}
    async with centre(record, behaviour=behaviour) as (_, port), opened(port, ear, long_text=way) as line:
        found = await outcomes(line, text(1, LONG), text(2), text(3, "😀" * 100))
        taken_as = [each for each in found if isinstance(each, Accepted)]
        assert [each.ref for each in taken_as if each.parts] == [each.parts[-1] for each in taken_as if each.parts]
        refs = [ref for each in taken_as for ref in each.parts or (each.ref,)]
        await ear.hear(len(refs))
        assert {(each.ref, each.state) for each in ear.heard} == {(ref, DELIVERED) for ref in refs}
    assert "".join(words for number, words in taken(record) if number == text(1).to) == LONG


async def test_a_text_that_was_taken_in_part_is_never_sent_again() -> None:
    async with centre(window=1, behaviour={"latency_ms": [30, 30]}) as (_, port), opened(port) as line:
        (found,) = await outcomes(line, text(1, LONG))
    assert isinstance(found, Refused)
    assert (found.code, found.permanent) == ("partly_accepted:throttled", True)


async def test_answers_that_come_twice_are_answers_that_came_once() -> None:
    async with centre(answer_duplicate=1) as (_, port), opened(port) as line:
        assert [type(each) for each in await outcomes(line, *(text(n) for n in range(5)))] == [Accepted] * 5
        await asyncio.sleep(0.05)
        assert line.room(1) == 50


@pytest.mark.parametrize(("answer", "receipt"), [("hex", "decimal"), ("decimal", "HEX"), ("padded", "decimal")])
@pytest.mark.parametrize("says", ["text", "tlv"])
async def test_receipts_find_their_text_however_ids_are_written(answer: str, receipt: str, says: str) -> None:
    ear = Ear()
    async with centre(answer_ids=answer, receipt_ids=receipt, receipts=says) as (_, port), opened(port, ear) as line:
        found = await outcomes(line, *(text(n) for n in range(5)))
        await ear.hear(5)
    assert {each.ref for each in ear.heard} == {each.ref for each in found if isinstance(each, Accepted)}


# ---------------------------------------------------------------- replies


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
async def test_a_long_reply_is_heard_whole(way: str) -> None:
    ear = Ear()
    behaviour = {"reply": 1, "reply_text": "¿Qué? 😀" * 40, "reply_ms": [1, 5]}
    async with centre(reply_long=way, reply_reversed=True, behaviour=behaviour) as (_, port), opened(port, ear) as line:
        await outcomes(line, text())
        (reply,) = await ear.read(1)
    assert (reply.number, reply.to, reply.text) == (text().to, text().sender, "¿Qué? 😀" * 40)


async def test_a_reply_with_a_part_missing_is_heard_in_the_end() -> None:
    ear = Ear()
    behaviour = {"reply": 1, "reply_text": "abc" * 120, "reply_ms": [1, 5]}
    async with centre(reply_missing=2, behaviour=behaviour) as (_, port), opened(port, ear, reply_parts_s=0.1) as line:
        await outcomes(line, text())
        (reply,) = await ear.read(1)
    assert reply.text == ("abc" * 120)[:153] + "[…]" + ("abc" * 120)[306:]


class Slow(Ear):
    """A listener that keeps replies when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.keeping: list[asyncio.Future[None]] = []

    def replies(self, replies: Sequence[Reply], /) -> asyncio.Future[None]:
        super().replies(replies)
        self.keeping.append(asyncio.get_running_loop().create_future())
        return self.keeping[-1]


async def test_a_reply_is_acknowledged_when_it_is_kept_and_until_then_it_is_delivered_again() -> None:
    ear = Slow()
    behaviour = {"reply": 1, "reply_text": "STOP", "reply_ms": [1, 5], "receipt_lost": 1}
    async with centre(behaviour=behaviour) as (made, port), opened(port, ear) as line:
        await outcomes(line, text())
        await ear.read(1)
        made.cut_all()
        assert [reply.text for reply in await ear.read(2)] == ["STOP", "STOP"]
        assert [len(peer._undelivered) for peer in made._peers] == [1]
        for kept in ear.keeping:
            kept.set_result(None)
        await until(lambda: not any(peer._undelivered for peer in made._peers))
        assert len(ear.written) == 2


async def test_a_bind_that_is_never_answered_holds_up_no_other() -> None:
    async with hesitant(1) as port, opened(port, binds=2, connect_timeout_s=120) as line:
        assert await outcomes(line, text()) == [Accepted("ID")]


async def test_a_line_goes_only_where_the_operator_lets_it() -> None:
    async with centre() as (_, port):
        account = SETTINGS | {"port": port}
        line = await smpp.open_line(account, Opening(Ear(), "test", Path("none"), networks=()))
        try:
            with pytest.raises(CarrierDown, match=r"its address is one that carriers may not have \(loopback\)"):
                await line.submit([text()])
        finally:
            await line.close()
