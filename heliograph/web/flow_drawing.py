"""A flow's drawing as a page paints it: boxes with two lines of words, ways as curves, and who stands where now."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from heliograph.rules.flow import graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.graph import Edge, Spot
    from heliograph.store.session_numbers import Group

MARGIN = 24
BACK = 44  # pixels that a way back stands off to the side
ROW = 30  # characters of a line in a box
STUB = 22  # pixels of a way that ends the conversation
LABEL = 20  # characters of a label

WORDS = {
    "send": "Text",
    "wait": "Wait for an answer",
    "branch": "Branch",
    "split": "By chance",
    "set": "Set a field",
    "webhook": "Call a service",
    "list_add": "Add to a list",
    "list_remove": "Take off a list",
    "opt_out": "Opt out",
    "opt_in": "Opt in",
    "handoff": "Hand over",
    "flow": "Another flow",
    "delay": "Let time pass",
    "end": "End",
}
"""What each kind of node is called on the screen."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node. ``here``: how many stand there now; ``lost``: how many went silent there."""

    key: str
    kind: str
    word: str
    lines: tuple[str, ...]
    x: int
    y: int
    start: bool
    reached: bool
    here: int
    lost: int


@dataclass(frozen=True, slots=True)
class Line:
    """A way, as an SVG path, with its label and where that stands. ``ends``: it ends the conversation."""

    path: str
    label: str
    x: int
    y: int
    back: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it, in pixels."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def paint(flow: Flow, here: Mapping[str, int], lost: Mapping[str, int]) -> Drawing:
    """The drawing of a flow with numbers on it."""
    drawn = graph.draw(flow)
    spots = {spot.key: spot for spot in drawn.spots}
    boxes = tuple(
        Box(
            key=spot.key,
            kind=spot.kind,
            word=WORDS.get(spot.kind, spot.kind),
            lines=_rows(spot.summary),
            x=spot.x + MARGIN,
            y=spot.y + MARGIN,
            start=spot.key == drawn.start,
            reached=spot.reached,
            here=here.get(spot.key, 0),
            lost=lost.get(spot.key, 0),
        )
        for spot in drawn.spots
    )
    lines: list[Line] = []
    for spot in drawn.spots:
        for place, edge in enumerate(spot.ways):
            lines.append(_line(spot, edge, place, len(spot.ways), spots))
    return Drawing(boxes, tuple(lines), drawn.width + 2 * MARGIN + BACK, drawn.height + 2 * MARGIN + STUB)


def numbers(groups: Sequence[Group]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How many ended with what; how many stand at each node now; how many were lost at each."""
    results: Counter[str] = Counter()
    here: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for group in groups:
        if group.result is None:
            here[group.node] += group.sessions
        else:
            results[group.result] += group.sessions
            if group.result == "expired":
                lost[group.node] += group.sessions
    return results, here, lost


def _rows(summary: str) -> tuple[str, ...]:
    found = textwrap.wrap(summary, ROW) or [""]
    if len(found) > 2:  # noqa: PLR2004  # a box has room for two lines
        return found[0], found[1][: ROW - 1].rstrip() + "…"
    return tuple(found)


def _line(spot: Spot, edge: Edge, place: int, ways: int, spots: Mapping[str, Spot]) -> Line:
    x = spot.x + MARGIN + round(graph.WIDE * (place + 1) / (ways + 1))
    y = spot.y + MARGIN + graph.HIGH
    label = edge.label if len(edge.label) <= LABEL else edge.label[: LABEL - 1] + "…"
    label = "" if edge.name == "next" else label
    if edge.to is None or edge.to not in spots:
        return Line(f"M{x} {y}v{STUB - 6}", label, x, y + STUB - 8, back=False, ends=True)
    to = spots[edge.to]
    if edge.back:
        return Line(
            _back(spot, to), label, spot.x + MARGIN + graph.WIDE + 8, y - graph.HIGH // 2, back=True, ends=False
        )
    across, down = to.x + MARGIN + graph.WIDE // 2, to.y + MARGIN
    stops = [(x, y), *((px + MARGIN, py + MARGIN) for px, py in edge.points), (across, down)]
    path = f"M{stops[0][0]} {stops[0][1]}"
    for (ax, ay), (bx, by) in pairwise(stops):
        middle = (ay + by) // 2
        path += f"C{ax} {middle} {bx} {middle} {bx} {by}"
    return Line(path, label, x, y + 14 + 12 * (place % 2), back=False, ends=False)


def _back(spot: Spot, to: Spot) -> str:
    """Out of the right side and up, into the right side of the node it leads back to."""
    ax, ay = spot.x + MARGIN + graph.WIDE, spot.y + MARGIN + graph.HIGH // 2
    bx, by = to.x + MARGIN + graph.WIDE, to.y + MARGIN + graph.HIGH // 2
    if spot.key == to.key:
        return f"M{ax} {ay}c{BACK} 0 {BACK} {graph.HIGH // 3} 0 {graph.HIGH // 3}"
    aside = max(ax, bx) + BACK
    return f"M{ax} {ay}C{aside} {ay} {aside} {by} {bx} {by}"
