"""Who may come in: making apps and clients, minting tokens, and checking them.

A token is a JWT signed with the client's secret (HS256 and nothing else). Its claim ``appId`` names the
*client* (``cs-...``); the app is named by the path of the request, and the client must belong to it. A token
needs no ``exp``; ``exp`` and ``nbf`` are honoured when there.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

import jwt

from heliograph.actions import audit
from heliograph.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from heliograph.rules import ids
from heliograph.store import apps, carrier_accounts, dnc, senders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.actions.seal import Seal
    from heliograph.store.apps import App, Door
    from heliograph.store.database import Conn, Database

# The vendor's texts, word for word: clients compare them.
BAD_CREDENTIALS = "Invalid SDK credentials"
NOT_A_JWT = "Invalid JWT token"
WRONG_SCOPE = "Permission denied. Scope is incorrect!"
JTI_TOO_LONG = 'error verifying the jwt: if "jti" claim "exp" must be <= 1 hour(s)'
JTI_REPLAYED = "error verifying the jwt: possibly a replay"

ALGORITHM = "HS256"
JTI_LIFETIME = timedelta(hours=1)
JTI_LENGTH = 255
NAME_LENGTH = 200


class Scope(StrEnum):
    """What a client may be allowed, in the vendor's words."""

    CAMPAIGNS = "Campaign Management"
    OUTBOUND_SMS = "Outbound SMS"
    CONFIGURATION = "Configuration"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose token was checked."""

    app: App
    client_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client just made. The secret is shown this once."""

    client_id: str
    client_secret: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app just made, with its first client. The secret is shown this once."""

    app: App
    client_id: str
    client_secret: str


async def create_app(db: Database, seal: Seal, *, name: str, now: datetime, account_id: str | None = None) -> NewApp:
    """A new app that can text at once: a client with every scope, a sandbox carrier for any caller id, a DNC list.

    Without ``account_id`` it gets an account of its own. Raises :class:`Invalid`.
    """
    _check_name(name)
    if account_id is not None and not (len(account_id) == 24 and set(account_id) <= set("0123456789abcdef")):  # noqa: PLR2004  # the vendor's account ids
        raise Invalid(f"accountId is {account_id!r}, and 24 hex digits are expected", field="accountId")
    async with db.transaction() as conn:
        account = account_id or ids.new_hex24()
        await apps.add_account(conn, account, now=now)
        app = await apps.add(
            conn,
            public_id=ids.new("st"),
            account_id=account,
            org_id=ids.new("o"),
            owner_id=ids.new("u"),
            name=name,
            now=now,
        )
        carrier = await carrier_accounts.add(
            conn, app.app_id, public_id=ids.new("ca"), name="Sandbox", kind="sandbox", settings={}, now=now
        )
        await senders.add(conn, app.app_id, address=senders.ANY, account_id=carrier.account_id, now=now)
        await dnc.create(
            conn, app.app_id, name="Default Global DNC", is_default=True, is_global=True, now=now, description=""
        )
        client = await _add_client(conn, seal, app, name=name, scopes=tuple(Scope), enforce_jti=False, now=now)
    return NewApp(app, client.client_id, client.client_secret)


async def create_client(
    db: Database,
    seal: Seal,
    app: App,
    *,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    enforce_jti: bool = False,
) -> NewClient:
    """A new client of the app. Raises :class:`Invalid` for a scope there is not."""
    _check_name(name)
    _check_scopes(scopes)
    async with db.transaction() as conn:
        made = await _add_client(conn, seal, app, name=name, scopes=scopes, enforce_jti=enforce_jti, now=now)
        audit.tell(f"Made the client {name}, which may {', '.join(made.scopes)}", object=made.client_id)
    return made


async def remove_client(db: Database, app: App, client_id: str) -> str:
    """Take a client away from the app; answers its name. Its tokens are refused at once.

    Raises NotFound, and Conflict for the last one: nothing could speak for the app any more.
    """
    async with db.transaction() as conn:
        await apps.hold(conn, app.app_id)
        if len(await apps.list_clients(conn, app.app_id)) == 1:
            raise Conflict(f"{client_id} is the last client of {app.name}; make another one first")
        name = (await apps.remove_client(conn, app.app_id, client_id)).name
        audit.tell(f"Removed the client {name}", object=client_id)
    return name


async def _add_client(
    conn: Conn, seal: Seal, app: App, *, name: str, scopes: Sequence[str], enforce_jti: bool, now: datetime
) -> NewClient:
    made = NewClient(ids.new("cs"), secrets.token_urlsafe(48), tuple(str(scope) for scope in scopes))
    await apps.add_client(
        conn,
        app.app_id,
        public_id=made.client_id,
        name=name,
        secret_sealed=seal.seal(made.client_secret, owner=made.client_id),
        scopes=made.scopes,
        enforce_jti=enforce_jti,
        now=now,
    )
    return made


async def mint_token(
    db: Database,
    seal: Seal,
    *,
    app_public_id: str,
    now: datetime,
    client_id: str | None = None,
    scopes: Sequence[str] | None = None,
    lifetime: timedelta | None = None,
) -> str:
    """A token for an app, signed as one of its clients.

    ``client_id`` chooses the client; ``scopes`` one with exactly these scopes, made when there is none;
    neither, the app's first client. ``lifetime`` gives the token an end, and a ``jti`` with it.
    Raises NotFound for an app or client there is not, Invalid for a scope there is not.
    """
    async with db.connection() as conn:
        app = await apps.get(conn, app_public_id)
        clients = await apps.list_clients(conn, app.app_id)
    if client_id is not None:
        clients = [client for client in clients if client.public_id == client_id]
    elif scopes is not None:
        _check_scopes(scopes)
        clients = [client for client in clients if set(client.scopes) == set(scopes)]
        if not clients:
            name = "Tokens for " + ", ".join(scopes)
            made = await create_client(db, seal, app, name=name, scopes=scopes, now=now)
            return sign(made.client_id, made.client_secret, now=now, lifetime=lifetime)
    if not clients:
        raise NotFound(f"App {app_public_id} has no client {client_id or ''}".rstrip(), field="clientId")
    chosen = clients[0]
    if chosen.enforce_jti and lifetime is None:
        lifetime = JTI_LIFETIME
    secret = seal.open(chosen.secret_sealed, owner=chosen.public_id)
    return sign(chosen.public_id, secret, now=now, lifetime=lifetime)


def sign(client_id: str, secret: str, *, now: datetime, lifetime: timedelta | None = None) -> str:
    """A token as a customer would make it: no end unless a lifetime is given, which brings a ``jti`` too."""
    claims: dict[str, object] = {"appId": client_id, "sub": "heliograph", "iat": int(now.timestamp())}
    if lifetime is not None:
        claims |= {"exp": int((now + lifetime).timestamp()), "jti": str(uuid.uuid4())}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def _check_name(name: str) -> None:
    if not name.strip() or "\0" in name or len(name) > NAME_LENGTH:
        raise Invalid(f"name is {name[:60]!r}, and 1 to {NAME_LENGTH} characters are expected", field="name")


def _check_scopes(scopes: Sequence[str]) -> None:
    known = ", ".join(Scope)
    if not scopes:
        raise Invalid(f"scopes is empty, and at least one of these is expected: {known}", field="scopes")
    for scope in scopes:
        if scope not in set(Scope):
            raise Invalid(f"scope is {scope!r}, and one of these is expected: {known}", field="scopes")


# ---------------------------------------------------------------- checking a token


async def authenticate(
    db: Database,
    seal: Seal,
    *,
    token: str | None,
    app_public_id: str,
    scope: Scope,
    now: datetime,
    claimed_apps: Sequence[str] = (),
    claimed_accounts: Sequence[str] = (),
) -> Caller:
    """The caller, if the token proves who it is and it may do ``scope`` in this app.

    ``claimed_apps`` and ``claimed_accounts`` are the app and account ids that the request names besides;
    each must be the app's own. An app there is not, and one of somebody else, are refused in the same
    words, so that nobody can find out which apps there are.

    Raises :class:`Unauthenticated` when unproven, :class:`Forbidden` when proven but not allowed.
    """
    if not token:
        raise Unauthenticated(BAD_CREDENTIALS, field="auth")
    client_id = _claimed_client(token)
    async with db.connection() as conn:
        door = await apps.find_door(conn, client_public_id=client_id, app_public_id=_storable(app_public_id))
    if door is None:
        raise Unauthenticated(BAD_CREDENTIALS, field="auth")
    claims = _verified(token, seal.open(door.secret_sealed, owner=door.client_id))
    expires = _check_times(claims, now)
    if scope not in door.scopes:
        raise Forbidden(WRONG_SCOPE, field="auth")
    _check_claimed("iid", claimed_apps, door.app_public_id)
    _check_claimed("accountId", claimed_accounts, door.account_id)
    if door.enforce_jti:
        await _use_up(db, door, claims, expires, now)
    return Caller(door.app, door.client_id, frozenset(door.scopes))


def _claimed_client(token: str) -> str:
    """The client a token says it comes from, before anything is proven."""
    try:
        unverified = jwt.PyJWS().decode_complete(token, options={"verify_signature": False})
        claims: object = json.loads(cast("bytes", unverified["payload"]))
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unauthenticated(NOT_A_JWT, field="auth") from error
    if not isinstance(claims, dict):
        raise Unauthenticated(NOT_A_JWT, field="auth")
    client_id = cast("dict[str, object]", claims).get("appId")
    if not isinstance(client_id, str) or not ids.looks_like("cs", client_id):
        raise Unauthenticated(BAD_CREDENTIALS, field="auth")
    return client_id


def _verified(token: str, secret: str) -> dict[str, object]:
    try:
        payload = jwt.PyJWS().decode(token, secret, algorithms=[ALGORITHM])
    except jwt.PyJWTError as error:
        raise Unauthenticated(BAD_CREDENTIALS, field="auth") from error
    return cast("dict[str, object]", json.loads(cast("bytes", payload)))


def _check_times(claims: dict[str, object], now: datetime) -> datetime | None:
    """Honour ``exp`` and ``nbf`` by our clock (PyJWT would use its own); returns when the token ends."""
    expires, starts = _moment(claims, "exp"), _moment(claims, "nbf")
    if expires is not None and expires <= now:
        raise Unauthenticated(f"{BAD_CREDENTIALS}: the token expired at {expires:%Y-%m-%dT%H:%M:%SZ}", field="auth")
    if starts is not None and starts > now:
        text = f"{BAD_CREDENTIALS}: the token is not valid before {starts:%Y-%m-%dT%H:%M:%SZ}"
        raise Unauthenticated(text, field="auth")
    return expires


def _moment(claims: dict[str, object], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(name)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:  # a word, a NaN, a year beyond the calendar
        raise Unauthenticated(f"{BAD_CREDENTIALS}: claim {name} is no time in seconds", field="auth") from error


async def _use_up(db: Database, door: Door, claims: dict[str, object], expires: datetime | None, now: datetime) -> None:
    """For a client that enforces it: a token with a jti, of at most an hour, works once."""
    jti = claims.get("jti", claims.get("kore_jti"))
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH or _storable(jti) != jti:
        raise Unauthenticated(f"{BAD_CREDENTIALS}: this client's tokens need a jti, a text", field="auth")
    issued = _moment(claims, "iat") or now
    if expires is None or expires - min(issued, now) > JTI_LIFETIME:
        raise Unauthenticated(JTI_TOO_LONG, field="auth")
    async with db.connection() as conn:
        await apps.forget_jtis(conn, door.app_id, door.client_id, now=now)
        fresh = await apps.use_jti(conn, door.app_id, door.client_id, jti, expires_at=expires)
    if not fresh:
        raise Unauthenticated(JTI_REPLAYED, field="auth")


def _storable(text: str) -> str:
    """The text without what PostgreSQL could not even compare with (NUL, half a surrogate pair)."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _check_claimed(name: str, claimed: Sequence[str], own: str) -> None:
    for value in claimed:
        if value != own:
            raise Forbidden(f"{name} is {value[:80]!r}, which is not the one these credentials belong to", field=name)
