"""A flow as a drawing: where each node stands and how its ways run, for whoever paints it.

In the manner of Sugiyama, Tagawa and Toda (1981): ways back are set aside, each node stands one layer below the
lowest that leads to it, layers are ordered by the middle of their neighbours. The same flow is drawn the same each
time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from heliograph.rules.flow import document, summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.rules.flow.document import Flow

WIDE, HIGH = 220, 72  # of a node, in pixels
BESIDE, BELOW = 40, 64  # between nodes
LANE = 24  # width kept for a way that passes by a layer
SWEEPS = 6
MOST_BENDS = 4000  # with more, ways run straight: nobody could tell them apart anyway


@dataclass(frozen=True, slots=True)
class Edge:
    """A way: ``name`` in the document, ``label`` for people, ``to`` a node or None (the conversation's end).

    ``back``: it leads up, to a node drawn before. ``points``: where it bends between the two nodes, from above.
    """

    name: str
    label: str
    to: str | None
    back: bool = False
    points: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A node: ``x`` and ``y`` are its upper left corner in pixels, ``layer`` counts from 0."""

    key: str
    kind: str
    summary: str
    x: int
    y: int
    layer: int
    reached: bool
    ways: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The drawing. Every node is inside ``width`` and ``height``, and none covers another."""

    start: str
    spots: tuple[Spot, ...]
    width: int
    height: int


# What stands in a layer: a node by its key, or a bend (from, to, layer).
_Item = str | tuple[str, str, int]


@dataclass(slots=True)
class _Plan:
    """The layers under way. ``up`` and ``down``: what each item is joined to in the layers beside its own."""

    layers: list[list[_Item]]
    up: dict[_Item, list[_Item]] = field(default_factory=lambda: defaultdict[_Item, "list[_Item]"](list))
    down: dict[_Item, list[_Item]] = field(default_factory=lambda: defaultdict[_Item, "list[_Item]"](list))


def draw(flow: Flow) -> Graph:
    """The drawing of a flow."""
    ahead, back, reached = _directions(flow)
    layer = _layered(flow, ahead)
    plan = _planned(flow, ahead, layer)
    _order(plan)
    middle = _placed(plan)
    left = min(round(at - _width(item) / 2) for item, at in middle.items())
    right = max(round(at + _width(item) / 2) for item, at in middle.items())
    spots: list[Spot] = []
    written = cast("Mapping[str, Mapping[str, object]]", flow.document["nodes"])
    for key, node in flow.nodes.items():
        edges = tuple(
            Edge(name, label, to, (key, to) in back, _bends(key, to, layer, middle, left))
            for name, label, to in summary.ways(node)
        )
        x, y = round(middle[key] - WIDE / 2) - left, layer[key] * (HIGH + BELOW)
        kind = str(written[key]["type"])
        spots.append(Spot(key, kind, summary.line(flow, key), x, y, layer[key], key in reached, edges))
    deepest = max(layer.values())
    return Graph(flow.start, tuple(spots), right - left, deepest * (HIGH + BELOW) + HIGH)


def _directions(flow: Flow) -> tuple[dict[str, list[str]], set[tuple[str, str | None]], set[str]]:
    """Ways ahead by node, ways back, and the nodes that the start leads to. A way back closes a circle."""
    ahead: dict[str, list[str]] = {key: [] for key in flow.nodes}
    back: set[tuple[str, str | None]] = set()
    seen: set[str] = set()
    reached: set[str] = set()
    for root in [flow.start, *flow.nodes]:
        if root in seen:
            continue
        seen.add(root)
        under_way = {root}
        stack = [(root, iter([to for _, to in document.ways(flow.nodes[root]) if to is not None]))]
        while stack:
            key, rest = stack[-1]
            to = next(rest, None)
            if to is None:
                under_way.discard(key)
                stack.pop()
            elif to in under_way:
                back.add((key, to))
            else:
                if to not in ahead[key]:
                    ahead[key].append(to)
                if to not in seen:
                    seen.add(to)
                    under_way.add(to)
                    stack.append((to, iter([way for _, way in document.ways(flow.nodes[to]) if way is not None])))
        if root == flow.start:
            reached = set(seen)
    return ahead, back, reached


def _layered(flow: Flow, ahead: dict[str, list[str]]) -> dict[str, int]:
    """How far below the top each node stands: by the longest way ahead to it."""
    waiting = dict.fromkeys(flow.nodes, 0)
    for ways in ahead.values():
        for to in ways:
            waiting[to] += 1
    layer = dict.fromkeys(flow.nodes, 0)
    ready = [key for key, count in waiting.items() if not count]
    while ready:
        key = ready.pop()
        for to in ahead[key]:
            layer[to] = max(layer[to], layer[key] + 1)
            waiting[to] -= 1
            if not waiting[to]:
                ready.append(to)
    return layer


def _planned(flow: Flow, ahead: dict[str, list[str]], layer: dict[str, int]) -> _Plan:
    plan = _Plan([[] for _ in range(max(layer.values()) + 1)])
    for key in [flow.start, *(key for key in flow.nodes if key != flow.start)]:
        plan.layers[layer[key]].append(key)
    bends = sum(layer[to] - layer[key] - 1 for key, ways in ahead.items() for to in ways)
    for key, ways in ahead.items():
        for to in ways:
            before: _Item = key
            for place in range(layer[key] + 1, layer[to]) if bends <= MOST_BENDS else ():
                item = (key, to, place)
                plan.layers[place].append(item)
                _join(plan, before, item)
                before = item
            _join(plan, before, to)
    return plan


def _join(plan: _Plan, above: _Item, below: _Item) -> None:
    plan.down[above].append(below)
    plan.up[below].append(above)


def _order(plan: _Plan) -> None:
    """Each layer by the middle of what its items are joined to, downwards and upwards in turn."""
    for sweep in range(SWEEPS):
        joined = plan.up if sweep % 2 == 0 else plan.down
        place = {item: number for layer in plan.layers for number, item in enumerate(layer)}
        for layer in plan.layers if sweep % 2 == 0 else reversed(plan.layers):
            middles = {item: _mean([place[each] for each in joined[item]], place[item]) for item in layer}
            layer.sort(key=lambda item: (middles[item], place[item]))  # used at once
            place.update({item: number for number, item in enumerate(layer)})


def _mean(numbers: list[int] | list[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else float(otherwise)


def _placed(plan: _Plan) -> dict[_Item, float]:
    """The middle of each item: below what it is joined to, as near as those to its left allow."""
    middle: dict[_Item, float] = {}
    for layer in plan.layers:
        wanted = {item: _mean([middle[each] for each in plan.up[item] if each in middle], 0.0) for item in layer}
        free, given = float("-inf"), list[float]()
        for item in layer:
            middle[item] = max(wanted[item], free + _width(item) / 2)
            free = middle[item] + _width(item) / 2 + BESIDE
            given.append(wanted[item])
        off = _mean([middle[item] for item in layer], 0.0) - _mean(given, 0.0)
        for item in layer:
            middle[item] -= off
    return middle


def _width(item: _Item) -> int:
    return WIDE if isinstance(item, str) else LANE


def _bends(
    key: str, to: str | None, layer: dict[str, int], middle: dict[_Item, float], left: int
) -> tuple[tuple[int, int], ...]:
    if to is None:
        return ()
    found: list[tuple[int, int]] = []
    for place in range(layer[key] + 1, layer[to]):
        item = (key, to, place)
        if item in middle:
            x, y = round(middle[item]) - left, place * (HIGH + BELOW)
            found += [(x, y), (x, y + HIGH)]
    return tuple(found)
