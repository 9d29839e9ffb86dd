"""The PostgreSQL that runs by itself in the data folder, shared by every process that uses the folder.

The server is a daemon: it belongs to no process of ours. Three locks beside it say who does what, and
all free themselves when their holder dies, however it dies:

* ``postgres.start.lock``, exclusive: held while starting or stopping, by one process at a time;
* ``postgres.users.lock``, shared: held by every process that uses the server. Whoever leaves and can
  have it exclusively is the last, and stops the server;
* ``postgres.server.lock``: held by the server itself (:mod:`heliograph.store.postmaster`).

So after ``kill -9`` of a user the next one finds the server running; after ``kill -9`` of the server,
dead; and in both cases nothing has to be cleaned up by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from heliograph import errors
from heliograph.store import postmaster, runas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "heliograph"
NAME = "heliograph"

# The name of our own database, created once.
DATABASE_EXISTS = "SELECT 1 FROM pg_database WHERE datname = %(name)s"
CREATE_DATABASE = "CREATE DATABASE heliograph"


class Attachment:
    """Our share in a running server. Build it with :func:`attach`, give it back with :meth:`release`."""

    def __init__(self, server: postmaster.Postmaster, users_lock: int) -> None:
        self._server = server
        self._users_lock = users_lock
        self.dsn = make_conninfo(host=str(server.sockets()), port=postmaster.PORT, user=USER, dbname=NAME)

    async def ensure_running(self) -> None:
        """Start the server again if it has died. Raises :class:`errors.StoreUnavailable` if it will not."""
        await asyncio.to_thread(_ensure_running, self._server)

    async def release(self) -> None:
        """Leave; the last one out stops the server. Leaving twice is the same as leaving once."""
        if self._users_lock >= 0:
            lock, self._users_lock = self._users_lock, -1
            await asyncio.to_thread(_release, self._server, lock)


async def attach(data: Path, *, fast: bool = False) -> Attachment:
    """Use the server in `data`: made if there is none, started if it does not run.

    Waits for as long as the server needs to recover from a crash. ``fast`` gives durability away, for
    tests. Raises :class:`errors.StoreUnavailable` with the server's own words if it does not start.
    """
    return await asyncio.to_thread(_attach, data, fast)


def _attach(data: Path, fast: bool) -> Attachment:  # noqa: FBT001  # private; the public face names it
    try:
        data.mkdir(parents=True, exist_ok=True)
        server = postmaster.Postmaster(data, runas.choose(data), fast)
        with _starting(data):
            users_lock = os.open(data / "postgres.users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(users_lock, fcntl.LOCK_SH)
                server.initialise()
                _bring_up(server)
                attachment = Attachment(server, users_lock)
                _create_database(attachment.dsn)
            except BaseException:
                os.close(users_lock)
                raise
    except (OSError, psycopg.OperationalError) as error:
        text = f"The embedded PostgreSQL in {data} cannot be used: {error}"
        raise errors.StoreUnavailable(text) from error
    return attachment


def _release(server: postmaster.Postmaster, users_lock: int) -> None:
    with _starting(server.data):
        try:
            fcntl.flock(users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server.stop()
        except BlockingIOError:
            return
        finally:
            os.close(users_lock)


def _ensure_running(server: postmaster.Postmaster) -> None:
    if server.ready():
        return
    with _starting(server.data):
        _bring_up(server)


def _bring_up(server: postmaster.Postmaster) -> None:
    """Return when the server takes connections. One that lives is waited for; a dead one is started once."""
    started = False
    while not server.ready():
        if not server.running():
            if started:
                text = f"PostgreSQL in {server.data} does not start: {server.last_words()} (see {server.log})"
                raise errors.StoreUnavailable(text)
            server.start()
            started = True
        time.sleep(postmaster.POLL_SECONDS)


@contextlib.contextmanager
def _starting(data: Path) -> Iterator[None]:
    lock = os.open(data / "postgres.start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _create_database(dsn: str) -> None:
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as conn:
        if conn.execute(DATABASE_EXISTS, {"name": NAME}).fetchone() is None:
            conn.execute(CREATE_DATABASE)
