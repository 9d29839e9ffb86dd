"""Users: who may sign in, and as what. For Owners of every app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import mail, second_factor, users
from heliograph.errors import HeliographError, Invalid, NotFound
from heliograph.rules import roles
from heliograph.rules.roles import Grant, Grants, Level, Right, Role
from heliograph.store import apps, sign_in_links
from heliograph.store import users as rows
from heliograph.web import door, origin
from heliograph.web.kit import Sure
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.users import User
    from heliograph.web.door import Form
    from heliograph.web.kit import Kit

HOME = "/console/users"
BAD = 400
MOST_BYTES = 256 * 1024  # of a form with a line for each app
MODULES = (("role", "As the role has it"), ("on", "On"), ("off", "Off"))
_MODULE = {"role": None, "on": True, "off": False}
WORDS = {Level.NONE: "None", Level.VIEW: "View", Level.FULL: "Full"}


def routes(kit: Kit) -> list[Route]:
    """The addresses of users."""
    page = Pages(kit)
    one = HOME + "/{user}"
    return [
        kit.route(HOME, page.show, right="users"),
        kit.route(HOME + "/new", page.new, right="users"),
        kit.route(HOME + "/new", page.invite, right="users", methods=["POST"]),
        kit.route(one, page.edit, right="users"),
        kit.route(one, page.save, right="users", methods=["POST"]),
        kit.route(one + "/link", page.link, right="users", methods=["POST"]),
        kit.route(one + "/{word}", page.ask, right="users"),
        kit.route(one + "/{word}", page.act, right="users", methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """A user as the table shows one."""

    user: User
    apps: tuple[tuple[str, str], ...]  # of single apps: name, role
    state: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something is done to a user."""

    title: str
    sentences: tuple[str, ...]
    button: str
    done: str


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """Every user, and what each role may do."""
        async with self.kit.db.connection() as conn:
            found = await rows.list_all(conn)
            names = {app.public_id: app.name for app in await apps.list_all(conn)}
            pending = await sign_in_links.pending(conn, now=self.kit.now)
        table = [(right, [WORDS[roles.Grant(role).level(right)] for role in Role]) for right in Right]
        values: dict[str, object] = {
            "people": [_row(user, names, pending) for user in found],
            "roles": list(Role),
            "rights": table,
            "meaning": roles.MEANING,
        }
        return await self.kit.page(request, "users.html", values, section="users")

    async def new(self, request: Request) -> Response:
        """The form of an invitation."""
        return await self._form(request, None, Grants(Grant(Role.SUPERVISOR)))

    async def invite(self, request: Request) -> Response:
        """Invite somebody, and show the link to hand on."""
        form = await door.check_form(request, most=MOST_BYTES)
        grants = Grants()
        try:
            grants = _read(form)
            made = await users.invite(
                self.kit.db,
                email=form.text("email"),
                name=form.text("name"),
                grants=grants,
                made_by=_me(request),
                now=self.kit.now,
            )
        except HeliographError as error:
            return await self._form(request, None, grants, form=form, error=error)
        return await self._link_page(request, made.user, made.token, "invite")

    async def edit(self, request: Request) -> Response:
        """One user."""
        user = await self._user(request)
        return await self._form(request, user, user.grants)

    async def save(self, request: Request) -> Response:
        """Call a user so, and give them these roles."""
        form = await door.check_form(request, most=MOST_BYTES)
        user = await self._user(request)
        grants = user.grants
        try:
            grants = _read(form)
            name = users.check_name(form.text("name"))
            if grants != user.grants:
                await users.set_grants(self.kit.db, user, grants)
            if name != user.name:
                await users.rename(self.kit.db, user, name)
        except HeliographError as error:
            return await self._form(request, user, grants, form=form, error=error)
        return self.kit.done(request, HOME, f"Saved. What {name} may do counts from their next click on.")

    async def link(self, request: Request) -> Response:
        """A link by which a user chooses a password."""
        await door.check_form(request)
        user = await self._user(request)
        token = await users.reset(self.kit.db, user, made_by=_me(request), now=self.kit.now)
        return await self._link_page(request, user, token, "reset" if user.password else "invite")

    async def ask(self, request: Request) -> Response:
        """What disabling a user would do, and the like."""
        user, word = await self._user(request), request.path_params["word"]
        asked = _question(user, word)
        at = f"{HOME}/{user.public_id}"
        sure = Sure(asked.title, asked.sentences, asked.button, f"{at}/{word}", at, dangerous=word != "enable")
        return await self.kit.sure(request, sure, section="users")

    async def act(self, request: Request) -> Response:
        """Do it."""
        await door.check_form(request)
        user, word = await self._user(request), request.path_params["word"]
        asked = _question(user, word)
        if word == "disable":
            await users.disable(self.kit.db, user, now=self.kit.now)
        elif word == "enable":
            await users.enable(self.kit.db, user)
        else:
            await second_factor.switch_off(self.kit.db, user)
        at = f"{HOME}/{user.public_id}"
        other = {"disable": "enable", "enable": "disable"}.get(word)
        return self.kit.done(request, at, asked.done, undo=Undo(f"{at}/{other}") if other else None)

    async def _user(self, request: Request) -> User:
        async with self.kit.db.connection() as conn:
            return await rows.get(conn, request.path_params["user"])

    async def _link_page(self, request: Request, user: User, token: str, purpose: str) -> Response:
        base = self.kit.settings.console_url or origin.base(request)
        address, mailed = users.link(base, token), None
        if mail.can_send(self.kit.settings):
            mailed = await users.mail_link(self.kit.settings, user, address, purpose=purpose, now=self.kit.now)
        values: dict[str, object] = {"person": user, "link": address, "purpose": purpose, "mailed": mailed}
        return await self.kit.page(request, "user_link.html", values, section="users")

    async def _form(
        self,
        request: Request,
        user: User | None,
        grants: Grants,
        *,
        form: Form | None = None,
        error: HeliographError | None = None,
    ) -> Response:
        async with self.kit.db.connection() as conn:
            known = await apps.list_all(conn)
        values: dict[str, object] = {
            "person": user,
            "name": form.text("name") if form else user.name if user else "",
            "email": form.text("email") if form else user.email if user else "",
            "role": grants.every.role if grants.every else "none",
            "module": _word(grants.every),
            "modules": MODULES,
            "roles": [("none", "None"), *((role, role.value) for role in Role)],
            "lines": [_line(app, grants) for app in known],
            "error": error,
        }
        return await self.kit.page(request, "user.html", values, section="users", status=BAD if error else 200)


