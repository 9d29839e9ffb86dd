"""When a temporary refusal is tried again."""

from __future__ import annotations

import math

import pytest

from heliograph.rules import retry


def test_the_waits_grow_and_the_fifth_refusal_is_the_last() -> None:
    assert [retry.again_in(attempts) for attempts in range(6)] == [30, 120, 600, 1800, None, None]
    assert retry.MAX_ATTEMPTS == 5


@pytest.mark.parametrize(
    ("attempts", "asked", "wait"),
    [
        (0, 5.0, 30),  # the carrier would be asked sooner than we like
        (0, 45.0, 45),
        (3, 7200.0, 7200),
        (4, 1.0, None),  # asking later does not buy a sixth try
        (0, 0.0, 30),
        (0, -3.0, 30),
        (0, math.nan, 30),
        (0, math.inf, 7 * 86_400),
        (1, 1e12, 7 * 86_400),
    ],
)
def test_a_carrier_that_names_a_time_is_not_asked_before_it(attempts: int, asked: float, wait: float | None) -> None:
    assert retry.again_in(attempts, asked_seconds=asked) == wait


@pytest.mark.parametrize("attempts", [0, 1, 4, 5, 50])
def test_throttling_uses_no_try(attempts: int) -> None:
    assert retry.again_in(attempts, throttled=True) == 1
    assert retry.again_in(attempts, throttled=True, asked_seconds=0.1) == 1
    assert retry.again_in(attempts, throttled=True, asked_seconds=12.5) == 12.5
