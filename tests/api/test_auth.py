"""Who gets in: every wrong token, scope and tenant with its own answer, and nobody learns which apps there are."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from heliograph.actions import access
from heliograph.actions.access import Scope
from heliograph.actions.seal import Seal
from heliograph.rules import ids
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

ALL = "/campaign/contactList/getAllListDetails"
CREDENTIALS = "Invalid SDK credentials"


async def ask(api: httpx.AsyncClient, tenant: Tenant, headers: dict[str, str], query: str = "") -> httpx.Response:
    return await api.get(f"{tenant.v2}{ALL}{query}", headers=headers)


def refusal(answer: httpx.Response) -> tuple[int, str, int]:
    body = answer.json()
    assert body["status"] == "error"
    assert body["message"] == body["errors"][0]["msg"]
    return answer.status_code, body["message"], body["errors"][0]["code"]


def unsigned(header: dict[str, Any], claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


async def test_the_documented_token_lets_in_by_either_header(api: httpx.AsyncClient, tenant: Tenant) -> None:
    token = tenant.sign(sub="1234567890")
    for headers in (
        {"auth": token},
        {"AUTH": f" {token} "},
        {"Authorization": f"Bearer {token}"},
        {"authorization": f"bearer {token}"},
    ):
        assert (await ask(api, tenant, headers)).status_code == 200
    assert (await ask(api, tenant, {"auth": tenant.sign(sub=5, iat="soon")})).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"auth": ""}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}])
async def test_no_token_is_refused(api: httpx.AsyncClient, tenant: Tenant, headers: dict[str, str]) -> None:
    assert refusal(await ask(api, tenant, headers)) == (401, CREDENTIALS, 4002)


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "eyJ9.eyJ9.eyJ9", "\u00e4.b.c", "." * 5000, "..", "[]"])
async def test_what_is_no_jwt_is_told_so(api: httpx.AsyncClient, tenant: Tenant, token: str) -> None:
    headers = {b"auth": token.encode("latin-1")}
    answer = await api.get(f"{tenant.v2}{ALL}", headers=headers)
    assert refusal(answer) == (401, "Invalid JWT token", 4002)


@pytest.mark.parametrize("claims", [[], "x", 5, None])
async def test_a_jwt_of_no_claims_is_told_so(api: httpx.AsyncClient, tenant: Tenant, claims: Any) -> None:
    token = unsigned({"alg": "HS256", "typ": "JWT"}, claims)
    assert refusal(await ask(api, tenant, {"auth": token})) == (401, "Invalid JWT token", 4002)


async def test_only_hs256_with_the_client_s_own_secret_counts(
    api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant
) -> None:
    claims = {"appId": tenant.client_id}
    tokens = [
        jwt.encode(claims, "not the secret, though as long as one", algorithm="HS256"),
        jwt.encode(claims, second_tenant.client_secret, algorithm="HS256"),
        jwt.encode(claims, tenant.client_secret, algorithm="HS512"),
        jwt.encode(claims, tenant.client_secret, algorithm="HS384"),
        jwt.encode(claims, "", algorithm="none"),
        unsigned({"alg": "None", "typ": "JWT"}, claims),
        unsigned({"alg": "HS256", "typ": "JWT"}, claims),
        tenant.token[:-4] + ("AAAA" if not tenant.token.endswith("AAAA") else "BBBB"),
    ]
    for token in tokens:
        assert refusal(await ask(api, tenant, {"auth": token})) == (401, CREDENTIALS, 4002), token


@pytest.mark.parametrize("name", ["appid", "App ID", "name", "app_id", "iss"])
async def test_the_claim_is_called_app_id_exactly(api: httpx.AsyncClient, tenant: Tenant, name: str) -> None:
    token = tenant.sign(appId=None, **{name: tenant.client_id})
    assert refusal(await ask(api, tenant, {"auth": token})) == (401, CREDENTIALS, 4002)


@pytest.mark.parametrize("value", [5, "", "cs-", ["x"], "cs-00000000-0000-4000-8000-000000000000", "a\0b", "\ud800"])
async def test_a_client_there_is_not_is_refused(api: httpx.AsyncClient, tenant: Tenant, value: Any) -> None:
    assert refusal(await ask(api, tenant, {"auth": tenant.sign(appId=value)})) == (401, CREDENTIALS, 4002)


async def test_apps_cannot_be_probed(api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant) -> None:
    for app_id in (second_tenant.app.public_id, ids.new("st"), "x", "sms"):
        answer = await api.get(f"/campaign/api/v2/public/{app_id}{ALL}", headers={"auth": tenant.token})
        assert refusal(answer) == (401, CREDENTIALS, 4002)


async def test_exp_and_nbf_are_honoured_when_there(api: httpx.AsyncClient, tenant: Tenant, clock: FrozenClock) -> None:
    now = clock().timestamp()
    for claims in ({"exp": now + 1}, {"exp": now + 0.5}, {"nbf": now}, {"nbf": now - 5, "exp": now + 1e6}):
        assert (await ask(api, tenant, {"auth": tenant.sign(**claims)})).status_code == 200, claims
    for claims, words in (
        ({"exp": now}, "expired at 2026-03-02T06:00:00Z"),
        ({"exp": 0}, "expired at 1970-01-01T00:00:00Z"),
        ({"nbf": now + 60}, "not valid before 2026-03-02T06:01:00Z"),
        ({"exp": "soon"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": 10**400}, "exp is no time"),
        ({"exp": 1e300}, "exp is no time"),
        ({"nbf": []}, "nbf is no time"),
    ):
        status, message, code = refusal(await ask(api, tenant, {"auth": tenant.sign(**claims)}))
        assert (status, code) == (401, 4002)
        assert message.startswith(CREDENTIALS)
        assert words in message


async def test_a_scope_not_granted_is_refused(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    scopes = [Scope.OUTBOUND_SMS, Scope.CONFIGURATION]
    made = await access.create_client(db, seal, tenant.app, name="Narrow", scopes=scopes, now=clock())
    token = access.sign(made.client_id, made.client_secret, now=clock())
    answer = await ask(api, tenant, {"auth": token})
    assert refusal(answer) == (403, "Permission denied. Scope is incorrect!", 4002)


@pytest.mark.parametrize("name", ["iid", "IId", "IID", "botId", "streamId", "accountId", "accountid", "AccountID"])
async def test_what_a_request_claims_besides_is_checked(
    api: httpx.AsyncClient, tenant: Tenant, second_tenant: Tenant, name: str
) -> None:
    account = name.lower() == "accountid"
    own = tenant.app.account_id if account else tenant.app.public_id
    other = second_tenant.app.account_id if account else second_tenant.app.public_id
    auth = {"auth": tenant.token}
    for value in (own, ""):
        assert (await ask(api, tenant, auth, f"?{name}={value}")).status_code == 200
        assert (await ask(api, tenant, auth | {name: value})).status_code == 200
    for answer in (
        await ask(api, tenant, auth, f"?{name}={other}"),
        await ask(api, tenant, auth | {name: other}),
        await ask(api, tenant, auth | {name: own}, f"?{name}={other}"),
        await ask(api, tenant, auth, f"?{name}={own}&{name}=x"),
    ):
        assert refusal(answer)[0] == 403
        assert answer.json()["errors"][0]["field"] == ("accountId" if account else "iid")


async def test_a_client_that_enforces_jti_takes_each_token_once(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    made = await access.create_client(
        db, seal, tenant.app, name="Once", scopes=[Scope.CAMPAIGNS], enforce_jti=True, now=clock()
    )
    now = clock().timestamp()

    async def send(**claims: Any) -> httpx.Response:
        token = jwt.encode({"appId": made.client_id, **claims}, made.client_secret, algorithm="HS256")
        return await ask(api, tenant, {"auth": token})

    for wrong in ({}, {"exp": now + 60}, {"jti": "", "exp": now + 60}, {"jti": 5, "exp": now + 60}, {"jti": "x" * 256}):
        assert refusal(await send(**wrong))[0] == 401
    too_long = (401, 'error verifying the jwt: if "jti" claim "exp" must be <= 1 hour(s)', 401)
    assert refusal(await send(jti="a")) == too_long
    assert refusal(await send(jti="a", exp=now + 3601)) == too_long
    assert refusal(await send(jti="a", iat=now - 10, exp=now + 3595)) == too_long
    assert refusal(await send(jti="a", iat=now + 900, exp=now + 3700)) == too_long
    assert (await send(jti="a", iat=now, exp=now + 3600)).status_code == 200
    replay = (401, "error verifying the jwt: possibly a replay", 401)
    assert refusal(await send(jti="a", iat=now, exp=now + 3600)) == replay
    assert refusal(await send(jti="a", exp=now + 60)) == replay
    assert (await send(jti="b", exp=now + 60)).status_code == 200
    assert (await send(kore_jti="c", exp=now + 60)).status_code == 200
    clock.advance(3601)
    assert (await send(jti="b", exp=clock().timestamp() + 60)).status_code == 200
    async with db.connection() as conn:
        kept = await (await conn.execute("SELECT count(*) FROM used_jti")).fetchone()
    assert kept == (1,), "the outlived ones are gone"


async def test_a_refused_request_does_not_use_a_token_up(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    made = await access.create_client(
        db, seal, tenant.app, name="Once", scopes=[Scope.CAMPAIGNS], enforce_jti=True, now=clock()
    )
    token = access.sign(made.client_id, made.client_secret, now=clock(), lifetime=timedelta(minutes=5))
    assert (await ask(api, tenant, {"auth": token, "accountId": "0" * 24})).status_code == 403
    assert (await ask(api, tenant, {"auth": token})).status_code == 200


async def test_a_minted_token_has_the_scopes_asked_for(
    api: httpx.AsyncClient, tenant: Tenant, db: Database, seal: Seal, clock: FrozenClock
) -> None:
    async def mint(**more: Any) -> str:
        return await access.mint_token(db, seal, app_public_id=tenant.app.public_id, now=clock(), **more)

    assert (await ask(api, tenant, {"auth": await mint()})).status_code == 200
    assert (await ask(api, tenant, {"auth": await mint(scopes=["Campaign Management"])})).status_code == 200
    narrow = await mint(scopes=["Outbound SMS"])
    assert (await ask(api, tenant, {"auth": narrow})).status_code == 403
    again = await mint(scopes=["Outbound SMS"])
    assert jwt.decode(again, options={"verify_signature": False}) == jwt.decode(
        narrow, options={"verify_signature": False}
    ), "the client made for it is used again"
    claims = jwt.decode(await mint(lifetime=timedelta(minutes=1)), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60
    assert claims["jti"]
