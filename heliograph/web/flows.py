"""Pages of experience flows: the list, the drawing with its numbers, one node's form, the text, trying it out."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, cast

from starlette.responses import Response

from heliograph.actions import flow_book, flow_checks, flow_files, flow_trials
from heliograph.actions import flows as editing
from heliograph.errors import Conflict, HeliographError, Invalid
from heliograph.rules.flow import document, edit
from heliograph.rules.flow import text as written
from heliograph.store import flow_users, flow_versions, flows, senders, session_numbers
from heliograph.web import door, flow_drawing, flow_forms, visitor
from heliograph.web.kit import Sure, is_partial
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.flows import StoredFlow
    from heliograph.web.kit import Kit

SECTION = "flows"
LONGEST_FORM = 2_000_000


def routes(kit: Kit) -> list[Route]:
    """The addresses of flows."""
    page = Flows(kit)
    at = "/console/{app}/flows"
    one = f"{at}/{{flow}}"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(f"{at}/new", page.new, right=SECTION),
        kit.route(f"{at}/new", page.create, right=SECTION, methods=["POST"]),
        kit.route(one, page.one, right=SECTION),
        kit.route(f"{one}/node", page.change_node, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/add", page.add_node, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/remove", page.remove_node, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/text", page.change_text, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/publish", page.publish, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/copy", page.copy, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/attach", page.attach, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/try", page.try_out, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/export", page.export, right=SECTION),
        kit.route(f"{one}/delete", page.ask_delete, right=SECTION),
        kit.route(f"{one}/delete", page.delete, right=SECTION, methods=["POST"]),
    ]


class Flows:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    # ------------------------------------------------------------ all of them

    async def front(self, request: Request) -> Response:
        """Every flow of the app."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            there = await flows.list_all(conn, app.app_id)
            ids = [one.public_id for one in there]
            used = await flow_users.campaigns(conn, app.app_id, ids)
            attached = await flow_users.senders(conn, app.app_id)
            default = await flow_users.default(conn, app.app_id)
        values = {"flows": there, "used": used, "attached": attached, "default": default}
        return await self.kit.page(request, "flows.html", values, section=SECTION, app=app)

    async def new(self, request: Request) -> Response:
        """A new flow: from a beginning, or from a file."""
        return await self._new(request, await self.kit.app(request), {}, {})

    async def create(self, request: Request) -> Response:
        """Make it."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        file, pasted, name = form.file("file"), form.text("pasted"), form.text("name")
        try:
            if file is not None or pasted:
                raw = pasted if file is None else (await file.read()).decode("utf-8-sig", "replace")
                taken = await flow_files.take(self.kit.db, app, raw, dry=False, now=self.kit.now)
                made, told = taken[0].flow, _told_of(taken)
            else:
                body = {"name": name, "document": flow_forms.STARTER | {"name": name}}
                saved = await editing.create(self.kit.db, app, body, by=_who(request), now=self.kit.now)
                made, told = (
                    saved.flow,
                    f"{name} is there, with a beginning to change. Nobody gets it before it is published.",
                )
        except HeliographError as error:
            return await self._new(request, app, {"name": name, "pasted": pasted}, {"form": error.message}, status=400)
        if made is None:
            raise Invalid("The file has no flow in it", field="file")
        return self.kit.done(request, _at(app, made.public_id), told)

    async def _new(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        values = {"typed": defaultdict(str, typed), "errors": defaultdict(str, errors)}
        return await self.kit.page(request, "flow_new.html", values, section=SECTION, app=app, status=status)

    # ------------------------------------------------------------ one

    async def one(self, request: Request) -> Response:
        """A flow: the drawing, and beside it a node, the text, or a conversation to try."""
        return await self._page(request, await self.kit.app(request))

    async def change_node(self, request: Request) -> Response:
        """Change the node that the form is of."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        found = await self._flow(request, app)
        key, name = form.text("key"), form.text("name")
        try:
            node = _written(found, key)
            draft = edit.change(found.draft, key, flow_forms.read(form.text("kind"), form, node))
            if name and name != key:
                draft = edit.rename(draft, key, name)
            await self._keep(request, app, found, draft)
        except Invalid as error:
            return await self._page(request, app, node=key, errors={"node": error.message}, status=400)
        return self.kit.done(request, f"{_at(app, found.public_id)}?node={name or key}", "Kept in the draft.")

    async def add_node(self, request: Request) -> Response:
        """Put a new node behind one."""
        form, app = await door.check_form(request), await self.kit.app(request)
        found = await self._flow(request, app)
        kind, after = form.text("kind"), form.text("after")
        key = flow_forms.free(found.draft, kind)
        try:
            draft = edit.add(found.draft, key, flow_forms.fresh(found.draft, kind), after=after or None)
            await self._keep(request, app, found, draft)
        except Invalid as error:
            return await self._page(request, app, node=after, errors={"node": error.message}, status=400)
        return self.kit.done(request, f"{_at(app, found.public_id)}?node={key}", f"Added {key}. Say what it does.")

    async def remove_node(self, request: Request) -> Response:
        """Take a node out; what led to it leads where it led."""
        form, app = await door.check_form(request), await self.kit.app(request)
        found, key = await self._flow(request, app), form.text("key")
        try:
            await self._keep(request, app, found, edit.remove(found.draft, key))
        except Invalid as error:
            return await self._page(request, app, node=key, errors={"node": error.message}, status=400)
        return self.kit.done(request, _at(app, found.public_id), f"Removed {key}.")

    async def change_text(self, request: Request) -> Response:
        """Take the whole flow as it was written."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        found, raw = await self._flow(request, app), form.text("text")
        try:
            draft = written.parse(raw)
            if not isinstance(draft, dict):
                raise Invalid("That is no flow: it takes a name, and nodes")
            await self._keep(request, app, found, cast("dict[str, object]", draft))
        except HeliographError as error:
            return await self._page(request, app, side="text", typed=raw, errors={"text": error.message}, status=400)
        return self.kit.done(request, f"{_at(app, found.public_id)}?side=text", "Kept in the draft.")

    async def publish(self, request: Request) -> Response:
        """Have conversations begin with the draft from now on."""
        await door.check_form(request)
        app = await self.kit.app(request)
        try:
            flow = request.path_params["flow"]
            saved = await editing.publish(self.kit.db, app, flow, by=_who(request), now=self.kit.now)
        except (Invalid, Conflict) as error:
            return await self._page(request, app, side="checks", errors={"checks": error.message}, status=409)
        told = f"Version {saved.flow.published_version} is published. Conversations under way keep theirs."
        return self.kit.done(request, _at(app, saved.flow.public_id), told)

    async def copy(self, request: Request) -> Response:
        """A copy that can be edited."""
        await door.check_form(request)
        app = await self.kit.app(request)
        made = await editing.clone(self.kit.db, app, request.path_params["flow"], {}, now=self.kit.now)
        return self.kit.done(request, _at(app, made.public_id), f"This is {made.name}.")

    async def attach(self, request: Request) -> Response:
        """Give it to whoever writes to a sender, or without a conversation; or undo that."""
        form, app = await door.check_form(request), await self.kit.app(request)
        where = form.text("where")
        body: dict[str, object] = {"default": True} if where == "default" else {"senderId": where}
        verb = editing.detach if form.text("undo") else editing.attach
        flow = request.path_params["flow"]
        try:
            await verb(self.kit.db, app, flow, body, now=self.kit.now)
        except HeliographError as error:
            return await self._page(request, app, side="use", errors={"use": error.message}, status=409)
        at = _at(app, flow)
        undo = (
            Undo(f"{at}/attach", {"where": where}) if form.text("undo") else None
        )  # what was there before may be gone
        return self.kit.done(request, f"{at}?side=use", "Changed. It counts from the next text on.", undo=undo)

    async def try_out(self, request: Request) -> Response:
        """One step more of a conversation that is being tried."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        steps = _steps(form.text("script"))
        if form.text("again"):
            steps = []
        elif form.text("wait"):
            steps.append({"wait": form.text("for") or "24h"})
        elif form.text("say"):
            steps.append(form.text("say"))
        talk = await self._talk(request, app, steps)
        if is_partial(request):
            values = {"talk": talk, "token": door.token(request), "app": app, "flow": await self._flow(request, app)}
            return self.kit.piece("flow_talk.html", values)
        return await self._page(request, app, side="try", talk=talk)

    async def export(self, request: Request) -> Response:
        """The draft as a file."""
        app = await self.kit.app(request)
        found = await self._flow(request, app)
        form = request.query_params.get("format", "yaml")
        made = flow_files.write(found.draft, form, now=self.kit.now)
        ending = "yaml" if form == "yaml" else "json"
        name = "".join(each if each.isalnum() else "-" for each in found.name.lower())
        headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}.{ending}"'}
        return Response(made.text, media_type=made.media, headers=headers)

    async def ask_delete(self, request: Request) -> Response:
        """What deleting it means."""
        app = await self.kit.app(request)
        found = await self._flow(request, app)
        at = _at(app, found.public_id)
        sentences = (
            "No conversation begins with it any more; those under way go on to their end.",
            "It is refused while a campaign, a sender or another flow uses it.",
        )
        title = f"Delete {found.name}?"
        asked = Sure(title, sentences, "Delete it", f"{at}/delete", at)
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await editing.delete(self.kit.db, app, request.path_params["flow"], now=self.kit.now)
        return self.kit.done(request, f"/console/{app.public_id}/{SECTION}", f"Deleted {gone.name}.")

    # ------------------------------------------------------------ what is shown

    async def _flow(self, request: Request, app: App) -> StoredFlow:
        async with self.kit.db.connection() as conn:
            return await flows.get(conn, app.app_id, request.path_params["flow"])

    async def _keep(self, request: Request, app: App, found: StoredFlow, draft: Mapping[str, object]) -> None:
        body = {"document": draft}
        await editing.update(self.kit.db, app, found.public_id, body, by=_who(request), now=self.kit.now)

    async def _talk(self, request: Request, app: App, steps: list[object]) -> dict[str, object]:
        fields = {"first name": "Ada", "last name": "Lovelace"}
        async with self.kit.db.connection() as conn:
            try:
                script = {"fields": fields, "steps": steps}
                flow = request.path_params["flow"]
                told = await flow_trials.simulate(conn, app, flow, script, now=self.kit.now)
            except HeliographError as error:
                return {"entries": [], "wrong": error.message, "script": json.dumps(steps), "state": "ended"}
        return told | {"wrong": "", "script": json.dumps(steps)}

    async def _page(  # noqa: PLR0913  # what was typed and what was wrong with it, wherever on the page that is
        self,
        request: Request,
        app: App,
        *,
        node: str | None = None,
        side: str | None = None,
        typed: str | None = None,
        talk: dict[str, object] | None = None,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        node = node if node is not None else request.query_params.get("node", "")
        side = side or request.query_params.get("side", "")
        async with self.kit.db.connection() as conn:
            found = await flows.get(conn, app.app_id, request.path_params["flow"])
            book = await flow_book.load(conn, app.app_id)
            findings = await flow_checks.findings(conn, app, found.draft, book, itself=found.public_id)
            numbers = await session_numbers.look(conn, app.app_id, flow=found.public_id)
            versions = await flow_versions.list_all(conn, found)
            there = await senders.list_all(conn, app.app_id)
            attached = (await flow_users.senders(conn, app.app_id)).get(found.public_id, [])
            default = await flow_users.default(conn, app.app_id)
        read = document.read(found.draft)
        key = node if node in read.nodes else ""
        groups = numbers.groups
        results, here, lost = flow_drawing.numbers(groups)
        values: dict[str, object] = {
            "flow": found,
            "drawing": flow_drawing.paint(read, here, lost),
            "findings": findings,
            "side": "node" if key else side or "try",
            "key": key,
            "node": _form_of(found, key) if key else None,
            "keys": list(read.nodes),
            "kinds": flow_drawing.WORDS,
            "text": typed if typed is not None else written.to_yaml(found.draft),
            "talk": talk or await self._talk(request, app, []),
            "errors": defaultdict(str, errors or {}),
            "started": sum(group.sessions for group in groups),
            "answered": sum(group.answered for group in groups),
            "results": results,
            "median": numbers.median_seconds,
            "every": numbers.every,
            "versions": versions,
            "senders": there,
            "attached": {each.name for each in attached},
            "is_default": default == found.public_id,
        }
        return await self.kit.page(request, "flow.html", values, section=SECTION, app=app, status=status)


def _form_of(found: StoredFlow, key: str) -> dict[str, object]:
    node = _written(found, key)
    kind = str(node["type"])
    return {
        "kind": kind,
        "word": flow_drawing.WORDS.get(kind, kind),
        "fields": flow_forms.FIELDS[kind],
        "values": flow_forms.shown(node),
        "cases": flow_forms.cases(node) if kind == "branch" else [],
        "tests": flow_forms.CASE_WORDS,
    }


def _written(found: StoredFlow, key: str) -> Mapping[str, object]:
    nodes = cast("Mapping[str, Mapping[str, object]]", found.draft["nodes"])
    if key not in nodes:
        raise Invalid(f"There is no node {key[:64]!r} in it any more", field="node")
    return nodes[key]


def _steps(raw: str) -> list[object]:
    try:
        steps: object = json.loads(raw or "[]")
    except ValueError as error:
        raise Invalid("The conversation was cut short on its way; begin it again") from error
    return cast("list[object]", steps) if isinstance(steps, list) else []


def _told_of(taken: list[flow_files.Taken]) -> str:
    first = taken[0].imported if taken else None
    if first is None:
        return "Nothing was in it."
    several = f" with {len(taken) - 1} more" if len(taken) > 1 else ""
    left_out = len(first.unsupported)
    what = f" {left_out} things in it cannot be done here: see its checks." if left_out else ""
    return f"{first.name} came in{several}.{what}"


def _who(request: Request) -> str:
    found = visitor.user(request)
    return found.name if found is not None else "console"


def _at(app: App, flow: str) -> str:
    return f"/console/{app.public_id}/{SECTION}/{flow}"
