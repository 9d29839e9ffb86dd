"""Flows from RapidPro (TextIt), definition format 13 and 14: one flow, or an export of several.

What maps is in docs/flow-format.md. What does not is named, all of it, by its node, its type and its place; the rest
comes in as a draft that cannot be published before somebody has seen to it. Format: nyaruka/goflow, spec 13.x and 14.x.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body
from heliograph.rules.flow import expressions, foreign, rapidpro_actions, rapidpro_routers, values
from heliograph.rules.flow.expressions import Names
from heliograph.rules.flow.foreign import Findings, Imported
from heliograph.rules.flow.rapidpro_actions import FOLLOW, Piece, Way

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FLOWS = 200
MOST_NODES = 1000
VERSIONS = ("13", "14")
MINUTES_A_DAY = 24 * 60
LANGUAGES = {"eng": "en", "fra": "fr", "spa": "es", "deu": "de", "por": "pt", "ita": "it", "nld": "nl", "base": "en"}


def read(raw: object) -> list[Imported]:
    """Every flow of a RapidPro document, in order.

    Raises :class:`Invalid` when it is no such document: what cannot be read at all, as against what cannot be done.
    """
    body.storable(raw)
    sent = body.mapping(raw, "")
    if "nodes" in sent:
        flows: list[object] = [sent]
    else:
        flows = values.listed(sent.get("flows"))
    if not 0 < len(flows) <= MOST_FLOWS:
        text = f"flows is {body.shown(sent.get('flows'))}. It takes a list of 1 to {MOST_FLOWS} RapidPro flows"
        raise Invalid(text, field="flows")
    return [_flow(body.mapping(each, f"flows[{place}]"), f"flows[{place}]") for place, each in enumerate(flows)]


@dataclass(slots=True)
class _Reader:
    """One flow under way: ``pieces`` are our nodes for each of theirs, before they have names."""

    findings: Findings
    names: Names
    used: str  # the flow as text: whether a category is used anywhere
    pieces: dict[str, list[Piece]] = field(default_factory=dict[str, list[Piece]])
    after: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    called: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


def _flow(sent: Mapping[str, object], at: str) -> Imported:
    definition = sent.get("definition")
    if isinstance(definition, dict):  # the API tells a flow so
        sent = cast("dict[str, object]", definition)
    about = sent.get("metadata")  # where format 11 and older had the name
    old = cast("dict[str, object]", about).get("name") if isinstance(about, dict) else None
    name = body.name(sent.get("name") or old, f"{at}.name", longest=values.LONGEST_NAME)
    findings = Findings(place=name)
    listed = values.listed(sent.get("nodes"))
    version = str(sent.get("spec_version", "")).split(".")[0]
    if version not in VERSIONS:
        findings.refuse(f"spec_version {body.shown(sent.get('spec_version'))}", "is not read: 13 and 14 are")
        listed = []
    if sent.get("type", "messaging") not in {"messaging", "messaging_background", "messaging_offline"}:
        findings.refuse(f"type {body.shown(sent.get('type'))}", "is not a flow of texts")
    if len(listed) > MOST_NODES:
        raise Invalid(f"{at}.nodes has {len(listed)} nodes. It takes at most {MOST_NODES}", field=f"{at}.nodes")
    if sent.get("localization"):
        told = ", ".join(body.mapping(sent["localization"], f"{at}.localization"))
        findings.note(f"its translations ({told}) are left out: a flow has one language")
    nodes = [body.mapping(each, f"{at}.nodes[{place}]") for place, each in enumerate(listed)]
    reader = _Reader(findings, _names(nodes), json.dumps(nodes, ensure_ascii=False))
    for place, node in enumerate(nodes):
        _node(reader, node, f"nodes[{place}]")
    return _assembled(reader, name, sent, nodes)


def _names(nodes: list[Mapping[str, object]]) -> Names:
    """What the flow gives values to: results of routers, and of services."""
    names = Names()
    for node in nodes:
        for raw in values.listed(node.get("actions")):
            action = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
            if action.get("type") == "call_webhook":
                key = expressions.slug(str(action.get("result_name") or "webhook"))
                names.services[key] = key
        router = node.get("router")
        result = cast("dict[str, object]", router).get("result_name") if isinstance(router, dict) else None
        if result:
            names.saved.add(expressions.slug(str(result)))
    return names


def _node(reader: _Reader, node: Mapping[str, object], at: str) -> None:
    findings = reader.findings
    uuid = str(node.get("uuid"))
    findings.node, findings.place = uuid, at
    if uuid in reader.pieces:
        findings.refuse("uuid", "is that of another node too")
        return
    exits: dict[str, str | None] = {}
    for raw in values.listed(node.get("exits")):
        each = body.mapping(raw, f"{at}.exits")
        goes = each.get("destination_uuid")
        exits[str(each.get("uuid"))] = None if goes is None else str(goes)
    router = node.get("router")
    found: list[Piece] = []
    for place, raw in enumerate(values.listed(node.get("actions"))):
        findings.place = f"{at}.actions[{place}]"
        found += rapidpro_actions.read(body.mapping(raw, findings.place), reader.names, findings)
    findings.place = f"{at}.router"
    reader.after[uuid] = next(iter(exits.values()), None)
    if isinstance(router, dict):
        switch = rapidpro_routers.Switch(cast("dict[str, object]", router), exits, reader.used)
        after = rapidpro_routers.read(switch, found, reader.names, findings)
        reader.after[uuid] = after
    _ending(found, reader.after[uuid], findings)
    reader.pieces[uuid] = found
    findings.node = ""


def _ending(found: list[Piece], after: str | None, findings: Findings) -> None:
    """Nothing follows a hand-over; a result set at the very end is the conversation's."""
    for place, piece in enumerate(found):
        if piece["type"] == "handoff" and (place + 1 < len(found) or after is not None):
            findings.note("a conversation that was handed over does not go on: what follows the ticket is not reached")
            del found[place + 1 :]
            break
    last = found[-1] if found else None
    if last is not None and last["type"] == "result":
        if last["name"] == "Result" and after is None:
            found[-1] = {"type": "end", "result": last["value"]}
        else:
            found.pop()
            findings.refuse("set_run_result", "is not supported, but as Result at the end of a flow")
    for piece in [each for each in found if each["type"] == "result"]:
        found.remove(piece)
        findings.refuse("set_run_result", "is not supported, but as Result at the end of a flow")


