"""Frequency caps: how many texts a person may get from all campaigns of an app in so many days.

A text counts from the moment it is taken to be submitted, unless the carrier refused it: accepted and delivered ones
do, and those whose fate is unknown. Transactional texts neither count nor are capped. Days are of 24 hours and slide.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading

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
