"""Reading the bodies of calls about carrier accounts, senders and pools, and the words by which they are named.

Every reader raises :class:`~heliograph.errors.Invalid` with the field, its value and what it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import phone, zones

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "*"  # the address of a sender that serves whatever caller id a campaign names
POOL = "pool:"  # what a caller id begins with that names a pool

LONGEST_NAME = 48
MOST_SECOND = 100_000.0  # parts a second
LEAST_SECOND = 0.001
MOST_DAY = 10**12  # parts a day
MOST_MEMBERS = 100
MOST_WEIGHT = 1000.0

TIMEZONE = "dayTimezone"


@dataclass(frozen=True, slots=True)
class AccountDraft:
    """A carrier account as somebody wants it. Whether its settings are right is for its carrier to say."""

    name: str
    kind: str
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """What is to change of a carrier account; None stays as it is."""

    name: str | None
    settings: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast a sender may be. None: no limit."""

    parts_per_second: float | None = None
    parts_per_day: int | None = None
    day_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SenderDraft:
    """A sender as somebody wants it. ``account`` is the id or name of its carrier account."""

    address: str
    account: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class SenderChanges:
    """What is to change of a sender. ``changed`` names what was sent; the rest of ``limits`` says nothing.

    ``address`` is the one sent along, which is not to change.
    """

    address: str | None
    account: str | None
    limits: Limits
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class PoolDraft:
    """A pool as somebody wants it: the senders' ids or addresses, each with its weight."""

    name: str
    members: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class TrialDraft:
    """To whom one text is to be sent for a test, and from where if it matters."""

    to: str
    sender: str | None


def account(body: object) -> AccountDraft:
    """The carrier account that ``body`` asks for."""
    sent = _object(body)
    return AccountDraft(
        name=reading.name(sent.get("name"), "name", longest=LONGEST_NAME),
        kind=reading.text(sent.get("kind"), "kind", longest=LONGEST_NAME),
        settings=_settings(sent.get("settings")),
    )


def account_changes(body: object) -> AccountChanges:
    """What ``body`` changes of a carrier account."""
    sent = _known(_object(body), ("name", "settings"))
    return AccountChanges(
        name=reading.name(sent["name"], "name", longest=LONGEST_NAME) if "name" in sent else None,
        settings=_settings(sent["settings"]) if "settings" in sent else None,
    )


def sender(body: object) -> SenderDraft:
    """The sender that ``body`` asks for."""
    sent = _object(body)
    return SenderDraft(
        address=address(sent.get("address")),
        account=reading.text(sent.get("carrierAccountId"), "carrierAccountId", longest=LONGEST_NAME),
        limits=_limits(sent),
    )


def sender_changes(body: object) -> SenderChanges:
    """What ``body`` changes of a sender."""
    given = _object(body)
    sent = _known(given, ("carrierAccountId", "partsPerSecond", "partsPerDay", TIMEZONE))
    found = None
    if "carrierAccountId" in sent:
        found = reading.text(sent["carrierAccountId"], "carrierAccountId", longest=LONGEST_NAME)
    return SenderChanges(
        address=address(given["address"]) if "address" in given else None,
        account=found,
        limits=_limits(sent),
        changed=frozenset(sent),
    )


def pool(body: object, *, name: str | None = None) -> PoolDraft:
    """The pool that ``body`` asks for; of one that is there, ``name`` is kept."""
    sent = _object(body)
    found = reading.name(sent.get("name"), "name", longest=LONGEST_NAME) if name is None else name
    if name is not None and sent.get("name", name) != name:
        text = (
            f"name is {reading.shown(sent['name'])}. A pool keeps its name, {name}: campaigns are sent from it by that"
        )
        raise Invalid(text, field="name")
    raw = sent.get("senders")
    members = cast("list[object]", raw) if isinstance(raw, list) else []
    if not 1 <= len(members) <= MOST_MEMBERS:
        what = f"{len(members)} entries" if isinstance(raw, list) else reading.shown(raw)
        example = '{"sender": "+14155550100", "weight": 1}'
        raise Invalid(f"senders is {what}. It takes a list of 1 to {MOST_MEMBERS} such as {example}", field="senders")
    return PoolDraft(found, tuple(_member(member, f"senders[{place}]") for place, member in enumerate(members)))


def trial(body: object) -> TrialDraft:
    """The one text that ``body`` asks for."""
    sent = _object(body)
    found = sent.get("from")
    return TrialDraft(
        to=phone.normalise(sent.get("to"), field="to"),
        sender=None if found is None else phone.sender_address(found, field="from"),
    )


def address(raw: object) -> str:
    """The address of a sender: one that texts can be sent from, or ``*`` for any."""
    if raw == ANY:
        return ANY
    found = phone.sender_address(raw, field="address")
    if found.lower().startswith(POOL):
        raise Invalid(f"address is {reading.shown(raw)}. {POOL} begins the caller id of a pool", field="address")
    return found


def caller_id(raw: object, *, field: str | None = None) -> str:
    """What a campaign is sent from: an address, or ``pool:<name>`` for a pool of senders."""
    if isinstance(raw, str) and raw.strip().lower().startswith(POOL):
        return POOL + reading.name(raw.strip()[len(POOL) :], field or "callerId", longest=LONGEST_NAME)
    return phone.sender_address(raw, field=field)


def pool_name(caller: str) -> str | None:
    """The name of the pool that a campaign's caller id names, or None when it names an address."""
    return caller[len(POOL) :] if caller.startswith(POOL) else None


def _object(body: object) -> Mapping[str, object]:
    sent = reading.mapping(body, "")
    reading.storable(body)
    return sent


def _known(sent: Mapping[str, object], keys: tuple[str, ...]) -> dict[str, object]:
    found = {key: sent[key] for key in keys if key in sent}
    if not found:
        raise Invalid(f"There is nothing to change. The body takes any of: {', '.join(keys)}")
    return found


def _settings(raw: object) -> Mapping[str, object]:
    return {} if raw is None else reading.mapping(raw, "settings")


def _limits(sent: Mapping[str, object]) -> Limits:
    second, day, zone = sent.get("partsPerSecond"), sent.get("partsPerDay"), sent.get(TIMEZONE)
    return Limits(
        parts_per_second=None if second is None else _number(second, "partsPerSecond", LEAST_SECOND, MOST_SECOND),
        parts_per_day=None if day is None else _whole(day, "partsPerDay"),
        day_zone="UTC" if zone is None else _zone(zone),
    )


def _member(raw: object, field: str) -> tuple[str, float]:
    sent = reading.mapping(raw, field)
    found = reading.text(sent.get("sender"), f"{field}.sender", longest=LONGEST_NAME)
    weight = sent.get("weight")
    return found, 1.0 if weight is None else _number(weight, f"{field}.weight", LEAST_SECOND, MOST_WEIGHT)


def _number(raw: object, field: str, least: float, most: float) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not least <= raw <= most:
        raise Invalid(f"{field} is {reading.shown(raw)}. It takes a number from {least:g} to {most:,.0f}", field=field)
    return float(raw)


def _whole(raw: object, field: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MOST_DAY:
        text = f"{field} is {reading.shown(raw)}. It takes a whole number from 1 to {MOST_DAY:,}, or null for no limit"
        raise Invalid(text, field=field)
    return raw


def _zone(raw: object) -> str:
    found = zones.zone(raw)
    if found is None:
        text = f"{TIMEZONE} is {reading.shown(raw)}. It takes a zone of the tz database such as America/Los_Angeles"
        raise Invalid(text, field=TIMEZONE)
    return found
