"""Lists that pull their people from an API: how one asks, trying that out, and what became of each sync."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from heliograph.actions import lists as editing
from heliograph.actions import pulls
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import pull_body, template
from heliograph.store import app_secrets, list_sources, sync_logs
from heliograph.store.sync_logs import Wanted
from heliograph.web import door
from heliograph.web.list_frame import ListFrame, path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.actions.pulls import Trial
    from heliograph.store.apps import App
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit

MOST_BYTES = 1 << 18
SHOWN_SYNCS = 25
FIELDS = {  # of the form, with the path in the vendor's body that an error names
    "url": "url",
    "method": "method",
    "auth": "auth.authorizationType",
    "authName": "auth.name",
    "authIn": "auth.in",
    "secret": "auth.secret",
    "headers": "headers",
    "payload": "payload",
    "recordsPath": "recordsPath",
    "mapping": "mapping",
    "paging": "paging",
    "pagingAt": "paging.pageParameter",
    "mostPages": "paging.mostPages",
    "minutes": "dataSyncInterval",
}
NEW = dict.fromkeys(FIELDS, "") | {"mapping": "phoneNumber = phone\nfirstName = first_name", "minutes": "60"}
AUTHS = (
    ("none", "It does not ask who we are"),
    ("bearer", "Bearer token"),
    ("basic", "User name and password"),
    ("apiKey", "API key"),
)
PAGINGS = (("", "One answer holds everybody"), ("page", "By a page number"), ("next", "By a link in the answer"))


def routes(kit: Kit) -> list[Route]:
    """The addresses of a list's pull."""
    page = Pages(kit)
    here = "/console/{app}/lists/{list}/pull"
    return [
        kit.route(here, page.show, right="lists"),
        kit.route(here, page.save, right="lists", methods=["POST"]),
        kit.route(f"{here}/try", page.try_out, right="lists", methods=["POST"]),
        kit.route(f"{here}/sync", page.sync, right="lists", methods=["POST"]),
        kit.route(f"{here}/live", page.live, right="lists"),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = ListFrame(kit)

    async def show(self, request: Request) -> Response:
        """What the list is told, and what became of its syncs."""
        app, found = await self.frame.of(request)
        async with self.kit.db.connection() as conn:
            source = await list_sources.find(conn, app.app_id, found.list_id)
        return await self._page(request, app, found, dict(NEW) if source is None else _values(source.config))

    async def save(self, request: Request) -> Response:
        """Have the list pull so from now on."""
        app, found, values = await self._sent(request)
        try:
            body = {pull_body.FIELD: _configuration(values)}
            await editing.update(self.kit.db, app, found.public_id, body, now=self.kit.now)
        except HeliographError as error:
            return await self._page(request, app, found, values, wrong=error)
        minutes = values["minutes"]
        when = f"It is asked now, and every {minutes} minutes." if minutes else "It is asked when you press Sync now."
        return self.kit.done(request, f"{path(app, found)}/pull", f"Kept. {when}")

    async def try_out(self, request: Request) -> Response:
        """Ask once, as the form says, and show what came: nothing is kept."""
        app, found, values = await self._sent(request)
        try:
            body = {pull_body.FIELD: _configuration(values)}
            tried = await pulls.try_out(
                self.kit.db,
                self.kit.sealing,
                app,
                found.public_id,
                body,
                allowed=self.kit.settings.pull_private_networks,
            )
        except HeliographError as error:
            return await self._page(request, app, found, values, wrong=error)
        return await self._page(request, app, found, values, tried=tried)

    async def sync(self, request: Request) -> Response:
        """Ask now."""
        await door.check_form(request)
        app, found = await self.frame.of(request)
        await pulls.ask(self.kit.db, app, found.public_id, now=self.kit.now)
        text = f"{found.name} is being synced; what came of it stands below in a moment."
        return self.kit.done(request, f"{path(app, found)}/pull", text)

    async def live(self, request: Request) -> Response:
        """The syncs, as they come."""
        app, found = await self.frame.of(request)

        async def piece() -> str:
            return self.kit.text("list_syncs.html", await self._syncs(app, found))

        return await self.kit.live(request, piece)

    async def _syncs(self, app: App, found: ContactList) -> dict[str, object]:
        async with self.kit.db.connection() as conn:
            source = await list_sources.find(conn, app.app_id, found.list_id)
            log = await sync_logs.page(conn, app.app_id, found.list_id, Wanted(), skip=0, limit=SHOWN_SYNCS)
        return {"source": source, "syncs": log}

    async def _sent(self, request: Request) -> tuple[App, ContactList, dict[str, str]]:
        form = await door.check_form(request, most=MOST_BYTES)
        app, found = await self.frame.of(request)
        return app, found, {name: form.text(name) for name in FIELDS}

    async def _page(
        self,
        request: Request,
        app: App,
        found: ContactList,
        values: Mapping[str, str],
        *,
        wrong: HeliographError | None = None,
        tried: Trial | None = None,
    ) -> Response:
        at = _at_fault(wrong.field or "") if wrong else ""
        async with self.kit.db.connection() as conn:
            secrets = [one.name for one in await app_secrets.list_all(conn, app.app_id)]
        people = [] if tried is None else tried.records
        shown: dict[str, object] = {
            "values": values,
            "errors": {name: wrong.message if wrong and name == at else "" for name in ("", *FIELDS)},
            "secrets": [("", "Choose a secret"), *((name, name) for name in secrets)],
            "auths": AUTHS,
            "pagings": PAGINGS,
            "tried": tried,
            "tried_columns": list(dict.fromkeys(name for one in people for name in one.fields)),
            "plain": template.plain,
            **await self._syncs(app, found),
        }
        status = 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
        return await self.frame.page(request, "list_pull.html", shown, app, found, tab="pull", status=status)


def _at_fault(field: str) -> str:
    """The field of the form that an error's path names; empty when it is none of them."""
    inner = field.removeprefix(f"{pull_body.FIELD}.")
    known = {place: name for name, place in FIELDS.items()} | {
        "auth.username": "authName",
        "paging.nextLink": "pagingAt",
        "paging.firstPage": "paging",
    }
    if inner in known:
        return known[inner]
    return next((name for name, place in FIELDS.items() if inner.startswith((f"{place}.", f"{place}["))), "")


def _configuration(values: Mapping[str, str]) -> dict[str, object]:
    """The vendor's body, from the form. Raises Invalid for lines that cannot be taken apart."""
    kind = values["auth"] or "none"
    auth: dict[str, object] = {"authorizationType": kind}
    if kind != "none":
        auth |= {"username" if kind == "basic" else "name": values["authName"], "secret": values["secret"]}
        auth["in"] = values["authIn"]
    paging: dict[str, object] | None = None
    if values["paging"]:
        at = "pageParameter" if values["paging"] == "page" else "nextLink"
        paging = {at: values["pagingAt"], "mostPages": values["mostPages"]}
    return {
        "method": values["method"],
        "url": values["url"],
        "auth": auth,
        "headers": [{"key": key, "value": value} for key, value in _pairs(values["headers"], ":", "headers")],
        "payload": _json(values["payload"]) if values["method"] == "POST" else None,
        "recordsPath": values["recordsPath"],
        "mapping": dict(_pairs(values["mapping"], "=", "mapping")),
        "paging": paging,
        "dataSyncInterval": values["minutes"],
    }


def _pairs(text: str, between: str, name: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        key, is_there, value = line.partition(between)
        if not line.strip():
            continue
        if not is_there or not key.strip():
            said = f"{name} has the line {line.strip()[:60]!r}. A line takes a name, {between} and what belongs to it"
            raise Invalid(said, field=f"{pull_body.FIELD}.{FIELDS[name]}")
        found.append((key.strip(), value.strip()))
    return found


def _json(text: str) -> object:
    if not text:
        return None
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError) as error:
        said = f"The payload is no JSON: {error}"
        raise Invalid(said, field=f"{pull_body.FIELD}.payload") from error


def _values(config: Mapping[str, object]) -> dict[str, str]:
    """The form of what is kept."""
    pull = pull_body.parse(config)
    paging = pull.paging
    return {
        "url": pull.url,
        "method": pull.method,
        "auth": pull.auth.kind,
        "authName": pull.auth.name,
        "authIn": pull.auth.place,
        "secret": pull.auth.secret,
        "headers": "\n".join(f"{key}: {value}" for key, value in pull.headers),
        "payload": "" if pull.payload is None else json.dumps(pull.payload, ensure_ascii=False, indent=2),
        "recordsPath": pull.records,
        "mapping": "\n".join(f"{column} = {place}" for column, place in pull.mapping.items()),
        "paging": "" if paging is None else "page" if paging.parameter else "next",
        "pagingAt": "" if paging is None else (paging.parameter or paging.next_link or ""),
        "mostPages": "" if paging is None else str(paging.most),
        "minutes": "" if pull.minutes is None else str(pull.minutes),
    }
