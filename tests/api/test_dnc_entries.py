"""The numbers and prefixes on do-not-contact lists over HTTP: one, many, by file; looked for, changed, taken off."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Tenant
from tests.api.dnc_client import LATER, NOW, NUMBER, Client
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def no(api: httpx.AsyncClient, tenant: Tenant) -> Client:
    return Client(api, tenant)


# ---------------------------------------------------------------- entries


async def test_entries_are_added_all_or_none_and_counted(no: Client) -> None:
    made = await no.create()
    said = await no.add(
        NUMBER,
        " 1 (415) 555-0101",
        {"phoneNumber": "+1900", "kind": "prefix", "reason": "Premium"},
        {"phoneNumber": "+44 7700*", "expiresAt": LATER},
        NUMBER,
        reason="Asked",
    )
    assert said["message"] == "4 entries added to DNC list Never"
    assert said["data"] == {"dncListId": made["_id"], "added": 4, "known": 1}
    page = (await no.ask("GET", "/dncLists/Never/entries"))["data"]
    assert {key: page[key] for key in list(page)[1:]} == {
        "skip": 0,
        "limit": 50,
        "hasMore": False,
        "totalPages": 1,
        "totalResults": 4,
    }
    told = {"source": "api", "isActive": True, "createdAt": NOW, "expiresAt": None}
    asked = {"kind": "number", "reason": "Asked", **told}
    assert page["results"] == [
        {"_id": NUMBER, "phoneNumber": NUMBER, **asked},
        {"_id": "+14155550101", "phoneNumber": "+14155550101", **asked},
        {"_id": "+1900*", "phoneNumber": "+1900", "kind": "prefix", "reason": "Premium", **told},
        {"_id": "+447700*", "phoneNumber": "+447700", **asked, "kind": "prefix", "expiresAt": LATER},
    ]
    assert await no.count() == 4
    refused = await no.add("+14155550102", "12", status=400)
    assert refused["errors"][0]["field"] == "entries[1]"
    assert "'12'" in refused["message"]
    assert await no.count() == 4


async def test_one_entry_may_be_the_body_itself(no: Client) -> None:
    await no.create()
    body = {"phoneNumber": NUMBER, "reason": "Letter", "expiresAt": "2026-03-03"}
    assert (await no.ask("POST", "/dncLists/Never/entries", json=body))["data"]["added"] == 1
    shown = (await no.ask("GET", f"/dncLists/Never/entries/{NUMBER}"))["data"]
    assert (shown["reason"], shown["expiresAt"]) == ("Letter", "2026-03-03T00:00:00.000Z")


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "phoneNumber"),
    ({"entries": []}, 400, "entries"),
    ({"entries": "x"}, 400, "entries"),
    ({"entries": [NUMBER] * 1001}, 413, "entries"),
    ({"entries": [5]}, 400, "entries[0]"),
    ({"entries": [{}]}, 400, "entries[0].phoneNumber"),
    ({"entries": [NUMBER], "phoneNumber": NUMBER}, 400, "entries"),
    ({"phoneNumber": NUMBER, "kind": "x"}, 400, "kind"),
    ({"entries": [{"phoneNumber": NUMBER, "kind": 5}]}, 400, "entries[0].kind"),
    ({"phoneNumber": "+1900", "kind": "number"}, 400, "phoneNumber"),
    ({"phoneNumber": "*", "kind": "prefix"}, 400, "phoneNumber"),
    ({"phoneNumber": "+123456789012345*"}, 400, "phoneNumber"),
    ({"phoneNumber": NUMBER, "reason": "x" * 257}, 400, "reason"),
    ({"phoneNumber": NUMBER, "reason": 5}, 400, "reason"),
    ({"phoneNumber": NUMBER, "expiresAt": "soon"}, 400, "expiresAt"),
    ({"phoneNumber": NUMBER, "expiresAt": 5}, 400, "expiresAt"),
    ({"phoneNumber": NUMBER, "expiresAt": NOW}, 400, "expiresAt"),
    ({"entries": [NUMBER, {"phoneNumber": NUMBER, "expiresAt": "2020-01-01"}]}, 400, "entries[1].expiresAt"),
]


async def test_entries_that_cannot_be_used_are_refused_by_place(no: Client) -> None:
    await no.create()
    for body, status, field in BAD:
        refused = await no.ask("POST", "/dncLists/Never/entries", status, json=body)
        assert refused["errors"][0]["field"] == field, body
    assert await no.count() == 0


async def test_an_entry_that_is_there_keeps_its_reason_and_the_later_end(no: Client, clock: FrozenClock) -> None:
    await no.create()
    await no.add({"phoneNumber": NUMBER, "reason": "First", "expiresAt": "2026-03-02T07:00:00Z"})
    said = await no.add({"phoneNumber": NUMBER, "reason": "Second", "expiresAt": LATER})
    assert said["data"]["known"] == 1
    shown = (await no.ask("GET", f"/dncLists/Never/entries/{NUMBER}"))["data"]
    assert (shown["reason"], shown["expiresAt"], shown["isActive"]) == ("First", LATER, True)
    clock.advance(86_400)
    shown = (await no.ask("GET", f"/dncLists/Never/entries/{NUMBER}"))["data"]
    assert shown["isActive"] is False
    await no.add({"phoneNumber": NUMBER, "reason": "Third"})
    shown = (await no.ask("GET", f"/dncLists/Never/entries/{NUMBER}"))["data"]
    assert (shown["reason"], shown["expiresAt"], shown["createdAt"]) == ("Third", None, LATER), "it had ended"
    assert await no.count() == 1


async def test_an_entry_is_changed_and_removed(no: Client) -> None:
    await no.create()
    await no.add({"phoneNumber": "+1900*", "reason": "a"}, NUMBER, "+14155550101", "+14155550102")
    changed = await no.ask("PUT", "/dncLists/Never/entries/+1900*", json={"expiresAt": LATER})
    assert (changed["data"]["reason"], changed["data"]["expiresAt"]) == ("a", LATER)
    changed = await no.ask("PUT", "/dncLists/Never/entries/1900*", json={"reason": "b", "expiresAt": None})
    assert (changed["data"]["reason"], changed["data"]["expiresAt"]) == ("b", None)
    assert changed["message"] == "Entry +1900* of DNC list Never updated successfully"
    await no.ask("PUT", "/dncLists/Never/entries/+1900*", 400, json={})
    await no.ask("PUT", "/dncLists/Never/entries/+1901*", 404, json={"reason": "x"})
    gone = await no.ask("DELETE", "/dncLists/Never/entries/+1900*")
    assert gone["data"]["reason"] == "b"
    refused = await no.ask("DELETE", "/dncLists/Never/entries/+1900*", 404)
    assert refused["message"] == "+1900* is not on DNC list Never"
    assert (await no.ask("GET", "/dncLists/Never/entries/nobody", 400))["errors"][0]["field"] == "phoneNumber"
    body = {"phoneNumbers": [NUMBER, "+14155550102", "+14155550199", NUMBER]}
    many = await no.ask("POST", "/dncLists/Never/entries/remove", json=body)
    assert many["data"]["removed"] == 2
    assert many["data"]["notFound"] == ["+14155550199"]
    assert await no.entries() == ["+14155550101"]
    assert await no.count() == 1
    for bad in ({}, {"phoneNumbers": []}, {"phoneNumbers": ["x"]}):
        await no.ask("POST", "/dncLists/Never/entries/remove", 400, json=bad)
    await no.ask("DELETE", "/dncLists/Never/entries/remove", 405)


async def test_entries_are_paged_and_a_number_is_looked_for(no: Client) -> None:
    await no.create()
    await no.add("+1415*", "+1415555*", *(f"+1415555{n:04d}" for n in range(100, 105)), "+1900*")
    assert await no.entries("?skip=2&limit=2") == ["+14155550100", "+14155550101"]
    assert await no.entries("?phoneNumber=%2B14155550101") == ["+1415*", "+1415555*", "+14155550101"]
    assert await no.entries("?phoneNumber=+14155550109") == ["+1415*", "+1415555*"]
    assert await no.entries("?phoneNumber=+1900*") == ["+1900*"]
    assert await no.entries("?phoneNumber=+447700900123") == []
    for query in ("limit=0", "limit=1001", "skip=-1", "phoneNumber=x"):
        await no.ask("GET", f"/dncLists/Never/entries?{query}", 400)


# ---------------------------------------------------------------- files


async def test_a_file_is_put_on_the_list_and_its_bad_rows_are_told(no: Client) -> None:
    made = await no.create()
    content = (
        "phoneNumber,kind,reason,expiresAt\r\n"
        f'"{NUMBER}",number,"Asked, twice",\r\n'
        "+1900,prefix,Premium,2026-03-03T06:00:00Z\r\n"
        "12,,,\r\n"
        "+447700*,,,\r\n"
        "+14155550101,,,yesterday\r\n"
        f"+14155550102,,{'x' * 257},\r\n"
        "+14155550103,fax,,\r\n"
        "\r\n"
        f"{NUMBER},,,\r\n"
    ).encode("utf-8-sig")
    said = await no.ask("POST", f"/dncLists/{made['_id']}/file", files={"file": ("no.csv", content, "text/csv")})
    assert said["message"] == "3 entries added to DNC list Never"
    data = said["data"]
    assert {key: data[key] for key in ("fileName", "rows", "imported", "duplicates", "rejected", "problemsTotal")} == {
        "fileName": "no.csv",
        "rows": 8,
        "imported": 3,
        "duplicates": 1,
        "rejected": 4,
        "problemsTotal": 4,
    }
    assert [(p["row"], p["column"], p["value"][:9]) for p in data["problems"]] == [
        (4, "phoneNumber", "12"),
        (6, "expiresAt", "yesterday"),
        (7, "reason", "xxxxxxxxx"),
        (8, "phoneNumber", "+14155550"),
    ]
    assert await no.entries() == [NUMBER, "+1900*", "+447700*"]
    shown = (await no.ask("GET", "/dncLists/Never"))["data"]
    assert shown["files"] == [{"fileId": data["fileId"], "fileName": "no.csv"}]
    assert shown["totalRecordCount"] == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"name\nAda\n", "no column phoneNumber"),
        (b"phoneNumber\n12\n", "None of the 1 rows"),
        (b"phoneNumber\n", "None of the 0 rows"),
        (b"phoneNumber\n+14155550100\n\xff\n", "not UTF-8"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(no: Client, content: bytes, words: str) -> None:
    await no.create()
    refused = await no.ask("POST", "/dncLists/Never/file", 400, content=content)
    assert words in refused["message"]
    assert await no.count() == 0


async def test_an_export_can_be_uploaded_again(no: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.api.files.PAGE", 2)
    await no.create()
    await no.add({"phoneNumber": NUMBER, "reason": '=1+1 "x"'}, {"phoneNumber": "+1900*", "expiresAt": LATER})
    await no.add(*(f"+1415555{n:04d}" for n in range(101, 104)))
    url = f"{no.base}/dncLists/Never/export"
    answer = await no.api.get(url, headers=no.tenant.headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename=\"Never.csv\"; filename*=UTF-8''Never.csv"
    lines = answer.text.removeprefix("\ufeff").split("\r\n")
    assert lines[:2] == [
        '"phoneNumber","kind","reason","source","createdAt","expiresAt"',
        f'"{NUMBER}","number","\'=1+1 ""x""","api","{NOW}",""',
    ]
    assert lines[5:] == [f'"+1900","prefix","","api","{NOW}","{LATER}"', ""]
    await no.create("Again")
    said = await no.ask("POST", "/dncLists/Again/file", content=answer.content)
    assert said["data"]["imported"] == 5
    assert await no.entries(of="Again") == await no.entries()
    raw = await no.api.get(f"{url}?guard=false", headers=no.tenant.headers)
    assert '"=1+1 ""x"""' in raw.text
    await no.ask("GET", "/dncLists/Never/export?guard=maybe", 400)
