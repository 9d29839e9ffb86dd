"""What makes the body of a call about experience flows usable, and what it then says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import draft
from heliograph.rules.flow import document

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NAME = document.LONGEST_NAME
KEYS = ("name", "description", "document", "publish")


@dataclass(frozen=True, slots=True)
class FlowDraft:
    """A flow as somebody wants it. ``document`` is read, its ``name`` is ``name``."""

    name: str
    description: str
    document: Mapping[str, object]
    publish: bool


@dataclass(frozen=True, slots=True)
class FlowChanges:
    """What is to change of a flow; None stays as it is."""

    name: str | None
    description: str | None
    document: Mapping[str, object] | None
    publish: bool


def parse(body: object) -> FlowDraft:
    """The flow that a create ``body`` asks for: its document, alone or under ``document`` beside a name.

    Raises :class:`Invalid` naming the field at fault; a field of the document stands under ``document.``, unless the
    body is the document.
    """
    sent = _object(body)
    written = _document(sent)
    if written is None:
        text = "document is missing or null. It takes a flow: a name, and nodes with at least one"
        raise Invalid(text, field="document")
    name = written.get("name") if sent.get("name") is None else sent["name"]
    found = reading.name(name, "name", longest=LONGEST_NAME)
    return FlowDraft(found, _description(sent, written) or "", called(written, found), _publish(sent))


def changes(body: object) -> FlowChanges:
    """What an update ``body`` changes of a flow. Raises :class:`Invalid` as :func:`parse`."""
    sent = _object(body)
    written = _document(sent)
    if written is None and all(sent.get(key) is None for key in KEYS):
        raise Invalid(f"There is nothing to change. The body takes any of: {', '.join(KEYS)}")
    name = sent.get("name")
    if name is None and written is not None:
        name = written.get("name")
    found = None if name is None else reading.name(name, "name", longest=LONGEST_NAME)
    return FlowChanges(found, _description(sent, written or {}), written, _publish(sent))


def called(written: Mapping[str, object], name: str) -> dict[str, object]:
    """A flow's document with another name in it."""
    return {"flow": document.FORMAT, "name": name} | {
        key: value for key, value in written.items() if key not in {"flow", "name"}
    }


def _object(body: object) -> Mapping[str, object]:
    sent = reading.mapping(body, "")
    reading.storable(body)
    return sent


def _document(sent: Mapping[str, object]) -> Mapping[str, object] | None:
    """The flow in a body, read and found good; None when there is none in it."""
    if "nodes" in sent:
        written = {key: value for key, value in sent.items() if key not in {"publish", "description"}}
        document.read(written)
        return written
    if sent.get("document") is None:
        return None
    written = reading.mapping(sent["document"], "document")
    named = written if written.get("name") is not None else {**written, "name": sent.get("name") or "A flow"}
    try:
        document.read(named)
    except Invalid as error:
        field = f"document.{error.field}" if error.field else "document"
        raise Invalid(f"In the document: {error.message}", field=field) from error
    return named


def _description(sent: Mapping[str, object], written: Mapping[str, object]) -> str | None:
    value = sent.get("description")
    value = written.get("description") if value is None else value
    return None if value is None else reading.text(value, "description", longest=draft.LONGEST_DESCRIPTION)


def _publish(sent: Mapping[str, object]) -> bool:
    value = sent.get("publish")
    return value is not None and reading.flag(value, "publish")
