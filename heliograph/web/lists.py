"""Lists of people: all of them, a new one, what a list is called, and deleting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import lists as editing
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import pull
from heliograph.rules.wording import counted, people
from heliograph.store import campaign_links, imports, list_sources, lists
from heliograph.web import door, list_imports, list_people, list_pulls
from heliograph.web.kit import Sure
from heliograph.web.list_frame import ListFrame, path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit

FIELDS = ("name", "description", "source", "allowDuplicates")
SOURCES = {  # the vendor's names in words
    "localDrive": "Files",
    "passiveApi": "The API",
    "passiveApiIntegration": "The API",
    "apiIntegration": "Pulled from an API",
}


def routes(kit: Kit) -> list[Route]:
    """The addresses of lists and of everything on them."""
    page = Pages(kit)
    here, one = "/console/{app}/lists", "/console/{app}/lists/{list}"
    return [
        kit.route(here, page.all, right="lists"),
        kit.route(here, page.create, right="lists", methods=["POST"]),
        kit.route(f"{here}/new", page.new, right="lists"),
        kit.route(f"{one}/settings", page.edit, right="lists"),
        kit.route(f"{one}/settings", page.update, right="lists", methods=["POST"]),
        kit.route(f"{one}/delete", page.ask, right="lists"),
        kit.route(f"{one}/delete", page.delete, right="lists", methods=["POST"]),
        *list_imports.routes(kit),
        *list_pulls.routes(kit),
        *list_people.routes(kit),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """A list among the others."""

    found: ContactList
    source: str
    users: list[tuple[str, str]]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = ListFrame(kit)

    async def all(self, request: Request) -> Response:
        """The app's lists, the newest first, found by a piece of their name."""
        app = await self.kit.app(request)
        search = request.query_params.get("search", "").strip()[:100]
        async with self.kit.db.connection() as conn:
            known = await lists.list_all(conn, app.app_id)
            found = [one for one in reversed(known) if search.lower() in one.lname]
            users = await campaign_links.using(conn, app.app_id, [one.list_id for one in found])
        values: dict[str, object] = {
            "rows": [Row(one, SOURCES.get(one.source, one.source), users.get(one.list_id, [])) for one in found],
            "search": search,
            "any": bool(known),
            "about": f"{people(sum(one.contact_count for one in known)).capitalize()} on {counted(len(known), 'list')}",
        }
        return await self.kit.page(request, "lists.html", values, section="lists", app=app)

    async def new(self, request: Request) -> Response:
        """The form of a new list."""
        return await self._form(request, await self.kit.app(request), None, dict.fromkeys(FIELDS, ""))

    async def create(self, request: Request) -> Response:
        """Make it, and go where its people come from."""
        form, app = await door.check_form(request), await self.kit.app(request)
        values = {name: form.text(name) for name in FIELDS}
        body: dict[str, object] = {"source": values["source"] or "localDrive", **_body(values)}
        try:
            made = await editing.create(self.kit.db, app, body, now=self.kit.now, limits=self.kit.settings.quota)
        except HeliographError as error:
            return await self._form(request, app, None, values, error)
        then = {"localDrive": "/imports/new", pull.SOURCE: "/pull"}.get(made.source, "")
        return self.kit.done(request, path(app, made) + then, f"Made the list {made.name}. It has nobody on it yet.")

    async def edit(self, request: Request) -> Response:
        """What a list is called, and whether it keeps numbers twice."""
        app, found = await self.frame.of(request)
        values = {
            "name": found.name,
            "description": found.description,
            "allowDuplicates": "yes" if found.allow_duplicates else "",
        }
        return await self._form(request, app, found, values)

    async def update(self, request: Request) -> Response:
        """Keep the change."""
        form = await door.check_form(request)
        app, found = await self.frame.of(request)
        values = {name: form.text(name) for name in FIELDS}
        try:
            made, _ = await editing.update(self.kit.db, app, found.public_id, _body(values), now=self.kit.now)
        except HeliographError as error:
            return await self._form(request, app, found, values, error)
        return self.kit.done(request, f"{path(app, made)}/settings", f"Changed the list {made.name}.")

    async def ask(self, request: Request) -> Response:
        """What deleting it does."""
        app, found = await self.frame.of(request)
        async with self.kit.db.connection() as conn:
            linked = await campaign_links.using(conn, app.app_id, [found.list_id])
            used_by = dict([*linked.get(found.list_id, []), *await lists.under_way(conn, app.app_id, found.list_id)])
        whom = f"{people(found.contact_count).capitalize()} on it"
        goes = f"{whom} and what is known of them go for good. What was texted to them stays in the ledger."
        names = ", ".join(list(used_by.values())[:5])
        asked = Sure(
            f"Delete the list {found.name}?",
            () if used_by else (goes,),
            "Delete list",
            f"{path(app, found)}/delete",
            path(app, found),
            keep="Keep it",
            refused=f"It is used by {names}; delete the campaign first" if used_by else "",
        )
        return await self.kit.sure(request, asked, section="lists", app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it, unless a campaign uses it."""
        await door.check_form(request)
        app, found = await self.frame.of(request)
        gone = await editing.delete(self.kit.db, app, found.public_id, now=self.kit.now, kind="call")
        told = f"Deleted the list {gone.name} and {people(gone.contact_count)} on it."
        return self.kit.done(request, f"/console/{app.public_id}/lists", told)

    async def _form(
        self,
        request: Request,
        app: App,
        found: ContactList | None,
        values: Mapping[str, str],
        wrong: HeliographError | None = None,
    ) -> Response:
        field = wrong.field if wrong is not None and wrong.field in FIELDS else None
        if wrong is not None and field is None:
            raise wrong
        shown: dict[str, object] = {
            "values": values,
            "errors": {name: wrong.message if wrong and name == field else "" for name in FIELDS},
        }
        status = 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
        if found is None:
            return await self.kit.page(request, "list_new.html", shown, section="lists", app=app, status=status)
        async with self.kit.db.connection() as conn:
            shown["imports"] = await imports.count(conn, app.app_id, found.list_id)
            shown["source"] = await list_sources.find(conn, app.app_id, found.list_id)
        return await self.frame.page(request, "list_settings.html", shown, app, found, tab="settings", status=status)


def _body(values: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": values["name"],
        "description": values["description"],
        "allowDuplicates": values["allowDuplicates"] == "yes",
    }
