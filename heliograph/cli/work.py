"""The command ``work``: one worker, until it is told to stop or its parent is gone."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from typing import Annotated

import typer

from heliograph import config
from heliograph.cli import logs, options, stopping
from heliograph.cli.stopping import Stop, Stopped
from heliograph.engine import deadman
from heliograph.engine.worker import Worker
from heliograph.store.database import Database

DRAIN_SECONDS = 5.0  # for what is in flight, once told to stop
SILENCE_SECONDS = 2.0  # of a transaction that PostgreSQL then undoes: a frozen worker holds no row that a stop needs
ORPHAN_SECONDS = 12.0  # after this an orphan ends even if it is stuck
READY = "ready"


def work(
    tied: Annotated[
        bool, typer.Option("--tied", hidden=True, allow_from_autoenv=False, help="End when stdin is closed.")
    ] = False,
    data: options.Data = None,
    log_level: options.LogLevel = None,
) -> None:
    """Run a worker only: it plans, sends and settles what the API and other commands start.

    Any number may run, on any number of machines with one database. Prints `ready` once it works. Ends when told to
    (SIGTERM, Ctrl-C): what is in flight is finished first; a second signal hurries.
    """
    settings = config.read(data=data, log_level=log_level)
    logs.start("worker", settings.log_level)
    deadman.SWITCH.set_up()
    # What is loaded by now stays; and tens of thousands of people pass through at once, of whom none is in a cycle. By
    # its own measure Python looked through all of them again and again: a seventh of the time, 60 ms at a stretch.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(_work(settings, tied=tied))


async def _work(settings: config.Settings, *, tied: bool) -> None:
    stop = Stop()
    with stop.listening():
        if tied:
            end_with_parent(stop, asyncio.get_running_loop())
        try:
            db = await stop.unless(Database.open(settings, silence_s=SILENCE_SECONDS))
        except Stopped:
            return
        try:
            await _until_stopped(Worker(settings, db, config.utc_now), stop)
        finally:
            await db.close()


async def _until_stopped(worker: Worker, stop: Stop) -> None:
    running = asyncio.create_task(worker.run())
    try:
        ready = asyncio.create_task(worker.ready.wait())
        await stop.unless(_first(ready, running))
        if ready.done():
            sys.stdout.write(READY + "\n")
            sys.stdout.flush()
        await stop.unless(asyncio.shield(running))
    except Stopped:
        worker.stop()
        await stopping.within(DRAIN_SECONDS, running, stop.hurried)
    if not running.done():
        running.cancel()
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def _first(*tasks: asyncio.Task[object]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


def end_with_parent(stop: Stop, loop: asyncio.AbstractEventLoop) -> None:
    """Stop when whoever started us is gone.

    It holds the other end of our stdin and never writes: however it ends, the kernel closes that end, and
    reading returns. A thread of its own reads, so that even a stuck event loop ends.
    """

    def wait() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.ask)
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
