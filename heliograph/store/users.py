"""Users of the console: who they are, what they were given, and how they prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.errors import NotFound
from heliograph.rules.roles import Grant, Grants, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in. ``role`` and ``module`` count for every app; ``apps``: ``[[st-..., role, module]]``."""

    user_id: int
    public_id: str
    email: str
    name: str
    role: str | None
    module: bool | None
    password: str | None
    totp_sealed: bytes | None
    totp_at: datetime | None
    sso_subject: str | None
    disabled_at: datetime | None
    created_at: datetime
    signed_in_at: datetime | None
    apps: list[tuple[str, str, bool | None]]

    @property
    def grants(self) -> Grants:
        """What they were given."""
        of_app = {app: Grant(Role(role), module) for app, role, module in self.apps}
        return Grants(Grant(Role(self.role), self.module) if self.role else None, of_app)


GET = """
SELECT user_id, public_id, email, name, role, module, password, totp_sealed, totp_at, sso_subject, disabled_at,
       created_at, signed_in_at,
       COALESCE((SELECT json_agg(json_build_array(a.public_id, r.role, r.module) ORDER BY a.app_id)
                 FROM user_role r JOIN app a USING (app_id) WHERE r.user_id = u.user_id), '[]') AS apps
FROM console_user u WHERE public_id = %(public_id)s
"""


async def get(conn: Conn, public_id: str) -> User:
    """The user with this id (``us-...``). Raises NotFound."""
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        found = await (await cursor.execute(GET, {"public_id": public_id})).fetchone()
    if found is None:
        raise NotFound(f"There is no user {public_id}", field="user")
    return found


FIND_EMAIL = """
SELECT user_id, public_id, email, name, role, module, password, totp_sealed, totp_at, sso_subject, disabled_at,
       created_at, signed_in_at,
       COALESCE((SELECT json_agg(json_build_array(a.public_id, r.role, r.module) ORDER BY a.app_id)
                 FROM user_role r JOIN app a USING (app_id) WHERE r.user_id = u.user_id), '[]') AS apps
FROM console_user u WHERE lemail = %(lemail)s
"""


async def find_email(conn: Conn, lemail: str) -> User | None:
    """The user with this address, in lower case."""
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        return await (await cursor.execute(FIND_EMAIL, {"lemail": lemail})).fetchone()


FIND_SUBJECT = "SELECT public_id FROM console_user WHERE sso_subject = %(subject)s"


async def find_subject(conn: Conn, subject: str) -> str | None:
    """The id of the user whom single sign-on calls so."""
    row = await (await conn.execute(FIND_SUBJECT, {"subject": subject})).fetchone()
    return None if row is None else str(row[0])


LIST_ALL = """
SELECT user_id, public_id, email, name, role, module, password, totp_sealed, totp_at, sso_subject, disabled_at,
       created_at, signed_in_at,
       COALESCE((SELECT json_agg(json_build_array(a.public_id, r.role, r.module) ORDER BY a.app_id)
                 FROM user_role r JOIN app a USING (app_id) WHERE r.user_id = u.user_id), '[]') AS apps
FROM console_user u ORDER BY disabled_at IS NOT NULL, lower(name), user_id LIMIT %(limit)s
"""


async def list_all(conn: Conn, *, limit: int = 1000) -> list[User]:
    """Every user by name; those who are disabled last."""
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        return await (await cursor.execute(LIST_ALL, {"limit": limit})).fetchall()


ADD = """
INSERT INTO console_user (public_id, email, lemail, name, role, module, created_at)
VALUES (%(public_id)s, %(email)s, %(lemail)s, %(name)s, %(role)s, %(module)s, %(now)s)
ON CONFLICT (lemail) DO NOTHING RETURNING user_id
"""


async def add(
    conn: Conn,
    *,
    public_id: str,
    email: str,
    lemail: str,
    name: str,
    role: str | None,
    module: bool | None,
    now: datetime,
) -> int | None:
    """A new user, who has no password yet; answers the internal id, or None when the address is taken."""
    values = {
        "public_id": public_id,
        "email": email,
        "lemail": lemail,
        "name": name,
        "role": role,
        "module": module,
        "now": now,
    }
    row = await (await conn.execute(ADD, values)).fetchone()
    return None if row is None else int(row[0])


SET_NAME = "UPDATE console_user SET name = %(name)s WHERE user_id = %(user_id)s"


async def set_name(conn: Conn, user_id: int, name: str) -> None:
    """Call a user so."""
    await conn.execute(SET_NAME, {"user_id": user_id, "name": name})


SET_ROLE = "UPDATE console_user SET role = %(role)s, module = %(module)s WHERE user_id = %(user_id)s"


async def set_role(conn: Conn, user_id: int, role: str | None, module: bool | None) -> None:  # noqa: FBT001  # of three values
    """Give a user this role for every app; None: none."""
    await conn.execute(SET_ROLE, {"user_id": user_id, "role": role, "module": module})


DROP_APP_ROLES = "DELETE FROM user_role WHERE user_id = %(user_id)s"


async def drop_app_roles(conn: Conn, user_id: int) -> None:
    """Take back what a user was given for single apps."""
    await conn.execute(DROP_APP_ROLES, {"user_id": user_id})


