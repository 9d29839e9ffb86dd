"""Watching campaigns until there is nothing more to see."""

from __future__ import annotations

import asyncio
import contextlib

from rich.console import Console
from rich.live import Live

from heliograph.cli import standing
from heliograph.cli.demo.server import LOG
from heliograph.cli.desk import Desk
from heliograph.cli.standing import Standing
from heliograph.errors import HeliographError
from heliograph.store.apps import App

LOOK_SECONDS = 0.25
LINE_SECONDS = 2.0  # between lines where there is no terminal to redraw
STUCK_SECONDS = 60.0  # without any change although somebody waits to be texted
STILL_SECONDS = 2.0  # without any change: the receipts that have not come by then were lost


async def until_quiet(here: Desk, app: App, out: Console) -> list[Standing]:
    """Show the campaigns' numbers until nobody is about to be texted and no receipt comes any more.

    Raises :class:`HeliographError` when they stand still before that.
    """
    loop = asyncio.get_running_loop()
    began = changed = line = loop.time()
    before: list[dict[str, int]] = []
    with Live(console=out, auto_refresh=False) if out.is_terminal else contextlib.nullcontext() as live:
        while True:
            found = sorted(await standing.all_of(here, app), key=lambda one: one.campaign.campaign_id)
            numbers, now = [one.counts() for one in found], loop.time()
            if numbers != before:
                before, changed = numbers, now
            if live is not None:
                live.update(standing.table(found, out.width), refresh=True)
            elif now - line >= LINE_SECONDS:
                line = now
                out.print(f"  {now - began:4.0f} s  {_line(numbers)}")
            if all(map(_idle, found)) and now - changed >= STILL_SECONDS:
                return found
            if now - changed >= STUCK_SECONDS:
                text = (
                    "Nothing has moved for a minute although people wait to be texted; see what the server's log says"
                )
                raise HeliographError(f"{text}: {here.settings.data}/{LOG}")
            await asyncio.sleep(LOOK_SECONDS)


def _idle(one: Standing) -> bool:
    """Whether planning has begun and nobody is about to be texted."""
    return one.ledger.total > 0 and one.ledger.ready == one.ledger.submitting == 0


def _line(numbers: list[dict[str, int]]) -> str:
    return ", ".join(f"{sum(each[word] for each in numbers):,} {word}" for word in (*standing.WORDS, "total"))
