"""How many requests an account may make: so many in any 60 seconds.

Whole minutes that begin anew would let twice the limit through around their end. Here each request is remembered
until it is 60 seconds old, so no half-open 60 seconds anyone cares to look at hold more than the limit. That costs
a few dozen bytes for each request of the last minute, and a constant time for each.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from heliograph.errors import RateLimited

# The vendor's text, word for word.
EXCEEDED = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."

WINDOW = 60  # seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: ``remaining`` of ``limit`` requests, and one more in ``reset`` whole seconds."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool = False


class Allowances:
    """What every account has used of its ``limit`` requests a minute; 0 is no limit.

    Times are seconds of one clock, given by the caller; one that is set back locks nobody out.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._made: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, account_id: str, now: float) -> Standing | None:
        """Use one request, if there is one left; answers how the account stands then. None when there is no limit."""
        if self._limit <= 0:
            return None
        made = self._made[account_id]
        while made and not now - WINDOW < made[0] <= now:
            made.popleft()
        exceeded = len(made) >= self._limit
        if not exceeded:
            made.append(now)
        reset = max(1, math.ceil(made[0] + WINDOW - now))
        return Standing(self._limit, self._limit - len(made), reset, exceeded)


def refuse(standing: Standing) -> RateLimited:
    """The error for an account that has nothing left."""
    return RateLimited(EXCEEDED, retry_after=standing.reset)
