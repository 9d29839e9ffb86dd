"""The nodes of a flow: what happens at each, and where it leads. A ``next`` of None ends the conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from heliograph.rules.flow.matching import Test
    from heliograph.rules.template import Template


@dataclass(frozen=True, slots=True)
class Send:
    """Say something. ``source`` is the text as it was written; ``named`` the template it is taken from, if any."""

    text: Template
    source: str
    next: str | None = None
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for an answer. ``save``: under which name it is kept. ``timeout`` None: until the session expires."""

    next: str
    save: str | None = None
    timeout: timedelta | None = None
    on_timeout: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A condition and where it leads. ``label`` is what reports call this way."""

    test: Test
    next: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Branch:
    """The first case that holds decides; ``otherwise`` none does, at most ``most`` times, then ``then``.

    ``on`` is the text asked about; None: the last answer. ``save``: under which name the label of the case is kept.
    """

    cases: tuple[Case, ...]
    otherwise: str | None
    on: Template | None = None
    most: int | None = None
    then: str | None = None
    save: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """By chance, the same for the same session each time: ``ways`` are node and weight."""

    ways: tuple[tuple[str | None, float], ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Give a field of the contact a value."""

    name: str
    value: Template
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Ask an HTTP service. Its JSON answer is known under ``save`` (``save.path.to.value``)."""

    url: Template
    method: str = "POST"
    headers: Mapping[str, Template] = field(default_factory=dict["str", "Template"])
    body: Mapping[str, Template] | None = None
    save: str | None = None
    timeout_s: float = 10.0
    retries: int = 2
    next: str | None = None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class ListChange:
    """Put the person on a contact list, or take them off it."""

    list: str
    add: bool
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Opt:
    """Take a no (``out``) or a yes for what it is, without the words for it."""

    out: bool
    next: str | None = None


@dataclass(frozen=True, slots=True)
class HandOff:
    """Give the conversation to a person: into the inbox, with a note for whoever takes it."""

    note: Template
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """Go through another flow. Back here at its end if there is a ``next``, else it takes over for good."""

    flow: str
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Let some time pass; an answer in between is heard and changes nothing."""

    wait: timedelta
    next: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The conversation is over, with a result that is counted."""

    result: str = "completed"


Node = Send | Wait | Branch | Split | Set | Webhook | ListChange | Opt | HandOff | Go | Delay | End
