"""Contact lists over HTTP, field by field as the vendor's pages print them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from heliograph.rules import ids
from heliograph.store.database import Database
from tests.api.conftest import Tenant

pytestmark = pytest.mark.anyio

LIST = "/campaign/contactList"
NOW = "2026-03-02T06:00:00.000Z"
MAPPING = {name: name for name in ("firstName", "lastName", "phoneNumber", "timeZone", "uniqueId", "contactPriority")}
MAPPING_1 = {name: name for name in list(MAPPING)[:-1]}


async def create(api: httpx.AsyncClient, tenant: Tenant, name: str = "Leads", **more: Any) -> dict[str, Any]:
    body = {"name": name, "description": "People", "source": "passiveApi", **more}
    answer = await api.post(f"{tenant.v2}{LIST}/createContactList", json=body, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def add(api: httpx.AsyncClient, tenant: Tenant, ref: str, *contacts: Any) -> httpx.Response:
    body = {"contact_list_name": ref, "data": list(contacts)}
    return await api.post(
        f"/api/1.1/public/{tenant.app.public_id}{LIST}/addContacts", json=body, headers=tenant.headers
    )


@pytest.mark.parametrize("version", [1, 2])
async def test_creating_answers_the_fields_of_the_version_in_order(
    api: httpx.AsyncClient, tenant: Tenant, version: int
) -> None:
    body = {"name": "Leads", "description": "People", "source": "passiveApi", "allowDuplicates": True}
    base = tenant.v1 if version == 1 else tenant.v2
    answer = await api.post(f"{base}{LIST}/createContactList", json=body, headers=tenant.headers)
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data.pop("_id").startswith("cl-")
    new_in_2: dict[str, Any] = {"isGlobalDNC": False, "isDefault": False}
    expected = {
        "isActive": True,
        "name": "Leads",
        "description": "People",
        "totalRecordCount": 0,
        "status": "Ready",
        "createdBy": tenant.app.owner_id,
        "updatedBy": tenant.app.owner_id,
        "mapping": MAPPING if version == 2 else MAPPING_1,
        "isListInUse": False,
        "listType": "call",
        **(new_in_2 if version == 2 else {}),
        "campaignInUse": [],
        "source": "passiveApi",
        "apiConfigurations": {"dataSyncMode": "allowDuplicates"},
        **({"columns": []} if version == 2 else {}),
        "files": [],
        "createdAt": NOW,
        "updatedAt": NOW,
        "allowDuplicates": True,
    }
    assert list(data.items()) == list(expected.items())
    assert list(answer.json()) == ["status", "message", "data"]
    assert answer.json()["message"] == "Contact list Leads created successfully"


def whole(tenant: Tenant, list_id: str, version: int) -> dict[str, Any]:
    """A list in full as each version's page prints it."""
    app = tenant.app
    one = version == 1
    return {
        "_id": list_id,
        "isActive": True,
        **({"orgId": app.org_id} if one else {}),
        "name": "Leads",
        **({"lname": "leads"} if one else {}),
        "description": "People",
        "totalRecordCount": 0,
        "status": "Ready",
        "createdBy": app.owner_id,
        "updatedBy": app.owner_id,
        "mapping": MAPPING_1 if one else MAPPING,
        "isListInUse": False,
        **({"iId": app.public_id} if one else {}),
        "listType": "call",
        **({} if one else {"isGlobalDNC": False, "isDefault": False}),
        "campaignInUse": [],
        **({"accountId": app.account_id} if one else {}),
        "source": "passiveApi",
        "apiConfigurations": {"dataSyncMode": "dontAllowDuplicates"},
        **({} if one else {"columns": []}),
        "files": [],
        "createdAt": NOW,
        "updatedAt": NOW,
        **({} if one else {"allowDuplicates": False}),
    }


