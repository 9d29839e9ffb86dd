"""Pages of webhooks: who is told what happens, what came of telling them, a test, another secret."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import webhooks as keeping
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import webhook
from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks
from heliograph.web import door
from heliograph.web.kit import Sure
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.webhook_deliveries import Delivery, Tried
    from heliograph.store.webhooks import Webhook
    from heliograph.web.door import Form
    from heliograph.web.kit import Kit

SECTION = "settings"
PAGE = 25  # deliveries
FAR = 400  # pages: what is older is of last week, and gone
STATES = ("waiting", "delivered", "failed")


def routes(kit: Kit) -> list[Route]:
    """The addresses of webhooks."""
    page = Webhooks(kit)
    at = "/console/{app}/settings/webhooks"
    one = f"{at}/{{webhook}}"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(f"{at}/new", page.new, right=SECTION, act=True),
        kit.route(f"{at}/new", page.create, right=SECTION, methods=["POST"]),
        kit.route(one, page.one, right=SECTION),
        kit.route(one, page.change, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/live", page.live, right=SECTION),
        kit.route(f"{one}/secret", page.new_secret, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/test", page.test, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/again", page.again, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/pause", page.pause, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/resume", page.resume, right=SECTION, methods=["POST"]),
        kit.route(f"{one}/delete", page.ask_delete, right=SECTION),
        kit.route(f"{one}/delete", page.delete, right=SECTION, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery as it is shown. ``data``: what is told, indented."""

    delivery: Delivery
    tries: Sequence[Tried]
    data: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a form says, and what is wrong with it, by field."""

    url: str
    description: str
    events: Sequence[str]
    errors: Mapping[str, str]


class Webhooks:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """Every webhook of the app, and how it does."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            found = await webhooks.list_all(conn, app.app_id)
            last = await deliveries.last_tries(conn, app.app_id, [each.webhook_id for each in found])
        values = {"webhooks": found, "last": last, "tab": "webhooks"}
        return await self.kit.page(request, "webhooks.html", values, section=SECTION, app=app)

    async def new(self, request: Request) -> Response:
        """The form of a new one."""
        return await self._form(request, await self.kit.app(request), Attempt("", "", [], {}))

    async def create(self, request: Request) -> Response:
        """Make it; its secret is shown this once."""
        form, app = await door.check_form(request), await self.kit.app(request)
        try:
            made, secret = await keeping.create(self.kit.db, self.kit.sealing, app, _body(form), now=self.kit.now)
        except HeliographError as error:
            return await self._form(request, app, _attempt(form, error))
        return await self._page(request, app, made, secret=secret)

    async def one(self, request: Request) -> Response:
        """A webhook: what it is told, and what came of it."""
        app = await self.kit.app(request)
        return await self._page(request, app, await self._found(request, app))

    async def live(self, request: Request) -> Response:
        """The part of that page that changes."""
        app, shown = await self.kit.app(request), {"token": door.token(request), "may_act": self.kit.may_act(request)}
        found = await self._found(request, app)
        state, number = _view(request)

        async def piece() -> str:
            return self.kit.text("webhook_live.html", shown | {**await self._told(app, found, state, number)})

        return await self.kit.live(request, piece)

    async def change(self, request: Request) -> Response:
        """Change where it is, or what it is told."""
        form, app = await door.check_form(request), await self.kit.app(request)
        found = await self._found(request, app)
        try:
            await keeping.update(self.kit.db, app, found.public_id, _body(form), now=self.kit.now)
        except HeliographError as error:
            return await self._page(request, app, found, _attempt(form, error))
        return self.kit.done(request, _at(app, found.public_id), "Saved. It counts for what happens from now on.")

    async def pause(self, request: Request) -> Response:
        """Tell it nothing until it is switched on again."""
        await self._switch(request, on=False)
        text = "Paused. What waits for it is kept for a week; what happens from now on it is never told."
        here = self._here(request)
        return self.kit.done(request, here, text, undo=Undo(f"{here}/resume"))

    async def resume(self, request: Request) -> Response:
        """Switch it on again."""
        await self._switch(request, on=True)
        text = "On again. What still waits for it is told now."
        return self.kit.done(request, self._here(request), text)

    async def new_secret(self, request: Request) -> Response:
        """Another secret, shown this once; the one before signs beside it for a day."""
        await door.check_form(request)
        app = await self.kit.app(request)
        which = str(request.path_params["webhook"])
        found, secret = await keeping.new_secret(self.kit.db, self.kit.sealing, app, which, now=self.kit.now)
        return await self._page(request, app, found, secret=secret)

    async def test(self, request: Request) -> Response:
        """Have it told that this is a test."""
        await door.check_form(request)
        app = await self.kit.app(request)
        await keeping.test(self.kit.db, app, str(request.path_params["webhook"]), now=self.kit.now)
        return self.kit.done(request, self._here(request), "A test is on its way; below stands what comes of it.")

    async def again(self, request: Request) -> Response:
        """Tell it of something once more."""
        form, app = await door.check_form(request), await self.kit.app(request)
        which, event = str(request.path_params["webhook"]), form.text("event")
        told = await keeping.redeliver(self.kit.db, app, which, event, now=self.kit.now)
        return self.kit.done(request, self._here(request), f"{told.event} is told once more, with the id it had.")

    async def ask_delete(self, request: Request) -> Response:
        """What deleting it means."""
        app = await self.kit.app(request)
        found = await self._found(request, app)
        sentences = (
            f"{found.url} is told nothing any more, not even what waits for it now.",
            "What it was told, and its secret, are gone for good.",
        )
        here = _at(app, found.public_id)
        asked = Sure("Delete this webhook?", sentences, "Delete it", f"{here}/delete", here)
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await keeping.delete(self.kit.db, app, str(request.path_params["webhook"]))
        return self.kit.done(request, _at(app), f"Deleted. {gone.url} is told nothing any more.")

    # ------------------------------------------------------------ what is shown

    async def _found(self, request: Request, app: App) -> Webhook:
        async with self.kit.db.connection() as conn:
            return await webhooks.get(conn, app.app_id, str(request.path_params["webhook"]))

    async def _switch(self, request: Request, *, on: bool) -> None:
        await door.check_form(request)
        app = await self.kit.app(request)
        which = str(request.path_params["webhook"])
        await keeping.update(self.kit.db, app, which, {"enabled": on}, now=self.kit.now)

    def _here(self, request: Request) -> str:
        return f"/console/{request.path_params['app']}/settings/webhooks/{request.path_params['webhook']}"

    async def _form(self, request: Request, app: App, tried: Attempt) -> Response:
        values = {
            "typed": tried,
            "chosen": tried.events,
            "groups": groups(),
            "errors": defaultdict(str, tried.errors),
            "tab": "webhooks",
        }
        status = 400 if tried.errors else 200
        return await self.kit.page(request, "webhook_new.html", values, section=SECTION, app=app, status=status)

    async def _page(
        self, request: Request, app: App, found: Webhook, attempt: Attempt | None = None, *, secret: str = ""
    ) -> Response:
        tried = attempt or Attempt(found.url, found.description, found.events, {})
        state, number = _view(request)
        values = {
            "typed": tried,
            "chosen": tried.events,
            "groups": groups(),
            "errors": defaultdict(str, tried.errors),
            "secret": secret,
            "tab": "webhooks",
            "view": f"?state={state or ''}&page={number}",
            **await self._told(app, found, state, number),
        }
        status = 400 if tried.errors else 200
        return await self.kit.page(request, "webhook.html", values, section=SECTION, app=app, status=status)

    async def _told(self, app: App, which: Webhook, state: str | None, number: int) -> dict[str, object]:
        """A page of what it was told, and how it stands now."""
        tries: defaultdict[int, list[Tried]] = defaultdict(list)
        skip = (number - 1) * PAGE
        async with self.kit.db.connection() as conn:
            found = await webhooks.get(conn, app.app_id, which.public_id)
            page = await deliveries.page(conn, app.app_id, found.webhook_id, state=state, skip=skip, limit=PAGE + 1)
            shown = page[:PAGE]
            for one in await deliveries.tries_of(conn, app.app_id, found.webhook_id, [d.delivery_id for d in shown]):
                tries[one.delivery_id].append(one)
            last = await deliveries.last_tries(conn, app.app_id, [found.webhook_id])
        rows = [
            Told(d, tries[d.delivery_id], json.dumps(json.loads(d.data), indent=1, ensure_ascii=False)) for d in shown
        ]
        return {
            "app": app,
            "webhook": found,
            "last": last.get(found.webhook_id),
            "rows": rows,
            "state": state,
            "states": STATES,
            "number": number,
            "more": len(page) > PAGE,
            "given_up": webhook.GIVEN_UP.days,
            "kept": webhook.KEPT.days,
        }


