"""Campaigns over SMPP, judged by a message centre that is not ours: its transcript is held against our ledger.

``SMPP_PEOPLE=100000 SMPP_CUTS=20`` (which ``make smpp`` sets) makes them as large as the promise is.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import seal as seals
from heliograph.actions import senders
from heliograph.engine import lane
from heliograph.store import outcomes
from heliograph.store.tallies import Ledger
from tests.engine.conftest import World, number

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".venv" / "smpp-peer" / "node_modules"
PEOPLE = int(os.environ.get("SMPP_PEOPLE", "5000"))
CUTS = int(os.environ.get("SMPP_CUTS", "3"))
WINDOW = 50
PATIENCE = 120 + PEOPLE / 100 + CUTS * 10

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("node") is None, reason="no node here: the SMSC that is not ours is its program"),
    pytest.mark.skipif(not (MODULES / "smpp").exists(), reason="npm's smpp is not installed: make peer"),
]


@asynccontextmanager
async def centre(transcript: Path, *cuts: int) -> AsyncIterator[int]:
    """The message centre of npm's ``smpp``; its port."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(ROOT / "tests" / "smpp" / "smsc.js"),
        str(transcript),
        *map(str, cuts),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"NODE_PATH": str(MODULES)},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = (await process.stdout.readline()).split()
        yield int(said[1])
    finally:
        process.kill()
        await process.wait()


async def attach(world: World, port: int, **settings: object) -> None:
    """Send whatever the app sends through an SMPP account."""
    body = {
        "name": "SMSC",
        "kind": "smpp",
        "settings": {
            "host": "127.0.0.1", "port": port, "system_id": "test", "window": WINDOW, "reconnect_s": [0.02, 0.5],
        } | settings,
    }  # fmt: skip
    await accounts.create(world.db, seals.from_settings(world.settings), world.app, body, now=world.clock())
    await senders.update(world.db, world.app, "*", {"carrierAccountId": "SMSC"}, now=world.clock())


def read(transcript: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in transcript.read_text().splitlines()]


def order(n: int) -> str:
    return f"N° {n}"[1:] if n % 10 else f"заказ {n}"


async def people(world: World) -> None:
    await world.add_list("People", [{"number": number(n), "order": order(n)} for n in range(PEOPLE)])


async def send(world: World) -> tuple[Ledger, set[str]]:
    """A campaign to everybody: its ledger when all receipts have come that will, and who is unknown."""
    await people(world)
    campaign = await world.play(await world.campaign("Orders", ["People"], text="Señora, {{order}}: 5 €"))
    async with world.working():
        await world.until(campaign, seconds=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while (ledger := await world.ledger(campaign)).accepted > CUTS * WINDOW:
                await asyncio.sleep(0.05)
    unknown: set[str] = set()
    after = 0
    async with world.db.connection() as conn:
        while page := await outcomes.list_unknown(conn, world.app.app_id, campaign.run_id or 0, after=after):
            unknown |= {person.number for person in page}
            after = page[-1].seq
    return ledger, unknown


async def test_a_campaign_is_in_the_transcript_of_a_message_centre_that_is_not_ours(
    world: World, tmp_path: Path
) -> None:
    transcript = tmp_path / "smsc.jsonl"
    async with centre(transcript) as port:
        await attach(world, port)
        ledger, unknown = await send(world)
    taken = read(transcript)
    assert (len(taken), len({line["to"] for line in taken})) == (PEOPLE, PEOPLE)
    said = {"+" + line["to"]: line["text"] for line in taken}
    assert said == {number(n): f"Señora, {order(n)}: 5 €" for n in range(PEOPLE)}
    assert (ledger.total, ledger.sent, ledger.unknown, unknown) == (PEOPLE, PEOPLE, 0, set())


async def test_a_link_that_is_cut_again_and_again_texts_nobody_twice_and_skips_nobody(
    world: World, tmp_path: Path
) -> None:
    transcript = tmp_path / "smsc.jsonl"
    cuts = random.Random(20).sample(range(PEOPLE // 100, PEOPLE - PEOPLE // 10), CUTS)
    async with centre(transcript, *cuts) as port:
        await attach(world, port)
        ledger, unknown = await send(world)
    taken = read(transcript)
    times = Counter("+" + line["to"] for line in taken)
    assert sum(not line["answered"] for line in taken) == CUTS
    assert max(times.values()) == 1, "somebody was texted twice"
    assert set(times) | unknown == {number(n) for n in range(PEOPLE)}, "somebody was skipped"
    assert {"+" + line["to"] for line in taken if not line["answered"]} <= unknown, "in doubt, and not listed"
    assert ledger.total == PEOPLE == ledger.sent + ledger.unknown
    assert ledger.unknown == len(unknown) <= CUTS * (WINDOW + lane.BATCH)
