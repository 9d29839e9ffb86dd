"""Single sign-on: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

What belongs to one attempt (state, nonce, verifier, where to go) is sealed into a cookie of the browser that made it,
so that nobody's answer can be brought to another browser. The ID token is checked by PyJWT against the provider's
keys; times are checked by our clock.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import jwt

from heliograph.actions import sign_in, users
from heliograph.errors import BadSetting, Forbidden, Unauthenticated
from heliograph.rules import roles
from heliograph.rules.roles import Grant, Grants
from heliograph.store import users as rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.actions.seal import Seal
    from heliograph.actions.sign_in import Came, Opened
    from heliograph.config import Settings
    from heliograph.rules.roles import Role
    from heliograph.store.database import Conn, Database
    from heliograph.store.users import User

OWNER = "single sign-on"  # what an attempt is sealed for
ATTEMPT = timedelta(minutes=10)
LEEWAY = timedelta(minutes=1)  # that the provider's clock may be apart from ours
FRESH = timedelta(minutes=10)  # for which the provider's addresses and keys are believed
PATIENCE = aiohttp.ClientTimeout(total=10)
MOST_BYTES = 1024 * 1024
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
OK = 200
DID_NOT = "Single sign-on did not work"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where a browser is sent, and what it keeps meanwhile."""

    address: str
    kept: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in."""

    state: str
    nonce: str
    verifier: str
    to: str
    ends: float


class SingleSignOn:
    """The provider that the settings name."""

    def __init__(self, settings: Settings, seal: Seal) -> None:
        if settings.oidc_issuer is None or not settings.oidc_client_id:
            text = (
                "HELIOGRAPH_OIDC_ISSUER and HELIOGRAPH_OIDC_CLIENT_ID are needed for single sign-on, and one is unset"
            )
            raise BadSetting(text, field="HELIOGRAPH_OIDC_CLIENT_ID")
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self.secret = settings.oidc_client_secret
        self.claim = settings.oidc_role_claim
        self.roles = roles.read_mapping(settings.oidc_roles)
        self.seal = seal
        self._found: tuple[datetime, dict[str, Any], jwt.PyJWKSet] | None = None

    async def leave(self, back: str, to: str, *, now: datetime) -> Leaving:
        """Where to send a browser that is to come ``back`` and then go ``to``. Raises Unauthenticated."""
        about, _ = await self._provider(now)
        random = [secrets.token_urlsafe(32) for _ in range(3)]
        attempt = Attempt(*random, to=to, ends=(now + ATTEMPT).timestamp())
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": back,
            "scope": "openid email profile",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        start = self._address(about, "authorization_endpoint")
        text = json.dumps([attempt.state, attempt.nonce, attempt.verifier, attempt.to, attempt.ends])
        kept = base64.urlsafe_b64encode(self.seal.seal(text, owner=OWNER)).decode()
        return Leaving(f"{start}{'&' if '?' in start else '?'}{urlencode(query)}", kept)

    async def come_back(
        self, db: Database, kept: str, answer: Mapping[str, str], back: str, came: Came, *, now: datetime
    ) -> tuple[Opened, str]:
        """A session for whoever the provider says it is, and where they wanted to go.

        Raises :class:`Unauthenticated` when the answer proves nothing, Forbidden for somebody who may not come in.
        """
        attempt = self._attempt(kept, now)
        if not secrets.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise Unauthenticated(f"{DID_NOT}: the answer belongs to another attempt; try again")
        if "error" in answer:
            said = answer.get("error_description") or answer["error"]
            raise Unauthenticated(f"{DID_NOT}: the provider says {said[:200]!r}")
        if answer.get("iss", self.issuer).rstrip("/") != self.issuer:  # RFC 9207
            raise Unauthenticated(f"{DID_NOT}: the answer comes from another provider")
        claims = await self._claims(answer.get("code", ""), attempt, back, now)
        async with db.transaction() as conn:
            user = await self._user(conn, claims, now)
        if user.disabled_at is not None:
            raise Forbidden(f"{user.name} is disabled; an Owner can let them in again")
        await self._give_role(db, user, claims)
        async with db.transaction() as conn:
            user = await rows.get(conn, user.public_id)
            return await sign_in.open_session(
                conn, user, came, half=False, how="by single sign-on", now=now
            ), attempt.to

    # ------------------------------------------------------------ the provider

    async def _provider(self, now: datetime, *, anew: bool = False) -> tuple[dict[str, Any], jwt.PyJWKSet]:
        """What the provider says of itself, and its keys."""
        if self._found is None or anew or self._found[0] <= now - FRESH:
            about = await _ask("GET", f"{self.issuer}/.well-known/openid-configuration")
            if str(about.get("issuer", "")).rstrip("/") != self.issuer:
                raise Unauthenticated(f"{DID_NOT}: {self.issuer} calls itself {str(about.get('issuer'))[:200]!r}")
            keys = await _ask("GET", self._address(about, "jwks_uri"))
            try:
                self._found = now, about, jwt.PyJWKSet.from_dict(keys)
            except jwt.PyJWTError as error:
                raise Unauthenticated(f"{DID_NOT}: the provider's keys cannot be read: {error}") from error
        return self._found[1], self._found[2]

    def _address(self, about: Mapping[str, Any], name: str) -> str:
        found = str(about.get(name, ""))
        if urlsplit(found).scheme not in {"https", urlsplit(self.issuer).scheme} or not urlsplit(found).hostname:
            raise Unauthenticated(f"{DID_NOT}: the provider's {name} is {found[:200]!r}, which is no address of https")
        return found

    async def _claims(self, code: str, attempt: Attempt, back: str, now: datetime) -> dict[str, Any]:
        about, keys = await self._provider(now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
            "client_id": self.client_id,
        }
        headers: dict[str, str] = {}
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self.secret and "client_secret_basic" in methods:
            both = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"  # RFC 6749, section 2.3.1
            headers["Authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
        elif self.secret:
            form["client_secret"] = self.secret
        got = await _ask("POST", self._address(about, "token_endpoint"), form=form, headers=headers)
        token = str(got.get("id_token", ""))
        try:
            head = jwt.get_unverified_header(token)
            known = {key.key_id: key for key in keys.keys}
            if head.get("kid") not in known:  # they have changed since
                _, keys = await self._provider(now, anew=True)
                known = {key.key_id: key for key in keys.keys}
            key = known.get(head.get("kid")) or (keys.keys[0] if len(keys.keys) == 1 and "kid" not in head else None)
            if key is None:
                raise Unauthenticated(f"{DID_NOT}: the ID token is signed with a key that the provider does not show")
            times = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}  # by our clock, below
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self.client_id,
                issuer=[self.issuer, f"{self.issuer}/"],
                options=cast("Any", {"require": ["exp", "iat", "sub", "aud", "iss"], **times}),
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"{DID_NOT}: the ID token proves nothing: {error}") from error
        _check(claims, attempt, self.client_id, now)
        return claims

    def _attempt(self, kept: str, now: datetime) -> Attempt:
        try:
            found = Attempt(*json.loads(self.seal.open(base64.urlsafe_b64decode(kept), owner=OWNER)))
        except (ValueError, TypeError, BadSetting) as error:
            raise Unauthenticated(f"{DID_NOT}: this browser began no attempt; try again") from error
        if found.ends < now.timestamp():
            raise Unauthenticated(f"{DID_NOT}: that took too long; try again")
        return found

    # ------------------------------------------------------------ the user

    async def _user(self, conn: Conn, claims: Mapping[str, Any], now: datetime) -> User:
        """Whom the claims mean: by what the provider calls them, else by an address that it has verified."""
        subject = f"{self.issuer} {claims['sub']}"
        public_id = await rows.find_subject(conn, subject)
        if public_id is not None:
            return await rows.get(conn, public_id)
        email = str(claims.get("email") or "").strip()
        if not email or claims.get("email_verified") is not True:
            raise Forbidden(
                "The provider names no e-mail address of yours that it has verified, so you are nobody here"
            )
        user = await rows.find_email(conn, email.lower())
        role = self._role(claims)
        if user is None:
            if role is None:
                raise Forbidden(f"Nobody has invited {email}; an Owner can")
            name = str(claims.get("name") or email)[: users.LONGEST_NAME]
            user = await users.add_inside(conn, email=email, name=name, grants=Grants(Grant(role)), now=now)
        elif user.sso_subject is not None:
            raise Forbidden(
                f"{email} belongs to somebody whom the provider calls otherwise; an Owner has to look at it"
            )
        await rows.set_subject(conn, user.user_id, subject)
        return user

    async def _give_role(self, db: Database, user: User, claims: Mapping[str, Any]) -> None:
        """Where roles are the provider's to give, the one it gives now. Raises Forbidden where that is none."""
        if not self.roles:
            return
        role = self._role(claims)
        if role is None:
            raise Forbidden(f"The provider's {self.claim} has none of the words that let somebody in here")
        if user.grants.every is None or user.grants.every.role is not role:
            await users.set_grants(db, user, Grants(Grant(role), user.grants.of_app))

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        said: object = claims.get(self.claim)
        words = cast("list[object]", said) if isinstance(said, list) else [said]
        return next((role for word, role in self.roles if word in words), None)


