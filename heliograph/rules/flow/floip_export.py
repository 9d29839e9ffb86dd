"""Flows in the format of the Flow Interoperability Project, 1.0.0-rc4: one block for each of our nodes.

What FLOIP has no place for goes along under ``vendor_metadata.heliograph``, for the way back, and is told: another
engine does without it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from uuid import uuid5

from heliograph.rules.flow import document as documents
from heliograph.rules.flow import expressions, floip_blocks, matching, nodes
from heliograph.rules.flow.floip_blocks import VENDOR
from heliograph.rules.flow.foreign import Exported
from heliograph.rules.flow.rapidpro_export import SPACE, expressions_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.expressions import Names

    Made = dict[str, object]

SPEC = "1.0.0-rc4"
_LANGUAGES = {"en": "eng", "fr": "fra", "es": "spa", "de": "deu", "pt": "por", "it": "ita", "nl": "nld"}
_NEVER = "FALSE"  # the test for what FLOIP cannot ask


def write(flows: Iterable[Flow], *, now: datetime) -> Exported:
    """A container of flows. ``now`` is when it says that they were last changed."""
    listed = list(flows)
    uuids = {flow.name.casefold(): str(uuid5(SPACE, json.dumps([flow.name, "floip"]))) for flow in listed}
    made: list[object] = []
    lost: list[str] = []
    for flow in listed:
        writer = _Writer(flow, expressions_of(flow), uuids, _block_names(flow))
        made.append(_flow(writer, f"{now:%Y-%m-%d %H:%M:%S.%f}+00:00"))
        lost += [f"{flow.name}: {words}" for words in writer.lost]
    name = ", ".join(flow.name for flow in listed)
    container: Made = {
        "specification_version": SPEC,
        "uuid": str(uuid5(SPACE, name)),
        "name": name,
        "description": "",
        "vendor_metadata": {},
        "flows": made,
    }
    return Exported(container, tuple(lost))


def _block_names(flow: Flow) -> dict[str, str]:
    """A name for each node's block, in letters and digits: an answer's is the one it is kept under."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for key, node in flow.nodes.items():
        save = node.save if isinstance(node, nodes.Wait | nodes.Webhook) else None
        wanted = expressions.slug(save or key)
        found[key] = next(each for each in (wanted, *(f"{wanted}_{n}" for n in range(2, 10_000))) if each not in taken)
        taken.add(found[key])
    return found


@dataclass(slots=True)
class _Writer:
    """One flow under way."""

    flow: Flow
    names: Names
    flows: dict[str, str]
    called: dict[str, str]
    resources: Made = field(default_factory=dict[str, object])
    lost: list[str] = field(default_factory=list[str])

    def uuid(self, *of: object) -> str:
        """The id of something of this flow."""
        return str(uuid5(SPACE, json.dumps(["floip", self.flow.name, *of])))

    def raw(self, key: str) -> Made:
        """A node as the document writes it."""
        return cast("Made", cast("Made", self.flow.document["nodes"])[key])

    def text(self, raw: object) -> str:
        """A text with FLOIP's expressions for placeholders."""
        return expressions.from_placeholders("" if raw is None else str(raw), self.names, floip_blocks.path)

    def resource(self, key: str, raw: object) -> str:
        """A text as a resource; its uuid."""
        uuid = self.uuid("resource", key)
        value = {"language_id": _language(self.flow), "content_type": "TEXT", "mime_type": "text/plain"}
        self.resources[uuid] = {"uuid": uuid, "values": [value | {"modes": ["TEXT", "SMS"], "value": self.text(raw)}]}
        return uuid

    def way(self, key: str, name: str, to: str | None, *, test: str | None = None, kept: Made | None = None) -> Made:
        """An exit: with a test, or the default one."""
        asked: Made = {"default": True} if test is None else {"test": test}
        goes = None if to is None else self.uuid("block", to)
        made = {"uuid": self.uuid("exit", key, name, test), "name": name, "destination_block": goes, **asked}
        return made | ({"vendor_metadata": {VENDOR: kept}} if kept else {})

    def leave(self, key: str, words: str) -> None:
        """Note what of a node another engine does without."""
        self.lost.append(f"node {key}: {words}")


def _language(flow: Flow) -> str:
    return _LANGUAGES.get(flow.language, flow.language)


def _flow(writer: _Writer, changed: str) -> Made:
    flow, language = writer.flow, _language(writer.flow)
    blocks = [_block(writer, key, node) for key, node in flow.nodes.items()]
    return {
        "uuid": writer.flows[flow.name.casefold()],
        "name": flow.name,
        "last_modified": changed,
        "interaction_timeout": round(flow.expires.total_seconds()),
        "supported_modes": ["TEXT", "SMS"],
        "first_block_id": writer.uuid("block", flow.start),
        "languages": [{"id": language, "label": language, "iso_639_3": language, "variant": None, "bcp_47": None}],
        "blocks": blocks,
        "resources": writer.resources,
        "vendor_metadata": {},
    }


