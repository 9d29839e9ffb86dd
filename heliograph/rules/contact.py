"""What makes a contact usable: a number that can be texted, and no more than a list may hold of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from heliograph.errors import Invalid, TooLarge
from heliograph.rules import body, columns, phone, zones

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_AT_ONCE = 100  # contacts in one call
MOST_COLUMNS = 150
LONGEST_CELL = 300  # characters
LONGEST_COLUMN_NAME = 300


class Contact(NamedTuple):
    """A contact that was checked. ``fields`` are as they were sent."""

    number: str  # E.164 with its plus
    time_zone: str | None  # when it named a real one
    priority: int | None
    fields: Mapping[str, object]


def read_many(sent: object, *, field: str = "data") -> list[Contact]:
    """The contacts of one call, in order. Raises Invalid naming the first bad one and its place, or TooLarge."""
    if not isinstance(sent, list):
        raise Invalid(f"{field} is {body.shown(sent)}. It takes a list of contacts", field=field)
    entries = cast("list[object]", sent)
    if not entries:
        raise Invalid(f"{field} is empty. It takes 1 to {MOST_AT_ONCE} contacts", field=field)
    if len(entries) > MOST_AT_ONCE:
        text = f"{field} has {len(entries)} contacts. One call takes at most {MOST_AT_ONCE}; send several, or a file"
        raise TooLarge(text, field=field)
    return [read(entry, field=f"{field}[{place}]") for place, entry in enumerate(entries)]


def read(sent: object, *, field: str) -> Contact:
    """A contact sent as JSON. Raises Invalid naming the path below ``field`` and the value."""
    fields = body.mapping(sent, field)
    if len(fields) > MOST_COLUMNS:
        raise Invalid(f"{field} has {len(fields)} fields. A contact has at most {MOST_COLUMNS}", field=field)
    for name, value in fields.items():
        if len(name) > LONGEST_COLUMN_NAME:
            text = f"{field} has a field named {body.shown(name)}. A name has at most {LONGEST_COLUMN_NAME} characters"
            raise Invalid(text, field=field)
        if len(value if isinstance(value, str) else str(value)) > LONGEST_CELL:
            place = f"{field}.{name[:60]}"
            raise Invalid(f"{place} is longer than the {LONGEST_CELL} characters a field holds", field=place)
    known = columns.read(fields)
    if known.number is None:
        raise Invalid(f"{field} has no phoneNumber. It takes {phone.ACCEPTED}", field=f"{field}.phoneNumber")
    try:
        number = phone.normalise(known.number)
    except Invalid as error:
        place = f"{field}.phoneNumber"
        raise Invalid(f"{place}: {error.message}", field=place) from error
    return Contact(number, zones.zone(known.time_zone), known.priority, fields)
