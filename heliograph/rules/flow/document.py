"""A flow as a document: read and checked, each fault with its place; and told again as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, hours, template
from heliograph.rules.flow import matching, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.nodes import Node

FORMAT = 1
MOST_NODES = 1000
MOST_CASES = 100
LONGEST_TEXT = 5000
LONGEST_NAME = 100
EXPIRES = timedelta(days=3)
LONGEST_TIME = timedelta(days=90)
METHODS = ("GET", "POST", "PUT", "PATCH")
MOST_RETRIES = 5
LONGEST_CALL_S = 30.0

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}").fullmatch
_TIME = re.compile(r"([0-9]{1,6}) ?(s|m|h|d)").fullmatch
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow, read and checked. ``document`` is what it was read from."""

    name: str
    start: str
    nodes: Mapping[str, Node]
    expires: timedelta
    language: str
    document: Mapping[str, object]


def read(raw: object) -> Flow:
    """The flow that a document (JSON, or YAML that was read) describes.

    Raises :class:`Invalid` with the path of what is wrong, the value found and what is accepted.
    """
    body.storable(raw)
    sent = body.mapping(raw, "")
    if sent.get("flow", FORMAT) != FORMAT:
        raise Invalid(f"flow is {body.shown(sent.get('flow'))}. This Heliograph reads format {FORMAT}", field="flow")
    name = body.name(sent.get("name"), "name", longest=LONGEST_NAME)
    listed = body.mapping(sent.get("nodes"), "nodes")
    if not 0 < len(listed) <= MOST_NODES:
        raise Invalid(f"nodes has {len(listed)} nodes. It takes 1 to {MOST_NODES}", field="nodes")
    found = {_id(key, "nodes"): _node(value, f"nodes.{key}") for key, value in listed.items()}
    start = sent.get("start", next(iter(found)))
    flow = Flow(
        name,
        body.text(start, "start", longest=LONGEST_NAME),
        found,
        _time(sent["expires"], "expires") if "expires" in sent else EXPIRES,
        body.text(sent.get("language", "en"), "language", longest=LONGEST_NAME),
        sent,
    )
    _check_ways(flow)
    return flow


def ways(node: Node) -> list[tuple[str, str | None]]:
    """Every way out of a node: what it is called in the document, and the node it leads to (None: the end)."""
    match node:
        case nodes.Wait():
            timed = [("on_timeout", node.on_timeout)] if node.timeout is not None else []
            return [("next", node.next), *timed]
        case nodes.Branch():
            found = [(f"cases[{place}].next", case.next) for place, case in enumerate(node.cases)]
            found.append(("otherwise", node.otherwise))
            return [*found, ("then", node.then)] if node.most is not None else found
        case nodes.Split():
            return [(f"ways[{place}].next", way) for place, (way, _) in enumerate(node.ways)]
        case nodes.Webhook():
            return [("next", node.next), ("failed", node.failed)]
        case nodes.End() | nodes.HandOff():
            return []
        case _:
            return [("next", node.next)]


def _check_ways(flow: Flow) -> None:
    places = [("start", flow.start)]
    places += [
        (f"nodes.{key}.{way}", to) for key, node in flow.nodes.items() for way, to in ways(node) if to is not None
    ]
    for place, to in places:
        if to not in flow.nodes:
            raise Invalid(f"{place} is {to!r}, and there is no node of that name", field=place)


# ---------------------------------------------------------------- one reader a kind of node


def _node(raw: object, at: str) -> Node:
    sent = body.mapping(raw, at)
    kind = sent.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        accepted = ", ".join(_READERS)
        raise Invalid(f"{at}.type is {body.shown(kind)}. It takes one of: {accepted}", field=f"{at}.type")
    read_it, allowed = reader
    for key in sent:
        if key not in {"type", "label", "x", "y", *allowed}:
            text = f"A {kind} node has no {key!r}; it has: {', '.join(sorted(allowed))}"
            raise Invalid(text, field=f"{at}.{key}")
    return read_it(sent, at)


def _send(sent: Mapping[str, object], at: str) -> Node:
    named = sent.get("template")
    if named is not None:
        name = body.name(named, f"{at}.template", longest=LONGEST_NAME)
        return nodes.Send(template.compile_text(""), "", _to(sent, "next", at), name)
    source = body.text(sent.get("text"), f"{at}.text", longest=LONGEST_TEXT)
    if not source.strip():
        raise Invalid(f"{at}.text is blank. It takes the words to send", field=f"{at}.text")
    return nodes.Send(template.compile_text(source, field=f"{at}.text"), source, _to(sent, "next", at))


def _wait(sent: Mapping[str, object], at: str) -> Node:
    after = sent.get("next")
    if after is None:
        raise Invalid(f"{at}.next is missing. It takes the node that an answer leads to", field=f"{at}.next")
    timeout = None if sent.get("timeout") is None else _time(sent["timeout"], f"{at}.timeout")
    on_timeout = _to(sent, "on_timeout", at)
    if timeout is None and on_timeout is not None:
        raise Invalid(f"{at}.timeout is missing. It takes a time such as 24h", field=f"{at}.timeout")
    return nodes.Wait(_id(after, f"{at}.next"), _save(sent, at), timeout, on_timeout)


