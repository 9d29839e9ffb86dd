"""Bring a database to the newest form: numbered ``.sql`` files, forward only, each applied exactly once.

``migrations/0001_house.sql`` is schema 1, and so on without gaps. An applied file is never edited: a
change is a new file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from heliograph import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

    Conn = AsyncConnection[Any]

# One process migrates at a time. Single-number keys are apart from the two-number ones of store/locks.py.
LOCK_KEY = 0x48454C494F  # "HELIO"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from the schema before it to ``version``."""

    version: int
    name: str
    sql: bytes

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, whatever line ends it was checked out with."""
        return hashlib.sha256(self.sql.replace(b"\r\n", b"\n")).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that this database has had."""

    version: int
    name: str
    checksum: str


def known() -> list[Migration]:
    """The migrations this Heliograph brings, in order."""
    files = [file for file in resources.files("heliograph.store.migrations").iterdir() if file.name.endswith(".sql")]
    named = [(file.name.removesuffix(".sql").partition("_"), file.read_bytes()) for file in files]
    steps = [Migration(int(number), name, sql) for (number, _, name), sql in named]
    return sorted(steps, key=lambda each: each.version)


LOCK = "SELECT pg_advisory_lock(%(key)s)"


async def lock(conn: Conn) -> None:
    """Wait until no other process migrates this database."""
    await conn.execute(LOCK, {"key": LOCK_KEY})


UNLOCK = "SELECT pg_advisory_unlock(%(key)s)"


async def unlock(conn: Conn) -> None:
    """Let the next process look."""
    await conn.execute(UNLOCK, {"key": LOCK_KEY})


CREATE_TABLE = """
    CREATE TABLE IF NOT EXISTS migration (
        version     int PRIMARY KEY,
        name        text NOT NULL,
        checksum    text NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )"""


async def create_table(conn: Conn) -> None:
    """Make the table that remembers what was applied, if it is not there."""
    await conn.execute(CREATE_TABLE)


LIST_APPLIED = "SELECT version, name, checksum FROM migration ORDER BY version"


async def list_applied(conn: Conn) -> list[Applied]:
    """What this database has had, in order."""
    async with conn.cursor(row_factory=class_row(Applied)) as cursor:
        await cursor.execute(LIST_APPLIED)
        return await cursor.fetchall()


RECORD = "INSERT INTO migration (version, name, checksum) VALUES (%(version)s, %(name)s, %(checksum)s)"


async def apply(conn: Conn, migration: Migration) -> None:
    """Apply one file and remember it, both or neither."""
    async with conn.transaction():
        await conn.execute(migration.sql)
        await conn.execute(
            RECORD, {"version": migration.version, "name": migration.name, "checksum": migration.checksum}
        )


def missing(steps: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """The steps this database has yet to take.

    Raises :class:`errors.DataTooNew` if it has taken one we do not know, :class:`errors.StoreUnavailable`
    if it took a step in another wording than ours.
    """
    ours = {step.version: step for step in steps}
    newest, latest = max(ours, default=0), max((each.version for each in applied), default=0)
    if latest > newest:
        text = (
            f"This data was written by a newer Heliograph (schema {latest}); this one knows up to {newest}: upgrade it,"
            " or point --data elsewhere."
        )
        raise errors.DataTooNew(text)
    for each in applied:
        if each.checksum != ours[each.version].checksum:
            text = (
                f"Migration {each.version} ({each.name}) was edited after this database had applied it, so its schema"
                " is not the one this Heliograph expects: install the Heliograph that wrote the data, or point --data"
                " elsewhere."
            )
            raise errors.StoreUnavailable(text)
    had = {each.version for each in applied}
    return [step for step in steps if step.version not in had]


async def run(conn: Conn, steps: Sequence[Migration] | None = None) -> None:
    """Take every step that is missing. Several processes may do this at once: one works, the others find it done.

    Raises as :func:`missing` does, before anything is changed.
    """
    await lock(conn)
    try:
        await create_table(conn)
        for step in missing(known() if steps is None else steps, await list_applied(conn)):
            await apply(conn, step)
    finally:
        if not conn.closed:
            await unlock(conn)
