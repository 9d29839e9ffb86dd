"""Senders: the numbers, short codes and names that texts are sent from. Only :func:`get` sees a deleted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules import ids
from heliograph.rules.sender_body import ANY as ANY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from heliograph.rules.sender_body import Limits
    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Sender:
    """An address on a carrier account, and its limits; None is no limit.

    A day of ``parts_per_day`` begins at midnight in ``day_zone``. ``held_until``: its day is used up, and whoever
    waits for it is held until then. ``version`` grows each time a person changes it.
    """

    app_id: int
    sender_id: int
    public_id: str
    address: str
    account_id: int
    parts_per_second: float | None
    parts_per_day: int | None
    day_zone: str
    held_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


_COLUMNS = """app_id, sender_id, public_id, address, account_id, parts_per_second, parts_per_day, day_zone, held_until,
       version, created_at, coalesce(updated_at, created_at) AS updated_at"""

INSERT = f"""
INSERT INTO sender (app_id, public_id, address, account_id, parts_per_second, parts_per_day, day_zone, created_at)
VALUES (%(app_id)s, %(public_id)s, %(address)s, %(account_id)s, %(parts_per_second)s, %(parts_per_day)s, %(day_zone)s,
        %(now)s)
RETURNING {_COLUMNS}
"""


async def add(
    conn: Conn,
    app_id: int,
    *,
    address: str,
    account_id: int,
    now: datetime,
    parts_per_second: float | None = None,
    parts_per_day: int | None = None,
    day_zone: str = "UTC",
) -> Sender:
    """A new sender on a carrier account. Raises DuplicateName when the app has this address already."""
    values = {
        "app_id": app_id,
        "public_id": ids.new("sn"),
        "address": address,
        "account_id": account_id,
        "parts_per_second": parts_per_second,
        "parts_per_day": parts_per_day,
        "day_zone": day_zone,
        "now": now,
    }
    try:
        async with conn.cursor(row_factory=class_row(Sender)) as cursor:
            found = await (await cursor.execute(INSERT, values)).fetchone()
    except UniqueViolation as error:
        raise DuplicateName(f"There is a sender {address} already", field="address") from error
    if found is None:
        raise NotFound(f"No carrier account {account_id}")
    return found


SELECT = f"SELECT {_COLUMNS} FROM sender WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s"


async def get(conn: Conn, app_id: int, sender_id: int) -> Sender:
    """The sender with this internal id, also a deleted one. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        values = {"app_id": app_id, "sender_id": sender_id}
        found = await (await cursor.execute(SELECT, values)).fetchone()
    if found is None:
        raise NotFound(f"No sender {sender_id}")
    return found


FIND = f"""
SELECT {_COLUMNS} FROM sender
WHERE app_id = %(app_id)s AND deleted_at IS NULL AND (public_id = %(ref)s OR address = %(ref)s)
ORDER BY public_id = %(ref)s DESC LIMIT 1
"""


async def get_named(conn: Conn, app_id: int, ref: str, *, field: str = "senderId") -> Sender:
    """The sender with this ``sn-`` id or address. Raises NotFound."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        found = await (await cursor.execute(FIND, {"app_id": app_id, "ref": ref})).fetchone()
    if found is None:
        raise NotFound(f"There is no sender {ref} in this app", field=field)
    return found


KEEP = f"{FIND} FOR SHARE"


async def keep(conn: Conn, app_id: int, ref: str, *, field: str = "senderId") -> Sender:
    """As :func:`get_named`, and nobody deletes it before this transaction ends."""
    await conn.execute(KEEP, {"app_id": app_id, "ref": ref})
    return await get_named(conn, app_id, ref, field=field)


LOCK = f"{FIND} FOR UPDATE"


async def lock(conn: Conn, app_id: int, ref: str, *, field: str = "senderId") -> Sender:
    """As :func:`get_named`, and nobody changes it, or begins to send through it, before this transaction ends."""
    await conn.execute(LOCK, {"app_id": app_id, "ref": ref})
    return await get_named(conn, app_id, ref, field=field)


LIST = f"SELECT {_COLUMNS} FROM sender WHERE app_id = %(app_id)s AND deleted_at IS NULL ORDER BY sender_id"


async def list_all(conn: Conn, app_id: int) -> list[Sender]:
    """The app's senders, oldest first."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        return await (await cursor.execute(LIST, {"app_id": app_id})).fetchall()


LIST_OF_ACCOUNT = f"""
SELECT {_COLUMNS} FROM sender
WHERE app_id = %(app_id)s AND account_id = %(account_id)s AND deleted_at IS NULL ORDER BY sender_id
"""


async def list_of_account(conn: Conn, app_id: int, account_id: int) -> list[Sender]:
    """The senders on a carrier account, oldest first."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        values = {"app_id": app_id, "account_id": account_id}
        return await (await cursor.execute(LIST_OF_ACCOUNT, values)).fetchall()


LIST_LANES = f"SELECT {_COLUMNS} FROM sender WHERE sender_id = ANY(%(sender_ids)s)"


async def list_lanes(conn: Conn, sender_ids: Sequence[int]) -> list[Sender]:
    """Senders of any app, as they are now: what a worker's lanes are held against."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        return await (await cursor.execute(LIST_LANES, {"sender_ids": list(sender_ids)})).fetchall()


