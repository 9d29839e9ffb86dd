"""What a branch can ask of an answer: words, patterns, numbers, fields, the hour."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

import re2

from heliograph.errors import Invalid
from heliograph.rules import body
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
    """A regular expression of RE2's is found in the text, whatever the case. See :func:`pattern`."""

    pattern: str

    def holds(self, answer: Answer) -> bool:
        """See :class:`Test`."""
        looked_at = answer.text[:LONGEST_ANSWER].encode("utf-8", "replace")  # half characters have no UTF-8
        return _compiled(self.pattern).search(looked_at) is not None


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


class _Expression(Protocol):
    """What we call of a compiled expression: the library brings no types."""

    def search(self, text: bytes) -> object:
        """The first match, or None."""
        ...


class _Library(Protocol):
    """What we call of ``re2``."""

    error: type[Exception]

    def Options(self) -> object:  # noqa: N802  # its name
        """How to compile."""
        ...

    def compile(self, pattern: str, options: object) -> _Expression:
        """Raises ``error``."""
        ...


_RE2 = cast("_Library", re2)
_MEMORY = 1 << 18  # of one expression: bounds its size, and so what one look at an answer can cost


def pattern(raw: str, *, field: str) -> Pattern:
    """The test for an expression that somebody wrote. Raises :class:`Invalid`.

    RE2's syntax, which is RapidPro's too: no look-ahead, no back-references, so an answer is looked at in a time that
    grows with its length and no faster: a nested repetition that would hold a backtracking engine for years takes
    microseconds, the worst expression that is accepted some milliseconds for the longest answer.
    """
    try:
        _compiled(raw)
    except (_RE2.error, UnicodeEncodeError) as error:
        told = error.args[0]
        why = told.decode("utf-8", "replace") if isinstance(told, bytes) else "it cannot be written as UTF-8"
        text = f"{field} is {body.shown(raw)}, which is no regular expression (RE2): {why}"
        raise Invalid(text, field=field) from error
    return Pattern(raw)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> _Expression:
    options = _RE2.Options()
    for name, value in {
        "case_sensitive": False,
        "log_errors": False,
        "never_capture": True,
        "max_mem": _MEMORY,
    }.items():
        setattr(options, name, value)
    return _RE2.compile(pattern, options)
