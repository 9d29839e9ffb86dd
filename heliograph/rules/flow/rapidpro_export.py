"""Flows for RapidPro (definition format 13.6): one of its nodes for each of ours, which comes back as it was.

The uuids are made of the names, so that the same flow gives the same file each time. Our nodes' names go along in
``_ui.heliograph``, for the way back. What RapidPro has no place for is told.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid5

from heliograph.rules.flow import document as documents
from heliograph.rules.flow import expressions, matching, nodes
from heliograph.rules.flow.expressions import Names
from heliograph.rules.flow.foreign import Exported
from heliograph.rules.flow.rapidpro_actions import GENERAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heliograph.rules.flow.document import Flow

    Made = dict[str, object]

SPEC = "13.6.1"
SPACE = UUID("6f1d9a57-3f0a-5b0e-9c1e-5f0d3c8a7b21")  # made up once, for ids that are ours
MOST_BUCKETS = 100
_LANGUAGES = {"en": "eng", "fr": "fra", "es": "spa", "de": "deu", "pt": "por", "it": "ita", "nl": "nld"}


def write(flows: Iterable[Flow]) -> Exported:
    """An export of flows that RapidPro can import."""
    made: list[object] = []
    lost: list[str] = []
    for flow in flows:
        writer = _Writer(flow, expressions_of(flow))
        made.append(_flow(writer))
        lost += [f"{flow.name}: {words}" for words in writer.lost]
    return Exported({"version": "13", "site": "", "flows": made, "campaigns": [], "triggers": []}, tuple(lost))


def expressions_of(flow: Flow) -> Names:
    """What the flow itself gives values to, by slug."""
    names = Names()
    for node in flow.nodes.values():
        if isinstance(node, nodes.Webhook):
            key = expressions.slug(node.save or "webhook")
            names.services[key] = key
        elif isinstance(node, nodes.Wait) and node.save:
            names.saved.add(expressions.slug(node.save))
        elif isinstance(node, nodes.Branch) and node.save:
            names.saved.add(expressions.slug(node.save.removesuffix(".category")))
    return names


@dataclass(slots=True)
class _Writer:
    """One flow under way."""

    flow: Flow
    names: Names
    lost: list[str] = field(default_factory=list[str])

    def uuid(self, *of: object) -> str:
        """The id of something of this flow."""
        return str(uuid5(SPACE, json.dumps([self.flow.name, *of])))

    def raw(self, key: str) -> Made:
        """A node as the document writes it: its texts as they were written."""
        return cast("Made", cast("Made", self.flow.document["nodes"])[key])

    def text(self, raw: object) -> str:
        """A text with expressions for placeholders."""
        return expressions.from_placeholders("" if raw is None else str(raw), self.names)

    def leave(self, key: str, words: str) -> None:
        """Note what of a node is lost."""
        self.lost.append(f"node {key}: {words}")


def _flow(writer: _Writer) -> Made:
    flow = writer.flow
    keys = [flow.start, *(key for key in flow.nodes if key != flow.start)]
    return {
        "uuid": writer.uuid("flow"),
        "name": flow.name,
        "spec_version": SPEC,
        "language": _LANGUAGES.get(flow.language, flow.language),
        "type": "messaging",
        "revision": 1,
        "expire_after_minutes": max(1, math.ceil(flow.expires.total_seconds() / 60)),
        "localization": {},
        "nodes": [_node(writer, key, flow.nodes[key]) for key in keys],
        "_ui": {"nodes": {}, "heliograph": {writer.uuid("node", key): key for key in keys}},
    }


def _node(writer: _Writer, key: str, node: nodes.Node) -> Made:
    made: Made = {"uuid": writer.uuid("node", key), "actions": []}
    action = _action(writer, key, node)
    if action is not None:
        made["actions"] = [{"uuid": writer.uuid("action", key)} | action]
    match node:
        case nodes.Wait():
            return made | _waiting(writer, key, node)
        case nodes.Branch():
            return made | _branching(writer, key, node)
        case nodes.Split():
            return made | _splitting(writer, key, node)
        case nodes.Webhook():
            test = _has("has_number_between", "200", "299")
            switch = _Switch(writer, key, "@(default(webhook.status, 0))")
            return made | switch.made([(test, "Success", node.next)], ("Failure", node.failed))
        case _:
            after = dict(documents.ways(node)).get("next")
            return made | {"exits": [_exit(writer, key, "next", after)]}


def _exit(writer: _Writer, key: str, way: str, to: str | None) -> Made:
    goes = None if to is None else writer.uuid("node", to)
    return {"uuid": writer.uuid("exit", key, way), "destination_uuid": goes}


def _action(writer: _Writer, key: str, node: nodes.Node) -> Made | None:
    raw = writer.raw(key)
    made: Made = {}
    match node:
        case nodes.Send(named=name):
            if name is not None:
                writer.leave(key, f"the template {name!r} is none of RapidPro's; its name stands for it")
            made = {"type": "send_msg", "text": f"({name})" if name else writer.text(raw["text"])}
        case nodes.HandOff(team=team):
            topic = {"uuid": str(uuid5(SPACE, f"team {team}")), "name": team or GENERAL}
            made = {"type": "open_ticket", "topic": topic, "note": writer.text(raw.get("note", ""))}
        case nodes.Go(flow=name):
            of = {"uuid": str(uuid5(SPACE, json.dumps([name, "flow"]))), "name": name}
            made = {"type": "enter_flow", "flow": of, "terminal": node.next is None}
        case nodes.End(result=result):
            made = {"type": "set_run_result", "name": "Result", "value": result.replace("@", "@@"), "category": ""}
        case nodes.Webhook():
            made = _webhook(writer, key, node)
        case nodes.Delay():
            writer.leave(key, "a delay is left out: it goes on at once there")
        case _:
            made = _change(writer, raw, node)
    return made or None


def _change(writer: _Writer, raw: Made, node: nodes.Node) -> Made:
    """What changes a contact."""
    match node:
        case nodes.Set(name=name):
            of = {"key": expressions.slug(name), "name": name}
            return {"type": "set_contact_field", "field": of, "value": writer.text(raw["value"])}
        case nodes.ListChange(list=name, add=add):
            kind = "add_contact_groups" if add else "remove_contact_groups"
            return {"type": kind, "groups": [{"uuid": str(uuid5(SPACE, f"list {name}")), "name": name}]}
        case nodes.Opt(out=out):
            return {"type": "set_contact_status", "status": "stopped" if out else "active"}
        case _:
            return {}


def _webhook(writer: _Writer, key: str, node: nodes.Webhook) -> Made:
    raw = writer.raw(key)
    if (node.timeout_s, node.retries) != (10.0, 2):
        writer.leave(key, "timeout_s and retries are RapidPro's own there")
    sent = {name: writer.text(value) for name, value in cast("Made", raw.get("body") or {}).items()}
    made: Made = {
        "type": "call_webhook",
        "method": node.method,
        "url": writer.text(raw["url"]),
        "headers": {name: writer.text(value) for name, value in cast("Made", raw.get("headers") or {}).items()},
        "body": json.dumps(sent, ensure_ascii=False) if node.body is not None else "",
    }
    return made | ({"result_name": node.save} if node.save else {})


@dataclass(slots=True)
class _Switch:
    """A switch router under way: categories with names that are there once, an exit each."""

    writer: _Writer
    key: str
    operand: str
    categories: list[Made] = field(default_factory=list["Made"])
    exits: list[Made] = field(default_factory=list["Made"])
    more: Made = field(default_factory=dict[str, object])

    def category(self, name: str, to: str | None) -> str:
        """Another category; its uuid."""
        taken = {str(each["name"]) for each in self.categories}
        called = next(each for each in (name, *(f"{name} {n}" for n in range(2, 10_000))) if each not in taken)
        uuid, way = self.writer.uuid("category", self.key, called), _exit(self.writer, self.key, called, to)
        self.categories.append({"uuid": uuid, "name": called, "exit_uuid": way["uuid"]})
        self.exits.append(way)
        return uuid

    def made(self, cases: list[tuple[Made, str, str | None]], default: tuple[str, str | None]) -> Made:
        """The router and the exits. Cases in a row with one label and one way share their category."""
        written: list[Made] = []
        before: tuple[str, str | None] | None = None
        uuid = ""
        for number, (test, label, to) in enumerate(cases):
            if (label, to) != before:
                uuid = self.category(label, to)
            before = (label, to)
            written.append({"uuid": self.writer.uuid("case", self.key, number), "category_uuid": uuid} | test)
        router: Made = {
            "type": "switch",
            "operand": self.operand,
            "cases": written,
            "default_category_uuid": self.category(*default),
            "categories": self.categories,
        }
        return {"router": router | self.more, "exits": self.exits}


def _waiting(writer: _Writer, key: str, node: nodes.Wait) -> Made:
    switch = _Switch(writer, key, "@input.text")
    wait: Made = {"type": "msg"}
    save: Made = {"result_name": node.save} if node.save else {}
    if node.timeout is not None:
        uuid = switch.category("No Response", node.on_timeout)
        wait["timeout"] = {"seconds": round(node.timeout.total_seconds()), "category_uuid": uuid}
    switch.more = {"wait": wait, **save}
    return switch.made([], ("All Responses", node.next))


def _branching(writer: _Writer, key: str, node: nodes.Branch) -> Made:
    fields = {case.test.name for case in node.cases if isinstance(case.test, matching.Field)}
    on = writer.raw(key).get("on")
    operand = "@input.text" if on is None else writer.text(on)
    if len(fields) == 1 and all(isinstance(case.test, matching.Field) for case in node.cases):
        operand = "@fields." + expressions.slug(fields.pop())
        fields = set[str]()
    cases: list[tuple[Made, str, str | None]] = []
    for place, case in enumerate(node.cases):
        tests = [] if fields and isinstance(case.test, matching.Field) else _tests(case.test)
        if not tests:
            writer.leave(key, f"cases[{place}] ({case.label}) is left out: RapidPro has no such test beside the others")
        cases += [(test, case.label, case.next) for test in tests]
    if node.most is not None:
        writer.leave(key, "max and then are left out: otherwise is taken each time there")
    switch = _Switch(writer, key, operand)
    if node.save:
        switch.more = {"result_name": node.save.removesuffix(".category")}
    return switch.made(cases, ("Other", node.otherwise))


def _tests(test: matching.Test) -> list[Made]:
    """RapidPro's tests of which one holds when ours does; none when it has no such test."""
    found: list[Made] = []
    match test:
        case matching.AnyWord(words):
            found = [_has("has_phrase" if len(word.split()) > 1 else "has_any_word", word) for word in words]
        case matching.AllWords(words):
            found = [_has("has_all_words", " ".join(words))]
        case matching.Only(words):
            found = [_has("has_only_phrase", word) for word in words]
        case matching.Pattern(pattern):
            found = [_has("has_pattern", pattern)]
        case matching.Number(low, high):
            found = [_number(low, high)]
        case matching.Field(_, wanted):
            found = [_has("has_only_text", each) for each in wanted] or [_has("has_text")]
        case _:
            pass
    return found


