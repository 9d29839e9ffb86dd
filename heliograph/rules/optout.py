"""What a person's words say about being texted: no, yes, help, or nothing.

The law (47 CFR 64.1200(a)(10)) counts certain words, and any others that a reasonable person would read as a no. So
a message is read in steps, from the surest on: a keyword alone, a short sentence that begins with one, a keyword
misspelt by one letter, a phrase. A keyword somewhere inside a longer sentence ("please cancel my order") may be a
no or not: that is for a person to decide, and until then nothing promotional is sent.

Keywords and phrases are data (``data/opt_out.toml``); an app may add its own.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

SHORT = 5  # words of a sentence that is still nothing but its keyword
FUZZY_FROM = 4  # letters of a word from which one wrong letter is forgiven
LONGEST_PHRASE = 100
MOST_OWN = 200  # words and phrases that an app may add
# What may stand behind a keyword in a short sentence without giving it another meaning.
TRAILING = frozenset(
    "me it all this that them these texts text texting sms messages message msgs messaging sending spam spamming now "
    "please pls plz ok thanks thank you from to my number list contacting the to receive receiving bothering at once "
    "everything and asap immediately a merci bitte gracias por favor".split()
)
LEADING = frozenset("please pls plz ok hi hello yes no just hey s'il vous plait bitte por favor i want to".split())

_ACCENT = re.compile("[\u0300-\u036f\u200b-\u200f\u2060\ufeff]")  # and what has no width at all
_APOSTROPHES = str.maketrans("\u2019\u02bc\u0060\u00b4", "''''")
_REPEATED = re.compile(r"(.)\1{2,}")


class Wish(StrEnum):
    """What a message says."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    REVIEW = "review"  # perhaps a no: a person should look, and nothing promotional be sent until then
    NOTHING = "nothing"


class How(StrEnum):
    """By which step that was found: evidence, kept with each opt-out."""

    KEYWORD = "keyword"
    SENTENCE = "sentence"  # a few words that begin with a keyword
    SPELLING = "spelling"  # a keyword with one letter wrong
    PHRASE = "phrase"
    PATTERN = "pattern"  # an app's own: phrases in a certain order
    INSIDE = "inside"  # a keyword somewhere in a longer sentence
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reading:
    """A wish, how it was found, and the keyword or phrase it rests on."""

    wish: Wish
    how: How = How.NONE
    word: str = ""


NOTHING = Reading(Wish.NOTHING)


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a message is held against, as :func:`fold` leaves it. Made by :func:`shipped` or :func:`with_own`."""

    keywords: Mapping[str, Wish]
    not_stop: frozenset[str]
    stop_phrases: tuple[str, ...]
    review_phrases: tuple[str, ...]
    inside: frozenset[str]  # English keywords that make a longer sentence one for a person to look at
    patterns: tuple[tuple[str, ...], ...] = ()  # phrases in this order, anything between them: a no


def read(text: str, words: Words | None = None) -> Reading:
    """What ``text``, a whole message, says."""
    known = words or shipped()
    tokens = fold(text)
    if not tokens:
        return NOTHING
    whole = " ".join(tokens)
    for candidate in (whole, "".join(tokens)):  # "s t o p", "op t out"
        if candidate in known.keywords:
            return Reading(known.keywords[candidate], How.KEYWORD, candidate)
    return _sentence(tokens, known) or _misspelt(tokens, known) or _phrases(whole, tokens, known)


def fold(text: str) -> list[str]:
    """The words of a message as they are compared: in small letters, without accents, nothing drawn out."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFC", _ACCENT.sub("", plain).translate(_APOSTROPHES))
    # Letters, digits and the marks that Indic and Thai words are written with; the rest stands between words.
    kept = "".join(each if each == "'" or unicodedata.category(each)[0] in "LNM" else " " for each in plain)
    words = (word.strip("'") for word in kept.split())
    return [_REPEATED.sub(r"\1", word) for word in words if word]


def with_own(stop: object, start: object, patterns: object = None, *, field: str = "optOut") -> Words:
    """The shipped words and an app's own: lists of words or phrases, and of patterns. Raises :class:`Invalid`.

    A pattern is phrases with stars between them, such as ``no * more * texts``: they stand in a message in this order.
    """
    base = shipped()
    added = dict.fromkeys(_own(stop, f"{field}.stop"), Wish.STOP)
    added |= dict.fromkeys(_own(start, f"{field}.start"), Wish.START)
    phrases = tuple(word for word, wish in added.items() if wish is Wish.STOP and " " in word)
    return Words(
        {**base.keywords, **added},
        base.not_stop,
        base.stop_phrases + phrases,
        base.review_phrases,
        base.inside,
        tuple(_pattern(each) for each in _strings(patterns, f"{field}.patterns")),
    )


