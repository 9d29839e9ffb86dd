"""How carrier accounts do, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.store import carrier_accounts, carrier_counts, lines

if TYPE_CHECKING:
    from httpx import AsyncClient

    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def account(db: Database, tenant: Tenant) -> CarrierAccount:
    async with db.connection() as conn:
        return (await carrier_accounts.list_all(conn, tenant.app.app_id))[0]


async def health(api: AsyncClient, tenant: Tenant) -> dict[str, Any]:
    answer = await api.get(f"{tenant.v2}/carrierAccounts/Sandbox/health", headers=tenant.headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["data"]
    return found


def standing(account: CarrierAccount, state: str, clock: FrozenClock, words: str = "") -> lines.Standing:
    return lines.Standing(account.app_id, account.account_id, state, clock(), words)


async def test_an_account_nobody_sends_through_is_closed(api: AsyncClient, tenant: Tenant) -> None:
    found = await health(api, tenant)
    assert (found["state"], found["lines"], found["lastHour"], found["receiptSeconds"]) == ("closed", [], {}, None)


async def test_an_account_is_up_while_one_line_is_and_forgets_workers_that_are_gone(
    api: AsyncClient, tenant: Tenant, db: Database, account: CarrierAccount, clock: FrozenClock
) -> None:
    async with db.connection() as conn:
        await lines.put(conn, "one:1", [standing(account, "up", clock)], now=clock())
        clock.advance(5)
        await lines.put(conn, "two:2", [standing(account, "down", clock, "no route to it")], now=clock())
    found = await health(api, tenant)
    assert (found["state"], [line["state"] for line in found["lines"]]) == ("up", ["up", "down"])
    clock.advance(12)
    found = await health(api, tenant)
    assert (found["state"], found["lastWords"], len(found["lines"])) == ("down", "no route to it", 1)
    clock.advance(10)
    assert (await health(api, tenant))["state"] == "closed"


async def test_what_its_carrier_said_is_counted_for_an_hour(
    api: AsyncClient, tenant: Tenant, db: Database, account: CarrierAccount, clock: FrozenClock
) -> None:
    def counted(what: str, n: int) -> carrier_counts.Count:
        return carrier_counts.Count(account.app_id, account.account_id, what, n)

    async with db.connection() as conn:
        for _ in range(2):
            await carrier_counts.add(conn, [counted("accepted", 300), counted("refused:30003", 2)], now=clock())
    clock.advance(25)
    found = await health(api, tenant)
    assert found["lastHour"] == {"accepted": 600, "refused:30003": 4}
    assert found["textsPerSecond"] == 20
    clock.advance(3600)
    found = await health(api, tenant)
    assert (found["lastHour"], found["textsPerSecond"]) == ({}, 0)
    async with db.connection() as conn:
        await carrier_counts.forget(conn, before=clock() - timedelta(hours=1))
        left = await carrier_counts.sums(
            conn, account.app_id, [account.account_id], after=clock() - timedelta(days=1), before=clock()
        )
    assert left == {account.account_id: {}}


async def test_a_paused_account_says_why_until_it_is_resumed(
    api: AsyncClient, tenant: Tenant, db: Database, account: CarrierAccount, clock: FrozenClock
) -> None:
    async with db.connection() as conn:
        stale = await carrier_accounts.pause(conn, account.app_id, account.account_id, "no", version=99, now=clock())
        assert stale is None, "what was said of settings that are no longer there is not about those of now"
        version = account.version
        await carrier_accounts.pause(
            conn, account.app_id, account.account_id, "bad login", version=version, now=clock()
        )
    found = await health(api, tenant)
    assert (found["state"], found["lastWords"]) == ("paused", "bad login")
    answer = await api.post(f"{tenant.v2}/carrierAccounts/Sandbox/resume", headers=tenant.headers)
    assert answer.status_code == 200
    assert (await health(api, tenant))["state"] == "closed"
