"""Templates, copies and counting where a transcript cannot say it: contacts' ids, tenants, and races."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from httpx import AsyncClient, Response

from heliograph.actions import contacts, lists
from heliograph.rules import system_templates
from heliograph.store import campaigns as campaign_rows
from heliograph.store import templates as rows
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

CAMPAIGN: dict[str, Any] = {
    "name": "Spring Sale",
    "contactLists": ["Leads"],
    "campaignType": "sms",
    "format": "simple",
    "message": {"message": "Hello"},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+12025550143"},
        "callingHours": {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]},
    },
}
GREETING = {"name": "Greeting", "body": "Hello <First Name> of {{city}}"}


class Desk:
    """Somebody at the API with a token for one app."""

    def __init__(self, api: AsyncClient, tenant: Tenant) -> None:
        self.api, self.tenant = api, tenant

    async def ask(self, verb: str, path: str, body: Any = None) -> Response:
        content = None if body is None else json.dumps(body).encode()
        return await self.api.request(verb, self.tenant.v2 + path, content=content, headers={"auth": self.tenant.token})

    async def data(self, verb: str, path: str, body: Any = None) -> Any:
        answer = await self.ask(verb, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@pytest.fixture
async def desk(api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> Desk:
    """A desk in an app with the list Leads, in which there is Ada of Pune."""
    await lists.create(db, tenant.app, {"name": "Leads"}, now=clock())
    ada = {"phoneNumber": "+14155550100", "first name": "Ada", "City": "Pune"}
    await contacts.add(db, tenant.app, {"contact_list_name": "Leads", "data": [ada]}, now=clock())
    return Desk(api, tenant)


async def contact_of(desk: Desk, list_name: str) -> str:
    page = await desk.data("GET", f"/campaign/contactList/{list_name}/getAllContacts")
    found: str = page["results"][0]["_id"]
    return found


async def test_a_preview_with_a_contact(desk: Desk) -> None:
    await desk.data("POST", "/templates", GREETING)
    ada = await contact_of(desk, "Leads")
    shown = await desk.data("POST", "/templates/Greeting/preview", {"contactId": ada})
    assert shown == {"text": "Hello Ada of Pune", "encoding": "GSM-7", "units": 17, "parts": 1, "missing": []}
    shown = await desk.data("POST", "/templates/Greeting/preview", {"contactId": ada, "fields": {"CITY": "Łódź"}})
    assert (shown["text"], shown["encoding"]) == ("Hello Ada of Łódź", "UCS-2")


async def test_another_app_has_its_own_templates_and_finds_none_of_ours(desk: Desk, second_tenant: Tenant) -> None:
    made = await desk.data("POST", "/templates", GREETING)
    campaign = await desk.data("POST", "/campaign", CAMPAIGN | {"message": {"template_name": "Greeting"}})
    ada = await contact_of(desk, "Leads")
    stranger = Desk(desk.api, second_tenant)
    ours, theirs = [(await one.data("GET", "/templates"))["results"] for one in (desk, stranger)]
    assert [one["name"] for one in theirs] == sorted(one.name for one in system_templates.ALL)
    assert len(ours) == len(theirs) + 1
    assert not {one["_id"] for one in ours} & {one["_id"] for one in theirs}
    for ref in (made["_id"], "Greeting", ours[0]["_id"]):
        for verb, path, body in (
            ("GET", "", None),
            ("PUT", "", {"body": "Mine"}),
            ("DELETE", "", None),
            ("POST", "/preview", {}),
            ("POST", "/clone", {}),
        ):
            answer = await stranger.ask(verb, f"/templates/{ref}{path}", body)
            assert answer.status_code == 404, (verb, ref, answer.text)
    for path in ("clone", "audience"):
        assert (await stranger.ask("POST", f"/campaign/{campaign['_id']}/{path}")).status_code == 404
    await stranger.data("POST", "/templates", GREETING)
    assert (await stranger.data("GET", "/templates/Greeting"))["campaignInUse"] == []
    assert (await stranger.ask("POST", "/templates/Welcome/preview", {"contactId": ada})).status_code == 404
    answer = await stranger.ask("POST", "/campaign", CAMPAIGN | {"message": {"templateId": made["_id"]}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "message.templateId")


async def test_of_a_delete_and_a_use_at_once_only_one_succeeds(desk: Desk, db: Database) -> None:
    for number in range(6):
        name = f"T{number}"
        await desk.data("POST", "/templates", GREETING | {"name": name})
        body = CAMPAIGN | {"name": f"C{number}", "message": {"template_name": name}}
        use, delete = await asyncio.gather(
            desk.ask("POST", "/campaign", body), desk.ask("DELETE", f"/templates/{name}")
        )
        assert sorted((use.status_code, delete.status_code)) in ([200, 400], [200, 409]), (use.text, delete.text)
        async with db.connection() as conn:
            left = await rows.find(conn, desk.tenant.app, name)
        assert (left is not None) == (use.status_code == 200)


async def test_copies_made_at_once_all_get_a_name(desk: Desk) -> None:
    long = await desk.data("POST", "/campaign", CAMPAIGN | {"name": "S" * 48})
    asked = [desk.ask("POST", f"/campaign/{long['_id']}/clone") for _ in range(5)]
    asked += [desk.ask("POST", "/templates/Welcome/clone") for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert {one.status_code for one in answers} == {200}
    names = [one.json()["data"]["name"] for one in answers]
    assert sorted(names[5:]) == ["Copy of Welcome", *(f"Copy of Welcome ({n})" for n in range(2, 6))]
    assert len(set(names[:5])) == 5
    assert all(name.startswith("Copy of SSS") and len(name) == 48 for name in names[:5])


async def test_a_copy_has_everything_but_the_schedule(desk: Desk) -> None:
    more = {"description": "Why", "priority": "2", "dncLists": {"name": "Default Global DNC"}}
    greeted = CAMPAIGN | more | {"message": {"template_name": "Thank You", "onMissing": {"rule": "skip"}}}
    first = await desk.data("POST", "/campaign", greeted)
    body = {"startDateTime": "2026-04-01 12:00:00", "recurrenceObject": None}
    answer = await desk.ask("POST", "/campaign/schedule?enableSchedule=true&campaignName=Spring%20Sale", body)
    assert answer.status_code == 200, answer.text
    copy = await desk.data("POST", f"/campaign/{first['_id']}/clone")
    first, copy = [await desk.data("GET", f"/campaign/{one['_id']}") for one in (first, copy)]
    assert (first["status"], copy["status"]) == ("Scheduled", "Ready")
    assert copy["schedule"] == {"isSchedulingEnabled": False, "isRecurrenceEnabled": False}
    own = {"_id", "name", "lname", "status", "schedule", "createdAt", "updatedAt"}
    assert {key: value for key, value in copy.items() if key not in own} == {
        key: value for key, value in first.items() if key not in own
    }
    used = await desk.data("GET", "/templates/Thank%20You")
    assert [one["name"] for one in used["campaignInUse"]] == ["Spring Sale", "Copy of Spring Sale"]


async def test_a_template_without_an_ascii_name_or_text(desk: Desk) -> None:
    made = await desk.data("POST", "/templates", {"name": "Grüße 🌞", "body": "Grüße 🌞 <First Name>\nİstanbul"})
    campaign = await desk.data(
        "POST", "/campaign", CAMPAIGN | {"message": {"template_name": "GRÜSSE 🌞".replace("SS", "ß")}}
    )
    assert campaign["message"]["templateId"] == made["_id"]
    shown = await desk.data("POST", f"/templates/{made['_id']}/preview", {"fields": {"First Name": "Ada"}})
    assert shown["text"] == "Grüße 🌞 Ada\nİstanbul"


async def test_everybody_is_counted_once_over_pages_and_lists_of_any_size(
    desk: Desk, db: Database, clock: FrozenClock
) -> None:
    """Against the plain way: everybody in order, a set of the numbers seen."""
    app_id = desk.tenant.app.app_id
    names = ["Leads", "Big", "Small"]
    for name in names[1:]:
        await lists.create(db, desk.tenant.app, {"name": name, "allowDuplicates": True}, now=clock())
    fill = """INSERT INTO contact (app_id, list_id, seq, number, priority, fields, created_at, updated_at)
        SELECT %(app_id)s, list_id, n, '+1415555' || lpad((n * %(step)s %% 9000)::text, 4, '0'),
               CASE WHEN n %% 7 = 0 THEN n %% 3 END, json_build_object('visits', n %% 10), now(), now()
        FROM contact_list, generate_series(1, %(many)s) n WHERE name = %(name)s"""
    async with db.connection() as conn:
        await conn.execute(fill, {"app_id": app_id, "name": "Big", "step": 7, "many": 11_000})
        await conn.execute(fill, {"app_id": app_id, "name": "Small", "step": 13, "many": 700})
    often = {"conditions": [{"column": "visits", "is": "greater", "value": 4}]}
    campaign = await desk.data("POST", "/campaign", CAMPAIGN | {"contactLists": names, "filters": often})
    counted = await desk.data("POST", f"/campaign/{campaign['_id']}/audience")

    order = """SELECT c.number, (c.fields ->> 'visits')::int FROM contact c JOIN contact_list l USING (app_id, list_id)
        WHERE c.app_id = %(app_id)s
        ORDER BY c.priority DESC NULLS LAST, array_position(%(names)s::text[], l.name), c.seq"""
    async with db.connection() as conn:
        everybody = await (await conn.execute(order, {"app_id": app_id, "names": names})).fetchall()
    first: dict[str, int | None] = {}
    for number, visits in everybody:
        first.setdefault(number, visits)
    reached = sum(1 for visits in first.values() if visits is not None and visits > 4)
    assert counted["contacts"] == len(everybody) == 11_701
    assert counted["reached"] == reached
    assert counted["leftOut"]["duplicate"] == len(everybody) - len(first)
    assert counted["leftOut"]["filter_excluded"] == len(first) - reached
    assert counted["contacts"] == counted["reached"] + sum(counted["leftOut"].values())


async def test_a_list_of_campaigns_counts_what_it_lists(desk: Desk, db: Database) -> None:
    await desk.data("POST", "/campaign", CAMPAIGN)
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET kind = 'single'")
        assert await campaign_rows.count(conn, desk.tenant.app.app_id, campaign_rows.Wanted()) == 0
    assert (await desk.data("POST", "/campaign/getAllCampaignDetails", {"type": "sms"}))["totalResults"] == 0