@pytest.mark.parametrize("version", [1, 2])
async def test_getting_and_deleting_answer_the_list_in_full(
    api: httpx.AsyncClient, tenant: Tenant, version: int
) -> None:
    made = await create(api, tenant)
    url = f"{tenant.v1 if version == 1 else tenant.v2}{LIST}/{made['_id']}"
    expected = whole(tenant, made["_id"], version)
    got = await api.get(url, headers=tenant.headers)
    assert list(got.json()["data"].items()) == list(expected.items())
    assert got.json()["message"] == ""
    gone = await api.delete(url, headers=tenant.headers)
    assert list(gone.json()["data"].items()) == list(expected.items())
    assert gone.json()["message"] == "Contact list Leads deleted successfully"
    for verb in ("GET", "DELETE", "PUT"):
        again = await api.request(verb, url, headers=tenant.headers, json={"name": "Other"})
        assert again.status_code == 404


@pytest.mark.parametrize("version", [1, 2])
async def test_all_lists_is_an_array_by_either_verb(api: httpx.AsyncClient, tenant: Tenant, version: int) -> None:
    made = await create(api, tenant)
    base = tenant.v1 if version == 1 else tenant.v2
    expected = {
        "_id": made["_id"],
        "name": "Leads",
        "description": "People",
        "totalRecordCount": 0,
        "status": "Ready",
        "mapping": MAPPING if version == 2 else MAPPING_1,
        "isListInUse": False,
        "listType": "call",
        "campaignInUse": [],
        "source": "passiveApi",
        "apiConfigurations": {"dataSyncMode": "dontAllowDuplicates"},
        **({"columns": []} if version == 2 else {}),
        "files": [],
        "updatedAt": NOW,
    }
    for verb, query in (("GET", "?type=call"), ("POST", ""), ("GET", "?type=sms"), ("POST", "?type=")):
        answer = await api.request(verb, f"{base}{LIST}/getAllListDetails{query}", headers=tenant.headers)
        assert answer.json() == {"status": "success", "message": "", "data": [expected]}
        assert list(answer.json()["data"][0]) == list(expected)
    assert (await api.get(f"{base}{LIST}/getAllListDetails?type=x", headers=tenant.headers)).status_code == 400


@pytest.mark.parametrize("version", [1, 2])
async def test_updating_echoes_what_was_sent_and_by_whom(api: httpx.AsyncClient, tenant: Tenant, version: int) -> None:
    made = await create(api, tenant)
    url = f"{tenant.v1 if version == 1 else tenant.v2}{LIST}/{made['_id']}"
    answer = await api.put(url, json={"name": "Better", "allowDuplicates": True}, headers=tenant.headers)
    assert answer.json() == {
        "status": "success",
        "message": "Contact list Better updated successfully",
        "data": {
            "contactListId": made["_id"],
            "body": {
                "name": "Better",
                "allowDuplicates": True,
                **({"scope": ["campaign_management"]} if version == 2 else {}),
                "orgId": tenant.app.org_id,
                "iId": tenant.app.public_id,
                "listType": "call",
                "accountId": tenant.app.account_id,
                "updatedBy": tenant.app.owner_id,
            },
        },
    }
    found = (await api.get(f"{tenant.v2}{LIST}/{made['_id']}", headers=tenant.headers)).json()["data"]
    assert (found["name"], found["description"], found["allowDuplicates"]) == ("Better", "People", True)


async def test_names_are_unique_whatever_the_case_until_deleted(api: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(api, tenant)
    other = await create(api, tenant, "Others")
    url = f"{tenant.v2}{LIST}"
    twice = await api.post(
        f"{url}/createContactList", json={"name": "LEADS", "description": ""}, headers=tenant.headers
    )
    renamed = await api.put(f"{url}/{other['_id']}", json={"name": "lEADS"}, headers=tenant.headers)
    for answer in (twice, renamed):
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["field"] == "name"
    assert (await api.delete(f"{url}/leads", headers=tenant.headers)).json()["data"]["_id"] == made["_id"]
    await create(api, tenant, "LEADS")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 5}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 49}, "name"),
        ({"name": "a\0b"}, None),
        ({"name": "a", "description": "x" * 257}, "description"),
        ({"name": "a", "source": "fax"}, "source"),
        ({"name": "a", "allowDuplicates": "yes"}, "allowDuplicates"),
    ],
)
async def test_a_list_that_cannot_be_made_is_refused_by_field(
    api: httpx.AsyncClient, tenant: Tenant, body: dict[str, Any], field: str | None
) -> None:
    answer = await api.post(f"{tenant.v2}{LIST}/createContactList", json=body, headers=tenant.headers)
    assert answer.status_code == 400
    problem = answer.json()["errors"][0]
    if field is not None:
        assert problem["field"] == field
    assert problem["msg"] == answer.json()["message"]


