"""What the columns of a contact mean, whatever they are called.

The six system fields, and their names, are the vendor's. Names match without regard to case, spaces,
underscores and dashes, as placeholders do.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from heliograph.errors import Invalid
from heliograph.rules import phone, template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# For each system field its canonical names, the likeliest first: of several that are there, the first counts.
NAMES: dict[str, tuple[str, ...]] = {
    "firstName": ("firstname", "fname", "givenname", "forename"),
    "lastName": ("lastname", "lname", "surname", "familyname"),
    "phoneNumber": (
        "phonenumber",
        "phone",
        "mobilenumber",
        "mobilephone",
        "mobile",
        "cellphonenumber",
        "cellphone",
        "cellnumber",
        "cell",
        "msisdn",
        "telephonenumber",
        "telephone",
        "phoneno",
        "mobileno",
        "e164",
        "number",
    ),
    "timeZone": ("timezone", "tz", "timezonename"),
    "uniqueId": ("uniqueid", "uid", "externalid", "contactid", "customerid", "id"),
    "contactPriority": ("contactpriority", "priority"),
}

# What the store keeps of a priority, but for its two ends: those mean "none yet" and "those without" to planning,
# which would never come to a contact with one of them.
_SMALLEST, _LARGEST = -32767, 32766
_WHOLE = re.compile(r"[+-]?[0-9]{1,5}").fullmatch
_LISTED = 20


class Known(NamedTuple):
    """What is known of a contact. The number is as it was sent; the zone has not been checked."""

    number: object | None
    time_zone: str | None
    unique_id: str | None
    priority: int | None
    first_name: str | None
    last_name: str | None


def first(fields: Mapping[str, object], *names: str) -> object | None:
    """The first value that is not empty among the columns called ``names`` (in that order), else None."""
    known = fields if type(fields) is template.Canonical else template.canonical(fields)
    for name in names:
        value = known.get(template.key(name))
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return value
    return None


def read(fields: Mapping[str, object]) -> Known:
    """All that is known of a contact with these ``fields``."""
    known = template.canonical(fields)
    return Known(
        number=first(known, *NAMES["phoneNumber"]),
        time_zone=_words(first(known, *NAMES["timeZone"])),
        unique_id=_words(first(known, *NAMES["uniqueId"])),
        priority=_small(first(known, *NAMES["contactPriority"])),
        first_name=_words(first(known, *NAMES["firstName"])),
        last_name=_words(first(known, *NAMES["lastName"])),
    )


def number(fields: Mapping[str, object]) -> object | None:
    """The telephone number as it was sent, or None."""
    return first(fields, *NAMES["phoneNumber"])


def time_zone(fields: Mapping[str, object]) -> str | None:
    """The contact's own time zone as it was sent, or None."""
    return _words(first(fields, *NAMES["timeZone"]))


def unique_id(fields: Mapping[str, object]) -> str | None:
    """The owner's id of the contact, or None."""
    return _words(first(fields, *NAMES["uniqueId"]))


def priority(fields: Mapping[str, object]) -> int | None:
    """The contact's priority, or None when there is none or it is no small whole number."""
    return _small(first(fields, *NAMES["contactPriority"]))


def holding(names: Sequence[str], system: str) -> list[str]:
    """Those of the columns called ``names`` that may hold the system field, the one that counts first in front."""
    short = [(template.key(name), name) for name in names]
    return [name for canonical in NAMES[system] for found, name in short if found == canonical]


MOSTLY = 0.8  # of a column's cells that must be numbers for it to hold the telephone number


def is_phone(cell: str, region: str | None = None) -> bool:
    """Whether a cell can be read as a telephone number."""
    try:
        return bool(phone.normalise(cell, region))
    except Invalid:
        return False


