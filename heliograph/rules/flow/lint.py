"""What is likely wrong with a flow: dead ends, loops that never wait, costly texts, names that nobody has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliograph.rules import optout, template
from heliograph.rules.flow import costs, document, matching, nodes
from heliograph.rules.flow.foreign import UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from heliograph.rules.flow.document import Flow
    from heliograph.rules.flow.nodes import Node

MOST_PARTS = 3  # parts of one text before it is called costly
PAUSES = (nodes.Wait, nodes.Delay, nodes.HandOff, nodes.End)  # a service's answer is no pause: it comes at once
GIVEN = frozenset({"answer"})  # names that every conversation has
OPT_OUT_WORDS = ("stop", "unsubscribe", "opt out", "opt-out", "optout")  # by which a text says how to leave


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. ``fault``: the flow may not be published with it; else it is advice.

    ``node`` is empty when it is about the flow; ``at`` is the place within the node, such as ``cases[0]``.
    """

    node: str
    kind: str
    words: str
    fault: bool
    at: str = ""

    @property
    def level(self) -> str:
        """``error`` or ``warning``."""
        return "error" if self.fault else "warning"

    @property
    def path(self) -> str:
        """Where it is in the document."""
        return ".".join(each for each in ("nodes" if self.node else "", self.node, self.at) if each)


@dataclass(frozen=True, slots=True)
class Known:
    """What there is besides the flow, by name; None: not known, so not looked at. Names count in any case.

    ``flows``: those there are. ``others``: such of them as were read, by name, for cycles between flows.
    """

    fields: Collection[str] | None = None
    flows: Collection[str] | None = None
    lists: Collection[str] | None = None
    templates: Collection[str] | None = None
    others: Mapping[str, Flow] = field(default_factory=dict[str, "Flow"])
    most_parts: int = MOST_PARTS


def lint(
    flow: Flow,
    *,
    fields: Collection[str] | None = None,
    flows: Collection[str] | None = None,
    known: Known | None = None,
) -> list[Finding]:
    """Every finding: those of the nodes in their order, then those of the flow.

    ``fields``: the columns that contacts have, ``flows``: the names of the flows there are; None: not known, so not
    looked at. ``known`` says those and more at once.
    """
    around = known or Known(fields, flows)
    reached = _reached(flow, flow.start)
    looping = _looping(flow)
    found: list[Finding] = []
    for key, node in flow.nodes.items():
        if key not in reached:
            words = f"Nothing leads to {key}: lead to it, or take it out"
            found.append(Finding(key, "unreachable", words, fault=False))
        if key in looping:
            words = f"{key} comes back to itself without waiting for anything: put a wait or a delay between"
            found.append(Finding(key, "loop", words, fault=True))
        found += _dead_ends(key, node)
        found += _costly(key, node, around.most_parts)
        found += _silent(key, node)
        found += _unknown(key, node, around)
    return found + _nameless(flow, around) + _whole(flow, around)


# ---------------------------------------------------------------- the graph


