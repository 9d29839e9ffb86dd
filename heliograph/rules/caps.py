"""Frequency caps: how many texts a person may get from all campaigns of an app in so many days.

A text counts from the moment it is taken to be submitted, unless the carrier refused it: accepted and delivered ones
do, and those whose fate is unknown. Transactional texts neither count nor are capped. Days are of 24 hours and slide.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast
from zoneinfo import ZoneInfo

from heliograph.errors import Invalid
from heliograph.rules import body as reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_TEXTS = 1000
MOST_DAYS = 90
MOST_CAPS = 5
FIELD = "frequencyCap"


class Cap(NamedTuple):
    """At most ``texts`` in any ``days`` times 24 hours."""

    texts: int
    days: int

    @property
    def span(self) -> timedelta:
        """How long a text counts."""
        return timedelta(days=self.days)

    @property
    def words(self) -> str:
        """``2 texts in 7 days``."""
        texts = f"{self.texts} text{'' if self.texts == 1 else 's'}"
        return f"{texts} in {self.days} day{'' if self.days == 1 else 's'}"


class Full(NamedTuple):
    """A cap that lets nobody text a person at a moment: it was texted ``texts`` times in its days."""

    cap: Cap
    texts: int
    again_at: datetime  # when the cap has room again, if nothing is sent meanwhile

    def told(self, zone: str) -> str:
        """``it was texted 3 times in 7 days, and may be again from 2026-03-09 08:00 UTC``."""
        times = "once" if self.texts == 1 else f"{self.texts} times"
        days = "a day" if self.cap.days == 1 else f"{self.cap.days} days"
        at = self.again_at.astimezone(ZoneInfo(zone))
        return f"it was texted {times} in {days}, and may be again from {at:%Y-%m-%d %H:%M} {zone}"


def full(caps: Sequence[Cap], texted_at: Sequence[datetime], now: datetime) -> Full | None:
    """The cap that is full for somebody who was texted then, the one that has room last; None: none is."""
    found: Full | None = None
    for cap in caps:
        counted = sorted(at for at in texted_at if at > now - cap.span)
        if len(counted) < cap.texts:
            continue
        mine = Full(cap, len(counted), counted[len(counted) - cap.texts] + cap.span)
        found = mine if found is None or mine.again_at > found.again_at else found
    return found


def setting(raw: object) -> str | None:
    """An app's setting as the JSON text that :func:`in_force` takes; None for an empty list, which is no cap.

    ``raw`` is a list of ``{"texts": n, "days": d}``. Raises :class:`Invalid` naming what cannot be used.
    """
    accepted = f'It takes a list of up to {MOST_CAPS} such as {{"texts": 2, "days": 7}}'
    if not isinstance(raw, list):
        raise Invalid(f"{FIELD} is {reading.shown(raw)}. {accepted}", field=FIELD)
    entries = cast("list[object]", raw)
    if len(entries) > MOST_CAPS:
        raise Invalid(f"{FIELD} has {len(entries)} entries. {accepted}", field=FIELD)
    caps = [_cap(entry, f"{FIELD}[{place}]") for place, entry in enumerate(entries)]
    return json.dumps([cap._asdict() for cap in caps]) if caps else None


@lru_cache(maxsize=256)
def in_force(setting: str | None) -> tuple[Cap, ...]:
    """The caps of an app's setting; None: there are none."""
    return () if setting is None else tuple(Cap(**entry) for entry in json.loads(setting))


def told(setting: str | None) -> list[dict[str, int]]:
    """An app's setting for people."""
    return [cap._asdict() for cap in in_force(setting)]


def _cap(raw: object, field: str) -> Cap:
    sent = reading.mapping(raw, field)
    strange = next((key for key in sent if key not in Cap._fields), None)
    if strange is not None:
        raise Invalid(f"{field} has {reading.shown(strange)}. It takes texts and days", field=field)
    return Cap(_number(sent, "texts", MOST_TEXTS, field), _number(sent, "days", MOST_DAYS, field))


def _number(sent: reading.Body, key: str, most: int, field: str) -> int:
    value = sent.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        text = f"{field}.{key} is {reading.shown(value)}. It takes a whole number from 1 to {most}"
        raise Invalid(text, field=f"{field}.{key}")
    return value
