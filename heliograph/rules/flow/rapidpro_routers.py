"""What RapidPro's routers are here: a wait, a branch, a split, or the two ways out of a webhook or a flow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body
from heliograph.rules.flow import expressions, matching, values
from heliograph.rules.flow.rapidpro_actions import FOLLOW, Piece, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.expressions import Names
    from heliograph.rules.flow.foreign import Findings

INPUT = frozenset({"@input.text", "@input", "@(input.text)", "@input.value"})
EMAIL = r"[^\s@]+@[^\s@]+\.[^\s@]+"
PHONE = r"\+?[0-9][0-9 ().-]{5,18}[0-9]"
TINY = 0.000001  # numbers in answers are read to this: below 5 is 4.999999 at most
_FIELD = re.compile(r"@(?:contact\.)?fields\.(\w+)").fullmatch
_CHILD = re.compile(r"@\(?child\.(?:run\.)?status\)?").fullmatch
_STATUS = re.compile(r"@\(?(?:default\()?(?:webhook\.status|results\.(\w+)(?:\.category|\.value)?)[^.]*").fullmatch


@dataclass(frozen=True, slots=True)
class Switch:
    """A router, where its node's exits lead, and the whole flow as text."""

    sent: Mapping[str, object]
    exits: Mapping[str, str | None]
    used: str

    def categories(self) -> dict[str, tuple[str, str | None]]:
        """Each category's name, and the node it leads to."""
        found: dict[str, tuple[str, str | None]] = {}
        for raw in values.listed(self.sent.get("categories")):
            each = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
            found[str(each.get("uuid"))] = (str(each.get("name", "")), self.exits.get(str(each.get("exit_uuid"))))
        return found

    @property
    def default(self) -> str | None:
        """Where whatever no case holds for goes."""
        return self.categories().get(str(self.sent.get("default_category_uuid")), ("", None))[1]

    def cases(self) -> list[dict[str, object]]:
        """The cases."""
        return [
            cast("dict[str, object]", each) for each in values.listed(self.sent.get("cases")) if isinstance(each, dict)
        ]


def read(switch: Switch, found: list[Piece], names: Names, findings: Findings) -> str | None:
    """Add our nodes for a router to those of its node's actions; what follows the last of them."""
    kind = switch.sent.get("type")
    if kind == "random":
        _split(switch, found)
        return None
    if kind != "switch":
        findings.refuse(f"router {body.shown(kind)}")
        return switch.default
    wait = switch.sent.get("wait")
    if isinstance(wait, dict):
        return _wait(switch, cast("dict[str, object]", wait), found, names, findings)
    return _expression(switch, found, names, findings)


def _expression(switch: Switch, found: list[Piece], names: Names, findings: Findings) -> str | None:
    """A router that waits for nobody: how the action before it went, or a branch."""
    operand = str(switch.sent.get("operand", ""))
    last = found[-1] if found else {}
    if last.get("type") == "webhook" and _STATUS(operand):
        return _called(switch, last)
    if last.get("type") == "flow" and _CHILD(operand):
        findings.note("the way for a flow that expired is left out: a conversation that expires in another is over")
        return _succeeded(switch)
    if last.get("type") == "handoff":
        return None
    return _branch(switch, found, names, findings)


def time(seconds: float) -> str:
    """A number of seconds as documents write it."""
    whole = max(1, round(seconds))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def _split(switch: Switch, found: list[Piece]) -> None:
    weights: dict[str, int] = {}
    for raw in values.listed(switch.sent.get("categories")):
        each = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
        key = str(each.get("exit_uuid"))
        weights[key] = weights.get(key, 0) + 1
    ways: list[object] = [{"next": Way(switch.exits.get(key)), "weight": weight} for key, weight in weights.items()]
    if len(ways) == 1:  # both the same: no choice
        ways *= 2
    if ways:
        found.append({"type": "split", "ways": ways})


def _wait(
    switch: Switch, wait: Mapping[str, object], found: list[Piece], names: Names, findings: Findings
) -> str | None:
    if wait.get("type") != "msg":
        findings.refuse(f"wait {body.shown(wait.get('type'))}")
    if wait.get("hint"):
        findings.refuse("wait", "for something that is no text is not supported")
    result = switch.sent.get("result_name")
    piece: Piece = {"type": "wait", "save": expressions.slug(str(result)) if result else None, "next": FOLLOW}
    timeout = wait.get("timeout")
    if isinstance(timeout, dict):
        given = cast("dict[str, object]", timeout)
        seconds = given.get("seconds")
        piece["timeout"] = time(min(seconds, 90 * 86400) if isinstance(seconds, int | float) else 3600)
        piece["on_timeout"] = Way(switch.categories().get(str(given.get("category_uuid")), ("", None))[1])
    found.append(piece)
    return _branch(switch, found, names, findings)


def _called(switch: Switch, webhook: Piece) -> str | None:
    webhook["failed"] = Way(switch.default)
    return _succeeded(switch)


def _succeeded(switch: Switch) -> str | None:
    """The way of the first case, which in these routers is that it went well."""
    for case in switch.cases():
        return switch.categories().get(str(case.get("category_uuid")), ("", None))[1]
    return switch.default


