"""The sandbox remembers what it took, across processes, and says so only where it can know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from heliograph.carriers import registry
from heliograph.carriers.base import Asks, Finding, NotThere, Receipt, ReceiptState, Sought, Text
from tests.carriers.contract import SENDER, Ear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

TO = "+15555550123"
RUN = "0c1f3aa0-f98e-4f4f-ad41-92803abb0000"
IDS = [f"msg-{RUN}-{n:07d}" for n in range(1, 4)]


async def take(path: Path, ids: list[str], **settings: object) -> None:
    """Have a sandbox take texts, and forget it."""
    carrier = await registry.open_carrier("sandbox", settings, listener=Ear(), name="test", transcript=path)
    await carrier.submit([Text(one, SENDER, TO, "Hello", 1, {"runId": f"cid-{RUN}"}) for one in ids])
    await carrier.close()


async def asked(path: Path, ids: list[str], **settings: object) -> list[Finding]:
    carrier = await registry.open_carrier("sandbox", settings, listener=Ear(), name="test", transcript=path)
    assert isinstance(carrier, Asks)
    found = await carrier.ask([Sought(one, None, SENDER, TO, datetime.now(UTC)) for one in ids])
    await carrier.close()
    return found


async def test_what_was_taken_and_what_never_came(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    assert await asked(path, IDS[:1]) == [NotThere()]
    await take(path, IDS[:2], receipt_ms=[60_000, 60_000])
    refs = [json.loads(line)["ref"] for line in path.read_text().splitlines()]
    first, second, third = await asked(path, IDS, receipt_ms=[60_000, 60_000])
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert [first.ref, second.ref] == refs
    assert first.state is second.state is ReceiptState.ACCEPTED
    assert third == NotThere()


@pytest.mark.parametrize(
    ("settings", "state", "code"),
    [
        ({"receipt_ms": [0, 0], "latency_ms": [0, 0]}, ReceiptState.DELIVERED, ""),
        ({"refuse": 1, "refuse_code": "blocked"}, ReceiptState.FAILED, "blocked"),
        ({"lost_answer": 1, "answer_timeout_s": 0.01, "receipt_lost": 1}, ReceiptState.ACCEPTED, ""),
    ],
)
async def test_the_state_is_the_one_that_was_drawn(
    tmp_path: Path, settings: dict[str, object], state: ReceiptState, code: str
) -> None:
    path = tmp_path / "transcript.jsonl"
    await take(path, IDS[:1], **settings)
    (found,) = await asked(path, IDS[:1], **settings)
    assert isinstance(found, Receipt)
    assert (found.state, found.code) == (state, code)


async def test_one_refused_for_now_may_have_been_taken_another_time(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    await take(path, IDS[:1], temporary=1)
    assert await asked(path, IDS[:1], temporary=1) == [None]


async def test_of_half_a_line_nobody_can_say_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    await take(path, IDS[:2])
    whole = path.read_text().splitlines()
    other = f"msg-{RUN.replace('0', '1')}-0000001"
    for cut, known in (
        (whole[1][: whole[1].index("from")], [False, True, True]),  # only the one it names
        (whole[1][: whole[1].index("messageId")], [False, False, True]),  # any of its run
        (whole[1][:20], [False, False, False]),
    ):
        path.write_text(f"{cut}\n")
        found = await asked(path, [IDS[1], IDS[2], other])
        assert [one == NotThere() for one in found] == known
