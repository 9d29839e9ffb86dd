"""Pages of an app's settings: when texts may leave, how often, what they cost; its clients and its secrets."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import access, app_secrets
from heliograph.actions import app_settings as changing
from heliograph.actions.access import Scope
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import caps, conversation, plain, prices, quiet
from heliograph.store import app_secrets as named
from heliograph.store import app_settings, apps
from heliograph.web import door, retention_page, webhooks_page
from heliograph.web.kit import Sure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.web.door import Form
    from heliograph.web.kit import Kit

SECTION = "settings"
LONGEST_FORM = 100_000


def routes(kit: Kit) -> list[Route]:
    """The addresses of settings."""
    page = Settings(kit)
    at = "/console/{app}/settings"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(at, page.change, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/clients", page.clients, right=SECTION),
        kit.route(f"{at}/clients", page.add_client, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/clients/{{client}}/delete", page.ask_remove, right=SECTION),
        kit.route(f"{at}/clients/{{client}}/delete", page.remove_client, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/secrets", page.secrets, right=SECTION),
        kit.route(f"{at}/secrets", page.put_secret, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/secrets/{{name}}/delete", page.delete_secret, right=SECTION, methods=["POST"]),
        *retention_page.routes(kit),
        *webhooks_page.routes(kit),
    ]


class Settings:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """What the app decides for all its campaigns."""
        return await self._front(request, await self.kit.app(request), {}, {})

    async def change(self, request: Request) -> Response:
        """Change one part of it: the form says which."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        part = form.text("part")
        if part not in _PARTS:
            raise Invalid(f"There is no part {part[:40]!r} of the settings")
        try:
            await changing.update(self.kit.db, app, _PARTS[part](form), now=self.kit.now)
        except HeliographError as error:
            typed = {name: form.text(name) for name in form.sent}
            return await self._front(request, app, typed, {part: error.message}, status=400)
        return self.kit.done(request, f"/console/{app.public_id}/settings", "Saved. It counts from now on.")

    async def clients(self, request: Request) -> Response:
        """Who speaks for the app over the API."""
        return await self._clients(request, await self.kit.app(request), {})

    async def add_client(self, request: Request) -> Response:
        """A new client; its secret is shown this once."""
        form, app = await door.check_form(request), await self.kit.app(request)
        try:
            made = await access.create_client(
                self.kit.db,
                self.kit.sealing,
                app,
                name=form.text("name"),
                scopes=form.all("scope"),
                enforce_jti=form.text("jti") == "yes",
                now=self.kit.now,
            )
        except HeliographError as error:
            return await self._clients(request, app, {"form": error.message}, status=400)
        return await self._clients(request, app, {}, made=made)

    async def ask_remove(self, request: Request) -> Response:
        """What removing a client means."""
        app = await self.kit.app(request)
        client = request.path_params["client"]
        at = f"/console/{app.public_id}/settings/clients"
        sentences = (f"Whoever uses {client} is refused at once, whatever tokens they hold.", "It is for good.")
        title = "Remove this client?"
        asked = Sure(title, sentences, "Remove it", f"{at}/{client}/delete", at)
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def remove_client(self, request: Request) -> Response:
        """Remove it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        name = await access.remove_client(self.kit.db, app, request.path_params["client"])
        return self.kit.done(request, f"/console/{app.public_id}/settings/clients", f"Removed {name}.")

    async def secrets(self, request: Request) -> Response:
        """The app's secrets, by name."""
        return await self._secrets(request, await self.kit.app(request), {}, {})

    async def put_secret(self, request: Request) -> Response:
        """Keep a secret under a name."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        name = form.text("name")
        try:
            body = {"value": form.text("value")}
            kept = await app_secrets.put(self.kit.db, self.kit.sealing, app, name, body, now=self.kit.now)
        except HeliographError as error:
            return await self._secrets(request, app, {"name": name}, {"form": error.message}, status=400)
        return self.kit.done(request, f"/console/{app.public_id}/settings/secrets", f"Kept {kept.name}.")

    async def delete_secret(self, request: Request) -> Response:
        """Forget a secret."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await app_secrets.delete(self.kit.db, app, request.path_params["name"])
        return self.kit.done(request, f"/console/{app.public_id}/settings/secrets", f"Forgot {gone.name}.")

    # ------------------------------------------------------------ what is shown

    async def _front(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        async with self.kit.db.connection() as conn:
            found = await app_settings.get(conn, app.app_id)
        priced = prices.in_force(found.prices)
        law = quiet.told(found.quiet_hours)
        before = {
            "places": json.dumps(law["places"], indent=1, ensure_ascii=False) if law["places"] else "",
            "caps": "\n".join(f"{cap.texts} in {cap.days} days" for cap in caps.in_force(found.frequency_cap)),
            "currency": priced.currency if priced else "",
            "prices": "\n".join(f"{place} {price}" for place, price in priced.per_part.items()) if priced else "",
        }
        values = {
            "found": found,
            "law": law,
            "rules": quiet.shipped(),
            "talks": conversation.told(found.conversations),
            "typed": defaultdict(str, before | dict(typed)),
            "errors": defaultdict(str, errors),
            "tab": "front",
        }
        return await self.kit.page(request, "settings.html", values, section=SECTION, app=app, status=status)

    async def _clients(
        self,
        request: Request,
        app: App,
        errors: Mapping[str, str],
        *,
        made: access.NewClient | None = None,
        status: int = 200,
    ) -> Response:
        async with self.kit.db.connection() as conn:
            there = await apps.list_clients(conn, app.app_id)
        values = {
            "clients": there,
            "scopes": list(Scope),
            "made": made,
            "errors": defaultdict(str, errors),
            "tab": "clients",
        }
        return await self.kit.page(request, "clients.html", values, section=SECTION, app=app, status=status)

    async def _secrets(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        async with self.kit.db.connection() as conn:
            there = await named.list_all(conn, app.app_id)
        values = {
            "secrets": there,
            "typed": defaultdict(str, typed),
            "errors": defaultdict(str, errors),
            "tab": "secrets",
        }
        return await self.kit.page(request, "secrets.html", values, section=SECTION, app=app, status=status)


def _quiet(form: Form) -> dict[str, object]:
    text = form.text("places")
    try:
        places: object = json.loads(text) if text else []
    except ValueError as error:
        raise Invalid(f"The places are no JSON: {error}", field="places") from error
    return {"quietHours": {"enabled": form.text("enabled") == "yes", "places": places}}


def _caps(form: Form) -> dict[str, object]:
    """Lines such as ``3 in 7 days``."""
    found: list[dict[str, int]] = []
    for line in form.text("caps").splitlines():
        numbers = [int(word) for word in line.split() if word.isascii() and word.isdigit()]
        if len(numbers) != 2:  # noqa: PLR2004  # texts and days
            raise Invalid(f"{line[:60]!r} is no cap. It takes a line such as: 3 in 7 days", field="caps")
        found.append({"texts": numbers[0], "days": numbers[1]})
    return {caps.FIELD: found}


def _prices(form: Form) -> dict[str, object]:
    """Lines such as ``GB 0.04``."""
    per_part: dict[str, float] = {}
    for line in form.text("prices").splitlines():
        place, _, price = line.strip().partition(" ")
        try:
            per_part[place.upper()] = float(price)
        except ValueError:
            raise Invalid(f"{line[:60]!r} is no price. It takes a line such as: GB 0.04", field="prices") from None
    return {prices.FIELD: {"currency": form.text("currency"), "perPart": per_part} if per_part else {}}


def _texts(form: Form) -> dict[str, object]:
    return {
        plain.FIELD: form.text("substitutes"),
        "unknownAsk": form.text("ask") == "yes",
        "globalDncAppliesToSms": form.text("dnc") == "yes",
    }


def _talks(form: Form) -> dict[str, object]:
    told: dict[str, object] = {"secondSession": form.text("second")}
    for name in ("answerMinutes", "answersPerHour"):
        text = form.text(name)
        if not text.isascii() or not text.isdigit():
            raise Invalid(f"{name} is {text[:40]!r}. It takes a whole number", field=name)
        told[name] = int(text)
    return {conversation.FIELD: told}


_PARTS: dict[str, Callable[[Form], dict[str, object]]] = {
    "quiet": _quiet,
    "caps": _caps,
    "prices": _prices,
    "texts": _texts,
    "talks": _talks,
}
