"""What RapidPro's actions are here: one node each, or none and why."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.rules import body
from heliograph.rules.flow import expressions, values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.rules.flow.expressions import Names
    from heliograph.rules.flow.foreign import Findings

Piece = dict[str, object]

FOLLOW = object()
"""In a piece: whatever follows it."""
GENERAL = "General"  # the topic of a ticket that says none
_QUOTING = re.compile(r"@\(json\(([\w.]+)\)\)")  # what puts a value in quotes; a value of ours always has them
STATUSES = {"stopped": "opt_out", "active": "opt_in"}


@dataclass(frozen=True, slots=True)
class Way:
    """In a piece: one of RapidPro's nodes; None: the end."""

    uuid: str | None


@dataclass(frozen=True, slots=True)
class _Reading:
    """An action being read."""

    sent: Mapping[str, object]
    names: Names
    findings: Findings

    def text(self, key: str) -> str:
        """The text of a property, with placeholders."""
        raw = self.sent.get(key)
        return self.words("" if raw is None else str(raw))

    def words(self, text: str) -> str:
        """``text`` with placeholders for its expressions; those without one are refused."""
        return expressions.to_placeholders(text, self.names, self.findings.refuse)

    def named(self, key: str, inner: str = "name") -> str:
        """The name of what a property points to."""
        pointed = self.sent.get(key)
        found = cast("dict[str, object]", pointed).get(inner) if isinstance(pointed, dict) else None
        return str(found or "")


def read(action: Mapping[str, object], names: Names, findings: Findings) -> list[Piece]:
    """Our nodes for an action; what has none is refused."""
    kind = str(action.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        findings.refuse(kind)
        return []
    return reader(_Reading(action, names, findings))


def _send(reading: _Reading) -> list[Piece]:
    sent = reading.sent
    if sent.get("attachments"):
        reading.findings.refuse("send_msg", "has attachments, which a text has not")
    if sent.get("quick_replies"):
        reading.findings.note("quick replies are left out: name the answers in the text")
    if sent.get("template") or sent.get("templating"):
        reading.findings.note("the template for other channels is left out")
    text = reading.text("text")
    return [{"type": "send", "text": text, "next": FOLLOW}] if text.strip() else []


def _field(reading: _Reading) -> list[Piece]:
    name = reading.named("field") or reading.named("field", "key")
    key = reading.named("field", "key")
    return _set(key if key and expressions.slug(name) != key else name, reading.text("value"))


def _set(name: str, value: str) -> list[Piece]:
    return [{"type": "set", "field": name, "value": value, "next": FOLLOW}]


def _contact(name: str, key: str) -> Callable[[_Reading], list[Piece]]:
    return lambda reading: _set(name, reading.text(key))


def _status(reading: _Reading) -> list[Piece]:
    kind = STATUSES.get(str(reading.sent.get("status")))
    if kind is None:
        reading.findings.refuse("set_contact_status", f"to {body.shown(reading.sent.get('status'))} is not supported")
        return []
    return [{"type": kind, "next": FOLLOW}]


def _groups(kind: str) -> Callable[[_Reading], list[Piece]]:
    def reader(reading: _Reading) -> list[Piece]:
        action = str(reading.sent.get("type"))
        if reading.sent.get("all_groups"):
            reading.findings.refuse(action, "with all groups is not supported: name them")
        found: list[Piece] = []
        for raw in values.listed(reading.sent.get("groups")):
            group = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
            name = str(group.get("name") or group.get("name_match") or "")
            if not name or "@" in name:
                reading.findings.refuse(action, f"with the group {body.shown(name)} is not supported: name it")
                continue
            found.append({"type": kind, "list": name, "next": FOLLOW})
        return found

    return reader


def _webhook(reading: _Reading) -> list[Piece]:
    sent = reading.sent
    headers = sent.get("headers")
    given = cast("dict[str, object]", headers) if isinstance(headers, dict) else {}
    piece: Piece = {
        "type": "webhook",
        "url": reading.text("url"),
        "method": str(sent.get("method", "POST")).upper(),
        "headers": {key: reading.words(str(value)) for key, value in given.items() if key != "Accept"} or None,
        "body": _body(reading),
        "save": expressions.slug(str(sent.get("result_name") or "webhook")),
        "next": FOLLOW,
        "failed": FOLLOW,
    }
    if piece["method"] not in {"GET", "POST", "PUT", "PATCH"}:
        reading.findings.refuse("call_webhook", f"with {piece['method']} is not supported")
        piece["method"] = "POST"
    return [piece]


def _body(reading: _Reading) -> object:
    raw = str(reading.sent.get("body") or "")
    if not raw.strip():
        return None
    try:
        found: object = json.loads(_QUOTING.sub(r'"@(\1)"', raw))
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(isinstance(each, dict | list) for each in cast("Piece", found).values()):
        why = f"has the body {body.shown(raw)}: only an object of texts is supported"
        reading.findings.refuse("call_webhook", why)
        return None
    fields = cast("dict[str, object]", found)
    return {key: reading.words(each if isinstance(each, str) else json.dumps(each)) for key, each in fields.items()}


def _enter(reading: _Reading) -> list[Piece]:
    piece: Piece = {"type": "flow", "flow": reading.named("flow")}
    return [piece if reading.sent.get("terminal") else piece | {"next": FOLLOW}]


def _ticket(reading: _Reading) -> list[Piece]:
    topic = reading.named("topic")
    note = reading.text("note") or reading.text("body")
    return [{"type": "handoff", "note": note, "team": topic if topic and topic != GENERAL else None}]


def _result(reading: _Reading) -> list[Piece]:
    return [{"type": "result", "name": str(reading.sent.get("name")), "value": reading.text("value")}]


_READERS: dict[str, Callable[[_Reading], list[Piece]]] = {
    "send_msg": _send,
    "set_contact_field": _field,
    "set_contact_name": _contact("name", "name"),
    "set_contact_language": _contact("language", "language"),
    "set_contact_timezone": _contact("timezone", "timezone"),
    "set_contact_status": _status,
    "add_contact_groups": _groups("list_add"),
    "remove_contact_groups": _groups("list_remove"),
    "call_webhook": _webhook,
    "enter_flow": _enter,
    "open_ticket": _ticket,
    "set_run_result": _result,
}
KINDS = tuple(_READERS)
"""The actions that are supported."""
