"""Every spelling of an address or a body that the vendor's pages print reaches the one place that answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.conftest import Tenant

pytestmark = pytest.mark.anyio

LIST = "/campaign/contactList"
ALL = LIST + "/getAllListDetails"
PREFIXES = {
    "/agentassist/api/v1/public": 1,
    "/campaign/api/v1/public": 1,
    "/api/1.1/public": 1,
    "/campaign/api/v2/public": 2,
    "/api/v2/public": 2,
}


@pytest.mark.parametrize(("prefix", "version"), PREFIXES.items())
async def test_every_prefix_answers_by_its_version(
    api: httpx.AsyncClient, tenant: Tenant, prefix: str, version: int
) -> None:
    url = f"{prefix}/{tenant.app.public_id}{LIST}/createContactList"
    answer = await api.post(url, json={"name": "Leads", "description": "d"}, headers=tenant.headers)
    assert answer.status_code == 200
    assert ("columns" in answer.json()["data"]) is (version == 2)


@pytest.mark.parametrize(
    "shape",
    [
        "/campaign/api/v2/public/{app}/campaign//contactList/getAllListDetails",
        "//campaign/api/v2//public/{app}/campaign/contactList/getAllListDetails",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails/",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails///",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails?type=call\\",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails?type=call\\&accountId={account}\\",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails?accountId={account}%5C%5c&type=call",
        "/campaign/api/v2/public/{app}/campaign/contactList/getAllListDetails?campaignType=SMS&campaignType=",
    ],
)
async def test_odd_spellings_are_answered_without_a_redirect(
    api: httpx.AsyncClient, tenant: Tenant, shape: str
) -> None:
    url = shape.format(app=tenant.app.public_id, account=tenant.app.account_id)
    for verb in ("GET", "POST"):
        answer = await api.request(verb, f"http://heliograph.test{url}", headers=tenant.headers)
        assert answer.status_code == 200, answer.text


async def test_a_campaign_type_that_is_not_sms_is_refused(api: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await api.get(f"{tenant.v2}{ALL}?campaignType=voice", headers=tenant.headers)
    assert answer.status_code == 400
    text = "campaignType is 'voice', and this server runs only sms campaigns"
    assert answer.json()["errors"] == [{"msg": text, "code": 400, "field": "campaignType"}]


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "application/x-www-form-urlencoded", "x", ""])
async def test_a_body_is_json_whatever_its_type_says(api: httpx.AsyncClient, tenant: Tenant, kind: str | None) -> None:
    headers = tenant.headers | ({} if kind is None else {"content-type": kind})
    url = f"{tenant.v2}{LIST}/createContactList"
    body = '\ufeff {"name": "Leads", "description": "d\u00e9"} '.encode()
    answer = await api.post(url, content=body, headers=headers)
    assert answer.json()["data"]["description"] == "d\u00e9"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": "a", "more": 1e999}',
        b'{"name": "a", "more": ' + b"9" * 5000 + b"}",
        b'{"name": "a\\u0000"}',
        b'{"name": "a", "more": ["\\ud800"]}',
        b'{"name": "a", "\\udfff": 1}',
        b"[" * 100_000,
        b'{"name": "a", "more": ' + b"[" * 500 + b"]" * 500 + b"}",
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b"",
    ],
)
async def test_a_body_that_cannot_be_used_is_a_400(api: httpx.AsyncClient, tenant: Tenant, body: bytes) -> None:
    answer = await api.post(f"{tenant.v2}{LIST}/createContactList", content=body, headers=tenant.headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["code"] == 400


async def test_a_body_over_the_limit_is_a_413(api: httpx.AsyncClient, tenant: Tenant) -> None:
    url = f"{tenant.v2}{LIST}/createContactList"
    announced = await api.post(url, content=b"{}", headers=tenant.headers | {"content-length": "99999999999999999999"})
    assert announced.status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 1024 * 1024

    assert (await api.post(url, content=drip(), headers=tenant.headers)).status_code == 413


@pytest.mark.parametrize("path", ["/nothing", "/", "/campaign/api/v2/public", "/campaign/api/v3/public/x/campaign/y"])
async def test_an_unknown_path_is_a_404(api: httpx.AsyncClient, tenant: Tenant, path: str) -> None:
    answer = await api.get(path, headers=tenant.headers)
    assert answer.status_code == 404
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("PATCH", f"{LIST}/cl-1", "DELETE, GET, PUT"),
        ("GET", f"{LIST}/createContactList", "POST"),
        ("DELETE", f"{LIST}/getAllListDetails", "GET, POST"),
        ("PUT", f"{LIST}/addContacts", "POST"),
        ("POST", f"{LIST}/cl-1/getAllContacts", "GET"),
        ("HEAD", f"{LIST}/cl-1", "DELETE, GET, PUT"),
    ],
)
async def test_a_wrong_verb_is_a_405_that_says_which_are_right(
    api: httpx.AsyncClient, tenant: Tenant, verb: str, path: str, allowed: str
) -> None:
    answer = await api.request(verb, f"{tenant.v1}{path}", headers=tenant.headers)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if verb != "HEAD":
        assert answer.json()["message"] == "Method Not Allowed"


@pytest.mark.parametrize("path", ["{v2}/campaign/contactList/a%00b", "{v2}/campaign/contactList/x?type=%00", "/%00"])
async def test_a_nul_in_the_address_is_a_400(api: httpx.AsyncClient, tenant: Tenant, path: str) -> None:
    answer = await api.get(path.format(v2=tenant.v2), headers=tenant.headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "odd", ["%ED%A0%80", "%FF", "%F0%9F%98%80", "%2F", "..", "%25", "'%3B--", "a" * 5000, "%C2%85"], ids=ascii
)
async def test_odd_characters_in_an_id_or_query_find_nothing(api: httpx.AsyncClient, tenant: Tenant, odd: str) -> None:
    assert (await api.get(f"{tenant.v2}{LIST}/{odd}x", headers=tenant.headers)).status_code == 404
    assert (await api.get(f"{tenant.v2}{LIST}/x?accountId={odd}", headers=tenant.headers)).status_code == 403
    assert (await api.get(f"{tenant.v2}{ALL}?type={odd}", headers=tenant.headers)).status_code == 400


async def test_health_needs_no_token(api: httpx.AsyncClient) -> None:
    answer = await api.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
