"""Messages of unknown fate over the API: who they are, what is decided by whom, and why a campaign stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.conftest import World, number
from tests.engine.test_unknowns import PEOPLE, left_unknown

if TYPE_CHECKING:
    import httpx

    from heliograph.config import Settings
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Database
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def left(db: Database, settings: Settings, clock: FrozenClock, tenant: Tenant) -> Campaign:
    return await left_unknown(World(db, settings, clock, tenant.app))


class Caller:
    """The tenant's client."""

    def __init__(self, api: httpx.AsyncClient, tenant: Tenant) -> None:
        self.api = api
        self.tenant = tenant

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.api.get(self.tenant.v2 + path, params=query, headers=self.tenant.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def post(self, path: str, **body: object) -> Any:
        answer = await self.api.post(self.tenant.v2 + path, json=body, headers=self.tenant.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def caller(api: httpx.AsyncClient, tenant: Tenant) -> Caller:
    return Caller(api, tenant)


async def test_they_are_paged_with_what_is_known(caller: Caller, left: Campaign) -> None:
    page = await caller.get("/unknownMessages", limit="4", campaignId=left.public_id)
    assert (page["totalResults"], page["hasMore"], len(page["results"])) == (PEOPLE, True, 4)
    rest = await caller.get("/unknownMessages", skip="4", campaignInstanceId=left.run_public_id or "")
    assert [one["phoneNumber"] for one in page["results"] + rest["results"]] == [number(n) for n in range(PEOPLE)]
    first = page["results"][0]
    assert (first["campaignName"], first["sender"], first["carrierAccountName"]) == ("Left", "+12025550100", "Sandbox")
    assert (first["reference"], first["finding"], first["decision"], first["submittedAt"]) == (None, None, None, None)
    sender = (await caller.get("/senders"))[0]["_id"]
    assert (await caller.get("/unknownMessages", senderId=sender))["totalResults"] == PEOPLE


async def test_each_decision_is_kept_with_the_client(
    caller: Caller, left: Campaign, clock: FrozenClock, tenant: Tenant
) -> None:
    page = await caller.get("/unknownMessages")
    names = [one["messageId"] for one in page["results"]]
    body: dict[str, Any] = {"messageIds": names[:2], "note": "they wrote"}
    assert (await caller.post("/unknownMessages/accept", **body))["data"] == {"messageIds": names[:2], "left": 0}
    await caller.post("/unknownMessages/wait", messageIds=names[2:3], until="2026-03-02T07:00:00Z")
    clock.advance(3601)
    decision = (await caller.get("/unknownMessages"))["results"][0]["decision"]
    assert (decision["kind"], decision["by"], decision["overdue"]) == ("wait", tenant.client_id, True)
    asked = await caller.post("/unknownMessages/ask", campaignId=left.public_id)
    assert asked["data"]["findings"]["not_there"] == PEOPLE - 2
    story = (await caller.get("/explain", messageId=names[2]))["message"]
    assert story["status"] in ("ready", "held")  # as the hour is, there
    assert "came_of" in [event["what"] for event in story["events"]]
    assert (await caller.get("/unknownMessages"))["totalResults"] == 0


async def test_a_resend_says_that_it_may_be_a_second_text(caller: Caller, left: Campaign) -> None:
    done = await caller.post("/unknownMessages/resend", campaignId=left.public_id, note="by noon")
    assert done["message"] == "6 messages sent again. It may be a second text to 6 people"
    assert done["data"]["secondTexts"] == len(done["data"]["messages"]) == PEOPLE
    again = await caller.post("/unknownMessages/resend", campaignId=left.public_id)
    assert again["data"] == {"messages": [], "secondTexts": 0, "left": 0}


async def test_why_and_stories(caller: Caller, left: Campaign) -> None:
    why = await caller.get(f"/campaign/{left.public_id}/why")
    assert [cause["kind"] for cause in why["causes"]] == ["unknown_only"]
    assert why["causes"][0]["people"] == PEOPLE
    told = (await caller.get("/explain", campaignId=left.public_id))["campaign"]
    assert told["causes"] == why["causes"]
    assert told["ledger"]["total"] == told["ledger"]["unknown"] == PEOPLE
    of = (await caller.get("/explain", phoneNumber=number(1).removeprefix("+")))["number"]
    assert [one["status"] for one in of["messages"]] == ["unknown"]


async def test_what_is_wrong_is_said(api: httpx.AsyncClient, tenant: Tenant, left: Campaign) -> None:
    for verb, body, words in (
        ("accept", {}, "chooses no messages"),
        ("accept", {"messageIds": ["msg-1"]}, "It takes ids such as"),
        ("wait", {"campaignId": left.public_id, "until": "2026-03-02T05:00:00Z"}, "a time to come"),
        ("resend", {"messageIds": []}, "a list of message ids"),
    ):
        answer = await api.post(f"{tenant.v2}/unknownMessages/{verb}", json=body, headers=tenant.headers)
        assert answer.status_code == 400
        assert words in answer.json()["message"]
    answer = await api.get(f"{tenant.v2}/explain", headers=tenant.headers)
    assert "exactly one" in answer.json()["message"]
