"""A carrier with a window, under a campaign: the lane waits for room, so that nothing is turned away for want of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from tests.engine.conftest import World, number
from tests.engine.test_smpp import attach

pytestmark = pytest.mark.anyio

PEOPLE = 200


@pytest.mark.parametrize(("text", "parts"), [("Hello", 1), ("Señora, 5 € " * 40, 4)], ids=["short", "long"])
async def test_a_campaign_keeps_within_a_small_window(world: World, tmp_path: Path, text: str, parts: int) -> None:
    script = {"window": 10, "behaviour": {"latency_ms": [1, 10], "receipt_ms": [1, 20], "receipt_early": 0.2}}
    centre = Centre(scripts.read(script), tmp_path / "smsc.jsonl")
    try:
        await attach(world, await centre.listen("127.0.0.1", 0), window=5, binds=2)
        await world.add_numbers("People", 0, PEOPLE)
        campaign = await world.play(await world.campaign("Windowed", ["People"], text=text))
        async with world.working():
            ledger = await world.until(campaign)
    finally:
        await centre.close()
    taken = [json.loads(line) for line in (tmp_path / "smsc.jsonl").read_text().splitlines()]
    assert {line["status"] for line in taken} == {0}
    assert len(taken) == PEOPLE * parts
    assert {line["to"] for line in taken} == {number(n) for n in range(PEOPLE)}
    assert ledger.sent == ledger.total == PEOPLE
