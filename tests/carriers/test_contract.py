"""Every carrier against the carrier contract."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heliograph.carriers.base import (
    Accepted,
    Asks,
    Carrier,
    Deferred,
    LineState,
    Lost,
    NotThere,
    Outcome,
    Receipt,
    ReceiptState,
    Refused,
    Sought,
)
from heliograph.errors import CarrierDown
from tests.carriers.contract import (
    CASES,
    GUARD,
    NUMBERS,
    SECRET,
    SENDER,
    WRITTEN,
    A,
    Answer,
    B,
    C,
    Can,
    Case,
    D,
    DeafEar,
    Ear,
    Later,
    Rig,
    Script,
    answers,
    recorded,
    texts,
)
from tests.carriers.rigs import RIGS

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(params=RIGS, ids=lambda made: made().name)
async def rig(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Rig]:
    made: Rig = request.param()
    yield made
    await made.close()


def needs(rig: Rig, *capabilities: Can) -> None:
    for capability in capabilities:
        if capability in rig.lacks:
            pytest.skip(f"{rig.name}: {rig.lacks[capability]}")


async def settled(carrier: Carrier, numbers: tuple[str, ...] = NUMBERS) -> dict[str, Outcome]:
    handed = texts(numbers)
    return dict(zip(numbers, await answers(await carrier.submit(handed)), strict=True))


async def into_nothing(rig: Rig, folder: Path) -> None:
    """Submit to a far side that nobody can reach."""
    carrier = await rig.open(Script(down=True), Ear(), folder)
    try:
        await carrier.submit(texts())
    finally:
        await carrier.close()


def same_texts(rig: Rig, found: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> bool:
    return sorted(found) == sorted(wanted) if Can.ORDER in rig.lacks else found == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_carrier(rig: Rig, case: Case, tmp_path: Path) -> None:
    needs(rig, *case.needs)
    ear = Ear()
    carrier = await rig.open(case.script, ear, tmp_path)
    found = await settled(carrier)
    kinds = {number: type(outcome) for number, outcome in found.items()}
    if case.script.parts_per_second and Can.ORDER in rig.lacks:  # which ones come too fast is chance then
        assert Counter(kinds.values()) == Counter(case.outcomes.values())
        assert len(rig.record()) == len(case.taken)
    else:
        assert kinds == case.outcomes
        assert same_texts(rig, rig.record(), [(text.to, text.text) for text in texts() if text.to in case.taken])
    refusals = [outcome for outcome in found.values() if isinstance(outcome, Refused)]
    assert all(refusal.permanent is case.permanent and refusal.code for refusal in refusals)
    deferrals = [outcome for outcome in found.values() if isinstance(outcome, Deferred)]
    assert all(0 < deferral.seconds < 3600 and deferral.code for deferral in deferrals)
    refs = {outcome.ref: number for number, outcome in found.items() if isinstance(outcome, Accepted)}
    assert len(refs) == sum(outcome is Accepted for outcome in case.outcomes.values()), "refs name one text each"

    await ear.hear(sum(map(len, case.receipts.values())))
    await ear.read(len(case.replies))
    await carrier.close()
    heard = {number: tuple(r.state for r in ear.heard if refs[r.ref] == number) for number in case.receipts}
    assert heard == case.receipts
    assert len(ear.heard) == sum(map(len, case.receipts.values()))
    assert all(receipt.at.utcoffset() is not None for receipt in ear.heard)
    assert all(bool(r.code) == (r.state.value == "failed") for r in ear.heard)
    assert sorted((r.number, r.to, r.text) for r in ear.written) == sorted((n, SENDER, WRITTEN) for n in case.replies)
    assert all(reply.at.utcoffset() is not None for reply in ear.written)
    assert [state for state, _ in ear.lines if state is not LineState.UP] == []


async def test_a_submission_does_not_wait_for_answers(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(answers={A: Answer.IS_SILENT}), Ear(), tmp_path)
    futures = await carrier.submit(texts())
    assert not futures[0].done()
    assert len(await recorded(rig, len(NUMBERS))) == len(NUMBERS), "the bytes have left"
    assert isinstance((await answers(futures))[0], Lost)
    await carrier.close()


async def test_a_line_that_is_cut_behind_the_bytes_leaves_the_fate_of_the_text_open(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(answers={A: Answer.CUTS}), Ear(), tmp_path)
    assert [type(outcome) for outcome in (await settled(carrier, (A,))).values()] == [Lost]
    assert [number for number, _ in rig.record()] == [A], "and it is not sent again"
    await carrier.close()
    assert [number for number, _ in rig.record()] == [A]


async def test_an_early_receipt_is_heard_before_the_answer(rig: Rig, tmp_path: Path) -> None:
    needs(rig, Can.EARLY)
    ear = Ear()
    carrier = await rig.open(Script(later={A: Later.EARLY}), ear, tmp_path)
    future = (await carrier.submit(texts((A,))))[0]
    heard = await ear.hear(1)
    assert not future.done()
    assert await future == Accepted(heard[0].ref)
    await carrier.close()


async def test_a_line_that_is_down_takes_nothing(rig: Rig, tmp_path: Path) -> None:
    ear = Ear()
    try:
        carrier = await rig.open(Script(down=True), ear, tmp_path)
    except CarrierDown:
        assert rig.record() == []
        return
    with pytest.raises(CarrierDown):
        await carrier.submit(texts())
    assert rig.record() == []
    assert await ear.stands(LineState.DOWN)
    await carrier.close()


async def test_wrong_credentials_are_told_and_are_no_texts_fault(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    needs(rig, Can.CREDENTIALS)
    caplog.set_level(logging.DEBUG)
    ear = Ear()
    carrier = await rig.open(Script(refuses_us=True), ear, tmp_path)
    outcomes: list[Outcome] = []
    with suppress(CarrierDown):
        outcomes = list((await settled(carrier)).values())
    assert all(isinstance(outcome, Deferred) for outcome in outcomes), "nobody's chances are used up by it"
    words = await ear.stands(LineState.REFUSED)
    assert words
    assert SECRET not in words
    assert SECRET not in caplog.text
    await carrier.close()
    assert rig.record() == []


async def test_what_became_of_a_text_can_be_asked(rig: Rig, tmp_path: Path) -> None:
    needs(rig, Can.ASK)
    carrier = await rig.open(Script(answers={A: Answer.IS_SILENT}), Ear(), tmp_path)
    assert isinstance(carrier, Asks)
    handed = texts((A, B))
    outcomes = await answers(await carrier.submit(handed))
    refs = [outcome.ref if isinstance(outcome, Accepted) else None for outcome in outcomes]
    now = NOW
    sought = [Sought(text.message_id, ref, text.sender, text.to, now) for text, ref in zip(handed, refs, strict=True)]
    lost, known, never = await carrier.ask([*sought, Sought("msg-never", None, SENDER, D, now)])
    assert lost is None or (isinstance(lost, Receipt) and lost.ref), "whatever is said, it names the text"
    assert isinstance(known, Receipt)
    assert known.ref == refs[1]
    assert known.state in ReceiptState
    assert never is None or isinstance(never, NotThere)
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
    async with asyncio.timeout(GUARD):
        await carrier.close()
    assert [type(future.result()) for future in futures] == [Accepted, Lost, Accepted, Accepted]
    if Can.LAST_WORDS not in rig.lacks:
        assert [receipt.ref for receipt in ear.heard] == [getattr(futures[0].result(), "ref", None)]


async def test_closing_twice_is_closing_once(rig: Rig, tmp_path: Path) -> None:
    carrier = await rig.open(Script(), Ear(), tmp_path)
    await answers(await carrier.submit(texts()))
    await carrier.close()
    await carrier.close()
    assert len(await recorded(rig, len(NUMBERS))) == len(NUMBERS)


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
    every = [Answer.TAKES, Answer.REFUSES, Answer.REFUSES_FOR_NOW, Answer.IS_SILENT]
    said = {A: Later.FAILED, B: Later.DELIVERED, C: Later.REPLIES, D: Later.TWICE}
    scripts = (Script(answers=dict(zip(NUMBERS, every, strict=True))), Script(later=said))
    for place, listener in enumerate((Ear(), DeafEar())):
        for script in scripts:
            carrier = await rig.open(script, listener, tmp_path / str(place))
            await settled(carrier)
            await carrier.close()
            with pytest.raises(CarrierDown) as closed:
                await carrier.submit(texts())
            logging.getLogger("test").info("%s", closed.value)
    with pytest.raises(CarrierDown) as broken:
        await into_nothing(rig, tmp_path / "down")
    logging.getLogger("test").info("%s", broken.value)
    words = [*(text.text for text in texts()), WRITTEN]
    for secret in (SECRET, SENDER, *NUMBERS, *words):
        assert secret not in caplog.text
        assert secret.removeprefix("+") not in caplog.text
