"""Who owns what: accounts, their apps, and the clients that may speak for an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class App:
    """A tenant: whatever belongs to one app is out of reach of every other."""

    app_id: int
    public_id: str
    account_id: str
    org_id: str
    owner_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may sign tokens for an app. The secret is sealed; see actions/seal.py."""

    app_id: int
    public_id: str
    name: str
    secret_sealed: bytes
    scopes: list[str]
    enforce_jti: bool


INSERT_ACCOUNT = """
INSERT INTO account (account_id, created_at) VALUES (%(account_id)s, %(now)s) ON CONFLICT DO NOTHING
"""


async def add_account(conn: Conn, account_id: str, *, now: datetime) -> None:
    """Have the account, whether it was there before or not."""
    await conn.execute(INSERT_ACCOUNT, {"account_id": account_id, "now": now})


INSERT_APP = """
INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
VALUES (%(public_id)s, %(account_id)s, %(org_id)s, %(owner_id)s, %(name)s, %(now)s)
RETURNING app_id, public_id, account_id, org_id, owner_id, name
"""


async def add(
    conn: Conn, *, public_id: str, account_id: str, org_id: str, owner_id: str, name: str, now: datetime
) -> App:
    """A new app of an account that is there."""
    values = {
        "public_id": public_id,
        "account_id": account_id,
        "org_id": org_id,
        "owner_id": owner_id,
        "name": name,
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(App)) as cursor:
        found = await (await cursor.execute(INSERT_APP, values)).fetchone()
    if found is None:
        raise NotFound(f"No account {account_id}", field="accountId")
    return found


SELECT_APP = """
SELECT app_id, public_id, account_id, org_id, owner_id, name FROM app WHERE public_id = %(public_id)s
"""


async def get(conn: Conn, public_id: str) -> App:
    """The app with this id (``st-...``). Raises NotFound."""
    async with conn.cursor(row_factory=class_row(App)) as cursor:
        found = await (await cursor.execute(SELECT_APP, {"public_id": public_id})).fetchone()
    if found is None:
        raise NotFound(f"No app {public_id}", field="appId")
    return found


OF_ID = "SELECT app_id, public_id, account_id, org_id, owner_id, name FROM app WHERE app_id = %(app_id)s"


async def of_id(conn: Conn, app_id: int) -> App:
    """The app with this internal id. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(App)) as cursor:
        found = await (await cursor.execute(OF_ID, {"app_id": app_id})).fetchone()
    if found is None:
        raise NotFound(f"No app {app_id}", field="appId")
    return found


HOLD = "SELECT app_id FROM app WHERE app_id = %(app_id)s FOR NO KEY UPDATE"


async def hold(conn: Conn, app_id: int) -> None:
    """Be the only one of those who call this for the app, until the transaction ends. Nobody else waits for it."""
    await conn.execute(HOLD, {"app_id": app_id})


LIST_APPS = "SELECT app_id, public_id, account_id, org_id, owner_id, name FROM app ORDER BY app_id LIMIT %(limit)s"


async def list_all(conn: Conn, *, limit: int = 1000) -> list[App]:
    """Every app, oldest first: for the command line and the console, never for a caller of the API."""
    async with conn.cursor(row_factory=class_row(App)) as cursor:
        return await (await cursor.execute(LIST_APPS, {"limit": limit})).fetchall()


INSERT_CLIENT = """
INSERT INTO client (app_id, public_id, name, secret_sealed, scopes, enforce_jti, created_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(secret_sealed)s, %(scopes)s, %(enforce_jti)s, %(now)s)
"""


async def add_client(
    conn: Conn,
    app_id: int,
    *,
    public_id: str,
    name: str,
    secret_sealed: bytes,
    scopes: Sequence[str],
    enforce_jti: bool,
    now: datetime,
) -> None:
    """Let a new client speak for the app."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "name": name,
        "secret_sealed": secret_sealed,
        "scopes": list(scopes),
        "enforce_jti": enforce_jti,
        "now": now,
    }
    await conn.execute(INSERT_CLIENT, values)


REMOVE_CLIENT = """
DELETE FROM client WHERE app_id = %(app_id)s AND public_id = %(public_id)s
RETURNING app_id, public_id, name, secret_sealed, scopes, enforce_jti
"""


async def remove_client(conn: Conn, app_id: int, public_id: str) -> Client:
    """Have a client speak for the app no more: every token of it is refused from then on. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Client)) as cursor:
        found = await (await cursor.execute(REMOVE_CLIENT, {"app_id": app_id, "public_id": public_id})).fetchone()
    if found is None:
        raise NotFound(f"There is no client {public_id[:80]}", field="clientId")
    return found


LIST_CLIENTS = """
SELECT app_id, public_id, name, secret_sealed, scopes, enforce_jti
FROM client WHERE app_id = %(app_id)s ORDER BY created_at, public_id
"""


async def list_clients(conn: Conn, app_id: int) -> list[Client]:
    """The clients of an app, oldest first."""
    async with conn.cursor(row_factory=class_row(Client)) as cursor:
        return await (await cursor.execute(LIST_CLIENTS, {"app_id": app_id})).fetchall()


@dataclass(frozen=True, slots=True)
class Door:
    """A client together with the app it asks to enter."""

    app_id: int
    app_public_id: str
    account_id: str
    org_id: str
    owner_id: str
    app_name: str
    client_id: str
    secret_sealed: bytes
    scopes: list[str]
    enforce_jti: bool

    @property
    def app(self) -> App:
        """The app."""
        return App(self.app_id, self.app_public_id, self.account_id, self.org_id, self.owner_id, self.app_name)


# Runs once a request, by client's unique index and then the app's primary key: two index probes.
FIND_DOOR = """
SELECT a.app_id, a.public_id AS app_public_id, a.account_id, a.org_id, a.owner_id, a.name AS app_name,
       c.public_id AS client_id, c.secret_sealed, c.scopes, c.enforce_jti
FROM client c JOIN app a USING (app_id)
WHERE c.public_id = %(client_id)s AND a.public_id = %(app_id)s
"""


async def find_door(conn: Conn, *, client_public_id: str, app_public_id: str) -> Door | None:
    """The client and the app, or None unless both are there and belong together."""
    async with conn.cursor(row_factory=class_row(Door)) as cursor:
        values = {"client_id": client_public_id, "app_id": app_public_id}
        return await (await cursor.execute(FIND_DOOR, values)).fetchone()


FORGET_JTIS = """
DELETE FROM used_jti WHERE app_id = %(app_id)s AND client_id = %(client_id)s AND expires_at <= %(now)s
"""


async def forget_jtis(conn: Conn, app_id: int, client_id: str, *, now: datetime) -> None:
    """Drop what a client used up in tokens that have ended: nothing older than an hour stays."""
    await conn.execute(FORGET_JTIS, {"app_id": app_id, "client_id": client_id, "now": now})


USE_JTI = """
INSERT INTO used_jti (app_id, client_id, jti, expires_at)
VALUES (%(app_id)s, %(client_id)s, %(jti)s, %(expires_at)s)
ON CONFLICT DO NOTHING
"""


async def use_jti(conn: Conn, app_id: int, client_id: str, jti: str, *, expires_at: datetime) -> bool:
    """Use a token's jti up; False when it was used before."""
    values = {"app_id": app_id, "client_id": client_id, "jti": jti, "expires_at": expires_at}
    return (await conn.execute(USE_JTI, values)).rowcount == 1


PING = "SELECT 1"


async def ping(conn: Conn) -> None:
    """Answer, if the database does."""
    await conn.execute(PING)
