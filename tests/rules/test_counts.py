"""Numbers in sentences read as people say them."""

from __future__ import annotations

import pytest

from heliograph.rules import counts


@pytest.mark.parametrize(("number", "said"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (21, "21 entries")])
def test_one_is_one(number: int, said: str) -> None:
    assert counts.of(number, "entry", "entries") == said


def test_one_thing_is_it() -> None:
    assert [counts.them(number) for number in (1, 2)] == ["it", "them"]
