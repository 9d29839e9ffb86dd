"""Contacts by CSV file: good rows come in, bad ones are told, and nothing changes when none is good."""

from __future__ import annotations

import codecs
from typing import Any

import httpx
import pytest

from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.test_lists import LIST, create

pytestmark = pytest.mark.anyio


async def send(api: httpx.AsyncClient, tenant: Tenant, ref: str, content: bytes, name: str = "leads.csv") -> Any:
    url = f"{tenant.v2}/contactLists/{ref}/file"
    return await api.post(url, files={"file": (name, content, "text/csv")}, headers=tenant.headers)


async def kept(api: httpx.AsyncClient, tenant: Tenant, ref: str) -> list[dict[str, Any]]:
    page = await api.get(f"{tenant.v2}{LIST}/{ref}/getAllContacts", headers=tenant.headers)
    return [
        {k: v for k, v in row.items() if k not in {"_id", "createdAt", "updatedAt"}}
        for row in page.json()["data"]["results"]
    ]


async def test_good_rows_are_added_and_bad_ones_are_told(api: httpx.AsyncClient, tenant: Tenant, db: Database) -> None:
    made = await create(api, tenant)
    content = (
        "firstName,lastName,phoneNumber,timezone,uniqueId, Priority,Note\r\n"
        'Ada,Example,"+14155550100",America/New_York,u1,3,"two\nlines, quoted ""so"""\r\n'
        "Bob,Example,12,,u2,,\r\n"
        "\r\n"
        "Cid,Example,+1 415 555 0100,,u3,,the same again\r\n"
        f"Dee,Example,+447700900123,nowhere,u4,high,{'x' * 301}\r\n"
        "Eve,Example,+447700900124,Europe/London\r\n"
        "Flo,Example,+447700900125,,,,,too many\r\n"
    ).encode("utf-8-sig")
    answer = await send(api, tenant, made["_id"], content, "C:\\lists\\leads.csv")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    file_id = body["data"].pop("fileId")
    assert len(file_id) == 24
    problems = body["data"].pop("problems")
    assert body == {
        "status": "success",
        "message": "2 contacts added to contact list Leads",
        "data": {
            "fileName": "leads.csv",
            "rows": 6,
            "imported": 2,
            "duplicates": 1,
            "rejected": 3,
            "problemsTotal": 3,
        },
    }
    assert [(p["row"], p["column"], p["value"][:5]) for p in problems] == [
        (3, "phoneNumber", "12"),
        (6, "Note", "xxxxx"),
        (8, "", "too m"),
    ]
    rows = await kept(api, tenant, made["_id"])
    assert list(rows[0].items()) == [
        ("firstName", "Ada"),
        ("lastName", "Example"),
        ("phoneNumber", "+14155550100"),
        ("timezone", "America/New_York"),
        ("uniqueId", "u1"),
        ("Priority", "3"),
        ("Note", 'two\nlines, quoted "so"'),
    ]
    assert [row["firstName"] for row in rows] == ["Ada", "Eve"]
    async with db.connection() as conn:
        stored = await (await conn.execute("SELECT number, time_zone, priority FROM contact ORDER BY seq")).fetchall()
    assert stored == [("+14155550100", "America/New_York", 3), ("+447700900124", "Europe/London", None)]
    shown = (await api.get(f"{tenant.v2}{LIST}/{made['_id']}", headers=tenant.headers)).json()["data"]
    assert shown["files"] == [{"fileId": file_id, "fileName": "leads.csv"}]
    assert shown["status"] == "Validated"
    assert shown["totalRecordCount"] == 2
    assert shown["columns"] == ["firstName", "lastName", "phoneNumber", "timezone", "uniqueId", "Priority", "Note"]
    assert shown["mapping"]["timeZone"] == "timezone"
    assert shown["mapping"]["contactPriority"] == "Priority"