def _reached(flow: Flow, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += [to for _, to in document.ways(flow.nodes[key]) if to is not None]
    return reached


def _looping(flow: Flow) -> set[str]:
    """The nodes that can be come back to without a pause in between."""
    passing = {key: _next(node) for key, node in flow.nodes.items() if not isinstance(node, PAUSES)}
    return {key for key in passing if key in _walk(passing, passing[key])}


def _walk(passing: Mapping[str, list[str]], start: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += passing.get(key, [])
    return seen


def _next(node: Node) -> list[str]:
    """Where a node leads at once. A branch that counts cannot go round for ever by its ``otherwise``."""
    ways = document.ways(node)
    if isinstance(node, nodes.Branch) and node.most is not None:
        ways = [(name, to) for name, to in ways if name != "otherwise"]
    return [to for _, to in ways if to is not None]


def _dead_ends(key: str, node: Node) -> list[Finding]:
    """Ways that end the conversation without a word of it in the document."""
    found: list[Finding] = []
    if isinstance(node, nodes.Branch):
        ways = [name for name, to in document.ways(node) if to is None]
        if "otherwise" in ways:
            words = f"{key}.otherwise leads nowhere: an answer that no case expects ends the conversation. Ask again"
            found.append(Finding(key, "no_otherwise", words, fault=False, at="otherwise"))
        ways = [name for name in ways if name != "otherwise"]
    elif isinstance(node, nodes.Webhook) and node.failed is None:
        ways = ["failed"]
    elif isinstance(node, nodes.Wait) and node.timeout is not None and node.on_timeout is None:
        ways = ["on_timeout"]
    else:
        ways = []
    for name in ways:
        words = f"{key}.{name} leads nowhere: the conversation ends there. Lead it to a node, such as an end"
        found.append(Finding(key, "dead_end", words, fault=False, at=name))
    return found


def _silent(key: str, node: Node) -> list[Finding]:
    """Waits for ever, and words that a flow never hears."""
    if isinstance(node, nodes.Wait) and node.timeout is None:
        words = f"{key} has no timeout: who says nothing is asked no more, until the conversation expires"
        return [Finding(key, "no_timeout", words, fault=False, at="timeout")]
    found: list[Finding] = []
    for place, case in enumerate(node.cases if isinstance(node, nodes.Branch) and node.on is None else ()):
        for word in _words(case.test):
            if optout.read(word).wish is optout.Wish.STOP:
                words = f"{key}.cases[{place}] waits for {word!r}, which is a no by law: the flow never hears it"
                found.append(Finding(key, "law_word", words, fault=False, at=f"cases[{place}]"))
    return found


def _words(test: matching.Test) -> tuple[str, ...]:
    return test.words if isinstance(test, matching.AnyWord | matching.Only) else ()


# ---------------------------------------------------------------- texts


def _costly(key: str, node: Node, most: int) -> list[Finding]:
    if not isinstance(node, nodes.Send):
        return []
    cost = costs.of(node.text)
    found: list[Finding] = []
    if cost.wide and cost.parts > 1:
        told = " ".join(cost.wide)
        words = (
            f"{key} is {cost.parts} parts as {told} is no letter of GSM 03.38; without, it would be {cost.plain_parts}"
        )
        if cost.plain_parts < cost.parts:
            found.append(Finding(key, "ucs2", words, fault=False, at="text"))
    if cost.parts > most:
        guess = (
            f", each of its {cost.placeholders} placeholders taken for {costs.ASSUMED} characters"
            if cost.placeholders
            else ""
        )
        words = f"{key} is {cost.parts} parts ({cost.encoding}){guess}: shorten it to {most}"
        found.append(Finding(key, "costly", words, fault=False, at="text"))
    return found


def _opening(flow: Flow) -> list[tuple[str, nodes.Send]]:
    """The texts that can be the first one that a person gets."""
    return [(key, node) for key in _beginning(flow) if isinstance(node := flow.nodes[key], nodes.Send)]


def _before_words(flow: Flow) -> list[str]:
    """The nodes that can keep a person's first text for a while."""
    return [key for key in _beginning(flow) if isinstance(flow.nodes[key], (nodes.Webhook, nodes.Delay))]


def _beginning(flow: Flow) -> list[str]:
    """The nodes that a person can come by until they are told something, or are waited for."""
    found: list[str] = []
    seen: set[str] = set()
    waiting = [flow.start]
    while waiting:
        key = waiting.pop()
        node = flow.nodes[key]
        if key in seen:
            continue
        seen.add(key)
        found.append(key)
        if isinstance(node, nodes.Send):
            continue
        if isinstance(node, nodes.Branch) and node.on is None and node.otherwise is not None:
            waiting.append(node.otherwise)  # there is no answer yet, or they wrote first and know how
        elif not isinstance(node, nodes.Wait):
            waiting += [to for _, to in document.ways(node) if to is not None]
    return found


# ---------------------------------------------------------------- names


def _unknown(key: str, node: Node, around: Known) -> list[Finding]:
    """Flows, lists and templates that there are not."""
    asked: list[tuple[str, str, Collection[str] | None]] = []
    if isinstance(node, nodes.Go):
        asked.append(("flow", node.flow, around.flows))
    elif isinstance(node, nodes.ListChange):
        asked.append(("list", node.list, around.lists))
    elif isinstance(node, nodes.Send) and node.named is not None:
        asked.append(("template", node.named, around.templates))
    return [
        Finding(key, f"missing_{kind}", f"{key} names the {kind} {name}, and there is none: make it, or name another",
                fault=True, at=kind)
        for kind, name, there in asked
        if there is not None and name.casefold() not in {each.casefold() for each in there}
    ]  # fmt: skip


def _nameless(flow: Flow, around: Known) -> list[Finding]:
    """Placeholders that nothing gives a value to."""
    if around.fields is None:
        return []
    known = {template.key(name) for name in around.fields} | _made(flow) | GIVEN
    return [
        Finding(key, "missing_field", f"{key} uses {{{{{name}}}}}, which no contact and no answer has", fault=False)
        for key, node in flow.nodes.items()
        for name in sorted(_used(node) - known)
    ]


def _made(flow: Flow) -> set[str]:
    """The names that the flow itself gives values to, each by its first word."""
    made: set[str] = set()
    for node in flow.nodes.values():
        if isinstance(node, nodes.Wait | nodes.Webhook | nodes.Branch) and node.save:
            made.add(template.key(node.save).partition(".")[0])
        elif isinstance(node, nodes.Set):
            made.add(template.key(node.name))
    return made


def _used(node: Node) -> set[str]:
    """The names that a node's texts need a value for. ``crm.order.state`` is an answer's, known by its first word."""
    match node:
        case nodes.Send():
            texts = [node.text]
        case nodes.Set():
            texts = [node.value]
        case nodes.HandOff():
            texts = [node.note]
        case nodes.Branch() if node.on is not None:
            texts = [node.on]
        case nodes.Webhook():
            texts = [node.url, *node.headers.values(), *(node.body or {}).values()]
        case _:
            texts = []
    pairs = [pair for text in texts for pair in zip(text.names, text.defaults, strict=True)]
    names = {name for name, default in pairs if default is None}
    if isinstance(node, nodes.Branch):
        names |= {template.key(case.test.name) for case in node.cases if isinstance(case.test, matching.Field)}
    return {name.removeprefix("context.userinfo.").partition(".")[0] for name in names}


# ---------------------------------------------------------------- the flow as a whole


def _whole(flow: Flow, around: Known) -> list[Finding]:
    found: list[Finding] = []
    for key, node in _opening(flow):
        said = "".join(node.text.pieces).casefold()
        if node.named is None and not any(word in said for word in OPT_OUT_WORDS):
            words = (
                f"{key} may be the first text that somebody gets, and does not say how to opt out. Where the law asks "
                "for it (the United States and Canada among others), add such as: STOP to end"
            )
            found.append(Finding(key, "no_opt_out", words, fault=False, at="text"))
    for key in _before_words(flow):
        words = (
            f"{key} comes before anything is said: a campaign texts whoever comes by it when that is done, by a "
            "follow-up, and counts them as left out of its first texts (by_flow). A text before it leaves at once"
        )
        found.append(Finding(key, "late_text", words, fault=False))
    cycle = _cycle(flow, around.others)
    if cycle:
        words = f"These flows lead to each other at once, and never wait: {' to '.join(cycle)}"
        found.append(Finding("", "flow_cycle", words, fault=True))
    if flow.document.get(UNSUPPORTED):
        words = f"What came with this flow cannot be done here: see {UNSUPPORTED}, and take it out when it is seen to"
        found.append(Finding("", "unsupported", words, fault=True, at=UNSUPPORTED))
    return found


def _cycle(flow: Flow, others: Mapping[str, Flow]) -> list[str]:
    """Names of flows that enter one another, from this one back to it, without a pause on the way; or none."""
    read = {name.casefold(): other for name, other in others.items()} | {flow.name.casefold(): flow}
    waiting = [[flow.name]]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop(0)
        for name in _entered(read[way[-1].casefold()]):
            if name.casefold() == flow.name.casefold():
                return [*way, flow.name]
            if name.casefold() in read and name.casefold() not in seen:
                seen.add(name.casefold())
                waiting.append([*way, name])
    return []


def _entered(flow: Flow) -> list[str]:
    """The flows that a flow enters before it waits for anything."""
    passing = {key: _next(node) for key, node in flow.nodes.items() if not isinstance(node, (*PAUSES, nodes.Go))}
    first = _walk(passing, [flow.start])
    return [node.flow for key, node in flow.nodes.items() if key in first and isinstance(node, nodes.Go)]
