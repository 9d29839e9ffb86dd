"""Which people of an audience a campaign is for: conditions on their columns, joined by and/or.

As sent::

    {"op": "and", "conditions": [
        {"column": "City", "is": "in", "value": ["Pune", "Delhi"]},
        {"op": "or", "conditions": [
            {"column": "visits", "is": "greaterOrEqual", "value": 3},
            {"column": "joined", "is": "less", "value": "2026-01-01"}]}]}

Columns are found as placeholders find them. Texts are compared without regard to case, blanks around them cut. A
number is compared as a number when both sides are one, a date (ISO 8601) as a date; where one side names only a
day, days are compared. Whoever has no value, or one of another kind than it is compared with, is not equal to it,
nor greater, nor less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, cast

from heliograph.errors import Invalid
from heliograph.rules import body, template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_CONDITIONS = 50
DEEPEST = 5
MOST_VALUES = 1_000
LONGEST_COLUMN = 300
LONGEST_VALUE = 300

Op = Literal["and", "or"]
_Word = TypeVar("_Word", bound=str)
_OPS: dict[object, Op] = {"and": "and", "or": "or"}

# A code such as 007 and a telephone number such as +1… are texts.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?").fullmatch
_DAY = len("2026-01-31")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}[0-9:.,Z+-]{0,24})?").fullmatch


class _Date(NamedTuple):
    """A day, and the instant in it when one is named (UTC unless it says otherwise)."""

    day: str
    at: datetime | None

    def against(self, other: _Date) -> int:
        if self.at is None or other.at is None:
            return (self.day > other.day) - (self.day < other.day)
        return (self.at > other.at) - (self.at < other.at)


class _Value(NamedTuple):
    """What a column is compared with: a number, else a date, else a text."""

    text: str
    number: Decimal | None
    date: _Date | None


class _Values(NamedTuple):
    """All that a column is compared with, as listed and by kind: a thousand values are looked up, not gone through."""

    listed: tuple[_Value, ...]
    numbers: frozenset[Decimal]
    dates: tuple[_Date, ...]
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Condition:
    """What one column has to be. ``column`` is canonical."""

    column: str
    word: str
    values: _Values

    def matches(self, known: template.Canonical) -> bool:
        """Whether a person with these fields is such a one."""
        return _TESTS[self.word](known.get(self.column), self.values)


@dataclass(frozen=True, slots=True)
class Filter:
    """All of the conditions (and), or any of them (or)."""

    op: Op
    conditions: tuple[Condition | Filter, ...]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it looks at, canonical."""
        own = [one.column for one in self.conditions if isinstance(one, Condition)]
        return frozenset(own).union(*(one.columns for one in self.conditions if isinstance(one, Filter)))

    def matches(self, fields: Mapping[str, object]) -> bool:
        """Whether a person with these ``fields`` (by column name, or canonical) is meant."""
        known = fields if type(fields) is template.Canonical else template.canonical(fields)
        if self.op == "and":
            return all(one.matches(known) for one in self.conditions)
        return any(one.matches(known) for one in self.conditions)


def parse(raw: object, *, field: str = "filters") -> Filter:
    """The filter that ``raw`` (any JSON value) says. Raises :class:`Invalid` with the dotted path at fault."""
    found, _ = _group(body.mapping(raw, field), field, depth=1, before=0)
    return found


def _group(sent: body.Body, field: str, *, depth: int, before: int) -> tuple[Filter, int]:
    """A group, and how many conditions there are with it; ``before`` is how many there were."""
    if depth > DEEPEST:
        raise Invalid(f"{field} is a group {depth} levels deep. There may be {DEEPEST} levels", field=field)
    op = _one_of(_OPS, sent.get("op", "and"), f"{field}.op")
    where = f"{field}.conditions"
    raw = sent.get("conditions")
    members = cast("list[object]", raw) if isinstance(raw, list) else []
    if not members:
        shown = "an empty list" if isinstance(raw, list) else body.shown(raw)
        text = f"{where} is {shown}. It takes a list of conditions and groups"
        raise Invalid(text, field=where)
    found: list[Condition | Filter] = []
    total = before
    for place, member in enumerate(members):
        at = f"{where}[{place}]"
        inner = body.mapping(member, at)
        if "conditions" in inner:
            group, total = _group(inner, at, depth=depth + 1, before=total)
            found.append(group)
        else:
            found.append(_condition(inner, at))
            total += 1
        if total > MOST_CONDITIONS:
            raise Invalid(f"{at} is condition {total}. There may be {MOST_CONDITIONS} in all", field=at)
    return Filter(op, tuple(found)), total


