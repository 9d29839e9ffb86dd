"""Who is calling: the token, the app of the path, and what else the request claims to be.

A handler names the scope it needs in its signature and gets a :class:`Call`::

    async def get(call: auth.Campaigns, list_id: ListId) -> Response: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from heliograph.actions import access, audit
from heliograph.actions.access import Scope
from heliograph.actions.seal import Seal
from heliograph.api import envelope, limits, paths
from heliograph.config import Clock, Settings
from heliograph.errors import Invalid
from heliograph.rules.allowance import Allowances
from heliograph.store.apps import App
from heliograph.store.audit import NewEntry
from heliograph.store.database import Database


@dataclass(frozen=True, slots=True)
class House:
    """What every handler may need of the process it runs in."""

    db: Database
    seal: Seal
    settings: Settings
    clock: Clock
    allowances: Allowances


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has been let in: who asks, of which app, by which version of the API, and when."""

    request: Request
    db: Database
    app: App
    client_id: str
    version: paths.Version
    now: datetime

    async def body(self) -> dict[str, object]:
        """The JSON object sent; an empty body is an empty object."""
        return await envelope.json_object(self.request)

    def query(self, name: str) -> str | None:
        """A query value, None when absent or empty."""
        return self.request.query_params.get(name) or None


_TOKEN = APIKeyHeader(name="auth", scheme_name="auth", auto_error=False, description="The bare JWT (HS256).")
_BEARER = HTTPBearer(scheme_name="bearer", auto_error=False, description="The same JWT, the usual way.")

# Words of paths that only ask, or change what comes and goes every day and by the million: no entries of the audit.
EVERYDAY = frozenset(
    "addContacts contacts contact entries optOuts optOut consents callContactAt status audience preview lint simulate "
    "testPull getAllCampaignDetails getAllListDetails conversations inbox".split()
)
LONGEST_WORD = 80

# The names one and the same claim goes by; a query or header name is compared without regard to case.
_APP_NAMES = frozenset({"iid", "botid", "streamid"})
_ACCOUNT_NAMES = frozenset({"accountid"})


def house(request: Request) -> House:
    """What this process was created with."""
    found: House = request.app.state.house
    return found


def allow(scope: Scope) -> Callable[..., Awaitable[Call]]:
    """A dependency that lets in only callers whose client has ``scope`` for the app of the path."""

    async def enter(  # documents what it reads by itself, whatever the case of the names
        request: Request,
        app_id: Annotated[str, Path(alias="appId", description="The app's id, `st-…`.")],
        _auth: Annotated[str | None, Security(_TOKEN)],
        _bearer: Annotated[object, Security(_BEARER)],
        _iid: Annotated[str | None, Header(alias="iid", description="The app's id again; checked when sent.")] = None,
        _account: Annotated[str | None, Query(alias="accountId", description="Checked when sent.")] = None,
        _account2: Annotated[str | None, Header(alias="accountId", description="Checked when sent.")] = None,
    ) -> Call:
        here = house(request)
        now = here.clock()
        caller = await access.authenticate(
            here.db,
            here.seal,
            token=_sent_token(request),
            app_public_id=app_id,
            scope=scope,
            now=now,
            claimed_apps=_claims(request, _APP_NAMES),
            claimed_accounts=_claims(request, _ACCOUNT_NAMES),
        )
        limits.count(request, here.allowances, caller.app.account_id, now)
        _only_sms(request)
        _written_down(request, caller, scope, here.clock)
        version = paths.version(request.scope["path"])
        return Call(request, here.db, caller.app, caller.client_id, version, now)

    return enter


def _written_down(request: Request, caller: access.Caller, scope: Scope, clock: Clock) -> None:
    """Have what a client changes be in the audit: campaigns and settings, but not each text, contact and entry."""
    template: str = request.scope["route"].path
    words = template.partition("{appId}/")[2].split("/")
    if request.method == "GET" or scope is Scope.OUTBOUND_SMS or not EVERYDAY.isdisjoint(words):
        return
    said = (word for word in words if not word.startswith("{"))
    trigger = request.query_params.get("trigger", "")[:LONGEST_WORD]
    named = [str(value) for name, value in request.path_params.items() if name != "appId"]
    entry = NewEntry(
        "client",
        caller.client_id,
        "",  # what it is called is looked up as it is written
        "" if request.client is None else request.client.host,
        " ".join((request.method, *said, trigger)).strip(),
        app=caller.app.public_id,
        what=str(getattr(request.scope["route"], "summary", None) or ""),
        object=named[-1][:LONGEST_WORD] if named else "",
    )
    audit.begin(entry, clock)


def _sent_token(request: Request) -> str | None:
    sent = request.headers.get("auth")
    if sent:
        return sent.strip()
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _claims(request: Request, names: frozenset[str]) -> list[str]:
    sent = [*request.query_params.multi_items(), *request.headers.items()]
    return [value for name, value in sent if value and name.lower() in names]


def _only_sms(request: Request) -> None:
    for kind in request.query_params.getlist("campaignType"):
        if kind and kind.lower() != "sms":
            text = f"campaignType is {kind!r}, and this server runs only sms campaigns"
            raise Invalid(text, field="campaignType")


Campaigns = Annotated[Call, Depends(allow(Scope.CAMPAIGNS))]
OutboundSms = Annotated[Call, Depends(allow(Scope.OUTBOUND_SMS))]
Configuration = Annotated[Call, Depends(allow(Scope.CONFIGURATION))]