def _branch(switch: Switch, found: list[Piece], names: Names, findings: Findings) -> str | None:
    """Without a case that is supported there is nothing to choose: then it leads where its default does."""
    operand = str(switch.sent.get("operand", "@input.text"))
    field = _FIELD(operand)
    categories = switch.categories()
    cases: list[Piece] = []
    at = findings.place
    for place, case in enumerate(switch.cases()):
        findings.place = f"{at}.cases[{place}]"
        test = _test(case, field[1] if field else None, findings)
        if test is None:
            continue
        label, goes = categories.get(str(case.get("category_uuid")), ("", None))
        _add(cases, test, label, goes)
    findings.place = at
    if not cases:
        return switch.default
    piece: Piece = {"type": "branch", "cases": cases, "otherwise": Way(switch.default)}
    if operand not in INPUT and not all("field" in case for case in cases):
        piece["on"] = expressions.to_placeholders(operand, names, findings.refuse)
    result = switch.sent.get("result_name")
    if result:
        key = f"{expressions.slug(str(result))}.category"
        piece["save"] = key if f"results.{key}" in switch.used.casefold() else None
    found.append(piece)
    return None


def _add(cases: list[Piece], test: Piece, name: str, goes: str | None) -> None:
    """Another case, or more words for the one before it, if both mean the same."""
    label = " ".join(name.split())[: values.LONGEST_NAME] or None
    key = next(iter(test))
    last = cases[-1] if cases else {}
    same = last.get("label") == label and last.get("next") == Way(goes) and key in last
    for words in ("any_word", "only") if key != "field" else ("is",):
        if same and words in test and words in last:
            last[words] = [*cast("list[object]", last[words]), *cast("list[object]", test[words])]
            return
    cases.append(test | {"label": label, "next": Way(goes)})


def _test(case: Mapping[str, object], field: str | None, findings: Findings) -> Piece | None:
    kind = str(case.get("type"))
    written = [str(each) for each in values.listed(case.get("arguments"))]
    computed: list[str] = []
    given = [expressions.to_placeholders(each, expressions.Names(), computed.append) for each in written]
    maker = _TESTS.get(kind)
    if computed or ("{{" in "".join(given) and "{{" not in "".join(written)):
        findings.refuse(kind, f"with {body.shown(written[0])} is not supported: write the words themselves")
        return None
    if field is not None and kind in {"has_only_text", "has_text"}:
        return {"field": field, "is": given} if kind == "has_only_text" else {"field": field}
    test = None if maker is None else maker(given)
    if test is not None and "pattern" in test:
        try:
            matching.pattern(str(test["pattern"]), field="pattern")
        except Invalid as error:
            findings.refuse(kind, f"is not supported: {error}")
            return None
    if test is None:
        findings.refuse(kind, "is not supported" if maker is None else f"with {given} is not supported")
    elif kind in _NEARLY:
        findings.note(f"{kind} is the expression {test['pattern']} here")
    return test


_NEARLY = {"has_email", "has_phone"}


def _words(key: str) -> Callable[[list[str]], Piece | None]:
    return lambda given: {key: given[0].split()} if given and given[0].split() else None


def _phrase(key: str) -> Callable[[list[str]], Piece | None]:
    return lambda given: {key: [given[0].strip()]} if given and given[0].strip() else None


def _number(low: float | None, high: float | None) -> Callable[[list[str]], Piece | None]:
    """A range of one number that is given; None: an end without one, else by how much it is off."""

    def maker(given: list[str]) -> Piece | None:
        try:
            number = float(given[0]) if given else 0.0
        except ValueError:
            return None
        ends = [None if off is None else _short(round(number + off, 6)) for off in (low, high)]
        return {"number": ends} if given else None

    return maker


def _between(given: list[str]) -> Piece | None:
    try:
        return {"number": [_short(float(each)) for each in given]} if len(given) == 2 else None  # noqa: PLR2004
    except ValueError:
        return None


def _short(number: float) -> float:
    return int(number) if number.is_integer() else number


_TESTS: dict[str, Callable[[list[str]], Piece | None]] = {
    "has_any_word": _words("any_word"),
    "has_all_words": _words("all_words"),
    "has_phrase": _phrase("any_word"),
    "has_only_phrase": _phrase("only"),
    "has_only_text": _phrase("only"),
    "has_category": lambda given: {"only": given} if given else None,
    "has_beginning": lambda given: {"pattern": rf"^\s*{re.escape(given[0])}"} if given else None,
    "has_pattern": lambda given: {"pattern": given[0]} if given else None,
    "has_text": lambda _: {"pattern": r"\S"},
    "has_email": lambda _: {"pattern": EMAIL},
    "has_phone": lambda _: {"pattern": PHONE},
    "has_number": lambda _: {"number": [None, None]},
    "has_number_between": _between,
    "has_number_eq": _number(0, 0),
    "has_number_lte": _number(None, 0),
    "has_number_lt": _number(None, -TINY),
    "has_number_gte": _number(0, None),
    "has_number_gt": _number(TINY, None),
}
TESTS = tuple(_TESTS)
"""The tests that are supported."""
