"""Who of a run is texted, with what and from when; and why not, for whoever is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from heliograph.rules import hold_out, parts, place, plain, quiet, template, timing
from heliograph.rules import hours as hours_

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from heliograph.rules.filters import Filter


class LeftOut(StrEnum):
    """Why a person of the audience gets no text."""

    DO_NOT_CONTACT = "do_not_contact"  # the number is on a DNC list of the campaign or of the app
    FILTERED = "filter_excluded"  # the campaign's filters are for others
    MISSING_VALUE = "missing_value"  # a placeholder has no value, and the campaign says not to send then
    EMPTY_TEXT = "empty_text"  # nothing is left of the text once filled in
    BY_FLOW = "by_flow"  # their flow asks a service or waits before its first text, which is said later then
    TOO_LONG = "too_long"  # more parts than one message can have
    FREQUENCY_CAP = "frequency_cap"  # as many texts as the app allows in so many days; the detail says which cap
    GOT_CAMPAIGN = "got_campaign"  # the campaign leaves out the readers of another, which the detail names
    HELD_OUT = "held_out"  # drawn to get nothing, so that the others can be compared with somebody
    NEVER_OPEN = "never_open"  # calling hours and law are never open together wherever this person may be


NO_COMMON_WINDOW = "no_common_window"  # the detail of NEVER_OPEN
Reason = tuple[LeftOut, str]
"""Why, and its detail."""
NOBODY: Mapping[str, Reason] = MappingProxyType({})
MAX_PARTS = 255  # 3GPP TS 23.040: the part count is one octet


class Someone(Protocol):
    """A contact as deciding needs it. ``fields`` may be empty when the plan needs none."""

    @property
    def number(self) -> str:
        """E.164 with its plus."""
        ...

    @property
    def time_zone(self) -> str | None:
        """Their own."""
        ...

    @property
    def fields(self) -> Mapping[str, object]:
        """Their columns."""
        ...


class Person(NamedTuple):
    """A contact as planning needs it. ``fields`` may be empty when the plan needs none."""

    list_id: int
    contact_seq: int
    number: str
    time_zone: str | None
    fields: Mapping[str, object]
    level: int = 0  # contact priority: the highest is texted first


class Planned(NamedTuple):
    """What one person gets. ``text`` None: the run's own text, word for word."""

    text: str | None
    parts: int
    zone: str  # all in which the calling hours must be open; see rules/timing.py
    due_at: datetime
    law: str = ""  # the place whose law counts; empty: exempt
    basis: timing.Basis = timing.Basis.CAMPAIGN


_Said = tuple[str | None, int, Reason | None]  # text and parts of Planned; or why there is none
_NONE = template.Canonical()


@dataclass(slots=True)
class Plan:
    """How a run treats everyone, with what is the same for many people worked out once.

    Make one per page: due times are those of ``now``.
    """

    text: template.Template
    missing: template.Missing
    hours: hours_.CallingHours
    now: datetime
    own: str = ""  # the run's text as it is sent when it has no placeholders
    filter: Filter | None = None
    zone_rule: timing.ZoneRule = timing.ZoneRule.VENDOR
    law: quiet.Law = quiet.OFF
    exempt: bool = False  # from the law
    campaign_id: str = ""  # the cd- id, by which people are held out
    hold_out: int = 0  # percent
    substitutes: bool = False  # texts are put in plain characters where they fit then; ``own`` is already
    needs_fields: bool = field(init=False)  # whether deciding looks at a contact's columns
    _wanted: frozenset[str] = field(init=False)  # these columns
    _own: _Said = field(init=False)  # what all get
    _has_names: bool = field(init=False)
    _held: Reason = field(init=False)
    _is_held: Callable[[str], bool] = field(init=False)
    # By own zone and the start of the number, with what all get; None: never.
    _due: dict[tuple[str | None, str], Planned | None] = field(
        default_factory=dict["tuple[str | None, str]", "Planned | None"]
    )

    def __post_init__(self) -> None:
        self._has_names = not self.text.is_plain
        self._held = LeftOut.HELD_OUT, f"{self.hold_out}%"
        self.needs_fields = self.filter is not None or self._has_names
        self._wanted = frozenset(self.text.names) | (self.filter.columns if self.filter else frozenset())
        self._own = _sized(None, self.own)
        self._is_held = hold_out.drawn(self.campaign_id, self.hold_out)

    def decide(
        self, person: Someone, blocked: Collection[str], away: Mapping[str, Reason] = NOBODY
    ) -> Planned | Reason:
        """What ``person`` gets, or why nothing: a reason and its detail.

        ``blocked``: numbers not to be texted; ``away``: those that others of the app's texts keep from this one.
        Whoever is held out is drawn last, among those who would be texted.
        """
        number = person.number
        if number in blocked:
            return LeftOut.DO_NOT_CONTACT, ""
        fields = template.canonical(person.fields, self._wanted) if self.needs_fields else _NONE
        if self.filter is not None and not self.filter.matches(fields):
            return LeftOut.FILTERED, ""
        key = person.time_zone, place.start(number)
        when = self._due[key] if key in self._due else self._due_in(key, number)
        if when is None:
            return LeftOut.NEVER_OPEN, NO_COMMON_WINDOW
        text, needed, why = self._fill(fields) if self._has_names else self._own
        if why is None:
            # Who could be texted and is not. The last to be asked, so that hold-outs are like the others.
            why = away.get(number) or (self._held if self.hold_out and self._is_held(number) else None)
        return why or (Planned(text, needed, *when[2:]) if self._has_names else when)

    def _fill(self, fields: template.Canonical) -> _Said:
        """One person's own text."""
        filled = self.text.render(fields, self.missing)
        if filled.text is None:
            return None, 0, (LeftOut.MISSING_VALUE, ", ".join(filled.missing))
        text = parts.normalise(filled.text)
        if self.substitutes:
            text = plain.simplify(text).text
        return _sized(text, text)

    def _due_in(self, key: tuple[str | None, str], number: str) -> Planned | None:
        """Whose clocks count, and the first moment at which hours and law are open by all of them."""
        own_zone, _ = key
        where = timing.where(self.zone_rule, own_zone, place.of(number), self.hours.zone, exempt=self.exempt)
        due_at = timing.next_open(self.hours, where.zone, self.law, where.law, self.now)
        when = None if due_at is None else Planned(None, self._own[1], where.zone, due_at, where.law, where.basis)
        self._due[key] = when
        return when


def _sized(text: str | None, said: str) -> _Said:
    """A text with the parts of what is ``said`` by it, unless that cannot be sent."""
    if not said or said.isspace():
        return None, 0, (LeftOut.EMPTY_TEXT, "")
    needed = parts.measure(said).parts
    return text, needed, (LeftOut.TOO_LONG, f"{needed} parts") if needed > MAX_PARTS else None
