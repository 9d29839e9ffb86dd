"""The pages before there is a user: signing in, the code, a link that opens once; and signing out.

None of them is in a frame, and none says more than it must: a wrong address and a wrong password look the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from heliograph.actions import passwords, users
from heliograph.actions import sign_in as signing
from heliograph.actions.single_sign_on import SingleSignOn
from heliograph.errors import Forbidden, HeliographError, NotFound, RateLimited, Unauthenticated
from heliograph.rules import password
from heliograph.store import users as rows
from heliograph.web import door, origin

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from heliograph.actions.sign_in import Came, Opened
    from heliograph.store.sign_in_links import Link
    from heliograph.web.kit import Kit

BACK = "/console/sso/back"
ATTEMPT = "heliograph_sso"  # cookie: what belongs to one attempt at single sign-on, sealed
CODE = door.SIGN_IN + "/code"
BAD, UNAUTHORISED, TOO_MANY = 400, 401, 429
LONGEST_NEXT = 2000


def routes(kit: Kit) -> list[Route]:
    """The addresses that are open to whoever is not signed in, and the one for signing out."""
    page = Pages(kit)
    return [
        Route(door.SIGN_IN, page.show, methods=["GET"]),
        Route(door.SIGN_IN, page.take, methods=["POST"]),
        Route(CODE, page.show_code, methods=["GET"]),
        Route(CODE, page.take_code, methods=["POST"]),
        Route("/console/link/{link}", page.show_link, methods=["GET"]),
        Route("/console/link/{link}", page.take_link, methods=["POST"]),
        Route("/console/sso/start", page.start_elsewhere, methods=["GET"]),
        Route(BACK, page.back_from_elsewhere, methods=["GET"]),
        Route("/console/sign-out", page.leave, methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.passwords = passwords.from_settings(kit.settings)
        self._provider: SingleSignOn | None = None

    async def show(self, request: Request) -> Response:
        """The page for signing in; whoever is signed in is led on."""
        if door.user(request) is not None:
            return RedirectResponse(_next(request.query_params.get("next", "")), status_code=303)
        note = "Your session has ended. Sign in, then do it again." if "ended" in request.query_params else ""
        return await self._page(request, note=note, next=_next(request.query_params.get("next", "")))

    async def take(self, request: Request) -> Response:
        """Sign in with address and password."""
        form = await door.check_form(request)
        email, to = form.text("email"), _next(form.text("next"))
        given = (form.all("password") or [""])[-1]
        try:
            opened = await signing.by_password(
                self.kit.db, self.passwords, email, given, _came(request), now=self.kit.now
            )
        except (Unauthenticated, RateLimited) as error:
            return await self._page(request, error=error, email=email, next=to)
        return self._in(opened, to)

    async def show_code(self, request: Request) -> Response:
        """The page for the code; whoever gave no password is led back."""
        found = await signing.half_open(self.kit.db, request.cookies.get(door.SESSION, ""), now=self.kit.now)
        if found is None:
            return RedirectResponse(door.SIGN_IN, status_code=303)
        return await self._page(request, "sign_in_code.html", next=_next(request.query_params.get("next", "")))

    async def take_code(self, request: Request) -> Response:
        """Sign in with the code."""
        form = await door.check_form(request)
        half, to = request.cookies.get(door.SESSION, ""), _next(form.text("next"))
        try:
            opened = await signing.by_code(
                self.kit.db, self.kit.sealing, half, form.text("code"), _came(request), now=self.kit.now
            )
        except NotFound as error:
            return await self._page(request, error=error, next=to)
        except (Unauthenticated, RateLimited) as error:
            return await self._page(request, "sign_in_code.html", error=error, next=to)
        return self._in(opened, to)

    async def show_link(self, request: Request) -> Response:
        """What a link is for. One for signing in does so: it was printed for whoever opens it."""
        token = request.path_params["link"]
        found = await signing.find_link(self.kit.db, token, now=self.kit.now)
        if found.purpose == "sign_in":
            return self._in(await signing.by_link(self.kit.db, token, _came(request), now=self.kit.now), "/")
        return await self._link_page(request, found)

    async def take_link(self, request: Request) -> Response:
        """Choose a password, and be signed in."""
        form = await door.check_form(request)
        token = request.path_params["link"]
        found = await signing.find_link(self.kit.db, token, now=self.kit.now)
        name, email = form.text("name"), form.text("email")
        try:
            opened = await users.accept(
                self.kit.db,
                self.passwords,
                token,
                given=(form.all("password") or [""])[-1],
                came=_came(request),
                now=self.kit.now,
                name=name or None,
                email=email or None,
            )
        except NotFound:
            raise
        except HeliographError as error:
            return await self._link_page(request, found, name=name, email=email, error=error)
        return self._in(opened, "/")

    async def start_elsewhere(self, request: Request) -> Response:
        """To the provider of single sign-on."""
        to = _next(request.query_params.get("next", ""))
        try:
            leaving = await self._elsewhere().leave(self._back(request), to, now=self.kit.now)
        except Unauthenticated as error:
            return await self._page(request, error=error, next=to)
        response = RedirectResponse(leaving.address, status_code=303)
        # Lax: the provider's answer is a page of another site leading here.
        response.set_cookie(ATTEMPT, leaving.kept, max_age=600, path=BACK, httponly=True, samesite="lax")
        return response

    async def back_from_elsewhere(self, request: Request) -> Response:
        """With the provider's answer: signed in, or told why not."""
        kept = request.cookies.get(ATTEMPT, "")
        try:
            opened, to = await self._elsewhere().come_back(
                self.kit.db, kept, request.query_params, self._back(request), _came(request), now=self.kit.now
            )
        except (Unauthenticated, Forbidden) as error:
            await signing.refused(self.kit.db, _came(request), error.message, now=self.kit.now)
            response = await self._page(request, error=error)
        else:
            response = self._in(opened, to)
        response.delete_cookie(ATTEMPT, path=BACK, httponly=True, samesite="lax")
        return response

    def _elsewhere(self) -> SingleSignOn:
        if self.kit.settings.oidc_issuer is None:
            raise NotFound("There is no single sign-on here")
        self._provider = self._provider or SingleSignOn(self.kit.settings, self.kit.sealing)
        return self._provider

    def _back(self, request: Request) -> str:
        return (self.kit.settings.console_url or origin.base(request)) + BACK

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        await door.check_form(request)
        visitor = door.user(request)
        if visitor is not None:
            await signing.end_session(self.kit.db, visitor.user_id, visitor.session)
        response = RedirectResponse(door.SIGN_IN, status_code=303)
        door.give_session(response, "")
        return response

    async def _link_page(
        self,
        request: Request,
        found: Link,
        *,
        name: str = "",
        email: str = "",
        error: HeliographError | None = None,
    ) -> Response:
        user = None
        if found.user_public_id is not None:
            async with self.kit.db.connection() as conn:
                user = await rows.get(conn, found.user_public_id)
        values: dict[str, object] = {
            "purpose": found.purpose,
            "person": user,
            "name": name or (user.name if user else ""),
            "email": email or (user.email if user else ""),
            "shortest": password.SHORTEST,
            "error": error,
            "framed": False,
        }
        status = BAD if error else 200
        return await self.kit.page(request, "choose_password.html", values, section="", status=status)

    async def _page(
        self,
        request: Request,
        template: str = "sign_in.html",
        *,
        error: HeliographError | None = None,
        email: str = "",
        note: str = "",
        next: str = "/",  # noqa: A002  # what the address calls it
    ) -> Response:
        async with self.kit.db.connection() as conn:
            owned = await rows.has_owner(conn)
        values: dict[str, object] = {
            "owned": owned,
            "error": error,
            "email": email,
            "note": note,
            "next": next,
            "sso": self.kit.settings.oidc_issuer is not None,
            "framed": False,
        }
        status = 200 if error is None else TOO_MANY if isinstance(error, RateLimited) else UNAUTHORISED
        response = await self.kit.page(request, template, values, section="", status=status)
        if isinstance(error, RateLimited):
            response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
        return response

    def _in(self, opened: Opened, to: str) -> Response:
        onward = to if not opened.half else CODE if to == "/" else f"{CODE}?{urlencode({'next': to})}"
        response = RedirectResponse(onward, status_code=303)
        door.give_session(response, opened.token)
        return response


def _came(request: Request) -> Came:
    return signing.Came(origin.came_from(request), request.headers.get("user-agent", ""))


def _next(text: str) -> str:
    """Where to go when signed in: a page of the console, and nowhere else."""
    ours = text.startswith("/console/") and len(text) <= LONGEST_NEXT and text.isprintable() and "\\" not in text
    return text if ours else "/"
