"""How fast a sender may send: parts a second, exact in any second one cares to look at.

A bucket that refills lets twice its rate through around a refill. Carriers count, so here what was taken
is remembered until it is a second old: the parts taken in any half-open second never exceed the rate.

Two things need more than a second, because a part cannot be divided:

* A rate that is no whole number is kept over the shortest longer time that makes it one: never more than
  ⌈rate⌉ parts in any ⌈rate⌉/rate seconds. That is one part each 1/rate seconds below one a second, and
  two parts in any 1.6 seconds at 1.25 a second.
* A text of more parts than that leaves when nothing else is remembered, and then counts for parts/rate
  seconds, so that the rate still holds over its own length.

Times are seconds of any monotonic clock, given by the caller.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from dataclasses import dataclass

from heliograph.errors import Invalid

_UNLIMITED = sys.maxsize
# Takes this close together are remembered as one, as if all had come at the last of them: never too early,
# at most a thousandth too late, and no more than a thousand of them in a second.
_AS_ONE = 0.001
_WHOLE = 1e-9  # a rate this little above a whole number is that number


@dataclass(slots=True)
class _Taken:
    first: float
    last: float
    parts: int
    oversize: bool


class Pace:
    """The rate of one sender. ``rate`` is in parts a second; None is no limit.

    Raises :class:`Invalid` when ``rate`` is not a number above zero.
    """

    def __init__(self, rate: float | None) -> None:
        self._taken: deque[_Taken] = deque()
        self._used = 0
        self._now = -math.inf
        self._rate, self._limit, self._span = _law(rate)

    @property
    def rate(self) -> float | None:
        """Parts a second, or None for no limit."""
        return self._rate

    @property
    def limit(self) -> int:
        """The parts that may leave within :meth:`counts_for` of one of them; very many when there is no limit."""
        return self._limit

    def counts_for(self, parts: int = 1) -> float:
        """Seconds for which a text of ``parts`` counts once it has left; 0.0 when there is no limit."""
        if self._rate is None:
            return 0.0
        return max(self._span, parts / self._rate) if parts > self._limit else self._span

    def set_rate(self, rate: float | None) -> None:
        """Go by ``rate`` from now on; what was taken lately still counts."""
        self._rate, self._limit, self._span = _law(rate)

    def wait(self, now: float, parts: int) -> float:
        """Seconds from ``now`` until ``parts`` may leave; 0.0 when they may. Nothing is taken."""
        if parts < 0:
            raise ValueError(f"{parts} parts are no number of parts")
        now = self._forget(now)
        if parts == 0 or not self._taken or self._used + parts <= self._limit:
            return 0.0
        until = self._enough(now, parts)
        wait = until - now
        return wait if now + wait >= until else wait + math.ulp(until)  # rounding must not make it too short

    def take(self, now: float, parts: int) -> float:
        """Take ``parts`` if they may leave at ``now``; the answer is the seconds to wait first.

        0.0: they are taken and may leave. Above: nothing was taken; at ``now`` plus that, they may be,
        unless others were taken in between.

        What is taken counts from ``now``. Who writes for some time asks :meth:`room` before and takes
        afterwards, so that not even a slow write puts more than the rate into a second of the line.
        """
        wait = self.wait(now, parts)
        if wait == 0.0 and parts:
            self._remember(self._now, parts)
        return wait

    def room(self, now: float) -> int:
        """How many parts may leave at ``now``. A single text of more than this may still, see :meth:`take`."""
        self._forget(now)
        return max(0, self._limit - self._used)

    def _remember(self, now: float, parts: int) -> None:
        self._used += parts
        oversize = parts > self._limit
        newest = self._taken[-1] if self._taken else None
        if newest is None or oversize or newest.oversize or now - newest.first >= _AS_ONE:
            self._taken.append(_Taken(now, now, parts, oversize))
        else:
            newest.last = now
            newest.parts += parts

    def _forget(self, now: float) -> float:
        """Drop what no longer counts; the answer is ``now``, never earlier than it has been before."""
        self._now = now = max(now, self._now)
        while self._taken and now >= self._until(self._taken[0]):
            self._used -= self._taken.popleft().parts
        return now

    def _until(self, taken: _Taken) -> float:
        """The instant from which ``taken`` no longer counts."""
        if taken.oversize and self._rate is not None:
            return taken.last + max(self._span, taken.parts / self._rate)
        return taken.last + self._span

    def _enough(self, now: float, parts: int) -> float:
        """The instant by which enough is forgotten for ``parts``, or everything."""
        excess = self._used + parts - self._limit
        until = now
        for taken in self._taken:
            until = max(until, self._until(taken))
            excess -= taken.parts
            if excess <= 0:
                break
        return until


def _law(rate: float | None) -> tuple[float | None, int, float]:
    """The rate, and what it means: at most so many parts in any so many seconds."""
    if rate is None:
        return None, _UNLIMITED, 1.0
    if not (rate > 0 and math.isfinite(rate)):
        raise Invalid(f"A sender's rate is {rate} parts a second; accepted: a number above 0, or none for no limit")
    limit = max(1, math.ceil(rate - _WHOLE))
    return rate, limit, max(1.0, limit / rate)
