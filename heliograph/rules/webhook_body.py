"""What people send to have something told: where, of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from heliograph.errors import Invalid
from heliograph.rules import address, body
from heliograph.rules.webhook import ALL, BY_NAME, Event

LONGEST_DESCRIPTION = 256
_FIELDS = ("url", "description", "events", "enabled")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook as a person decides about it."""

    url: str
    description: str
    events: tuple[str, ...]
    enabled: bool


def draft(sent: object) -> Wanted:
    """A new one: ``url`` and ``events`` at least. Raises Invalid naming the field at fault."""
    asked = body.mapping(sent, "")
    return Wanted(
        url=_url(asked.get("url")),
        description=_description(asked.get("description")),
        events=events(asked.get("events")),
        enabled=body.flag(asked.get("enabled", True), "enabled"),
    )


def changes(before: Wanted, sent: object) -> Wanted:
    """What it is after a body; what is left out stays. Raises Invalid naming the field at fault."""
    asked = body.mapping(sent, "")
    if not any(name in asked for name in _FIELDS):
        raise Invalid(f"There is nothing to change. The body takes any of: {', '.join(_FIELDS)}")
    return Wanted(
        url=_url(asked["url"]) if "url" in asked else before.url,
        description=_description(asked["description"]) if "description" in asked else before.description,
        events=events(asked["events"]) if "events" in asked else before.events,
        enabled=body.flag(asked["enabled"], "enabled") if "enabled" in asked else before.enabled,
    )


def events(value: object) -> tuple[str, ...]:
    """Names of events, each once; beside ``*``, which stands for the others, those of ``BY_NAME``. Raises Invalid."""
    known = [event.value for event in Event]
    names: list[object] = cast("list[object]", value) if isinstance(value, list) else []
    if not names:
        said = body.shown(cast("object", value))
        raise Invalid(f"events is {said}. It takes a list of: {ALL}, {', '.join(known)}", field="events")
    for name in names:
        if name != ALL and name not in known:
            text = f"There is no event {body.shown(name)}; there are: {ALL} for all of them, {', '.join(known)}"
            raise Invalid(text, field="events")
    once = dict.fromkeys(cast("list[str]", names))
    return (ALL, *(name for name in once if name in BY_NAME)) if ALL in once else tuple(once)


def _url(value: object) -> str:
    address.read_url(value, "url")
    return cast("str", value)


def _description(value: object) -> str:
    return "" if value is None else body.text(value, "description", longest=LONGEST_DESCRIPTION).strip()
