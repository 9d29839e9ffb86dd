"""What a copy is called."""

from __future__ import annotations

from itertools import islice

import pytest

from heliograph.rules import names


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("Sale", "Copy of Sale", "Copy of Sale (2)"),
        ("x" * 48, "Copy of " + "x" * 40, "Copy of " + "x" * 36 + " (2)"),
        ("x" * 39 + " yy", "Copy of " + "x" * 39, "Copy of " + "x" * 36 + " (2)"),
        ("Copy of Sale", "Copy of Copy of Sale", "Copy of Copy of Sale (2)"),
    ],
)
def test_names_of_copies(name: str, first: str, second: str) -> None:
    assert list(islice(names.copies(name, longest=48), 2)) == [first, second]


def test_no_two_copies_have_one_name_and_none_is_too_long() -> None:
    found = list(islice(names.copies("x" * 48, longest=48), 1200))
    assert len({name.lower() for name in found}) == 1200
    assert max(map(len, found)) == 48