def _block(writer: _Writer, key: str, node: nodes.Node) -> Made:
    kept: Made = {"node": key}
    kind, config, exits = "", cast("Made", {}), [writer.way(key, "default", dict(documents.ways(node)).get("next"))]
    raw = writer.raw(key)
    match node:
        case nodes.Send(named=None):
            kind, config = "MobilePrimitives.Message", {"prompt": writer.resource(key, raw["text"])}
        case nodes.Wait():
            kind, exits = "MobilePrimitives.OpenResponse", _answered(writer, key, node, kept)
        case nodes.Branch():
            kind, exits = "Core.Case", _cases(writer, key, node, kept)
        case nodes.Webhook():
            kind, config = "Core.Webhook", _called(writer, raw, node, kept)
            good = writer.way(key, "Success", node.next, test="AND(block.value >= 200, block.value < 300)")
            exits = [good, writer.way(key, "Fail", node.failed)]
        case _:
            kind, config = _changing(writer, key, node, kept)
    if isinstance(node, nodes.Split):
        exits = _split(writer, key, node)
    return {
        "uuid": writer.uuid("block", key),
        "name": writer.called[key],
        "label": key,
        "type": kind,
        "config": config,
        "exits": exits,
        "vendor_metadata": {VENDOR: kept},
    }


def _changing(writer: _Writer, key: str, node: nodes.Node, kept: Made) -> tuple[str, Made]:
    """The type and the config of blocks with one exit, and of those that FLOIP does not know."""
    raw = writer.raw(key)
    match node:
        case nodes.Set(name=name):
            return "Core.SetContactProperty", {
                "set_contact_property": [{"property_key": name, "property_value": writer.text(raw["value"])}]
            }
        case nodes.ListChange(list=name, add=add):
            return "Core.SetGroupMembership", {"groups": [{"group_key": name, "group_name": name}], "is_member": add}
        case nodes.Go(flow=name):
            kept["flow"] = name
            other = writer.flows.get(name.casefold()) or str(uuid5(SPACE, json.dumps([name, "floip"])))
            return "Core.RunFlow", {"flow_id": other}
        case nodes.End(result=result):
            kept["is"] = {"type": "end", "result": result}
            return "Core.Output", {"value": json.dumps(result, ensure_ascii=False)}
        case _:
            kept["is"] = {name: value for name, value in raw.items() if name not in {"next", "ways"}}
            writer.leave(key, f"FLOIP has no block for {raw['type']}")
            return "Heliograph.Node", {}


def _answered(writer: _Writer, key: str, node: nodes.Wait, kept: Made) -> list[Made]:
    kept["save"] = node.save
    if node.timeout is None:
        return [writer.way(key, "default", node.next)]
    kept["timeout"] = writer.raw(key)["timeout"]
    writer.leave(key, "its timeout is the flow's there (interaction_timeout)")
    return [writer.way(key, "answered", node.next, test="TRUE"), writer.way(key, "timeout", node.on_timeout)]


def _cases(writer: _Writer, key: str, node: nodes.Branch, kept: Made) -> list[Made]:
    raw = writer.raw(key)
    kept |= {"on": raw.get("on"), "save": node.save}
    asked = next((f"flow.{writer.called[each]}" for each, wait in writer.flow.nodes.items()
                  if isinstance(wait, nodes.Wait) and wait.next == key), "block.response")  # fmt: skip
    if node.on is not None:
        written = writer.text(raw["on"])
        asked = (
            written[2:-1] if written.startswith("@(") and written.count("@") == 1 and written.endswith(")") else _NEVER
        )
    if node.most is not None:
        writer.leave(key, "max and then are left out: otherwise is taken each time there")
    exits: list[Made] = []
    for place, case in enumerate(node.cases):
        written = cast("list[Made]", raw["cases"])[place]
        test, same = _test(case.test, asked)
        if not same or _NEVER in (test, asked):
            writer.leave(key, f"cases[{place}] ({case.label}) is tested as {test} there")
        own = {name: value for name, value in written.items() if name not in {"next", "label"}}
        exits.append(writer.way(key, case.label, case.next, test=test, kept={"case": own, "test": test}))
    return [*exits, writer.way(key, "default", node.otherwise)]


def _test(test: matching.Test, asked: str) -> tuple[str, bool]:
    """The expression, and whether it means the same."""
    match test:
        case matching.Only(words):
            return _either(asked, words), True
        case matching.AnyWord(words):
            return _either(asked, words), False
        case matching.Field(name, wanted) if wanted:
            return _either(f"contact.{expressions.slug(name)}", wanted), True
        case matching.Number(low, high):
            low_test = f"{asked} >= {-1e15 if low is None else low:.15g}"
            return (low_test if high is None else f"AND({low_test}, {asked} <= {high:.15g})"), True
        case _:
            return _NEVER, False


def _either(asked: str, words: Iterable[str]) -> str:
    tests = [f'{asked} = "{word.replace(chr(34), chr(39))}"' for word in words]
    return tests[0] if len(tests) == 1 else f"OR({', '.join(tests)})"


def _called(writer: _Writer, raw: Made, node: nodes.Webhook, kept: Made) -> Made:
    kept |= {"save": node.save, "retries": node.retries}
    sent = {name: writer.text(value) for name, value in cast("Made", raw.get("body") or {}).items()}
    return {
        "method": node.method,
        "url": writer.text(raw["url"]),
        "headers": {name: writer.text(value) for name, value in cast("Made", raw.get("headers") or {}).items()},
        "body": json.dumps(sent, ensure_ascii=False) if node.body is not None else "",
        "timeout": round(node.timeout_s * 1000),
    }


def _split(writer: _Writer, key: str, node: nodes.Split) -> list[Made]:
    """The last way is the default one: FLOIP wants one."""
    last = len(node.ways) - 1
    return [
        writer.way(key, f"way {n}", to, test=None if n == last else _NEVER, kept={"weight": weight})
        for n, (to, weight) in enumerate(node.ways)
    ]