# ---------------------------------------------------------------- put together


def _assembled(reader: _Reader, name: str, sent: Mapping[str, object], nodes: list[Mapping[str, object]]) -> Imported:
    _call(reader, _kept_names(sent))
    made: dict[str, dict[str, object]] = {}
    for uuid, pieces in reader.pieces.items():
        for place, piece in enumerate(pieces):
            own = reader.called[uuid]
            following = own[place + 1] if place + 1 < len(own) else _entry(reader, reader.after[uuid])
            made[own[place]] = {key: _resolved(reader, value, following) for key, value in piece.items()}
    end = next(name for name in ("end", *(f"end_{n}" for n in range(MOST_NODES + 1))) if name not in made)
    start = _entry(reader, str(nodes[0].get("uuid"))) if nodes else None
    silent = [key for key, node in made.items() if node["type"] == "wait" and node.get("next") is None]
    if start is None or silent:
        made[end] = {"type": "end"}
    for key in silent:
        made[key]["next"] = end
    tidy = {key: {k: v for k, v in node.items() if v is not None} for key, node in made.items()}
    document: dict[str, object] = {
        "flow": 1,
        "name": name,
        "language": LANGUAGES.get(str(sent.get("language", "eng")), str(sent.get("language", "en"))),
        **_expires(sent),
        "start": start or end,
        "nodes": tidy,
    }
    return foreign.finish(name, document, reader.findings)


def _kept_names(sent: Mapping[str, object]) -> Mapping[str, object]:
    """The names that our own export left with the nodes, by their uuids."""
    ui = sent.get("_ui")
    ours = cast("dict[str, object]", ui).get("heliograph") if isinstance(ui, dict) else None
    return cast("dict[str, object]", ours) if isinstance(ours, dict) else {}


def _call(reader: _Reader, kept: Mapping[str, object]) -> None:
    """A name for each piece: the one it had here, else one of its kind and number."""
    taken: set[str] = set()
    for number, (uuid, pieces) in enumerate(reader.pieces.items(), 1):
        old = kept.get(uuid)
        for place, piece in enumerate(pieces):
            name = f"{piece['type']}_{number}" + (f"_{place + 1}" if place else "")
            if isinstance(old, str) and len(pieces) == 1 and old not in taken:
                name = old
            taken.add(name)
            reader.called.setdefault(uuid, []).append(name)


def _entry(reader: _Reader, uuid: str | None) -> str | None:
    """The first of our nodes for one of theirs. One without any is passed through."""
    seen: set[str] = set()
    while uuid is not None and uuid not in seen and uuid in reader.pieces:
        if reader.called.get(uuid):
            return reader.called[uuid][0]
        seen.add(uuid)
        uuid = reader.after[uuid]
    return None


def _resolved(reader: _Reader, value: object, following: str | None) -> object:
    if value is FOLLOW:
        return following
    if isinstance(value, Way):
        return _entry(reader, value.uuid)
    if isinstance(value, list):
        return [_resolved(reader, each, following) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        inner = {key: _resolved(reader, each, following) for key, each in cast("dict[str, object]", value).items()}
        return {key: each for key, each in inner.items() if each is not None}
    return value


def _expires(sent: Mapping[str, object]) -> dict[str, object]:
    minutes = sent.get("expire_after_minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 < minutes <= 90 * MINUTES_A_DAY:
        return {}
    return {"expires": rapidpro_routers.time(minutes * 60)}
