"""One contact of a list, looking for contacts, and the list as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from heliograph.rules import ids
from heliograph.store import contacts, lists
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.test_lists import LIST, NOW, add, create
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

ADA = {"phoneNumber": "+14155550100", "first name": "Ada", "Last_Name": "Example", "uid": "u-1", "Priority": "3"}
BOB = {"phoneNumber": "+1 415 555 0101", "first name": "BOB", "Last_Name": "example", "uid": "U-1", "Priority": 3}
CID = {"Mobile": "+447700900123", "firstName": "ada ", "city": "Łódź", "timeZone": "Europe/London"}


@pytest.fixture
async def leads(api: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    made = await create(api, tenant)
    assert (await add(api, tenant, "Leads", ADA, BOB, CID)).status_code == 200
    return made


async def ask(
    api: httpx.AsyncClient,
    tenant: Tenant,
    verb: str,
    path: str,
    status: int = 200,
    *,
    body: Any = None,
    version: int = 2,
) -> Any:
    base = tenant.v2 if version == 2 else tenant.v1
    answer = await api.request(verb, f"{base}{LIST}/{path}", json=body, headers=tenant.headers)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("version", [1, 2])
async def test_one_contact_is_read_changed_and_removed(
    api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any], clock: FrozenClock, version: int
) -> None:
    one = f"{leads['_id']}/contacts/{ids.contact_id(leads['_id'], 1)}"
    own = {"_id": ids.contact_id(leads["_id"], 1), "createdAt": NOW, "updatedAt": NOW}
    got = await ask(api, tenant, "GET", one, version=version)
    assert got["message"] == "Contact retrieved successfully"
    assert list(got["data"].items()) == list((own | ADA).items())

    clock.advance(60)
    sent = {"_id": "x", "createdAt": "x", "phoneNumber": "+14155550109", "First-Name": "Ann", "note": None}
    changed = await ask(api, tenant, "PUT", one, body=sent, version=version)
    assert changed["message"] == "Contact of list Leads updated successfully"
    later = own | {"updatedAt": "2026-03-02T06:01:00.000Z"}
    assert list(changed["data"].items()) == list(
        (later | ADA | {"phoneNumber": "+14155550109", "first name": "Ann", "note": None}).items()
    )
    assert (await ask(api, tenant, "GET", one, version=version))["data"] == changed["data"]
    shown = await ask(api, tenant, "GET", leads["_id"])
    assert shown["data"]["totalRecordCount"] == 3
    assert shown["data"]["columns"][-1] == "note"

    gone = await ask(api, tenant, "DELETE", one, version=version)
    assert gone["message"] == "Contact removed from list Leads successfully"
    assert gone["data"] == changed["data"]
    for verb in ("GET", "PUT", "DELETE"):
        refused = await ask(api, tenant, verb, one, 404, body={"a": "b"}, version=version)
        assert refused["errors"][0]["field"] == "contactId"
    shown = await ask(api, tenant, "GET", leads["_id"])
    assert shown["data"]["totalRecordCount"] == 2
    page = (await ask(api, tenant, "GET", f"{leads['_id']}/getAllContacts"))["data"]
    assert (page["totalResults"], page["hasMore"], len(page["results"])) == (2, False, 2)


async def test_a_contact_s_id_is_not_given_again(api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any]) -> None:
    last = ids.contact_id(leads["_id"], 3)
    await ask(api, tenant, "DELETE", f"leads/contacts/{last}")
    await add(api, tenant, "Leads", {"phoneNumber": "+14155550105"})
    page = (await ask(api, tenant, "GET", "Leads/getAllContacts"))["data"]
    assert [one["_id"] for one in page["results"]] == [ids.contact_id(leads["_id"], n) for n in (1, 2, 4)]


async def test_a_system_field_is_changed_by_the_vendor_s_name_for_it(
    api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any], db: Database
) -> None:
    path = f"Leads/contacts/{ids.contact_id(leads['_id'], 3)}"
    sent = {"phoneNumber": "0044 7700 900124", "timeZone": "Mars/Base", "contactPriority": 4}
    changed = (await ask(api, tenant, "PUT", path, body=sent))["data"]
    assert "phoneNumber" not in changed
    assert (changed["Mobile"], changed["contactPriority"]) == ("0044 7700 900124", 4)
    async with db.connection() as conn:
        target = await lists.get(conn, tenant.app.app_id, "Leads")
        kept = await contacts.get(conn, target, ids.contact_id(leads["_id"], 3))
    assert (kept.number, kept.time_zone, kept.priority) == ("+447700900124", None, 4)


async def test_a_change_that_cannot_be_made_changes_nothing(
    api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any]
) -> None:
    path = f"Leads/contacts/{ids.contact_id(leads['_id'], 1)}"
    before = (await ask(api, tenant, "GET", path))["data"]
    for body, status, field in (
        ({}, 400, None),
        ({"_id": "x"}, 400, None),
        ({"phoneNumber": "12"}, 400, "phoneNumber"),
        ({"phoneNumber": ""}, 400, "phoneNumber"),
        ({"note": "x" * 301}, 400, "note"),
        ({"x" * 301: ""}, 400, None),
        ({f"c{n}": "" for n in range(150)}, 400, None),
        ({"phoneNumber": "+1 (415) 555-0101"}, 409, "phoneNumber"),
    ):
        refused = await ask(api, tenant, "PUT", path, status, body=body)
        assert refused["errors"][0].get("field") == field, body
    assert (await ask(api, tenant, "GET", path))["data"] == before
    await ask(api, tenant, "PUT", path, body={"phoneNumber": "1 415 555 0100"})  # its own number, written otherwise
    await ask(api, tenant, "PUT", "Leads", body={"allowDuplicates": True})
    await ask(api, tenant, "PUT", path, body={"phoneNumber": "+14155550101"})


async def test_contacts_are_looked_for_by_what_is_known_of_them(
    api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any]
) -> None:
    async def found(query: str) -> list[int]:
        data = (await ask(api, tenant, "GET", f"Leads/getAllContacts?{query}"))["data"]
        assert data["totalResults"] >= len(data["results"])
        return [int(one["_id"][-8:], 16) for one in data["results"]]

    assert await found("phoneNumber=%2B14155550100") == [1]
    assert await found("phoneNumber=+1(415)5550101") == [2]
    assert await found("phoneNumber=+14155550199") == []
    assert await found("firstName=ADA") == [1, 3]
    assert await found("firstName=Ad") == []
    assert await found("lastName=Example") == [1, 2]
    assert await found("uniqueId=u-1") == [1]
    assert await found("priority=3") == [1, 2]
    assert await found("search=%2B1+415+555+0101") == [2]
    assert await found("search=ada") == [1, 3]
    assert await found("search=EXAMPLE&priority=3&skip=1") == [2]
    assert await found("search=u-1") == [1]
    assert await found("search=U-1") == [2]
    assert await found("search=gold") == []
    assert await found("search=+") == [1, 2, 3]
    refused = await ask(api, tenant, "GET", "Leads/getAllContacts?search=ada&lastName=x", 400)
    assert refused["errors"][0]["field"] == "search"
    assert await found("priority=3&firstName=bob&lastName=EXAMPLE") == [2]
    assert await found("priority=3&skip=1&limit=1") == [2]
    assert await found("priority=3&skip=2147483647&limit=1000") == []
    assert await found("firstName=&phoneNumber=&priority=") == [1, 2, 3]
    page = (await ask(api, tenant, "GET", "Leads/getAllContacts?lastName=example&limit=1"))["data"]
    assert {key: page[key] for key in list(page)[1:]} == {
        "skip": 0,
        "limit": 1,
        "hasMore": True,
        "totalPages": 2,
        "totalResults": 2,
    }
    for query in ("phoneNumber=x", "priority=high", "priority=-1"):
        refused = await ask(api, tenant, "GET", f"Leads/getAllContacts?{query}", 400)
        assert refused["errors"][0]["field"] == query.partition("=")[0]


async def test_a_list_is_a_file_that_is_safe_in_a_spreadsheet(
    api: httpx.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.api.files.PAGE", 2)
    made = await create(api, tenant, "Läufer")
    formulas = {"phoneNumber": "00 1 415 555 0102", "note": "=HYPERLINK()", "@tag": "@ada", "sum": "-5"}
    await add(api, tenant, made["_id"], ADA, CID, formulas, {"phone": "+14155550103", "Mobile": "+evil", "note": 'a"b'})
    url = f"{tenant.v2}{LIST}/{made['_id']}/export"
    answer = await api.get(url, headers=tenant.headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"L_ufer.csv\"; filename*=UTF-8''L%C3%A4ufer.csv"
    )
    assert answer.content.startswith(b'\xef\xbb\xbf"phoneNumber","first name",')
    assert '"+14155550100","Ada","Example","u-1","3","",' in answer.text
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    columns = [*ADA, *CID, "note", "'@tag", "sum", "phone"]
    assert [list(row) for row in rows] == [columns] * 4
    assert rows[1] == dict.fromkeys(columns, "") | CID
    assert rows[2]["phoneNumber"] == "+14155550102"
    assert [rows[2][name] for name in ("note", "'@tag", "sum")] == ["'=HYPERLINK()", "'@ada", "-5"]
    assert (rows[3]["phone"], rows[3]["Mobile"], rows[3]["note"]) == ("+14155550103", "'+evil", 'a"b')
    raw = (await api.get(f"{url}?guard=false", headers=tenant.headers)).text
    assert '"=HYPERLINK()","@ada"' in raw
    assert '"@tag"' in raw
    refused = await api.get(f"{url}?guard=no", headers=tenant.headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "guard")


async def test_an_empty_list_is_a_file_with_a_header(api: httpx.AsyncClient, tenant: Tenant) -> None:
    await create(api, tenant)
    answer = await api.get(f"{tenant.v1}{LIST}/Leads/export", headers=tenant.headers)
    assert answer.text == '\ufeff"phoneNumber"\r\n'
    assert (await api.get(f"{tenant.v1}{LIST}/Others/export", headers=tenant.headers)).status_code == 404


async def test_whoever_changes_a_list_being_filled_is_told(
    api: httpx.AsyncClient, tenant: Tenant, leads: dict[str, Any], db: Database
) -> None:
    path = f"Leads/contacts/{ids.contact_id(leads['_id'], 1)}"
    async with db.transaction() as conn:
        target = await lists.get(conn, tenant.app.app_id, "Leads")
        await contacts.hold_writer(conn, target.list_id, name="Leads")
        refused = await ask(api, tenant, "DELETE", path, 409)
    assert "being imported into list Leads" in refused["message"]


async def test_nobody_reaches_another_tenant_s_contacts(
    api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant, leads: dict[str, Any]
) -> None:
    theirs = await create(api, second_tenant)
    contact = ids.contact_id(leads["_id"], 1)
    for ref in (leads["_id"], theirs["_id"], "Leads"):
        for verb in ("GET", "PUT", "DELETE"):
            await ask(api, second_tenant, verb, f"{ref}/contacts/{contact}", 404, body={"a": "b"})
    await ask(api, second_tenant, "GET", f"{leads['_id']}/export", 404)
    await ask(api, second_tenant, "GET", f"{leads['_id']}/getAllContacts?firstName=Ada", 404)
    assert (await ask(api, tenant, "GET", f"Leads/contacts/{contact}"))["data"]["first name"] == "Ada"
    for bad in ("cc-x", "nobody", contact[:-8] + "ffffffff"):
        await ask(api, tenant, "GET", f"Leads/contacts/{bad}", 404)
