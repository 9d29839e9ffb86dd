"""Changing a flow's document node by node: each function answers a new document, read and found good.

All raise :class:`~heliograph.errors.Invalid` with the place of what is wrong, and leave the old document as it was.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body
from heliograph.rules.flow import document, values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Document = dict[str, object]
    Written = dict[str, Document]

_WAYS = ("next", "on_timeout", "otherwise", "then", "failed")
_LISTS = ("cases", "ways")


def change(raw: Mapping[str, object], key: str, node: Mapping[str, object]) -> Document:
    """The document with another node under ``key``; its place among the others stays."""
    made, written = _copied(raw)
    _there(written, key)
    written[key] = copy.deepcopy(dict(node))
    return _good(made)


def add(raw: Mapping[str, object], key: str, node: Mapping[str, object], *, after: str | None = None) -> Document:
    """The document with one node more, behind the node ``after``, else at the end.

    A node that is put ``after`` one with a ``next`` comes between: that leads to it, and it leads where that led,
    unless it says otherwise itself.
    """
    made, written = _copied(raw)
    if key in written:
        raise Invalid(f"There is a node {body.shown(key)} already. Choose another name", field=f"nodes.{key}")
    new = copy.deepcopy(dict(node))
    if after is None:
        written[key] = new
        return _good(made)
    _there(written, after)
    before = written[after]
    takes_next = "next" in document.NODE_KEYS.get(str(before.get("type")), ())
    if takes_next:
        if before.get("next") is not None and "next" in document.NODE_KEYS.get(str(new.get("type")), ()):
            new.setdefault("next", before["next"])
        before["next"] = key
    made["nodes"] = _placed(written, key, new, after)
    return _good(made)


def remove(raw: Mapping[str, object], key: str) -> Document:
    """The document without a node. What led to it leads where its ``next`` led, or ends.

    Raises Invalid for the last node, and where something must lead on but nothing follows.
    """
    made, written = _copied(raw)
    _there(written, key)
    gone = written.pop(key)
    following = gone.get("next")
    heir = following if isinstance(following, str) and following != key else None
    if not written:
        raise Invalid(f"{key} is the only node. A flow has at least one", field=f"nodes.{key}")
    _lead(written, lambda to: heir if to == key else to)
    if made.get("start", key) == key:
        made["start"] = heir or next(iter(written))
    return _good(made)


def rename(raw: Mapping[str, object], key: str, name: str) -> Document:
    """The document with another name for a node, wherever it is spoken of."""
    made, written = _copied(raw)
    _there(written, key)
    if name != key and name in written:
        raise Invalid(f"There is a node {body.shown(name)} already. Choose another name", field=f"nodes.{name}")
    values.node_id(name, "nodes")
    made["nodes"] = renamed = {name if old == key else old: node for old, node in written.items()}
    _lead(renamed, lambda to: name if to == key else to)
    if made.get("start") == key:
        made["start"] = name
    return _good(made)


def lead(raw: Mapping[str, object], key: str, way: str, to: str | None) -> Document:
    """The document with one way of a node leading to another: ``way`` as :func:`document.ways` names it.

    ``to`` None: to the conversation's end.
    """
    made, written = _copied(raw)
    _there(written, key)
    ways = [name for name, _ in document.ways(document.read(raw).nodes[key])]
    if way not in ways:
        accepted = ", ".join(ways) or "none"
        raise Invalid(f"{key} has no way {body.shown(way)}; it has: {accepted}", field=f"nodes.{key}.{way}")
    holder, name = written[key], way
    if way.endswith("].next"):
        which, _, place = way.removesuffix("].next").partition("[")
        holder, name = cast("list[Document]", holder[which])[int(place)], "next"
    if to is None:
        holder.pop(name, None)
    else:
        holder[name] = to
    return _good(made)


def start(raw: Mapping[str, object], key: str) -> Document:
    """The document with another node to begin at."""
    made, written = _copied(raw)
    _there(written, key)
    made["start"] = key
    return _good(made)


# ---------------------------------------------------------------- how


def _copied(raw: Mapping[str, object]) -> tuple[Document, Written]:
    document.read(raw)
    made = copy.deepcopy(dict(raw))
    return made, cast("Written", made["nodes"])


def _there(written: Written, key: str) -> None:
    if key not in written:
        raise Invalid(f"There is no node {body.shown(key)}", field=f"nodes.{key}")


def _placed(written: Written, key: str, node: Document, after: str) -> Written:
    made: Written = {}
    for old, each in written.items():
        made[old] = each
        if old == after:
            made[key] = node
    return made


def _lead(written: Written, there: Callable[[str], str | None]) -> None:
    """Let every way lead where ``there`` says for where it leads; None ends it."""
    for node in written.values():
        holders = [node, *(each for name in _LISTS for each in cast("list[Document]", node.get(name) or []))]
        for holder in holders:
            for way in _WAYS:
                to = holder.get(way)
                if not isinstance(to, str):
                    continue
                leads = there(to)
                if leads is None:
                    del holder[way]
                else:
                    holder[way] = leads


def _good(made: Document) -> Document:
    document.read(made)
    return made