async def test_a_second_file_appends(api: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(api, tenant, allowDuplicates=True)
    for content in (b"phone;city\n+14155550100;Reno\n", b"Mobile\tage\n+14155550100\t5\n"):
        assert (await send(api, tenant, made["_id"], content)).json()["data"]["imported"] == 1
    assert await kept(api, tenant, "leads") == [
        {"phone": "+14155550100", "city": "Reno"},
        {"Mobile": "+14155550100", "age": "5"},
    ]
    shown = (await api.get(f"{tenant.v2}{LIST}/leads", headers=tenant.headers)).json()["data"]
    assert shown["columns"] == ["phone", "city", "Mobile", "age"]
    assert len(shown["files"]) == 2


async def test_duplicates_are_found_across_pages_and_files(
    api: httpx.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.actions.contacts.PAGE", 7)
    made = await create(api, tenant)
    numbers = [f"+1415555{n:04d}" for n in range(100, 200)]
    content = "\n".join(["phoneNumber", *numbers, *numbers[:50], *numbers[:3]]).encode()
    data = (await send(api, tenant, made["_id"], content)).json()["data"]
    assert (data["rows"], data["imported"], data["duplicates"]) == (153, 100, 53)
    data = (await send(api, tenant, made["_id"], content)).json()["data"]
    assert (data["rows"], data["imported"], data["duplicates"]) == (153, 0, 153)
    page = await api.get(f"{tenant.v2}{LIST}/leads/getAllContacts?limit=1000", headers=tenant.headers)
    assert [row["phoneNumber"] for row in page.json()["data"]["results"]] == numbers


@pytest.mark.parametrize("kind", ["text/csv", "application/octet-stream", None])
async def test_a_file_may_be_the_body_itself(api: httpx.AsyncClient, tenant: Tenant, kind: str | None) -> None:
    await create(api, tenant)
    headers = tenant.headers | ({} if kind is None else {"content-type": kind})
    url = f"/api/v2/public/{tenant.app.public_id}//contactLists/Leads/file/?fileName=a.csv"
    answer = await api.post(url, content=b"phoneNumber\n+14155550100\n", headers=headers)
    assert answer.json()["data"]["imported"] == 1
    assert answer.json()["data"]["fileName"] == "a.csv"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "nothing in the file"),
        (b"phoneNumber\n", "no row below"),
        (b"phoneNumber\n\n\n", "no row below"),
        (b"name\nAda\n", "No column holds the telephone number"),
        (b"phoneNumber,phone_number\n1,2\n", "one name"),
        (b"phoneNumber,a\n12,\nx,\n", "None of the 2 rows can be used. Row 2, phoneNumber: '12'"),
        (b"PK\x03\x04junk", "damaged archive or workbook"),
        (b'phoneNumber\n"+14155550100\n' + b"x,\n" * 500_000, "quote"),
        (b"phoneNumber\n+14155550100" + b" " * 2_000_000, "line of more than"),
        (",".join(["phoneNumber", *map(str, range(150))]).encode(), "151 columns"),
        (b"phoneNumber,a\0b\n+14155550100,\n", "NUL"),
        (b"phoneNumber,a\n+14155550100,b\0\n", "NUL"),
    ],
    ids=lambda value: ascii(value[:30]),
)
async def test_a_file_that_cannot_be_used_changes_nothing(
    api: httpx.AsyncClient, tenant: Tenant, content: bytes, words: str
) -> None:
    made = await create(api, tenant)
    answer = await send(api, tenant, made["_id"], content)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]
    shown = (await api.get(f"{tenant.v2}{LIST}/{made['_id']}", headers=tenant.headers)).json()["data"]
    assert (shown["totalRecordCount"], shown["files"], shown["columns"]) == (0, [], [])


async def test_a_late_fault_takes_the_whole_file_back(
    api: httpx.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.actions.contacts.PAGE", 10)
    await create(api, tenant)
    rows = b"".join(b"+1415555%04d\n" % n for n in range(100, 199))
    answer = await send(api, tenant, "leads", b"phoneNumber\n" + rows + b"x" * 2_000_000)
    assert answer.status_code == 400
    assert await kept(api, tenant, "leads") == []


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"x", "multipart/form-data", "multipart"),
        (b"x", "multipart/form-data; boundary=b", "multipart"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", ""),
        (b"", "multipart/form-data; boundary=", ""),
        (
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            "field named file",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            "field named file",
        ),
    ],
)
async def test_a_form_without_a_file_is_a_400(
    api: httpx.AsyncClient, tenant: Tenant, content: bytes, kind: str, words: str
) -> None:
    await create(api, tenant)
    url = f"{tenant.v2}/contactLists/Leads/file"
    answer = await api.post(url, content=content, headers=tenant.headers | {"content-type": kind})
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]


async def test_only_one_s_own_lists_are_filled(api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant) -> None:
    made = await create(api, tenant)
    content = codecs.BOM_UTF8 + b"phoneNumber\n+14155550100\n"
    assert (await send(api, second_tenant, made["_id"], content)).status_code == 404
    assert (await send(api, second_tenant, "Leads", content)).status_code == 404
    assert await kept(api, tenant, "Leads") == []
