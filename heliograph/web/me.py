"""Your account: your name and password, codes, where you are signed in. Everybody's own, whatever else they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import RedirectResponse
from starlette.routing import Route

from heliograph.actions import passwords, second_factor, users
from heliograph.actions import sign_in as signing
from heliograph.errors import Forbidden, HeliographError, Unauthenticated
from heliograph.rules import password, roles
from heliograph.store import apps
from heliograph.store import users as rows
from heliograph.web import door, nav

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from heliograph.store.users import User
    from heliograph.web.kit import Kit
    from heliograph.web.visitor import Visitor

HOME = "/console/me"


def routes(kit: Kit) -> list[Route]:
    """Addresses for whoever is signed in."""
    page = Pages(kit)
    return [
        Route(door.START, page.start, methods=["GET"]),
        Route(HOME, page.show, methods=["GET"]),
        Route(HOME + "/name", page.rename, methods=["POST"]),
        Route(HOME + "/password", page.change_password, methods=["POST"]),
        Route(HOME + "/codes", page.show_codes, methods=["GET"]),
        Route(HOME + "/codes", page.confirm_codes, methods=["POST"]),
        Route(HOME + "/codes/off", page.switch_off, methods=["POST"]),
        Route(HOME + "/sessions/{session}/end", page.end, methods=["POST"]),
        Route(HOME + "/sessions/end", page.end_others, methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.passwords = passwords.from_settings(kit.settings)

    async def start(self, request: Request) -> Response:
        """To the first page that the user may see, of the app that is asked for or of any."""
        wanted = request.query_params.get("app", "")
        async with self.kit.db.connection() as conn:
            known = [one for one in await apps.list_all(conn) if door.may_enter(request, one)]
        for app in sorted(known, key=lambda one: one.public_id != wanted):
            for one in nav.SECTIONS:
                if one.key in self.kit.there and door.may_see(request, one.right, app):
                    return RedirectResponse(one.path(app), status_code=303)
        return RedirectResponse(HOME, status_code=303)

    async def show(self, request: Request) -> Response:
        """The account."""
        return await self._page(request)

    async def rename(self, request: Request) -> Response:
        """Be called something else."""
        form = await door.check_form(request)
        try:
            await users.rename(self.kit.db, await self._user(request), form.text("name"))
        except HeliographError as error:
            return await self._page(request, error=error)
        return self.kit.done(request, HOME, "Your name is changed.")

    async def change_password(self, request: Request) -> Response:
        """Choose another password."""
        form = await door.check_form(request)
        old, new = ((form.all(name) or [""])[-1] for name in ("old", "new"))
        session = _visitor(request).session
        try:
            await users.change_password(
                self.kit.db,
                self.passwords,
                await self._user(request),
                old=old,
                new=new,
                session=session,
                now=self.kit.now,
            )
        except HeliographError as error:
            return await self._page(request, error=error)
        return self.kit.done(request, HOME, "Your password is changed; everywhere else you are signed out.")

    async def show_codes(self, request: Request) -> Response:
        """The picture to photograph, to set an authenticator app up."""
        return await self._codes_page(request)

    async def confirm_codes(self, request: Request) -> Response:
        """Have codes asked for from now on, as this one is right; the recovery codes are shown this once."""
        form = await door.check_form(request)
        try:
            codes = await second_factor.confirm(
                self.kit.db, self.kit.sealing, await self._user(request), form.text("code"), now=self.kit.now
            )
        except HeliographError as error:
            return await self._codes_page(request, error=error)
        return await self.kit.page(request, "me_recovery.html", {"codes": codes}, section="me")

    async def switch_off(self, request: Request) -> Response:
        """Have no codes asked for any more; that takes the password."""
        form = await door.check_form(request)
        user = await self._user(request)
        try:
            if not await self.passwords.check(user.password, (form.all("password") or [""])[-1]):
                raise Unauthenticated("That is not your password", field="password")
            await second_factor.switch_off(self.kit.db, user)
        except HeliographError as error:
            return await self._page(request, error=error)
        return self.kit.done(request, HOME, "No codes are asked for any more.")

    async def end(self, request: Request) -> Response:
        """Sign out somewhere."""
        await door.check_form(request)
        await signing.end_session(self.kit.db, _visitor(request).user_id, request.path_params["session"])
        return self.kit.done(request, HOME, "Signed out there.")

    async def end_others(self, request: Request) -> Response:
        """Sign out everywhere else."""
        await door.check_form(request)
        user = _visitor(request)
        ended = await signing.end_others(self.kit.db, user.user_id, but=user.session)
        return self.kit.done(request, HOME, f"Signed out in {ended:,} other place{'s' if ended != 1 else ''}.")

    async def _user(self, request: Request) -> User:
        async with self.kit.db.connection() as conn:
            return await rows.get(conn, _visitor(request).public_id)

    async def _page(self, request: Request, *, error: HeliographError | None = None) -> Response:
        user = await self._user(request)
        async with self.kit.db.connection() as conn:
            left = await rows.count_recovery_codes(conn, user.user_id)
            names = {app.public_id: app.name for app in await apps.list_all(conn)}
        given = [("every app", user.grants.every)] if user.grants.every else []
        given += [(names.get(app, app), grant) for app, grant in user.grants.of_app.items()]
        values: dict[str, object] = {
            "person": user,
            "given": given,
            "rights": list(roles.Right),
            "sessions": await signing.list_sessions(self.kit.db, user.user_id, now=self.kit.now),
            "here": _visitor(request).session,
            "left": left,
            "browser": browser,
            "error": error,
            "shortest": password.SHORTEST,
        }
        return await self.kit.page(request, "me.html", values, section="me", status=400 if error else 200)

    async def _codes_page(self, request: Request, *, error: HeliographError | None = None) -> Response:
        offer = await second_factor.offer(self.kit.db, self.kit.sealing, await self._user(request))
        values: dict[str, object] = {
            "secret": " ".join(offer.secret[at : at + 4] for at in range(0, len(offer.secret), 4)),
            "picture": Markup(offer.picture),  # noqa: S704  # drawn by the library, of an address that it encodes
            "error": error,
        }
        return await self.kit.page(request, "me_codes.html", values, section="me", status=400 if error else 200)


def browser(sent: str) -> str:
    """What people call a browser and its system, from what it says of itself; that, where it is none we know."""
    # A browser calls itself by the names of those it follows too, so the first that fits is the one it is.
    names = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrom": "Chrome", "Safari/": "Safari"}
    systems = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "macOS"}
    name = next((word for mark, word in names.items() if mark in sent), "")
    system = next((word for mark, word in (systems | {"Linux": "Linux"}).items() if mark in sent), "")
    return f"{name} on {system}" if name and system else name or sent or "A browser without a name"


def _visitor(request: Request) -> Visitor:
    found = door.user(request)
    if found is None:
        raise Forbidden("Nobody is signed in.")
    return found
