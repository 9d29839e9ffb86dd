"""The PostgreSQL that runs by itself in the data folder, shared by every process that uses the folder.

The server is a daemon: it belongs to no process of ours. Three locks beside it say who does what, and
all free themselves when their holder dies, however it dies:

* ``postgres.start.lock``, exclusive: held while starting or stopping, by one process at a time;
* ``postgres.users.lock``, shared: held by every process that uses the server. Whoever leaves and can
  have it exclusively is the last, and stops the server;
* ``postgres.server.lock``: held by the server itself (:mod:`heliograph.store.postmaster`).

So after ``kill -9`` of a user the next one finds the server running; after ``kill -9`` of the server,
dead; and in neither case is there anything to clean up by hand.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from heliograph import errors
from heliograph.store import flock, postmaster, runas

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable
    from pathlib import Path

NAME = "heliograph"

# An error's text may quote what was sent. It comes to us, who hide numbers, and not to the server's log.
QUIET = "-c log_min_messages=log"

DATABASE_EXISTS = "SELECT 1 FROM pg_database WHERE datname = %(name)s"
CREATE_DATABASE = "CREATE DATABASE heliograph"


class Attachment:
    """Our share in a running server. Build it with :func:`attach`, give it back with :meth:`release`."""

    def __init__(self, server: postmaster.Postmaster, users_lock: int) -> None:
        self._server = server
        self._users_lock = users_lock
        self._one_at_a_time = asyncio.Lock()
        self.dsn = make_conninfo(
            host=str(server.sockets()), port=postmaster.PORT, user=postmaster.USER, dbname=NAME, options=QUIET
        )

    async def ensure_running(self) -> None:
        """Start the server again if it has died. Raises :class:`errors.StoreUnavailable` if it will not."""
        async with self._one_at_a_time:
            try:
                if not await asyncio.to_thread(self._server.ready):
                    async with _starting(self._server.data):
                        await _bring_up(self._server)
            except OSError as error:
                raise _unusable(self._server.data, error) from error

    async def release(self) -> None:
        """Leave; the last one out stops the server. Leaving twice is the same as leaving once."""
        if self._users_lock < 0:
            return
        lock, self._users_lock = self._users_lock, -1
        try:
            async with _starting(self._server.data):
                if flock.take(lock) and self._server.end():
                    await _gone(self._server)
        finally:
            os.close(lock)


async def attach(data: Path, *, fast: bool = False) -> Attachment:
    """Use the server in `data`: made if there is none, started if it does not run.

    Waits for as long as the server needs to recover from a crash. ``fast`` gives durability away, for
    tests. Raises :class:`errors.StoreUnavailable` with the server's own words if it does not start.
    """
    try:
        server = _server(data, fast=fast)
        async with _starting(data):
            return await _join(server)
    except (OSError, psycopg.OperationalError) as error:
        raise _unusable(data, error) from error


def _server(data: Path, *, fast: bool) -> postmaster.Postmaster:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # people's numbers will be in it
    return postmaster.Postmaster(data, runas.choose(data), fast)


async def _join(server: postmaster.Postmaster) -> Attachment:
    users_lock = flock.open_file(server.data / "postgres.users.lock")
    try:
        flock.take(users_lock, shared=True)  # at once: only a stopper has it exclusively, and we hold the start lock
        await _to_its_end(server.initialise)
        await _bring_up(server)
        attachment = Attachment(server, users_lock)
        await _create_database(attachment.dsn)
    except BaseException:
        os.close(users_lock)
        raise
    return attachment


async def _bring_up(server: postmaster.Postmaster) -> None:
    """Return when the server takes connections. One that lives is waited for; a dead one is started once."""
    started = False
    while not await asyncio.to_thread(server.ready):
        if server.deaf():
            server.end()
            await _gone(server)
        elif not server.running():
            if started:
                text = f"PostgreSQL in {server.data} does not start: {server.last_words()} (see {server.log})"
                raise errors.StoreUnavailable(text)
            await _to_its_end(server.start)
            started = True
        await asyncio.sleep(flock.POLL_SECONDS)


async def _gone(server: postmaster.Postmaster) -> None:
    while server.running():  # noqa: ASYNC110  # another process's end is no event of ours
        await asyncio.sleep(flock.POLL_SECONDS)


async def _create_database(dsn: str) -> None:
    conn = await psycopg.AsyncConnection.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True)
    async with conn:
        if await (await conn.execute(DATABASE_EXISTS, {"name": NAME})).fetchone() is None:
            await conn.execute(CREATE_DATABASE)


async def _to_its_end(step: Callable[[], None]) -> None:
    """Do a step off the event loop. Being cancelled does not leave it alone at work without the start lock."""
    task = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.wait([task])


def _starting(data: Path) -> contextlib.AbstractAsyncContextManager[None]:
    return flock.hold(data / "postgres.start.lock")


def _unusable(data: Path, error: Exception) -> errors.StoreUnavailable:
    return errors.StoreUnavailable(f"The embedded PostgreSQL in {data} cannot be used: {error}")
