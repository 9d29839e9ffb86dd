"""What makes a contact usable: a number that can be texted, and no more than a list may hold of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from heliograph.errors import Invalid, TooLarge
from heliograph.rules import body, columns, phone, template, zones

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_AT_ONCE = 100  # contacts in one call
MOST_COLUMNS = 150
LONGEST_CELL = 300  # characters
LONGEST_COLUMN_NAME = 300
OWN = ("_id", "createdAt", "updatedAt")  # what is told of a contact beside its columns


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


def read(sent: object, *, field: str = "") -> Contact:
    """A contact sent as JSON. Raises Invalid naming the path below ``field`` and the value."""
    fields = body.mapping(sent, field)
    what, path = (field, f"{field}.") if field else ("The contact", "")
    if len(fields) > MOST_COLUMNS:
        text = f"{what} has {len(fields)} fields. A contact has at most {MOST_COLUMNS}"
        raise Invalid(text, field=field or None)
    for name, value in fields.items():
        if len(name) > LONGEST_COLUMN_NAME:
            text = f"{what} has a field named {body.shown(name)}. A name has at most {LONGEST_COLUMN_NAME} characters"
            raise Invalid(text, field=field or None)
        if len(value if isinstance(value, str) else str(value)) > LONGEST_CELL:
            place = f"{path}{name[:60]}"
            raise Invalid(f"{place} is longer than the {LONGEST_CELL} characters a field holds", field=place)
    known = columns.read(fields)
    place = f"{path}phoneNumber"
    if known.number is None:
        raise Invalid(f"{what} has no phoneNumber. It takes {phone.ACCEPTED}", field=place)
    try:
        number = phone.normalise(known.number)
    except Invalid as error:
        raise Invalid(f"{place}: {error.message}", field=place) from error
    return Contact(number, zones.zone(known.time_zone), known.priority, fields)


def changed(before: Mapping[str, object], sent: Mapping[str, object]) -> Contact:
    """A contact with the columns ``before``, and those that were sent in their place; the others stay.

    A column is known by its name, in which case, spaces, underscores and dashes do not count, and one that holds
    a system field also by the vendor's name for it (``phoneNumber`` changes ``Mobile``). A name that is none of these
    is a new column. Raises as :func:`read`, and Invalid when there is nothing to change.
    """
    wanted = {name: value for name, value in sent.items() if name not in OWN}
    if not wanted:
        raise Invalid("There is nothing to change. The body takes the contact's columns, by name")
    fields = dict(before)
    by_key = {template.key(name): name for name in reversed(list(before))}
    for name, value in wanted.items():
        fields[_column(name, before, by_key)] = value
    return read(fields)


def _column(name: str, before: Mapping[str, object], by_key: Mapping[str, str]) -> str:
    """What a contact calls the column that was sent as ``name``."""
    if name in before:
        return name
    if (known := by_key.get(template.key(name))) is not None:
        return known
    holding = columns.holding(list(before), name) if name in columns.NAMES else []
    filled = [held for held in holding if columns.first({held: before[held]}, held) is not None]
    return next(iter([*filled, *holding]), name)
