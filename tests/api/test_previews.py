"""Previews, frequency caps, prices, exclusions and hold-outs over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heliograph.api import preview_shapes
from heliograph.engine import plan
from heliograph.store import runs
from tests.api.test_quiet_hours import BODY, ask

if TYPE_CHECKING:
    import httpx

    from heliograph.store.database import Database
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

NUMBERS = ["+12025550101", "+12025550102", "+442079460001"]
CONTACTS = [{"phoneNumber": number, "First Name": "Jo\u2019an"} for number in NUMBERS]


async def leads(api: httpx.AsyncClient, tenant: Tenant) -> None:
    body = {"name": "Leads", "source": "passiveApi"}
    made = await ask(api, tenant, "POST", "/campaign/contactList/createContactList", json=body)
    body = {"contactListId": made["data"]["_id"], "data": CONTACTS}
    await ask(api, tenant, "POST", "/campaign/contactList/addContacts", json=body)


async def test_a_preview_tells_what_a_run_would_do(api: httpx.AsyncClient, tenant: Tenant) -> None:
    await leads(api, tenant)
    prices = {"currency": "EUR", "perPart": {"US": 0.01}}
    assert (await ask(api, tenant, "PUT", "/settings", json={"prices": prices}))["data"]["prices"] == prices
    body = BODY | {"message": {"message": "Hello {{first name}}"}}
    made = (await ask(api, tenant, "POST", "/campaign", json=body))["data"]
    told = (await ask(api, tenant, "GET", f"/campaign/{made['_id']}/preview"))["data"]
    assert (told["exact"], told["contacts"], told["reached"], told["parts"]) == (True, 3, 3, 3)
    assert told["characters"][0]["code"] == "U+2019"
    assert (told["cost"], told["unpriced"], told["currency"]) == ("0.02", 1, "EUR")
    assert told["substitutes"] == {"texts": 3, "parts": 3, "cost": "0.02", "template": None}
    assert set(told) == set(preview_shapes.Preview.model_fields)
    assert set(told["leftOut"]) == set(preview_shapes.LeftOutCounts.model_fields)
    await ask(api, tenant, "GET", "/campaign/cd-00000000-0000-4000-8000-000000000000/preview", 404)


async def test_reasons_are_told_in_the_words_of_the_preview(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    await leads(api, tenant)
    quoted = BODY | {"message": {"message": "{{city}}", "onMissing": {"rule": "skip"}}}
    made = (await ask(api, tenant, "POST", "/campaign", json=quoted))["data"]
    before = (await ask(api, tenant, "POST", f"/campaign/{made['_id']}/status?view=reasons"))["data"]
    assert before["reasons"] == []
    await ask(api, tenant, "POST", f"/campaign/{made['_id']}?trigger=play")
    async with db.connection() as conn:
        (run,) = await runs.list_active(conn)
    assert not await plan.plan_page(db, run, now=clock(), limit=100), "there are no more than that"
    told = (await ask(api, tenant, "POST", f"/campaign/{made['_id']}/status?view=reasons"))["data"]
    assert told["reasons"] == [{"status": "suppressed", "reason": "missing_value", "people": 3}]


async def test_exclusions_and_hold_outs_are_answered_as_they_are(api: httpx.AsyncClient, tenant: Tenant) -> None:
    await leads(api, tenant)
    first = (await ask(api, tenant, "POST", "/campaign", json=BODY))["data"]
    assert {"exclude", "holdOut"}.isdisjoint(first)
    body = BODY | {"name": "Reminder", "exclude": {"campaigns": [first["_id"]]}, "holdOut": 20}
    second = (await ask(api, tenant, "POST", "/campaign", json=body))["data"]
    found = (await ask(api, tenant, "GET", f"/campaign/{second['_id']}"))["data"]
    assert (found["exclude"], found["holdOut"]) == ({"campaigns": ["Spring Sale"]}, 20)
    # What was answered may be sent back; a campaign that exists may leave out its own readers.
    body |= {"exclude": {"campaigns": ["Spring Sale", "Reminder"]}, "holdOut": 0}
    changed = (await ask(api, tenant, "PUT", f"/campaign/{second['_id']}", json=body))["data"]
    assert changed["exclude"] == {"campaigns": ["Spring Sale", "Reminder"]}
    assert "holdOut" not in changed


async def test_a_campaign_of_another_app_is_none(api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant) -> None:
    await leads(api, tenant)
    await leads(api, second_tenant)
    theirs = (await ask(api, second_tenant, "POST", "/campaign", json=BODY | {"name": "Theirs"}))["data"]
    for ref in ("Theirs", theirs["_id"]):
        answer = await ask(api, tenant, "POST", "/campaign", 400, json=BODY | {"exclude": {"campaigns": [ref]}})
        assert ref in str(answer)


async def test_caps_are_a_setting(api: httpx.AsyncClient, tenant: Tenant) -> None:
    caps = [{"texts": 2, "days": 7}, {"texts": 4, "days": 30}]
    assert (await ask(api, tenant, "PUT", "/settings", json={"frequencyCap": caps}))["data"]["frequencyCap"] == caps
    assert (await ask(api, tenant, "PUT", "/settings", json={"frequencyCap": []}))["data"]["frequencyCap"] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"frequencyCap": {"texts": 1}}, "frequencyCap"),
        ({"frequencyCap": [{"texts": 1, "days": 1}] * 6}, "frequencyCap"),
        ({"frequencyCap": [{"texts": 1, "days": 1, "hours": 2}]}, "frequencyCap[0]"),
        ({"frequencyCap": [{"texts": True, "days": 1}]}, "frequencyCap[0].texts"),
        ({"prices": {"currency": "EUR"}}, "prices"),
        ({"prices": {"currency": "Euro", "perPart": {"GB": 1}}}, "prices.currency"),
        ({"prices": {"currency": "EUR", "perPart": {"Britain": 1}}}, "prices.perPart.Britain"),
        ({"prices": {"currency": "EUR", "perPart": {"GB": -1}}}, "prices.perPart.GB"),
        ({"prices": []}, "prices"),
    ],
)
async def test_what_means_nothing_is_refused(
    api: httpx.AsyncClient, tenant: Tenant, wrong: dict[str, Any], field: str
) -> None:
    assert field in str(await ask(api, tenant, "PUT", "/settings", 400, json=wrong))
