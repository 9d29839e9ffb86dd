"""What a branch can ask of an answer: words, patterns, numbers, fields, the hour."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from heliograph.rules import hours as calling

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.hours import CallingHours
    from heliograph.rules.template import Canonical

_WORDS = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_NUMBER = re.compile(r"(?<![\d.,])[-+]?\d{1,15}(?:[.,]\d{1,6})?(?![\d])")
LONGEST_ANSWER = 2000  # characters of an answer that are looked at


@dataclass(frozen=True, slots=True)
class Answer:
    """What a branch looks at: the text asked about, the person's fields, and when."""

    text: str
    fields: Canonical
    now: datetime
    zone: str


class Test(Protocol):
    """One condition."""

    def holds(self, answer: Answer) -> bool:
        """Whether the answer meets it."""
        ...


@dataclass(frozen=True, slots=True)
class AnyWord:
    """One of some words is in the text, in any case; a phrase of several words counts as one when it is there whole."""

    words: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        found = f" {' '.join(fold(answer.text))} "
        return any(f" {' '.join(fold(word))} " in found for word in self.words)


@dataclass(frozen=True, slots=True)
class AllWords:
    """Every one of some words is in the text."""

    words: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        found = f" {' '.join(fold(answer.text))} "
        return all(f" {' '.join(fold(word))} " in found for word in self.words)


@dataclass(frozen=True, slots=True)
class Only:
    """The text is one of some words or phrases, and nothing else."""

    words: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        found = fold(answer.text)
        return any(found == fold(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression is found in the text, whatever the case."""

    pattern: str

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        return _compiled(self.pattern).search(answer.text[:LONGEST_ANSWER]) is not None


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high`` is in the text; None: no end on that side."""

    low: float | None
    high: float | None

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        found = _NUMBER.search(answer.text[:LONGEST_ANSWER])
        if found is None:
            return False
        number = float(found[0].replace(",", "."))
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the person's is one of some values, in any case; no values: it has any at all."""

    name: str
    values: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        from heliograph.rules import template  # noqa: PLC0415  # the document reads templates too

        value = template.plain(answer.fields.get(template.key(self.name))).casefold()
        return value in {each.casefold() for each in self.values} if self.values else bool(value)


@dataclass(frozen=True, slots=True)
class Open:
    """The hours are open in the person's zone, or in the hours' own where that is not known."""

    hours: CallingHours

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        return calling.is_open(self.hours, answer.zone or self.hours.zone, answer.now)


def fold(text: str) -> list[str]:
    """The words of a text as they are compared: in small letters, accents and punctuation left out."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST_ANSWER]).casefold()
    plain = "".join(each for each in plain if not unicodedata.combining(each) or not "\u0300" <= each <= "\u036f")
    return _WORDS.findall(unicodedata.normalize("NFC", plain))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
