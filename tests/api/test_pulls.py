"""Lists that pull, over HTTP: their configuration, trying it out, syncs and their logs, and secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiohttp import web

from heliograph.actions import pulls
from heliograph.actions.seal import Seal
from heliograph.api import app as api_app
from heliograph.config import Settings
from heliograph.rules import address
from heliograph.store.database import Database
from tests import customer
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock
from tests.customer import CustomerApi

pytestmark = pytest.mark.anyio

LIST = "/campaign/contactList"
ALLOWED = address.networks(customer.HERE)
MAPPING = {"phoneNumber": "phone", "firstName": "name.first"}


@pytest.fixture
async def there() -> AsyncIterator[CustomerApi]:
    async with customer.serve() as api:
        yield api


@pytest.fixture
async def near(db: Database, seal: Seal, settings: Settings, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose operator lets lists pull from this machine."""
    settings = replace(settings, pull_private_networks=ALLOWED)
    transport = httpx.ASGITransport(api_app.create_api(db, seal, settings, clock), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
        yield client


class User:
    """A tenant at work on one API client; a refusal is an error unless a status is expected."""

    def __init__(self, client: httpx.AsyncClient, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant

    async def __call__(
        self, verb: str, path: str, body: Any = None, *, status: int = 200, params: dict[str, str] | None = None
    ) -> Any:
        url = f"{self.tenant.v2}{path}"
        answer = await self.client.request(verb, url, json=body, params=params, headers=self.tenant.headers)
        assert answer.status_code == status, answer.text
        found = answer.json()
        return found.get("data", found)

    async def pulling(self, url: str, **config: Any) -> dict[str, Any]:
        config = {"url": url, "mapping": MAPPING, **config}
        body = {"name": "Leads", "source": "apiIntegration", "apiConfigurations": config}
        return await self("POST", f"{LIST}/createContactList", body)


@pytest.fixture
def user(near: httpx.AsyncClient, tenant: Tenant) -> User:
    return User(near, tenant)


async def synced(db: Database, seal: Seal, tenant: Tenant, list_id: str, clock: FrozenClock) -> None:
    """What a worker does."""
    async with db.connection() as conn:
        row = await (await conn.execute("SELECT list_id FROM contact_list WHERE public_id = %s", [list_id])).fetchone()
    assert row is not None
    source = await pulls.begin(db, tenant.app.app_id, row[0], now=clock())
    assert source is not None
    await pulls.run(db, seal, tenant.app, list_id, source, clock=clock, allowed=ALLOWED)


CONFIG: dict[str, Any] = {
    "method": "POST",
    "url": "https://192.0.2.10/v1/contacts",
    "auth": {"authorizationType": "basic", "username": "crm", "secret": "CRM_PASSWORD"},
    "headers": [{"key": "X-Auth-Token", "value": "{{env:CRM_TOKEN}}"}],
    "payload": {"active": True},
    "recordsPath": "data.items",
    "mapping": MAPPING,
    "paging": {"pageParameter": "page", "firstPage": 1, "mostPages": 5},
    "dataSyncInterval": 60,
    "dataSyncMode": "allowDuplicates",
}


async def test_a_configuration_is_answered_wherever_its_list_is(user: User) -> None:
    body = {"name": "Leads", "description": "", "source": "apiIntegration", "apiConfigurations": CONFIG}
    made = await user("POST", f"{LIST}/createContactList", body)
    got = await user("GET", f"{LIST}/{made['_id']}")
    listed = await user("GET", f"{LIST}/getAllListDetails")
    gone = await user("DELETE", f"{LIST}/{made['_id']}")
    for found in (made, got, listed[0], gone):
        assert list(found["apiConfigurations"].items()) == list(CONFIG.items())
        assert found["source"] == "apiIntegration"
    assert (made["allowDuplicates"], made["status"]) == (True, "Ready")


async def test_an_update_puts_another_in_its_place_and_echoes_what_was_sent(user: User) -> None:
    made = await user.pulling("https://192.0.2.10/", dataSyncInterval=15)
    change = {
        "apiConfigurations": {"url": "https://192.0.2.11/", "mapping": MAPPING, "dataSyncMode": "allowDuplicates"}
    }
    changed = await user("PUT", f"{LIST}/{made['_id']}", change)
    assert changed["body"]["apiConfigurations"] == change["apiConfigurations"]
    found = (await user("GET", f"{LIST}/{made['_id']}"))["apiConfigurations"]
    assert (found["url"], found["dataSyncInterval"], found["dataSyncMode"]) == (
        "https://192.0.2.11/",
        None,
        "allowDuplicates",
    )
    await user("PUT", f"{LIST}/Leads", {"apiConfigurations": {"dataSyncMode": "dontAllowDuplicates"}})
    assert (await user("GET", f"{LIST}/Leads"))["apiConfigurations"] == found | {"dataSyncMode": "dontAllowDuplicates"}


async def test_what_was_answered_is_taken_back(user: User) -> None:
    made = await user.pulling("https://192.0.2.10/", dataSyncInterval=15)
    assert await user("PUT", f"{LIST}/{made['_id']}", {"apiConfigurations": made["apiConfigurations"]})
    assert (await user("GET", f"{LIST}/Leads"))["apiConfigurations"] == made["apiConfigurations"]
    pushed = await user("POST", f"{LIST}/createContactList", {"name": "Pushed"})
    await user("PUT", f"{LIST}/Pushed", {"apiConfigurations": pushed["apiConfigurations"]})


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (CONFIG | {"url": "file:///etc/passwd"}, "apiConfigurations.url"),
        (CONFIG | {"url": "http://0x7f.1/"}, "apiConfigurations.url"),
        (CONFIG | {"dataSyncInterval": 1441}, "apiConfigurations.dataSyncInterval"),
        (CONFIG | {"dataSyncMode": "often"}, "apiConfigurations.dataSyncMode"),
        (CONFIG | {"headers": [{"key": "Authorization", "value": "Basic abc"}]}, "apiConfigurations.headers[0].value"),
        ("https://192.0.2.10/", "apiConfigurations"),
    ],
)
async def test_a_mistake_is_named(user: User, config: Any, field: str) -> None:
    body = {"name": "Leads", "source": "apiIntegration", "apiConfigurations": config}
    refused = await user("POST", f"{LIST}/createContactList", body, status=400)
    assert refused["errors"][0]["field"] == field
    assert "abc" not in refused["message"]