def phone_by_content(head: Sequence[str], people: Sequence[Sequence[str]], region: str | None) -> int | None:
    """The place of the column whose cells are telephone numbers, where no name says which; None if there is none.

    ``head`` counts as one more row: it may be somebody, in a file without a header.
    """
    best: tuple[float, int, int] | None = None
    for place in range(len(head)):
        cells = [row[place] for row in (people or [head]) if place < len(row) and row[place].strip()]
        share = sum(is_phone(cell, region) for cell in cells) / len(cells) if cells else 0.0
        plus = sum(cell.strip().startswith("+") for cell in cells)
        if share >= MOSTLY and (best is None or (share, plus) > best[:2]):
            best = (share, plus, place)
    return None if best is None else best[2]


def guess(header: Sequence[str], *, number_at: int | None = None) -> dict[str, str]:
    """Which column of ``header`` holds which system field: ``{"phoneNumber": "Mobile", ...}``.

    ``number_at``: the place of the column that holds telephone numbers by its cells, where no name says so.
    Raises :class:`Invalid` when no column can be the telephone number, or two have one name.
    """
    seen = _once_each(header)
    found: dict[str, str] = {}
    for system, names in NAMES.items():
        match = next((name for name in names if name in seen), None)
        if match is not None:
            found[system] = seen[match]
    if "phoneNumber" not in found and number_at is not None:
        found["phoneNumber"] = header[number_at]
    if "phoneNumber" not in found:
        listed = ", ".join(repr(name[:40]) for name in header[:_LISTED]) or "none"
        raise Invalid(
            f"No column holds the telephone number. The columns are: {listed}. One of them must be called "
            f"phoneNumber, or: {', '.join(NAMES['phoneNumber'][1:])}",
            field="header",
        )
    return found


def mapped(header: Sequence[str], wanted: Mapping[str, str], *, number_at: int | None = None) -> dict[str, str]:
    """As :func:`guess`, but where ``wanted`` says which column holds a system field, that one does.

    Raises :class:`Invalid` for a field or a column that there is not.
    """
    by_key = {template.key(name): name for name in reversed(header)}
    given: dict[str, str] = {}
    for system, name in wanted.items():
        if system not in NAMES:
            raise Invalid(f"mapping has {system!r}. It takes: {', '.join(NAMES)}", field=f"mapping.{system}")
        given[system] = name if name in header else by_key.get(template.key(name), "")
        if not given[system]:
            listed = ", ".join(repr(each[:40]) for each in header[:_LISTED])
            text = f"mapping.{system} is {name!r}. The file's columns are: {listed}"
            raise Invalid(text, field=f"mapping.{system}")
    if "phoneNumber" in given:
        number_at = header.index(given["phoneNumber"])
    return guess(header, number_at=number_at) | given


def kept_names(header: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """What the columns are called on the list: as in the file, but one that holds a system field under another name
    gets that field's own, so that whoever reads the contact by names alone finds it.

    A column that had that name gives way, as ``phoneNumber (2)``.
    """
    names = list(header)
    for system, name in mapping.items():
        place = header.index(name)
        if holding(names, system)[:1] == [names[place]]:
            continue
        for other, found in enumerate(names):
            if other != place and template.key(found) == NAMES[system][0]:
                names[other] = f"{found} (2)"
        names[place] = system
    return names


def header_key(header: Sequence[str]) -> bytes:
    """By what a mapping that was made for files with this header is found again: 32 bytes."""
    return hashlib.sha256("\0".join(map(template.key, header)).encode()).digest()


def _once_each(header: Sequence[str]) -> dict[str, str]:
    """The columns by their canonical names. Raises :class:`Invalid` when two have one."""
    seen: dict[str, str] = {}
    for name in header:
        short = template.key(name)
        if short in seen and short:
            raise Invalid(
                f"The header has {seen[short]!r} and {name!r}, which are one name: case, spaces, underscores and "
                "dashes do not count. Rename one of them",
                field="header",
            )
        seen[short] = name
    return seen


def _words(value: object) -> str | None:
    return template.plain(value) or None


def _small(value: object) -> int | None:
    text = _words(value)
    if text is None or not _WHOLE(text):
        return None
    found = int(text)
    return found if _SMALLEST <= found <= _LARGEST else None
