"""``make torture``: break everything at random under a running campaign, and judge what people got.

Ends with 0 when every promise held, with 1 when one was broken, which is then said in words.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench.rig import Scale, rig
from tests.torture import storms

if TYPE_CHECKING:
    from tests.torture.judge import Verdict

PEOPLE = {"kills": 200_000, "carrier": 20_000, "talks": 5_000, "disk": 20_000, "clock": 50_000}
TIMES = {"kills": 200, "carrier": 40, "talks": 40, "disk": 6, "clock": 60}
DISK_MB = 700


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("storm", nargs="*", help=f"only these: {', '.join(storms.STORMS)}")
    parser.add_argument("--people", type=int, help="in the campaign")
    parser.add_argument("--times", type=int, help="how often something is broken")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats the same moments")
    parser.add_argument("--folder", type=Path, help="where the temporary data folder is made")
    chosen = parser.parse_args()
    for name in chosen.storm:
        if name not in storms.STORMS:
            parser.error(f"there is no storm {name}; there is: {', '.join(storms.STORMS)}")
    return chosen


async def _one(name: str, chosen: argparse.Namespace, folder: Path | None) -> Verdict:
    people, times = chosen.people or PEOPLE[name], chosen.times or TIMES[name]
    async with rig(Scale(people=people), folder) as place:
        return await storms.STORMS[name](place, people, times, chosen.seed)


async def _run(chosen: argparse.Namespace, console: Console) -> list[Verdict]:
    verdicts: list[Verdict] = []
    console.print(f"Seed {chosen.seed}", highlight=False)
    for name in chosen.storm or storms.STORMS:
        with console.status(f"Storm: {name} ..."):
            if name != "disk":
                verdicts.append(await _one(name, chosen, chosen.folder))
                continue
            async with storms.small_disk(DISK_MB) as small:
                if small is None:
                    console.print("disk: skipped, this user may not mount a file system (root may)")
                    continue
                verdicts.append(await _one(name, chosen, small))
    return verdicts


def _table(verdicts: list[Verdict]) -> Table:
    table = Table("storm", "people", "what was broken", "taken", "unknown (at most)", "seconds", "verdict")
    for each in verdicts:
        broken = ", ".join(f"{count} {what}" for what, count in each.kills.items())
        table.add_row(
            each.storm, f"{each.people:,}", broken, f"{each.taken:,}", f"{each.unknown:,} ({each.bound:,})",
            f"{each.seconds:.0f}", "broken" if each.faults else "held",
        )  # fmt: skip
    return table


def main() -> int:
    """The whole command; its exit code."""
    console = Console()
    verdicts = asyncio.run(_run(_arguments(), console))
    console.print(_table(verdicts))
    faults = [f"{each.storm}: {fault}" for each in verdicts for fault in each.faults]
    for fault in faults:
        console.print(f"Broken promise: {fault}", style="bold red")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
