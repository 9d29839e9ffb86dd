"""The campaign API where a transcript cannot say it: every prefix, every tenant, every kind of body, and races."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from httpx import AsyncClient, Response

from heliograph.rules import ids
from heliograph.store import campaigns, dnc, lists
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

V1 = "/agentassist/api/v1/public"
V2 = "/campaign/api/v2/public"
PREFIXES = {V1: 1, "/campaign/api/v1/public": 1, "/api/1.1/public": 1, V2: 2, "/api/v2/public": 2}

DRAFT: dict[str, Any] = {
    "name": "Spring Sale",
    "contactLists": ["Leads"],
    "campaignType": "sms",
    "priority": "5",
    "format": "simple",
    "message": {"message": "Hello"},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+12025550143"},
        "callingHours": {
            "frequency": "DAILY",
            "timezone": "Europe/London",
            "days": [{"start": "9:00 AM", "end": "6:00 PM"}],
        },
    },
}

# verb, sub-path, query: every way to reach one campaign
ON_ONE = [
    ("GET", "/campaign/{id}", ""),
    ("PUT", "/campaign/{id}", "?campaignType=sms"),
    ("DELETE", "/campaign/{id}", "?campaignType=sms"),
    ("POST", "/campaign/{id}", "?campaignType=sms&trigger=play"),
    ("POST", "/campaign/{id}", "?campaignType=sms&trigger=stop"),
    ("POST", "/campaign/trigger/{id}", "?campaignType=sms&trigger=play"),
    ("POST", "/campaign/trigger/{id}", "?campaignType=sms&trigger=stop"),
    ("GET", "/campaign/{id}/status", ""),
    ("POST", "/campaign/{id}/status", "?view=status"),
    ("POST", "/campaign/{id}/status", "?view=contacts"),
    ("POST", "/campaign/{id}/status", "?view=ledger"),
    ("GET", "/campaign/{id}/schedule", ""),
]
ON_ALL = [("POST", "/campaign", "?campaignType=sms"), ("POST", "/campaign/getAllCampaignDetails", "")]


class Desk:
    """Somebody at the API with a token for one app."""

    def __init__(self, api: AsyncClient, tenant: Tenant, prefix: str = V2) -> None:
        self.api, self.tenant, self.prefix = api, tenant, prefix

    async def ask(self, verb: str, path: str, body: Any = None, *, prefix: str | None = None) -> Response:
        url = f"{prefix or self.prefix}/{self.tenant.app.public_id}{path}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return await self.api.request(verb, url, content=content, headers={"auth": self.tenant.token})

    async def make(self, **more: Any) -> str:
        answer = await self.ask("POST", "/campaign", DRAFT | more)
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["data"]["_id"]
        return found


@pytest.fixture
async def desk(api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> Desk:
    """A desk in an app with the lists Leads and Others, and the DNC list Never."""
    async with db.connection() as conn:
        for name in ("Leads", "Others"):
            await lists.create(
                conn,
                tenant.app.app_id,
                kind="call",
                name=name,
                description="",
                source="passiveApi",
                allow_duplicates=False,
                now=clock.now,
            )
        await dnc.create(conn, tenant.app.app_id, name="Never", now=clock.now)
    return Desk(api, tenant)


@pytest.mark.parametrize(("prefix", "version"), PREFIXES.items())
async def test_every_path_is_served_under_every_prefix(desk: Desk, prefix: str, version: int) -> None:
    for verb, path, query in (*ON_ALL, *ON_ONE):
        campaign_id = await desk.make(name=ids.new("n"), priority=1)
        if "stop" in query:
            await desk.ask("POST", f"/campaign/{campaign_id}?trigger=play")
        body = DRAFT | {"type": "sms", "name": ids.new("n")} if verb in ("POST", "PUT") else None
        for shape in (path, path.replace("/campaign", "//campaign/", 1), path + "/"):
            if shape != path and (verb == "DELETE" or "trigger" in query or path == "/campaign"):
                continue
            answer = await desk.ask(verb, shape.format(id=campaign_id) + query, body, prefix=prefix)
            assert answer.status_code == 200, (verb, shape, answer.text)
        data = answer.json().get("data") or {}
        if "isImported" in data or "enableMachineDetect" in data:
            assert ("isImported" in data) == (version == 2), (verb, path)
            assert ("enableMachineDetect" in data) == (version == 1), (verb, path)


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_another_tenant_finds_nothing_and_changes_nothing(
    desk: Desk, second_tenant: Tenant, db: Database, prefix: str
) -> None:
    campaign_id = await desk.make()
    stranger = Desk(desk.api, second_tenant, prefix)
    async with db.connection() as conn:
        before = await campaigns.get(conn, desk.tenant.app.app_id, campaign_id)

        for verb, path, query in ON_ONE:
            where = path.format(id=campaign_id) + query
            answer = await stranger.ask(verb, where, DRAFT)
            assert answer.status_code == 404, (verb, where)
            assert answer.json()["message"] == f"There is no campaign {campaign_id} in this app"

            url = f"{prefix}/{desk.tenant.app.public_id}{where}"
            answer = await desk.api.request(verb, url, json=DRAFT, headers={"auth": second_tenant.token})
            assert (answer.status_code, answer.json()["message"]) == (401, "Invalid SDK credentials"), (verb, where)

            assert await campaigns.get(conn, desk.tenant.app.app_id, campaign_id) == before


async def test_without_a_token_nothing_is_told(desk: Desk) -> None:
    for verb, path, query in (*ON_ALL, *ON_ONE):
        url = f"{V2}/{desk.tenant.app.public_id}{path.format(id='sms')}{query}"
        answer = await desk.api.request(verb, url, json={})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 4002), url


async def test_another_tenants_lists_and_names_are_its_own(desk: Desk, second_tenant: Tenant) -> None:
    await desk.make()
    stranger = Desk(desk.api, second_tenant)
    for switch in ("true", "false"):  # by name: the same name elsewhere is another campaign, or none
        query = f"?enableSchedule={switch}&campaignName=Spring%20Sale"
        answer = await stranger.ask("POST", f"/campaign/schedule{query}", {"startDateTime": "2026-04-01 09:00:00"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "campaignName")
    answer = await stranger.ask("POST", "/campaign", DRAFT)
    assert answer.status_code == 400
    assert "no contact list named Leads" in answer.json()["message"]
    listed = await stranger.ask("POST", "/campaign/getAllCampaignDetails", {"type": "sms"})
    assert listed.json()["data"]["totalResults"] == 0


SPELLINGS: list[tuple[dict[str, Any], str, Any]] = [
    ({"priority": 3}, "priority", "3"),
    ({"priority": "3"}, "priority", "3"),
    ({"priority": ""}, "priority", "5"),
    ({"priority": None}, "priority", "5"),
    ({"format": None, "direction": "simple"}, "format", "simple"),
    ({"format": "basic"}, "format", "simple"),
    ({"format": "template"}, "format", "simple"),
    ({"dncLists": {"name": "Never"}}, "dncLists", {"name": "Never"}),
    ({"dncLists": {"id": "cl-1", "name": "never"}}, "dncLists", {"name": "Never"}),
    ({"dncLists": "NEVER"}, "dncLists", {"name": "Never"}),
    ({"dncLists": [{"name": "Never"}]}, "dncLists", {"name": "Never"}),
    ({"dncLists": None}, "dncLists", None),
    ({"description": None}, "description", ""),
    ({"description": "x" * 256}, "description", "x" * 256),
    ({"contactLists": ["leads", "LEADS", "others"]}, "contactLists", ["Leads", "Others"]),
    ({"message": {"message": "PHA+SGk8L3A+", "templateId": ""}}, "message", {"message": "PHA+SGk8L3A+"}),
    ({"message": {"template_name": "", "message": "Hi"}}, "message", {"message": "Hi"}),
    ({"message": {"message": "%3Cp%3EHi%3C%2Fp%3E"}}, "message", {"message": "%3Cp%3EHi%3C%2Fp%3E"}),
    ({"schedule": None}, "schedule", {"isSchedulingEnabled": False}),
    ({"name": "  Ümlaut ÄÖ  "}, "lname", "ümlaut äö"),
    ({"maxSkips": 1, "enableMachineDetect": "no", "dialingMode": "Preview"}, "maxSkips", None),
]


async def test_every_spelling_of_the_pages_is_taken_and_one_is_answered(desk: Desk) -> None:
    for sent, field, answered in SPELLINGS:
        body = {"name": ids.new("n")} | {key: value for key, value in DRAFT.items() if key != "name"} | sent
        if body["format"] is None:
            del body["format"]
        answer = await desk.ask("POST", "/campaign", body)
        assert answer.status_code == 200, (sent, answer.text)
        assert answer.json()["data"].get(field) == answered, sent


async def test_what_an_update_leaves_out_is_gone(desk: Desk) -> None:
    campaign_id = await desk.make(
        dncLists={"name": "Never"}, description="For everyone", contactLists=["Leads", "Others"]
    )
    answer = await desk.ask("PUT", f"/campaign/{campaign_id}", DRAFT)
    assert answer.status_code == 200
    row = (await desk.ask("POST", "/campaign/getAllCampaignDetails", {"type": "sms"})).json()["data"]["results"][0]
    assert "dncLists" not in row
    assert (row["description"], row["contactLists"]) == ("", ["Leads"])


NO_OBJECTS = [b"[]", b'"sms"', b"7", b"true", b"[[1]]"]
NO_JSON = [b"{", b"\xff\xfe", b"{'a': 1}", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}']
ODD = [
    b"",
    b"{}",
    b"null",
    b'{"name": "\\u0000"}',
    b'{"name": "\\ud800"}',
    b'{"type": "sms", "skip": 99999999999999999999}',
    b'{"type": "sms", "startDate": "0001-01-01T00:00:00+23:59", "endDate": "9999-12-31T23:59:59-23:59"}',
    b'{"type": "sms", "filters": {"status": [null], "priority": [{}]}}',
    json.dumps(DRAFT | {"contactLists": ["a\x00"]}).encode(),
    json.dumps(DRAFT | {"message": {"message": 7}}).encode(),
    json.dumps(DRAFT | {"dialingStrategy": {"callerId": [], "callingHours": 3}}).encode(),
    json.dumps(DRAFT | {"name": "x" * 49}).encode(),
    json.dumps(DRAFT | {"description": "x" * 257}).encode(),
    json.dumps(DRAFT | {"priority": 6}).encode(),
    json.dumps(DRAFT | {"contactLists": [["Leads"]]}).encode(),
    json.dumps(DRAFT | {"contactLists": {}}).encode(),
    json.dumps(DRAFT | {"dncLists": [{"name": "Never"}, {"name": "Never"}]}).encode(),
]


async def test_a_body_of_any_kind_is_a_400_and_never_a_500(desk: Desk) -> None:
    campaign_id = await desk.make()
    reading = [
        ("POST", "/campaign"),
        ("POST", "/campaign/getAllCampaignDetails"),
        ("PUT", f"/campaign/{campaign_id}"),
        ("POST", f"/campaign/{campaign_id}/status?view=contacts"),
    ]
    for verb, path in reading:
        for body in (*NO_OBJECTS, *NO_JSON):
            answer = await desk.ask(verb, path, body)
            assert (answer.status_code, answer.json()["status"]) == (400, "error"), (path, body[:40])
        for body in ODD:
            answer = await desk.ask(verb, path, body)
            fine = (200, 400) if "status?" in path or "Details" in path else (400,)
            assert answer.status_code in fine, (path, body[:80], answer.text)


async def test_a_call_that_reads_no_body_takes_any(desk: Desk) -> None:
    for body in (*NO_OBJECTS, *NO_JSON, *ODD):
        campaign_id = await desk.make(name=ids.new("n"))
        for verb, path, query in ON_ONE:
            if verb == "PUT" or "contacts" in query:
                continue
            answer = await desk.ask(verb, path.format(id=campaign_id) + query, body)
            assert answer.status_code in (200, 404, 409), (verb, path, query, answer.text)


async def test_of_many_who_want_a_name_at_once_one_gets_it(desk: Desk, db: Database) -> None:
    answers = await asyncio.gather(*(desk.ask("POST", "/campaign", DRAFT | {"name": n}) for n in ("Sale", "SALE") * 4))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    async with db.connection() as conn:
        assert await campaigns.count(conn, desk.tenant.app.app_id, campaigns.Wanted()) == 1


async def test_editing_and_starting_at_once_never_mix(desk: Desk) -> None:
    """Whichever comes first, the run carries either the old content or the new, and an Active one is not edited."""
    for number in range(5):
        campaign_id = await desk.make(name=f"Old {number}")
        edit, play = await asyncio.gather(
            desk.ask("PUT", f"/campaign/{campaign_id}", DRAFT | {"name": f"New {number}", "contactLists": ["Others"]}),
            desk.ask("POST", f"/campaign/{campaign_id}?trigger=play"),
        )
        assert play.status_code == 200
        assert edit.status_code in (200, 409)
        after = (await desk.ask("GET", f"/campaign/{campaign_id}")).json()["data"]
        edited = edit.status_code == 200
        assert after["name"] == (f"New {number}" if edited else f"Old {number}")
        assert after["contactLists"] == (["Others"] if edited else ["Leads"])
        assert after["status"] == "Active"


async def test_of_many_deletes_one_succeeds_and_the_others_find_nothing(desk: Desk) -> None:
    campaign_id = await desk.make()
    await desk.ask("POST", f"/campaign/{campaign_id}?trigger=play")
    answers = await asyncio.gather(*(desk.ask("DELETE", f"/campaign/{campaign_id}") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 5
