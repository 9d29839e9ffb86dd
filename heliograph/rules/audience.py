"""Who of a run is texted, with what and from when; and why not, for whoever is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from heliograph.rules import hold_out, parts, place, plain, quiet, template, timing
from heliograph.rules import hours as hours_

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from heliograph.rules.filters import Filter


class LeftOut(StrEnum):
    """Why a person of the audience gets no text."""

    DO_NOT_CONTACT = "do_not_contact"  # the number is on a DNC list of the campaign or of the app
    FILTERED = "filter_excluded"  # the campaign's filters are for others
    MISSING_VALUE = "missing_value"  # a placeholder has no value, and the campaign says not to send then
    EMPTY_TEXT = "empty_text"  # nothing is left of the text once filled in
    TOO_LONG = "too_long"  # more parts than one message can have
    FREQUENCY_CAP = "frequency_cap"  # as many texts as the app allows in so many days; the detail says which cap
    GOT_CAMPAIGN = "got_campaign"  # the campaign leaves out the readers of another, which the detail names
    HELD_OUT = "held_out"  # drawn to get nothing, so that the others can be compared with somebody
    NEVER_OPEN = "never_open"  # calling hours and law are never open together wherever this person may be


NO_COMMON_WINDOW = "no_common_window"  # the detail of NEVER_OPEN
NOBODY: Mapping[str, tuple[LeftOut, str]] = MappingProxyType({})
MAX_PARTS = 255  # 3GPP TS 23.040: the part count is one octet


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
    _own_parts: int = 0
    _due: dict[tuple[str | None, place.Place], tuple[timing.Where, datetime | None]] = field(
        default_factory=dict["tuple[str | None, place.Place]", "tuple[timing.Where, datetime | None]"]
    )

    def __post_init__(self) -> None:
        if self.text.is_plain:
            self._own_parts = parts.measure(self.own).parts

    @property
    def needs_fields(self) -> bool:
        """Whether deciding looks at a contact's columns."""
        return self.filter is not None or not self.text.is_plain

    def decide(
        self, person: Person, blocked: Collection[str], away: Mapping[str, tuple[LeftOut, str]] = NOBODY
    ) -> Planned | tuple[LeftOut, str]:
        """What ``person`` gets, or why nothing: a reason and its detail.

        ``blocked``: numbers not to be texted; ``away``: those that others of the app's texts keep from this one.
        Whoever is held out is drawn last, among those who would be texted.
        """
        fields = template.canonical(person.fields) if self.needs_fields else person.fields
        why = self._unwanted(person.number, fields, blocked)
        if why is not None:
            return why, ""
        where, due_at = self._due_in(person.time_zone, place.of(person.number))
        if due_at is None:
            return LeftOut.NEVER_OPEN, NO_COMMON_WINDOW
        if self.text.is_plain:
            text, needed = None, self._own_parts
        else:
            filled = self.text.render(fields, self.missing)
            if filled.text is None:
                return LeftOut.MISSING_VALUE, ", ".join(filled.missing)
            text = parts.normalise(filled.text)
            if self.substitutes:
                text = plain.simplify(text).text
            needed = parts.measure(text).parts
        if not (text if text is not None else self.own).strip():
            return LeftOut.EMPTY_TEXT, ""
        if needed > MAX_PARTS:
            return LeftOut.TOO_LONG, f"{needed} parts"
        kept = self._kept_back(person.number, away) if away or self.hold_out else None
        return kept or Planned(text, needed, where.zone, due_at, where.law, where.basis)

    def _kept_back(self, number: str, away: Mapping[str, tuple[LeftOut, str]]) -> tuple[LeftOut, str] | None:
        """Why somebody who could be texted is not. The last to be asked, so that hold-outs are like the others."""
        if number in away:
            return away[number]
        if self.hold_out and hold_out.is_held(self.campaign_id, number, self.hold_out):
            return LeftOut.HELD_OUT, f"{self.hold_out}%"
        return None

    def _unwanted(self, number: str, fields: Mapping[str, object], blocked: Collection[str]) -> LeftOut | None:
        """Why somebody is none of those the campaign is for, if so."""
        if number in blocked:
            return LeftOut.DO_NOT_CONTACT
        if self.filter is not None and not self.filter.matches(fields):
            return LeftOut.FILTERED
        return None

    def _due_in(self, own_zone: str | None, may_be: place.Place) -> tuple[timing.Where, datetime | None]:
        """Whose clocks count, and the first moment at which hours and law are open by all of them."""
        found = self._due.get((own_zone, may_be))
        if found is None:
            where = timing.where(self.zone_rule, own_zone, may_be, self.hours.zone, exempt=self.exempt)
            due_at = timing.next_open(self.hours, where.zone, self.law, where.law, self.now)
            found = self._due[own_zone, may_be] = (where, due_at)
        return found
