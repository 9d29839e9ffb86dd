"""The hidden command ``intake``: takes in the files that wait, one after the other, and ends. Workers start it."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from heliograph import config
from heliograph.actions import import_runs
from heliograph.cli import logs, options, work
from heliograph.cli.stopping import Stop, Stopped
from heliograph.store.database import Database

SILENCE_SECONDS = 60.0  # of a transaction that PostgreSQL then undoes: this process is frozen, and keeps a list


def intake(
    tied: Annotated[
        bool, typer.Option("--tied", hidden=True, allow_from_autoenv=False, help="End when stdin is closed.")
    ] = False,
    data: options.Data = None,
    log_level: options.LogLevel = None,
) -> None:
    """Take in the files that wait, and end. A worker does so by itself."""
    settings = config.read(data=data, log_level=log_level)
    logs.start("intake", settings.log_level)
    os.nice(import_runs.NICE)
    asyncio.run(_intake(settings, tied=tied))


async def _intake(settings: config.Settings, *, tied: bool) -> None:
    stop = Stop()
    with stop.listening():
        if tied:
            work.end_with_parent(stop, asyncio.get_running_loop())
        try:
            db = await stop.unless(Database.open(settings, size=2, silence_s=SILENCE_SECONDS))
        except Stopped:
            return
        try:
            while await stop.unless(import_runs.take_next(db, config.utc_now, settings.quota)):
                pass
        except Stopped:
            return
        finally:
            await db.close()
