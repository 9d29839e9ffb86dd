"""Importing in tests: an app with a list, files for it, and what became of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heliograph.actions import access, import_runs, imports, lists
from heliograph.actions import seal as seals
from heliograph.rules import quota
from heliograph.rules.import_wish import Wish
from heliograph.store import contacts as rows
from heliograph.store import import_files
from heliograph.store import lists as list_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.imports import Job
    from heliograph.store.lists import ContactList
    from tests.conftest import FrozenClock

HEADER = ["row", "verdict", "number", "column", "value", "what"]


def number(n: int) -> str:
    return f"+1202555{n:04d}"


def people(first: int, count: int) -> bytes:
    return ("phone,name\n" + "".join(f"{number(n)},P{n}\n" for n in range(first, first + count))).encode()


async def whole(data: bytes, size: int = 1 << 20) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@dataclass
class Desk:
    """An app with a list."""

    db: Database
    clock: FrozenClock
    app: App
    target: ContactList
    limits: quota.Quota = quota.DEFAULT

    async def begin(self, data: bytes, **wish: Any) -> Job:
        return await imports.begin(
            self.db, self.app, "People", whole(data), file_name="a.csv", wish=Wish(**wish), clock=self.clock
        )

    async def take_in(self) -> None:
        """Take in all that waits, as a worker's process does."""
        while await import_runs.take_next(self.db, self.clock, self.limits):
            pass

    async def done(self, data: bytes, **wish: Any) -> Job:
        """An import from its beginning to its end."""
        begun = await self.begin(data, **wish)
        await self.take_in()
        return await self.job(begun)

    async def job(self, begun: Job) -> Job:
        async with self.db.connection() as conn:
            return await imports.find(conn, self.app, "People", begun.public_id)

    async def list(self) -> ContactList:
        async with self.db.connection() as conn:
            return await list_rows.get(conn, self.app.app_id, self.target.public_id)

    async def people(self) -> list[dict[str, Any]]:
        async with self.db.connection() as conn:
            page = await rows.list_page(conn, self.app.app_id, self.target.list_id, skip=0, limit=100_000)
        return [one.fields | {"number": one.number, "zone": one.time_zone, "priority": one.priority} for one in page]

    async def verdicts(self, job: Job) -> list[list[str]]:
        """The verdict file's rows below its header."""
        text = "".join([page async for page in imports.verdicts(self.db, job)])
        found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert found[0] == HEADER
        return found[1:]

    async def pieces(self, job: Job) -> bool:
        async with self.db.connection() as conn:
            return await import_files.get_piece(conn, job.app_id, job.import_id, 0) is not None


async def open_desk(db: Database, settings: Settings, clock: FrozenClock) -> Desk:
    """An app with an empty list called People."""
    made = await access.create_app(db, seals.from_settings(settings), name="Shop", now=clock())
    target = await lists.create(db, made.app, {"name": "People", "source": "localDrive"}, now=clock())
    return Desk(db, clock, made.app, target)


def counts(job: Job) -> tuple[str, int, int, int, int, int, int]:
    assert job.rows == job.added + job.updated + job.duplicates + job.rejected
    return job.state, job.rows, job.added, job.updated, job.duplicates, job.rejected, job.noted
