"""Flows made by chance, for properties: every kind of node, ways that lead somewhere."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WORD = st.sampled_from(["yes", "no", "ok", "stop it", "1", "order", "ünï", "a b c", "@home", "it's"])
PLAIN = st.sampled_from(["yes", "no", "ok", "1", "order", "ünï", "it's"])
TEXTS = st.sampled_from(
    [
        "Hi {{first_name}}", "Thanks!", 'For {{choice}}, {{order_no|default:"none"}}', "{{desk.found}} a@b.example",
        "Reply YES or NO", "{{answer}} & {{name}}", "Price: €5\nnow", "@contact.name is no placeholder", "100% {sure}",
    ]
)  # fmt: skip
TIMES = st.sampled_from(["90s", "5m", "24h", "3d"])
RANGES = st.sampled_from([[1, 9], [None, 5], [0.5, None], [None, None]])


def _next(names: list[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(names))


def _tidy(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if value is not None}


def cases(names: list[str], *, foreign: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Cases of a branch; ``foreign``: such as every format has."""
    tests: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({"any_word": st.lists(WORD, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"all_words": st.lists(PLAIN, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"only": st.lists(WORD, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"number": RANGES}),
        st.just({"pattern": r"^[A-Z]\d+$"}),
    ]
    if not foreign:
        hours = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "09:00", "end": "17:00"}]}
        tests += [st.just({"open": hours}), st.sampled_from([{"field": "City"}, {"field": "vip", "is": ["yes", 1]}])]
    one = st.tuples(st.one_of(tests), _next(names))
    return st.lists(one, min_size=1, max_size=4).map(
        lambda found: [_tidy(test | {"label": f"Way {n}", "next": to}) for n, (test, to) in enumerate(found)]
    )


def node(names: list[str], *, foreign: bool) -> st.SearchStrategy[dict[str, Any]]:
    """One node of any kind."""
    to, some = _next(names), st.sampled_from(names)
    opened: dict[str, st.SearchStrategy[Any]] = {} if foreign else {"max": st.integers(1, 3), "then": to}
    on = st.one_of(st.none(), TEXTS)
    kinds: list[tuple[str, dict[str, st.SearchStrategy[Any]]]] = [
        ("send", {"text": TEXTS, "next": to}),
        ("wait", {"next": some, "save": st.sampled_from([None, "choice", "size"])}),
        ("wait", {"next": some, "timeout": TIMES, "on_timeout": to}),
        ("branch", {"cases": cases(names, foreign=foreign), "otherwise": to, "on": on, **opened}),
        ("split", {"ways": st.lists(to.map(lambda key: _tidy({"next": key, "weight": 1})), min_size=2, max_size=3)}),
        ("set", {"field": st.sampled_from(["City", "vip"]), "value": TEXTS, "next": to}),
        ("webhook", {
            "url": st.just("https://desk.example/?q={{answer}}"), "method": st.sampled_from(["GET", "POST"]),
            "headers": st.just({"X-Key": "{{key_no}}"}), "body": st.sampled_from([None, {"ask": "{{choice}}"}]),
            "save": st.just("desk"), "next": to, "failed": to,
        }),
        ("list_add", {"list": st.just("Tour"), "next": to}),
        ("list_remove", {"list": st.just("Tour"), "next": to}),
        ("opt_out", {"next": to}),
        ("opt_in", {"next": to}),
        ("handoff", {"note": TEXTS, "team": st.sampled_from([None, "Desk"])}),
        ("flow", {"flow": st.just("Other"), "next": to}),
        ("end", {"result": st.sampled_from(["completed", "sold"])}),
    ]  # fmt: skip
    if not foreign:
        kinds += [("delay", {"for": TIMES, "next": to}), ("send", {"template": st.just("Greeting"), "next": to})]
    return st.one_of([st.fixed_dictionaries({"type": st.just(kind), **its}).map(_tidy) for kind, its in kinds])


@st.composite
def documents(draw: st.DrawFn, *, foreign: bool = False) -> dict[str, Any]:
    """A document that can be read; ``foreign``: with nothing in it but what RapidPro has too."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 6)))]
    made = {name: draw(node(names, foreign=foreign)) for name in names}
    return {"flow": 1, "name": "F", "language": "en", "expires": "2d", "start": names[0], "nodes": made}
