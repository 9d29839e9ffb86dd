"""Quiet hours and zones over the API: the setting, the campaign's own fields, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heliograph.rules import quiet

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Tenant

pytestmark = pytest.mark.anyio

BODY: dict[str, Any] = {
    "name": "Spring Sale",
    "contactLists": ["Leads"],
    "campaignType": "sms",
    "format": "simple",
    "message": {"message": "Hello"},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+14155550199"},
        "callingHours": {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]},
    },
}
FLORIDA = {"place": "US-FL", "monday_to_friday": "09:00-20:00", "saturday": "09:00-20:00", "sunday": "closed"}


async def ask(api: httpx.AsyncClient, tenant: Tenant, verb: str, path: str, status: int = 200, **more: Any) -> Any:
    answer = await api.request(verb, f"{tenant.v2}{path}", headers=tenant.headers, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_they_are_on_until_an_app_says_otherwise(api: httpx.AsyncClient, tenant: Tenant) -> None:
    shipped = quiet.shipped().version
    found = (await ask(api, tenant, "GET", "/settings"))["data"]["quietHours"]
    assert found == {"enabled": True, "places": [], "version": shipped}
    changed = await ask(api, tenant, "PUT", "/settings", json={"quietHours": {"places": [FLORIDA]}})
    assert changed["data"]["quietHours"] == {"enabled": True, "places": [FLORIDA], "version": shipped}
    changed = await ask(api, tenant, "PUT", "/settings", json={"quietHours": {"enabled": False}})
    assert changed["data"]["quietHours"] == {"enabled": False, "places": [FLORIDA], "version": shipped}
    assert (await ask(api, tenant, "GET", "/settings"))["data"] == changed["data"]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ([], "quietHours", "object"),
        ({"enabled": "no"}, "quietHours.enabled", "true or false"),
        ({"places": [FLORIDA | {"place": "Florida"}]}, "quietHours.places[0].place", "US-FL"),
        ({"places": [FLORIDA | {"place": "AU-NSW"}]}, "quietHours.places[0].place", "US-FL"),
        ({"places": [FLORIDA | {"sun": "closed"}]}, "quietHours.places[0]", "'sun'"),
        ({"places": [FLORIDA, FLORIDA | {"sunday": "9-5pm"}]}, "quietHours.places[1]", "'9'"),
    ],
)
async def test_a_setting_that_means_nothing_is_refused(
    api: httpx.AsyncClient, tenant: Tenant, wrong: object, field: str, words: str
) -> None:
    said = (await ask(api, tenant, "PUT", "/settings", 400, json={"quietHours": wrong}))["errors"][0]
    assert said["field"].startswith(field)
    assert words in said["msg"]


async def test_a_campaign_says_whose_clock_counts_and_whether_it_is_exempt(
    api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await ask(
        api, tenant, "POST", "/campaign/contactList/createContactList", json={"name": "Leads", "source": "passiveApi"}
    )
    made = (await ask(api, tenant, "POST", "/campaign", json=BODY))["data"]
    assert "zoneRule" not in made
    assert "transactional" not in made
    path = f"/campaign/{made['_id']}"
    ours = {"zoneRule": "recipient", "transactional": True}
    changed = (await ask(api, tenant, "PUT", path, json=BODY | ours))["data"]
    assert changed | ours == changed
    found = (await ask(api, tenant, "GET", path))["data"]
    assert found | ours == found
    copy = (await ask(api, tenant, "POST", f"{path}/clone", json={}))["data"]
    assert copy | ours == copy
    plain = (await ask(api, tenant, "PUT", path, json=BODY))["data"]
    assert "zoneRule" not in plain
    said = (await ask(api, tenant, "PUT", path, 400, json=BODY | {"zoneRule": "mine"}))["errors"][0]
    assert (said["field"], "recipient" in said["msg"]) == ("zoneRule", True)
    zones = (await ask(api, tenant, "POST", f"{path}/status?view=zones"))["data"]
    assert (zones["byContact"], zones["byNumber"], zones["byCampaign"], zones["transactional"]) == (0, 0, 0, False)
