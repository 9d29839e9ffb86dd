"""Users of the console: inviting them, what they may do, their passwords, shutting them out.

Whoever invites is shown a link that opens once, and hands it on; where there is a mail server it is mailed besides. An
installation keeps at least one Owner who can sign in.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import audit, mail, sign_in
from heliograph.actions.mail import Letter
from heliograph.errors import Conflict, DuplicateName, Invalid, NotFound, Unauthenticated
from heliograph.rules import ids, password, roles
from heliograph.store import sign_in_links, users, web_sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.actions.mail import Outcome
    from heliograph.actions.passwords import Passwords
    from heliograph.actions.sign_in import Came, Opened
    from heliograph.config import Settings
    from heliograph.rules.roles import Grant, Grants
    from heliograph.store.database import Conn, Database
    from heliograph.store.sign_in_links import Purpose
    from heliograph.store.users import User

LIFETIME: dict[Purpose, timedelta] = {
    "owner": timedelta(days=7),
    "invite": timedelta(days=7),
    "reset": timedelta(days=1),
    "sign_in": timedelta(hours=1),
}
LONGEST_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
LONGEST_NAME = 100
SOON = 8.0  # seconds that a page waits for each answer of a mail server
_EMAIL = re.compile(r"[^\s@<>\x00-\x1f\x7f]+@[^\s@<>\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Invited:
    """A user just made, and the token of the link by which they choose a password: shown this once."""

    user: User
    token: str


def link(base: str, token: str) -> str:
    """The address that a token makes. ``base``: where people open the console."""
    return f"{base}/console/link/{token}"


# ---------------------------------------------------------------- making users


async def owner_link(db: Database, *, made_by: str, now: datetime) -> str | None:
    """The token by which an Owner is made where there is none; None where there is one. It replaces those before."""
    async with db.transaction() as conn:
        if await users.has_owner(conn):
            audit.never()
            return None
        audit.tell("Made a link by which somebody becomes the owner")
        return await _new_link(conn, "owner", None, made_by=made_by, now=now)


async def invite(db: Database, *, email: str, name: str, grants: Grants, made_by: str, now: datetime) -> Invited:
    """A new user who is to choose a password by a link. Raises :class:`Invalid`, and DuplicateName for an address."""
    async with db.transaction() as conn:
        user = await add_inside(conn, email=email, name=name, grants=grants, now=now)
        token = await _new_link(conn, "invite", user.user_id, made_by=made_by, now=now)
        audit.tell(f"Invited {user.name} ({user.email}) as {_told(user.grants)}", object=user.public_id)
    return Invited(user, token)


async def add(db: Database, *, email: str, name: str, grants: Grants, now: datetime) -> User:
    """A new user without a password, who comes in by single sign-on or by a link. Raises as :func:`invite`."""
    async with db.transaction() as conn:
        user = await add_inside(conn, email=email, name=name, grants=grants, now=now)
        audit.tell(f"Added {user.name} ({user.email}) as {_told(user.grants)}", object=user.public_id)
    return user


async def reset(db: Database, user: User, *, made_by: str, now: datetime) -> str:
    """The token of a link by which a user chooses another password. The one they have works until then."""
    async with db.transaction() as conn:
        if user.disabled_at is not None:
            raise Conflict(f"{user.name} is disabled; enable them first")
        purpose: Purpose = "reset" if user.password else "invite"
        token = await _new_link(conn, purpose, user.user_id, made_by=made_by, now=now)
        audit.tell(f"Made a link by which {user.name} chooses a password", object=user.public_id)
    return token


async def sign_in_link(db: Database, user: User, *, made_by: str, now: datetime) -> str:
    """The token of a link that signs a user in, once, within an hour: for the terminal of this machine."""
    async with db.transaction() as conn:
        return await _new_link(conn, "sign_in", user.user_id, made_by=made_by, now=now)


async def mail_link(settings: Settings, user: User, address: str, *, purpose: str, now: datetime) -> Outcome:
    """Mail a user the link (``address``) by which they choose a password."""
    what = "You are invited to Heliograph" if purpose == "invite" else "Choose another password for Heliograph"
    days = "seven days" if purpose == "invite" else "a day"
    text = (
        f"{user.name},\n\nopen this link and choose a password. It opens once, within {days}:\n\n{address}\n\n"
        "Whoever has it comes in as you: do not hand it on. If you did not expect it, tell whoever runs the server.\n"
    )
    return await mail.send(settings, Letter([user.email], what, text), now=now, patience=SOON)


# ---------------------------------------------------------------- choosing passwords


async def accept(
    db: Database,
    passwords: Passwords,
    token: str,
    *,
    given: str,
    came: Came,
    now: datetime,
    name: str | None = None,
    email: str | None = None,
) -> Opened:
    """Choose a password by a link, and be signed in; the first owner's chooses name and address too.

    Whoever had signed in with the old password is signed out. Raises NotFound when the link does not open (any more),
    :class:`Invalid` for a password, name or address that cannot be taken.
    """
    found = await sign_in.find_link(db, token, now=now)
    if found.purpose == "sign_in":
        raise NotFound(sign_in.NO_LINK)
    async with db.connection() as conn:
        user = await users.get(conn, found.user_public_id) if found.user_public_id else None
    known = (name or "", email or "") if user is None else (user.name, user.email, name or "")
    checked = password.check(given, known=known)
    if user is None:
        check_email(email or "")
        check_name(name or "")
    hashed = await passwords.hash(checked)
    async with db.transaction() as conn:
        if not await sign_in_links.use(conn, sign_in.digest(token), now=now):
            raise NotFound(sign_in.NO_LINK)
        if user is None:
            user = await _first_owner(conn, email=email or "", name=name or "", now=now)
        elif name:
            await users.set_name(conn, user.user_id, check_name(name))
        await users.set_password(conn, user.user_id, hashed, now=now)
        await web_sessions.delete_all(conn, user.user_id)
        await sign_in_links.drop(conn, user.user_id, "invite", "reset", now=now)
        user = await users.get(conn, user.public_id)
        half = user.totp_at is not None
        how = f"and chose a password, by a link made by {found.made_by}"
        return await sign_in.open_session(conn, user, came, half=half, how=how, now=now)


async def change_password(
    db: Database, passwords: Passwords, user: User, *, old: str, new: str, session: str, now: datetime
) -> None:
    """Choose another password, knowing the one before; every other session of the user ends.

    Raises :class:`Unauthenticated` when ``old`` is not it, :class:`Invalid` for a new one that cannot be taken.
    """
    if not await passwords.check(user.password, old):
        raise Unauthenticated("That is not your password of now", field="old")
    hashed = await passwords.hash(password.check(new, known=(user.name, user.email), field="new"))
    async with db.transaction() as conn:
        await users.set_password(conn, user.user_id, hashed, now=now)
        await web_sessions.delete_all(conn, user.user_id, but=session)
        audit.tell("Changed their own password", object=user.public_id)


# ---------------------------------------------------------------- changing users


async def set_grants(db: Database, user: User, grants: Grants) -> None:
    """Give a user these roles in place of those before; it counts from their next request on.

    Raises :class:`Conflict` when no Owner who can sign in would be left, NotFound for an app there is not.
    """
    async with db.transaction() as conn:
        if grants.every is None or grants.every.role is not roles.Role.OWNER:
            await _keep_an_owner(conn, user)
        await _grant(conn, user.user_id, grants)
        audit.tell(f"{user.name}: {_told(user.grants)}, now {_told(grants)}", object=user.public_id)


async def rename(db: Database, user: User, name: str) -> None:
    """Call a user so from now on. Raises :class:`Invalid`."""
    async with db.transaction() as conn:
        await users.set_name(conn, user.user_id, check_name(name))
        audit.tell(f"{user.name} is called {name.strip()} now", object=user.public_id)


async def disable(db: Database, user: User, *, now: datetime) -> None:
    """Shut a user out: their sessions end, their links open no more. Raises :class:`Conflict` for the last Owner."""
    async with db.transaction() as conn:
        await _keep_an_owner(conn, user)
        await users.set_disabled(conn, user.user_id, now)
        await web_sessions.delete_all(conn, user.user_id)
        await sign_in_links.drop(conn, user.user_id, "invite", "reset", "sign_in", now=now)
        audit.tell(f"Disabled {user.name}", object=user.public_id)


async def enable(db: Database, user: User) -> None:
    """Let a user sign in again, with the password they had."""
    async with db.transaction() as conn:
        await users.set_disabled(conn, user.user_id, None)
        audit.tell(f"Enabled {user.name}", object=user.public_id)


def check_email(text: str) -> str:
    """The address without the blanks around it. Raises :class:`Invalid`."""
    found = text.strip()
    if not _EMAIL.fullmatch(found) or len(found) > LONGEST_EMAIL:
        raise Invalid(f"email is {found[:60]!r}, and an address such as ada@example.com is expected", field="email")
    return found


def check_name(text: str) -> str:
    """The name without the blanks around it. Raises :class:`Invalid`."""
    found = text.strip()
    if not 0 < len(found) <= LONGEST_NAME or not found.isprintable():
        raise Invalid(f"name is {found[:60]!r}, and 1 to {LONGEST_NAME} characters are expected", field="name")
    return found


async def find(conn: Conn, ref: str) -> User:
    """The user with this id or address. Raises NotFound."""
    found = None if ids.looks_like("us", ref) else await users.find_email(conn, ref.strip().lower())
    return found or await users.get(conn, ref)


async def add_inside(conn: Conn, *, email: str, name: str, grants: Grants, now: datetime) -> User:
    """As :func:`add`, inside a transaction of the caller's."""
    email, name = check_email(email), check_name(name)
    if grants.every is None and not grants.of_app:
        raise Invalid("A user needs a role: for every app, or for one at least", field="role")
    public_id = ids.new("us")
    made = await users.add(
        conn, public_id=public_id, email=email, lemail=email.lower(), name=name, role=None, module=None, now=now
    )
    if made is None:
        raise DuplicateName(f"There is a user with the address {email} already", field="email")
    await _grant(conn, made, grants)
    return await users.get(conn, public_id)