def _has(kind: str, *given: str) -> Made:
    return {"type": kind, "arguments": [each.replace("@", "@@") for each in given]}


def _number(low: float | None, high: float | None) -> Made:
    if low is not None and high is not None:
        return _has("has_number_between", f"{low:.15g}", f"{high:.15g}")
    if low is not None:
        return _has("has_number_gte", f"{low:.15g}")
    return _has("has_number") if high is None else _has("has_number_lte", f"{high:.15g}")


def _splitting(writer: _Writer, key: str, node: nodes.Split) -> Made:
    """As many categories a way as its weight says, in the smallest whole numbers."""
    shares = [Fraction(weight).limit_denominator(MOST_BUCKETS) for _, weight in node.ways]
    scale = math.lcm(*(share.denominator for share in shares))
    whole = [int(share * scale) for share in shares]
    divisor = math.gcd(*whole) or 1
    counts = [max(1, count // divisor) for count in whole]
    if sum(counts) > MOST_BUCKETS:
        total = sum(counts)
        counts = [max(1, round(count * MOST_BUCKETS / total)) for count in counts]
        writer.leave(key, f"its weights are near those there: {':'.join(map(str, counts))}")
    exits = [_exit(writer, key, f"way {place}", to) for place, (to, _) in enumerate(node.ways)]
    categories: list[Made] = []
    for place, count in enumerate(counts):
        for _ in range(count):
            name = f"Bucket {len(categories) + 1}"
            uuid = writer.uuid("category", key, name)
            categories.append({"uuid": uuid, "name": name, "exit_uuid": exits[place]["uuid"]})
    return {"router": {"type": "random", "categories": categories}, "exits": exits}
