"""Carrier accounts: an app's accesses to carriers. A deleted one is invisible to every read here but :func:`get`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """An account with a carrier. ``kind`` says which carrier speaks; ``settings`` are that carrier's.

    Settings that are secret are not among them: ``secrets_sealed`` is the JSON of those in ``secret_names``, sealed
    for the account's public id. ``version`` grows whenever its line has to be opened anew. ``paused_at``: nothing goes
    through it since then, for ``paused_reason``.
    """

    app_id: int
    account_id: int
    public_id: str
    name: str
    kind: str
    settings: dict[str, Any]
    secrets_sealed: bytes | None
    secret_names: list[str]
    version: int
    created_at: datetime
    updated_at: datetime
    paused_at: datetime | None = None
    paused_reason: str | None = None


_COLUMNS = """app_id, account_id, public_id, name, kind, settings, secrets_sealed, secret_names, version, created_at,
          coalesce(updated_at, created_at) AS updated_at, paused_at, paused_reason"""

INSERT = f"""
INSERT INTO carrier_account (app_id, public_id, name, kind, settings, secrets_sealed, secret_names, created_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(kind)s, %(settings)s, %(secrets_sealed)s, %(secret_names)s, %(now)s)
RETURNING {_COLUMNS}
"""


async def add(
    conn: Conn,
    app_id: int,
    *,
    public_id: str,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    now: datetime,
    secrets_sealed: bytes | None = None,
    secret_names: Sequence[str] = (),
) -> CarrierAccount:
    """A new carrier account of the app. Raises DuplicateName: names are compared without regard to case."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "name": name,
        "kind": kind,
        "settings": Json(dict(settings)),
        "secrets_sealed": secrets_sealed,
        "secret_names": list(secret_names),
        "now": now,
    }
    try:
        async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
            found = await (await cursor.execute(INSERT, values)).fetchone()
    except UniqueViolation as error:
        raise _duplicate(name) from error
    if found is None:
        raise NotFound(f"No app {app_id}")
    return found


SELECT = f"SELECT {_COLUMNS} FROM carrier_account WHERE app_id = %(app_id)s AND account_id = %(account_id)s"


async def get(conn: Conn, app_id: int, account_id: int) -> CarrierAccount:
    """The carrier account with this internal id, also a deleted one. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        values = {"app_id": app_id, "account_id": account_id}
        found = await (await cursor.execute(SELECT, values)).fetchone()
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


FIND = f"""
SELECT {_COLUMNS} FROM carrier_account
WHERE app_id = %(app_id)s AND deleted_at IS NULL AND (public_id = %(ref)s OR lower(name) = lower(%(ref)s))
ORDER BY public_id = %(ref)s DESC LIMIT 1
"""


async def get_named(conn: Conn, app_id: int, ref: str, *, field: str = "carrierAccountId") -> CarrierAccount:
    """The carrier account with this ``ca-`` id or name. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        found = await (await cursor.execute(FIND, {"app_id": app_id, "ref": ref})).fetchone()
    if found is None:
        raise NotFound(f"There is no carrier account {ref} in this app", field=field)
    return found


FIND_PUBLIC = f"SELECT {_COLUMNS} FROM carrier_account WHERE public_id = %(public_id)s AND deleted_at IS NULL"


async def find_public(conn: Conn, public_id: str) -> CarrierAccount | None:
    """The carrier account with this ``ca-`` id, of whatever app: for the carrier itself, who knows of no apps."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        return await (await cursor.execute(FIND_PUBLIC, {"public_id": public_id})).fetchone()


KEEP = f"{FIND} FOR SHARE"


async def keep(conn: Conn, app_id: int, ref: str, *, field: str = "carrierAccountId") -> CarrierAccount:
    """As :func:`get_named`, and nobody deletes it before this transaction ends."""
    await conn.execute(KEEP, {"app_id": app_id, "ref": ref})
    return await get_named(conn, app_id, ref, field=field)


LOCK = f"{FIND} FOR UPDATE"


async def lock(conn: Conn, app_id: int, ref: str, *, field: str = "carrierAccountId") -> CarrierAccount:
    """As :func:`get_named`, and nobody else changes it, or puts a sender on it, before this transaction ends."""
    await conn.execute(LOCK, {"app_id": app_id, "ref": ref})
    return await get_named(conn, app_id, ref, field=field)


LIST = f"SELECT {_COLUMNS} FROM carrier_account WHERE app_id = %(app_id)s AND deleted_at IS NULL ORDER BY account_id"


async def list_all(conn: Conn, app_id: int) -> list[CarrierAccount]:
    """The app's carrier accounts, oldest first."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id})).fetchall()


LIST_OPEN = f"SELECT {_COLUMNS} FROM carrier_account WHERE account_id = ANY(%(account_ids)s) AND deleted_at IS NULL"


