"""Making and changing carrier accounts: a form that every kind of carrier describes by itself."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import carrier_accounts as editing
from heliograph.actions import carrier_health
from heliograph.carriers import registry
from heliograph.errors import HeliographError, Invalid
from heliograph.store import carrier_accounts, senders
from heliograph.web import door
from heliograph.web.kit import Sure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.carriers.kind import Setting
    from heliograph.config import Settings
    from heliograph.store.apps import App
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.senders import Sender
    from heliograph.web.kit import Kit

SECTION = "senders"
LONGEST_FORM = 200_000  # a gateway described as data is long
SET = "set-"  # what the fields of settings begin with
CALLED = {"smpp": "SMPP", "generic": "Any HTTP gateway", "aws": "AWS"}  # kinds whose name is no name for people
FIRST = ("url", "request", "host", "port", "tls", "system_id", "user", "password", "api_key")  # the order of the form
WANTED = frozenset(FIRST[2:])  # what most accounts need though it may be left out; the rest is there to be unfolded
EXAMPLE = """{"headers": {"authorization": "Bearer {{api_key}}"},
 "json": {"from": "{{from}}", "to": "{{to}}", "text": "{{text}}"}}"""


def routes(kit: Kit) -> list[Route]:
    """The addresses of carrier accounts."""
    page = Accounts(kit)
    at = "/console/{app}/carriers"
    return [
        kit.route(f"{at}/new", page.choose, right=SECTION, act=True),
        kit.route(f"{at}/new/{{kind}}", page.new, right=SECTION, act=True),
        kit.route(f"{at}/new/{{kind}}", page.create, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{account}}", page.one, right=SECTION),
        kit.route(f"{at}/{{account}}", page.change, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{account}}/resume", page.resume, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{account}}/delete", page.ask_delete, right=SECTION),
        kit.route(f"{at}/{{account}}/delete", page.delete, right=SECTION, methods=["POST"]),
    ]


class Accounts:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def choose(self, request: Request) -> Response:
        """Which kind of carrier it is to be."""
        app = await self.kit.app(request)
        known = sorted(registry.KINDS, key=lambda name: (name == "sandbox", name not in CALLED, name))
        kinds = [(name, _called(name), registry.get(name).words) for name in known]
        return await self.kit.page(request, "carrier_kinds.html", {"kinds": kinds}, section=SECTION, app=app)

    async def new(self, request: Request) -> Response:
        """The form of a new account."""
        return await self._form(request, await self.kit.app(request), None, {}, {})

    async def create(self, request: Request) -> Response:
        """Make it."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        kind = request.path_params["kind"]
        typed = _typed(form)
        try:
            settings = _settings(kind, typed, None)
            body = {"name": form.text("name"), "kind": kind, "settings": settings}
            made = await editing.create(self.kit.db, self.kit.sealing, app, body, now=self.kit.now)
        except HeliographError as error:
            typed["name"] = form.text("name")
            return await self._form(request, app, None, typed, _beside(error), status=400)
        told = f"{made.name} is there. Next it needs a sender: the number or name that texts come from."
        return self.kit.done(request, f"/console/{app.public_id}/senders/new?account={made.public_id}", told)

    async def one(self, request: Request) -> Response:
        """An account: its settings, and how it does."""
        app = await self.kit.app(request)
        return await self._form(request, app, await self._account(request, app), {}, {})

    async def change(self, request: Request) -> Response:
        """Change it. Workers open its line anew within a second."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        account = await self._account(request, app)
        typed = _typed(form)
        try:
            body = {"name": form.text("name"), "settings": _settings(account.kind, typed, account)}
            changed = await editing.update(
                self.kit.db, self.kit.sealing, app, account.public_id, body, now=self.kit.now
            )
        except HeliographError as error:
            typed["name"] = form.text("name")
            return await self._form(request, app, account, typed, _beside(error), status=400)
        return self.kit.done(request, f"/console/{app.public_id}/senders", f"{changed.name} goes by this from now on.")

    async def resume(self, request: Request) -> Response:
        """Let texts go through a paused account again."""
        await door.check_form(request)
        app = await self.kit.app(request)
        resumed = await editing.resume(self.kit.db, app, request.path_params["account"])
        told = f"{resumed.name} is tried again; if its carrier still refuses, it is paused again."
        return self.kit.done(request, f"/console/{app.public_id}/senders", told)

    async def ask_delete(self, request: Request) -> Response:
        """What deleting it means."""
        app = await self.kit.app(request)
        account = await self._account(request, app)
        at = f"/console/{app.public_id}/carriers/{account.public_id}"
        sentences = ("Its settings and its secrets are gone for good.", "It is refused while a sender uses it.")
        title = f"Delete {account.name}?"
        asked = Sure(title, sentences, "Delete for good", f"{at}/delete", at)
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await editing.delete(self.kit.db, app, request.path_params["account"], now=self.kit.now)
        return self.kit.done(request, f"/console/{app.public_id}/senders", f"Deleted {gone.name}.")

    async def _account(self, request: Request, app: App) -> CarrierAccount:
        async with self.kit.db.connection() as conn:
            return await carrier_accounts.get_named(conn, app.app_id, request.path_params["account"])

    async def _form(  # a page of a new or a known account, with what was typed and what was wrong with it
        self,
        request: Request,
        app: App,
        account: CarrierAccount | None,
        typed: Mapping[str, str],
        errors: Mapping[str, str],
        *,
        status: int = 200,
    ) -> Response:
        kind = request.path_params["kind"] if account is None else account.kind
        described = registry.get(kind)
        health: carrier_health.Health | None = None
        there: list[Sender] = []
        if account is not None:
            async with self.kit.db.connection() as conn:
                (health,) = await carrier_health.read(conn, app.app_id, [account], now=self.kit.now)
                there = await senders.list_of_account(conn, app.app_id, account.account_id)
        before = {} if account is None else {"name": account.name} | _told(account.settings)
        values = {
            "kind": kind,
            "called": _called(kind),
            "words": described.words,
            "settings": sorted(described.settings, key=_place),
            "first": [one.name for one in described.settings if _is_first(one)],
            "label": _label,
            "example": EXAMPLE,
            "account": account,
            "health": health,
            "senders": there,
            "calls_us": described.webhook is not None,
            "hook": _hook(request, self.kit.settings, account),
            "typed": defaultdict(str, before | dict(typed)),
            "errors": defaultdict(str, errors),
        }
        return await self.kit.page(request, "carrier.html", values, section=SECTION, app=app, status=status)


def _called(kind: str) -> str:
    return CALLED.get(kind, kind.capitalize())


def _is_first(setting: Setting) -> bool:
    return setting.required or setting.name in WANTED


def _place(setting: Setting) -> tuple[bool, int]:
    """Where a setting stands in the form: what most accounts need first."""
    return not _is_first(setting), (*FIRST, setting.name).index(setting.name)


def _label(name: str) -> str:
    """A setting's name as a field is called: a time says its unit, and what is short for something is written large."""
    known = {"url": "URL", "tls": "TLS", "ca": "CA", "ton": "TON", "npi": "NPI", "tlvs": "TLVs", "api": "API"}
    words = [known.get(word, word) for word in name.removesuffix("_s").split("_")]
    told = " ".join(words)
    return told[0].upper() + told[1:] + (", in seconds" if name.endswith("_s") else "")


