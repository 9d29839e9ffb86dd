# ruff: noqa: RUF001  # characters that look like others are what is tested
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.rules import parts, plain
from heliograph.rules.plain import Plain


@pytest.mark.parametrize(
    ("text", "sent", "exchanged"),
    [
        ("Hello", "Hello", ()),
        ("it’s", "it's", ("’",)),
        ("wait…", "wait...", ("…",)),
        ("a–b — c", "a-b - c", ("–", "—")),
        ("“Go” now", '"Go" now', ("“", "”")),
        ("«Go» ‹now›", '"Go" <now>', ("«", "»", "‹", "›")),
        ("5\u00a0€", "5 €", ("\u00a0",)),
        ("a\u2009b\u3000c", "a b c", ("\u2009", "\u3000")),
        ("`code´", "'code'", ("`", "´")),
        ("½ price", "1/2 price", ("½",)),
        ("señor, it’s üñÇé", "señor, it's üñÇé", ("’",)),
        ("é è Ç ñ ü", "é è Ç ñ ü", ()),
        # What does not fit afterwards either stays as it was written, every mark of it.
        ("it’s 😀", "it’s 😀", ()),
        ("L’été à Besançon", "L’été à Besançon", ()),
        ("Ayşe’s", "Ayşe’s", ()),
        ("“你好”", "“你好”", ()),
    ],
)
def test_a_text_is_put_in_plain_marks_if_all_of_it_fits_then(text: str, sent: str, exchanged: tuple[str, ...]) -> None:
    assert plain.simplify(text) == (sent, exchanged)
    assert plain.apply(text, Plain.ON) == sent
    assert plain.apply(text, Plain.OFF) == plain.apply(text, Plain.WARN) == text


def test_one_quote_is_the_difference_between_one_part_and_three() -> None:
    text = "x" * 158 + "’s"
    assert parts.measure(text).parts == 3
    assert parts.measure(plain.apply(text, Plain.ON)).parts == 1
    assert plain.costly(text) == ("’",)
    assert plain.costly("plain €{}") == ()


@settings(max_examples=60)
@given(st.text(st.sampled_from("abc é’“”–…\u00a0€ş😀`½"), max_size=40))
def test_it_never_touches_a_letter_and_does_all_or_nothing(text: str) -> None:
    sent, exchanged = plain.simplify(text)
    assert [each for each in sent if each.isalpha()] == [each for each in text if each.isalpha()]
    assert (sent == text) == (not exchanged)
    assert not exchanged or parts.measure(sent).encoding == "GSM-7"
    assert plain.simplify(sent) == (sent, ())
    assert parts.measure(sent).parts <= parts.measure(text).parts
