from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gsm0338
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heliograph.rules import parts

CASES = json.loads((Path(__file__).parents[1] / "data" / "part_cases.json").read_text())
CODEC = gsm0338.Codec()
GSM = (parts.GSM_BASIC + parts.GSM_EXTENSION).replace("\x1b", "")

near_gsm = st.text(st.one_of(st.sampled_from(GSM), st.sampled_from("€^[ab\n")), max_size=700)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
texts = st.one_of(near_gsm, anything, st.text(st.sampled_from("a€😀ş"), max_size=400))


@pytest.mark.parametrize("case", CASES, ids=[case["expr"] for case in CASES])
def test_cases_worked_out_by_hand(case: dict[str, Any]) -> None:
    text = case["text"]
    found = parts.measure(text)
    assert found == (case["encoding"], case["units"], case["segments"])
    assert [len(part) for part in parts.split(text)] == case["parts"]


def test_an_empty_text_is_one_part_without_units() -> None:
    assert parts.measure("") == ("GSM-7", 0, 1)
    assert parts.split("") == [""]


def _octets(text: str) -> bytes | None:
    """What an independent codec makes of it; a bare escape is no character to send."""
    if "\x1b" in text:
        return None
    try:
        return CODEC.encode(text)[0]
    except UnicodeEncodeError:
        return None


@settings(deadline=None)
@given(texts)
@example("\x00")
@example("\x1b")
def test_the_alphabet_and_the_size_are_those_of_another_codec(text: str) -> None:
    octets = _octets(text)
    found = parts.measure(text)
    if octets is None:
        assert found.encoding == "UCS-2"
        assert found.units == len(text.encode("utf-16-le")) // 2
    else:
        assert (found.encoding, found.units) == ("GSM-7", len(octets))


def test_every_character_of_the_alphabet_is_the_other_codecs_too() -> None:
    for point in range(0x110000):
        character = chr(point)
        if character in GSM or (not 0xD800 <= point <= 0xDFFF and point % 97 == 0):
            assert (parts.measure(character).encoding == "GSM-7") == (_octets(character) is not None), hex(point)


@settings(deadline=None)
@given(texts)
def test_parts_are_the_text_and_each_fits(text: str) -> None:
    found = parts.measure(text)
    pieces = parts.split(text)
    assert "".join(pieces) == text
    assert len(pieces) == found.parts
    limit = {("GSM-7", True): 160, ("GSM-7", False): 153, ("UCS-2", True): 70, ("UCS-2", False): 67}
    for piece in pieces:
        piece.encode("utf-16-le")  # no half character
        units = parts.measure(piece).units if found.encoding == "GSM-7" else len(piece.encode("utf-16-le")) // 2
        assert units <= limit[found.encoding, len(pieces) == 1]


@settings(deadline=None)
@given(texts, texts)
def test_more_text_never_makes_fewer_parts(text: str, more: str) -> None:
    assert parts.measure(text + more).parts >= parts.measure(text).parts


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("line1\r\nline2", "line1\nline2"),
        ("e\u0301t\u00e9", "été"),
        ("a\x00b\x1bc\x07d\x85e\x7ff", "abcdef"),
        ("\ufeffHi\u200b\u2060 there", "Hi there"),
        ("half \ud83d", "half "),
        ("👩\u200d🚀", "👩\u200d🚀"),  # the joiner holds the picture together
        ("می\u200cشود", "می\u200cشود"),
        ("plain", "plain"),
    ],
)
def test_normalising(text: str, sent: str) -> None:
    assert parts.normalise(text) == sent


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_normalising_twice_changes_nothing_and_leaves_what_can_be_sent(text: str) -> None:
    once = parts.normalise(text)
    assert parts.normalise(once) == once
    once.encode("utf-16-le")
    assert not any(character != "\n" and ord(character) < 32 for character in once)


@settings(deadline=None)
@given(texts)
def test_what_is_outside_the_alphabet_is_what_makes_a_text_wide(text: str) -> None:
    assert parts.outside(text) == {each for each in text if parts.measure(each).encoding == "UCS-2"}
    assert bool(parts.outside(text)) is (parts.measure(text).encoding == "UCS-2")
