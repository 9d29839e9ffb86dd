"""Campaigns on one sender get capacity by priority."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from random import Random

import pytest

from heliograph.rules.shares import Shares


def work(shares: Shares[str], eligible: Collection[str], parts: int, chance: Random, most: int = 40) -> Counter[str]:
    """Send ``parts`` in batches of up to ``most``; who sent how many."""
    sent: Counter[str] = Counter()
    while sent.total() < parts:
        key = shares.pick(eligible)
        assert key is not None
        batch = chance.randint(1, most)
        shares.charge(key, batch)
        sent[key] += batch
    return sent


def assert_shared(sent: Counter[str], weights: dict[str, float]) -> None:
    for key, weight in weights.items():
        assert sent[key] / sent.total() == pytest.approx(weight / sum(weights.values()), abs=0.02)


@pytest.mark.parametrize(
    "weights",
    [
        {"a": 5, "b": 3},
        {"a": 1, "b": 1},
        {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5},
        {"a": 5, "b": 1, "c": 1},
        {"a": 2.5},
    ],
)
def test_each_gets_its_part(weights: dict[str, float]) -> None:
    shares: Shares[str] = Shares()
    for key, weight in weights.items():
        shares.add(key, weight)
    assert_shared(work(shares, weights, 10_000, Random(1)), weights)


def test_five_against_three_is_as_the_vendor_says() -> None:
    shares: Shares[str] = Shares()
    shares.add("five", 5)
    shares.add("three", 3)
    sent = work(shares, {"five", "three"}, 80_000, Random(2))
    assert sent["five"] / sent.total() == pytest.approx(0.625, abs=0.001)


def test_who_joins_late_gets_its_part_and_no_more() -> None:
    shares: Shares[str] = Shares()
    chance = Random(3)
    shares.add("old", 2)
    work(shares, ["old"], 50_000, chance)
    shares.add("new", 3)
    assert_shared(work(shares, ["old", "new"], 10_000, chance), {"old": 2, "new": 3})


def test_being_idle_earns_nothing() -> None:
    shares: Shares[str] = Shares()
    chance = Random(4)
    weights: dict[str, float] = {"a": 1, "b": 1, "c": 2}
    for key, weight in weights.items():
        shares.add(key, weight)
    work(shares, weights, 5_000, chance)
    assert_shared(work(shares, ["a", "b"], 20_000, chance), {"a": 1, "b": 1})
    assert_shared(work(shares, weights, 5_000, chance), weights)


def test_being_busy_alone_costs_nothing() -> None:
    shares: Shares[str] = Shares()
    chance = Random(5)
    shares.add("a", 1)
    shares.add("b", 1)
    work(shares, ["a"], 30_000, chance)
    assert_shared(work(shares, ["a", "b"], 5_000, chance), {"a": 1, "b": 1})


def test_leaving_frees_its_part() -> None:
    shares: Shares[str] = Shares()
    chance = Random(6)
    for key in ("a", "b", "c"):
        shares.add(key, 2)
    work(shares, ["a", "b", "c"], 3_000, chance)
    shares.remove("c")
    assert_shared(work(shares, ["a", "b", "c"], 5_000, chance), {"a": 2, "b": 2})
    shares.remove("c")  # again is no matter
    shares.charge("c", 10)  # a late outcome neither


def test_coming_and_going_at_random_keeps_the_proportions_of_those_present() -> None:
    """In each spell some of five have something to send; each spell is shared by the weights of those."""
    shares: Shares[str] = Shares()
    chance = Random(7)
    weights: dict[str, float] = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    for key, weight in weights.items():
        shares.add(key, weight)
    for _ in range(60):
        present = {key: weights[key] for key in weights if chance.random() < 0.6}
        if present:
            assert_shared(work(shares, present, 4_000, chance, most=20), present)


def test_a_new_weight_holds_from_then_on() -> None:
    shares: Shares[str] = Shares()
    chance = Random(8)
    shares.add("a", 1)
    shares.add("b", 1)
    work(shares, ["a", "b"], 10_000, chance)
    shares.set_weight("a", 4)
    assert_shared(work(shares, ["a", "b"], 10_000, chance), {"a": 4, "b": 1})
    shares.add("a", 1)
    assert_shared(work(shares, ["a", "b"], 10_000, chance), {"a": 1, "b": 1})


def test_a_large_batch_is_not_waited_for_longer_under_a_larger_weight() -> None:
    shares: Shares[str] = Shares()
    shares.add("a", 1)
    shares.add("b", 1)
    assert shares.pick(["a", "b"]) == "a"
    shares.charge("a", 500)
    shares.set_weight("a", 5)
    sent = 0
    while shares.pick(["a", "b"]) == "b":
        shares.charge("b", 1)
        sent += 1
    assert sent == pytest.approx(100, abs=1)


def test_nobody_to_pick() -> None:
    shares: Shares[str] = Shares()
    assert shares.pick([]) is None
    assert shares.pick(["stranger"]) is None
    shares.add("a", 1)
    assert shares.pick([]) is None
    assert shares.pick(["stranger", "a"]) == "a"


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_a_weight_is_above_zero(weight: float) -> None:
    shares: Shares[str] = Shares()
    with pytest.raises(ValueError, match="is no weight"):
        shares.add("a", weight)
    shares.add("a", 1)
    with pytest.raises(ValueError, match="is no weight"):
        shares.set_weight("a", weight)