def _condition(sent: body.Body, field: str) -> Condition:
    column = template.key(body.name(sent.get("column"), f"{field}.column", longest=LONGEST_COLUMN))
    if not column:
        text = f"{field}.column is {body.shown(sent['column'])}, which names no column"
        raise Invalid(text, field=f"{field}.column")
    word = _one_of(_WORDS, sent.get("is"), f"{field}.is")
    return Condition(column, word, _values(sent.get("value"), word, f"{field}.value"))


def _values(raw: object, word: str, field: str) -> _Values:
    listed = _listed(raw, word, field)
    return _Values(
        listed,
        frozenset(one.number for one in listed if one.number is not None),
        tuple(one.date for one in listed if one.date is not None),
        frozenset(one.text for one in listed if one.number is None and one.date is None),
    )


def _listed(raw: object, word: str, field: str) -> tuple[_Value, ...]:
    if word in {"empty", "notEmpty"}:
        return ()
    if word not in {"in", "notIn", "between"}:
        return (_value(raw, field),)
    listed = cast("list[object]", raw) if isinstance(raw, list) else []
    least, most = (2, 2) if word == "between" else (1, MOST_VALUES)
    if not least <= len(listed) <= most:
        found = f"{len(listed)} values" if isinstance(raw, list) else body.shown(raw)
        takes = "a list of two values, the first and the last" if most == least else f"a list of 1 to {MOST_VALUES}"
        raise Invalid(f"{field} is {found}. {word} takes {takes}", field=field)
    return tuple(_value(one, f"{field}[{place}]") for place, one in enumerate(listed))


def _value(raw: object, field: str) -> _Value:
    text = _text(raw)
    if not text or len(text) > LONGEST_VALUE:
        text = (
            f"{field} is {body.shown(raw)}. It takes a text of 1 to {LONGEST_VALUE} characters, a number, true or false"
        )
        raise Invalid(text, field=field)
    number = _number(raw)
    return _Value(text, number, None if number is not None else _date(text))


def _one_of(known: Mapping[object, _Word], raw: object, field: str) -> _Word:
    found = known.get(raw) if isinstance(raw, str) else None
    if found is None:
        takes = ", ".join(str(word) for word in known)
        raise Invalid(f"{field} is {body.shown(raw)}. It takes one of: {takes}", field=field)
    return found


def _text(raw: object) -> str:
    return template.plain(raw).casefold()


def _number(raw: object) -> Decimal | None:
    if isinstance(raw, str):
        text = raw.strip()
        return Decimal(text) if _NUMBER(text) else None
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw - raw == 0:
        return Decimal(repr(raw))
    return None


def _date(text: str) -> _Date | None:
    text = text.upper()
    if not _DATE(text):
        return None
    try:
        if len(text) == _DAY:
            return _Date(date.fromisoformat(text).isoformat(), None)
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _Date(text[:_DAY], at if at.tzinfo else at.replace(tzinfo=UTC))


def _order(raw: object, value: _Value) -> int | None:
    """Below 0 when ``raw`` comes before ``value``, 0 when they are one, above 0 when after; None: of another kind."""
    text = _text(raw)
    if not text:
        return None
    if value.number is not None:
        number = _number(raw)
        return None if number is None else (number > value.number) - (number < value.number)
    if value.date is not None:
        found = _date(text)
        return None if found is None else found.against(value.date)
    return (text > value.text) - (text < value.text)


def _among(raw: object, values: _Values) -> bool:
    text = _text(raw)
    if not text or text in values.texts:
        return bool(text)
    number = _number(raw) if values.numbers else None
    if number is not None:
        return number in values.numbers
    found = _date(text) if values.dates else None
    return found is not None and any(found.against(one) == 0 for one in values.dates)


def _between(raw: object, values: _Values) -> bool:
    first, last = (_order(raw, one) for one in values.listed)
    return first is not None and last is not None and first >= 0 >= last


def _ordered(wanted: Callable[[int], bool]) -> Callable[[object, _Values], bool]:
    def test(raw: object, values: _Values) -> bool:
        order = _order(raw, values.listed[0])
        return order is not None and wanted(order)

    return test


_TESTS: dict[str, Callable[[object, _Values], bool]] = {
    "equals": _among,
    "notEquals": lambda raw, values: not _among(raw, values),
    "contains": lambda raw, values: values.listed[0].text in _text(raw),
    "startsWith": lambda raw, values: _text(raw).startswith(values.listed[0].text),
    "greater": _ordered(lambda order: order > 0),
    "greaterOrEqual": _ordered(lambda order: order >= 0),
    "less": _ordered(lambda order: order < 0),
    "lessOrEqual": _ordered(lambda order: order <= 0),
    "between": _between,
    "in": _among,
    "notIn": lambda raw, values: not _among(raw, values),
    "empty": lambda raw, _values: not _text(raw),
    "notEmpty": lambda raw, _values: bool(_text(raw)),
}
WORDS = tuple(_TESTS)
_WORDS: dict[object, str] = {word: word for word in WORDS}
