"""Migrations: every step once, in order, whole, and never against data that is not ours to read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from heliograph import errors
from heliograph.config import Settings
from heliograph.store import migrate
from heliograph.store.database import Database
from heliograph.store.migrate import Migration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from heliograph.store.database import Conn

pytestmark = pytest.mark.anyio

FIRST = Migration(1, "house", b"CREATE TABLE house (id int); INSERT INTO house VALUES (1)")
SECOND = Migration(2, "garden", b"CREATE TABLE garden (id int)")
BROKEN = Migration(2, "garden", b"CREATE TABLE garden (id int); SELECT nonsense")


@pytest.fixture
def empty_url(admin: psycopg.Connection, server: str) -> Iterator[str]:
    name = sql.Identifier(f"test_{uuid4().hex}")
    admin.execute(sql.SQL("CREATE DATABASE {} STRATEGY FILE_COPY").format(name))
    yield make_conninfo(server, dbname=name.as_string().strip('"'))
    admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
async def conn(empty_url: str) -> AsyncIterator[Conn]:
    async with await psycopg.AsyncConnection.connect(empty_url, autocommit=True) as connection:
        yield connection


async def has(conn: Conn, table: str) -> bool:
    row = await (await conn.execute("SELECT to_regclass(%(table)s)", {"table": table})).fetchone()
    return row is not None and row[0] is not None


def test_our_migrations_are_numbered_without_gaps() -> None:
    assert [step.version for step in migrate.known()] == list(range(1, len(migrate.known()) + 1))


def test_line_ends_do_not_change_a_checksum() -> None:
    assert Migration(1, "a", b"SELECT 1;\r\n").checksum == Migration(1, "a", b"SELECT 1;\n").checksum


async def test_every_step_is_taken_once(conn: Conn) -> None:
    await migrate.run(conn, [FIRST])
    await migrate.run(conn, [FIRST, SECOND])
    await migrate.run(conn, [FIRST, SECOND])
    assert [(step.version, step.name) for step in await migrate.list_applied(conn)] == [(1, "house"), (2, "garden")]
    assert await (await conn.execute("SELECT count(*) FROM house")).fetchone() == (1,)


async def test_a_step_that_fails_leaves_nothing_and_can_be_taken_later(conn: Conn) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        await migrate.run(conn, [FIRST, BROKEN])
    assert await has(conn, "house")
    assert not await has(conn, "garden")
    await migrate.run(conn, [FIRST, SECOND])
    assert await has(conn, "garden")


async def test_processes_that_start_at_once_all_succeed(empty_url: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url=empty_url)
    databases = await asyncio.gather(*(Database.open(settings, size=1) for _ in range(4)))
    async with databases[0].connection() as conn:
        assert len(await migrate.list_applied(conn)) == len(migrate.known())
    for database in databases:
        await database.close()


async def test_data_of_a_newer_version_is_refused_naming_both(conn: Conn) -> None:
    await migrate.run(conn, [FIRST, SECOND])
    with pytest.raises(errors.DataTooNew, match=r"newer Heliograph \(schema 2\); this one knows up to 1: upgrade it"):
        await migrate.run(conn, [FIRST])


async def test_an_edited_migration_is_refused(conn: Conn) -> None:
    await migrate.run(conn, [FIRST])
    edited = Migration(1, "house", FIRST.sql + b" ")
    with pytest.raises(errors.StoreUnavailable, match=r"Migration 1 \(house\) was edited"):
        await migrate.run(conn, [edited, SECOND])
    assert not await has(conn, "garden")
