"""How a sandbox account behaves: its settings, read and checked.

``docs/sandbox.md`` explains every key to people, and a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import translate
from typing import Any, cast

from heliograph.carriers.kind import Setting
from heliograph.errors import Invalid

_LONGEST_MS = 86_400_000.0  # a day
_ROUNDING = 1e-9  # 0.1 + 0.2 + 0.7 is 1 to a person
_SECRET = ("password", "webhook_secret")
_ANSWERS = ("refuse", "temporary", "lost_answer")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a number meets. Shares go from 0 (nobody) to 1 (everybody); times are [low, high]."""

    latency_ms: tuple[float, float] = (5.0, 35.0)
    refuse: float = 0.0
    refuse_code: str = "invalid_destination"
    temporary: float = 0.0
    temporary_code: str = "system_error"
    temporary_times: int = 1
    lost_answer: float = 0.0
    receipt_ms: tuple[float, float] = (50.0, 800.0)
    receipt_failed: float = 0.0
    receipt_lost: float = 0.0
    receipt_duplicate: float = 0.0
    receipt_out_of_order: float = 0.0
    receipt_early: float = 0.0
    reply: float = 0.0
    reply_text: str = "STOP"
    reply_ms: tuple[float, float] = (1000.0, 5000.0)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Numbers that meet something of their own. ``match`` is a shell pattern over the whole number."""

    match: re.Pattern[str]
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Settings:
    """All of a sandbox account. Build it with :func:`read`."""

    seed: int = 0
    throttle_per_second: float | None = None
    answer_timeout_s: float = 60.0
    password: str | None = None
    webhook_secret: str | None = None
    down: float = 0.0
    down_windows: tuple[tuple[float, float], ...] = ()
    lets_in: bool = True
    usual: Behaviour = Behaviour()
    patterns: tuple[Pattern, ...] = ()

    def behaviour(self, number: str) -> Behaviour:
        """What ``number`` meets: the first pattern that matches it, else the account's own."""
        for pattern in self.patterns:
            if pattern.match.match(number):
                return pattern.behaviour
        return self.usual


def read(settings: Mapping[str, object]) -> Settings:
    """Settings as stored (JSON), checked. Raises :class:`Invalid` naming the key and what it takes."""
    allowed = _OF_THE_LINE | _OF_A_NUMBER
    _only_known(settings, {*allowed, "patterns"}, where="")
    usual = _behaviour(Behaviour(), settings, where="")
    line = {key: _value(settings, key, "") for key in settings if key in _OF_THE_LINE}
    patterns = settings.get("patterns", [])
    if not isinstance(patterns, list):
        raise _invalid("patterns", patterns, 'a list of {"match": "+1555*", …}')
    items = cast("list[object]", patterns)
    found = tuple(_pattern(usual, item, f"patterns.{place}") for place, item in enumerate(items))
    return Settings(usual=usual, patterns=found, **line)


def _pattern(usual: Behaviour, item: object, where: str) -> Pattern:
    if not isinstance(item, dict):
        raise _invalid(where, item, 'an object such as {"match": "+1555*", "refuse": 1}')
    values = cast("Mapping[str, object]", item)
    _only_known(values, {*_OF_A_NUMBER, "match"}, where=f"{where}.")
    match = values.get("match")
    if not isinstance(match, str) or not match:
        raise _invalid(f"{where}.match", match, "a pattern over the number, such as +1555*")
    return Pattern(re.compile(translate(match)), _behaviour(usual, values, where=f"{where}."))


def _behaviour(base: Behaviour, values: Mapping[str, object], *, where: str) -> Behaviour:
    given = {key: _value(values, key, where) for key in values if key in _OF_A_NUMBER}
    named = [key for key in _ANSWERS if key in given]
    # One draw decides between these three, so a pattern that names one of them says all there is to it.
    found = replace(base, **(dict.fromkeys(_ANSWERS, 0.0) if named else {}) | given)
    together = found.refuse + found.temporary + found.lost_answer
    if together > 1 + _ROUNDING:
        accepted = f"at most 1 together with the others of {', '.join(_ANSWERS)}, not {together:g}"
        raise _invalid(where + named[-1], given[named[-1]], accepted)
    return found


def _only_known(values: Mapping[str, object], known: set[str], *, where: str) -> None:
    for key in values:
        if key not in known:
            text = f"A sandbox has no setting {where}{key}; it has: {', '.join(sorted(known))}"
            raise Invalid(text, field=f"{where}{key}")


