"""How often an account may call, and what every answer says about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from heliograph.actions import access
from heliograph.actions.seal import Seal
from heliograph.api import app as api_app
from heliograph.config import Settings, read
from heliograph.errors import BadSetting
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

LISTS = "/campaign/contactList/getAllListDetails"
TEXT = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."


@pytest.fixture
async def slow(db: Database, seal: Seal, settings: Settings, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a limit of three requests a minute."""
    few = replace(settings, rate_limit_per_minute=3)
    transport = httpx.ASGITransport(api_app.create_api(db, seal, few, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
        yield client


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if "rate" in name or name == "retry-after"}


async def test_the_fourth_of_three_is_refused_in_the_vendors_words_until_its_time_comes(
    slow: httpx.AsyncClient, tenant: Tenant, clock: FrozenClock
) -> None:
    first = await slow.get(tenant.v1 + LISTS, headers=tenant.headers)
    assert told(first) == {
        "ratelimit-limit": "3",
        "ratelimit-remaining": "2",
        "ratelimit-reset": "60",
        "ratelimit": '"minute";r=2;t=60',
        "ratelimit-policy": '"minute";q=3;w=60',
    }
    clock.advance(20.5)
    for left in ("1", "0"):
        answer = await slow.get(tenant.v2 + LISTS, headers=tenant.headers)
        assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (200, left)
    refused = await slow.get(tenant.v2 + LISTS, headers=tenant.headers)
    assert refused.status_code == 429
    assert refused.json() == {"status": "error", "message": TEXT, "errors": [{"msg": TEXT, "code": 429}]}
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == "40"
    assert refused.headers["ratelimit-remaining"] == "0"
    clock.advance(40)
    assert (await slow.get(tenant.v2 + LISTS, headers=tenant.headers)).status_code == 200
    assert (await slow.get(tenant.v2 + LISTS, headers=tenant.headers)).status_code == 429


async def test_refusals_of_other_kinds_count_and_tell_too(slow: httpx.AsyncClient, tenant: Tenant) -> None:
    missing = await slow.get(tenant.v2 + "/campaign/contactList/nothing", headers=tenant.headers)
    assert (missing.status_code, missing.headers["ratelimit-remaining"]) == (404, "2")
    wrong = await slow.get(tenant.v2 + LISTS + "?campaignType=voice", headers=tenant.headers)
    assert (wrong.status_code, wrong.headers["ratelimit-remaining"]) == (400, "1")


async def test_whoever_was_not_let_in_uses_nothing_and_is_told_nothing(slow: httpx.AsyncClient, tenant: Tenant) -> None:
    for _ in range(5):
        stranger = await slow.get(tenant.v2 + LISTS, headers={"auth": "nonsense"})
        assert (stranger.status_code, told(stranger)) == (401, {})
    assert told(await slow.get("/healthz")) == {}
    own = await slow.get(tenant.v2 + LISTS, headers=tenant.headers)
    assert own.headers["ratelimit-remaining"] == "2"


async def test_the_apps_of_an_account_share_and_accounts_do_not(
    slow: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    sister = await access.create_app(db, seal, name="Sister", now=clock(), account_id=tenant.app.account_id)
    token = access.sign(sister.client_id, sister.client_secret, now=clock())
    for _ in range(3):
        await slow.get(tenant.v2 + LISTS, headers=tenant.headers)
    url = f"/campaign/api/v2/public/{sister.app.public_id}{LISTS}"
    assert (await slow.get(url, headers={"auth": token})).status_code == 429
    other = await slow.get(second_tenant.v2 + LISTS, headers=second_tenant.headers)
    assert other.headers["ratelimit-remaining"] == "2"


async def test_zero_is_no_limit_and_no_header(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, tenant: Tenant
) -> None:
    free = api_app.create_api(db, seal, replace(settings, rate_limit_per_minute=0), clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(free), base_url="http://heliograph.test") as client:
        assert told(await client.get(tenant.v2 + LISTS, headers=tenant.headers)) == {}


def test_the_limit_is_6000_unless_set_and_never_below_zero() -> None:
    assert read({}).rate_limit_per_minute == 6000
    assert read({"HELIOGRAPH_RATE_LIMIT_PER_MINUTE": "60"}).rate_limit_per_minute == 60
    with pytest.raises(BadSetting, match="HELIOGRAPH_RATE_LIMIT_PER_MINUTE is '-1'"):
        read({"HELIOGRAPH_RATE_LIMIT_PER_MINUTE": "-1"})
