"""What a branch asks of an answer: words, expressions that cannot hang anything, numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import matching
from heliograph.rules.template import Canonical

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def answer(text: str) -> matching.Answer:
    return matching.Answer(text, Canonical(), NOON, "UTC")


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        (r"^[A-Z]{2}-?\d{4}$", "ab-1234", True),
        (r"^[A-Z]{2}-?\d{4}$", "ab-1234 please", False),
        ("crème", "CRÈME brûlée", True),
        (r"\bno\b", "NO!", True),
        (r"\pL+ \pN+", "straße 12", True),
        ("(?i)x", "\ud800 x", True),
    ],
)
def test_an_expression_is_found_in_the_text(pattern: str, text: str, holds: bool) -> None:
    assert matching.pattern(pattern, field="p").holds(answer(text)) is holds


@pytest.mark.parametrize("evil", ["(a+)+$", "(a|a)*b", "(a*)*b", "(.*a){20}$", "(x+x+)+y"])
def test_no_expression_hangs_on_any_answer(evil: str) -> None:
    """With a backtracking engine each of these would take longer than there are seconds."""
    assert not matching.pattern(evil, field="p").holds(answer("a" * (matching.LONGEST_ANSWER - 1) + "!"))


@pytest.mark.parametrize("bad", ["(", "(?=a)", r"(a)\1", "a{1001}", "(?:(?:x{90}){90}){90}", r"\pL{999}", "\ud800"])
def test_an_expression_that_could_cost_too_much_is_refused_with_its_reason(bad: str) -> None:
    with pytest.raises(Invalid) as caught:
        matching.pattern(bad, field="nodes.a.cases[0].pattern")
    assert caught.value.field == "nodes.a.cases[0].pattern"
    assert "RE2" in str(caught.value)


@settings(max_examples=60)
@given(st.text(max_size=30), st.text(max_size=60))
def test_an_expression_is_refused_or_asked_whatever_it_is(pattern: str, text: str) -> None:
    try:
        test = matching.pattern(pattern, field="p")
    except Invalid:
        return
    assert test.holds(answer(text)) in {True, False}
