"""Flows as files: what is read, where a fault is said to be, and that what is written reads as the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.flow import text

YAML = """\
flow: 1
name: Tour   # who asks for one
nodes:
  ask:
    type: branch
    cases:
      - any_word: [yes, y, no, on, 09:00, +12025550100, 2026-03-01, 1, 1.5, "2", true]
        next: 1
    otherwise:
  1: {type: send, text: "Hi: {{name}}"}
"""


def test_words_stay_words() -> None:
    assert text.parse(YAML) == {
        "flow": 1,
        "name": "Tour",
        "nodes": {
            "ask": {
                "type": "branch",
                "cases": [
                    {
                        "any_word": ["yes", "y", "no", "on", "09:00", "+12025550100", "2026-03-01", 1, 1.5, "2", True],
                        "next": 1,
                    }
                ],
                "otherwise": None,
            },
            "1": {"type": "send", "text": "Hi: {{name}}"},
        },
    }


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a: 1\nb: [1", "Line 3"),
        ("a: 1\na: 2", "Line 2, column 1: The key 'a' is there twice"),
        ('{"a": 1,\n "b" 2}', "Line 2, column 6"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("a: !!python/object:os.system x", "Line 1, column 4: The tag"),
        ("a: &x [*x]", "Line 1, column 8: *x stands for nothing"),
        ("a: {<<: {b: 1}}", "Merging"),
        ("? [a]\n: 1", "A key is a word"),
        ("a: 1\n---\nb: 2", "Line 2, column 1: A second document"),
        ("a: " + "[" * 40, "nested more than 32"),
        ("[" * 100_000, "nested deeper"),
        ("a: \x07", "no YAML"),
        ("x" * (text.LONGEST + 1), "at most 2000000"),
    ],
)
def test_a_fault_is_told_with_its_line(written: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        text.parse(written)
    assert told in str(caught.value)


def test_few_aliases_are_read_and_a_bomb_of_them_is_not() -> None:
    assert text.parse("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    with pytest.raises(Invalid, match="more than 100000 values"):
        text.parse(bomb)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
ODD = ["yes", "no", "1", "1e3", "~", "", "null", "0x1", "1_0", "a: b", "# x", "- x", "line\nline", "=", "|", "1:30"]
NUMBERS = st.one_of(st.integers(-(10**15), 10**15), st.floats(-1e6, 1e6).filter(lambda each: "e" not in str(each)))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.sampled_from(ODD)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(WORDS.filter(lambda key: key != "<<"), inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "nodes", "1", "yes", "null"]), VALUES, min_size=1, max_size=3))
def test_what_is_written_reads_as_the_same(document: dict[str, object]) -> None:
    assert text.parse(text.to_yaml(document)) == document
    assert text.parse(text.to_json(document)) == document


def test_written_flows_are_easy_to_read() -> None:
    document = {"name": "Ünï 👋", "words": ["yes", "ok"], "text": "Two\nlines", "nodes": {"a": {"type": "end"}}}
    assert text.to_yaml(document) == (
        "name: Ünï 👋\nwords: ['yes', ok]\ntext: |-\n  Two\n  lines\nnodes:\n  a:\n    type: end\n"
    )
