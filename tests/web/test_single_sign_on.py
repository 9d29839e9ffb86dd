"""Single sign-on against a provider of our own on loopback, which lies where a test wants it to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette

from heliograph.actions import users
from heliograph.actions.seal import Seal
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.web import door
from heliograph.web.app import create_web, mount
from tests.web.conftest import KEY, signed_in
from tests.web.test_sign_in import entries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

SIGNING = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """Says of itself what it is told to say."""

    clock: Clock
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = SIGNING
    algorithm: str = "RS256"
    kid: str = "one"
    challenges: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    auths: list[str] = field(default_factory=list)

    async def about(self, _request: web.Request) -> web.Response:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return web.json_response({"issuer": self.issuer} | {key: self.issuer + at for key, at in paths.items()})

    async def keys(self, _request: web.Request) -> web.Response:
        public = RSAAlgorithm.to_jwk(SIGNING.public_key(), as_dict=True)
        return web.json_response({"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]})

    async def token(self, request: web.Request) -> web.Response:
        sent = await request.post()
        self.auths.append(request.headers.get("Authorization", ""))
        digest = hashlib.sha256(str(sent["code_verifier"]).encode()).digest()
        code = str(sent["code"])
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenges.pop(code, None):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(self.clock().timestamp())
        usual = {
            "iss": self.issuer,
            "aud": "us",
            "sub": "s-1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonces[code],
        }
        claims = {key: value for key, value in (usual | self.claims).items() if value is not None}
        key: Any = "none" * 16 if self.algorithm == "HS256" else self.key
        signed = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.kid})
        return web.json_response({"id_token": signed, "access_token": "x"})

    def agree(self, address: str) -> dict[str, str]:
        """What a browser that is sent there brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["code_challenge_method"]) == ("us", "S256")
        code = f"code-{len(self.nonces)}"
        self.challenges[code], self.nonces[code] = asked["code_challenge"], asked["nonce"]
        return {"code": code, "state": asked["state"], "iss": self.issuer}


