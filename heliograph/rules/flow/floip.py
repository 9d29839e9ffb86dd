"""Flows in the format of the Flow Interoperability Project, 1.0.0-rc: a container of flows, read.

What maps is in docs/flow-format.md. What does not is named, all of it, by its block, its type and its place. Format:
FLOIP/flow-spec, layers Core and MobilePrimitives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body
from heliograph.rules.flow import floip_blocks, foreign, values
from heliograph.rules.flow.expressions import Names, slug
from heliograph.rules.flow.floip_blocks import Block
from heliograph.rules.flow.foreign import Findings, Imported
from heliograph.rules.flow.rapidpro import LANGUAGES, MOST_FLOWS, MOST_NODES
from heliograph.rules.flow.rapidpro_actions import FOLLOW, Piece, Way
from heliograph.rules.flow.rapidpro_routers import time

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_S = 90 * 86400
_VERSION = re.compile(r"1\.0\.0").match


def is_one(raw: object) -> bool:
    """Whether ``raw`` is a container of FLOIP flows rather than something else."""
    return isinstance(raw, dict) and "specification_version" in raw


def read(raw: object) -> list[Imported]:
    """Every flow of a container, in order. Raises :class:`Invalid` when it is no container that can be read."""
    body.storable(raw)
    sent = body.mapping(raw, "")
    version = sent.get("specification_version")
    if not isinstance(version, str) or not _VERSION(version):
        text = f"specification_version is {body.shown(version)}. It takes FLOIP's 1.0.0, such as 1.0.0-rc4"
        raise Invalid(text, field="specification_version")
    listed = values.listed(sent.get("flows"))
    if not 0 < len(listed) <= MOST_FLOWS:
        text = f"flows is {body.shown(sent.get('flows'))}. It takes a list of 1 to {MOST_FLOWS} flows"
        raise Invalid(text, field="flows")
    flows = [body.mapping(each, f"flows[{place}]") for place, each in enumerate(listed)]
    called = {str(each.get("uuid")): str(each.get("name")) for each in flows}
    return [_flow(each, f"flows[{place}]", called) for place, each in enumerate(flows)]


@dataclass(slots=True)
class _Reader:
    """One flow under way: our nodes for each of its blocks, by the block's uuid."""

    findings: Findings
    pieces: dict[str, list[Piece]] = field(default_factory=dict[str, list[Piece]])
    called: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    after: dict[str, str | None] = field(default_factory=dict[str, "str | None"])


def _flow(sent: Mapping[str, object], at: str, called: Mapping[str, str]) -> Imported:
    name = body.name(sent.get("name"), f"{at}.name", longest=values.LONGEST_NAME)
    findings = Findings(place=name)
    listed = values.listed(sent.get("blocks"))
    if len(listed) > MOST_NODES:
        raise Invalid(f"{at}.blocks has {len(listed)} blocks. It takes at most {MOST_NODES}", field=f"{at}.blocks")
    blocks = [body.mapping(each, f"{at}.blocks[{place}]") for place, each in enumerate(listed)]
    language, texts = _texts(sent, findings)
    reader = _Reader(findings)
    for place, raw in enumerate(blocks):
        findings.node, findings.place = str(raw.get("uuid")), f"blocks[{place}]"
        block = Block(raw, texts, called, _names(blocks), findings)
        pieces, after = floip_blocks.read(block)
        if block.uuid in reader.pieces:
            findings.refuse("uuid", "is that of another block too")
            continue
        reader.pieces[block.uuid], reader.after[block.uuid] = pieces, after
        _call(reader, block)
    findings.node = ""
    if sent.get("exit_block_id"):
        findings.note("the block for errors (exit_block_id) is not gone to: what goes wrong ends the conversation")
    first = str(sent.get("first_block_id") or (blocks[0].get("uuid") if blocks else ""))
    return _assembled(reader, name, sent, first, LANGUAGES.get(language[:3], language))


def _names(blocks: list[Mapping[str, object]]) -> Names:
    names = Names()
    for block in blocks:
        name = slug(str(block.get("name")))
        if block.get("type") == "Core.Webhook":
            names.services[name] = name
        elif str(block.get("type")).endswith("Response"):
            names.saved.add(name)
    return names


def _texts(sent: Mapping[str, object], findings: Findings) -> tuple[str, dict[str, str]]:
    """The flow's first language, and in it the text of each resource, that for SMS first."""
    languages = [cast("Piece", each) for each in values.listed(sent.get("languages")) if isinstance(each, dict)]
    spoken = [str(each.get("id")) for each in languages] or ["eng"]
    if len(spoken) > 1:
        findings.note(f"its translations ({', '.join(spoken[1:])}) are left out: a flow has one language")
    found: dict[str, str] = {}
    resources = sent.get("resources")
    each_one = cast("Piece", resources).values() if isinstance(resources, dict) else values.listed(resources)
    for raw in each_one:
        resource = cast("Piece", raw) if isinstance(raw, dict) else {}
        written = [cast("Piece", each) for each in values.listed(resource.get("values")) if isinstance(each, dict)]
        for value in sorted(written, key=lambda each: ("SMS" in values.listed(each.get("modes")), True), reverse=True):
            if value.get("content_type", "TEXT") == "TEXT" and value.get("language_id", spoken[0]) == spoken[0]:
                found.setdefault(str(resource.get("uuid")), str(value.get("value", "")))
    return spoken[0], found


def _call(reader: _Reader, block: Block) -> None:
    """A name for each of our nodes: the block's own, with a number behind it from the second on."""
    taken = {name for names in reader.called.values() for name in names}
    given = block.ours("node")
    base = given if isinstance(given, str) and given else slug(str(block.sent.get("name") or "block"))[:56]
    names: list[str] = []
    for place in range(len(reader.pieces[block.uuid])):
        wanted = base if not place else f"{base}_{place + 1}"
        name = next(each for each in (wanted, *(f"{wanted}.{n}" for n in range(2, 10_000))) if each not in taken)
        taken.add(name)
        names.append(name)
    reader.called[block.uuid] = names


def _assembled(reader: _Reader, name: str, sent: Mapping[str, object], first: str, language: str) -> Imported:
    made: dict[str, Piece] = {}
    for uuid, pieces in reader.pieces.items():
        own = reader.called[uuid]
        for place, piece in enumerate(pieces):
            following = own[place + 1] if place + 1 < len(own) else _entry(reader, reader.after[uuid])
            made[own[place]] = cast("Piece", _resolved(reader, piece, following))
    end = next(each for each in ("end", *(f"end_{n}" for n in range(MOST_NODES + 1))) if each not in made)
    silent = [key for key, node in made.items() if node["type"] == "wait" and "next" not in node]
    start = _entry(reader, first)
    if start is None or silent:
        made[end] = {"type": "end"}
    for key in silent:
        made[key]["next"] = end
    seconds = sent.get("interaction_timeout")
    lasts = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= LONGEST_S
    document: dict[str, object] = {
        "flow": 1,
        "name": name,
        "language": language,
        **({"expires": time(cast("int", seconds))} if lasts else {}),
        "start": start or end,
        "nodes": made,
    }
    return foreign.finish(name, document, reader.findings)


def _entry(reader: _Reader, uuid: str | None) -> str | None:
    seen: set[str] = set()
    while uuid is not None and uuid not in seen and uuid in reader.pieces:
        if reader.called[uuid]:
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
        inner = {key: _resolved(reader, each, following) for key, each in cast("Piece", value).items()}
        return {key: each for key, each in inner.items() if each is not None}
    return value
