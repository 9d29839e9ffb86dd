"""Who of a pool texts whom: by weight, the same each time, and nobody moves who need not."""

from __future__ import annotations

from collections import Counter

import pytest

from heliograph.rules import pool

NUMBERS = [f"+1202555{n:07d}" for n in range(20_000)]


def test_people_are_shared_by_weight() -> None:
    counts = Counter(pool.pick(7, {1: 5.0, 2: 3.0, 3: 2.0}, number) for number in NUMBERS)
    for sender, share in ((1, 0.5), (2, 0.3), (3, 0.2)):
        assert counts[sender] / len(NUMBERS) == pytest.approx(share, abs=0.012)


def test_pools_deal_each_in_their_own_way() -> None:
    weights = {1: 1.0, 2: 1.0}
    same = sum(pool.pick(7, weights, number) == pool.pick(8, weights, number) for number in NUMBERS)
    assert same / len(NUMBERS) == pytest.approx(0.5, abs=0.02)


def test_only_the_people_of_a_sender_that_leaves_move() -> None:
    all_three, without = {1: 1.0, 2: 2.0, 3: 1.0}, {1: 1.0, 3: 1.0}
    for number in NUMBERS[:2000]:
        before = pool.pick(7, all_three, number)
        assert before == 2 or pool.pick(7, without, number) == before


def test_a_sender_alone_has_everybody() -> None:
    assert {pool.pick(7, {4: 0.001}, number) for number in NUMBERS[:100]} == {4}
