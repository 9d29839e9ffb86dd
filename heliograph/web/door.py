"""Who may come in: whoever is signed in, from where the console answers, and only its own pages may post.

* Where a request comes from, and under which name, is looked at first (:mod:`heliograph.web.origin`).
* Then who is signed in, by the session in a cookie; whoever is not is shown the way to sign in. What somebody may do is
  asked of :mod:`heliograph.web.visitor`.
* A change needs proof that a page of this console asked for it: ``Sec-Fetch-Site`` or ``Origin``, which scripts
  cannot forge, and a token that stands both in a cookie and in the form. What is then done is written down.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.datastructures import FormData, MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from heliograph.actions import audit, sign_in
from heliograph.errors import Forbidden, Invalid, TooLarge
from heliograph.rules.roles import Right
from heliograph.store.audit import NewEntry
from heliograph.web import deeds, origin, visitor
from heliograph.web.visitor import check_app as check_app
from heliograph.web.visitor import may_act as may_act
from heliograph.web.visitor import may_enter as may_enter
from heliograph.web.visitor import may_see as may_see
from heliograph.web.visitor import permit as permit
from heliograph.web.visitor import user as user

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from heliograph.config import Clock, Settings
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

COOKIE = "heliograph_csrf"
FIELD = "token"
SESSION = "heliograph_session"
STATIC = "/console/static/"  # style and script: the page that says "not from there" needs them too
SIGN_IN = "/console/sign-in"
START = "/console/start"  # for whoever may not see the campaigns of every app
PUBLIC = (SIGN_IN, "/console/link/", "/console/sso/")  # before there is a user
# Posts that are no entry of the audit.
ONLY_LOOKING = ("preview", "count", "check", "compose", "draft", "try", "simulate")
REFUSED = (403, 409)  # what is one although nothing was changed
LONGEST_VERB = 200

MOST_BYTES = 4096  # of a form that is a question answered; pages with more to say name their own limit
MOST_FIELDS = 1000
MOST_OF_ONE = 1 << 20  # bytes of a field, which is kept in memory; a file is not
_ID = re.compile(r"[a-z]{2,3}-[0-9a-f]{8}-")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Page = Callable[[Request, Exception], Response]


@dataclass(frozen=True, slots=True)
class Door:
    """ASGI middleware: lets in who may come in, and lets nothing out without the headers that protect it.

    ``page`` makes the response that tells of an error: of Forbidden, and of whatever was not foreseen,
    which is logged under a reference.
    """

    app: ASGIApp
    page: Page
    db: Database
    settings: Settings
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        answered: list[int] = []  # the status, once there is one

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                _protect(MutableHeaders(scope=message), secure=scope["scheme"] == "https")
            await send(message)

        asked: audit.Asking | None = None
        try:
            answer = None
            if not str(scope["path"]).startswith(STATIC):
                answer = await self._turned_away(request)
                asked = self._asking(request)
            await (answer or self.app)(scope, receive, guarded)
        except Exception as error:
            if answered:
                raise
            await self.page(request, error)(scope, receive, guarded)
        finally:
            audit.end()
        if asked is not None and answered and answered[0] in REFUSED:
            why = str(getattr(request.state, "refused", f"It was answered with {answered[0]}"))
            await audit.settle(self.db, asked, refused=why)

    async def _turned_away(self, request: Request) -> Response | None:
        """What is answered to whoever may not come in; None for who may. Raises Forbidden for a stranger."""
        origin.place(request, self.settings)
        sent = request.cookies.get(SESSION, "")
        came = sign_in.Came(origin.came_from(request), request.headers.get("user-agent", ""))
        found = await sign_in.find(self.db, sent, came, now=self.clock()) if _TOKEN.fullmatch(sent) else None
        if found is not None:
            user, session = found
            request.state.user = visitor.Visitor(
                user.user_id, user.public_id, user.name, user.email, user.grants, session.public_id
            )
        path = str(request.scope["path"])
        if path == "/" and found is not None and not found[0].grants.may_everywhere(Right.CAMPAIGNS):
            return RedirectResponse(START, status_code=303)
        if path == "/" and found is None and request.method in {"GET", "HEAD"}:
            request.scope["path"] = SIGN_IN  # the front page of whoever is not signed in yet
            return None
        if found is not None or path.startswith(PUBLIC):
            return None
        return _to_sign_in(request)

    def _asking(self, request: Request) -> audit.Asking | None:
        """Have what is posted written down with what it changes."""
        user = visitor.user(request)
        words = str(request.scope["path"]).removeprefix("/console/").split("/")
        if user is None or request.method in {"GET", "HEAD"} or words[-1] in ONLY_LOOKING:
            return None
        verb = " ".join(word for word in words if not _ID.match(word))
        named = [word for word in words if _ID.match(word)]
        app = named[0] if named and named[0].startswith("st-") else None
        entry = NewEntry(
            "user",
            user.public_id,
            user.name,
            origin.came_from(request),
            verb[:LONGEST_VERB],
            app=app,
            object=named[-1][:LONGEST_VERB] if named else "",
            what=deeds.told(str(request.scope["path"])),
        )
        return audit.begin(entry, self.clock)


def _protect(headers: MutableHeaders, *, secure: bool) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if secure:
        cookies = headers.getlist("set-cookie")
        del headers["set-cookie"]
        for cookie in cookies:
            headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")


def _to_sign_in(request: Request) -> Response:
    """The way to sign in, in the way that whoever asks understands."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": SIGN_IN})
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response("Nobody is signed in.", 401, media_type="text/plain")
    if request.method not in {"GET", "HEAD"}:
        return RedirectResponse(f"{SIGN_IN}?ended=yes", status_code=303)
    path, query = str(request.scope["path"]), request.scope["query_string"].decode("latin-1")
    back = path + (f"?{query}" if query else "")
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': back})}", status_code=303)


