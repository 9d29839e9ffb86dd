"""So many requests in any 60 seconds, whichever 60 seconds one looks at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heliograph.rules.allowance import EXCEEDED, WINDOW, Allowances, Standing, refuse


def test_the_last_one_of_the_minute_is_let_in_and_the_next_one_is_told_when_to_come_back() -> None:
    allowances = Allowances(2)
    assert allowances.take("a", 100.0) == Standing(2, 1, 60)
    assert allowances.take("a", 130.5) == Standing(2, 0, 30)
    assert allowances.take("a", 159.9) == Standing(2, 0, 1, exceeded=True)
    assert allowances.take("a", 160.0) == Standing(2, 0, 31)
    assert allowances.take("a", 1000.0) == Standing(2, 1, 60)


def test_who_is_refused_uses_nothing() -> None:
    allowances = Allowances(1)
    allowances.take("a", 0.0)
    assert all(getattr(allowances.take("a", float(now)), "exceeded", None) for now in range(1, 60))
    assert allowances.take("a", 60.0) == Standing(1, 0, 60)


def test_accounts_do_not_use_each_others() -> None:
    allowances = Allowances(1)
    allowances.take("a", 0.0)
    assert allowances.take("b", 0.0) == Standing(1, 0, 60)


def test_zero_is_no_limit() -> None:
    assert [Allowances(0).take("a", 0.0) for _ in range(10)] == [None] * 10


def test_a_clock_set_back_an_hour_locks_nobody_out() -> None:
    allowances = Allowances(1)
    allowances.take("a", 7200.0)
    assert allowances.take("a", 3600.0) == Standing(1, 0, 60)


def test_the_refusal_says_it_in_the_vendors_words() -> None:
    error = refuse(Standing(60, 0, 17, exceeded=True))
    assert error.message == EXCEEDED
    assert EXCEEDED == "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."
    assert error.retry_after == 17


@given(st.integers(1, 8), st.lists(st.integers(0, 160), max_size=120))
def test_no_sixty_seconds_hold_more_than_the_limit_and_nobody_is_refused_below_it(limit: int, gaps: list[int]) -> None:
    allowances, now, made = Allowances(limit), 0.0, list[float]()
    for gap in gaps:
        now += gap / 8
        inside = sum(now - WINDOW < at for at in made)
        standing = allowances.take("a", now)
        assert standing is not None
        assert standing.exceeded == (inside >= limit)
        if not standing.exceeded:
            made.append(now)
            assert standing.remaining == limit - inside - 1
        else:
            assert sum(now + standing.reset - WINDOW < at for at in made) < limit
