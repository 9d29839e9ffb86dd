"""Carrier accounts, senders and pools over HTTP: what transcripts cannot show."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from httpx import AsyncClient, Response

from heliograph.actions.seal import Seal
from heliograph.config import Settings
from heliograph.store import dnc, senders
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

TO = "+14155550100"
DUMP = "SELECT string_agg(t::text, ' ') FROM carrier_account t"


class Client:
    """Calls of one tenant."""

    def __init__(self, api: AsyncClient, tenant: Tenant) -> None:
        self._api = api
        self._tenant = tenant

    async def do(self, verb: str, path: str, body: Any = None, more: dict[str, str] | None = None) -> Response:
        content = None if body is None else json.dumps(body)
        headers = self._tenant.headers | (more or {})
        return await self._api.request(verb, self._tenant.v2 + path, content=content, headers=headers)

    async def done(self, verb: str, path: str, body: Any = None) -> Any:
        answer = await self.do(verb, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"] if "data" in answer.json() else answer.json()

    async def refused(self, status: int, verb: str, path: str, body: Any = None) -> str:
        answer = await self.do(verb, path, body)
        assert answer.status_code == status, answer.text
        return str(answer.json()["message"])

    async def add_sender(self, address: str, **limits: object) -> str:
        body = {"address": address, "carrierAccountId": "Sandbox"} | limits
        return str((await self.done("POST", "/senders", body))["_id"])

    async def add_campaign(self, name: str, caller: str) -> str:
        days = [{"start": "12:00 AM", "end": "12:00 AM"}]
        body = {
            "name": name,
            "contactLists": ["Leads"],
            "campaignType": "sms",
            "format": "simple",
            "message": {"message": "Hello"},
            "dialingStrategy": {
                "callerId": {"phoneNumber": caller},
                "callingHours": {"frequency": "DAILY", "timezone": "UTC", "days": days},
            },
        }
        return str((await self.done("POST", "/campaign", body))["_id"])


@pytest.fixture
async def client(api: AsyncClient, tenant: Tenant) -> Client:
    mine = Client(api, tenant)
    await mine.done("POST", "/campaign/contactList/createContactList", {"name": "Leads"})
    return mine


# ---------------------------------------------------------------- secrets


async def test_a_secret_is_in_no_answer_and_not_readable_in_the_database(
    client: Client, db: Database, seal: Seal
) -> None:
    body = {"name": "Secretive", "kind": "sandbox", "settings": {"password": "open sesame"}}
    made = await client.done("POST", "/carrierAccounts", body)
    answers = [await client.do("GET", "/carrierAccounts"), await client.do("GET", f"/carrierAccounts/{made['_id']}")]
    wrong = {"settings": {"refuse": 2, "password": "open sesame"}}
    answers.append(await client.do("PUT", f"/carrierAccounts/{made['_id']}", wrong))
    answers.append(await client.do("PUT", f"/carrierAccounts/{made['_id']}", {"settings": {"password": 5}}))
    assert all("sesame" not in answer.text for answer in answers)
    assert made["secrets"] == ["password"]
    async with db.connection() as conn:
        row = await (await conn.execute(DUMP)).fetchone()
        assert row
        assert "sesame" not in row[0]
        assert b"sesame".hex() not in row[0]
        sealed = "SELECT public_id, secrets_sealed FROM carrier_account WHERE name = 'Secretive'"
        found = await (await conn.execute(sealed)).fetchone()
    assert found
    assert json.loads(seal.open(found[1], owner=found[0])) == {"password": "open sesame"}


async def test_a_deleted_account_keeps_no_secret(client: Client, db: Database) -> None:
    body = {"name": "Secretive", "kind": "sandbox", "settings": {"password": "open sesame"}}
    await client.done("POST", "/carrierAccounts", body)
    await client.done("DELETE", "/carrierAccounts/Secretive")
    async with db.connection() as conn:
        row = await (await conn.execute("SELECT bool_or(secrets_sealed IS NOT NULL) FROM carrier_account")).fetchone()
    assert row == (False,)
    await client.done("POST", "/carrierAccounts", body)


# ---------------------------------------------------------------- tests


async def test_a_test_sends_one_text_and_tells_how_it_went(client: Client, settings: Settings) -> None:
    sender = await client.add_sender("+14155550188")
    for path in (f"/senders/{sender}/test", "/carrierAccounts/Sandbox/test"):
        tried = await client.done("POST", path, {"to": TO})
        assert (tried["outcome"], tried["from"], tried["to"]) == ("accepted", "+14155550188", TO)
        assert tried["reference"].startswith("sb-")
    sent = [json.loads(line) for line in settings.transcript.read_text().splitlines()]
    assert [(t["from"], t["to"], t["campaignId"]) for t in sent] == [("+14155550188", TO, "")] * 2
    assert (await client.done("GET", f"/senders/{sender}"))["partsToday"] == 2


async def test_a_test_never_reaches_who_said_no(
    client: Client, tenant: Tenant, db: Database, settings: Settings, clock: FrozenClock
) -> None:
    async with db.transaction() as conn:
        (everywhere,) = await dnc.list_global(conn, tenant.app.app_id)
        await dnc.add_entries(conn, tenant.app.app_id, everywhere, [TO], reason="", source="person", now=clock.now)
    for path in ("/senders/*/test", "/carrierAccounts/Sandbox/test"):
        told = await client.refused(409, "POST", path, {"to": TO, "from": "+14155550188"})
        assert "do-not-contact" in told
    assert not settings.transcript.exists()


async def test_a_test_keeps_to_the_day_of_its_sender(client: Client, clock: FrozenClock) -> None:
    await client.add_sender("72720", partsPerDay=1)
    await client.done("POST", "/senders/72720/test", {"to": TO})
    assert "used up" in await client.refused(409, "POST", "/senders/72720/test", {"to": TO})
    clock.advance(86_400)
    await client.done("POST", "/senders/72720/test", {"to": TO})


async def test_a_test_that_is_asked_with_a_key_keeps_no_lane_waiting(
    client: Client, db: Database, clock: FrozenClock
) -> None:
    """A request with a key is one transaction; what the lane counts by is not locked for as long as it takes."""
    await client.add_sender("72720")
    behaviour = {"settings": {"lost_answer": 1, "answer_timeout_s": 3}}
    await client.done("PUT", "/carrierAccounts/Sandbox", behaviour)
    key = {"Idempotency-Key": "once"}
    asked = asyncio.create_task(client.do("POST", "/senders/72720/test", {"to": TO}, key))
    count = "UPDATE sender_day SET parts = parts + 1 RETURNING parts"
    async with asyncio.timeout(2), db.connection() as conn:
        while (row := await (await conn.execute(count)).fetchone()) is None:
            await asyncio.sleep(0.02)
    assert row == (2,)
    assert not asked.done()
    assert (await asked).json()["data"]["outcome"] == "lost"
    again = await client.do("POST", "/senders/72720/test", {"to": TO}, key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await client.done("GET", "/senders/72720"))["partsToday"] == 2


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        ({"refuse": 1}, "refused"),
        ({"temporary": 1}, "deferred"),
        ({"down": 1}, "down"),
        ({"lost_answer": 1, "answer_timeout_s": 0.1}, "lost"),
    ],
)
async def test_a_test_tells_what_went_wrong(client: Client, behaviour: dict[str, object], outcome: str) -> None:
    await client.done("PUT", "/carrierAccounts/Sandbox", {"settings": behaviour})
    tried = await client.done("POST", "/senders/*/test", {"to": TO, "from": "72720"})
    assert tried["outcome"] == outcome
    assert tried["reference"] is None
    assert tried["detail"]


# ---------------------------------------------------------------- what keeps a sender


async def test_a_sender_goes_only_when_nobody_needs_it(client: Client, db: Database) -> None:
    own = await client.add_sender("+14155550188")
    campaign = await client.add_campaign("Sale", "+14155550188")
    await client.done("POST", f"/campaign/{campaign}?campaignType=sms&trigger=play")
    assert "campaign Sale" in await client.refused(409, "DELETE", f"/senders/{own}")
    await client.done("POST", f"/campaign/{campaign}?campaignType=sms&trigger=pause")
    assert "campaign Sale" in await client.refused(409, "DELETE", f"/senders/{own}")
    await client.done("DELETE", "/senders/*")  # the campaign has a sender of its own
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET status = 'Scheduled'")
        await conn.execute("UPDATE run SET ended_at = now()")
    assert "campaign Sale" in await client.refused(409, "DELETE", f"/senders/{own}"), "nobody else would serve it"
    await client.add_sender("*")
    await client.done("DELETE", f"/senders/{own}")
    assert "campaign Sale" in await client.refused(409, "DELETE", "/senders/*")
    async with db.connection() as conn:
        await conn.execute("UPDATE campaign SET status = 'Stopped'")
    await client.done("DELETE", "/senders/*")
    told = await client.refused(409, "POST", f"/campaign/{campaign}?campaignType=sms&trigger=play")
    assert "No sender of this app serves" in told


async def test_one_off_texts_go_through_whoever_serves_the_address_now(client: Client, db: Database) -> None:
    text = {"fromNo": "+14155550188", "toNo": TO, "message": "One"}
    await client.done("POST", "/outboundsms", text)
    own = await client.add_sender("+14155550188")
    await client.done("POST", "/outboundsms", text)
    assert "waiting" in await client.refused(409, "DELETE", f"/senders/{own}")
    through = """SELECT s.address, t.waiting FROM run r JOIN sender s USING (sender_id)
                 JOIN tally t ON t.run_id = r.run_id AND t.sender_id = 0 ORDER BY r.run_id"""
    async with db.connection() as conn:
        assert await (await conn.execute(through)).fetchall() == [("*", 1), ("+14155550188", 1)]
        await conn.execute("UPDATE tally SET waiting = 0")
    await client.done("DELETE", f"/senders/{own}")
    await client.done("POST", "/outboundsms", text)
    async with db.connection() as conn:
        assert await (await conn.execute(through)).fetchall() == [("*", 1), ("+14155550188", 0)]


# ---------------------------------------------------------------- tenants


async def test_another_app_sees_and_uses_nothing(
    client: Client, api: AsyncClient, second_tenant: Tenant, db: Database
) -> None:
    other = Client(api, second_tenant)
    account = await client.done("POST", "/carrierAccounts", {"name": "Mine", "kind": "sandbox"})
    sender = await client.add_sender("+14155550188")
    pool = await client.done("POST", "/senderPools", {"name": "Ours", "senders": [{"sender": sender}]})
    for path in (f"/carrierAccounts/{account['_id']}", f"/senders/{sender}", f"/senderPools/{pool['_id']}"):
        for verb, body in (("GET", None), ("PUT", {"senders": [{"sender": "*"}], "name": "Ours"}), ("DELETE", None)):
            sent = {"partsPerSecond": 1} if body and "/senders/" in path else body
            assert "There is no" in await other.refused(404, verb, path, sent)
    await other.refused(404, "POST", f"/senders/{sender}/test", {"to": TO})
    await other.refused(404, "POST", f"/carrierAccounts/{account['_id']}/test", {"to": TO, "from": "72720"})
    await other.refused(404, "POST", "/senders", {"address": "72720", "carrierAccountId": account["_id"]})
    await other.refused(404, "PUT", "/senders/*", {"carrierAccountId": account["_id"]})
    await other.refused(404, "POST", "/senderPools", {"name": "Ours", "senders": [{"sender": sender}]})
    # The same names and addresses are free to it.
    assert (await other.done("POST", "/carrierAccounts", {"name": "Mine", "kind": "sandbox"}))["senders"] == []
    theirs = await other.add_sender("+14155550188")
    await other.done("POST", "/senderPools", {"name": "Ours", "senders": [{"sender": "+14155550188"}]})
    assert [one["_id"] for one in await other.done("GET", "/senderPools")] != [pool["_id"]]
    await other.done("POST", f"/senders/{theirs}/test", {"to": TO})
    assert (await client.done("GET", f"/senders/{sender}"))["partsToday"] == 0
    async with db.connection() as conn:
        rows = await (await conn.execute("SELECT app_id, count(*) FROM sender GROUP BY 1 ORDER BY 1")).fetchall()
    assert [count for _, count in rows] == [2, 2]


# ---------------------------------------------------------------- live


async def test_a_change_lets_go_of_whom_the_day_held(
    client: Client, db: Database, tenant: Tenant, clock: FrozenClock
) -> None:
    await client.done("PUT", "/senders/*", {"partsPerDay": 5})
    async with db.connection() as conn:
        found = await senders.get_named(conn, tenant.app.app_id, "*")
        tomorrow = clock.now.replace(day=3, hour=0)
        assert await senders.hold(conn, found, tomorrow)
    assert (await client.done("GET", "/senders/*"))["heldUntil"] == "2026-03-03T00:00:00.000Z"
    assert (await client.done("PUT", "/senders/*", {"partsPerDay": 6}))["heldUntil"] is None
    async with db.connection() as conn:
        assert not await senders.hold(conn, found, tomorrow), "what the lane knew is not so any more"
