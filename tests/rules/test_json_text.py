"""A JSON text read in steps is the value, or the refusal, that it is when read at once; and others get their turn."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.rules import json_text

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
DEPTHS = st.integers(0, 5)
SPACINGS = st.sampled_from([None, 0, 1, "\t\r"])


@settings(max_examples=60)
@given(VALUES, DEPTHS, SPACINGS, st.booleans())
def test_the_value_is_the_same(value: Any, depth: int, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json_text.loads(f" {text}\n", depth) == json.loads(text) == value


@settings(max_examples=60)
@given(VALUES, DEPTHS, st.data())
def test_what_is_refused_is_the_same(value: Any, depth: int, data: st.DataObject) -> None:
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    spoilt = text[:at] + data.draw(st.sampled_from(["", ",", "]", "}", '"', ":", "{", "[", "0", "x"])) + text[at + 1 :]
    try:
        right: object = json.loads(spoilt)
    except json.JSONDecodeError:
        with pytest.raises(json.JSONDecodeError):
            json_text.loads(spoilt, depth)
    else:
        assert json_text.loads(spoilt, depth) == right


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("text", ["", "[1 2]", '{"a" 1}', '{"a": 1, b}', "[1,]x", '{"a": [1}', "1 2", "\ufeff[]"])
def test_it_says_where_it_went_wrong(text: str, depth: int) -> None:
    with pytest.raises(json.JSONDecodeError) as right:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as found:
        json_text.loads(text, depth)
    if "," not in text:  # after a comma the versions of Python put it differently
        assert str(found.value) == str(right.value)


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_a_long_text_is_read() -> None:
    """No clock: the interpreter is told to change threads as often as it can, and the loop counts its turns."""
    before = sys.getswitchinterval()
    text = json.dumps({"data": {"items": [{"phone": f"+1202555{n:04}", "name": "x" * 20} for n in range(20_000)]}})
    turns: list[int] = []
    try:
        sys.setswitchinterval(1e-6)
        for depth in (0, 3):
            reading = asyncio.create_task(asyncio.to_thread(json_text.loads, text, depth))
            turns.append(0)
            while not reading.done():
                turns[-1] += 1
                await asyncio.sleep(0)
            assert len((await reading)["data"]["items"]) == 20_000  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType]
    finally:
        sys.setswitchinterval(before)
    assert turns[1] > 50, turns
