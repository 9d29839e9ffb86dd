"""What the sandbox promises beyond the carrier contract: its behaviour is what its settings say, every time."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from heliograph.carriers import registry
from heliograph.carriers.base import Accepted, Carrier, Deferred, Lost, Outcome, ReceiptState, Refused, Text
from heliograph.carriers.sandbox_fate import FAILURES
from heliograph.errors import CarrierDown
from tests.carriers.contract import SENDER, Ear, answers
from tests.carriers.sandbox_rig import lines

pytestmark = pytest.mark.anyio

SWIFT = {"latency_ms": [0, 10], "receipt_ms": [0, 20]}


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "transcript.jsonl"


async def opened(transcript: Path, ear: Ear | None = None, **settings: Any) -> Carrier:
    return await registry.open_carrier(
        "sandbox", SWIFT | settings, listener=ear or Ear(), name="test", transcript=transcript
    )


def crowd(size: int, *, area: str = "1555555", parts: int = 1) -> list[Text]:
    return [Text(f"msg-{place}", SENDER, f"+{area}{place:04d}", "Hello", parts) for place in range(size)]


async def outcomes(carrier: Carrier, texts: list[Text]) -> list[Outcome]:
    return await answers(await carrier.submit(texts))


async def test_by_default_everything_is_taken_and_delivered(transcript: Path) -> None:
    ear = Ear()
    carrier = await registry.open_carrier("sandbox", {}, listener=ear, name="test", transcript=transcript)
    found = await outcomes(carrier, crowd(300))
    assert all(isinstance(outcome, Accepted) for outcome in found)
    heard = await ear.hear(300)
    assert {receipt.state for receipt in heard} == {ReceiptState.DELIVERED}
    assert sorted(receipt.ref for receipt in heard) == sorted(o.ref for o in found if isinstance(o, Accepted))
    await carrier.close()


async def test_a_text_meets_the_same_fate_in_any_order_batch_and_process(transcript: Path) -> None:
    shares: dict[str, Any] = {"refuse": 0.3, "temporary": 0.2, "lost_answer": 0.1, "answer_timeout_s": 0.02, "seed": 7}
    texts = crowd(200)

    def told(found: list[Outcome]) -> list[str]:
        return [type(outcome).__name__ + getattr(outcome, "code", "") for outcome in found]

    first = await opened(transcript, **shares)
    at_once = told(await outcomes(first, texts))
    second = await opened(transcript, **shares)
    backwards = texts[::-1]
    in_batches = [await outcomes(second, backwards[place : place + 50]) for place in range(0, 200, 50)]
    assert at_once == told([outcome for batch in in_batches for outcome in batch])[::-1]
    shares["seed"] = 8
    other = await opened(transcript, **shares)
    assert told(await outcomes(other, texts)) != at_once
    for carrier in (first, second, other):
        await carrier.close()


async def test_shares_are_met(transcript: Path) -> None:
    ear = Ear()
    carrier = await opened(
        transcript, ear, refuse=0.3, refuse_code="nobody", temporary=0.2, temporary_code="busy",
        lost_answer=0.1, answer_timeout_s=0.02, receipt_failed=0.5,
    )  # fmt: skip
    found = await outcomes(carrier, crowd(4000))
    await carrier.close()
    counts = Counter(getattr(outcome, "code", type(outcome).__name__) for outcome in found)
    expected = {"nobody": 1200, "busy": 800, "Lost": 400, "Accepted": 1600}
    assert counts.keys() == expected.keys()
    assert all(abs(counts[word] - expected[word]) < 160 for word in expected)
    assert len(lines(transcript)) == 4000, "what the network refuses later was texted all the same"
    # A text whose answer was lost was taken: its receipt comes, with a ref that nobody was told.
    assert len(ear.heard) == counts["Accepted"] + counts["Lost"]
    failed = [receipt.code for receipt in ear.heard if receipt.state is ReceiptState.FAILED]
    assert abs(len(failed) - len(ear.heard) / 2) < 150
    assert set(failed) == set(FAILURES)


async def test_the_first_pattern_that_matches_a_number_wins(transcript: Path) -> None:
    patterns = [{"match": "+15555550*", "refuse": 1}, {"match": "+1555*", "temporary": 1}, {"match": "+44*"}]
    carrier = await opened(transcript, refuse=1, refuse_code="usual", patterns=patterns)
    numbers = ("+15555550123", "+15551550123", "+447700900123", "+61491570156")
    found = await outcomes(carrier, [Text(f"msg-{number}", SENDER, number, "Hello", 1) for number in numbers])
    await carrier.close()
    assert [(o.code, o.permanent) for o in found if isinstance(o, Refused)] == [
        ("usual", True),
        ("system_error", False),
        ("usual", True),
        ("usual", True),
    ]


@pytest.mark.parametrize(("times", "taken_at"), [(1, 2), (2, 3), (0, None)])
async def test_a_refusal_for_now_is_forgiven(transcript: Path, times: int, taken_at: int | None) -> None:
    carrier = await opened(transcript, temporary=1, temporary_times=times)
    found = [type((await outcomes(carrier, crowd(1)))[0]) for _ in range(4)]
    await carrier.close()
    assert found.index(Accepted) + 1 == taken_at if taken_at else found == [Refused] * 4


async def test_throttling_counts_parts_and_says_when_to_come_back(transcript: Path) -> None:
    carrier = await opened(transcript, throttle_per_second=20)
    found = await outcomes(carrier, crowd(10, parts=3))
    assert [type(outcome) for outcome in found] == [Accepted] * 6 + [Deferred] * 4
    waits = [outcome.seconds for outcome in found if isinstance(outcome, Deferred)]
    assert all(0 < wait <= 3 / 20 for wait in waits)
    assert len(lines(transcript)) == 6, "nobody was texted who was turned away at the door"
    await asyncio.sleep(max(waits) + 0.01)
    again = await outcomes(carrier, crowd(10, parts=3)[6:])
    assert isinstance(again[0], Accepted)
    await carrier.close()


async def test_a_text_of_more_parts_than_the_rate_is_taken_in_its_turn(transcript: Path) -> None:
    carrier = await opened(transcript, throttle_per_second=2)
    found = await outcomes(carrier, crowd(2, parts=7))
    await carrier.close()
    assert isinstance(found[0], Accepted)
    assert isinstance(found[1], Deferred)
    assert found[1].seconds == pytest.approx(3.5)


async def test_in_no_window_more_is_taken_than_the_rate_and_one_second_of_room(transcript: Path) -> None:
    carrier = await opened(transcript, throttle_per_second=100)
    loop = asyncio.get_running_loop()
    start = loop.time()
    sent: list[asyncio.Future[Outcome]] = []
    for place in range(60):
        sent += await carrier.submit([Text(f"msg-{place}-{n}", SENDER, "+15555550123", "", 1) for n in range(5)])
        await asyncio.sleep(0.005)
    lasted = loop.time() - start
    taken = sum(isinstance(outcome, Accepted) for outcome in await answers(sent))
    await carrier.close()
    assert 100 < taken <= 100 + 100 * lasted


async def test_a_line_is_down_for_a_share_of_the_calls_or_for_a_while(transcript: Path) -> None:
    flaky = await opened(transcript, down=0.5)
    calls = [await taken(flaky, text) for text in crowd(100)]
    assert 30 < sum(calls) < 70
    assert len(lines(transcript)) == sum(calls)
    while_down = await opened(transcript, down_windows=[[0, 0.05]])
    assert not await taken(while_down, crowd(1)[0])
    await asyncio.sleep(0.06)
    assert await taken(while_down, crowd(1)[0])
    await flaky.close()
    await while_down.close()


async def taken(carrier: Carrier, text: Text) -> bool:
    try:
        await carrier.submit([text])
    except CarrierDown:
        return False
    return True


async def test_answers_and_receipts_keep_to_their_times(transcript: Path) -> None:
    ear = Ear()
    carrier = await opened(transcript, ear, latency_ms=[30, 60], receipt_ms=[300, 350])
    loop = asyncio.get_running_loop()
    start = loop.time()
    futures = await carrier.submit(crowd(50))
    assert not any(future.done() for future in futures)
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    assert loop.time() - start >= 0.03
    await answers(futures)
    assert ear.heard == []
    await ear.hear(1)
    assert loop.time() - start >= 0.33
    await ear.hear(50)
    await carrier.close()


async def test_refs_are_unique_and_rise_with_time(transcript: Path) -> None:
    first, second = await opened(transcript), await opened(transcript)
    refs: list[str] = []
    for texts in (crowd(100), crowd(100)):
        for carrier in (first, second):
            refs += [outcome.ref for outcome in await outcomes(carrier, texts) if isinstance(outcome, Accepted)]
    assert len(set(refs)) == 400
    assert refs == sorted(refs)
    assert all(ref.startswith("sb-") and len(ref) <= 40 for ref in refs)
    await first.close()
    await second.close()


async def test_closing_does_not_wait_for_what_is_far_away(transcript: Path) -> None:
    ear = Ear()
    carrier = await opened(transcript, ear, lost_answer=0.5, answer_timeout_s=3600, receipt_ms=[60_000, 60_000])
    futures = await carrier.submit(crowd(100))
    async with asyncio.timeout(2.5):
        await carrier.close()
    counts = Counter(type(future.result()) for future in futures)
    assert counts[Accepted] + counts[Lost] == 100
    assert counts[Accepted] > 20
    assert ear.heard == []