@pytest.fixture
async def provider(clock: Clock) -> AsyncIterator[Provider]:
    made = Provider(clock, claims={"email": "grace@example.com", "email_verified": True, "name": "Grace Hopper"})
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.about)
    app.router.add_get("/keys", made.keys)
    app.router.add_post("/token", made.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@contextlib.asynccontextmanager
async def console(
    db: Database, settings: Settings, clock: Clock, provider: Provider, **changes: Any
) -> AsyncIterator[httpx.AsyncClient]:
    set_up = replace(settings, oidc_issuer=provider.issuer, oidc_client_id="us", **changes)
    whole = Starlette()
    mount(whole, create_web(db, set_up, clock, Seal(KEY)))
    async with signed_in(whole) as browser:
        yield browser


async def go(browser: httpx.AsyncClient, provider: Provider, **changed: str) -> httpx.Response:
    there = await browser.get("/console/sso/start?next=/console/me")
    assert there.status_code == 303, there.text
    answer = provider.agree(there.headers["location"]) | changed
    return await browser.get("/console/sso/back", params=answer)


async def invited(db: Database, clock: Clock) -> None:
    await users.add(db, email="Grace@example.com", name="Grace", grants=Grants(Grant(Role.SUPERVISOR)), now=clock())


async def test_whoever_was_invited_comes_in_as_what_they_were_invited(
    db: Database, settings: Settings, clock: Clock, provider: Provider
) -> None:
    await invited(db, clock)
    async with console(db, settings, clock, provider, oidc_client_secret="s3cret") as browser:
        assert "Single sign-on" in (await browser.get(door.SIGN_IN)).text
        answer = await go(browser, provider)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/me"), answer.text
        assert "Supervisor" in (await browser.get("/console/me")).text
        assert provider.auths == ["Basic " + base64.b64encode(b"us:s3cret").decode()]
        provider.claims["email"] = "another@example.com"  # known by what the provider calls them from now on
        assert (await go(browser, provider)).status_code == 303
    assert (await entries(db))[0].what == "Signed in by single sign-on"


async def test_roles_may_be_the_providers_to_give_and_to_take(
    db: Database, settings: Settings, clock: Clock, provider: Provider
) -> None:
    mapping = {"oidc_roles": "sms-admins=Owner, marketing=Supervisor, desk=Agent"}
    async with console(db, settings, clock, provider, **mapping) as browser:
        provider.claims["groups"] = ["everybody", "marketing", "desk"]
        assert (await go(browser, provider)).status_code == 303
        assert "Supervisor" in (await browser.get("/console/me")).text
        provider.claims["groups"] = "desk"
        assert (await go(browser, provider)).status_code == 303
        assert "Agent" in (await browser.get("/console/me")).text
        provider.claims["groups"] = ["everybody"]
        answer = await go(browser, provider)
        assert answer.status_code == 401
        assert "none of the words" in answer.text


async def test_whoever_was_not_invited_is_turned_away(
    db: Database, settings: Settings, clock: Clock, provider: Provider
) -> None:
    async with console(db, settings, clock, provider) as browser:
        assert "Nobody has invited grace@example.com" in (await go(browser, provider)).text
        await invited(db, clock)
        for unproven in (False, "true", None):
            provider.claims["email_verified"] = unproven
            assert "that it has verified" in (await go(browser, provider)).text
        assert (await browser.get("/console/me")).status_code == 303


LIES: list[dict[str, Any]] = [
    {"claims": {"aud": "somebody-else"}},
    {"claims": {"aud": ["us", "them"]}},
    {"claims": {"iss": "https://evil.example.com"}},
    {"claims": {"nonce": "another"}},
    {"claims": {"nonce": None}},
    {"claims": {"exp": 1}},
    {"claims": {"exp": None}},
    {"claims": {"iat": 1 << 40}},
    {"claims": {"sub": None}},
    {"key": OTHER},
    {"key": OTHER, "kid": "two"},
    {"algorithm": "HS256"},
    {"algorithm": "none"},
]


async def test_a_token_that_proves_nothing_lets_nobody_in(
    db: Database, settings: Settings, clock: Clock, provider: Provider
) -> None:
    await invited(db, clock)
    truth = dict(provider.claims)
    async with console(db, settings, clock, provider) as browser:
        for lie in LIES:
            provider.claims, provider.key, provider.kid = truth | lie.get("claims", {}), lie.get("key", SIGNING), "one"
            provider.algorithm, provider.kid = lie.get("algorithm", "RS256"), lie.get("kid", "one")
            if provider.algorithm == "none":
                provider.key = None  # type: ignore[assignment]
            answer = await go(browser, provider)
            assert answer.status_code == 401, lie
            assert "Single sign-on did not work" in answer.text, lie
        assert (await browser.get("/console/me")).status_code == 303


async def test_an_answer_of_another_attempt_or_browser_lets_nobody_in(
    db: Database, settings: Settings, clock: Any, provider: Provider
) -> None:
    await invited(db, clock)
    async with console(db, settings, clock, provider) as browser:
        assert "another attempt" in (await go(browser, provider, state="x")).text
        assert "another provider" in (await go(browser, provider, iss="https://evil.example.com")).text
        assert "access_denied" in (await go(browser, provider, error="access_denied")).text
        assert "answered 400" in (await go(browser, provider, code="guessed")).text
        there = await browser.get("/console/sso/start")
        answer = provider.agree(there.headers["location"])
        browser.cookies.delete("heliograph_sso", path="/console/sso/back")
        assert "began no attempt" in (await browser.get("/console/sso/back", params=answer)).text
        there = await browser.get("/console/sso/start")
        clock.advance(601)
        answer = provider.agree(there.headers["location"])
        assert "took too long" in (await browser.get("/console/sso/back", params=answer)).text


async def test_a_provider_that_is_gone_is_told_of(
    db: Database, settings: Settings, clock: Clock, provider: Provider
) -> None:
    async with console(db, settings, clock, replace(provider, issuer="http://127.0.0.1:9")) as browser:
        answer = await browser.get("/console/sso/start")
        assert answer.status_code == 401
        assert "127.0.0.1 cannot be reached" in answer.text
