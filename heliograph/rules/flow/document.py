"""A flow as a document: read and checked, each fault with its place; and told again as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body, template
from heliograph.rules.flow import conditions, nodes, values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.nodes import Node

FORMAT = 1
MOST_NODES = 1000
MOST_CASES = 100
LONGEST_NAME = values.LONGEST_NAME
EXPIRES = timedelta(days=3)
METHODS = ("GET", "POST", "PUT", "PATCH")
MOST_RETRIES = 5
LONGEST_CALL_S = 30.0
TOP = ("flow", "name", "description", "language", "expires", "start", "nodes")
"""What stands at the top of a document, in the order it is written in; and whatever begins with ``x_``."""
SHOWN = ("type", "label", "x", "y")  # what any node may have, for those who look at it


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
    for key in sent:
        if key not in TOP and not key.startswith("x_"):
            raise Invalid(f"A flow has no {key!r}; it has: {', '.join(TOP)}", field=key)
    name = body.name(sent.get("name"), "name", longest=values.LONGEST_NAME)
    listed = body.mapping(sent.get("nodes"), "nodes")
    if not 0 < len(listed) <= MOST_NODES:
        raise Invalid(f"nodes has {len(listed)} nodes. It takes 1 to {MOST_NODES}", field="nodes")
    found = {values.node_id(key, "nodes"): _node(value, f"nodes.{key}") for key, value in listed.items()}
    start = sent.get("start", next(iter(found)))
    flow = Flow(
        name,
        body.text(start, "start", longest=values.LONGEST_NAME),
        found,
        values.time(sent["expires"], "expires") if "expires" in sent else EXPIRES,
        body.text(sent.get("language", "en"), "language", longest=values.LONGEST_NAME),
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
        if key not in {*SHOWN, *allowed}:
            text = f"A {kind} node has no {key!r}; it has: {', '.join(sorted(allowed))}"
            raise Invalid(text, field=f"{at}.{key}")
    return read_it(sent, at)


def _send(sent: Mapping[str, object], at: str) -> Node:
    named = sent.get("template")
    if named is not None:
        name = body.name(named, f"{at}.template", longest=values.LONGEST_NAME)
        return nodes.Send(template.compile_text(""), "", values.to(sent, "next", at), name)
    source = body.text(sent.get("text"), f"{at}.text", longest=values.LONGEST_TEXT)
    if not source.strip():
        raise Invalid(f"{at}.text is blank. It takes the words to send", field=f"{at}.text")
    return nodes.Send(template.compile_text(source, field=f"{at}.text"), source, values.to(sent, "next", at))


def _wait(sent: Mapping[str, object], at: str) -> Node:
    after = sent.get("next")
    if after is None:
        raise Invalid(f"{at}.next is missing. It takes the node that an answer leads to", field=f"{at}.next")
    timeout = None if sent.get("timeout") is None else values.time(sent["timeout"], f"{at}.timeout")
    on_timeout = values.to(sent, "on_timeout", at)
    if timeout is None and on_timeout is not None:
        raise Invalid(f"{at}.timeout is missing. It takes a time such as 24h", field=f"{at}.timeout")
    return nodes.Wait(values.node_id(after, f"{at}.next"), values.save(sent, at), timeout, on_timeout)


def _branch(sent: Mapping[str, object], at: str) -> Node:
    listed = values.listed(sent.get("cases"))
    if not 0 < len(listed) <= MOST_CASES:
        text = f"{at}.cases is {body.shown(sent.get('cases'))}. It takes a list of 1 to {MOST_CASES}"
        raise Invalid(text, field=f"{at}.cases")
    cases = tuple(conditions.read(each, f"{at}.cases[{n}]") for n, each in enumerate(listed))
    most = sent.get("max")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 0 < most <= MOST_CASES):
        raise Invalid(f"{at}.max is {body.shown(most)}. It takes 1 to {MOST_CASES}", field=f"{at}.max")
    on = None if sent.get("on") is None else values.read_template(sent["on"], f"{at}.on")
    otherwise, then = values.to(sent, "otherwise", at), values.to(sent, "then", at)
    return nodes.Branch(cases, otherwise, on, most, then, values.save(sent, at))


def _split(sent: Mapping[str, object], at: str) -> Node:
    listed = values.listed(sent.get("ways"))
    if len(listed) < 2:  # noqa: PLR2004  # one is no choice
        text = f"{at}.ways is {body.shown(sent.get('ways'))}. It takes a list of two or more"
        raise Invalid(text, field=f"{at}.ways")
    found: list[tuple[str | None, float]] = []
    for n, each in enumerate(listed):
        way, place = body.mapping(each, f"{at}.ways[{n}]"), f"{at}.ways[{n}].weight"
        weight = way.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1_000_000:  # noqa: PLR2004
            raise Invalid(f"{place} is {body.shown(weight)}. It takes a number above 0", field=place)
        found.append((values.to(way, "next", f"{at}.ways[{n}]"), float(weight)))
    return nodes.Split(tuple(found))


def _set(sent: Mapping[str, object], at: str) -> Node:
    name = body.name(sent.get("field"), f"{at}.field", longest=values.LONGEST_NAME)
    return nodes.Set(name, values.read_template(sent.get("value"), f"{at}.value"), values.to(sent, "next", at))


def _webhook(sent: Mapping[str, object], at: str) -> Node:
    method = str(sent.get("method", "POST")).upper()
    if method not in METHODS:
        text = f"{at}.method is {body.shown(sent.get('method'))}. It takes one of: {', '.join(METHODS)}"
        raise Invalid(text, field=f"{at}.method")
    sending = sent.get("body")
    return nodes.Webhook(
        values.read_template(sent.get("url"), f"{at}.url"),
        method,
        values.read_templates(sent.get("headers", {}), f"{at}.headers"),
        None if sending is None else values.read_templates(sending, f"{at}.body"),
        values.save(sent, at),
        values.number(sent.get("timeout_s", 10), f"{at}.timeout_s", 1, LONGEST_CALL_S),
        int(values.number(sent.get("retries", 2), f"{at}.retries", 0, MOST_RETRIES)),
        values.to(sent, "next", at),
        values.to(sent, "failed", at),
    )


def _list(add: bool) -> Callable[[Mapping[str, object], str], Node]:  # noqa: FBT001  # which of two nodes it reads
    def reader(sent: Mapping[str, object], at: str) -> Node:
        name = body.name(sent.get("list"), f"{at}.list", longest=values.LONGEST_NAME)
        return nodes.ListChange(name, add, values.to(sent, "next", at))

    return reader


def _opt(out: bool) -> Callable[[Mapping[str, object], str], Node]:  # noqa: FBT001  # as above
    return lambda sent, at: nodes.Opt(out, values.to(sent, "next", at))


def _handoff(sent: Mapping[str, object], at: str) -> Node:
    team = None if sent.get("team") is None else body.name(sent["team"], f"{at}.team", longest=values.LONGEST_NAME)
    return nodes.HandOff(values.read_template(sent.get("note", ""), f"{at}.note"), team)


def _go(sent: Mapping[str, object], at: str) -> Node:
    return nodes.Go(body.name(sent.get("flow"), f"{at}.flow", longest=values.LONGEST_NAME), values.to(sent, "next", at))


def _delay(sent: Mapping[str, object], at: str) -> Node:
    return nodes.Delay(values.time(sent.get("for"), f"{at}.for"), values.to(sent, "next", at))


def _end(sent: Mapping[str, object], at: str) -> Node:
    return nodes.End(body.name(sent.get("result", "completed"), f"{at}.result", longest=values.LONGEST_NAME))


_READERS: dict[str, tuple[Callable[[Mapping[str, object], str], Node], frozenset[str]]] = {
    "send": (_send, frozenset({"text", "template", "next"})),
    "wait": (_wait, frozenset({"next", "save", "timeout", "on_timeout"})),
    "branch": (_branch, frozenset({"cases", "otherwise", "on", "max", "then", "save"})),
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
NODE_KEYS = {kind: allowed for kind, (_, allowed) in _READERS.items()}
"""What a node of each kind can have, besides what any may have."""
