from __future__ import annotations

from datetime import timedelta

import pytest

from heliograph.errors import Invalid
from heliograph.rules import password

KNOWN = ("Ada Lovelace", "ada.lovelace@example.com")


@pytest.mark.parametrize(
    "text",
    ["correct horse", "seven quiet lighthouses", "пароль из слов", "a" * 6 + "b" * 250, "Lovelace saw the harbour"],
)
def test_any_text_that_is_long_enough_will_do(text: str) -> None:
    assert password.check(text, known=KNOWN) == text


@pytest.mark.parametrize(
    "text",
    [
        "eleven char",
        "x" * 257,
        "PassWord1234",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789:;<=>",
        "adaLovelace1815",
        "lovelace@example.com",
        "heliograph2026",
    ],
)
def test_what_everybody_tries_first_will_not_and_is_not_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        password.check(text, known=KNOWN)
    assert text not in refused.value.message


def test_the_same_password_typed_on_another_keyboard_is_the_same() -> None:
    assert password.check("cafe\u0301 by the sea") == password.check("caf\u00e9 by the sea")


def test_each_further_failure_waits_twice_as_long_up_to_a_quarter_of_an_hour() -> None:
    waits = [password.delay("user", failures).total_seconds() for failures in range(15)]
    assert waits[:8] == [0, 0, 0, 0, 0, 5, 10, 20]
    assert waits[-1] == 900
    assert password.delay("from", 19) == timedelta(0)
    assert password.delay("from", 10**9) == password.LONGEST_DELAY
