"""Texts kept under a name: the list of them, and the editor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import templates as editing
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import counts, markup, parts
from heliograph.store import lists, templates
from heliograph.web import composer, door
from heliograph.web.kit import Sure, link, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.templates import Template
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
LONGEST_SEARCH = 100
FIELDS = ("name", "description", "body", "list")


def routes(kit: Kit) -> list[Route]:
    """The addresses of templates."""
    page = Pages(kit)
    here = "/console/{app}/templates"
    one = f"{here}/{{template}}"
    return [
        kit.route(here, page.all, right="templates"),
        kit.route(here, page.create, right="templates", methods=["POST"]),
        kit.route(f"{here}/new", page.new, right="templates"),
        kit.route(one, page.edit, right="templates"),
        kit.route(one, page.update, right="templates", methods=["POST"]),
        kit.route(f"{one}/copy", page.copy, right="templates", methods=["POST"]),
        kit.route(f"{one}/delete", page.ask, right="templates"),
        kit.route(f"{one}/delete", page.delete, right="templates", methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """A template as the list shows it."""

    template: Template
    size: parts.Measure
    users: list[tuple[str, str]]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def all(self, request: Request) -> Response:
        """The app's templates by name, the system's among them."""
        app, number = await self.kit.app(request), number_of(request)
        search = request.query_params.get("search", "").strip()[:LONGEST_SEARCH]
        async with self.kit.db.connection() as conn:
            total = await templates.count(conn, app, search=search)
            found = await templates.page(conn, app, offset=(number - 1) * ON_A_PAGE, limit=ON_A_PAGE, search=search)
            users = await templates.using(conn, app, [one.public_id for one in found])
        last = max(1, -(-total // ON_A_PAGE))
        values: dict[str, object] = {
            "rows": [Row(one, parts.measure(one.body), users.get(one.public_id, [])) for one in found],
            "search": search,
            "told": f"Page {number:,} of {last:,} · {total:,} templates",
            "earlier": link(_path(app), search=search, page=number - 1) if number > 1 else None,
            "next": link(_path(app), search=search, page=number + 1) if number < last else None,
        }
        return await self.kit.page(request, "templates.html", values, section="templates", app=app)

    async def new(self, request: Request) -> Response:
        """The empty editor."""
        return await self._editor(request, await self.kit.app(request), None, dict.fromkeys(FIELDS, ""))

    async def create(self, request: Request) -> Response:
        """Keep a new one."""
        form, app, values = await self._sent(request)
        if form.text("look"):
            return await self._editor(request, app, None, values)
        try:
            made = await editing.create(self.kit.db, app, _body(values), now=self.kit.now)
        except HeliographError as error:
            return await self._editor(request, app, None, values, wrong=error)
        return self.kit.done(request, _path(app), f"Kept the template {made.name}.")

    async def edit(self, request: Request) -> Response:
        """The editor with what is there; one of the system's is only shown."""
        app = await self.kit.app(request)
        found = await self._template(request, app)
        values = {"name": found.name, "description": found.description, "body": found.body, "list": ""}
        return await self._editor(request, app, found, values)

    async def update(self, request: Request) -> Response:
        """Keep the change."""
        form, app, values = await self._sent(request)
        found = await self._template(request, app)
        if form.text("look"):
            return await self._editor(request, app, found, values)
        try:
            made = await editing.update(self.kit.db, app, found.public_id, _body(values), now=self.kit.now)
        except HeliographError as error:
            return await self._editor(request, app, found, values, wrong=error)
        return self.kit.done(request, _path(app), f"Changed the template {made.name}. No campaign changes by it.")

    async def copy(self, request: Request) -> Response:
        """A copy that can be changed."""
        await door.check_form(request)
        app = await self.kit.app(request)
        made = await editing.clone(self.kit.db, app, request.path_params["template"], {}, now=self.kit.now)
        return self.kit.done(request, f"{_path(app)}/{made.public_id}", f"This is {made.name}: change it as you like.")

    async def ask(self, request: Request) -> Response:
        """What deleting it does."""
        app = await self.kit.app(request)
        found = await self._template(request, app)
        async with self.kit.db.connection() as conn:
            users = (await templates.using(conn, app, [found.public_id])).get(found.public_id, [])
        named = ", ".join(name for _, name in users[:5])
        them = counts.them(len(users))
        asked = Sure(
            f"Delete the template {found.name}?",
            () if users else ("Nobody finds it any more, here or in the API. This cannot be undone.",),
            "Delete template",
            f"{_path(app)}/{found.public_id}/delete",
            _path(app),
            keep="Keep it",
            refused=f"It is used by {named}; delete {them}, or give {them} another text, first" if users else "",
        )
        return await self.kit.sure(request, asked, section="templates", app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it, unless a campaign was made with it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await editing.delete(self.kit.db, app, request.path_params["template"])
        return self.kit.done(request, _path(app), f"Deleted the template {gone.name}.")

    async def _template(self, request: Request, app: App) -> Template:
        async with self.kit.db.connection() as conn:
            return await templates.get(conn, app, request.path_params["template"])

    async def _sent(self, request: Request) -> tuple[door.Form, App, dict[str, str]]:
        form = await door.check_form(request, most=composer.MOST_BYTES)
        values = {name: form.text(name) for name in FIELDS} | {"body": (form.all("body") or [""])[-1]}
        return form, await self.kit.app(request), values

    async def _editor(
        self,
        request: Request,
        app: App,
        found: Template | None,
        values: Mapping[str, str],
        wrong: HeliographError | None = None,
    ) -> Response:
        field = wrong.field if wrong is not None and wrong.field in FIELDS else None
        if wrong is not None and field is None:
            raise wrong
        async with self.kit.db.connection() as conn:
            known = await lists.list_all(conn, app.app_id)
            shown = await composer.look(conn, app, values["body"], [values["list"]] if values["list"] else [])
            used = (await templates.using(conn, app, [found.public_id])).get(found.public_id, []) if found else []
        new = "It can be used in any campaign of this app, by its name."
        kept = "It is one of those that every app has." if found and found.is_system else "Campaigns keep their words."
        shown_values: dict[str, object] = {
            "template": found,
            "title": found.name if found else "New template",
            "about": kept if found else new,
            "values": values,
            "errors": {name: wrong.message if wrong and name == field else "" for name in FIELDS},
            "composed": shown,
            "users": used,
            "lists": [("", "Nobody in particular"), *((one.public_id, one.name) for one in known)],
        }
        status = 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
        return await self.kit.page(
            request, "template_edit.html", shown_values, section="templates", app=app, status=status
        )


def _path(app: App) -> str:
    return f"/console/{app.public_id}/templates"


def _body(values: Mapping[str, str]) -> dict[str, object]:
    """The body of the call that keeps it: words as they were typed stay words, whatever else they look like."""
    words = parts.normalise(values["body"])
    encoded = markup.encode(words) if words.strip() else words
    return {
        "name": values["name"],
        "description": values["description"],
        "body": words if encoded is None else encoded,
    }
