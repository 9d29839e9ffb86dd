"""Every carrier against the carrier contract."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from heliograph.carriers.base import Accepted, Carrier, Deferred, Lost, Outcome, Refused
from heliograph.errors import CarrierDown
from tests.carriers.contract import (
    CASES,
    NUMBERS,
    SECRET,
    SENDER,
    A,
    Answer,
    B,
    Case,
    DeafEar,
    Ear,
    Later,
    Rig,
    Script,
    answers,
    texts,
)
from tests.carriers.sandbox_rig import SandboxRig

pytestmark = pytest.mark.anyio

RIGS: tuple[Callable[[], Rig], ...] = (SandboxRig,)


@pytest.fixture(params=RIGS, ids=lambda made: made.name)
async def rig(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Rig]:
    made: Rig = request.param()
    yield made
    await made.close()


async def settled(carrier: Carrier, numbers: tuple[str, ...] = NUMBERS) -> dict[str, Outcome]:
    handed = texts(numbers)
    return dict(zip(numbers, await answers(await carrier.submit(handed)), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_carrier(rig: Rig, case: Case, tmp_path: Path) -> None:
    ear = Ear()
    carrier = await rig.open(case.script, ear, tmp_path)
    found = await settled(carrier)
    assert {number: type(outcome) for number, outcome in found.items()} == case.outcomes
    assert rig.record() == [(text.to, text.text) for text in texts() if text.to in case.taken]
    refusals = [outcome for outcome in found.values() if isinstance(outcome, Refused)]
    assert all(refusal.permanent is case.permanent and refusal.code for refusal in refusals)
    deferrals = [outcome for outcome in found.values() if isinstance(outcome, Deferred)]
    assert all(0 < deferral.seconds < 60 and deferral.code for deferral in deferrals)
    refs = {outcome.ref: number for number, outcome in found.items() if isinstance(outcome, Accepted)}
    assert len(refs) == sum(outcome is Accepted for outcome in case.outcomes.values()), "refs name one text each"

    await ear.hear(sum(map(len, case.receipts.values())))
    await carrier.close()
    heard = {number: tuple(r.state for r in ear.heard if refs[r.ref] == number) for number in case.receipts}
    assert heard == case.receipts
    assert len(ear.heard) == sum(map(len, case.receipts.values()))
    assert all(receipt.at.utcoffset() is not None for receipt in ear.heard)
    assert all(bool(r.code) == (r.state.value == "failed") for r in ear.heard)


async def test_a_submission_does_not_wait_for_answers(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(answers={A: Answer.IS_SILENT}), Ear(), tmp_path)
    futures = await carrier.submit(texts())
    assert len(rig.record()) == len(NUMBERS), "the bytes have left"
    assert not futures[0].done()
    assert isinstance((await answers(futures))[0], Lost)
    await carrier.close()


async def test_an_early_receipt_is_heard_before_the_answer(rig: Rig, tmp_path: Path) -> None:
    ear = Ear()
    carrier = await rig.open(Script(later={A: Later.EARLY}), ear, tmp_path)
    future = (await carrier.submit(texts((A,))))[0]
    heard = await ear.hear(1)
    assert not future.done()
    assert await future == Accepted(heard[0].ref)
    await carrier.close()


async def test_a_line_that_is_down_takes_nothing(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(down=True), Ear(), tmp_path)
    with pytest.raises(CarrierDown):
        await carrier.submit(texts())
    assert rig.record() == []
    await carrier.close()


async def test_nothing_to_hand_over_is_nothing(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(), Ear(), tmp_path)
    assert await carrier.submit([]) == []
    await carrier.close()
    assert rig.record() == []


async def test_a_closed_line_takes_nothing(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(), Ear(), tmp_path)
    await carrier.close()
    with pytest.raises(CarrierDown):
        await carrier.submit(texts())
    assert rig.record() == []


async def test_closing_lets_answers_and_receipts_arrive_and_leaves_no_future_open(rig: Rig, tmp_path: Path) -> None:
    ear = Ear()
    script = Script(answers={B: Answer.IS_SILENT}, later={A: Later.DELIVERED})
    carrier = await rig.open(script, ear, tmp_path)
    futures = await carrier.submit(texts())
    async with asyncio.timeout(5):
        await carrier.close()
    assert [type(future.result()) for future in futures] == [Accepted, Lost, Accepted, Accepted]
    assert [receipt.ref for receipt in ear.heard] == [getattr(futures[0].result(), "ref", None)]


async def test_closing_twice_is_closing_once(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(), Ear(), tmp_path)
    await answers(await carrier.submit(texts()))
    await carrier.close()
    await carrier.close()
    assert len(rig.record()) == len(NUMBERS)


async def test_who_no_longer_waits_for_an_answer_disturbs_nobody(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(), Ear(), tmp_path)
    futures = await carrier.submit(texts())
    futures[0].cancel()
    assert [type(outcome) for outcome in await answers(futures[1:])] == [Accepted] * 3
    await carrier.close()


async def test_a_broken_listener_does_not_break_the_line(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ear = DeafEar()
    carrier = await rig.open(Script(later=dict.fromkeys(NUMBERS, Later.DELIVERED)), ear, tmp_path)
    await settled(carrier)
    await settled(carrier)
    await carrier.close()
    assert ear.calls > 0
    assert "RuntimeError" in caplog.text


async def test_no_log_holds_a_number_a_text_or_a_secret(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    every = list(Answer)
    script = Script(answers=dict(zip(NUMBERS, every, strict=True)), later=dict.fromkeys(NUMBERS, Later.FAILED))
    for place, listener in enumerate((Ear(), DeafEar())):
        carrier = await rig.open(script, listener, tmp_path / str(place))
        await settled(carrier)
        await carrier.close()
        with pytest.raises(CarrierDown) as closed:
            await carrier.submit(texts())
        logging.getLogger("test").info("%s", closed.value)
    down = await rig.open(Script(down=True), Ear(), tmp_path / "down")
    with pytest.raises(CarrierDown) as broken:
        await down.submit(texts())
    logging.getLogger("test").info("%s", broken.value)
    await down.close()
    for secret in (SECRET, SENDER, *NUMBERS, *(text.text for text in texts())):
        assert secret not in caplog.text
        assert secret.removeprefix("+") not in caplog.text