async def test_the_misprinted_key_of_the_vendor_s_page_names_a_list(api: httpx.AsyncClient, tenant: Tenant) -> None:
    body = {"name1": "Printed", "description": "d", "source": "passiveApiIntegration"}
    answer = await api.post(f"{tenant.v1}{LIST}/createContactList", json=body, headers=tenant.headers)
    assert answer.json()["data"]["name"] == "Printed"
    assert answer.json()["data"]["source"] == "passiveApiIntegration"


async def test_contacts_come_back_as_they_were_sent(api: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(api, tenant)
    first = {"phoneNumber": "+14155550100", "first name": "Ada", "score": 7, "_id": "mine"}
    second = {"phoneNumber": "+44 7700 900123", "email": "x@example.com", "timeZone": "Europe/London"}
    answer = await add(api, tenant, "leads", first, second)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Adding contacts to public list is in progress"}
    page = (await api.get(f"{tenant.v2}{LIST}/{made['_id']}/getAllContacts", headers=tenant.headers)).json()
    assert page["message"] == "Contacts retrieved successfully"
    data = page["data"]
    assert list(data) == ["results", "skip", "limit", "hasMore", "totalPages", "totalResults"]
    assert [data[key] for key in list(data)[1:]] == [0, 50, False, 1, 2]
    own = {"_id": ids.contact_id(made["_id"], 1), "createdAt": NOW, "updatedAt": NOW}
    shown = {"phoneNumber": "+14155550100", "first name": "Ada", "score": 7}
    assert list(data["results"][0].items()) == list((own | shown).items())
    assert data["results"][1]["phoneNumber"] == "+44 7700 900123"
    found = (await api.get(f"{tenant.v2}{LIST}/Leads", headers=tenant.headers)).json()["data"]
    assert found["columns"] == ["phoneNumber", "first name", "score", "_id", "email", "timeZone"]
    assert found["totalRecordCount"] == 2


async def test_one_bad_contact_and_none_is_added(api: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(api, tenant)
    answer = await add(api, tenant, made["name"], {"phoneNumber": "+14155550100"}, {"phoneNumber": "12"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "data[1].phoneNumber"
    assert "'12'" in answer.json()["message"]
    page = await api.get(f"{tenant.v2}{LIST}/{made['_id']}/getAllContacts", headers=tenant.headers)
    assert page.json()["data"]["totalResults"] == 0


async def test_a_call_takes_one_to_a_hundred_contacts(api: httpx.AsyncClient, tenant: Tenant) -> None:
    await create(api, tenant)
    people = [{"phoneNumber": f"+1415555{n:04d}"} for n in range(100, 201)]
    assert (await add(api, tenant, "Leads", *people)).status_code == 413
    assert (await add(api, tenant, "Leads")).status_code == 400
    assert (await add(api, tenant, "Leads", *people[:100])).status_code == 200
    assert (await add(api, tenant, "Nobody", people[0])).status_code == 404


@pytest.mark.parametrize("keeps", [False, True])
async def test_duplicates_follow_the_list_s_setting(api: httpx.AsyncClient, tenant: Tenant, keeps: bool) -> None:
    made = await create(api, tenant, allowDuplicates=keeps)
    one, same = {"phoneNumber": "+14155550100", "n": "first"}, {"phoneNumber": "+1 (415) 555-0100", "n": "second"}
    await add(api, tenant, made["name"], one, same)
    body = {"contactListId": made["_id"], "data": [one, {"phoneNumber": "+14155550101"}]}
    await api.post(f"{tenant.v2}{LIST}/addContacts", json=body, headers=tenant.headers)
    page = await api.get(f"{tenant.v2}{LIST}/{made['_id']}/getAllContacts", headers=tenant.headers)
    rows = page.json()["data"]["results"]
    assert [row.get("n") for row in rows] == (["first", "second", "first", None] if keeps else ["first", None])


async def test_contacts_are_paged(api: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(api, tenant)
    await add(api, tenant, "Leads", *({"phoneNumber": f"+1415555{n:04d}"} for n in range(100, 107)))
    url = f"{tenant.v1}{LIST}/{made['_id']}/getAllContacts"
    page = (await api.get(f"{url}?skip=4&limit=2", headers=tenant.headers)).json()["data"]
    assert [row["phoneNumber"] for row in page["results"]] == ["+14155550104", "+14155550105"]
    assert {key: page[key] for key in list(page)[1:]} == {
        "skip": 4,
        "limit": 2,
        "hasMore": True,
        "totalPages": 4,
        "totalResults": 7,
    }
    for query in ("limit=0", "limit=1001", "skip=-1", "skip=99999999999999999999", "limit=ten"):
        answer = await api.get(f"{url}?{query}", headers=tenant.headers)
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_nobody_sees_or_touches_another_tenant_s_lists(
    api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant
) -> None:
    made = await create(api, tenant)
    await add(api, tenant, "Leads", {"phoneNumber": "+14155550100"})
    other = second_tenant
    for verb, path in (
        ("GET", f"{made['_id']}"),
        ("PUT", f"{made['_id']}"),
        ("DELETE", f"{made['_id']}"),
        ("GET", "Leads"),
        ("GET", f"{made['_id']}/getAllContacts"),
    ):
        answer = await api.request(verb, f"{other.v2}{LIST}/{path}", headers=other.headers, json={"name": "Mine"})
        assert answer.status_code == 404, (verb, path)
    assert (await add(api, other, made["_id"], {"phoneNumber": "+14155550101"})).status_code == 404
    listed = await api.get(f"{other.v2}{LIST}/getAllListDetails", headers=other.headers)
    assert listed.json()["data"] == []
    await create(api, other)  # the same name, in another app
    assert (await api.get(f"{tenant.v2}{LIST}/{made['_id']}", headers=tenant.headers)).json()["data"]["name"] == "Leads"


async def test_a_list_in_use_stays_and_says_by_whom(api: httpx.AsyncClient, tenant: Tenant, db: Database) -> None:
    made = await create(api, tenant)
    campaign_id = await use(db, tenant, made["_id"])
    url = f"{tenant.v2}{LIST}/{made['_id']}"
    shown = (await api.get(url, headers=tenant.headers)).json()["data"]
    assert shown["isListInUse"] is True
    assert shown["campaignInUse"] == [{"id": campaign_id, "name": "Spring"}]
    refused = await api.delete(url, headers=tenant.headers)
    assert refused.status_code == 409
    assert "campaign Spring" in refused.json()["message"]
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET deleted_at = now()")
    assert (await api.delete(url, headers=tenant.headers)).status_code == 200


async def use(db: Database, tenant: Tenant, list_id: str) -> str:
    """Link a campaign to the list; its public id."""
    public_id = ids.new("cd")
    async with db.connection() as conn:
        await conn.execute(
            """
            WITH made AS (
                INSERT INTO campaign (app_id, public_id, name, lname, status, priority, format, caller_id, dialing,
                                      schedule, created_at, updated_at)
                VALUES (%(app_id)s, %(public_id)s, 'Spring', 'spring', 'Ready', 5, 'simple', '+14155550100', '{}',
                        '{}', now(), now())
                RETURNING app_id, campaign_id
            )
            INSERT INTO campaign_list (app_id, campaign_id, position, list_id)
            SELECT made.app_id, made.campaign_id, 1, l.list_id FROM made, contact_list l
            WHERE l.public_id = %(list_id)s
            """,
            {"app_id": tenant.app.app_id, "public_id": public_id, "list_id": list_id},
        )
    return public_id
