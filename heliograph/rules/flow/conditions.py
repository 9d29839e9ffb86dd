"""The conditions of a branch as a document writes them: one reader a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, hours, template
from heliograph.rules.flow import matching, nodes, values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HIGHEST = 10.0**15  # what a number in an answer is compared with


def read(raw: object, at: str) -> nodes.Case:
    """The case that ``raw`` describes: one condition, where it leads, what it is called. Raises :class:`Invalid`."""
    sent = body.mapping(raw, at)
    asked = [key for key in TESTS if key in sent]
    if len(asked) != 1:
        raise Invalid(f"{at} has {len(asked)} conditions. It takes one of: {', '.join(TESTS)}", field=at)
    for key in sent:
        if key not in {asked[0], "next", "label", "is"} or (key == "is" and asked[0] != "field"):
            raise Invalid(f"A case with {asked[0]} has no {key!r}", field=f"{at}.{key}")
    test = TESTS[asked[0]](sent, f"{at}.{asked[0]}")
    label = sent.get("label")
    named = (
        body.name(label, f"{at}.label", longest=values.LONGEST_NAME) if label is not None else _called(asked[0], sent)
    )
    return nodes.Case(test, values.to(sent, "next", at), named)


def _called(kind: str, sent: Mapping[str, object]) -> str:
    """What a case is called that has no label: its first word, or its kind."""
    first = (values.listed(sent[kind]) or [sent[kind]])[0]
    return str(first)[: values.LONGEST_NAME] if isinstance(first, str) else kind


def _words(sent: Mapping[str, object], at: str) -> tuple[str, ...]:
    value = sent[at.rpartition(".")[2]]
    listed = values.several(value)
    words = [template.plain(each) if values.is_number(each) else each for each in listed]
    if not words or not all(isinstance(each, str) and each.strip() for each in words):
        raise Invalid(f"{at} is {body.shown(value)}. It takes a word, or a list of words", field=at)
    return tuple(body.text(each, at, longest=values.LONGEST_NAME) for each in words)


def _pattern(sent: Mapping[str, object], at: str) -> matching.Test:
    return matching.pattern(body.text(sent["pattern"], at, longest=values.LONGEST_TEXT // 10), field=at)


def _range(sent: Mapping[str, object], at: str) -> matching.Test:
    value = sent["number"]
    ends = values.listed(value)
    good = [end is None or (values.is_number(end) and abs(cast("float", end)) <= HIGHEST) for end in ends]
    if len(ends) != 2 or not all(good):  # noqa: PLR2004  # a range has two ends
        raise Invalid(f"{at} is {body.shown(value)}. It takes two numbers such as [1, 20], or null for none", field=at)
    low, high = (None if end is None else float(cast("float", end)) for end in ends)
    return matching.Number(low, high)


def _field(sent: Mapping[str, object], at: str) -> matching.Test:
    wanted = sent.get("is")
    found = values.several(wanted)
    if not all(isinstance(each, str | bool) or values.is_number(each) for each in found):
        place = f"{at.rpartition('.')[0]}.is"
        raise Invalid(f"{place} is {body.shown(wanted)}. It takes a word, or a list of words", field=place)
    name = body.name(sent["field"], at, longest=values.LONGEST_NAME)
    return matching.Field(name, tuple(template.plain(each) for each in found))


TESTS: dict[str, Callable[[Mapping[str, object], str], matching.Test]] = {
    "any_word": lambda sent, at: matching.AnyWord(_words(sent, at)),
    "all_words": lambda sent, at: matching.AllWords(_words(sent, at)),
    "only": lambda sent, at: matching.Only(_words(sent, at)),
    "pattern": _pattern,
    "number": _range,
    "field": _field,
    "open": lambda sent, at: matching.Open(hours.parse(sent["open"], field=at)),
}