ADD_APP_ROLES = """
INSERT INTO user_role (app_id, user_id, role, module)
SELECT a.app_id, %(user_id)s, t.role, t.module
FROM unnest(%(apps)s::text[], %(roles)s::text[], %(modules)s::boolean[]) AS t (app, role, module)
JOIN app a ON a.public_id = t.app
"""


async def add_app_roles(conn: Conn, user_id: int, rows: Sequence[tuple[str, str, bool | None]]) -> int:
    """Give a user roles for single apps (``st-...``, role, module); answers how many of these apps there are."""
    apps, roles, modules = ([row[place] for row in rows] for place in range(3))
    values = {"user_id": user_id, "apps": apps, "roles": roles, "modules": modules}
    return (await conn.execute(ADD_APP_ROLES, values)).rowcount


KEEP_HASH = """
UPDATE console_user SET password = %(password)s, password_at = %(now)s WHERE user_id = %(user_id)s
"""


async def set_password(conn: Conn, user_id: int, password: str, *, now: datetime) -> None:
    """Keep the hash of a password, in place of the one before."""
    await conn.execute(KEEP_HASH, {"user_id": user_id, "password": password, "now": now})


SET_TOTP = """
UPDATE console_user SET totp_sealed = %(sealed)s, totp_at = %(at)s, totp_step = 0 WHERE user_id = %(user_id)s
"""


async def set_totp(conn: Conn, user_id: int, sealed: bytes | None, *, at: datetime | None) -> None:
    """Keep a TOTP secret, asked for since ``at`` (None: not yet); without a secret none is asked for."""
    await conn.execute(SET_TOTP, {"user_id": user_id, "sealed": sealed, "at": at})


USE_STEP = "UPDATE console_user SET totp_step = %(step)s WHERE user_id = %(user_id)s AND totp_step < %(step)s"


async def use_step(conn: Conn, user_id: int, step: int) -> bool:
    """Use up a time step of the TOTP, and those before it; False when it was used up before."""
    return (await conn.execute(USE_STEP, {"user_id": user_id, "step": step})).rowcount == 1


SET_SUBJECT = "UPDATE console_user SET sso_subject = %(subject)s WHERE user_id = %(user_id)s"


async def set_subject(conn: Conn, user_id: int, subject: str) -> None:
    """Remember what single sign-on calls a user."""
    await conn.execute(SET_SUBJECT, {"user_id": user_id, "subject": subject})


SET_DISABLED = "UPDATE console_user SET disabled_at = %(at)s WHERE user_id = %(user_id)s"


async def set_disabled(conn: Conn, user_id: int, at: datetime | None) -> None:
    """Shut a user out since then; None: let in again."""
    await conn.execute(SET_DISABLED, {"user_id": user_id, "at": at})


SIGNED_IN = "UPDATE console_user SET signed_in_at = %(now)s WHERE user_id = %(user_id)s"


async def signed_in(conn: Conn, user_id: int, *, now: datetime) -> None:
    """Remember when a user signed in last."""
    await conn.execute(SIGNED_IN, {"user_id": user_id, "now": now})


# An owner counts once they can sign in: who was invited and never came is none.
HAS_OWNER = """
SELECT EXISTS (SELECT FROM console_user WHERE role = 'Owner' AND disabled_at IS NULL
               AND (password IS NOT NULL OR sso_subject IS NOT NULL) AND user_id <> %(but)s)
"""


async def has_owner(conn: Conn, *, but: int = 0) -> bool:
    """Whether there is an Owner of every app who can sign in, other than user ``but``."""
    row = await (await conn.execute(HAS_OWNER, {"but": but})).fetchone()
    return row is not None and bool(row[0])


LOCK_OWNERS = "SELECT user_id FROM console_user WHERE role = 'Owner' FOR UPDATE"


async def lock_owners(conn: Conn) -> None:
    """Be the only one who takes an Owner away, until the transaction ends: two at once would take the last two."""
    await conn.execute(LOCK_OWNERS)


DROP_RECOVERY = "DELETE FROM recovery_code WHERE user_id = %(user_id)s"


async def drop_recovery_codes(conn: Conn, user_id: int) -> None:
    """Forget a user's recovery codes."""
    await conn.execute(DROP_RECOVERY, {"user_id": user_id})


ADD_RECOVERY = """
INSERT INTO recovery_code (user_id, hash) SELECT %(user_id)s, hash FROM unnest(%(hashes)s::bytea[]) AS t (hash)
"""


async def add_recovery_codes(conn: Conn, user_id: int, hashes: Sequence[bytes]) -> None:
    """Keep the hashes of a user's recovery codes."""
    await conn.execute(ADD_RECOVERY, {"user_id": user_id, "hashes": list(hashes)})


USE_RECOVERY = "DELETE FROM recovery_code WHERE user_id = %(user_id)s AND hash = %(hash)s"


async def use_recovery_code(conn: Conn, user_id: int, code_hash: bytes) -> bool:
    """Use a recovery code up; False when there is none with this hash."""
    return (await conn.execute(USE_RECOVERY, {"user_id": user_id, "hash": code_hash})).rowcount == 1


COUNT_RECOVERY = "SELECT count(*) FROM recovery_code WHERE user_id = %(user_id)s"


async def count_recovery_codes(conn: Conn, user_id: int) -> int:
    """How many recovery codes a user has left."""
    row = await (await conn.execute(COUNT_RECOVERY, {"user_id": user_id})).fetchone()
    return 0 if row is None else int(row[0])
