"""What is likely wrong with a flow: dead ends, loops that never wait, costly texts, names that nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.rules import parts, template
from heliograph.rules.flow import document, nodes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.nodes import Node

MOST_PARTS = 3  # parts of one text before it is called costly
PAUSES = (nodes.Wait, nodes.Delay, nodes.HandOff, nodes.End)  # a service's answer is no pause: it comes at once


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. ``fault``: the flow may not be published with it; else it is advice."""

    node: str
    kind: str
    words: str
    fault: bool


def lint(flow: Flow, *, fields: Collection[str] | None = None, flows: Collection[str] | None = None) -> list[Finding]:
    """Every finding, in the order of the nodes.

    ``fields``: the columns that contacts have, ``flows``: the names of the flows there are; None: not known, so not
    looked at.
    """
    reached = _reached(flow, flow.start)
    found: list[Finding] = []
    looping = _looping(flow)
    known = None if fields is None else {template.key(name) for name in fields} | _made(flow) | {"answer"}
    for key, node in flow.nodes.items():
        if key not in reached:
            found.append(Finding(key, "unreachable", f"Nothing leads to {key}", fault=False))
        if key in looping:
            words = f"{key} comes back to itself without waiting for anything"
            found.append(Finding(key, "loop", words, fault=True))
        found += _dead_ends(key, node)
        found += _costly(key, node)
        if known is not None:
            found += [
                Finding(
                    key, "missing field", f"{key} uses {{{{{name}}}}}, which no contact and no answer has", fault=False
                )
                for name in sorted(_used(node) - known)
                if not name.startswith("context.")
            ]
        if flows is not None and isinstance(node, nodes.Go) and node.flow not in flows:
            found.append(
                Finding(key, "missing flow", f"{key} goes to {node.flow}, and there is no such flow", fault=True)
            )
    return found


def _reached(flow: Flow, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += [to for _, to in document.ways(flow.nodes[key]) if to is not None]
    return reached


def _looping(flow: Flow) -> set[str]:
    """The nodes that can be come back to without a pause in between."""
    passing = {key: _next(node) for key, node in flow.nodes.items() if not isinstance(node, PAUSES)}
    return {key for key in passing if key in _walk(passing, passing[key])}


def _walk(passing: Mapping[str, list[str]], start: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += passing.get(key, [])
    return seen


def _next(node: Node) -> list[str]:
    """Where a node leads at once. A branch that counts cannot go round for ever by its ``otherwise``."""
    ways = document.ways(node)
    if isinstance(node, nodes.Branch) and node.most is not None:
        ways = [(name, to) for name, to in ways if name != "otherwise"]
    return [to for _, to in ways if to is not None]


def _dead_ends(key: str, node: Node) -> list[Finding]:
    """Ways that end the conversation without a word of it in the document."""
    if isinstance(node, nodes.Branch):
        names = [name for name, to in document.ways(node) if to is None]
    elif isinstance(node, nodes.Webhook) and node.failed is None:
        names = ["failed"]
    elif isinstance(node, nodes.Wait) and node.timeout is not None and node.on_timeout is None:
        names = ["on_timeout"]
    else:
        names = []
    return [
        Finding(key, "dead end", f"{key}.{name} leads nowhere: the conversation ends there", fault=False)
        for name in names
    ]


def _costly(key: str, node: Node) -> list[Finding]:
    if not isinstance(node, nodes.Send):
        return []
    size = parts.measure("".join(node.text.pieces))
    if size.parts <= MOST_PARTS:
        return []
    return [Finding(key, "costly", f"{key} is at least {size.parts} parts ({size.encoding})", fault=False)]


def _made(flow: Flow) -> set[str]:
    """The names that the flow itself gives values to."""
    made: set[str] = set()
    for node in flow.nodes.values():
        if isinstance(node, nodes.Wait | nodes.Webhook) and node.save:
            made.add(template.key(node.save))
        elif isinstance(node, nodes.Set):
            made.add(template.key(node.name))
    return made


def _used(node: Node) -> set[str]:
    """The names that a node's texts need a value for. ``crm.order.state`` is an answer's, known by its first word."""
    match node:
        case nodes.Send():
            texts = [node.text]
        case nodes.Set():
            texts = [node.value]
        case nodes.HandOff():
            texts = [node.note]
        case nodes.Branch() if node.on is not None:
            texts = [node.on]
        case nodes.Webhook():
            texts = [node.url, *node.headers.values(), *(node.body or {}).values()]
        case _:
            texts = []
    pairs = [pair for text in texts for pair in zip(text.names, text.defaults, strict=True)]
    names = {name for name, default in pairs if default is None}
    return {name if name.startswith("context.") else name.partition(".")[0] for name in names}
