"""What a storm did, judged from outside: by the carrier's own record, and by a recount of every row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.engine.lane import BATCH, WINDOW
from heliograph.store import campaigns, outcomes, tallies

if TYPE_CHECKING:
    from pathlib import Path

    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

IN_HAND = BATCH + WINDOW  # texts that one worker can have taken without an outcome


@dataclass(slots=True)
class Verdict:
    """``faults``: promises that were broken, in words; empty when all held."""

    storm: str
    people: int = 0
    kills: dict[str, int] = field(default_factory=dict[str, int])
    taken: int = 0
    unknown: int = 0
    bound: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list[str])


def taken(transcript: Path) -> Counter[str]:
    """How many texts the carrier took for each number.

    A process killed inside its write leaves half a line: nobody can say whether that text left, so it is not counted;
    the ledger must have it as unknown.
    """
    numbers: Counter[str] = Counter()
    if transcript.exists():
        with transcript.open() as lines:
            told = (json.loads(line) for line in lines if line.endswith("}\n"))
            numbers.update(line["to"] for line in told if not line.get("status"))  # of a message centre: those it took
    return numbers


def texts(transcript: Path) -> dict[str, list[str]]:
    """The texts that a message centre took for each number, in its order."""
    found: dict[str, list[str]] = {}
    with transcript.open() as lines:
        for line in map(json.loads, lines):
            if not line["status"]:
                found.setdefault(line["to"], []).append(line["text"])
    return found


async def judge(
    rig: Rig, campaign: Campaign, everybody: set[str], verdict: Verdict, *, transcript: Path | None = None
) -> None:
    """Add to ``verdict`` what a finished campaign's people met, and every broken promise.

    ``transcript``: the carrier's own record; None: the sandbox's.
    """
    numbers = taken(transcript or rig.settings.transcript)
    ours = {number: count for number, count in numbers.items() if number in everybody}
    async with rig.db.transaction() as conn:
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = await campaigns.get(conn, rig.app.app_id, campaign.public_id)
        run_id, now = found.run_id or 0, config.utc_now()
        kept = await tallies.read(conn, rig.app.app_id, run_id, now)
        counted = await tallies.recount(conn, rig.app.app_id, run_id, now)
        unknown: set[str] = set()
        after = 0
        while page := await outcomes.list_unknown(conn, rig.app.app_id, run_id, after=after):
            unknown |= {person.number for person in page}
            after = page[-1].seq
    verdict.people, verdict.taken, verdict.unknown = len(everybody), len(ours), len(unknown)
    twice = [number for number, count in ours.items() if count > 1]
    missing = everybody - ours.keys() - unknown
    faults = verdict.faults
    if found.status.value != "Completed":
        faults.append(f"the campaign is {found.status.value}, not Completed: {kept}")
    if twice:
        faults.append(f"{len(twice)} people were texted twice, such as {twice[0]}")
    if missing:
        faults.append(f"{len(missing)} people were skipped, such as {min(missing)}")
    if kept != counted:
        faults.append(f"the ledger says {kept}, its rows {counted}")
    if kept.total != len(everybody) or kept.sent + kept.unknown + kept.failed != len(everybody):
        faults.append(f"the ledger does not add up to {len(everybody)}: {kept}")
    if kept.unknown != len(unknown):
        faults.append(f"{kept.unknown} are unknown, but {len(unknown)} are listed")
    if len(unknown) > verdict.bound:
        faults.append(f"{len(unknown)} are unknown: more than the {verdict.bound} that were in hand at the kills")
