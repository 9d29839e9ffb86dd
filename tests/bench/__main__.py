"""``python -m tests.bench``: measure this machine, show it, and write ``docs/benchmarks.md``.

Ends with 0 when every promise held (whatever the times were), with 1 when one was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.bench import (
    barrier,
    calling,
    clearing,
    flat,
    importing,
    laws,
    machine,
    memory,
    optout,
    pacing,
    pages,
    previewing,
    report,
    sending,
    settling,
    smpp,
    stopping,
    talking,
    workers,
)
from tests.bench.rig import Scale, rig

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.bench.report import Section
    from tests.bench.rig import Rig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BENCHES: dict[str, Callable[[Rig], Awaitable[Section]]] = {
    "rules": laws.measure,
    "sending": sending.measure,
    "receipts": settling.measure,
    "delete": stopping.measure,
    "flat": flat.measure,
    "pacing": pacing.measure,
    "smpp": smpp.measure,
    "webhooks": calling.measure,
    "import": importing.measure,
    "preview": previewing.measure,
    "barrier": barrier.measure,
    "workers": workers.measure,
    "purge": clearing.measure,
    "memory": memory.measure,
    "optout": optout.measure,
    "replies": talking.measure,
    "pages": pages.measure,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"measure only these: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size; writes no document")
    parser.add_argument("--full", action="store_true", help="ten million rows too: takes minutes and 8 GB more")
    parser.add_argument("--write", type=Path, help="write here instead of into docs/benchmarks.md")
    parser.add_argument("--folder", type=Path, help="where the temporary data folder is made: a disk, not a tmpfs")
    chosen = parser.parse_args()
    for name in chosen.name:
        if name not in BENCHES:
            parser.error(f"there is no bench {name}; there is: {', '.join(BENCHES)}")
    return chosen


async def _run(chosen: argparse.Namespace, console: Console) -> list[Section]:
    scale = Scale.quick() if chosen.quick else Scale.full() if chosen.full else Scale()
    page = chosen.write or (None if chosen.quick else PAGE)
    sections: list[Section] = []
    async with rig(scale, chosen.folder) as place:
        described = await machine.describe(place.db, place.settings.data)
        for what, value in described:
            console.print(f"{what}: {value}", highlight=False)
        for name, bench in BENCHES.items():
            if chosen.name and name not in chosen.name:
                continue
            began = time.monotonic()
            with console.status(f"Measuring: {name} ..."):
                section = await bench(place)
            sections.append(section)
            console.print()
            console.print(report.table(section))
            for headline in section.headlines:
                console.print("* " + headline.replace("**", ""), highlight=False)
            console.print(f"({name}: {time.monotonic() - began:.0f} s)", style="dim")
            if page is not None:  # after each, so that a bench cut short leaves what it has measured
                page.write_text(_page(page, sections, described, apart=bool(chosen.name)))
    if page is not None:
        console.print(f"\nWritten to {page}", soft_wrap=True)
    return sections


def _page(page: Path, sections: list[Section], described: list[tuple[str, str]], *, apart: bool) -> str:
    """The page as it is to be: a whole one, or, of sections measured ``apart``, the one that is there with the last."""
    if not apart or not page.exists():
        return report.markdown(sections, described)
    options = " ".join(word for word in sys.argv[1:] if word in {"--quick", "--full"})
    how = f"{sections[-1].name} {options}".strip()
    told = f'Measured apart (`make bench ARGS="{how}"`), {datetime.now(UTC):%Y-%m-%d}. '
    told += "; ".join(f"{what}: {value}" for what, value in described) + "."
    return report.replaced(page.read_text(), sections[-1], told)


def main() -> int:
    """The whole command; its exit code."""
    # Told to end, end as by Ctrl-C: with every process and folder cleared away.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console()
    sections = asyncio.run(_run(_arguments(), console))
    faults = [fault for section in sections for fault in section.faults]
    for fault in faults:
        console.print(f"Broken promise: {fault}", style="bold red")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
