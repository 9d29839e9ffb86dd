"""A line's connections: as many open as its traffic needs, opened ahead of it, up to its limit.

One task per line keeps them: it opens what is missing, drops what idled too long, and tells how the line stands.
:meth:`Pool.take` never waits: it hands out connections that are open now.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import TYPE_CHECKING

from heliograph.carriers import http_wire
from heliograph.rules import address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heliograph.carriers.http_wire import Origin, Wire

FIRST = 4  # connections opened with the line
LULL = 20.0  # seconds without demand after which all but one are let go
LOOK = 1.0  # seconds between looks at what idles
BACK_OFF_FIRST, BACK_OFF_MOST = 0.5, 30.0  # seconds after a connection that failed, doubling


class Pool:
    """Connections to one server. ``news`` hears of each change: "" when it can be reached, else why it cannot."""

    def __init__(
        self,
        origin: Origin,
        limit: int,
        news: Callable[[str], None],
        networks: Sequence[address.Network] = address.PRIVATE,
    ) -> None:
        self._networks = networks
        self._origin = origin
        self._limit = limit
        self._news = news
        self._security = ssl.create_default_context() if origin.tls else None
        self._idle: list[Wire] = []
        self._all: set[Wire] = set()
        self._wanted = min(limit, FIRST)
        self._wake = asyncio.Event()
        self._freed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._asked = self._loop.time()
        self._back_off = 0.0
        self.why: str | None = "it has not been reached yet"
        """Why there is no connection; None while the server can be reached."""

    async def open(self) -> None:
        """Open the first connections, or learn why there are none, and keep them from now on."""
        await self._fill()
        self._keeper = asyncio.create_task(self._keep())

    def room(self) -> int:
        """How many connections could be taken now. Asking counts as demand."""
        return self._look(1)

    def take(self, most: int) -> list[Wire]:
        """Up to ``most`` open connections, the warmest first. Their first request must be sent before any await."""
        self._look(most)
        found = self._idle[-most:][::-1] if most else []
        del self._idle[len(self._idle) - len(found) :]
        return found

    def give_back(self, wires: Sequence[Wire]) -> None:
        """Take back connections of :meth:`take` that were not used."""
        for wire in wires:
            self._back(wire)

    async def lease(self, seconds: float) -> Wire | None:
        """A connection, waited for up to ``seconds``; None when there was none."""
        until = self._loop.time() + seconds
        while not (found := self.take(1)):
            left = until - self._loop.time()
            if left <= 0 or self._keeper is None:
                return None
            self._freed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._freed.wait()
            except TimeoutError:
                return None
        return found[0]

    async def close(self) -> None:
        """End every connection; whoever waits for an answer on one hears that it was given up."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        for wire in list(self._all):
            wire.abort("the line was closed before the answer")

    def _look(self, needed: int) -> int:
        """Note that so many are needed; how many there are."""
        self._asked = self._loop.time()
        self._drop_stale()
        if len(self._idle) < needed:
            if len(self._all) >= self._wanted:
                self._wanted = min(self._limit, self._wanted * 2)
            self._wake.set()
        return len(self._idle)

    def _drop_stale(self) -> None:
        stale = [wire for wire in self._idle if not wire.usable]
        self._idle = [wire for wire in self._idle if wire.usable]
        for wire in stale:
            wire.abort()

    def _back(self, wire: Wire) -> None:
        self._idle.append(wire)
        self._freed.set()

    def _gone(self, wire: Wire) -> None:
        self._all.discard(wire)
        if wire in self._idle:
            self._idle.remove(wire)
        self._wake.set()

    async def _keep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._back_off or LOOK):
                    await self._wake.wait()
                    if self._back_off:  # a server that is down is not asked at every turn
                        await asyncio.sleep(self._back_off)
            except TimeoutError:
                pass
            self._wake.clear()
            if self._loop.time() - self._asked > LULL:
                self._wanted = 1
            self._drop_stale()
            for wire in self._idle[: max(0, len(self._all) - self._wanted)]:
                wire.abort()
            await self._fill()

    async def _fill(self) -> None:
        """Open what is missing, all at once."""
        missing = self._wanted - len(self._all)
        if missing <= 0:
            return
        if self._back_off:
            missing = 1  # first see whether it is back
        made = await asyncio.gather(*(self._connect() for _ in range(missing)))
        failures = [each for each in made if each is not None]
        if len(failures) < missing:
            self._back_off, self.why = 0.0, None
            self._news("")
            if self._wanted > len(self._all) and not failures:
                self._wake.set()
        if failures:
            jitter = random.uniform(0.8, 1.2)  # noqa: S311  # so that workers do not all knock together
            self._back_off = min(BACK_OFF_MOST, max(BACK_OFF_FIRST, self._back_off * 2) * jitter)
            if not self._all:
                self.why = failures[0]
                self._news(self.why)

    async def _connect(self) -> str | None:
        """One more connection; why not, when it failed."""
        try:
            wire = await http_wire.connect(
                self._origin, self._security, self._networks, freed=self._back, ended=self._gone
            )
        except (OSError, TimeoutError) as error:
            return f"{self._origin.host} {http_wire.words(error)}"
        self._all.add(wire)
        self._back(wire)
        return None
