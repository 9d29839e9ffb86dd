"""What a request to list campaigns asks for, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from heliograph.api import campaign_query
from heliograph.api.campaign_query import Query
from heliograph.errors import Invalid
from heliograph.rules.campaign import CampaignStatus
from heliograph.store.campaigns import Wanted


def asked(**fields: Any) -> Query:
    return campaign_query.read({"type": "sms"} | fields)


def test_nothing_asked_is_the_first_fifty_newest_first() -> None:
    assert asked() == Query(wanted=Wanted(), sort="-createdAt", skip=0, limit=50)


@pytest.mark.parametrize(
    ("fields", "skip", "limit"),
    [
        ({"skip": 0, "page": 1, "limit": 50}, 0, 50),
        ({"skip": "", "page": "", "limit": ""}, 0, 50),
        ({"skip": None, "page": None, "limit": None}, 0, 50),
        ({"page": 3, "limit": 20}, 40, 20),
        ({"page": "3", "limit": "20"}, 40, 20),
        ({"page": 3.0, "limit": 20.0}, 40, 20),
        ({"skip": 0, "page": 2, "limit": 10}, 10, 10),  # samples send skip 0 with every page
        ({"skip": 7, "page": 2, "limit": 10}, 7, 10),
        ({"skip": 2**31 - 1, "limit": 1000}, 2**31 - 1, 1000),
    ],
)
def test_a_skip_above_zero_wins_and_otherwise_the_page_counts(fields: dict[str, Any], skip: int, limit: int) -> None:
    query = asked(**fields)
    assert (query.skip, query.limit) == (skip, limit)


@pytest.mark.parametrize(
    ("sort_by", "sort"),
    [
        (None, "-createdAt"),
        ("", "-createdAt"),
        ({}, "-createdAt"),
        ({"name": "asc"}, "name"),
        ({"name": "DESC"}, "-name"),
        ({"createdAt": "asc"}, "createdAt"),
        ({"updatedAt": "desc"}, "-updatedAt"),
        ({"name": "", "updatedAt": "asc"}, "updatedAt"),
        ({"updatedAt": "asc", "name": "asc"}, "updatedAt"),
    ],
)
def test_any_one_key_sorts(sort_by: Any, sort: str) -> None:
    assert asked(sortBy=sort_by).sort == sort


NOON = datetime(2025, 6, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"filters": None}, Wanted()),
        ({"filters": {"status": [], "priority": [], "dialingMode": ["Preview"]}}, Wanted()),
        (
            {"filters": {"status": ["Ready", "Stopped"]}},
            Wanted(statuses=(CampaignStatus.READY, CampaignStatus.STOPPED)),
        ),
        ({"filters": {"priority": [5, "4", 3.0]}}, Wanted(priorities=(5, 4, 3))),
        ({"startDate": "2025-06-27T12:00:00.000Z"}, Wanted(created_from=NOON)),
        ({"startDate": "2025-06-27T12:00:00"}, Wanted(created_from=NOON)),
        (
            {"startDate": "2025-06-27T14:00:00+02:00"},
            Wanted(created_from=NOON.astimezone(timezone(timedelta(hours=2)))),
        ),
        ({"startDate": "2025-06-27"}, Wanted(created_from=NOON.replace(hour=0))),
        (
            {"endDate": "2025-06-27"},
            Wanted(created_until=NOON.replace(hour=23, minute=59, second=59, microsecond=999_999)),
        ),
        ({"startDate": "", "endDate": ""}, Wanted()),
    ],
)
def test_filters_narrow(fields: dict[str, Any], wanted: Wanted) -> None:
    assert asked(**fields).wanted == wanted


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (None, None, "JSON object"),
        ([], None, "JSON object"),
        ("sms", None, "JSON object"),
        (7, None, "JSON object"),
        ({}, "type", "sms"),
        ({"type": "voice"}, "type", "'voice'"),
        ({"type": ["sms"]}, "type", "sms"),
        ({"limit": 0}, "limit", "1 to 1000"),
        ({"limit": 1001}, "limit", "1 to 1000"),
        ({"limit": True}, "limit", "true"),
        ({"limit": 1.5}, "limit", "1.5"),
        ({"limit": "ten"}, "limit", "'ten'"),
        ({"limit": "٣"}, "limit", "'٣'"),
        ({"limit": "9" * 5000}, "limit", "1 to 1000"),
        ({"limit": [1]}, "limit", "a list"),
        ({"limit": float("nan")}, "limit", "nan"),
        ({"limit": float("inf")}, "limit", "inf"),
        ({"page": 0}, "page", "from 1"),
        ({"page": -1}, "page", "-1"),
        ({"page": 10**400}, "page", "far too long"),
        ({"skip": -1}, "skip", "from 0"),
        ({"skip": 2**31}, "skip", "2147483647"),
        ({"sortBy": "name"}, "sortBy", "JSON object"),
        ({"sortBy": {"priority": "asc"}}, "sortBy.priority", "createdAt"),
        ({"sortBy": {"name": "up"}}, "sortBy.name", "'up'"),
        ({"sortBy": {"name": ["asc"]}}, "sortBy.name", "asc or desc"),
        ({"filters": ["Ready"]}, "filters", "JSON object"),
        ({"filters": {"status": "Ready"}}, "filters.status", "JSON array"),
        ({"filters": {"status": ["Ready", "ready"]}}, "filters.status", "Preparing"),
        ({"filters": {"status": [["Ready"]]}}, "filters.status", "a list"),
        ({"filters": {"status": [{}]}}, "filters.status", "an object"),
        ({"filters": {"priority": [6]}}, "filters.priority", "1 to 5"),
        ({"filters": {"priority": [None]}}, "filters.priority", "1 to 5"),
        ({"filters": {"priority": 5}}, "filters.priority", "JSON array"),
        ({"startDate": "yesterday"}, "startDate", "ISO 8601"),
        ({"endDate": 1751000000}, "endDate", "ISO 8601"),
        ({"endDate": {}}, "endDate", "ISO 8601"),
    ],
)
def test_what_cannot_be_read_is_named(body: Any, field: str | None, words: str) -> None:
    if isinstance(body, dict) and body and "type" not in body:
        body = {"type": "sms"} | body
    with pytest.raises(Invalid) as caught:
        campaign_query.read(body)
    assert caught.value.field == field
    assert words in caught.value.message


@pytest.mark.parametrize(("total", "limit", "pages"), [(0, 50, 0), (1, 50, 1), (50, 50, 1), (51, 50, 2), (8, 2, 4)])
def test_pages_hold_everything(total: int, limit: int, pages: int) -> None:
    assert campaign_query.pages(total, limit) == pages
