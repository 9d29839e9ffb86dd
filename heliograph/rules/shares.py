"""How campaigns share one sender: each its weight's part of the whole.

Stride scheduling (Waldspurger and Weihl, 1995): each campaign has a pass, which grows by parts/weight as
it sends, and the least pass is next. With weights 5 and 3 that is 62.5 % and 37.5 % of the parts, exactly
in the long run and within a batch at any time. Whoever had nothing to send comes back at the pass of
those who had, as in start-time fair queueing (Goyal, Vin and Cheng, 1996): time spent idle earns nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

Key = TypeVar("Key", bound="Hashable")


@dataclass(slots=True)
class _Share:
    weight: float
    passed: float  # parts/weight sent so far, on the line that all share
    joined: int  # settles a tie: first come, first served


class Shares(Generic[Key]):
    """Who sends next. Weights are any numbers above zero; only their proportions matter."""

    def __init__(self) -> None:
        self._shares: dict[Key, _Share] = {}
        self._here = 0.0  # how far the line has come: the pass of the one picked last
        self._joined = 0

    def add(self, key: Key, weight: float) -> None:
        """Let ``key`` take part from now on; one that does already only gets the new weight."""
        if key in self._shares:
            self.set_weight(key, weight)
            return
        self._joined += 1
        self._shares[key] = _Share(_above_zero(weight), self._here, self._joined)

    def remove(self, key: Key) -> None:
        """Forget ``key``; nothing happens when it takes no part."""
        self._shares.pop(key, None)

    def set_weight(self, key: Key, weight: float) -> None:
        """Change the weight of ``key``. What it is ahead by is counted anew, so that it does not wait too long."""
        share = self._shares[key]
        ahead = max(0.0, share.passed - self._here)
        share.passed = self._here + ahead * share.weight / _above_zero(weight)
        share.weight = weight

    def pick(self, eligible: Collection[Key]) -> Key | None:
        """The one of ``eligible`` (those with something to send) whose turn it is; None when none takes part."""
        least: tuple[float, int] | None = None
        found: Key | None = None
        for key in eligible:
            share = self._shares.get(key)
            if share is None:
                continue
            share.passed = max(share.passed, self._here)  # it may have been away
            place = (share.passed, share.joined)
            if least is None or place < least:
                least, found = place, key
        if least is not None:
            self._here = least[0]
        return found

    def charge(self, key: Key, parts: float) -> None:
        """``key`` has sent ``parts``; nothing happens when it no longer takes part."""
        share = self._shares.get(key)
        if share is not None:
            share.passed += parts / share.weight


def _above_zero(weight: float) -> float:
    if not (weight > 0 and math.isfinite(weight)):
        raise ValueError(f"{weight} is no weight: a number above 0 is")
    return weight
