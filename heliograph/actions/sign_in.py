"""Signing in to the console: by password and code, by a link that opens once, by single sign-on; and staying so.

A session is a random token in a cookie, kept as a hash. It ends after 12 hours of silence, and after 7 days in any
case. What was wrong is never said: not whether there is such a user, nor by how long it took to find out.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import audit, second_factor
from heliograph.errors import NotFound, RateLimited, Unauthenticated
from heliograph.rules import ids, password
from heliograph.store import sign_in_failures, sign_in_links, users, web_sessions
from heliograph.store.audit import NewEntry

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.actions.passwords import Passwords
    from heliograph.actions.seal import Seal
    from heliograph.store.database import Conn, Database
    from heliograph.store.sign_in_links import Link
    from heliograph.store.users import User
    from heliograph.store.web_sessions import Session

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
HALF = timedelta(minutes=10)  # for the code, once the password was right
TOUCHED_AFTER = timedelta(minutes=1)  # a session in use is written to this often, not with each request

WRONG = "The e-mail address or the password is wrong"
WRONG_CODE = "The code is wrong, or was used before"
NO_LINK = "This link does not open: it was used, has expired, or was replaced by a newer one"
SHOWN = 200  # characters of a browser's name


@dataclass(frozen=True, slots=True)
class Came:
    """From where, and by which browser, in its own words."""

    address: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened. ``half``: a code is asked for before it lets anybody in."""

    token: str
    half: bool
    user: User


def digest(token: str) -> bytes:
    """A token as it is kept."""
    return hashlib.sha256(token.encode()).digest()


async def by_password(
    db: Database, passwords: Passwords, email: str, given: str, came: Came, *, now: datetime
) -> Opened:
    """A session for whoever knows the password, half open when there is a second factor.

    Raises :class:`Unauthenticated` without saying what was wrong, :class:`RateLimited` after too many failures.
    """
    lemail = email.strip().lower()
    subjects = _subjects(lemail, came)
    await _take_turn(db, subjects, now)
    async with db.connection() as conn:
        user = await users.find_email(conn, lemail.replace("\0", ""))
    kept = None if user is None or user.disabled_at else user.password
    if not await passwords.check(kept, given) or user is None or kept is None:
        await _failed(db, email, came, WRONG, now)
        raise Unauthenticated(WRONG, field="email")
    renewed = await passwords.hash(password.normal(given)) if passwords.stale(kept) else None
    async with db.transaction() as conn:
        if renewed is not None:
            await users.set_password(conn, user.user_id, renewed, now=now)
        if user.totp_at is None:
            await _succeeded(conn, subjects, now)
        return await open_session(conn, user, came, half=user.totp_at is not None, how="by password", now=now)


async def by_code(db: Database, seal: Seal, token: str, code: str, came: Came, *, now: datetime) -> Opened:
    """A whole session in place of a half one, for whoever has the code of the moment, or a recovery code.

    Raises :class:`Unauthenticated`, :class:`RateLimited`; NotFound when the half session has ended meanwhile.
    """
    user = await half_open(db, token, now=now)
    if user is None:
        raise NotFound("That took too long; sign in again")
    subjects = _subjects(user.email.lower(), came)
    await _take_turn(db, subjects, now)
    async with db.transaction() as conn:
        if await second_factor.matches(conn, seal, user, code, now=now):
            await _succeeded(conn, subjects, now)
            await web_sessions.delete(conn, user.user_id, _public_id(token))
            return await open_session(conn, user, came, half=False, how="by password and code", now=now)
    await _failed(db, user.email, came, WRONG_CODE, now)
    raise Unauthenticated(WRONG_CODE, field="code")


async def half_open(db: Database, token: str, *, now: datetime) -> User | None:
    """The user whose password was right and whose code is still asked for."""
    async with db.connection() as conn:
        found = await web_sessions.find(conn, digest(token))
        if found is None or not found.half or found.disabled or found.created_at <= now - HALF:
            return None
        return await users.get(conn, found.user_public_id)


async def find_link(db: Database, token: str, *, now: datetime) -> Link:
    """What a link is for. Raises NotFound when it does not open."""
    async with db.connection() as conn:
        found = await sign_in_links.find(conn, digest(token), now=now)
        if found is None or (found.purpose == "owner" and await users.has_owner(conn)):
            raise NotFound(NO_LINK)
    return found


async def by_link(db: Database, token: str, came: Came, *, now: datetime) -> Opened:
    """A session by a link for signing in, which this machine's terminal made. Raises NotFound when it does not open."""
    async with db.transaction() as conn:
        found = await sign_in_links.find(conn, digest(token), now=now)
        if found is None or found.purpose != "sign_in" or found.user_public_id is None:
            raise NotFound(NO_LINK)
        if not await sign_in_links.use(conn, digest(token), now=now):
            raise NotFound(NO_LINK)
        user = await users.get(conn, found.user_public_id)
        return await open_session(conn, user, came, half=False, how=f"by a link made by {found.made_by}", now=now)


