"""What every test may ask for: a database of its own on a real PostgreSQL, settings, and a clock that stands still."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
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

# A shared machine stands still for a moment now and then: that is no fault of a rule. The build machine repeats
# itself; elsewhere every run looks at new cases.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")

TEMPLATE = "heliograph_template"
TEMPLATE_LOCK = 1

MEMORY = Path("/dev/shm")  # noqa: S108  # pytest makes a folder of its own in it, which only we may enter
ROOM = 4 << 30


def pytest_configure() -> None:
    """Folders of tests, and with them every PostgreSQL, go where files are memory, if there is plenty.

    A database is some 600 files: a test has its own after 20 ms there, and after 60 to 300 ms on a disk, which must
    write them. Nothing here is meant to outlive the machine. ``PYTEST_DEBUG_TEMPROOT`` chooses another place.
    """
    if _plenty():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _plenty() -> bool:
    """Whether files may be memory: programs may be started there, and neither it nor the machine gets full."""
    meminfo = Path("/proc/meminfo")
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or not meminfo.exists():
        return False
    place = os.statvfs(MEMORY)
    available = next(line.split()[1] for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:"))
    room = min(place.f_bavail * place.f_frsize, int(available) << 10)
    return room > ROOM and not place.f_flag & os.ST_NOEXEC  # a copy of PostgreSQL's programs may have to go there


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


@pytest.fixture(scope="session")
def spent() -> list[str]:
    """Databases whose tests are over: dropped after the next, as one that is being left makes PostgreSQL wait 0.1 s."""
    return []


@pytest.fixture
def database_url(admin: psycopg.Connection, server: str, spent: list[str]) -> Iterator[str]:
    """A fresh database with the newest schema; it goes after the next test, whoever is still connected then."""
    name = f"test_{uuid4().hex}"
    # Four times faster than WAL_LOG, which spares checkpoints we do not wait for here (fsync is off).
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    admin.execute(make.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    yield make_conninfo(server, dbname=name)
    while spent:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(spent.pop())))
    spent.append(name)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings with a data folder and a database of this test's own; other processes may be given them too."""
    return Settings(data=tmp_path / "data", database_url=database_url)


@pytest.fixture
async def db(settings: Settings, anyio_backend: str) -> AsyncIterator[Database]:
    database = await Database.open(settings)
    yield database
    await database.close()