def _row(user: User, names: dict[str, str], pending: set[int]) -> Row:
    given = tuple((names.get(app, app), grant.role.value) for app, grant in user.grants.of_app.items())
    if user.disabled_at is not None:
        state = "Disabled"
    elif user.password or user.sso_subject:
        state = "Active"
    else:
        state = "Invited" if user.user_id in pending else "Invitation has run out"
    return Row(user, given, state)


def _line(app: App, grants: Grants) -> tuple[App, str, str]:
    grant = grants.of_app.get(app.public_id)
    return app, grant.role if grant else "none", _word(grant)


def _word(grant: Grant | None) -> str:
    return {None: "role", True: "on", False: "off"}[grant.module if grant else None]


def _read(form: Form) -> Grants:
    """The roles that a form gives: ``role``, ``module``, and the same with an app's id behind them."""

    def one(suffix: str) -> Grant | None:
        role = form.text(f"role{suffix}", "none")
        module = form.text(f"module{suffix}", "role")
        if module not in _MODULE:
            raise Invalid(f"module is {module[:40]!r}, and role, on or off is expected", field="module")
        return None if role == "none" else Grant(roles.read(role), _MODULE[module])

    of_app = {
        name.removeprefix("role-"): one(name.removeprefix("role")) for name in form.sent if name.startswith("role-")
    }
    return Grants(one(""), {app: grant for app, grant in of_app.items() if grant is not None})


def _question(user: User, word: str) -> Question:
    """What is asked for a word of the address. Raises NotFound for one there is not."""
    if word == "disable" and user.disabled_at is None:
        sentences = (
            "They are signed out at once, wherever they are, and cannot sign in.",
            "What they made and what they did stays as it is, and you can let them in again.",
        )
        return Question(f"Disable {user.name}?", sentences, "Disable", f"{user.name} is signed out and cannot sign in.")
    if word == "enable" and user.disabled_at is not None:
        sentences = ("They can sign in again, with the password and the roles they had.",)
        return Question(f"Let {user.name} in again?", sentences, "Enable", f"{user.name} can sign in again.")
    if word == "codes-off" and user.totp_sealed is not None:
        sentences = (
            "Their password alone lets them in until they set an authenticator app up again.",
            "Do this for somebody who lost phone and recovery codes, once you are sure that it is they who ask.",
        )
        done = f"{user.name} is asked for no codes any more."
        return Question(f"Ask {user.name} for no codes any more?", sentences, "Ask for none", done)
    raise NotFound(f"There is nothing called {word[:80]} to do to {user.name} now")


def _me(request: Request) -> str:
    found = door.user(request)
    return found.name if found else ""
