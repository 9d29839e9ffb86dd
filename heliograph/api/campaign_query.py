"""What a request to list campaigns asks for: which, in what order, which page of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body
from heliograph.rules.campaign import CampaignStatus
from heliograph.store.campaigns import Sort, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.rules.body import Body

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SKIP = 2**31 - 1
MAX_PAGE = MAX_SKIP // MAX_LIMIT
PRIORITIES = range(1, 6)

# Of the people of a campaign, in its status.
STATUS_LIMIT = 20
MAX_STATUS_LIMIT = 100
MAX_STATUS_PAGE = 10_000_000

_SORTS: dict[tuple[str, str], Sort] = {
    ("name", "asc"): "name",
    ("name", "desc"): "-name",
    ("createdAt", "asc"): "createdAt",
    ("createdAt", "desc"): "-createdAt",
    ("updatedAt", "asc"): "updatedAt",
    ("updatedAt", "desc"): "-updatedAt",
}
_DATE_ONLY = len("2025-06-27")


@dataclass(frozen=True, slots=True)
class Query:
    """A page of campaigns, asked for."""

    wanted: Wanted
    sort: Sort
    skip: int
    limit: int


def read(sent: object) -> Query:
    """The query in a request's body. Raises :class:`Invalid` naming the field at fault.

    An empty string or null means that a field is not set, as the vendor's samples have it. They send
    ``skip: 0`` together with ``page: 1``, so a ``skip`` above 0 wins and otherwise the page counts.
    """
    fields = body.mapping(sent, "")
    kind = fields.get("type")
    if kind != "sms":
        raise Invalid(f"type is {body.shown(kind)}. It takes sms: this server runs no other campaigns", field="type")
    limit = whole_number(fields.get("limit"), "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    page = whole_number(fields.get("page"), "page", default=1, least=1, most=MAX_PAGE)
    skip = whole_number(fields.get("skip"), "skip", default=0, least=0, most=MAX_SKIP)
    filters = _object(fields.get("filters"), "filters")
    wanted = Wanted(
        statuses=_statuses(filters.get("status")),
        priorities=_priorities(filters.get("priority")),
        created_from=instant(fields.get("startDate"), "startDate", end_of_day=False),
        created_until=instant(fields.get("endDate"), "endDate", end_of_day=True),
    )
    return Query(wanted=wanted, sort=_sort(fields.get("sortBy")), skip=skip or (page - 1) * limit, limit=limit)


def people(asked: Body) -> tuple[int, int]:
    """Which page of a campaign's people, and how many on it, as :func:`read` reads numbers."""
    page = whole_number(asked.get("page"), "page", default=1, least=1, most=MAX_STATUS_PAGE)
    limit = whole_number(asked.get("limit"), "limit", default=STATUS_LIMIT, least=1, most=MAX_STATUS_LIMIT)
    return page, limit


def whole_number(value: object, field: str, *, least: int, most: int, default: int | None = None) -> int:
    """A whole number between ``least`` and ``most``, also as digits in a string; unset is ``default``, if any."""
    if default is not None and _unset(value):
        return default
    number: int | None = None
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) <= len(str(most)):
            number = int(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        number = int(value)
    if number is None or not least <= number <= most:
        raise Invalid(f"{field} is {body.shown(value)}. It takes a whole number from {least} to {most}", field=field)
    return number


def pages(total: int, limit: int) -> int:
    """How many pages of ``limit`` hold ``total`` results."""
    return math.ceil(total / limit)


def page(results: Sequence[object], skip: int, limit: int, total: int) -> dict[str, object]:
    """Some of ``total`` results, as every page is told."""
    return {
        "results": results,
        "skip": skip,
        "limit": limit,
        "hasMore": skip + len(results) < total,
        "totalPages": pages(total, limit),
        "totalResults": total,
    }


def _sort(value: object) -> Sort:
    fields = _object(value, "sortBy")
    chosen = [(key, order) for key, order in fields.items() if not _unset(order)]
    if not chosen:
        return "-createdAt"
    key, order = chosen[0]
    found = _SORTS.get((key, str(order).lower()))
    if found is None:
        text = f"sortBy is {{{key}: {body.shown(order)}}}. It takes one of name, createdAt, updatedAt with asc or desc"
        raise Invalid(text, field=f"sortBy.{key}")
    return found


def _statuses(value: object) -> tuple[CampaignStatus, ...] | None:
    known = {status.value: status for status in CampaignStatus}
    words = _list(value, "filters.status")
    for word in words:
        if word not in known.values():
            text = f"filters.status holds {body.shown(word)}. It takes {', '.join(known)}"
            raise Invalid(text, field="filters.status")
    return tuple(known[str(word)] for word in words) or None


def _priorities(value: object) -> tuple[int, ...] | None:
    field, least, most = "filters.priority", PRIORITIES[0], PRIORITIES[-1]
    items = _list(value, field)
    return tuple(whole_number(item, field, least=least, most=most) for item in items) or None


def instant(value: object, field: str, *, end_of_day: bool) -> datetime | None:
    """A time, or None when it is unset. Without a zone it is UTC; ``end_of_day``: of a date alone its last moment."""
    if _unset(value):
        return None
    try:
        found = datetime.fromisoformat(cast("str", value))
    except (TypeError, ValueError) as error:
        text = f"{field} is {body.shown(value)}. It takes an ISO 8601 time such as 2025-06-27T18:29:59.999Z"
        raise Invalid(text, field=field) from error
    if end_of_day and len(cast("str", value)) == _DATE_ONLY:
        found = found.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _object(value: object, field: str) -> Body:
    return {} if _unset(value) else body.mapping(value, field)


def _list(value: object, field: str) -> list[object]:
    if _unset(value):
        return []
    if not isinstance(value, list):
        raise Invalid(f"{field} is {body.shown(value)}. It takes a JSON array", field=field)
    return cast("list[object]", value)


def _unset(value: object) -> bool:
    return value is None or value == ""