# FOR SHARE: whoever deletes a sender (FOR UPDATE) waits for a run to begin on it, and then sees that run.
RESOLVE = f"""
SELECT {_COLUMNS} FROM sender
WHERE app_id = %(app_id)s AND address IN (%(caller_id)s, '*') AND deleted_at IS NULL
ORDER BY address = '*' LIMIT 1 FOR SHARE
"""


async def resolve(conn: Conn, app_id: int, caller_id: str) -> Sender | None:
    """The sender that serves a caller id: the one with this address, else the one for any."""
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        values = {"app_id": app_id, "caller_id": caller_id}
        return await (await cursor.execute(RESOLVE, values)).fetchone()


UPDATE = f"""
UPDATE sender
SET account_id = %(account_id)s, parts_per_second = %(parts_per_second)s, parts_per_day = %(parts_per_day)s,
    day_zone = %(day_zone)s, held_until = NULL, version = version + 1, updated_at = %(now)s
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""


async def update(conn: Conn, app_id: int, sender_id: int, *, account_id: int, limits: Limits, now: datetime) -> Sender:
    """Replace what a person decides about a sender. Nobody is held by its day any more, until its lane finds so."""
    values = {
        "app_id": app_id,
        "sender_id": sender_id,
        "account_id": account_id,
        "parts_per_second": limits.parts_per_second,
        "parts_per_day": limits.parts_per_day,
        "day_zone": limits.day_zone,
        "now": now,
    }
    async with conn.cursor(row_factory=class_row(Sender)) as cursor:
        found = await (await cursor.execute(UPDATE, values)).fetchone()
    if found is None:
        raise NotFound(f"No sender {sender_id}")
    return found


MARK_DELETED = """
UPDATE sender SET deleted_at = %(now)s, version = version + 1
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s
"""


async def mark_deleted(conn: Conn, app_id: int, sender_id: int, *, now: datetime) -> None:
    """Make a sender invisible; its row stays for what was sent through it."""
    await conn.execute(MARK_DELETED, {"app_id": app_id, "sender_id": sender_id, "now": now})


# One step, however many wait: a person's due time is the later one of the chunk's and this. Not when a person has
# changed the sender meanwhile: the lane then has to look again at what its limit is.
HOLD = """
UPDATE sender SET held_until = %(until)s
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND version = %(version)s
RETURNING held_until
"""


async def hold(conn: Conn, sender: Sender, until: datetime) -> bool:
    """Hold everybody who waits for ``sender`` until then; False when it has been changed since it was read."""
    values = {"app_id": sender.app_id, "sender_id": sender.sender_id, "version": sender.version, "until": until}
    return await (await conn.execute(HOLD, values)).fetchone() is not None


PARTS_OF_DAY = """
SELECT parts FROM sender_day WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND day = %(day)s
"""


async def parts_of_day(conn: Conn, app_id: int, sender_id: int, day: date) -> int:
    """How many parts have been handed to the carrier through a sender on a day of its own zone."""
    values = {"app_id": app_id, "sender_id": sender_id, "day": day}
    row = await (await conn.execute(PARTS_OF_DAY, values)).fetchone()
    return 0 if row is None else int(row[0])


PARTS_OF_DAYS = """
SELECT d.sender_id, d.parts FROM unnest(%(sender_ids)s::int[], %(days)s::date[]) AS w (sender_id, day)
JOIN sender_day d ON d.app_id = %(app_id)s AND d.sender_id = w.sender_id AND d.day = w.day
"""


async def parts_of_days(conn: Conn, app_id: int, days: Mapping[int, date]) -> dict[int, int]:
    """As :func:`parts_of_day` for many senders, each with a day of its own; those with none are not in it."""
    values = {"app_id": app_id, "sender_ids": list(days), "days": list(days.values())}
    return {int(sender): int(parts) for sender, parts in await (await conn.execute(PARTS_OF_DAYS, values)).fetchall()}


# The condition is the lane's own (see chunks.CLAIM): what is sent for a test counts too, and never goes above.
COUNT_PARTS = """
INSERT INTO sender_day AS d (app_id, sender_id, day, parts)
SELECT app_id, sender_id, %(day)s, %(parts)s FROM sender
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s
ON CONFLICT (app_id, sender_id, day) DO UPDATE SET parts = d.parts + excluded.parts
    WHERE %(parts_per_day)s::bigint IS NULL OR d.parts = 0 OR d.parts + excluded.parts <= %(parts_per_day)s
RETURNING parts
"""


async def count_parts(conn: Conn, sender: Sender, day: date, parts: int) -> bool:
    """Count parts that are about to leave outside a run; False, and nothing counted, when the day has no room."""
    values = {
        "app_id": sender.app_id,
        "sender_id": sender.sender_id,
        "parts_per_day": sender.parts_per_day,
        "day": day,
        "parts": parts,
    }
    return await (await conn.execute(COUNT_PARTS, values)).fetchone() is not None