async def _first_owner(conn: Conn, *, email: str, name: str, now: datetime) -> User:
    if await users.has_owner(conn):
        raise NotFound(sign_in.NO_LINK)
    return await add_inside(conn, email=email, name=name, grants=roles.Grants(roles.Grant(roles.Role.OWNER)), now=now)


async def _grant(conn: Conn, user_id: int, grants: Grants) -> None:
    every = grants.every
    await users.set_role(conn, user_id, every.role if every else None, every.module if every else None)
    await users.drop_app_roles(conn, user_id)
    rows = [(app, one.role.value, one.module) for app, one in grants.of_app.items()]
    if rows and await users.add_app_roles(conn, user_id, rows) != len(rows):
        raise NotFound(f"One of the apps {', '.join(grants.of_app)} is not there", field="app")


async def _keep_an_owner(conn: Conn, user: User) -> None:
    if user.role != roles.Role.OWNER:
        return
    await users.lock_owners(conn)
    if not await users.has_owner(conn, but=user.user_id):
        raise Conflict(f"{user.name} is the only Owner who can sign in; make somebody else one first")


async def _new_link(conn: Conn, purpose: Purpose, user_id: int | None, *, made_by: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    replaced: Sequence[Purpose] = ("invite", "reset") if purpose in {"invite", "reset"} else (purpose,)
    await sign_in_links.drop(conn, user_id, *replaced, now=now)
    await sign_in_links.add(
        conn,
        token_hash=sign_in.digest(token),
        purpose=purpose,
        user_id=user_id,
        made_by=made_by,
        now=now,
        expires_at=now + LIFETIME[purpose],
    )
    return token


def _told(grants: Grants) -> str:
    told = [f"{_one(grants.every)} of every app"] if grants.every else []
    told += [f"{_one(one)} of {app}" for app, one in grants.of_app.items()]
    return ", ".join(told) or "nothing"


def _one(grant: Grant) -> str:
    word = {None: "", True: " with campaigns", False: " without campaigns"}[grant.module]
    return f"{grant.role.value}{word}"