def automatic(text: str) -> bool:
    """Whether a machine wrote ``text``: somebody is out of office, or at the wheel. It is not answered."""
    padded = f" {' '.join(fold(text))} "
    return any(f" {phrase} " in padded for phrase in _machines())


def address_key(address: str) -> str:
    """An address of ours as it is compared: carriers tell it with a plus or without, in capitals or not."""
    return address.strip().lstrip("+").casefold()


@cache
def shipped() -> Words:
    """The words that come with Heliograph."""
    table = tomllib.loads(files("heliograph.rules").joinpath("data/opt_out.toml").read_text(encoding="utf-8"))
    keywords: dict[str, Wish] = {}
    for wish in (Wish.HELP, Wish.START, Wish.STOP):  # a no outweighs whatever else a word may mean elsewhere
        for listed in table[wish.value].values():
            keywords.update(dict.fromkeys(_folded(listed), wish))
    return Words(
        keywords,
        frozenset(_folded(table["spelling"]["not_stop"])),
        tuple(_folded(table["phrases"]["stop"])),
        tuple(_folded(table["phrases"]["review"])),
        frozenset(word for word in _folded(table["stop"]["en"]) if " " not in word),
    )


# ---------------------------------------------------------------- the steps


def _sentence(tokens: list[str], known: Words) -> Reading | None:
    """A few words that are a keyword and nothing that would give it another meaning: "please stop texting me"."""
    rest = tokens
    while len(rest) > 1 and rest[0] in LEADING:
        rest = rest[1:]
    if len(rest) > SHORT:
        return None
    for size in (2, 1):
        word = " ".join(rest[:size])
        wish = known.keywords.get(word)
        if wish is not None and all(token in TRAILING or token in known.keywords for token in rest[size:]):
            return Reading(wish, How.SENTENCE, word)
    return None


def _misspelt(tokens: list[str], known: Words) -> Reading | None:
    """One word, one letter from a keyword of refusal: left out, put in, another, or two that changed places."""
    (word, *more) = tokens
    if more or len(word) < FUZZY_FROM or word in known.not_stop:
        return None
    for keyword, wish in known.keywords.items():
        if wish is Wish.STOP and len(keyword) >= FUZZY_FROM and " " not in keyword and one_off(word, keyword):
            return Reading(Wish.STOP, How.SPELLING, keyword)
    return None


def _phrases(whole: str, tokens: Collection[str], known: Words) -> Reading:
    padded = f" {whole} "
    for phrase in known.stop_phrases:
        if f" {phrase} " in padded:
            return Reading(Wish.STOP, How.PHRASE, phrase)
    for pattern in known.patterns:
        if _in_order(padded, pattern):
            return Reading(Wish.STOP, How.PATTERN, " * ".join(pattern))
    for phrase in known.review_phrases:
        if f" {phrase}" in padded:
            return Reading(Wish.REVIEW, How.PHRASE, phrase)
    inside = sorted(known.inside.intersection(tokens))
    return Reading(Wish.REVIEW, How.INSIDE, inside[0]) if inside else NOTHING


def one_off(one: str, other: str) -> bool:
    """Whether two different words are one slip apart (Damerau-Levenshtein distance 1)."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    at = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return swapped or short[at + 1 :] == long[at + 1 :]


# ---------------------------------------------------------------- words


@cache
def _machines() -> tuple[str, ...]:
    table = tomllib.loads(files("heliograph.rules").joinpath("data/opt_out.toml").read_text(encoding="utf-8"))
    return tuple(_folded(table["phrases"]["automatic"]))


def _in_order(padded: str, phrases: Sequence[str]) -> bool:
    at = 0
    for phrase in phrases:
        found = padded.find(f" {phrase} ", at)
        if found < 0:
            return False
        at = found + len(phrase) + 1
    return True


def _pattern(each: str) -> tuple[str, ...]:
    return tuple(phrase for part in each.split("*") if (phrase := " ".join(fold(part))))


def _folded(words: Iterable[str]) -> list[str]:
    return [" ".join(fold(word)) for word in words]


def _own(given: object, field: str) -> list[str]:
    return [" ".join(fold(each)) for each in _strings(given, field)]


def _strings(given: object, field: str) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in cast("list[object]", given)):
        raise Invalid(f"{field} is no list of words. It takes words or phrases such as no thanks", field=field)
    listed = cast("list[str]", given)
    if len(listed) > MOST_OWN:
        raise Invalid(f"{field} has {len(listed)} words. It takes at most {MOST_OWN}", field=field)
    for number, each in enumerate(listed):
        if not fold(each) or len(each) > LONGEST_PHRASE:
            accepted = f"a word or phrase of 1 to {LONGEST_PHRASE} letters"
            text = f"{field}[{number}] is {each[:LONGEST_PHRASE]!r}. It takes {accepted}"
            raise Invalid(text, field=f"{field}[{number}]")
    return listed