def _value(values: Mapping[str, object], key: str, where: str) -> Any:  # noqa: ANN401  # each key has its own type
    reader, accepted = (_OF_THE_LINE | _OF_A_NUMBER)[key]
    try:
        return reader(values[key])
    except _Unusable:
        raise _invalid(where + key, values[key], accepted) from None


def _invalid(field: str, value: object, accepted: str) -> Invalid:
    if field in _SECRET:
        return Invalid(f"The sandbox setting {field} is not what it takes: {accepted}", field=field)
    return Invalid(f"The sandbox setting {field} is {value!r}; it takes {accepted}", field=field)


# ---------------------------------------------------------------- one reader per kind of value


class _Unusable(Exception):
    """A reader was given what it does not take; :func:`_value` says what that is."""


def _number(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unusable
    if not low <= value <= high:  # also refuses NaN
        raise _Unusable
    return float(value)


def _share(value: object) -> float:
    return _number(value, 0, 1)


def _span(value: object) -> tuple[float, float]:
    if not isinstance(value, list):
        raise _Unusable
    ends = cast("list[object]", value)
    if len(ends) != 2:  # noqa: PLR2004
        raise _Unusable
    first, last = _number(ends[0], 0, _LONGEST_MS), _number(ends[1], 0, _LONGEST_MS)
    if first > last:
        raise _Unusable
    return first, last


def _windows(value: object) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, list):
        raise _Unusable
    return tuple(_span(window) for window in cast("list[object]", value))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise _Unusable
    return value


def _times(value: object) -> int:
    return int(_number(_whole(value), 0, 1000))


def _rate(value: object) -> float | None:
    if value is None:
        return None
    rate = _number(value, 0, 1e9)
    if rate <= 0:
        raise _Unusable
    return rate


def _seconds(value: object) -> float:
    return _number(value, 0, 86_400)


def _password(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and 1 <= len(value) <= 200):  # noqa: PLR2004
        raise _Unusable
    return value


def _words(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 1600:  # noqa: PLR2004
        raise _Unusable
    return value


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Unusable
    return value


def _code(value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[\w.:-]{1,64}", value, re.ASCII) is None:
        raise _Unusable
    return value


_Reader = tuple[Callable[[object], object], str]

_A_SHARE: _Reader = (_share, "a share from 0 to 1")
_A_SPAN: _Reader = (_span, "[low, high] in milliseconds, low first, up to a day")
_A_CODE: _Reader = (_code, "a word of up to 64 letters, digits, dots, colons and dashes")

_OF_THE_LINE: dict[str, _Reader] = {
    "seed": (_whole, "a whole number of up to 63 bits"),
    "throttle_per_second": (_rate, "parts per second, above 0, or null for no limit"),
    "answer_timeout_s": (_seconds, "seconds from 0 to 86400"),
    "password": (_password, "1 to 200 characters, or null for none"),
    "webhook_secret": (_password, "1 to 200 characters, or null for none"),
    "down": _A_SHARE,
    "down_windows": (_windows, "a list of [from, to] in seconds since the line was opened"),
    "lets_in": (_yes_or_no, "true or false"),
}

_OF_A_NUMBER: dict[str, _Reader] = {
    "latency_ms": _A_SPAN,
    "refuse": _A_SHARE,
    "refuse_code": _A_CODE,
    "temporary": _A_SHARE,
    "temporary_code": _A_CODE,
    "temporary_times": (_times, "a whole number from 0 (every time) to 1000"),
    "lost_answer": _A_SHARE,
    "receipt_ms": _A_SPAN,
    "receipt_failed": _A_SHARE,
    "receipt_lost": _A_SHARE,
    "receipt_duplicate": _A_SHARE,
    "receipt_out_of_order": _A_SHARE,
    "receipt_early": _A_SHARE,
    "reply": _A_SHARE,
    "reply_text": (_words, "1 to 1600 characters"),
    "reply_ms": _A_SPAN,
}

SETTINGS = (
    *(Setting(key, takes, secret=key in _SECRET) for key, (_, takes) in (_OF_THE_LINE | _OF_A_NUMBER).items()),
    Setting("patterns", 'a list of {"match": "+1555*", …}'),
)
"""Every setting. What each does is on the page for people."""
