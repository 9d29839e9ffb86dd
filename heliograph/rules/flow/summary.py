"""A node, and each way out of it, in a few words for whoever looks at a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from heliograph.rules.flow import document, matching, nodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.nodes import Node

LONGEST = 90
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def line(flow: Flow, key: str) -> str:
    """One line that says what a node does, at most :data:`LONGEST` characters."""
    node = flow.nodes[key]
    raw = cast("Mapping[str, Mapping[str, object]]", flow.document["nodes"])[key]
    told = " ".join(_told(node, raw).split())
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def ways(node: Node) -> list[tuple[str, str, str | None]]:
    """Every way out: its name in the document, what it is called for people, and the node it leads to."""
    return [(name, _called(node, name), to) for name, to in document.ways(node)]


def long(time: timedelta) -> str:
    """A time in words: ``2 days``, ``90 seconds``."""
    seconds = int(time.total_seconds())
    unit, size = next(each for each in _UNITS if seconds % each[1] == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _told(node: Node, raw: Mapping[str, object]) -> str:
    match node:
        case nodes.Send():
            return f"Template {node.named}" if node.named is not None else node.source
        case nodes.Wait():
            kept = f", kept as {node.save}" if node.save else ""
            return f"An answer{kept}" + (f", within {long(node.timeout)}" if node.timeout is not None else "")
        case nodes.Branch():
            on = "the answer" if node.on is None else str(raw["on"])
            return f"By {on}: " + ", ".join(case.label for case in node.cases)
        case nodes.Split():
            return "By chance, " + " : ".join(f"{weight:g}" for _, weight in node.ways)
        case nodes.Webhook():
            return f"{node.method} {raw['url']}" + (f", as {node.save}" if node.save else "")
        case _:
            return _changing(node, raw)


def _changing(node: Node, raw: Mapping[str, object]) -> str:
    told = ""
    match node:
        case nodes.Set():
            told = f"{node.name} = {raw['value']}"
        case nodes.ListChange():
            told = f"{'Onto' if node.add else 'Off'} the list {node.list}"
        case nodes.Opt():
            told = "Takes it for a no" if node.out else "Takes it for a yes"
        case nodes.HandOff():
            told = f"To {node.team or 'the inbox'}: {raw.get('note', '')}".rstrip(": ")
        case nodes.Go():
            told = f"Through the flow {node.flow}" if node.next is not None else f"Goes on in the flow {node.flow}"
        case nodes.Delay():
            told = long(node.wait)
        case nodes.End():
            told = node.result
        case _:
            pass
    return told


def _called(node: Node, name: str) -> str:
    if isinstance(node, nodes.Branch) and name.startswith("cases["):
        case = node.cases[int(name[6 : name.index("]")])]
        return case.label if not isinstance(case.test, matching.Open) or case.label != "open" else "open hours"
    if isinstance(node, nodes.Split):
        share = node.ways[int(name[5 : name.index("]")])][1] / sum(weight for _, weight in node.ways)
        return f"{share:.0%}"
    if isinstance(node, nodes.Wait):
        return "answered" if name == "next" else "silent"
    if isinstance(node, nodes.Branch) and name == "then" and node.most is not None:
        return f"after {node.most} times"
    return "" if name == "next" else name
