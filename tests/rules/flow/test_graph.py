"""Flows drawn: nothing on top of anything, every way with its ends, the same each time."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings

from heliograph.rules.flow import document, graph, system
from tests.rules.flow import flows


def covers(one: graph.Spot, other: graph.Spot) -> bool:
    return abs(one.x - other.x) < graph.WIDE and abs(one.y - other.y) < graph.HIGH


def good(read: document.Flow) -> graph.Graph:
    drawn = graph.draw(read)
    assert drawn == graph.draw(read)
    assert [spot.key for spot in drawn.spots] == list(read.nodes)
    assert not [(one.key, other.key) for one, other in combinations(drawn.spots, 2) if covers(one, other)]
    spots = {spot.key: spot for spot in drawn.spots}
    for spot in drawn.spots:
        assert 0 <= spot.x <= drawn.width - graph.WIDE
        assert 0 <= spot.y <= drawn.height - graph.HIGH
        assert [(edge.name, edge.to) for edge in spot.ways] == document.ways(read.nodes[spot.key])
        for edge in spot.ways:
            if edge.to is not None:
                assert edge.back == (spots[edge.to].layer <= spot.layer)
    return drawn


@settings(max_examples=25)
@given(flows.documents())
def test_any_flow_can_be_drawn(raw: dict[str, Any]) -> None:
    good(document.read(raw))


def test_the_flow_that_comes_along_begins_at_the_top() -> None:
    drawn = good(document.read(system.SUPPORT))
    top = [spot.key for spot in drawn.spots if spot.layer == 0]
    assert top == [drawn.start]
    assert all(spot.reached and spot.summary for spot in drawn.spots)


def test_a_way_that_passes_a_layer_bends_around_it() -> None:
    raw: dict[str, Any] = {
        "name": "F",
        "nodes": {
            "a": {"type": "split", "ways": [{"next": "b"}, {"next": "c", "weight": 3}]},
            "b": {"type": "send", "text": "Hi {{name}}\nthere", "next": "c"},
            "c": {"type": "wait", "timeout": "24h", "save": "x", "next": "a"},
            "d": {"type": "end"},
        },
    }
    drawn = good(document.read(raw))
    a, b, c, d = drawn.spots
    assert [spot.layer for spot in drawn.spots] == [0, 1, 2, 0]
    assert [(edge.label, edge.to, edge.back, len(edge.points)) for edge in a.ways] == [
        ("25%", "b", False, 0),
        ("75%", "c", False, 2),
    ]
    (x, _), _ = a.ways[1].points
    assert not b.x <= x <= b.x + graph.WIDE
    assert [(edge.label, edge.back) for edge in c.ways] == [("answered", True), ("silent", False)]
    assert [spot.summary for spot in drawn.spots] == [
        "By chance, 1 : 3", "Hi {{name}} there", "An answer, kept as x, within 1 day", "completed",
    ]  # fmt: skip
    assert not d.reached


def test_a_long_flow_is_drawn_too() -> None:
    nodes: dict[str, Any] = {
        f"n{n}": {"type": "split", "ways": [{"next": f"n{(n * 7) % 300}"}, {"next": f"n{min(n + 1, 299)}"}]}
        for n in range(300)
    }
    good(document.read({"name": "F", "nodes": nodes}))
