"""Pages of the inbox: conversations with people, answered by hand."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import uuid4

from heliograph.actions import answers
from heliograph.actions import inbox as keeping
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import inbox as law
from heliograph.store import inbox as conversations
from heliograph.store import inbox_pages, threads, users
from heliograph.store import templates as template_rows
from heliograph.store.inbox_pages import Wanted
from heliograph.web import door, visitor
from heliograph.web.kit import is_partial, link, number_of
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.inbox import Conversation
    from heliograph.web.kit import Kit

SECTION = "inbox"
ON_A_PAGE = 40
MESSAGES = 60  # of a conversation at once
VIEWS = {
    "open": "Open",
    "unread": "Unread",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "closed": "Closed",
    "all": "All",
}
LONGEST_FORM = 16_000


def routes(kit: Kit) -> list[Route]:
    """The addresses of the inbox."""
    page = Inbox(kit)
    at = "/console/{app}/inbox"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(f"{at}/list", page.live_list, right=SECTION),
        kit.route(f"{at}/new", page.start, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{conversation}}", page.front, right=SECTION),
        kit.route(f"{at}/{{conversation}}/thread", page.live_thread, right=SECTION),
        kit.route(f"{at}/{{conversation}}/answer", page.answer, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{conversation}}/note", page.note, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{conversation}}/change", page.change, right=SECTION, methods=["POST"]),
    ]


class Inbox:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """The list of conversations, and the one that is looked at."""
        return await self._page(request, await self.kit.app(request), {}, {})

    async def live_list(self, request: Request) -> Response:
        """The list, live. ``conversation`` of the query: the one that is looked at."""
        app = await self.kit.app(request)

        async def piece() -> str:
            return self.kit.text("inbox_list.html", await self._list(request, app))

        return await self.kit.live(request, piece, every=2.0)

    async def live_thread(self, request: Request) -> Response:
        """The messages of one, live."""
        app = await self.kit.app(request)

        async def piece() -> str:
            return self.kit.text("inbox_thread.html", {"app": app, **await self._thread(request, app)})

        return await self.kit.live(request, piece)

    async def start(self, request: Request) -> Response:
        """Open the conversation with a number."""
        form, app = await door.check_form(request), await self.kit.app(request)
        body: dict[str, object] = {"phoneNumber": form.text("number"), "address": form.text("address")}
        try:
            made = await keeping.start(self.kit.db, app, body, by=_who(request), now=self.kit.now)
        except HeliographError as error:
            typed = {"number": form.text("number"), "address": form.text("address")}
            return await self._page(request, app, typed, {"start": error.message}, status=400)
        return self.kit.done(request, _at(app, made), f"This is the conversation with {made.number}.")

    async def answer(self, request: Request) -> Response:
        """Write to the person."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        named = form.text("template")
        body: dict[str, object] = {"template": named} if named else {"text": form.text("text")}
        body["key"] = form.text("key") or uuid4().hex
        conversation = request.path_params["conversation"]
        try:
            done = await answers.answer(self.kit.db, app, conversation, body, by=_who(request), now=self.kit.now)
        except HeliographError as error:
            if is_partial(request):
                return self.kit.said(error.message, trouble=True)
            return await self._page(request, app, {"text": form.text("text")}, {"answer": error.message}, status=400)
        told = "Sent."
        if done.held:
            told = f"It is kept until {done.due_at:%a %H:%M} UTC: quiet hours where they are, and they wrote long ago."
        if is_partial(request):
            return self.kit.said(told)
        return self.kit.done(request, f"/console/{app.public_id}/{SECTION}/{conversation}", told)

    async def note(self, request: Request) -> Response:
        """Keep a note that only colleagues see."""
        form, app = await door.check_form(request, most=LONGEST_FORM), await self.kit.app(request)
        conversation, body = request.path_params["conversation"], {"text": form.text("text")}
        try:
            await keeping.note(self.kit.db, app, conversation, body, by=_who(request), now=self.kit.now)
        except Invalid as error:
            return await self._page(request, app, {"note": form.text("text")}, {"note": error.message}, status=400)
        return self.kit.done(request, f"/console/{app.public_id}/{SECTION}/{conversation}", "The note is kept.")

    async def change(self, request: Request) -> Response:
        """Assign it, read it, close it, open it again."""
        form, app = await door.check_form(request), await self.kit.app(request)
        body: dict[str, object] = {}
        if "assignee" in form.sent:
            body["assignee"] = form.text("assignee") or None
        if "status" in form.sent:
            body["status"] = form.text("status")
        if "unread" in form.sent:
            body["unread"] = form.text("unread") == "yes"
        conversation = request.path_params["conversation"]
        async with self.kit.db.connection() as conn:
            before = await conversations.get(conn, app.app_id, conversation)
        after = await keeping.change(self.kit.db, app, conversation, body, by=_who(request), now=self.kit.now)
        at = _at(app, after)
        return self.kit.done(request, at, _told(body, after), undo=Undo(f"{at}/change", _as_before(body, before)))

    # ------------------------------------------------------------ what is shown

    async def _page(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        values: dict[str, object] = dict(await self._list(request, app))
        values |= {"typed": defaultdict(str, typed), "errors": defaultdict(str, errors), "found": None}
        if request.path_params.get("conversation"):
            values |= await self._thread(request, app)
            async with self.kit.db.connection() as conn:
                values["people"] = sorted({one.name for one in await users.list_all(conn) if one.name})
                values["canned"] = [one.name for one in await template_rows.page(conn, app, offset=0, limit=100)]
            values |= {"key": uuid4().hex, "me": _who(request)}
        return await self.kit.page(request, "inbox.html", values, section=SECTION, app=app, status=status)

    async def _list(self, request: Request, app: App) -> dict[str, object]:
        view, search = _view(request), request.query_params.get("search", "")[:200].strip()
        page, me = number_of(request), _who(request)
        wanted = Wanted(
            open={"all": None, "closed": False}.get(view, True),
            unread=view == "unread",
            unassigned=view == "unassigned",
            assignee=me if view == "mine" else None,
            **(law.sought(search) if search else {}),
        )
        async with self.kit.db.connection() as conn:
            found = await inbox_pages.page(conn, app.app_id, wanted, skip=(page - 1) * ON_A_PAGE, limit=ON_A_PAGE + 1)
            counts = await inbox_pages.count(conn, app.app_id, mine=me)
        at = f"/console/{app.public_id}/{SECTION}"
        told = {"open": counts.open, "unread": counts.unread, "mine": counts.mine, "unassigned": counts.unassigned}
        chosen = request.path_params.get("conversation") or request.query_params.get("conversation", "")
        return {
            "app": app,
            "at": at,
            "rows": found[:ON_A_PAGE],
            "tabs": [(link(at, view=key), word, told.get(key), key == view) for key, word in VIEWS.items()],
            "view": view,
            "search": search,
            "chosen": chosen,
            "query": link("", view=view, search=search, page=page if page > 1 else None),
            "stream": link(f"{at}/list", view=view, search=search, page=page, conversation=chosen),
            "earlier": link(at, view=view, search=search, page=page - 1) if page > 1 else None,
            "later": link(at, view=view, search=search, page=page + 1) if len(found) > ON_A_PAGE else None,
            "now": self.kit.now,
        }

    async def _thread(self, request: Request, app: App) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            found = await conversations.get(conn, app.app_id, request.path_params["conversation"])
            entries = await threads.page(conn, found, before=None, limit=MESSAGES, now=now)
        lines = [(one, one.standing(now) if one.run_public_id is not None else None) for one in reversed(entries)]
        return {"found": found, "lines": lines, "cut": len(entries) == MESSAGES, "now": now}


def _view(request: Request) -> str:
    view = request.query_params.get("view", "") or "open"
    if view not in VIEWS:
        raise Invalid(f"view is {view[:40]!r}; it takes one of: {', '.join(VIEWS)}")
    return view


def _who(request: Request) -> str:
    found = visitor.user(request)
    return found.name if found is not None else "console"


def _at(app: App, one: Conversation) -> str:
    return f"/console/{app.public_id}/{SECTION}/{one.public_id}"


def _as_before(body: Mapping[str, object], before: Conversation) -> dict[str, str]:
    """The fields of the form that take a change back."""
    was = {
        "assignee": before.assignee or "",
        "status": "open" if before.open else "closed",
        "unread": "yes" if before.unread else "no",
    }
    return {name: value for name, value in was.items() if name in body}


def _told(body: Mapping[str, object], after: Conversation) -> str:
    if "status" in body:
        return "It is open again." if after.open else "Closed. Their next message opens it again."
    if "assignee" in body:
        return f"{after.assignee} has it now." if after.assignee else "Nobody has it now."
    return "Marked unread." if body.get("unread") else "Marked read."
