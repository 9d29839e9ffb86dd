"""What every test may ask for: a database of its own on a real PostgreSQL, settings, and a clock that stands still."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from heliograph.config import Settings
from heliograph.store import embedded
from heliograph.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

# A shared machine stands still for a moment now and then: that is no fault of a rule. The build machine repeats
# itself; elsewhere every run looks at new cases.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")

TEMPLATE = "heliograph_template"
TEMPLATE_LOCK = 1


class FrozenClock:
    """Shows the same moment until it is told otherwise. Call it for the moment."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Show `moment`, an aware datetime."""
        self.now = moment.astimezone(UTC)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of the one server of this test run: xdist's workers share a folder, and so the server in it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    attachment = asyncio.run(embedded.attach(folder / "shared", fast=True))
    yield make_conninfo(attachment.dsn, dbname="postgres")
    asyncio.run(attachment.release())


@pytest.fixture(scope="session")
def admin(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops databases; the template has been migrated when it is handed out."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%(key)s)", {"key": TEMPLATE_LOCK})
        if conn.execute("SELECT FROM pg_database WHERE datname = %(name)s", {"name": TEMPLATE}).fetchone() is None:
            # Renamed only when it is whole: a worker killed in between leaves no half template.
            conn.execute("DROP DATABASE IF EXISTS template_new")
            conn.execute("CREATE DATABASE template_new")
            url = make_conninfo(server, dbname="template_new")
            asyncio.run(_migrate(Settings(data=tmp_path_factory.mktemp("template"), database_url=url)))
            conn.execute(sql.SQL("ALTER DATABASE template_new RENAME TO {}").format(sql.Identifier(TEMPLATE)))
        conn.execute("SELECT pg_advisory_unlock(%(key)s)", {"key": TEMPLATE_LOCK})
        yield conn


async def _migrate(settings: Settings) -> None:
    await (await Database.open(settings, size=1)).close()


@pytest.fixture
def database_url(admin: psycopg.Connection, server: str) -> Iterator[str]:
    """A fresh database with the newest schema, dropped after the test, whoever is still connected."""
    name = f"test_{uuid4().hex}"
    # Four times faster than WAL_LOG, which spares checkpoints we do not wait for here (fsync is off).
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    admin.execute(make.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    yield make_conninfo(server, dbname=name)
    admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings with a data folder and a database of this test's own; other processes may be given them too."""
    return Settings(data=tmp_path / "data", database_url=database_url)


@pytest.fixture
async def db(settings: Settings, anyio_backend: str) -> AsyncIterator[Database]:
    database = await Database.open(settings)
    yield database
    await database.close()
