"""Who is held out: the same people whatever else changes, so that results of months can be compared."""

from __future__ import annotations

import pytest

from heliograph.errors import Invalid
from heliograph.rules import hold_out

NUMBERS = [f"+4477009{n:05d}" for n in range(20_000)]
HELD = ["12", "46", "56"]


def test_a_draw_stays_as_it_is() -> None:
    """A change of how people are drawn would text whoever was held out: these were drawn by the first version."""
    held = [number for number in NUMBERS[:60] if hold_out.is_held("cd-1", number, 10)]
    assert [number[-2:] for number in held] == HELD


def test_the_share_is_the_share_and_larger_ones_hold_the_smaller() -> None:
    shares = [{number for number in NUMBERS if hold_out.is_held("cd-1", number, share)} for share in (0, 1, 10, 50)]
    assert [len(held) / len(NUMBERS) for held in shares] == pytest.approx([0, 0.01, 0.1, 0.5], abs=0.01)
    assert shares[0] < shares[1] < shares[2] < shares[3]


def test_another_campaign_draws_others() -> None:
    one, other = ({n for n in NUMBERS if hold_out.is_held(campaign, n, 50)} for campaign in ("cd-1", "cd-2"))
    assert 0.2 < len(one & other) / len(NUMBERS) < 0.3


def test_many_are_drawn_as_one() -> None:
    is_held = hold_out.drawn("cd-1", 10)
    assert all(is_held(number) is hold_out.is_held("cd-1", number, 10) for number in NUMBERS[:1_000])


@pytest.mark.parametrize("raw", [-1, 51, True, "10", 1.5])
def test_other_shares_are_refused(raw: object) -> None:
    with pytest.raises(Invalid):
        hold_out.percent(raw)
