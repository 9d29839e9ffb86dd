"""Do-not-contact lists over HTTP: making, changing and deleting them, and which of them count for whom."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from heliograph.actions import campaigns, contacts, lists, runs
from heliograph.actions import dnc as no_contact
from heliograph.config import Settings
from heliograph.errors import Conflict
from heliograph.rules.quota import Quota
from heliograph.store import campaigns as campaign_rows
from heliograph.store import dnc
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.dnc_client import NOW, NUMBER, Client
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

DRAFT = {
    "name": "Spring Sale",
    "contactLists": ["Leads"],
    "campaignType": "sms",
    "format": "simple",
    "message": {"message": "Hello"},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+12025550143"},
        "callingHours": {
            "frequency": "DAILY",
            "timezone": "UTC",
            "days": [{"start": "12:00 AM", "end": "12:00 AM"}],
        },
    },
}


@pytest.fixture
def no(api: httpx.AsyncClient, tenant: Tenant) -> Client:
    return Client(api, tenant)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_list_from_making_it_to_deleting_it(api: httpx.AsyncClient, tenant: Tenant, version: int) -> None:
    no = Client(api, tenant, version)
    said = await no.ask("POST", "/dncLists", json={"name": "Never", "description": "Asked"})
    assert said["message"] == "DNC list Never created successfully"
    made = said["data"]
    assert list(made.items()) == [
        ("_id", made["_id"]),
        ("name", "Never"),
        ("description", "Asked"),
        ("listType", "dnc"),
        ("isGlobalDNC", False),
        ("isDefault", False),
        ("totalRecordCount", 0),
        ("isListInUse", False),
        ("campaignInUse", []),
        ("files", []),
        ("createdAt", NOW),
        ("updatedAt", NOW),
    ]
    assert made["_id"].startswith("cl-")
    listed = (await no.ask("GET", "/dncLists"))["data"]
    assert [(one["name"], one["isGlobalDNC"], one["isDefault"]) for one in listed] == [
        ("Default Global DNC", True, True),
        ("Never", False, False),
    ]
    assert (await no.ask("GET", f"/dncLists/{made['_id']}"))["data"] == made
    changed = await no.ask("PUT", "/dncLists/never", json={"name": "No", "isGlobalDNC": True})
    assert changed["data"] == made | {"name": "No", "isGlobalDNC": True}
    gone = await no.ask("DELETE", f"/dncLists/{made['_id']}")
    assert gone["data"] == changed["data"]
    assert gone["message"] == "DNC list No deleted successfully"
    for verb in ("GET", "PUT", "DELETE"):
        refused = await no.ask(verb, f"/dncLists/{made['_id']}", 404, json={"name": "x"})
        assert refused["message"] == f"DNC list {made['_id']} not found"
    await no.create("No")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 49}, "name"),
        ({"name": "a", "description": "x" * 257}, "description"),
        ({"name": "a", "isGlobalDNC": "yes"}, "isGlobalDNC"),
    ],
)
async def test_a_list_that_cannot_be_made_is_refused_by_field(no: Client, body: dict[str, Any], field: str) -> None:
    refused = await no.ask("POST", "/dncLists", 400, json=body)
    assert refused["errors"][0]["field"] == field


async def test_names_are_unique_among_do_not_contact_lists(no: Client) -> None:
    await no.create()
    await no.ask("POST", "/dncLists", 409, json={"name": "NEVER"})
    await no.ask("PUT", "/dncLists/Never", 409, json={"name": "default global dnc"})
    await no.ask("PUT", "/dncLists/Never", 400, json={})
    created = await no.ask("POST", "/campaign/contactList/createContactList", json={"name": "Never"})
    assert (await no.ask("GET", "/dncLists/Never"))["data"]["_id"] != created["data"]["_id"]


async def test_the_default_list_stays(no: Client) -> None:
    refused = await no.ask("DELETE", "/dncLists/Default Global DNC", 409)
    assert "is the app's default and cannot be deleted" in refused["message"]


async def test_a_list_in_use_stays_and_says_by_whom(no: Client, db: Database, clock: FrozenClock) -> None:
    made = await no.create()
    await no.add(NUMBER)
    await no.ask("POST", "/campaign/contactList/createContactList", json={"name": "Leads"})
    campaign = await campaigns.create(db, no.tenant.app, {**DRAFT, "dncLists": {"name": "Never"}}, now=clock())
    shown = (await no.ask("GET", "/dncLists/Never"))["data"]
    assert shown["campaignInUse"] == [{"id": campaign.public_id, "name": "Spring Sale"}]
    for path in ("/dncLists/Never", f"/campaign/contactList/{made['_id']}"):
        refused = await no.ask("DELETE", path, 409)
        assert refused["message"] == "DNC list Never is used by campaign Spring Sale; delete it first"
    await runs.delete(db, no.tenant.app, campaign.public_id, now=clock())
    await no.ask("DELETE", "/dncLists/Never")
    async with db.connection() as conn:
        left = await (await conn.execute("SELECT count(*) FROM dnc_entry")).fetchone()
    assert left == (0,)


# ---------------------------------------------------------------- what counts for whom


async def test_the_global_list_counts_unless_the_app_has_it_for_voice_only(
    no: Client, db: Database, clock: FrozenClock
) -> None:
    assert (await no.ask("GET", "/settings"))["data"]["globalDncAppliesToSms"] is True
    await no.create()
    await no.ask("POST", "/campaign/contactList/createContactList", json={"name": "Leads"})
    made = await campaigns.create(db, no.tenant.app, {**DRAFT, "dncLists": {"name": "Never"}}, now=clock())

    async def heeded() -> int:
        async with db.connection() as conn:
            campaign = await campaign_rows.get(conn, no.tenant.app.app_id, made.public_id)
            return len(await runs.dnc_lists(conn, campaign))

    assert await heeded() == 2
    said = await no.ask("PUT", "/settings", json={"globalDncAppliesToSms": False})
    assert said["message"] == "Settings updated successfully"
    assert said["data"]["globalDncAppliesToSms"] is False
    assert await heeded() == 1
    await no.ask("PUT", "/settings", json={"globalDncAppliesToSms": True})
    assert await heeded() == 2
    await no.ask("PUT", "/dncLists/Default Global DNC", json={"isGlobalDNC": False})
    assert await heeded() == 1
    for bad in ({}, {"globalDncAppliesToSms": "no"}):
        assert (await no.ask("PUT", "/settings", 400, json=bad))["errors"][0]["field"] == "globalDncAppliesToSms"


async def test_a_contact_list_is_no_do_not_contact_list_and_the_other_way_round(no: Client) -> None:
    made = await no.create()
    leads = (await no.ask("POST", "/campaign/contactList/createContactList", json={"name": "Leads"}))["data"]
    for path in ("", "/entries", "/export"):
        await no.ask("GET", f"/dncLists/{leads['_id']}{path}", 404)
    await no.ask("DELETE", f"/dncLists/{leads['_id']}", 404)
    await no.ask("POST", f"/dncLists/{leads['_id']}/entries", 404, json={"phoneNumber": NUMBER})
    body = {"contactListId": made["_id"], "data": [{"phoneNumber": NUMBER}]}
    await no.ask("POST", "/campaign/contactList/addContacts", 404, json=body)
    await no.ask("GET", f"/campaign/contactList/{made['_id']}/getAllContacts", 404)


async def test_nobody_sees_or_touches_another_tenant_s_lists(
    no: Client, api: httpx.AsyncClient, second_tenant: Tenant
) -> None:
    made = await no.create()
    await no.add(NUMBER)
    other = Client(api, second_tenant)
    for verb, path in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/entries"),
        ("POST", "/entries"),
        ("POST", "/entries/remove"),
        ("GET", f"/entries/{NUMBER}"),
        ("PUT", f"/entries/{NUMBER}"),
        ("DELETE", f"/entries/{NUMBER}"),
        ("GET", "/export"),
        ("POST", "/file"),
    ):
        body = {"name": "Mine", "phoneNumber": NUMBER, "reason": "x", "phoneNumbers": [NUMBER]}
        sent: dict[str, Any] = {"content": NUMBER.encode()} if path == "/file" else {"json": body}
        for ref in (made["_id"], "Never"):
            await other.ask(verb, f"/dncLists/{ref}{path}", 404, **sent)
    await other.ask("PUT", "/settings", json={"globalDncAppliesToSms": False})
    assert (await no.ask("GET", "/settings"))["data"]["globalDncAppliesToSms"] is True
    assert await no.entries() == [NUMBER]
    assert len((await other.ask("GET", "/dncLists"))["data"]) == 1


async def test_an_account_has_no_more_than_its_quota(db: Database, tenant: Tenant, clock: FrozenClock) -> None:
    few = Quota(lists=1, dnc_lists=2, list_contacts=2, contacts=2, dnc_entries=2)
    app, now = tenant.app, clock()
    await lists.create(db, app, {"name": "One"}, now=now, limits=few)
    with pytest.raises(Conflict, match=r"1 contact lists in this account already.*limit of 1"):
        await lists.create(db, app, {"name": "Two"}, now=now, limits=few)
    await no_contact.create(db, app, name="One", now=now, limits=few)
    with pytest.raises(Conflict, match="2 DNC lists"):
        await no_contact.create(db, app, name="Two", now=now, limits=few)
    people = [{"phoneNumber": f"+1415555{n:04d}"} for n in range(100, 103)]
    with pytest.raises(Conflict, match="0 contacts in list One already, and 3 more"):
        await contacts.add(db, app, {"contact_list_name": "One", "data": people}, now=now, limits=few)
    await contacts.add(db, app, {"contact_list_name": "One", "data": people[:2]}, now=now, limits=few)
    entries = [one["phoneNumber"] for one in people]
    await no_contact.put(db, app, "One", {"entries": entries[:2]}, source="api", now=now, limits=few)
    await no_contact.put(db, app, "One", {"entries": entries[:2]}, source="api", now=now, limits=few)
    with pytest.raises(Conflict, match="2 DNC entries"):
        await no_contact.put(db, app, None, {"entries": entries[2:]}, source="api", now=now, limits=few)
    async with db.connection() as conn:
        everywhere = await dnc.list_global(conn, app.app_id)
        assert await dnc.page(conn, app.app_id, everywhere[0], skip=0, limit=9) == []


def test_the_vendor_s_limits_are_the_defaults_where_they_are_the_product_s() -> None:
    assert (Settings().quota.lists, Settings().quota.dnc_lists) == (1000, 1000)
