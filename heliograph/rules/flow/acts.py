"""What a flow asks to be done, and what can happen to it. ``number`` names an act within its session for good."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Say:
    """Text the person. ``answering``: it answers a message of theirs, so it may go at once, at any calling hour."""

    number: int
    node: str
    text: str
    answering: bool


@dataclass(frozen=True, slots=True)
class Call:
    """Ask an HTTP service, and tell the session what it answered (:class:`Called`)."""

    number: int
    node: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: Mapping[str, str] | None
    timeout_s: float
    retries: int


@dataclass(frozen=True, slots=True)
class SetField:
    """Give a field of the contact a value."""

    number: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Put the person on a contact list, or take them off it."""

    number: int
    list: str
    add: bool


@dataclass(frozen=True, slots=True)
class ChangeConsent:
    """The person says no (``out``) or yes."""

    number: int
    out: bool


@dataclass(frozen=True, slots=True)
class Hand:
    """Give the conversation to a person."""

    number: int
    note: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Finish:
    """The conversation is over."""

    number: int
    result: str


Act = Say | Call | SetField | ChangeList | ChangeConsent | Hand | Finish
_KINDS = {kind.__name__: kind for kind in (Say, Call, SetField, ChangeList, ChangeConsent, Hand, Finish)}


def to_json(act: Act) -> dict[str, object]:
    """An act as JSON can hold it, for one that is to be done later."""
    return {"kind": type(act).__name__, **asdict(act)}


def from_json(told: Mapping[str, object]) -> Act:
    """The act that :func:`to_json` told."""
    values = dict(told)
    kind = _KINDS[str(values.pop("kind"))]
    return kind(**cast("dict[str, Any]", values))


@dataclass(frozen=True, slots=True)
class Begin:
    """The conversation begins, by us, or by the person (then ``answer`` is what they wrote)."""

    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The person wrote something. ``until``: so long a text counts as the answer to it; None: as the step does.

    ``ref``: by what whoever carries the conversation on knows it.
    """

    text: str
    until: datetime | None = None
    ref: int | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """It is later than the session's deadline."""


@dataclass(frozen=True, slots=True)
class Called:
    """A service answered the call of that number: its JSON object, or None when the call failed."""

    number: int
    answer: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Whoever the conversation belongs to has ended it: a campaign was stopped or deleted, the person said no."""

    why: str


Event = Begin | Answered | Passed | Called | Cancel


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of whom we talk to. ``fields`` are the contact's columns; ``zone`` empty when not known."""

    number: str
    fields: Mapping[str, object]
    now: datetime
    zone: str = ""
