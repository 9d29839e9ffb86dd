"""Conversations over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from heliograph.actions import inbox
from heliograph.actions.inbox import HandOver, Heard
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

ADA, BO, OURS = "+14155550100", "+14155550101", "+12025550123"


async def hear(db: Database, tenant: Tenant, clock: FrozenClock, *said: tuple[str, str], by_flow: bool = False) -> None:
    async with db.transaction() as conn:
        for place, (number, text) in enumerate(said, 1):
            clock.advance(1)
            heard = Heard(place, number, OURS, text, clock(), by_flow)
            await inbox.heard(conn, tenant.app.app_id, [heard], now=clock())


async def ask(api: httpx.AsyncClient, tenant: Tenant, path: str, **query: str) -> Any:
    answer = await api.get(tenant.v2 + path, params=query, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_lists_are_narrowed_down_and_counted(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    await hear(db, tenant, clock, (ADA, "Hello?"))
    await hear(db, tenant, clock, (BO, "2"), by_flow=True)
    assert [one["phoneNumber"] for one in (await ask(api, tenant, "/conversations"))["results"]] == [BO, ADA]
    (found,) = (await ask(api, tenant, "/conversations", status="open"))["results"]
    assert (found["phoneNumber"], found["reason"], found["unread"], found["preview"]) == (ADA, "reply", 1, "Hello?")
    assert [one["phoneNumber"] for one in (await ask(api, tenant, "/conversations", search="0101"))["results"]] == [BO]
    page = await ask(api, tenant, "/conversations", limit="1", skip="0")
    assert (len(page["results"]), page["hasMore"]) == (1, True)
    url = f"{tenant.v2}/conversations/{found['_id']}"
    body = {"assignee": "ana", "unread": False}
    changed = await api.put(url, json=body, headers=tenant.headers)
    assert (changed.json()["data"]["assignee"], changed.json()["data"]["unread"]) == ("ana", 0)
    assert await ask(api, tenant, "/conversationCounts", assignee="ana") == {
        "open": 1,
        "unassigned": 0,
        "unread": 0,
        "mine": 1,
        "mineUnread": 0,
    }


async def test_messages_are_read_page_by_page(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    async with db.transaction() as conn:
        for place in range(5):
            clock.advance(60)
            given = [HandOver(ADA, OURS, None, f"note {place}", None)]
            await inbox.hand_over(conn, tenant.app.app_id, given, now=clock())
    (found,) = (await ask(api, tenant, "/conversations"))["results"]
    path, said, before = f"/conversations/{found['_id']}/messages", list[str](), ""
    while True:
        page = await ask(api, tenant, path, limit="2", before=before)
        said += [one["text"] for one in page["results"]]
        if page["next"] is None:
            break
        before = page["next"]
    assert said == [f"note {place}" for place in (4, 3, 2, 1, 0)]
    for bad in ("yesterday", "1-2", "1-2-x", "9" * 18 + "-1-1"):
        answer = await api.get(tenant.v2 + path, params={"before": bad}, headers=tenant.headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "before")


async def test_an_answer_is_given_once_and_to_nobody_who_said_no(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    await hear(db, tenant, clock, (ADA, "Hello?"))
    (found,) = (await ask(api, tenant, "/conversations"))["results"]
    url = f"{tenant.v2}/conversations/{found['_id']}/answers"
    body = {"text": "Yes?", "key": "k"}
    first = await api.post(url, json=body, headers=tenant.headers)
    assert (first.status_code, first.json()["data"]["heldUntil"]) == (200, None)
    assert (await api.post(url, json=body, headers=tenant.headers)).json() == first.json()
    for wrong in ({}, {"text": " "}, {"text": "a", "template": "b"}, {"text": "x" * 2001}):
        assert (await api.post(url, json=wrong, headers=tenant.headers)).status_code == 400
    said_no = {"events": [{"phoneNumber": ADA}]}
    assert (await api.post(f"{tenant.v2}/optOuts", json=said_no, headers=tenant.headers)).status_code == 200
    refused = await api.post(url, json={"text": "Still there?"}, headers=tenant.headers)
    assert (refused.status_code, "may not be texted" in refused.json()["message"]) == (409, True)


async def test_another_app_has_no_such_conversation(
    api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant, db: Database, clock: FrozenClock
) -> None:
    await hear(db, tenant, clock, (ADA, "Hello?"))
    (found,) = (await ask(api, tenant, "/conversations"))["results"]
    answer = await api.get(f"{second_tenant.v2}/conversations/{found['_id']}", headers=second_tenant.headers)
    assert answer.status_code == 404
    assert (await ask(api, second_tenant, "/conversations"))["results"] == []