async def list_open(conn: Conn, account_ids: Sequence[int]) -> list[CarrierAccount]:
    """Those of these accounts, of any app, that are not deleted: what a worker's open lines are held against."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        return await (await cursor.execute(LIST_OPEN, {"account_ids": list(account_ids)})).fetchall()


OF_KINDS = f"SELECT {_COLUMNS} FROM carrier_account WHERE kind = ANY(%(kinds)s) AND deleted_at IS NULL"


async def list_of_kinds(conn: Conn, kinds: Sequence[str]) -> list[CarrierAccount]:
    """The accounts of these kinds, of every app, that are not deleted."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        return await (await cursor.execute(OF_KINDS, {"kinds": list(kinds)})).fetchall()


UPDATE = f"""
UPDATE carrier_account
SET name = %(name)s, settings = %(settings)s, secrets_sealed = %(secrets_sealed)s, secret_names = %(secret_names)s,
    version = version + 1, updated_at = %(now)s, paused_at = NULL, paused_reason = NULL
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""


async def update(
    conn: Conn,
    app_id: int,
    account_id: int,
    *,
    name: str,
    settings: Mapping[str, Any],
    secrets_sealed: bytes | None,
    secret_names: Sequence[str],
    now: datetime,
) -> CarrierAccount:
    """Replace what a person decides about a carrier account, which is paused no longer.

    Raises DuplicateName, NotFound.
    """
    values = {
        "app_id": app_id,
        "account_id": account_id,
        "name": name,
        "settings": Json(dict(settings)),
        "secrets_sealed": secrets_sealed,
        "secret_names": list(secret_names),
        "now": now,
    }
    try:
        async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
            found = await (await cursor.execute(UPDATE, values)).fetchone()
    except UniqueViolation as error:
        raise _duplicate(name) from error
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


RENAME = f"""
UPDATE carrier_account SET name = %(name)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""


async def rename(conn: Conn, app_id: int, account_id: int, *, name: str, now: datetime) -> CarrierAccount:
    """Give a carrier account another name; its line stays open. Raises DuplicateName, NotFound."""
    values = {"app_id": app_id, "account_id": account_id, "name": name, "now": now}
    try:
        async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
            found = await (await cursor.execute(RENAME, values)).fetchone()
    except UniqueViolation as error:
        raise _duplicate(name) from error
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


SET_SETTINGS = """
UPDATE carrier_account SET settings = %(settings)s, version = version + 1
WHERE app_id = %(app_id)s AND account_id = %(account_id)s
"""


async def set_settings(conn: Conn, app_id: int, account_id: int, settings: Mapping[str, Any]) -> None:
    """Replace the settings of a carrier account that are no secrets."""
    values = {"app_id": app_id, "account_id": account_id, "settings": Json(dict(settings))}
    await conn.execute(SET_SETTINGS, values)


# With its version, so that a word about the settings before does not pause the ones of now.
PAUSE = """
UPDATE carrier_account SET paused_at = %(now)s, paused_reason = %(reason)s
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND version = %(version)s
  AND paused_at IS NULL AND deleted_at IS NULL
RETURNING public_id
"""


async def pause(conn: Conn, app_id: int, account_id: int, reason: str, *, version: int, now: datetime) -> str | None:
    """Let nothing go through an account; answers its public id, or None when it is paused or changed already."""
    values = {"app_id": app_id, "account_id": account_id, "reason": reason, "version": version, "now": now}
    row = await (await conn.execute(PAUSE, values)).fetchone()
    return None if row is None else str(row[0])


RESUME = f"""
UPDATE carrier_account SET paused_at = NULL, paused_reason = NULL, version = version + 1
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""


async def resume(conn: Conn, app_id: int, account_id: int) -> CarrierAccount:
    """Let texts go through an account again; its line is opened anew. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(CarrierAccount)) as cursor:
        found = await (await cursor.execute(RESUME, {"app_id": app_id, "account_id": account_id})).fetchone()
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


# The name is free again at once, and the secrets are gone with it.
MARK_DELETED = """
UPDATE carrier_account SET deleted_at = %(now)s, secrets_sealed = NULL, secret_names = '{}', version = version + 1
WHERE app_id = %(app_id)s AND account_id = %(account_id)s
"""


async def mark_deleted(conn: Conn, app_id: int, account_id: int, *, now: datetime) -> None:
    """Make a carrier account invisible; its row stays for what was sent through it."""
    await conn.execute(MARK_DELETED, {"app_id": app_id, "account_id": account_id, "now": now})


def _duplicate(name: str) -> DuplicateName:
    text = f"A carrier account named {name} exists already in this app; names are compared without regard to case"
    return DuplicateName(text, field="name")