def _hook(request: Request, settings: Settings, account: CarrierAccount | None) -> str:
    """Where the carrier calls us: at the public address, else as this browser reaches us."""
    if account is None:
        return ""
    here = f"{request.scope['scheme']}://{request.headers['host']}/carriers/{account.public_id}"
    return settings.webhook_url(account.public_id) or here


def _typed(form: door.Form) -> dict[str, str]:
    return {name.removeprefix(SET): form.text(name) for name in form.sent if name.startswith(SET)}


def _told(settings: Mapping[str, object]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}


def _settings(kind: str, typed: Mapping[str, str], account: CarrierAccount | None) -> dict[str, object]:
    """The settings that were typed. A secret left empty stays what it is; anything else left empty is not set.

    What a kind takes for a number or an object is read as JSON; everything else is the words as they stand.
    """
    described = {one.name: one for one in registry.get(kind).settings}
    found: dict[str, object] = {}
    for name, text in typed.items():
        setting = described.get(name)
        if setting is None:
            raise Invalid(f"A carrier of kind {kind} has no setting {name[:40]!r}", field=f"settings.{name}")
        if text:
            found[name] = _value(setting, text)
        elif account is not None and name in account.settings:
            found[name] = None
    return found


def _value(setting: Setting, text: str) -> object:
    if setting.secret:
        return text
    try:
        read: object = json.loads(text)
    except ValueError:
        return text
    plain = isinstance(read, str) or (isinstance(read, int | float) and not isinstance(read, bool))
    if plain and not isinstance(setting.default, int | float) and not _takes_a_number(setting):
        return text
    return read


def _takes_a_number(setting: Setting) -> bool:
    words = setting.takes.casefold()
    return any(word in words for word in (" from ", "number", "seconds", " to ", "true")) and "phone" not in words


def _beside(error: HeliographError) -> dict[str, str]:
    return {(error.field or "form").removeprefix("settings."): error.message}
