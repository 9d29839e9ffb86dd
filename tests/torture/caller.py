"""Somebody who sends one-off texts through the API all the while, and asks again until each is answered."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.rig import Rig

NUMBERS = 1000  # of a range kept for fiction, in which nobody of a campaign is
EACH = 0.5  # seconds from one text to the next


@dataclass(slots=True)
class Caller:
    """Each text has a key of its own (Idempotency-Key), so asking again must not text again."""

    rig: Rig
    port: int
    asked: int = 0
    repeated: int = 0
    answered: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])

    async def call(self) -> None:
        """Text one new number after the other, until cancelled or until all were."""
        while self.asked < NUMBERS:
            number = f"+447700900{self.asked:03d}"
            self.asked += 1
            while not await asyncio.to_thread(self._ask, number):
                self.repeated += 1
                await asyncio.sleep(0.2)
            await asyncio.sleep(EACH)

    def _ask(self, number: str) -> bool:
        """Whether there was an answer: a lost connection or a 5xx is none."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"auth": self.rig.token, "Content-Type": "application/json", "Idempotency-Key": f"torture-{number}"}
        body = json.dumps({"fromNo": "+12025550100", "toNo": number, "message": "One text, once."})
        path = f"/api/public/bot/{self.rig.app.public_id}/outboundsms"
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            words = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()
        if answer.status < http.client.BAD_REQUEST:
            self.answered.append(number)
            return True
        if answer.status in {http.client.CONFLICT, http.client.TOO_MANY_REQUESTS} or answer.status >= 500:
            return False
        self.refused.append(f"{answer.status} {words[:200]!r}")
        return True
