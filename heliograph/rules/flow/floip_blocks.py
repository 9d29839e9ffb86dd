"""What FLOIP's blocks are here: one or a few nodes each, or none and why."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.rules import body
from heliograph.rules.flow import expressions, values
from heliograph.rules.flow.expressions import Names, slug
from heliograph.rules.flow.rapidpro_actions import FOLLOW, Piece, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.foreign import Findings

    # Our nodes for a block, and the block that follows the last of them.
    Made = tuple[list[Piece], str | None]

VENDOR = "heliograph"  # the namespace in vendor_metadata of what FLOIP has no place for
TOPS = frozenset("contact flow block channel date parentflowcontext childflowcontext".split())
_EQUALS = re.compile(r"""\s*@?\(?([\w.]+)\s*==?\s*(?:'([^']*)'|"([^"]*)"|([\w.-]+))\s*\)?\s*""").fullmatch
_LIMIT = re.compile(r"\s*([\w.]+)\s*(<=?|>=?)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*").fullmatch
_ALL = re.compile(r"\s*(AND|OR)\s*\((.*)\)\s*", re.IGNORECASE).fullmatch
TINY = 0.000001  # numbers in answers are read to this
Test = tuple[str, Piece]  # the path asked about, and the test


@dataclass(frozen=True, slots=True)
class Block:
    """A block being read: with the flow's texts by resource, and the container's flows by uuid."""

    sent: Mapping[str, object]
    texts: Mapping[str, str]
    flows: Mapping[str, str]
    names: Names
    findings: Findings

    @property
    def uuid(self) -> str:
        """Its id."""
        return str(self.sent.get("uuid"))

    @property
    def config(self) -> Mapping[str, object]:
        """What it is given."""
        found = self.sent.get("config")
        return cast("Piece", found) if isinstance(found, dict) else {}

    def ours(self, key: str) -> object:
        """What our own export left with it."""
        return ours(self.sent, key)

    def exits(self) -> list[Piece]:
        """The exits, the default one last."""
        found = [cast("Piece", each) for each in values.listed(self.sent.get("exits")) if isinstance(each, dict)]
        return sorted(found, key=lambda each: bool(each.get("default")))

    def default(self) -> str | None:
        """Where the default exit leads."""
        return next((goes(each) for each in self.exits() if each.get("default")), None)

    def text(self, raw: object) -> str:
        """A text, of a resource or written out, with placeholders."""
        written = self.texts.get(str(raw), "" if raw is None else str(raw))
        refuse = self.findings.refuse
        return expressions.to_placeholders(written, self.names, refuse, tops=TOPS, find=named)


def ours(sent: Mapping[str, object], key: str) -> object:
    """What our own export left with something, under a key."""
    vendors = sent.get("vendor_metadata")
    found = cast("Piece", vendors).get(VENDOR) if isinstance(vendors, dict) else None
    return cast("Piece", found).get(key) if isinstance(found, dict) else None


def goes(way: Mapping[str, object]) -> str | None:
    """The block that an exit leads to."""
    to = way.get("destination_block")
    return None if to is None else str(to)


def named(path: str, names: Names) -> str | None:  # noqa: ARG001  # asked as RapidPro's is
    """The placeholder's name for a path of FLOIP's."""
    top, *rest = path.split(".")
    if top.casefold() == "contact" and len(rest) == 1:
        return rest[0]
    if top.casefold() == "flow" and rest:
        return ".".join([rest[0], *(rest[1:] if rest[1:] not in (["value"], ["response"]) else [])])
    return "answer" if top.casefold() == "block" and rest in (["value"], ["response"]) else None


def path(name: str, names: Names) -> str:
    """The path of FLOIP's for a placeholder's name."""
    first, *rest = [slug(each) for each in name.split(".")]
    if [first, *rest][:1] == ["context"] and len(rest) > 1:
        return "contact." + "_".join(rest[1:])
    if first == "answer" and not rest:
        return "block.response"
    if rest or first in names.saved or first in names.services:
        return ".".join(["flow", first, *rest])
    return f"contact.{first}"


