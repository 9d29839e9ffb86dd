"""Through whom texts leave: carrier accounts, and the senders (numbers, short codes, names) on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules import ids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.database import Conn

ANY = "*"  # the address of a sender that serves whatever caller id a campaign names


@dataclass(frozen=True, slots=True)
class Sender:
    """An address on a carrier account. ``parts_per_second`` None: as fast as the carrier takes them."""

    app_id: int
    sender_id: int
    public_id: str
    address: str
    account_id: int
    parts_per_second: float | None


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """An account with a carrier. ``kind`` says which carrier speaks; ``settings`` are that carrier's."""

    app_id: int
    account_id: int
    public_id: str
    name: str
    kind: str
    settings: dict[str, Any]


INSERT_ACCOUNT = """
INSERT INTO carrier_account (app_id, public_id, name, kind, settings, created_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(kind)s, %(settings)s, %(now)s)
RETURNING app_id, account_id, public_id, name, kind, settings
"""


async def add_account(
    conn: Conn, app_id: int, *, name: str, kind: str, settings: Mapping[str, Any], now: datetime
) -> CarrierAccount:
    """A new carrier account of the app."""
    values = {
        "app_id": app_id,
        "public_id": ids.new("ca"),
        "name": name,
        "kind": kind,
        "settings": Json(dict(settings)),
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        found = await (await cursor.execute(INSERT_ACCOUNT, values)).fetchone()
    if found is None:
        raise NotFound(f"No app {app_id}")
    return found


SELECT_ACCOUNT = """
SELECT app_id, account_id, public_id, name, kind, settings
FROM carrier_account WHERE app_id = %(app_id)s AND account_id = %(account_id)s
"""


async def get_account(conn: Conn, app_id: int, account_id: int) -> CarrierAccount:
    """The carrier account with this internal id. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        values = {"app_id": app_id, "account_id": account_id}
        found = await (await cursor.execute(SELECT_ACCOUNT, values)).fetchone()
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


LIST_ACCOUNTS = """
SELECT app_id, account_id, public_id, name, kind, settings
FROM carrier_account WHERE app_id = %(app_id)s ORDER BY account_id
"""


async def list_accounts(conn: Conn, app_id: int) -> list[CarrierAccount]:
    """The app's carrier accounts, oldest first."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        return await (await cursor.execute(LIST_ACCOUNTS, {"app_id": app_id})).fetchall()


UPDATE_SETTINGS = """
UPDATE carrier_account SET settings = %(settings)s WHERE app_id = %(app_id)s AND account_id = %(account_id)s
"""


async def set_account_settings(conn: Conn, app_id: int, account_id: int, settings: Mapping[str, Any]) -> None:
    """Replace the settings of a carrier account."""
    values = {"app_id": app_id, "account_id": account_id, "settings": Json(dict(settings))}
    await conn.execute(UPDATE_SETTINGS, values)


INSERT_SENDER = """
INSERT INTO sender (app_id, public_id, address, account_id, parts_per_second, created_at)
VALUES (%(app_id)s, %(public_id)s, %(address)s, %(account_id)s, %(parts_per_second)s, %(now)s)
RETURNING app_id, sender_id, public_id, address, account_id, parts_per_second
"""


async def add(
    conn: Conn,
    app_id: int,
    *,
    address: str,
    account_id: int,
    now: datetime,
    parts_per_second: float | None = None,
) -> Sender:
    """A new sender on a carrier account. Raises DuplicateName when the app has this address already."""
    values = {
        "app_id": app_id,
        "public_id": ids.new("sn"),
        "address": address,
        "account_id": account_id,
        "parts_per_second": parts_per_second,
        "now": now,
    }
    try:
        async with conn.cursor(row_factory=class_row(Sender)) as cursor:
            found = await (await cursor.execute(INSERT_SENDER, values)).fetchone()
    except UniqueViolation as error:
        raise DuplicateName(f"There is a sender {address} already", field="address") from error
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


SELECT_SENDER = """
SELECT app_id, sender_id, public_id, address, account_id, parts_per_second
FROM sender WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s
"""


async def get(conn: Conn, app_id: int, sender_id: int) -> Sender:
    """The sender with this internal id. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        values = {"app_id": app_id, "sender_id": sender_id}
        found = await (await cursor.execute(SELECT_SENDER, values)).fetchone()
    if found is None:
        raise NotFound(f"No sender {sender_id}")
    return found


LIST_SENDERS = """
SELECT app_id, sender_id, public_id, address, account_id, parts_per_second
FROM sender WHERE app_id = %(app_id)s ORDER BY sender_id
"""


async def list_all(conn: Conn, app_id: int) -> list[Sender]:
    """The app's senders, oldest first."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        return await (await cursor.execute(LIST_SENDERS, {"app_id": app_id})).fetchall()


RESOLVE = """
SELECT app_id, sender_id, public_id, address, account_id, parts_per_second
FROM sender WHERE app_id = %(app_id)s AND address IN (%(caller_id)s, '*')
ORDER BY address = '*' LIMIT 1
"""


async def resolve(conn: Conn, app_id: int, caller_id: str) -> Sender | None:
    """The sender that serves a caller id: the one with this address, else the one for any."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        values = {"app_id": app_id, "caller_id": caller_id}
        return await (await cursor.execute(RESOLVE, values)).fetchone()
