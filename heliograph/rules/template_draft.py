"""What makes the body of a template usable, and what it then says; and what to show one with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import draft, ids, markup, parts, template

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template as somebody wants it. ``body`` is decoded and normalised, its placeholders still in it."""

    name: str
    description: str
    body: str


@dataclass(frozen=True, slots=True)
class TemplateChanges:
    """What is to change of a template; None stays as it is."""

    name: str | None
    description: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Whom to show a template with: a contact (``cc-…``) of a list (``cl-…``), if any; ``fields`` go before its own."""

    contact_id: str | None
    list_id: str | None
    fields: Mapping[str, object]
    missing: template.Missing


def parse(body: object) -> TemplateDraft:
    """The template that a create ``body`` asks for. Raises :class:`Invalid` naming the field at fault."""
    sent = _object(body)
    return TemplateDraft(_name(sent), _description(sent) or "", _words(sent))


def changes(body: object) -> TemplateChanges:
    """What an update ``body`` changes of a template. Raises :class:`Invalid` as :func:`parse` does."""
    sent = {key: value for key, value in _object(body).items() if value is not None}
    if not any(key in sent for key in ("name", "description", "body")):
        raise Invalid("There is nothing to change. The body takes any of: name, description, body")
    return TemplateChanges(
        name=_name(sent) if "name" in sent else None,
        description=_description(sent),
        body=_words(sent) if "body" in sent else None,
    )


def sample(body: object) -> Sample:
    """Whom a preview ``body`` wants to see a template with. Raises :class:`Invalid` as :func:`parse` does."""
    sent = _object(body)
    fields, contact = sent.get("fields"), sent.get("contactId")
    found = ids.parse_contact_id(contact) if isinstance(contact, str) else None
    if contact is not None and found is None:
        text = f"contactId is {reading.shown(contact)}. It takes the id of a contact of a list, cc-…"
        raise Invalid(text, field="contactId")
    return Sample(
        contact_id=str(contact) if found else None,
        list_id=found[0] if found else None,
        fields={} if fields is None else reading.mapping(fields, "fields"),
        missing=template.parse_missing(sent.get("onMissing"), field="onMissing"),
    )


def _object(body: object) -> Mapping[str, object]:
    sent = reading.mapping(body, "")
    reading.storable(body)
    return sent


def _name(sent: Mapping[str, object]) -> str:
    return reading.name(sent.get("name"), "name", longest=draft.LONGEST_NAME)


def _description(sent: Mapping[str, object]) -> str | None:
    raw = sent.get("description")
    return None if raw is None else reading.text(raw, "description", longest=draft.LONGEST_DESCRIPTION)


def _words(sent: Mapping[str, object]) -> str:
    """The words of ``body``, encoded in any way that a campaign's own text may be."""
    raw = reading.text(sent.get("body"), "body", longest=draft.LONGEST_MESSAGE)
    words = parts.normalise(template.decode(raw))
    if not words.strip():
        text = f"body is {reading.shown(raw)}. It takes the text to send, plain or in Base64"
        raise Invalid(text, field="body")
    draft.check_words(words, "body")
    if markup.encode(words) is None:
        text = (
            "body holds words that look like HTML tags, and no-break spaces or characters for private use beside them"
        )
        raise Invalid(f"{text}. It takes a text without one of the two", field="body")
    return words