def _check(claims: Mapping[str, Any], attempt: Attempt, client_id: str, now: datetime) -> None:
    """What OpenID Connect Core, section 3.1.3.7, asks beyond signature, issuer and audience."""
    audience = claims["aud"]
    if isinstance(audience, list) and len(cast("list[object]", audience)) > 1 and claims.get("azp") != client_id:
        raise Unauthenticated(f"{DID_NOT}: the ID token is for several, and not made out to us")
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
        raise Unauthenticated(f"{DID_NOT}: the ID token belongs to another attempt")
    try:
        ends, made = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("exp", "iat"))
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthenticated(f"{DID_NOT}: the ID token's times cannot be read") from error
    if ends <= now - LEEWAY or made > now + LEEWAY:
        raise Unauthenticated(f"{DID_NOT}: the ID token is for another time; are the clocks right?")


async def _ask(
    method: str, address: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A JSON object that the provider answers. Raises Unauthenticated."""
    host = urlsplit(address).hostname
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, headers=headers) as session,
            session.request(method, address, data=form, allow_redirects=False) as answer,
        ):
            body = b""
            async for piece in answer.content.iter_chunked(MOST_BYTES):
                body += piece
                if len(body) > MOST_BYTES:
                    raise Unauthenticated(f"{DID_NOT}: {host} answered with more than {MOST_BYTES:,} bytes")
            if answer.status != OK:
                raise Unauthenticated(f"{DID_NOT}: {host} answered {answer.status} to a question of ours")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unauthenticated(f"{DID_NOT}: {host} cannot be reached ({type(error).__name__})") from error
    try:
        found: object = json.loads(body)
    except ValueError as error:
        raise Unauthenticated(f"{DID_NOT}: {host} answered with no JSON") from error
    if not isinstance(found, dict):
        raise Unauthenticated(f"{DID_NOT}: {host} answered with no JSON object")
    return cast("dict[str, Any]", found)
