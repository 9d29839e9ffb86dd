"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost."""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyotp
import segno
from pyotp.totp import TOTP
from pyotp.utils import build_uri

from heliograph.actions import audit
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.store import users

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.actions.seal import Seal
    from heliograph.store.database import Conn, Database
    from heliograph.store.users import User

ISSUER = "Heliograph"
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_DRIFT = (0, -1, 1)  # steps of 30 s that clocks may be apart (RFC 6238, section 5.2)


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret for an authenticator app, not asked for yet: as text, and as a picture to photograph (SVG)."""

    secret: str
    picture: str


async def offer(db: Database, seal: Seal, user: User) -> Offer:
    """The secret that a user is to put into their app: a new one, or the one that was offered before.

    Raises :class:`Conflict` when a second factor is asked for already.
    """
    if user.totp_at is not None:
        raise Conflict("Codes are asked for already; switch them off first")
    if user.totp_sealed is not None:
        secret = seal.open(user.totp_sealed, owner=_owner(user))
    else:
        secret = pyotp.random_base32()
        async with db.transaction() as conn:
            await users.set_totp(conn, user.user_id, seal.seal(secret, owner=_owner(user)), at=None)
    address = build_uri(secret, user.email, issuer=ISSUER)
    picture = io.BytesIO()
    segno.make(address, error="m").save(picture, kind="svg", scale=5, xmldecl=False, title="QR code", svgns=True)
    return Offer(secret, picture.getvalue().decode())


async def confirm(db: Database, seal: Seal, user: User, code: str, *, now: datetime) -> list[str]:
    """Ask for codes from now on, as this one is right; answers the recovery codes, shown this once.

    Raises :class:`Invalid` for a code that is not, :class:`Conflict` when nothing was offered.
    """
    if user.totp_sealed is None or user.totp_at is not None:
        raise Conflict("No authenticator app is being set up")
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    async with db.transaction() as conn:
        await users.set_totp(conn, user.user_id, user.totp_sealed, at=now)
        if not await matches(conn, seal, user, code, now=now):
            raise Invalid("That is not the code of this moment; is the clock of your phone right?", field="code")
        await users.drop_recovery_codes(conn, user.user_id)
        await users.add_recovery_codes(conn, user.user_id, [_digest(one) for one in codes])
        audit.tell("Codes of an authenticator app are asked for", object=user.public_id)
    return codes


async def switch_off(db: Database, user: User) -> None:
    """Ask for no codes any more. Raises NotFound when none are asked for."""
    if user.totp_sealed is None:
        raise NotFound(f"No codes are asked for from {user.email}")
    async with db.transaction() as conn:
        await users.set_totp(conn, user.user_id, None, at=None)
        await users.drop_recovery_codes(conn, user.user_id)
        audit.tell(f"No codes are asked for from {user.name} any more", object=user.public_id)


async def matches(conn: Conn, seal: Seal, user: User, code: str, *, now: datetime) -> bool:
    """Whether this is a code of the moment, or one for recovery; either works once."""
    written = "".join(code.split()).replace("-", "").lower()
    if user.totp_sealed is None or not written.isascii():
        return False
    if not written.isdigit():
        return await users.use_recovery_code(conn, user.user_id, _digest(written))
    totp = TOTP(seal.open(user.totp_sealed, owner=_owner(user)))
    here = totp.timecode(now)
    for step in (here + drift for drift in _DRIFT):
        if hmac.compare_digest(totp.generate_otp(step), written):
            return await users.use_step(conn, user.user_id, step)
    return False


def _owner(user: User) -> str:
    return f"{user.public_id} totp"


def _digest(code: str) -> bytes:
    """A recovery code as it is kept: 50 bits that nobody can try fast, so a plain hash will do."""
    return hashlib.sha256(code.replace("-", "").encode()).digest()


def _recovery_code() -> str:
    text = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{text[:5]}-{text[5:]}"
