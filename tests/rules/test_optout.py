"""What people's words say about being texted."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import optout
from heliograph.rules.optout import How, Wish

TABLE = tomllib.loads(files("heliograph.rules").joinpath("data/opt_out.toml").read_text(encoding="utf-8"))
STOPS = [word for words in TABLE["stop"].values() for word in words]


@pytest.mark.parametrize(
    ("text", "wish", "how"),
    [
        ("STOP", Wish.STOP, How.KEYWORD),
        (" stop. ", Wish.STOP, How.KEYWORD),
        ("S.T.O.P!", Wish.STOP, How.KEYWORD),
        ("Stoppppp", Wish.STOP, How.KEYWORD),
        ("Stop 🛑", Wish.STOP, How.KEYWORD),
        ("“STOP”", Wish.STOP, How.KEYWORD),
        ("\uff33\uff34\uff2f\uff30", Wish.STOP, How.KEYWORD),
        ("opt-out", Wish.STOP, How.KEYWORD),
        ("ARRÊT", Wish.STOP, How.KEYWORD),
        ("Arret", Wish.STOP, How.KEYWORD),
        ("रोकें", Wish.STOP, How.KEYWORD),
        ("停止。", Wish.STOP, How.KEYWORD),
        ("Please stop texting me", Wish.STOP, How.SENTENCE),
        ("stop now please", Wish.STOP, How.SENTENCE),
        ("i want to unsubscribe", Wish.STOP, How.SENTENCE),
        ("remove me from this list", Wish.STOP, How.SENTENCE),
        ("stpo", Wish.STOP, How.SPELLING),
        ("sotp", Wish.STOP, How.SPELLING),
        ("unsubscribee", Wish.STOP, How.SPELLING),
        ("Leave me ALONE!!", Wish.STOP, How.PHRASE),
        ("Don\u2019t text me again", Wish.STOP, How.PHRASE),
        ("please cancel my order", Wish.REVIEW, How.INSIDE),
        ("when does the sale end?", Wish.REVIEW, How.INSIDE),
        ("Stop smoking?", Wish.REVIEW, How.INSIDE),
        ("Wrong number, sorry", Wish.REVIEW, How.PHRASE),
        ("START", Wish.START, How.KEYWORD),
        ("unstop", Wish.START, How.KEYWORD),
        ("help me please", Wish.HELP, How.SENTENCE),
        ("INFO", Wish.HELP, How.KEYWORD),
        ("shop", Wish.NOTHING, How.NONE),
        ("quiet", Wish.NOTHING, How.NONE),
        ("top", Wish.NOTHING, How.NONE),
        ("रुक", Wish.NOTHING, How.NONE),
        ("yes", Wish.NOTHING, How.NONE),
        ("no", Wish.NOTHING, How.NONE),
        ("Table for 4 at 8 please", Wish.NOTHING, How.NONE),
        ("", Wish.NOTHING, How.NONE),
        ("🛑", Wish.NOTHING, How.NONE),
    ],
)
def test_what_a_message_says(text: str, wish: Wish, how: How) -> None:
    found = optout.read(text)
    assert (found.wish, found.how) == (wish, how)


@pytest.mark.parametrize("word", STOPS)
def test_every_word_of_refusal_is_one_however_it_is_written(word: str) -> None:
    for written in (word, word.upper(), f" {word.capitalize()}! ", f"\u200b{word}"):
        assert optout.read(written).wish is Wish.STOP, written


@pytest.mark.parametrize("word", TABLE["spelling"]["not_stop"])
def test_words_that_look_like_a_refusal_are_none(word: str) -> None:
    assert optout.read(word).wish is Wish.NOTHING


def test_an_app_may_add_words_and_phrases() -> None:
    own = optout.with_own(["Genug!", "lass mich in ruhe"], ["Weiter"])
    assert optout.read("genug", own).wish is Wish.STOP
    assert optout.read("Bitte lass mich in Ruhe damit, ja?", own).wish is Wish.STOP
    assert optout.read("weiter", own).wish is Wish.START
    assert optout.read("stop", own).wish is Wish.STOP
    assert optout.read("genug").wish is Wish.NOTHING


@pytest.mark.parametrize("given_words", ["stop", [1], ["  "], ["x" * 101], ["w"] * 201])
def test_wrong_words_are_refused(given_words: object) -> None:
    with pytest.raises(Invalid, match=r"optOut\.stop"):
        optout.with_own(given_words, None)


@given(st.text(max_size=300))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert optout.read(text).wish in Wish


@given(st.text("abcd", min_size=1, max_size=6), st.text("abcd", min_size=1, max_size=6))
def test_one_slip_is_what_the_textbook_says(one: str, other: str) -> None:
    assert optout.one_off(one, other) is (_distance(one, other) == 1)


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein (adjacent transpositions), the whole table."""
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            if not i or not j:
                rows[i][j] = i + j
                continue
            cost = one[i - 1] != other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("I'm driving right now. I'll get back to you", True),
        ("AUTOMATIC REPLY: I am out of office", True),
        ("Abwesenheitsnotiz", True),
        ("Stop it, I am driving you mad", False),
        ("no", False),
    ],
)
def test_what_a_machine_wrote_is_known(text: str, machine: bool) -> None:
    assert optout.automatic(text) is machine


def test_a_pattern_is_phrases_in_order() -> None:
    words = optout.with_own(None, None, ["no * more * texts"])
    assert optout.read("No, I want no MORE of these texts!", words).how is How.PATTERN
    assert optout.read("more texts, no?", words).wish is not Wish.STOP
    with pytest.raises(Invalid, match=r"patterns\[0\]"):
        optout.with_own(None, None, ["***"])
