"""Carriers with a limit they do not tell, and a lane that asks them, in virtual time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from heliograph.engine.meter import AGAIN, CATCH_UP, CATCH_UP_LEARNED, EVEN, EVEN_LEARNED
from heliograph.rules.pace import Pace
from heliograph.rules.throttle import Throttle

BATCH, WINDOW = 100, 2_000  # as a lane has them
FASTEST = 5_000  # texts a second that the lane manages without any limit


class Limiter(Protocol):
    """A carrier's way to count. ``rate`` None: it takes everything."""

    rate: float | None

    def take(self, now: float, parts: int) -> bool: ...


@dataclass
class Bucket:
    """Refills evenly; ``depth`` seconds of its rate fit in."""

    rate: float | None
    depth: float = 1.0
    free: float = 1e9
    seen: float = 0.0

    def take(self, now: float, parts: int) -> bool:
        if self.rate is None:
            return True
        room = max(1.0, self.rate * self.depth)
        self.free = min(room, self.free + (now - self.seen) * self.rate)
        self.seen = now
        if min(parts, room) > self.free:
            return False
        self.free -= parts
        return True


@dataclass
class Window:
    """So many parts in each second of its clock, which is not ours."""

    rate: float | None
    number: int = -1
    used: int = 0

    def take(self, now: float, parts: int) -> bool:
        if self.rate is None:
            return True
        number = int(now + 0.37)
        if number != self.number:
            self.number, self.used = number, 0
        if self.used and self.used + parts > self.rate:
            return False
        self.used += parts
        return True


@dataclass
class Said:
    """What came of it: ``(second, parts)``."""

    taken: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    away: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def goodput(self, since: float, until: float) -> float:
        """Parts taken a second."""
        return _rate(self.taken, since, until)

    def turned_away(self, since: float, until: float) -> float:
        """Parts turned away a second."""
        return _rate(self.away, since, until)


def _rate(events: list[tuple[float, int]], since: float, until: float) -> float:
    return sum(parts for at, parts in events if since <= at < until) / (until - since)


def ask(  # a lane is many things
    own: float | None,
    limiter: Limiter,
    seconds: float,
    *,
    moves: dict[float, float | None] | None = None,
    parts: tuple[int, int] = (1, 1),
    answers: tuple[float, float] = (0.02, 0.06),
    asked: float = 0.0,
) -> Said:
    """Send as a lane does for so long. ``moves``: when the limit becomes another one."""
    chance, said, ahead = Random(1), Said(), sorted((moves or {}).items())
    pace, throttle = Pace(own), Throttle(own)
    on_way: list[tuple[float, int, float, int, bool]] = []
    now = even_at = free_at = 0.0
    sent = 0
    while now < seconds:
        while ahead and ahead[0][0] <= now:
            limiter.rate = ahead.pop(0)[1]
        while on_way and on_way[0][0] <= now:
            _, _, at, size, taken = heapq.heappop(on_way)
            (said.taken if taken else said.away).append((at, size))
            if not taken:
                throttle.away(now, size, sent_at=at, seconds=asked)
                even_at = min(even_at, now + AGAIN)
        if throttle.look(now) and throttle.rate is not None:
            even_at = min(even_at, now + 1 / throttle.rate)
        rate, fine = throttle.rate, throttle.learned is not None
        most = BATCH if rate is None else max(1, min(BATCH, int(rate * (EVEN_LEARNED if fine else EVEN))))
        texts = [chance.randint(*parts)]
        while sum(texts) + parts[1] <= most:
            texts.append(chance.randint(*parts))
        whole = sum(texts)
        wait = max(throttle.wait(now), pace.wait(now, whole), free_at - now, 0.0 if rate is None else even_at - now)
        if wait <= 0 and len(on_way) < WINDOW:
            for size in texts:
                sent += 1
                answered = now + chance.uniform(*answers)
                heapq.heappush(on_way, (answered, sent, now, size, limiter.take(now, size)))
            pace.take(now, whole)
            throttle.sent(now, whole)
            if rate is not None:
                even_at = max(even_at, now - (CATCH_UP_LEARNED if fine else CATCH_UP)) + whole / rate
            free_at = now + len(texts) / FASTEST
            wait = 0.0
        soon = [0.25, wait or 0.0005]
        if on_way:
            soon.append(on_way[0][0] - now)
        now += max(0.0003, min(soon)) + chance.uniform(0, 0.0005)
    return said