def read(block: Block) -> Made:
    """Our nodes for a block; what has none is refused."""
    kind = str(block.sent.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        block.findings.refuse(kind)
        return [], block.default()
    pieces, after = reader(block)
    setting = values.listed(block.config.get("set_contact_property"))
    if setting and kind != "Core.SetContactProperty":
        block.findings.refuse(
            kind, "that sets properties as it is left is not supported: set them in a block of their own"
        )
    return pieces, after


def _message(block: Block) -> Made:
    config = block.config
    text = block.text(config.get("prompt") or config.get("message"))
    return ([{"type": "send", "text": text, "next": FOLLOW}] if text.strip() else []), block.default()


def _asked(block: Block, also: str = "") -> list[Piece]:
    """The question, if there is one, and the wait for its answer."""
    config = block.config
    text = "\n".join(each for each in (block.text(config.get("prompt") or config.get("question_prompt")), also) if each)
    found: list[Piece] = [{"type": "send", "text": text, "next": FOLLOW}] if text.strip() else []
    save = block.ours("save") if block.ours("node") else slug(str(block.sent.get("name")))
    wait: Piece = {"type": "wait", "save": save, "next": FOLLOW}
    limit = block.ours("timeout")
    if isinstance(limit, str):
        wait |= {"timeout": limit, "on_timeout": Way(block.default())}
    return [*found, wait]


def _open(block: Block) -> Made:
    answered = next((each for each in block.exits() if not each.get("default")), None)
    return _asked(block), goes(answered) if answered is not None else block.default()


def _numeric(block: Block) -> Made:
    config = block.config
    ends = [config.get("validation_minimum"), config.get("validation_maximum")]
    numbers = [each if values.is_number(each) else None for each in ends]
    good = next((goes(each) for each in block.exits() if not each.get("default")), block.default())
    case: Piece = {"number": numbers, "label": "number", "next": Way(good)}
    branch: Piece = {"type": "branch", "cases": [case], "otherwise": Way(block.default())}
    return [*_asked(block), branch], None


def _select(block: Block) -> Made:
    """Choices are known by their tests, or by their names where they have none."""
    config, name = block.config, slug(str(block.sent.get("name")))
    ways = {str(each.get("name")): goes(each) for each in block.exits() if not each.get("default")}
    single = next(iter(ways.values()), None) if len(ways) == 1 else None
    listed = [cast("Piece", each) for each in values.listed(config.get("choices")) if isinstance(each, dict)]
    cases: list[Piece] = []
    shown: list[str] = []
    for choice in listed:
        called = str(choice.get("name"))
        if config.get("question_prompt") and choice.get("prompt"):
            shown.append(block.text(choice["prompt"]))
        words: list[object] = []
        for raw in values.listed(choice.get("text_tests")):
            written = str(cast("Piece", raw).get("test_expression")) if isinstance(raw, dict) else ""
            test = condition(written)
            if test is None or "only" not in test[1]:
                block.findings.refuse("text_tests", f"with {body.shown(written)} is not supported")
                continue
            words += cast("list[object]", test[1]["only"])
        to = ways.get(called, single if single is not None else block.default())
        cases.append({"only": words or [called], "label": called, "next": Way(to)})
    if not cases:
        block.findings.refuse(str(block.sent.get("type")), "without choices is not supported")
        return _asked(block), block.default()
    branch: Piece = {"type": "branch", "cases": cases, "otherwise": Way(block.default()), "save": name}
    return [*_asked(block, "\n".join(shown)), branch], None


def _case(block: Block) -> Made:
    """One branch: what its tests ask about must be one and the same, or fields of the contact."""
    cases: list[Piece] = []
    asked: list[str] = []
    for each in block.exits():
        if each.get("default"):
            continue
        written, kept = str(each.get("test")), ours(each, "case")
        if isinstance(kept, dict) and ours(each, "test") == written:
            cases.append({**cast("Piece", kept), "label": each.get("name"), "next": Way(goes(each))})
            continue
        test = condition(written)
        if test is None:
            block.findings.refuse("test", f"{body.shown(written)} is not supported")
            continue
        asked.append(test[0])
        cases.append({**test[1], "label": str(each.get("name")), "next": Way(goes(each))})
    if not cases:
        return [], block.default()
    if len(set(asked)) > 1:
        told = ", ".join(sorted(set(asked)))
        block.findings.refuse("Core.Case", f"that asks about several values ({told}) is not supported: ask one by one")
    branch: Piece = {"type": "branch", "cases": cases, "otherwise": Way(block.default()), "save": block.ours("save")}
    if block.ours("node"):
        branch["on"] = block.ours("on")
    elif asked and not asked[0].startswith("block."):
        branch["on"] = block.text(f"@({asked[0]})")
    return [branch], None


def condition(written: str) -> Test | None:
    """The test that an expression is: a value equals a word, or lies in a range; or several of those words."""
    several = _ALL(written)
    if several is None:
        return _single(written)
    found = [_single(each) for each in several[2].split(",")]
    if any(each is None for each in found) or len({each[0] for each in found if each}) != 1:
        return None
    tests = [each for each in found if each]
    asked, made = tests[0][0], [test for _, test in tests]
    if several[1].upper() == "OR" and all("only" in test for test in made):
        return asked, {"only": [word for test in made for word in cast("list[object]", test["only"])]}
    if several[1].upper() == "AND" and all("number" in test for test in made):
        ends = [cast("list[float | None]", test["number"]) for test in made]
        low = max((each[0] for each in ends if each[0] is not None), default=None)
        high = min((each[1] for each in ends if each[1] is not None), default=None)
        return asked, {"number": [low, high]}
    return None


def _single(written: str) -> Test | None:
    limit = _LIMIT(written)
    if limit is not None:
        number, sign = float(limit[3]), limit[2]
        off = 0.0 if "=" in sign else TINY
        end = round(number + off if sign.startswith(">") else number - off, 6)
        short = int(end) if end.is_integer() else end
        return limit[1], {"number": [short, None] if sign.startswith(">") else [None, short]}
    equal = _EQUALS(written)
    if equal is None:
        return None
    word = next(each for each in (equal[2], equal[3], equal[4]) if each is not None)
    return (equal[1], {"only": [word]}) if word.strip() else None


def _properties(block: Block) -> Made:
    raw = block.config.get("set_contact_property")
    found: list[Piece] = []
    for each in values.several(raw):
        one = cast("Piece", each) if isinstance(each, dict) else {}
        value = block.text(one.get("property_value"))
        found.append({"type": "set", "field": str(one.get("property_key")), "value": value, "next": FOLLOW})
    return found, block.default()


def _groups(block: Block) -> Made:
    config = block.config
    if config.get("clear"):
        block.findings.refuse("Core.SetGroupMembership", "that clears all groups is not supported: name them")
    kind = "list_remove" if config.get("is_member") is False else "list_add"
    found: list[Piece] = []
    for each in values.listed(config.get("groups")):
        group = cast("Piece", each) if isinstance(each, dict) else {}
        name = str(group.get("group_name") or group.get("group_key"))
        found.append({"type": kind, "list": name, "next": FOLLOW})
    return found, block.default()


def _webhook(block: Block) -> Made:
    config = block.config
    for key in ("query_params", "auth"):
        if config.get(key):
            block.findings.refuse("Core.Webhook", f"with {key} is not supported: put it into url or headers")
    method = str(config.get("method", "POST")).upper()
    if method not in {"GET", "POST", "PUT", "PATCH"}:
        block.findings.refuse("Core.Webhook", f"with {method} is not supported")
        method = "POST"
    headers = config.get("headers")
    given = cast("Piece", headers) if isinstance(headers, dict) else {}
    limit = config.get("timeout")
    piece: Piece = {
        "type": "webhook",
        "url": block.text(config.get("url")),
        "method": method,
        "headers": {key: block.text(value) for key, value in given.items()} or None,
        "body": _body(block),
        "save": block.ours("save") if block.ours("node") else slug(str(block.sent.get("name"))),
        "timeout_s": min(30, max(1, limit / 1000)) if isinstance(limit, int | float) else None,
        "retries": block.ours("retries"),
        "failed": Way(block.default()),
        "next": FOLLOW,
    }
    good = next((goes(each) for each in block.exits() if not each.get("default")), block.default())
    return [piece], good


def _body(block: Block) -> object:
    raw = block.config.get("body")
    if raw is None or not str(raw).strip():
        return None
    try:
        found: object = json.loads(str(raw))
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(isinstance(each, dict | list) for each in cast("Piece", found).values()):
        why = f"has the body {body.shown(raw)}: only an object of texts is supported"
        block.findings.refuse("Core.Webhook", why)
        return None
    texts = cast("Piece", found)
    return {key: block.text(each if isinstance(each, str) else json.dumps(each)) for key, each in texts.items()}


def _run(block: Block) -> Made:
    wanted = str(block.config.get("flow_id"))
    name = block.flows.get(wanted) or block.ours("flow")
    if not isinstance(name, str):
        block.findings.refuse("Core.RunFlow", f"runs {body.shown(wanted)}, which is not in this container")
        name = wanted
    good = next((goes(each) for each in block.exits() if not each.get("default")), block.default())
    return [{"type": "flow", "flow": name, "next": FOLLOW}], good


def _log(block: Block) -> Made:
    block.findings.note("a log is left out: every conversation has its transcript")
    return [], block.default()


def _output(block: Block) -> Made:
    if block.ours("is"):
        return _own(block)
    block.findings.refuse("Core.Output", "is not supported: keep an answer by its question, or end with a result")
    return [], block.default()


def _own(block: Block) -> Made:
    """A node of ours that FLOIP has no block for, as our own export wrote it."""
    node = block.ours("is")
    kept = dict(cast("Piece", node)) if isinstance(node, dict) else {}
    if not kept:
        block.findings.refuse(str(block.sent.get("type")))
        return [], block.default()
    ways = [{"next": Way(goes(each)), "weight": ours(each, "weight")} for each in block.exits()]
    if kept.get("type") == "split":
        return [kept | {"ways": ways}], None
    return [kept | ({} if kept.get("type") in {"end", "handoff"} else {"next": FOLLOW})], block.default()


_READERS: dict[str, Callable[[Block], Made]] = {
    "MobilePrimitives.Message": _message,
    "MobilePrimitives.OpenResponse": _open,
    "MobilePrimitives.NumericResponse": _numeric,
    "MobilePrimitives.SelectOneResponse": _select,
    "Core.Case": _case,
    "Core.SetContactProperty": _properties,
    "Core.SetGroupMembership": _groups,
    "Core.Webhook": _webhook,
    "Core.RunFlow": _run,
    "Core.Log": _log,
    "Core.Output": _output,
    "Heliograph.Node": _own,
}
