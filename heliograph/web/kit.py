"""What every page of the console is made with: its app, its form, the frame around it, live pieces, what was just done.

Every page works without a script: buttons are forms, a form that was posted answers with a redirect. With the script
the same addresses answer with the piece of the page that changes (they are told by ``HX-Request``), and live pieces
come as server-sent events (told by ``Accept``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from heliograph.errors import HeliographError, Invalid
from heliograph.store import apps
from heliograph.web import door, nav, saying, visitor
from heliograph.web.saying import Said, Undo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from jinja2 import Environment
    from starlette.requests import Request

    from heliograph.actions.seal import Seal
    from heliograph.config import Clock, Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database

SAID = "heliograph_said"  # cookie: what was just done, until the next page has shown it
APP = "heliograph_app"  # cookie: the app looked at last
EVERY = 1.0  # seconds between two looks of a live piece
STREAM_SECONDS = 20.0  # a stream ends by then, and the page asks again: the server can close, a session can expire
YEAR = 365 * 24 * 3600
FAR = 1_000_000  # far more pages than there are

Handler = Callable[["Request"], Awaitable["Response"]]
Piece = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Sure:
    """A question before something is done: ``button`` posts to ``at``, with ``hidden`` fields; ``back`` leaves it.

    ``refused``: why it cannot be done now, instead of a button. ``text``: what people will read on their phones, where
    that matters. ``live``: an address that asks the same again, for words that change with the numbers.
    """

    title: str
    sentences: tuple[str, ...]
    button: str
    at: str
    back: str
    dangerous: bool = True
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    keep: str = "Leave it"
    refused: str = ""
    text: str = ""
    live: str = ""


@dataclass(slots=True)
class Kit:
    """Given to every module of pages. ``there``: the keys of the sections that have pages."""

    db: Database
    settings: Settings
    clock: Clock
    templates: Environment
    seal: Seal | None = None
    there: set[str] = field(default_factory=set[str])
    rights: dict[str, str] = field(default_factory=dict[str, str])  # of each route, by its path

    @property
    def now(self) -> datetime:
        """The time."""
        return self.clock()

    @property
    def sealing(self) -> Seal:
        """What secrets are sealed with. Raises RuntimeError in a console that was made without."""
        if self.seal is None:
            raise RuntimeError("this console was made without a seal")
        return self.seal

    # ------------------------------------------------------------ what is asked for

    async def app(self, request: Request) -> App:
        """The app that the address names (``{app}``). Raises NotFound, and Forbidden where the user is not in it."""
        async with self.db.connection() as conn:
            app = await apps.get(conn, request.path_params["app"])
        door.check_app(request, app)
        return app

    def route(
        self, path: str, handler: Handler, *, right: str, methods: Sequence[str] = ("GET",), act: bool = False
    ) -> Route:
        """A route that only those come to who may look at what goes by ``right``, or change it where they post.

        ``act``: only those who may change it come here to look, too: a page that is nothing but the form of something
        new. Templates find in ``may_act`` whether whoever looks may change what goes by ``right``, and in ``sees`` the
        sections that a link may lead to.
        """

        async def let_in(request: Request) -> Response:
            door.permit(request, right, act=act or request.method not in {"GET", "HEAD"})
            request.state.right = right
            try:
                return await handler(request)
            finally:
                await request.close()  # the files that a form has brought

        route = Route(path, let_in, methods=list(methods))
        self.rights[route.path] = right
        return route

    def may_act(self, request: Request) -> bool:
        """Whether whoever asks may change what the page is about: what they may not do, it does not offer them."""
        right = str(getattr(request.state, "right", ""))
        return not right or visitor.allowed(request, right, act=True)

    def may_post(self, request: Request, path: str) -> bool:
        """Whether whoever asks may post to the route ``path``, as it was given to :meth:`route`."""
        return visitor.allowed(request, self.rights[path], act=True)

    # ------------------------------------------------------------ what is answered

    async def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        *,
        section: str,
        app: App | None = None,
        status: int = 200,
    ) -> Response:
        """A whole page in its frame: navigation, apps, who is signed in, what was just done, the token of its forms."""
        token = door.token(request)
        response = HTMLResponse(
            self.templates.get_template(template).render(
                {"now": self.clock(), "token": token, **await self._frame(request, section, app), **values}
            ),
            status,
            headers={"Vary": "HX-Request, Accept"},
        )
        door.give_token(request, response, token)
        if SAID in request.cookies:
            response.delete_cookie(SAID, path="/")
        if app is not None and request.cookies.get(APP) != app.public_id:
            response.set_cookie(APP, app.public_id, max_age=YEAR, path="/", httponly=True, samesite="strict")
        return response

    async def sure(self, request: Request, asked: Sure, *, section: str, app: App | None = None) -> Response:
        """Ask before something is done: in the dialog of the page, or on a page of its own."""
        if not is_partial(request):
            return await self.page(request, "ask_page.html", {"asked": asked}, section=section, app=app)
        token = door.token(request)
        response = self.piece("ask.html", {"token": token, "asked": asked})
        door.give_token(request, response, token)
        return response

    def text(self, template: str, values: Mapping[str, object]) -> str:
        """A piece of a page, as HTML."""
        return self.templates.get_template(template).render({"now": self.clock(), **values})

    def piece(self, template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
        """A piece of a page, as an answer."""
        return HTMLResponse(self.text(template, values), status, headers={"Vary": "HX-Request, Accept"})

    async def live(self, request: Request, piece: Piece, *, every: float = EVERY) -> Response:
        """A piece of a page that changes by itself: as events whenever it does, or once for whoever asks plainly."""
        if "text/event-stream" not in request.headers.get("accept", ""):
            return HTMLResponse(await piece(), headers={"Vary": "HX-Request, Accept"})
        headers = {"X-Accel-Buffering": "no", "Vary": "HX-Request, Accept"}
        return StreamingResponse(_events(request, piece, every), media_type="text/event-stream", headers=headers)

    def done(self, request: Request, to: str, text: str, *, undo: Undo | None = None) -> Response:
        """What follows a form: the page at ``to``, which says ``text``, and how it is undone where it can be."""
        if is_partial(request):
            response: Response = Response(status_code=204, headers={"HX-Redirect": to})
        else:
            response = RedirectResponse(to, status_code=303)
        told = saying.pack(request, Said(text, undo=undo))
        response.set_cookie(SAID, told, max_age=60, path="/", httponly=True, samesite="strict")
        return response

    def said(
        self, text: str, *, trouble: bool = False, undo: Undo | None = None, request: Request | None = None
    ) -> Response:
        """What follows a form posted by the script from a page that stays: the line that says what was done.

        ``undo`` takes the request that was answered.
        """
        token = "" if request is None else door.token(request)
        return self.piece("said.html", {"said": Said(text, trouble, undo), "token": token})

    async def _frame(self, request: Request, section: str, app: App | None) -> dict[str, object]:
        async with self.db.connection() as conn:
            known = [one for one in await apps.list_all(conn) if door.may_enter(request, one)]
        current = app or next((one for one in known if one.public_id == request.cookies.get(APP)), None)
        current = current or (known[0] if known else None)
        seen = [one for one in nav.SECTIONS if one.key in self.there]
        allowed = {one.key for one in seen if door.may_see(request, one.right, current)}
        right = str(getattr(request.state, "right", ""))
        return {
            "may_act": self.may_act(request),
            "who_may": visitor.who_may(right, act=True) if right else "",
            "sees": allowed,
            "nav": nav.sections(current, allowed),
            "section": section,
            "apps": known,
            "app": current,
            "user": door.user(request),
            "said": saying.unpack(request, request.cookies.get(SAID, "")),
        }


async def _events(request: Request, piece: Piece, every: float) -> AsyncIterator[str]:
    """The piece now, and again whenever it has changed; a comment where it has not, so that a dead line is noticed.

    Ends when ``app.state.closing`` is set: a server does not wait for those who only look on.
    """
    yield "retry: 300\n\n"
    ends = asyncio.get_running_loop().time() + STREAM_SECONDS
    before = ""
    while asyncio.get_running_loop().time() < ends and not getattr(request.app.state, "closing", False):
        if await request.is_disconnected():
            break
        try:
            text = await piece()
        except HeliographError as error:
            yield f"event: trouble\ndata: {json.dumps(error.message)}\n\n"
        else:
            yield f"data: {json.dumps(text)}\n\n" if text != before else ": still so\n\n"
            before = text
        await asyncio.sleep(every)


def is_partial(request: Request) -> bool:
    """Whether the script asks for a piece of the page."""
    return request.headers.get("hx-request") == "true"


def number_of(request: Request, name: str = "page") -> int:
    """A page number of the address, from 1 on. Raises Invalid."""
    number = request.query_params.get(name, "")
    if number and not (number.isascii() and number.isdigit() and 0 < int(number[:9]) < FAR):
        raise Invalid(f"{name} is {number[:80]!r}; it takes a number from 1 on")
    return int(number or 1)


def link(path: str, **values: object) -> str:
    """An address with a query of those values that are not empty."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path
