"""Who may come in. There is no sign-in yet, so the console answers this machine only, and only its own pages may post.

* The client's address is a loopback address, and no header says that somebody further away is behind it.
* The name the browser asked for is a loopback name: a page of another site that has its own name resolve
  to 127.0.0.1 (DNS rebinding) is turned away.
* A change needs proof that a page of this console asked for it: ``Sec-Fetch-Site`` or ``Origin``, which scripts
  cannot forge, and a token that stands both in a cookie and in the form.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import FormData, MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from heliograph.errors import Forbidden, Invalid, NotFound, TooLarge

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from heliograph.store.apps import App

log = logging.getLogger(__name__)

COOKIE = "heliograph_csrf"
FIELD = "token"
PUBLIC = "/console/static/"  # style and script: the page that says "not from there" needs them too

# A proxy or a tunnel server that stands on this machine makes everybody look local; these give it away.
PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

MOST_BYTES = 4096  # of a form that is a question answered; pages with more to say name their own limit
MOST_FIELDS = 1000
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
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


class Door:
    """ASGI middleware: lets in who may come in, and lets nothing out without the headers that protect it.

    ``page`` makes the response that tells of an error: of Forbidden, and of whatever was not foreseen,
    which is logged under a reference.
    """

    def __init__(self, app: ASGIApp, page: Page) -> None:
        self.app = app
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            if not str(scope["path"]).startswith(PUBLIC):
                check_local(request)
            await self.app(scope, receive, guarded)
        except Exception as error:
            if started:
                raise
            await self.page(request, error)(scope, receive, guarded)


def check_local(request: Request) -> None:
    """Raises Forbidden unless the request comes from this machine and asks for it by a name of its own."""
    for header in PASSED_ON:
        if header in request.headers:
            raise Forbidden(f"The request was passed on by a proxy (it has a header {header}).")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise Forbidden(f"The address asked for is {host[:80]!r}, which is not a name of this machine for itself.")
    address = "" if request.client is None else request.client.host
    if not _is_loopback(address):
        raise Forbidden(f"The request comes from {address or 'an unknown address'}, which is another machine.")


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback


def token(request: Request) -> str:
    """The token that forms of this browser carry: the one in its cookie, else a new one (then set the cookie)."""
    known = request.cookies.get(COOKIE, "")
    return known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)


def give_token(request: Request, response: Response, value: str) -> None:
    """Set the cookie unless the browser has it."""
    if request.cookies.get(COOKIE) != value:
        response.set_cookie(COOKIE, value, path="/", httponly=True, samesite="strict")


# ---------------------------------------------------------------- what whoever came in may do


def user(request: Request) -> object | None:
    """Who is signed in; None where nobody has to be."""
    return getattr(request.state, "user", None)


def may_enter(request: Request, app: App) -> bool:
    """Whether whoever asks may look at an app at all."""
    return bool(app) and _on_this_machine(request)


def may_see(request: Request, right: str) -> bool:
    """Whether whoever asks may look at what goes by ``right`` (rules/roles.py)."""
    return bool(right) and _on_this_machine(request)


def check_app(request: Request, app: App) -> None:
    """Raises NotFound for an app that is not theirs: nobody learns which there are."""
    if not may_enter(request, app):
        raise NotFound(f"There is no app {app.public_id}")


def permit(request: Request, right: str, *, act: bool) -> None:
    """Raises Forbidden unless whoever asks may look at what goes by ``right``, or change it (``act``)."""
    if not may_see(request, right):
        raise Forbidden(f"You may not {'change' if act else 'see'} {right}.")


def _on_this_machine(request: Request) -> bool:
    try:
        check_local(request)
    except Forbidden:
        return False
    return True


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
        form = Form(await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=most))
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
