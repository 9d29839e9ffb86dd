"""Where a campaign stands: person by person and in numbers that add up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from heliograph.store import campaigns, chunks, lists, messages
from heliograph.store.chunks import NewChunk
from heliograph.store.database import Conn, Database
from heliograph.store.messages import NewMessage
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

HOURS = {"frequency": "DAILY", "timezone": "Europe/London", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]}
DRAFT: dict[str, Any] = {
    "name": "Spring Sale",
    "contactLists": ["Leads"],
    "format": "simple",
    "message": {"message": "Hello"},
    "dialingStrategy": {"callerId": {"phoneNumber": "+12025550143"}, "callingHours": HOURS},
}
WORDS = ["held", "ready", "submitting", "unknown", "accepted", "failed", "delivered", "suppressed", "expired"]

# What is written of people 1 to 10: the outcome's status and reason, and tries that ended in a temporary refusal.
# 1 to 7 have been taken by the chunk that is due, 8 has not; 9 and 10 stand in one that is due later.
OUTCOMES = [
    (1, "accepted", None, 0),
    (2, "delivered", None, 2),
    (3, "failed", "absent", 0),
    (4, "unknown", "the carrier did not answer", 0),
    (5, "suppressed", "asked not to be texted", 0),
    (6, "expired", "too late", 1),
]


class Desk:
    """Somebody at the API with one campaign."""

    def __init__(self, api: AsyncClient, tenant: Tenant, campaign_id: str) -> None:
        self.api, self.tenant, self.campaign_id = api, tenant, campaign_id

    async def ask(self, verb: str, more: str, body: Any = None) -> Any:
        url = f"/campaign/api/v2/public/{self.tenant.app.public_id}/campaign/{self.campaign_id}{more}"
        content = None if body is None else json.dumps(body)
        answer = await self.api.request(verb, url, content=content, headers={"auth": self.tenant.token})
        return answer.json()

    async def people(self, **asked: Any) -> Any:
        return (await self.ask("POST", "/status?view=contacts", asked))["data"]


@pytest.fixture
async def ready(api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> Desk:
    """A campaign that was never started."""
    async with db.connection() as conn:
        await lists.create(
            conn,
            tenant.app.app_id,
            kind="call",
            name="Leads",
            description="",
            source="passiveApi",
            allow_duplicates=False,
            now=clock.now,
        )
    url = f"/campaign/api/v2/public/{tenant.app.public_id}/campaign"
    answer = await api.post(url, json=DRAFT, headers={"auth": tenant.token})
    return Desk(api, tenant, answer.json()["data"]["_id"])


@pytest.fixture
async def active(ready: Desk, db: Database, clock: FrozenClock) -> Desk:
    """The same, started, with ten people who stand everywhere one can stand."""
    await ready.ask("POST", "?trigger=play")
    async with db.transaction() as conn:
        found = await campaigns.get(conn, ready.tenant.app.app_id, ready.campaign_id)
        assert found.run_id is not None
        await ten_people(conn, found.app_id, found.list_ids[0], found.run_id, clock)
    return ready


async def ten_people(conn: Conn, app_id: int, list_id: int, run_id: int, clock: FrozenClock) -> None:
    who = [NewMessage(seq, list_id, seq, f"+120255501{seq:02}", None, 1) for seq in range(1, 11)]
    await messages.copy_in(conn, app_id, run_id, who)
    key = {"app_id": app_id, "run_id": run_id, "list_id": list_id, "now": clock.now}
    contact = """
    INSERT INTO contact (app_id, list_id, seq, number, fields, created_at, updated_at)
    VALUES (%(app_id)s, %(list_id)s, 2, '+12025550102', '{"Unique ID": "ref-2"}', %(now)s, %(now)s)
    """
    await conn.execute(contact, key)
    due, later = clock.now - timedelta(seconds=1), clock.now + timedelta(hours=1)
    cursor = await conn.execute("SELECT sender_id FROM run WHERE run_id = %(run_id)s", key)
    row = await cursor.fetchone()
    assert row is not None
    both = [NewChunk(1, "Europe/London", "", due, 1, 8), NewChunk(2, "Europe/London", "", later, 9, 10)]
    await chunks.insert(conn, app_id, run_id, row[0], both)
    await conn.execute("UPDATE chunk SET next_seq = 8 WHERE run_id = %(run_id)s AND chunk_no = 1", key)
    for seq, status, reason, attempts in OUTCOMES:
        values = key | {"seq": seq, "status": status, "reason": reason, "attempts": attempts}
        outcome = """
        INSERT INTO outcome (app_id, run_id, seq, status, reason, settled_at)
        VALUES (%(app_id)s, %(run_id)s, %(seq)s, %(status)s, %(reason)s, %(now)s)
        """
        await conn.execute(outcome, values)
        await conn.execute("UPDATE message SET attempts = %(attempts)s WHERE seq = %(seq)s", values)
    tally = """
    UPDATE tally SET total = 10, waiting = 3, submitting = 1, unknown = 1, accepted = 1, failed = 1, delivered = 1,
                     suppressed = 1, expired = 1
    WHERE run_id = %(run_id)s AND sender_id = 0
    """
    await conn.execute(tally, key)


async def test_each_person_is_answered_in_the_vendors_fields(active: Desk) -> None:
    data = await active.people()
    assert list(data) == ["results", "page", "limit", "totalPages", "totalResults"]
    assert [data[key] for key in list(data)[1:]] == [1, 20, 1, 10]
    assert data["results"][1] == {
        "phoneNumber": "+12025550102",
        "uniqueId": "ref-2",
        "dialerOutcome": "completed",
        "numberOfAttemptsSoFar": 3,
        "botSessionId": "",
        "agentDispositionCodes": [],
        "botOutboundStatus": "delivered",
        "botOutboundStatusDetail": "",
    }
    assert list(data["results"][1]) == [
        "phoneNumber",
        "uniqueId",
        "dialerOutcome",
        "numberOfAttemptsSoFar",
        "botSessionId",
        "agentDispositionCodes",
        "botOutboundStatus",
        "botOutboundStatusDetail",
    ]
    parts = ("botOutboundStatus", "dialerOutcome", "numberOfAttemptsSoFar", "uniqueId")
    assert [tuple(person[part] for part in parts) for person in data["results"]] == [
        ("accepted", "completed", 1, ""),
        ("delivered", "completed", 3, "ref-2"),
        ("failed", "completed", 1, ""),
        ("unknown", "completed", 1, ""),
        ("suppressed", "completed", 0, ""),
        ("expired", "completed", 1, ""),
        ("submitting", "", 1, ""),
        ("ready", "", 0, ""),
        ("held", "", 0, ""),
        ("held", "", 0, ""),
    ]
    assert [person["botOutboundStatusDetail"] for person in data["results"][2:6]] == [
        "absent",
        "the carrier did not answer",
        "asked not to be texted",
        "too late",
    ]


async def test_pages_cover_everyone(active: Desk) -> None:
    for asked, seqs, pages in (
        ({"page": 1, "limit": 4}, [1, 2, 3, 4], 3),
        ({"page": 3, "limit": 4}, [9, 10], 3),
        ({"page": "2", "limit": "4"}, [5, 6, 7, 8], 3),
        ({"page": 9, "limit": 100}, [], 1),
        ({"page": "", "limit": None}, list(range(1, 11)), 1),
    ):
        data = await active.people(**asked)
        assert [int(person["phoneNumber"][-2:]) for person in data["results"]] == seqs, asked
        assert (data["totalPages"], data["totalResults"]) == (pages, 10)


async def test_the_page_may_stand_in_the_query_and_the_call_may_be_a_get(active: Desk) -> None:
    for verb in ("GET", "POST"):
        data = (await active.ask(verb, "/status?view=contacts&page=2&limit=8"))["data"]
        assert [person["botOutboundStatus"] for person in data["results"]] == ["held", "held"]
    data = (await active.ask("POST", "/status?view=contacts&page=9", {"page": 1, "limit": 1}))["data"]
    assert (data["page"], len(data["results"])) == (1, 1)  # the body is the vendor's place for it


async def test_pages_are_from_one_and_hold_at_most_a_hundred(ready: Desk) -> None:
    wrong = ({"page": 0}, {"limit": 101}, {"limit": 0}, {"page": []}, {"page": "two"}, {"limit": True})
    for asked in wrong:
        answer = await ready.ask("POST", "/status?view=contacts", asked)
        assert answer["errors"][0]["field"] == next(iter(asked))
        assert answer["errors"][0]["code"] == 400


async def test_the_ledger_adds_up_and_agrees_with_the_people(active: Desk) -> None:
    answer = await active.ask("GET", "/status?view=ledger")
    data = answer["data"]
    assert list(answer) == ["status", "data"]
    assert list(data) == ["id", "status", "name", "campaignInstanceId", "total", *WORDS]
    assert data["total"] == 10 == sum(data[word] for word in WORDS)
    people = (await active.people())["results"]
    assert {word: data[word] for word in WORDS} == {
        word: sum(person["botOutboundStatus"] == word for person in people) for word in WORDS
    }


async def test_whoever_was_waiting_when_it_was_stopped_has_expired(active: Desk) -> None:
    await active.ask("POST", "?trigger=stop")
    people = (await active.people())["results"]
    assert [person["botOutboundStatus"] for person in people[6:]] == ["submitting", "expired", "expired", "expired"]
    assert people[7]["botOutboundStatusDetail"] == "stopped"
    data = (await active.ask("GET", "/status?view=ledger"))["data"]
    assert (data["expired"], data["held"], data["ready"]) == (4, 0, 0)
    assert data["total"] == sum(data[word] for word in WORDS)


async def test_a_new_run_starts_over(active: Desk) -> None:
    first = (await active.ask("GET", "/status?view=ledger"))["data"]["campaignInstanceId"]
    await active.ask("POST", "?trigger=stop")
    await active.ask("POST", "?trigger=play")
    data = (await active.ask("GET", "/status?view=ledger"))["data"]
    assert data["campaignInstanceId"] != first
    assert data["total"] == 0
    assert (await active.people())["results"] == []


async def test_before_the_first_start_there_is_nobody(ready: Desk) -> None:
    expected = {"results": [], "page": 1, "limit": 20, "totalPages": 0, "totalResults": 0}
    assert await ready.people() == expected
    data = (await ready.ask("POST", "/status?view=ledger"))["data"]
    assert "campaignInstanceId" not in data
    assert [data[word] for word in ("total", *WORDS)] == [0] * 10
