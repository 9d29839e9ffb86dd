"""``heliograph demo``, which is what ``make run`` runs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from heliograph import config
from heliograph.cli import desk, exits, options, show
from heliograph.cli.demo import callers, place, server, stage, telling, watch
from heliograph.cli.demo.server import Server
from heliograph.cli.stopping import Stop, Stopped
from heliograph.config import Settings
from heliograph.errors import HeliographError

FOLDER = Path("data/demo")


def demo(
    data: Annotated[
        Path, typer.Option("--data", help="Its own data folder, wiped at each start; never one with other data.")
    ] = FOLDER,
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the server.", show_default="8080, or the next free one")
    ] = None,
    contacts: Annotated[
        Path | None,
        typer.Option("--contacts", exists=True, dir_okay=False, show_default="the shipped 2,000", help="A CSV file."),
    ] = None,
    people: Annotated[int | None, typer.Option("--people", min=1, help="Take only the first so many of it.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End the server too, instead of leaving it up.")] = False,
    json: options.Json = False,
) -> None:
    """Show everything at once on the sandbox carrier, which texts nobody.

    Starts a server in a clean data folder of its own, imports contacts, creates campaigns and plays them through the
    real API, shows their numbers live, and leaves the server up with a curl DELETE to paste. Ctrl-C ends it. Without
    a terminal the server stays up in the background; the next demo in the same folder ends it.
    """
    settings = config.Settings(data=data.expanduser().resolve())
    asyncio.run(_demo(settings, stage.read_people(contacts, people), port, once=once, json=json))


async def _demo(settings: Settings, people: bytes, port: int | None, *, once: bool, json: bool) -> None:
    stop = Stop()
    with stop.listening():
        try:
            running = await stop.unless(_start(settings, port))
            try:
                await stop.unless(_perform(settings, running, people, json=json))
            except BaseException:
                await running.end()
                raise
        except Stopped:
            raise typer.Exit(exits.INTERRUPTED) from None
        if once:
            await running.end()
        elif sys.stdin.isatty() and sys.stdout.isatty():
            await _stay(stop, running)
        else:
            telling.stays(show.err() if json else show.out(), running)


async def _start(settings: Settings, port: int | None) -> Server:
    lock, ended = await place.claim(settings.data)
    try:
        if ended is not None:
            show.err().print(f"Ended the demonstration that was still up (process {ended}).")
        return await server.start(settings, lock, port)
    finally:
        os.close(lock)  # the server has it now


async def _perform(settings: Settings, running: Server, people: bytes, *, json: bool) -> None:
    out = show.err() if json else show.out()
    async with desk.opened(settings=settings) as here:
        link = await stage.sign_in(here, running.url)
        telling.welcome(out, running, settings, link)
        app, client = await stage.set_up(here, running.url, people)
        found, _ = await asyncio.gather(watch.until_quiet(here, app, out), callers.write(here, app, people))
    if json:
        show.as_json(telling.facts(settings, client, found, link))
    else:
        telling.conclude(out, settings, client, found, link)


async def _stay(stop: Stop, running: Server) -> None:
    """Leave the server up until Ctrl-C. Raises :class:`HeliographError` if it ends by itself."""
    show.out().print("The server is up. Ctrl-C ends it.")
    try:
        code = await stop.unless(running.process.wait())
    except Stopped:
        with show.out().status("Ending ..."):
            await running.end()
        return
    raise HeliographError(f"The server ended by itself (exit code {code}); what it said is in {running.log}")