def _branch(sent: Mapping[str, object], at: str) -> Node:
    listed = _listed(sent.get("cases"))
    if not 0 < len(listed) <= MOST_CASES:
        text = f"{at}.cases is {body.shown(sent.get('cases'))}. It takes a list of 1 to {MOST_CASES}"
        raise Invalid(text, field=f"{at}.cases")
    cases = tuple(_case(each, f"{at}.cases[{n}]") for n, each in enumerate(listed))
    most = sent.get("max")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 0 < most <= MOST_CASES):
        raise Invalid(f"{at}.max is {body.shown(most)}. It takes 1 to {MOST_CASES}", field=f"{at}.max")
    on = None if sent.get("on") is None else _template(sent["on"], f"{at}.on")
    return nodes.Branch(cases, _to(sent, "otherwise", at), on, most, _to(sent, "then", at))


def _split(sent: Mapping[str, object], at: str) -> Node:
    listed = _listed(sent.get("ways"))
    if len(listed) < 2:  # noqa: PLR2004  # one is no choice
        text = f"{at}.ways is {body.shown(sent.get('ways'))}. It takes a list of two or more"
        raise Invalid(text, field=f"{at}.ways")
    found: list[tuple[str | None, float]] = []
    for n, each in enumerate(listed):
        way, place = body.mapping(each, f"{at}.ways[{n}]"), f"{at}.ways[{n}].weight"
        weight = way.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1_000_000:  # noqa: PLR2004
            raise Invalid(f"{place} is {body.shown(weight)}. It takes a number above 0", field=place)
        found.append((_to(way, "next", f"{at}.ways[{n}]"), float(weight)))
    return nodes.Split(tuple(found))


def _set(sent: Mapping[str, object], at: str) -> Node:
    name = body.name(sent.get("field"), f"{at}.field", longest=LONGEST_NAME)
    return nodes.Set(name, _template(sent.get("value"), f"{at}.value"), _to(sent, "next", at))


def _webhook(sent: Mapping[str, object], at: str) -> Node:
    method = str(sent.get("method", "POST")).upper()
    if method not in METHODS:
        text = f"{at}.method is {body.shown(sent.get('method'))}. It takes one of: {', '.join(METHODS)}"
        raise Invalid(text, field=f"{at}.method")
    sending = sent.get("body")
    return nodes.Webhook(
        _template(sent.get("url"), f"{at}.url"),
        method,
        _templates(sent.get("headers", {}), f"{at}.headers"),
        None if sending is None else _templates(sending, f"{at}.body"),
        _save(sent, at),
        _number(sent.get("timeout_s", 10), f"{at}.timeout_s", 1, LONGEST_CALL_S),
        int(_number(sent.get("retries", 2), f"{at}.retries", 0, MOST_RETRIES)),
        _to(sent, "next", at),
        _to(sent, "failed", at),
    )


def _list(add: bool) -> Callable[[Mapping[str, object], str], Node]:  # noqa: FBT001  # which of two nodes it reads
    def reader(sent: Mapping[str, object], at: str) -> Node:
        name = body.name(sent.get("list"), f"{at}.list", longest=LONGEST_NAME)
        return nodes.ListChange(name, add, _to(sent, "next", at))

    return reader


def _opt(out: bool) -> Callable[[Mapping[str, object], str], Node]:  # noqa: FBT001  # as above
    return lambda sent, at: nodes.Opt(out, _to(sent, "next", at))


def _handoff(sent: Mapping[str, object], at: str) -> Node:
    team = None if sent.get("team") is None else body.name(sent["team"], f"{at}.team", longest=LONGEST_NAME)
    return nodes.HandOff(_template(sent.get("note", ""), f"{at}.note"), team)


def _go(sent: Mapping[str, object], at: str) -> Node:
    return nodes.Go(body.name(sent.get("flow"), f"{at}.flow", longest=LONGEST_NAME), _to(sent, "next", at))


def _delay(sent: Mapping[str, object], at: str) -> Node:
    return nodes.Delay(_time(sent.get("for"), f"{at}.for"), _to(sent, "next", at))


def _end(sent: Mapping[str, object], at: str) -> Node:
    return nodes.End(body.name(sent.get("result", "completed"), f"{at}.result", longest=LONGEST_NAME))


_READERS: dict[str, tuple[Callable[[Mapping[str, object], str], Node], frozenset[str]]] = {
    "send": (_send, frozenset({"text", "template", "next"})),
    "wait": (_wait, frozenset({"next", "save", "timeout", "on_timeout"})),
    "branch": (_branch, frozenset({"cases", "otherwise", "on", "max", "then"})),
    "split": (_split, frozenset({"ways"})),
    "set": (_set, frozenset({"field", "value", "next"})),
    "webhook": (
        _webhook,
        frozenset({"url", "method", "headers", "body", "save", "timeout_s", "retries", "next", "failed"}),
    ),
    "list_add": (_list(add=True), frozenset({"list", "next"})),
    "list_remove": (_list(add=False), frozenset({"list", "next"})),
    "opt_out": (_opt(out=True), frozenset({"next"})),
    "opt_in": (_opt(out=False), frozenset({"next"})),
    "handoff": (_handoff, frozenset({"note", "team"})),
    "flow": (_go, frozenset({"flow", "next"})),
    "delay": (_delay, frozenset({"for", "next"})),
    "end": (_end, frozenset({"result"})),
}
KINDS = tuple(_READERS)
"""What a node's ``type`` can be."""


