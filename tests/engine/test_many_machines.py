"""Workers on several machines: they meet only in a PostgreSQL that they reach by TCP, come and go, and are cut off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from heliograph.actions import runs
from tests.engine.conftest import number
from tests.engine.test_crash import COMMAND, unknown_numbers

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

PEOPLE = 1600


class Network:
    """The network between one machine and PostgreSQL, which can be cut: packets vanish, nobody is told."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._whole = asyncio.Event()
        self._whole.set()
        self._streams: set[StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """From now on nothing gets through, either way."""
        self._whole.clear()

    def mend(self) -> None:
        """What was on its way arrives."""
        self._whole.set()

    @asynccontextmanager
    async def url(self, direct: str) -> AsyncIterator[str]:
        """The conninfo of ``direct`` by way of this network."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield make_conninfo(direct, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)
            for stream in self._streams:
                stream.close()
                with contextlib.suppress(ConnectionError):
                    await stream.wait_closed()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        there = await asyncio.open_unix_connection(self._socket)
        self._streams |= {writer, there[1]}
        for source, target in ((reader, there[1]), (there[0], writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: StreamReader, target: StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                await self._whole.wait()
                target.write(data)
                await target.drain()
            await self._whole.wait()
        target.close()


@asynccontextmanager
async def machine(world: World, url: str) -> AsyncIterator[Process]:
    """A worker that reaches the database by ``url``."""
    environ = os.environ | {"HELIOGRAPH_DATABASE_URL": url, "HELIOGRAPH_DATA": str(world.settings.data)}
    process = await asyncio.create_subprocess_exec(*COMMAND, env=environ, stdin=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


def network(world: World) -> tuple[Network, str]:
    """A network to the world's PostgreSQL, and how that is reached without it."""
    direct = str(world.settings.database_url)
    parts = conninfo_to_dict(direct)
    return Network(f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}"), direct


def judge(world: World, unknown: set[str]) -> None:
    taken = Counter(t["to"] for t in world.transcript())
    assert max(taken.values()) == 1, "somebody was texted twice"
    assert set(taken) | unknown == {number(n) for n in range(PEOPLE)}, "somebody was skipped"


async def test_a_machine_that_is_cut_off_sends_nothing_more_and_another_one_goes_on(world: World) -> None:
    await world.rate(300)
    await world.add_numbers("People", 0, PEOPLE)
    playing = await world.play(await world.campaign("Cut off", ["People"]))
    cable, direct = network(world)
    async with cable.url(direct) as url, machine(world, url):
        await world.taken(300)
        async with machine(world, direct):
            cable.cut()
            taken = len(world.transcript())
            await world.taken(taken + 200, seconds=60)
            cable.mend()
            ledger = await world.until(playing, seconds=60)
    judge(world, await unknown_numbers(world, playing))
    assert ledger.sent + ledger.unknown == ledger.total == PEOPLE


async def test_a_stop_is_answered_while_the_machine_that_sends_is_cut_off(world: World) -> None:
    await world.add_numbers("People", 0, 20_000)
    playing = await world.play(await world.campaign("Cut off", ["People"]))
    cable, direct = network(world)
    async with cable.url(direct) as url, machine(world, url):
        await world.taken(1000)
        cable.cut()
        await runs.delete(world.db, world.app, playing.public_id, now=world.clock())
        taken = len(world.transcript())
        await asyncio.sleep(0.5)
        cable.mend()
        await asyncio.sleep(1)
        assert len(world.transcript()) == taken


async def test_a_rolling_restart_loses_nothing(world: World) -> None:
    """Each worker in turn is told to end while another one is there: nobody is unknown, nobody is texted twice."""
    await world.rate(400)
    await world.add_numbers("People", 0, PEOPLE)
    playing = await world.play(await world.campaign("Rolling", ["People"]))
    cable, direct = network(world)
    async with cable.url(direct) as url, contextlib.AsyncExitStack() as machines:
        old = await machines.enter_async_context(machine(world, url))
        for restart in range(1, 3):
            new = await machines.enter_async_context(machine(world, url))
            await world.taken(restart * 400, seconds=60)
            old.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                assert await old.wait() == 0
            old = new
        ledger = await world.until(playing, seconds=60)
    judge(world, set())
    assert (ledger.sent, ledger.unknown) == (PEOPLE, 0)
