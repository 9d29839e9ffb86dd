"""What an entry of a do-not-contact list may be: one number, or a prefix that stands for all that begin with it.

An entry's id is the number itself, or the prefix with a star at its end: ``+14155550100``, ``+1900*``. So is
it kept, so it is named in a path, and so it may be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from heliograph.errors import Invalid, TooLarge
from heliograph.rules import body, phone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["number", "prefix"]

KINDS: tuple[Kind, ...] = ("number", "prefix")
MOST_AT_ONCE = 1000  # entries in one call
LONGEST_REASON = 256
STAR = "*"

_CHANGES = ("reason", "expiresAt")


class Entry(NamedTuple):
    """An entry to keep. ``id`` is as in the module's docstring; ``expires_at`` None: for good."""

    id: str
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change of an entry. ``expires_at`` counts only if ``expiry_sent``: None then means for good."""

    reason: str | None
    expires_at: datetime | None
    expiry_sent: bool


def kind_of(entry_id: str) -> Kind:
    """What an entry with this id is."""
    return "prefix" if entry_id.endswith(STAR) else "number"


def number_of(entry_id: str) -> str:
    """The number or the prefix, without its star."""
    return entry_id.removesuffix(STAR)


def covering(entry_id: str) -> list[str]:
    """The ids of all entries that keep a number from being texted: its own and its prefixes'. A prefix: only itself."""
    if kind_of(entry_id) == "prefix":
        return [entry_id]
    return [entry_id, *(entry_id[:size] + STAR for size in range(2, len(entry_id) + 1))]


def read_id(raw: object, *, kind: object = None, field: str | None = None) -> str:
    """The id of the entry that ``raw`` names, as people and spreadsheets write numbers. Raises :class:`Invalid`."""
    if kind not in (None, "", *KINDS):
        place = None if field is None else f"{field.rpartition('.')[0]}.kind".lstrip(".")
        raise Invalid(f"kind is {body.shown(kind)}. It takes number or prefix", field=place)
    starred = isinstance(raw, str) and raw.rstrip().endswith(STAR)
    if kind == "prefix" or (starred and kind != "number"):
        return phone.prefix(raw, field=field) + STAR
    return phone.normalise(raw, field=field)


def read_many(sent: Mapping[str, object], *, now: datetime) -> list[Entry]:
    """The entries of one call: those in ``entries``, or else the one that the body itself is.

    Each is a number, a prefix with its star, or an object with ``phoneNumber``; ``reason`` and ``expiresAt`` beside
    ``entries`` count for those that have none of their own. Raises :class:`Invalid` naming the first bad
    one's place, and :class:`TooLarge`.
    """
    if sent.get("entries") is None:
        return [_entry(sent, "", Entry(""), now)]
    if sent.get("phoneNumber") is not None:
        raise Invalid("The body has both phoneNumber and entries. It takes one of them", field="entries")
    shared = Entry("", _reason(sent, ""), expiry(sent.get("expiresAt"), "expiresAt", now=now))
    entries = _listed(sent["entries"], "entries")
    return [_entry(entry, f"entries[{place}]", shared, now) for place, entry in enumerate(entries)]


def read_ids(sent: Mapping[str, object]) -> list[str]:
    """The ids of the entries that a body names in ``phoneNumbers``. Raises as :func:`read_many`."""
    named = _listed(sent.get("phoneNumbers"), "phoneNumbers")
    return list(dict.fromkeys(read_id(raw, field=f"phoneNumbers[{place}]") for place, raw in enumerate(named)))


def changes(sent: Mapping[str, object], *, now: datetime) -> Changes:
    """What a body changes of an entry. Raises :class:`Invalid`."""
    if not any(name in sent for name in _CHANGES):
        raise Invalid("There is nothing to change. The body takes any of: reason, expiresAt")
    reason = _reason(sent, "") if "reason" in sent else None
    return Changes(reason, expiry(sent.get("expiresAt"), "expiresAt", now=now), "expiresAt" in sent)


def once_each(entries: Iterable[Entry]) -> list[Entry]:
    """Each id once: the first one's reason, the latest end."""
    found: dict[str, Entry] = {}
    for entry in entries:
        known = found.get(entry.id)
        if known is None:
            found[entry.id] = entry
        elif known.expires_at is not None and (entry.expires_at is None or entry.expires_at > known.expires_at):
            found[entry.id] = known._replace(expires_at=entry.expires_at)
    return list(found.values())


def expiry(raw: object, field: str, *, now: datetime) -> datetime | None:
    """When an entry ends: an ISO 8601 instant to come (UTC unless it says otherwise); nothing: never."""
    if raw is None or raw == "":
        return None
    try:
        found = datetime.fromisoformat(cast("str", raw))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        text = f"{field} is {body.shown(raw)}. It takes an ISO 8601 time such as 2031-06-27T18:30:00Z"
        raise Invalid(text, field=field) from error
    if found <= now:
        text = f"{field} is {body.shown(raw)}, which is past. It takes a time to come, or null for an entry for good"
        raise Invalid(text, field=field)
    return found


def reason(raw: object, field: str) -> str:
    """Why somebody is on a list, for whoever asks later."""
    return "" if raw is None else body.text(raw, field, longest=LONGEST_REASON)


def _entry(sent: object, field: str, shared: Entry, now: datetime) -> Entry:
    if isinstance(sent, str):
        return shared._replace(id=read_id(sent, field=field))
    known = body.mapping(sent, field)
    path = f"{field}." if field else ""
    if known.get("phoneNumber") is None:
        raise Invalid(f"{path}phoneNumber is missing. It takes {phone.ACCEPTED}", field=f"{path}phoneNumber")
    return Entry(
        read_id(known["phoneNumber"], kind=known.get("kind"), field=f"{path}phoneNumber"),
        _reason(known, path) or shared.reason,
        expiry(known["expiresAt"], f"{path}expiresAt", now=now) if "expiresAt" in known else shared.expires_at,
    )


def _reason(sent: Mapping[str, object], path: str) -> str:
    return reason(sent.get("reason"), f"{path}reason")


def _listed(sent: object, field: str) -> list[object]:
    found = cast("list[object]", sent) if isinstance(sent, list) else []
    if not found:
        what = "empty" if isinstance(sent, list) else body.shown(sent)
        raise Invalid(f"{field} is {what}. It takes a list of 1 to {MOST_AT_ONCE} entries", field=field)
    if len(found) > MOST_AT_ONCE:
        text = f"{field} has {len(found)} entries. One call takes at most {MOST_AT_ONCE}; send several, or a file"
        raise TooLarge(text, field=field)
    return found
