"""Which sender of a pool texts somebody who has none yet.

Weighted rendezvous hashing (Thaler and Ravishankar, 1998; weights as in Schindelhauer and Schomaker, 2005): each
sender draws a lot from its id and the person's number, and the best lot wins. It needs no memory, so a page of one
person is dealt as fairly as one of thousands, and two planners deal alike; and when a sender leaves, only its own
people go to others.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOTS = 2.0**64


def pick(pool_id: int, weights: Mapping[int, float], number: str) -> int:
    """The sender of the pool for ``number``: of many people, each sender gets its weight's share."""
    return max(weights, key=lambda sender_id: (_lot(pool_id, sender_id, number, weights[sender_id]), -sender_id))


def _lot(pool_id: int, sender_id: int, number: str, weight: float) -> float:
    digest = blake2b(f"{pool_id}/{sender_id}/{number}".encode(), digest_size=8).digest()
    return -weight / math.log((int.from_bytes(digest) + 0.5) / _LOTS)
