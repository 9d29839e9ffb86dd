"""How conversations go, over HTTP; and what an app decides about them."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from heliograph.actions import lists
from heliograph.api import talk_shapes
from heliograph.engine import plan
from heliograph.store import runs
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.test_quiet_hours import ask
from tests.api.test_templates import CAMPAIGN
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

ADVANCED = CAMPAIGN | {"format": "advanced", "message": None, "experienceFlowName": "SMS Support Flow"}
NOBODY = "ses-000000000000ffff"


async def test_the_conversations_of_a_run_are_counted_listed_and_told(
    api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    made_list = await lists.create(db, tenant.app, {"name": "Leads"}, now=clock())
    people = [{"phoneNumber": f"+1202555010{n}", "First Name": f"P{n}"} for n in range(3)]
    body: dict[str, Any] = {"contactListId": made_list.public_id, "data": people}
    await ask(api, tenant, "POST", "/campaign/contactList/addContacts", json=body)
    made = (await ask(api, tenant, "POST", "/campaign", json=ADVANCED))["data"]
    at = f"/campaign/{made['_id']}"
    await ask(api, tenant, "GET", f"{at}/conversations", 404)
    await ask(api, tenant, "POST", f"{at}?trigger=play")
    async with db.connection() as conn:
        (run,) = await runs.list_active(conn)
    await plan.plan_page(db, run, now=clock(), limit=500)

    told = (await ask(api, tenant, "GET", f"{at}/conversations"))["data"]
    assert (told["planned"], told["waiting"], told["started"], told["results"]) == (3, 3, 0, {})
    assert told["runId"] == run.public_id
    assert set(told) == set(talk_shapes.RunTalkNumbers.model_fields)
    found = (await ask(api, tenant, "GET", f"{at}/conversations/sessions?limit=2&skip=1&runId={run.public_id}"))["data"]
    assert (found["totalResults"], [one["phoneNumber"] for one in found["results"]]) == (
        3, ["+12025550101", "+12025550102"],
    )  # fmt: skip
    first = found["results"][0]
    assert (first["state"], first["result"], set(first)) == (
        "opening",
        None,
        set(talk_shapes.SessionRecord.model_fields),
    )
    one = (await ask(api, tenant, "GET", f"{at}/conversations/sessions/{first['id']}"))["data"]
    (line,) = one["transcript"]
    assert (line["from"], line["status"], line["text"][:9]) == ("us", None, "Hello P1,")
    of_flow = (await ask(api, tenant, "GET", "/experienceFlows/SMS%20Support%20Flow/conversations"))["data"]
    assert of_flow["planned"] == 3
    for wrong in (
        f"{at}/conversations/sessions/{NOBODY}",
        f"{at}/conversations?runId=cid-1",
        "/experienceFlows/X/conversations",
    ):
        await ask(api, tenant, "GET", wrong, 404)


async def test_what_an_app_decides_about_conversations_is_kept_and_told(api: AsyncClient, tenant: Tenant) -> None:
    usual = {"secondSession": "newest", "answerMinutes": 15, "answersPerHour": 30, "webhookSecret": ""}
    assert (await ask(api, tenant, "GET", "/settings"))["data"]["conversations"] == usual
    sent = {"secondSession": "queue", "answerMinutes": 5}
    told = (await ask(api, tenant, "PUT", "/settings", json={"conversations": sent}))["data"]["conversations"]
    assert told == usual | sent
    told = (await ask(api, tenant, "PUT", "/settings", json={"conversations": {"answerMinutes": None}}))["data"]
    assert told["conversations"] == usual | {"secondSession": "queue"}
    for wrong in ({"secondSession": "both"}, {"answerMinutes": 0}, {"answersPerHour": True}, {"other": 1}):
        await ask(api, tenant, "PUT", "/settings", 400, json={"conversations": wrong})