def give_session(response: Response, value: str) -> None:
    """Have the browser keep a session, for as long as the longest lasts; empty: forget it."""
    if value:
        age = int(sign_in.LONGEST.total_seconds())
        # Lax, unlike the token's: a link in somebody's mail opens the page it leads to.
        response.set_cookie(SESSION, value, max_age=age, path="/", httponly=True, samesite="lax")
    else:
        response.delete_cookie(SESSION, path="/", httponly=True, samesite="lax")


def token(request: Request) -> str:
    """The token that forms of this browser carry: the one in its cookie, else a new one (then set the cookie)."""
    known = request.cookies.get(COOKIE, "")
    return known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)


def give_token(request: Request, response: Response, value: str) -> None:
    """Set the cookie unless the browser has it."""
    if request.cookies.get(COOKIE) != value:
        response.set_cookie(COOKIE, value, path="/", httponly=True, samesite="strict")


# ---------------------------------------------------------------- forms


@dataclass(frozen=True, slots=True)
class Form:
    """A posted form, checked."""

    sent: FormData

    def text(self, name: str, default: str = "") -> str:
        """The last value of a field, without the blanks around it; ``default`` when it was not sent."""
        values = self.all(name)
        return values[-1].strip() if values else default

    def all(self, name: str) -> list[str]:
        """Every value of a field, as it was sent."""
        return [value for value in self.sent.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file; None when none was chosen."""
        found = self.sent.get(name)
        return found if isinstance(found, UploadFile) and found.filename else None


async def check_form(request: Request, *, most: int = MOST_BYTES) -> Form:
    """The posted form, of at most ``most`` bytes.

    Raises Forbidden unless a page of this console, in this browser, posted it; Invalid when it is no form.
    """
    _check_origin(request)
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise Invalid("The form has no length; post it as a page of the console does.")
    if int(length) > most:
        raise TooLarge(f"The form has {int(length):,} bytes; {most:,} are taken.")
    try:
        form = Form(await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_OF_ONE))
    except (HTTPException, MultiPartException) as error:
        raise Invalid(f"That is no form: {error}") from error
    sent = form.text(FIELD)
    cookie = request.cookies.get(COOKIE, "")
    if not _TOKEN.fullmatch(cookie) or not secrets.compare_digest(sent.encode(), cookie.encode()):
        raise Forbidden("The form is of another visit: its token is not the one of this browser. Load the page again.")
    return form


def _check_origin(request: Request) -> None:
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is None and site is None:
        raise Forbidden("The request does not say which page it comes from (neither Origin nor Sec-Fetch-Site).")
    if origin is not None and origin.lower() != f"{request.scope['scheme']}://{request.headers['host']}".lower():
        raise Forbidden("The request was made by a page of another site.")
    if site not in {None, "same-origin"}:
        raise Forbidden("The request was made by a page of another site.")