# ---------------------------------------------------------------- conditions


def _case(raw: object, at: str) -> nodes.Case:
    sent = body.mapping(raw, at)
    asked = [key for key in _TESTS if key in sent]
    if len(asked) != 1:
        raise Invalid(f"{at} has {len(asked)} conditions. It takes one of: {', '.join(_TESTS)}", field=at)
    for key in sent:
        if key not in {asked[0], "next", "label", "is"} or (key == "is" and asked[0] != "field"):
            raise Invalid(f"A case with {asked[0]} has no {key!r}", field=f"{at}.{key}")
    test = _TESTS[asked[0]](sent, f"{at}.{asked[0]}")
    label = sent.get("label")
    named = body.name(label, f"{at}.label", longest=LONGEST_NAME) if label is not None else _called(asked[0], sent)
    return nodes.Case(test, _to(sent, "next", at), named)


def _called(kind: str, sent: Mapping[str, object]) -> str:
    """What a case is called that has no label: its first word, or its kind."""
    first = (_listed(sent[kind]) or [sent[kind]])[0]
    return str(first)[:LONGEST_NAME] if isinstance(first, str) else kind


def _words(sent: Mapping[str, object], at: str) -> tuple[str, ...]:
    value = sent[at.rpartition(".")[2]]
    listed = [value] if isinstance(value, str) else _listed(value)
    if not listed or not all(isinstance(each, str) and each.strip() for each in listed):
        raise Invalid(f"{at} is {body.shown(value)}. It takes a word, or a list of words", field=at)
    return tuple(body.text(each, at, longest=LONGEST_NAME) for each in listed)


def _pattern(sent: Mapping[str, object], at: str) -> matching.Test:
    return matching.pattern(body.text(sent["pattern"], at, longest=LONGEST_TEXT // 10), field=at)


def _range(sent: Mapping[str, object], at: str) -> matching.Test:
    value = sent["number"]
    ends = _listed(value)
    good = [end is None or (isinstance(end, int | float) and not isinstance(end, bool)) for end in ends]
    if len(ends) != 2 or not all(good):  # noqa: PLR2004  # a range has two ends
        raise Invalid(f"{at} is {body.shown(value)}. It takes two numbers such as [1, 20], or null for none", field=at)
    low, high = (None if end is None else float(cast("float", end)) for end in ends)
    return matching.Number(low, high)


def _field(sent: Mapping[str, object], at: str) -> matching.Test:
    values = sent.get("is")
    listed = _listed(values) or ([] if values is None else [values])
    return matching.Field(body.name(sent["field"], at, longest=LONGEST_NAME), tuple(template.plain(v) for v in listed))


_TESTS: dict[str, Callable[[Mapping[str, object], str], matching.Test]] = {
    "any_word": lambda sent, at: matching.AnyWord(_words(sent, at)),
    "all_words": lambda sent, at: matching.AllWords(_words(sent, at)),
    "only": lambda sent, at: matching.Only(_words(sent, at)),
    "pattern": _pattern,
    "number": _range,
    "field": _field,
    "open": lambda sent, at: matching.Open(hours.parse(sent["open"], field=at)),
}


# ---------------------------------------------------------------- values


def _listed(value: object) -> list[object]:
    """``value`` if it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def _id(value: object, at: str) -> str:
    if not isinstance(value, str) or not _ID(value):
        text = f"{at} has {body.shown(value)}. A node's name takes letters, digits, _, - and ., at most 64"
        raise Invalid(text, field=at)
    return value


def _to(sent: Mapping[str, object], key: str, at: str) -> str | None:
    value = sent.get(key)
    return None if value is None else _id(value, f"{at}.{key}")


def _save(sent: Mapping[str, object], at: str) -> str | None:
    value = sent.get("save")
    return None if value is None else body.name(value, f"{at}.save", longest=LONGEST_NAME)


def _template(value: object, at: str) -> template.Template:
    return template.compile_text(body.text(value, at, longest=LONGEST_TEXT), field=at)


def _templates(value: object, at: str) -> dict[str, template.Template]:
    return {key: _template(each, f"{at}.{key}") for key, each in body.mapping(value, at).items()}


def _number(value: object, at: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Invalid(f"{at} is {body.shown(value)}. It takes {low:g} to {high:g}", field=at)
    return float(value)


def _time(value: object, at: str) -> timedelta:
    found = _TIME(value.strip()) if isinstance(value, str) else None
    long = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < long <= LONGEST_TIME:
        text = f"{at} is {body.shown(value)}. It takes a time such as 30m, 24h or 3d, at most {LONGEST_TIME.days}d"
        raise Invalid(text, field=at)
    return long