async def test_trying_out_shows_contacts_and_problems_and_stores_nothing(user: User, there: CustomerApi) -> None:
    there.answers["/contacts"] = [{"phone": "+14155550100", "name": {"first": "Ada"}}, {"phone": "12"}]
    await user.pulling(there.url())
    assert await user("POST", f"{LIST}/Leads/testPull") == {
        "outcome": "completed",
        "reason": None,
        "fetched": 2,
        "records": [{"phoneNumber": "+14155550100", "firstName": "Ada"}],
        "rejected": 1,
        "problems": [
            {
                "record": 2,
                "field": "phone",
                "value": "'12'",
                "problem": "phoneNumber: '12' is not a telephone number. It takes a number with its country code, "
                "such as +14155550100",
            }
        ],
    }
    other = {"apiConfigurations": {"url": there.url("/none"), "mapping": MAPPING}}
    tried = await user("POST", f"{LIST}/Leads/testPull", other)
    assert (tried["outcome"], tried["reason"]) == ("failed", f"{there.url('/none')} answered 404 Not Found")
    assert (await user("GET", f"{LIST}/Leads/getAllContacts"))["totalResults"] == 0
    assert (await user("GET", f"{LIST}/Leads/syncLogs"))["totalResults"] == 0
    named = {"apiConfigurations": CONFIG}
    refused = await user("POST", f"{LIST}/Leads/testPull", named, status=400)
    assert "There is no secret named CRM_PASSWORD" in refused["message"]


async def test_nothing_inside_is_reached_without_the_operator_s_leave(
    api: httpx.AsyncClient, tenant: Tenant, there: CustomerApi
) -> None:
    far = User(api, tenant)
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        config = {"apiConfigurations": {"url": there.url(host=host), "mapping": MAPPING}}
        await far("POST", f"{LIST}/createContactList", {"name": host, "source": "apiIntegration"} | config)
        tried = await far("POST", f"{LIST}/{host}/testPull")
        assert tried["outcome"] == "failed"
        assert "HELIOGRAPH_PULL_PRIVATE_NETWORKS" in tried["reason"]
    assert there.asked == []


