"""Where carriers call us, by what the sandbox signs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from heliograph.actions import carrier_accounts as editing
from heliograph.actions import carrier_calls
from heliograph.actions import replies as reply_actions
from heliograph.api import app as api_app
from heliograph.api import carrier_calls as door
from heliograph.carriers.sandbox_webhook import SIGNATURE, sign
from heliograph.store import webhook_calls
from tests.carriers.http_far import JASMIN
from tests.carriers.http_hooks import TOKEN

if TYPE_CHECKING:
    from heliograph.actions.seal import Seal
    from heliograph.config import Settings
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

SECRET = "a secret of the account"
REPLY = {"from": "+15555550123", "to": "+15555550100", "text": "STOP", "at": "2026-03-02T12:00:00Z", "ref": "r-1"}


@pytest.fixture
async def account(db: Database, seal: Seal, tenant: Tenant, clock: FrozenClock) -> CarrierAccount:
    body = {"name": "Called", "kind": "sandbox", "settings": {"webhook_secret": SECRET}}
    return await editing.create(db, seal, tenant.app, body, now=clock())


@pytest.fixture
async def outside(db: Database, seal: Seal, settings: Settings, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api_app.create_api(db, seal, settings, clock))  # a fault of ours is the test's
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
        yield client


def signed(said: object, secret: str = SECRET) -> dict[str, Any]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return {"content": body, "headers": {SIGNATURE: sign(secret, body), "authorization": "Basic c2VjcmV0"}}


async def rows(db: Database, table: str) -> list[tuple[Any, ...]]:
    columns = {
        "reply": "number, address, text",
        "webhook_call": "method, url, headers::text, body",
        "webhook_aside": "reason",
    }
    async with db.connection() as conn:
        return await (await conn.execute(f"SELECT {columns[table]} FROM {table} ORDER BY 1")).fetchall()  # type: ignore[arg-type]  # names of this page


async def work(db: Database, seal: Seal, account: CarrierAccount, clock: FrozenClock) -> int:
    return await carrier_calls.work(db, seal, account.app_id, account.account_id, now=clock())


async def test_what_a_carrier_says_is_stored_and_answered_then_worked_on_once(
    db: Database, seal: Seal, outside: httpx.AsyncClient, account: CarrierAccount, clock: FrozenClock
) -> None:
    for _ in range(2):  # carriers repeat themselves
        answer = await outside.post(f"/carriers/{account.public_id}", **signed({"replies": [REPLY]}))
        assert (answer.status_code, answer.content) == (200, b"")
    assert len(await rows(db, "webhook_call")) == 2
    assert await rows(db, "reply") == []
    assert await work(db, seal, account, clock) == 2
    assert await work(db, seal, account, clock) == 0
    assert await rows(db, "reply") == [("+15555550123", "+15555550100", "STOP")]
    assert await rows(db, "webhook_call") == []
    await outside.post(f"/carriers/{account.public_id}", **signed({"replies": [REPLY]}))
    await work(db, seal, account, clock)
    assert len(await rows(db, "reply")) == 1


async def test_a_long_reply_that_comes_in_parts_is_one_reply(
    db: Database, seal: Seal, outside: httpx.AsyncClient, tenant: Tenant, clock: FrozenClock
) -> None:
    """Vonage joins nothing: parts come in any order and again; of one that never comes there is a mark."""
    settings = {"api_key": "key", "api_secret": SECRET, "webhook_token": TOKEN}
    body = {"name": "In parts", "kind": "vonage", "settings": settings}
    account = await editing.create(db, seal, tenant.app, body, now=clock())

    async def brings(reference: str, part: int, words: str) -> None:
        said = {
            "msisdn": "15555550123", "to": "15555550100", "text": words, "messageId": f"{reference}-{part}",
            "concat": "true", "concat-ref": reference, "concat-total": "3", "concat-part": str(part),
        }  # fmt: skip
        answer = await outside.post(f"/carriers/{account.public_id}?token={TOKEN}", json=said)
        assert answer.status_code == 200
        await work(db, seal, account, clock)

    await brings("1", 2, "is a long ")
    await brings("1", 3, "story")
    await brings("2", 1, "Another ")
    assert await rows(db, "reply") == []
    await brings("1", 1, "This ")
    await brings("1", 1, "This ")
    assert [row[2] for row in await rows(db, "reply")] == ["This is a long story"]
    await brings("2", 3, "end")
    clock.advance(reply_actions.PATIENCE.total_seconds())
    await work(db, seal, account, clock)
    assert sorted(row[2] for row in await rows(db, "reply")) == ["Another […]end", "This is a long story"]


async def test_nothing_is_stored_for_whoever_is_not_the_carrier(
    db: Database, outside: httpx.AsyncClient, account: CarrierAccount
) -> None:
    said = signed({"replies": [REPLY]}, "another secret")
    assert (await outside.post(f"/carriers/{account.public_id}", **said)).status_code == 403
    assert (await outside.get(f"/carriers/{account.public_id}/below?x=1")).status_code == 403
    for unknown in ("ca-00000000-0000-4000-8000-000000000000", "", "%00", "x" * 500, "ca-☃", "../admin"):
        assert (await outside.post(f"/carriers/{unknown}", **said)).status_code in {403, 404}
    assert await rows(db, "webhook_call") == []


async def test_an_account_without_a_secret_believes_nobody(
    db: Database, seal: Seal, outside: httpx.AsyncClient, tenant: Tenant, clock: FrozenClock
) -> None:
    bare = await editing.create(db, seal, tenant.app, {"name": "Bare", "kind": "sandbox"}, now=clock())
    answer = await outside.post(f"/carriers/{bare.public_id}", **signed({"replies": [REPLY]}, ""))
    assert answer.status_code == 403


async def test_what_is_too_long_is_not_read(outside: httpx.AsyncClient, account: CarrierAccount) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (door.LIMIT // 2)

    told = await outside.post(f"/carriers/{account.public_id}", content=b"x" * (door.LIMIT + 1))
    untold = await outside.post(f"/carriers/{account.public_id}", content=pieces())
    assert (told.status_code, untold.status_code) == (413, 413)


async def test_what_cannot_be_read_is_kept_aside_with_the_reason_and_the_rest_goes_on(
    db: Database, seal: Seal, outside: httpx.AsyncClient, account: CarrierAccount, clock: FrozenClock
) -> None:
    for said in (b"\xff\x00rubbish", {"receipts": [{"ref": "a"}]}, {"replies": [REPLY]}, []):
        assert (await outside.post(f"/carriers/{account.public_id}", **signed(said))).status_code == 200
    assert await work(db, seal, account, clock) == 4
    assert len(await rows(db, "reply")) == 1
    reasons = [row[0] for row in await rows(db, "webhook_aside")]
    assert reasons == ["The call is no JSON", "The call is no JSON object", "state is missing or no text"]
    async with db.transaction() as conn:
        await webhook_calls.forget_aside(conn, account.app_id, account.account_id, keep=2)
        assert len(await webhook_calls.list_aside(conn, account.app_id, limit=10)) == 2


async def test_no_secret_is_stored_with_a_call(
    db: Database, outside: httpx.AsyncClient, account: CarrierAccount
) -> None:
    path = f"/carriers/{account.public_id}/hook?token=a%20secret%20of%20the%20account&x=1"
    assert (await outside.post(path, **signed({}))).status_code == 200
    ((method, url, headers, body),) = await rows(db, "webhook_call")
    assert (method, url, bytes(body)) == (
        "POST",
        f"http://heliograph.test/carriers/{account.public_id}/hook?token=…&x=1",
        b"{}",
    )
    assert "authorization" not in headers


async def test_the_url_is_the_one_carriers_know_whatever_a_proxy_says(
    db: Database, seal: Seal, settings: Settings, account: CarrierAccount, clock: FrozenClock
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    known = replace(settings, public_url="https://texts.example.com/sms")
    transport = httpx.ASGITransport(api_app.create_api(db, seal, known, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080") as client:
        said = signed({})
        said["headers"] |= {"x-forwarded-proto": "ftp", "x-forwarded-host": "elsewhere.example.net"}
        await client.post(f"/carriers/{account.public_id}", **said)
    assert (await rows(db, "webhook_call"))[0][1] == f"https://texts.example.com/sms/carriers/{account.public_id}"


async def test_many_calls_at_once_are_all_stored(
    db: Database, seal: Seal, outside: httpx.AsyncClient, account: CarrierAccount, clock: FrozenClock
) -> None:
    said = [signed({"replies": [REPLY | {"ref": f"r-{n}"}]}) for n in range(200)]
    answers = await asyncio.gather(*(outside.post(f"/carriers/{account.public_id}", **each) for each in said))
    assert {answer.status_code for answer in answers} == {200}
    assert await work(db, seal, account, clock) == 200
    assert len(await rows(db, "reply")) == 200


async def test_a_gateway_that_insists_on_words_gets_them_once_its_call_is_stored(
    db: Database, seal: Seal, tenant: Tenant, outside: httpx.AsyncClient, clock: FrozenClock
) -> None:
    told = {**JASMIN, "url": "http://127.0.0.1:1401/send", "password": SECRET, "webhook_token": TOKEN}
    body = {"name": "Jasmin", "kind": "generic", "settings": told}
    account = await editing.create(db, seal, tenant.app, body, now=clock())
    wrote = {"id": "r-1", "from": "+15555550123", "to": "+15555550100", "content": "STOP"}
    answer = await outside.post(f"/carriers/{account.public_id}?token={TOKEN}", data=wrote)
    assert (answer.status_code, answer.text) == (200, "ACK/Jasmin")
    answer = await outside.post(f"/carriers/{account.public_id}?token=x{TOKEN}", data=wrote)
    assert (answer.status_code, answer.content) == (403, b"")
    assert await work(db, seal, account, clock) == 1
    assert await rows(db, "reply") == [("+15555550123", "+15555550100", "STOP")]
