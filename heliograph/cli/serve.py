"""The command ``serve``: API, console and workers, in one command."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import logging
import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import typer

from heliograph import config
from heliograph.actions import users
from heliograph.cli import logs, options
from heliograph.cli.stopping import Stop, Stopped
from heliograph.cli.supervise import Supervisor
from heliograph.config import Settings
from heliograph.errors import BadSetting, Conflict
from heliograph.store.database import Database

if TYPE_CHECKING:
    from uvicorn import Server

log = logging.getLogger(__name__)

SILENCE_SECONDS = 60.0  # of a transaction that PostgreSQL then undoes: a frozen server holds nobody's rows for ever
CONNECTIONS = 16  # to the database, for all requests under way
HIGHEST_PORT = 65535
MOST_WORKERS = 64
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  # shown, not listened on


def serve(
    data: options.Data = None,
    port: options.Port = None,
    host: options.Host = None,
    workers: options.Workers = None,
    log_level: options.LogLevel = None,
) -> None:
    """Run everything: the API, the console at /, the API's description at /docs, and workers that send.

    Prints `ready http://HOST:PORT` once it can serve and send; port 0 takes any free one. While the console has no
    owner, `owner` and a link follow: whoever opens it becomes the owner. Ends when told to (SIGTERM,
    Ctrl-C) within ten seconds: requests and texts under way are finished first; a second signal hurries. Logs go
    to stderr, an event a line.
    """
    settings = config.read(data=data, port=port, host=host, workers=workers, log_level=log_level)
    _check(settings)
    logs.start("server", settings.log_level)
    asyncio.run(run(settings, announce=lambda url: typer.echo(f"ready {url}")))


def _check(settings: Settings) -> None:
    for name, value, most in (("PORT", settings.port, HIGHEST_PORT), ("WORKERS", settings.workers, MOST_WORKERS)):
        if not 0 <= value <= most:
            raise BadSetting(f"HELIOGRAPH_{name} is {value}. It takes 0 to {most}", field=f"HELIOGRAPH_{name}")


async def run(settings: Settings, *, announce: Callable[[str], object]) -> None:
    """Serve until told to stop. ``announce`` is called once with the address, when everything is ready.

    Raises :class:`Conflict` when the port is taken, and what opening the database raises.
    """
    stop = Stop()
    with stop.listening(), contextlib.suppress(Stopped), bound(settings) as door:
        db = await stop.unless(Database.open(settings, size=CONNECTIONS, silence_s=SILENCE_SECONDS))
        try:
            await _serve(settings, db, door, stop, announce)
        finally:
            await db.close()


async def _serve(
    settings: Settings, db: Database, door: socket.socket, stop: Stop, announce: Callable[[str], object]
) -> None:
    from heliograph.cli import faces  # noqa: PLC0415  # it takes every other command, each worker too, half a second

    server = faces.server(settings, db)
    supervisor = Supervisor(settings)
    serving = asyncio.create_task(server.serve(sockets=[door]))
    supervisor.start()
    try:
        await stop.unless(supervisor.ready.wait())
        await stop.unless(_answers(door, serving))
        here = address(settings.host, door.getsockname()[1])
        announce(here)
        await _welcome_owner(settings, db, here)
        await stop.unless(asyncio.shield(serving))
    finally:
        server.should_exit = True
        hurry = asyncio.create_task(_hurry(server, stop))
        await supervisor.stop(stop.hurried)
        await asyncio.wait({serving})
        hurry.cancel()
    serving.result()


async def _welcome_owner(settings: Settings, db: Database, here: str) -> None:
    """While nobody owns the installation: print the link by which somebody becomes the owner."""
    token = await users.owner_link(db, made_by="heliograph serve", now=config.utc_now())
    if token is not None:
        typer.echo(f"owner {users.link(settings.console_url or here, token)}")


async def _hurry(server: Server, stop: Stop) -> None:
    await stop.hurried.wait()
    server.force_exit = True


@contextlib.contextmanager
def bound(settings: Settings) -> Generator[socket.socket]:
    """The door, ours from now on but closed until we serve. Raises :class:`Conflict` when somebody has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only for sockets that say they are TCP;
    # with it on, most answers wait 40 ms for the client's delayed acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                text = f"Port {settings.port} of {settings.host} is taken; choose another with --port (0: any free one)"
                raise Conflict(text, field="port") from error
            text = f"{settings.host}:{settings.port} cannot be listened on: {error}"
            raise BadSetting(text, field="HELIOGRAPH_HOST") from error
        yield door


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds us."""
    shown = EVERYWHERE.get(host) or (f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


async def _answers(door: socket.socket, serving: asyncio.Task[None]) -> None:
    """Return once ``/healthz`` answers 200, or the server has ended."""
    host, port = str(door.getsockname()[0]), int(door.getsockname()[1])
    reached = EVERYWHERE.get(host, host).strip("[]")
    while not serving.done() and not await asyncio.to_thread(_healthy, reached, port):  # noqa: ASYNC110  # no event
        await asyncio.sleep(0.02)


def _healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200  # noqa: PLR2004  # OK
    except OSError:
        return False
    finally:
        connection.close()
