"""The command that looks where campaigns stand."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.live import Live

from heliograph.cli import desk, options, show, standing
from heliograph.cli.desk import Desk
from heliograph.cli.standing import Standing
from heliograph.store.apps import App

WATCH_SECONDS = 0.5


def status(
    campaign: Annotated[str | None, typer.Argument(metavar="[CAMPAIGN]", help="Only this one, by id or name.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing, until Ctrl-C.")] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show where campaigns stand: the nine numbers of each, which always add up to its total.

    held waits for a time that has not come; ready may leave now; submitting is on its way to the carrier; accepted
    was taken by it; delivered and failed are its last word; suppressed may not be texted; expired came too late;
    unknown was left open by a crash.
    """
    desk.run(_status(campaign, watch, app, data, json))


async def _status(ref: str | None, watch: bool, app: str | None, data: options.Data, json: bool) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        if not watch:
            _print(await _look(here, owner, ref), json)
        elif json or not sys.stdout.isatty():
            while True:
                _print(await _look(here, owner, ref), json)
                sys.stdout.flush()
                await asyncio.sleep(WATCH_SECONDS)
        else:
            with Live(console=show.out(), auto_refresh=False) as live:
                while True:
                    live.update(standing.table(await _look(here, owner, ref), live.console.width), refresh=True)
                    await asyncio.sleep(WATCH_SECONDS)


async def _look(here: Desk, owner: App, ref: str | None) -> list[Standing]:
    if ref is None:
        return await standing.all_of(here, owner)
    async with here.db.connection() as conn:
        found = await desk.find_campaign(conn, owner, ref)
    return [await standing.of(here, found)]


def _print(found: list[Standing], json: bool) -> None:
    if json:
        show.as_json([one.facts() for one in found])
    else:
        out = show.out()
        out.print(standing.table(found, out.width))