async def open_session(conn: Conn, user: User, came: Came, *, half: bool, how: str, now: datetime) -> Opened:
    """A session of a user who proved who they are, ``how``; written down unless it is half."""
    token = secrets.token_urlsafe(32)
    await web_sessions.forget(conn, seen_before=now - IDLE, made_before=now - LONGEST)
    await web_sessions.add(
        conn,
        token_hash=digest(token),
        public_id=_public_id(token),
        user_id=user.user_id,
        half=half,
        address=came.address,
        browser=came.browser[:SHOWN],
        now=now,
    )
    if not half:
        await users.signed_in(conn, user.user_id, now=now)
        entry = NewEntry("user", user.public_id, user.name, came.address, "sign in", what=f"Signed in {how}")
        await audit.add(conn, entry, now=now)
    return Opened(token, half, user)


async def find(db: Database, token: str, came: Came, *, now: datetime) -> tuple[User, Session] | None:
    """Who is signed in by a cookie, and their session; None when it opens nothing (any more)."""
    async with db.connection() as conn:
        found = await web_sessions.find(conn, digest(token))
        if found is None or found.half or found.disabled:
            return None
        if found.seen_at <= now - IDLE or found.created_at <= now - LONGEST:
            return None
        if found.seen_at <= now - TOUCHED_AFTER or found.address != came.address:
            await web_sessions.seen(conn, found.public_id, address=came.address, now=now)
        return await users.get(conn, found.user_public_id), found


async def list_sessions(db: Database, user_id: int, *, now: datetime) -> list[Session]:
    """Where a user is signed in."""
    async with db.connection() as conn:
        return await web_sessions.list_of(conn, user_id, seen_after=now - IDLE, made_after=now - LONGEST)


async def end_session(db: Database, user_id: int, public_id: str) -> None:
    """Sign a user out where that session is. Raises NotFound."""
    async with db.transaction() as conn:
        if not await web_sessions.delete(conn, user_id, public_id):
            raise NotFound("That session has ended already")
        audit.tell("Signed out", object=public_id)


async def end_others(db: Database, user_id: int, *, but: str) -> int:
    """Sign a user out everywhere else; answers of how many places."""
    async with db.transaction() as conn:
        audit.tell("Signed out everywhere else")
        return await web_sessions.delete_all(conn, user_id, but=but)


def _public_id(token: str) -> str:
    return ids.named("se", "session", digest(token).hex())


# ---------------------------------------------------------------- guessing costs time


def _subjects(lemail: str, came: Came) -> tuple[str, str]:
    """Whom failures count against. The address written is kept as a hash: it may be a password in the wrong field."""
    return f"user {hashlib.sha256(lemail.encode()).hexdigest()}", f"from {came.address}"


async def _take_turn(db: Database, subjects: tuple[str, str], now: datetime) -> None:
    """Count an attempt before it is looked at, so that many at once win nothing. Raises RateLimited."""
    async with db.transaction() as conn:
        for subject in subjects:
            failures = await sign_in_failures.add(conn, subject, now=now, forget_before=now - password.FORGOTTEN_AFTER)
            held = await sign_in_failures.until(conn, [subject])
            if held is not None and held > now:
                wait = (held - now).total_seconds()
                text = f"Too many attempts; the next one counts in {_spelled(wait)}"
                raise RateLimited(text, retry_after=wait)
            await sign_in_failures.hold(conn, subject, now + password.delay(subject[:4], failures))


async def _succeeded(conn: Conn, subjects: tuple[str, str], now: datetime) -> None:
    user, source = subjects
    await sign_in_failures.clear(conn, user, forget_before=now - password.FORGOTTEN_AFTER)
    await sign_in_failures.forgive(conn, source, now=now)


async def refused(db: Database, came: Came, why: str, *, now: datetime) -> None:
    """Write down that somebody was not let in, by single sign-on."""
    entry = NewEntry("nobody", "", "Nobody", came.address, "sign in", what=why[: audit.LONGEST], outcome="refused")
    await audit.note(db, entry, now=now)


async def _failed(db: Database, email: str, came: Came, why: str, now: datetime) -> None:
    entry = NewEntry(
        "nobody", "", "Nobody", came.address, "sign in", what=f"{why}: {_masked(email)}", outcome="refused"
    )
    await audit.note(db, entry, now=now)


def _masked(email: str) -> str:
    """Enough to recognise an address by, and no password that was written in the wrong field."""
    name, at, host = email.strip()[:SHOWN].rpartition("@")
    return f"{name[:1]}…@{host}" if at else "no e-mail address"


def _spelled(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} seconds" if whole < 120 else f"{round(whole / 60)} minutes"  # noqa: PLR2004  # two minutes