async def test_a_sync_is_asked_for_and_its_log_is_found(
    user: User, there: CustomerApi, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    made = await user.pulling(there.url(), dataSyncInterval=60)
    there.answers["/contacts"] = [{"phone": "+14155550100", "name": {"first": "Ada"}}]
    asked = await user("POST", f"{LIST}/leads/sync")
    assert asked == {"contactListId": made["_id"], "nextSyncAt": "2026-03-02T06:00:00.000Z"}
    await synced(db, seal, user.tenant, made["_id"], clock)
    clock.set(datetime(2026, 3, 3, 7, tzinfo=UTC))
    there.answers["/contacts"] = web.Response(status=500)
    await synced(db, seal, user.tenant, made["_id"], clock)
    found = await user("GET", f"{LIST}/Leads/syncLogs")
    assert (found["totalResults"], found["nextSyncAt"]) == (2, "2026-03-03T07:01:00.000Z")
    assert found["results"][1] == {
        "number": 1,
        "outcome": "completed",
        "trigger": "hand",
        "startedAt": "2026-03-02T06:00:00.000Z",
        "endedAt": "2026-03-02T06:00:00.000Z",
        "pages": 1,
        "fetched": 1,
        "added": 1,
        "duplicates": 0,
        "rejected": 0,
        "problems": [],
        "reason": None,
    }
    assert (found["results"][0]["outcome"], found["results"][0]["trigger"]) == ("failed", "interval")
    assert (await user("GET", f"{LIST}/Leads/getAllContacts"))["results"][0]["firstName"] == "Ada"

    async def numbers(**query: str) -> list[int]:
        return [one["number"] for one in (await user("GET", f"{LIST}/Leads/syncLogs", params=query))["results"]]

    assert await numbers(search="ANSWERED 500") == [2]
    assert await numbers(search="Completed") == [1]
    assert await numbers(search="100%") == []
    assert await numbers(startDate="2026-03-03") == [2]
    assert await numbers(endDate="2026-03-02") == [1]
    assert await numbers(startDate="2026-03-02T06:00:01Z", endDate="2026-03-03T06:59:59Z") == []
    assert await numbers(skip="1", limit="1") == [1]
    refused = await user("GET", f"{LIST}/Leads/syncLogs", params={"startDate": "yesterday"}, status=400)
    assert refused["errors"][0]["field"] == "startDate"
    file = await user.client.get(
        f"{user.tenant.v2}{LIST}/Leads/syncLogs/export?search=completed", headers=user.tenant.headers
    )
    assert file.headers["content-disposition"] == f'attachment; filename="syncLogs-{made["_id"]}.json"'
    assert file.json() == {
        "contactListId": made["_id"],
        "name": "Leads",
        "exportedAt": "2026-03-03T07:00:00.000Z",
        "syncLogs": [found["results"][1]],
    }


async def test_a_list_that_does_not_pull_is_not_synced(user: User) -> None:
    await user("POST", f"{LIST}/createContactList", {"name": "Pushed"})
    for call in ("sync", "testPull"):
        refused = await user("POST", f"{LIST}/Pushed/{call}", status=409)
        assert "pulls from nowhere: its source is passiveApi" in refused["message"]
        await user("POST", f"{LIST}/Nobody/{call}", status=404)
    assert (await user("GET", f"{LIST}/Pushed/syncLogs"))["results"] == []


async def test_secrets_are_stored_listed_by_name_and_deleted(user: User, second_tenant: Tenant) -> None:
    kept = await user("PUT", "/secrets/CRM_TOKEN", {"value": "hush"})
    assert kept == {
        "name": "CRM_TOKEN",
        "createdAt": "2026-03-02T06:00:00.000Z",
        "updatedAt": "2026-03-02T06:00:00.000Z",
    }
    await user("PUT", "/secrets/A_KEY", {"value": "hush"})
    found = await user("GET", "/secrets")
    assert [one["name"] for one in found] == ["A_KEY", "CRM_TOKEN"]
    assert "hush" not in str(found)
    other = User(user.client, second_tenant)
    assert await other("GET", "/secrets") == []
    await other("DELETE", "/secrets/CRM_TOKEN", status=404)
    assert await user("DELETE", "/secrets/CRM_TOKEN") == kept
    await user("DELETE", "/secrets/CRM_TOKEN", status=404)
    for name, body in (("1A", {"value": "hush"}), ("A", {}), ("A", {"value": "hu\nsh"}), ("A", {"value": 5})):
        refused = await user("PUT", f"/secrets/{name}", body, status=400)
        assert "hu" not in refused["message"].replace("such", "")


async def test_a_secret_in_use_stays(user: User) -> None:
    await user("PUT", "/secrets/CRM_TOKEN", {"value": "hush"})
    await user.pulling("https://192.0.2.10/", auth={"authorizationType": "bearer", "secret": "CRM_TOKEN"})
    refused = await user("DELETE", "/secrets/CRM_TOKEN", status=409)
    assert "contact list Leads" in refused["message"]
    await user("DELETE", f"{LIST}/Leads")
    await user("DELETE", "/secrets/CRM_TOKEN")


async def test_an_app_has_so_many_secrets_and_no_more(user: User, db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO app_secret SELECT app_id, 'S' || n, '', now(), now() FROM app, generate_series(1, 200) n"
        )
    refused = await user("PUT", "/secrets/ONE_MORE", {"value": "hush"}, status=409)
    assert "at most 200" in refused["message"]
    await user("PUT", "/secrets/S200", {"value": "hush"})
