"""Who is signed in, and what they may do: the answers come from the one table in :mod:`heliograph.rules.roles`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.errors import Forbidden, NotFound
from heliograph.rules import roles
from heliograph.rules.roles import Grants, Right

if TYPE_CHECKING:
    from starlette.requests import Request

    from heliograph.store.apps import App

OF_HOUSE = frozenset({Right.USERS})  # of the installation, not of one app: the role for every app counts
NARROWED = frozenset({Right.AUDIT})  # its page shows of the apps together only those where one may


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. ``session``: the public id of the session they came by."""

    user_id: int
    public_id: str
    name: str
    email: str
    grants: Grants
    session: str

    def may(self, right: Right, app: str | None = None, *, act: bool = False) -> bool:
        """Whether they may look, or with ``act`` do something, in an app (``st-...``); without one: anywhere."""
        if app is None and right not in OF_HOUSE:
            return self.grants.may_anywhere(right, act=act)
        return self.grants.may(right, None if right in OF_HOUSE else app, act=act)

    def may_everywhere(self, right: Right, *, act: bool = False) -> bool:
        """Whether they may in every app."""
        return self.grants.may_everywhere(right, act=act)

    def role(self, app: str | None = None) -> str:
        """What they are, in an app or for every one; empty where they are nothing."""
        found = self.grants.grant(app)
        return "" if found is None else found.role.value


def user(request: Request) -> Visitor | None:
    """Who is signed in; None where nobody has to be."""
    found: object = getattr(request.state, "user", None)
    return found if isinstance(found, Visitor) else None


def may_enter(request: Request, app: App) -> bool:
    """Whether whoever asks has anything to do in an app."""
    found = user(request)
    return found is not None and found.grants.grant(app.public_id) is not None


def check_app(request: Request, app: App) -> None:
    """Raises NotFound for an app that is not theirs: nobody learns which there are."""
    if not may_enter(request, app):
        raise _no_app(app.public_id)


def may_see(request: Request, right: str, app: App | None = None) -> bool:
    """Whether whoever asks may look at what goes by ``right``, in an app or, without one, anywhere."""
    found = user(request)
    return found is not None and found.may(Right(right), app.public_id if app else None)


def may_act(request: Request, right: str, app: App | None = None) -> bool:
    """Whether whoever asks may change what goes by ``right``, in an app or, without one, anywhere."""
    found = user(request)
    return found is not None and found.may(Right(right), app.public_id if app else None, act=True)


def permit(request: Request, right: str, *, act: bool) -> None:
    """Raises Forbidden, saying who may, unless whoever asks may look at what goes by ``right``, or change it (``act``).

    The app is the one that the address names (``{app}``, else ``?app=``); one where they are nothing is NotFound.
    An address that names none shows what is in every app, so it takes the right in every one.
    """
    found, app = user(request), _app(request)
    if found is None:
        raise Forbidden("Nobody is signed in.")
    if app is not None and found.grants.grant(app) is None:
        raise _no_app(app)
    if not allowed(request, right, act=act):
        meaning = roles.MEANING[Right(right)]
        what = f"{meaning.view}, to {meaning.full}," if act else meaning.view
        role = found.role(app) or "somebody with no role for every app"
        raise Forbidden(
            f"You are signed in as {role}. {what}: that takes {who_may(right, act=act)}. An Owner can change your role."
        )


def allowed(request: Request, right: str, *, act: bool) -> bool:
    """Whether :func:`permit` lets whoever asks through."""
    found, app, wanted = user(request), _app(request), Right(right)
    if found is None:
        return False
    if app is None and wanted not in (OF_HOUSE | NARROWED):
        return found.may_everywhere(wanted, act=act)
    return found.may(wanted, app, act=act)


def who_may(right: str, *, act: bool) -> str:
    """The roles that may, in words."""
    return _either([one.value for one in roles.with_right(Right(right), act=act)])


def _app(request: Request) -> str | None:
    return request.path_params.get("app") or request.query_params.get("app") or None


def _no_app(public_id: str) -> NotFound:
    return NotFound(f"There is no app {public_id[:80]}", field="appId")


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0] if words else "nobody"
