"""What a worker's tasks wait on: a ring from anywhere, or a little time."""

from __future__ import annotations

import asyncio


class Bell:
    """Rung when something may have changed; everyone who waits wakes and looks."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.rung = 0  # how often, so far

    def ring(self) -> None:
        """Wake everyone who waits now."""
        self.rung += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring, ``seconds`` at most; whether it rang."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True
