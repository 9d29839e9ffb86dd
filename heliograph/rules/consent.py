"""What somebody brings of who said no or yes, elsewhere or by hand: events to be recorded, with their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from heliograph.errors import Invalid, TooLarge
from heliograph.rules import body, phone

if TYPE_CHECKING:
    from collections.abc import Mapping

What = Literal["opt_out", "opt_in"]
Decision = Literal["optOut", "keep"]

MOST_AT_ONCE = 1000  # events in one call
LONGEST_TEXT = 2000
AHEAD = timedelta(minutes=5)  # that another's clock may be ahead of ours
_WHAT: Mapping[str, What] = {"optout": "opt_out", "opt_out": "opt_out", "optin": "opt_in", "opt_in": "opt_in"}
_DECISIONS: tuple[Decision, ...] = ("optOut", "keep")


class Event(NamedTuple):
    """Somebody said no or yes at a time, in these words."""

    number: str
    what: What
    at: datetime
    text: str = ""


def read_many(sent: Mapping[str, object], *, now: datetime) -> list[Event]:
    """The events of one call: those in ``events``, or the one that the body itself is. Raises :class:`Invalid`."""
    if sent.get("events") is None:
        return [event(sent, now=now)]
    given = sent["events"]
    listed = cast("list[object]", given) if isinstance(given, list) else []
    if not listed:
        shown = body.shown(cast("object", given))
        raise Invalid(f"events is {shown}. It takes a list of 1 to {MOST_AT_ONCE} events", field="events")
    if len(listed) > MOST_AT_ONCE:
        text = f"events has {len(listed)} events. One call takes at most {MOST_AT_ONCE}; send several, or a file"
        raise TooLarge(text, field="events")
    return [event(body.mapping(each, f"events[{n}]"), f"events[{n}].", now=now) for n, each in enumerate(listed)]


def event(sent: Mapping[str, object], path: str = "", *, now: datetime) -> Event:
    """One event. ``what`` is optOut unless it says optIn, ``at`` is now. Raises :class:`Invalid`."""
    if sent.get("phoneNumber") in (None, ""):
        raise Invalid(f"{path}phoneNumber is missing. It takes {phone.ACCEPTED}", field=f"{path}phoneNumber")
    number = phone.normalise(sent["phoneNumber"], field=f"{path}phoneNumber")
    told = sent.get("what")
    what = _WHAT.get(told.strip().lower()) if isinstance(told, str) and told.strip() else None
    if what is None and told not in (None, ""):
        raise Invalid(f"{path}what is {body.shown(told)}. It takes optOut or optIn", field=f"{path}what")
    raw = sent.get("text")
    text = "" if raw is None else body.text(raw, f"{path}text", longest=LONGEST_TEXT)
    return Event(number, what or "opt_out", _at(sent.get("at"), f"{path}at", now), text)


def decision(sent: Mapping[str, object]) -> Decision:
    """What was decided of somebody who was to be reviewed. Raises :class:`Invalid`."""
    found = sent.get("decision")
    for known in _DECISIONS:
        if found == known:
            return known
    text = f"decision is {body.shown(found)}. It takes optOut, or keep to go on texting them"
    raise Invalid(text, field="decision")


def note(sent: Mapping[str, object]) -> str:
    """Why, for whoever asks later."""
    raw = sent.get("note")
    return "" if raw is None else body.text(raw, "note", longest=LONGEST_TEXT)


def _at(raw: object, field: str, now: datetime) -> datetime:
    if raw in (None, ""):
        return now
    try:
        found = datetime.fromisoformat(cast("str", raw).strip())
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        text = f"{field} is {body.shown(raw)}. It takes an ISO 8601 time such as 2026-03-27T18:30:00Z"
        raise Invalid(text, field=field) from error
    if found > now + AHEAD:
        raise Invalid(f"{field} is {body.shown(raw)}, which is to come. It takes a time that is past", field=field)
    return found