def groups() -> dict[str, list[tuple[str, str]]]:
    """The events that can be chosen, ``(name, meaning)``, by what they are about."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for event, means in webhook.MEANS.items():
        found[event.partition(".")[0].replace("_", "-")].append((event.value, means))
    return dict(found)


def _body(form: Form) -> dict[str, object]:
    return {"url": form.text("url"), "description": form.text("description"), "events": form.all("event")}


def _attempt(form: Form, error: HeliographError) -> Attempt:
    """What was typed, and where on the form the error belongs."""
    field = error.field if error.field in {"url", "description", "events"} else "form"
    told = "Choose at least one event, or everything." if field == "events" else error.message
    return Attempt(form.text("url"), form.text("description"), form.all("event"), {field: told})


def _view(request: Request) -> tuple[str | None, int]:
    """Which deliveries are looked at: their state, or None for all; the page. Raises Invalid."""
    state, number = request.query_params.get("state") or None, request.query_params.get("page") or "1"
    if state is not None and state not in STATES:
        raise Invalid(f"There are no {state[:40]!r} deliveries; there are: {', '.join(STATES)}")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:6]) <= FAR:
        raise Invalid(f"{number[:40]!r} is no page. There are pages 1 to {FAR}")
    return state, int(number)


def _at(app: App, which: str = "") -> str:
    at = f"/console/{app.public_id}/settings/webhooks"
    return f"{at}/{which}" if which else at
