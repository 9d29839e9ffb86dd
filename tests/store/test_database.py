"""The way to the data: what a connection is like, and what becomes of one that breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from heliograph import errors
from heliograph.config import Settings
from heliograph.store import database
from heliograph.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from heliograph.store.database import Conn

pytestmark = pytest.mark.anyio

ADD = "INSERT INTO account (account_id, created_at) VALUES (%(id)s, now())"
COUNT = "SELECT count(*) FROM account"
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""

SLEEPERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'"""


async def value(conn: Conn, query: str) -> object:
    row = await (await conn.execute(query.encode())).fetchone()
    assert row is not None
    return row[0]


async def end_all_connections(settings: Settings) -> None:
    assert settings.database_url is not None
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as conn:
        await conn.execute(END_OTHERS)


async def add(db: Database, *ids: str) -> None:
    async with db.transaction() as conn:
        for each in ids:
            await conn.execute(ADD, {"id": each})


async def lose(db: Database, settings: Settings) -> None:
    async with db.transaction() as conn:
        await end_all_connections(settings)
        await conn.execute("SELECT 1")


async def sleep_in_the_database(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("SELECT pg_sleep(60)")


async def take_too_long(db: Database) -> None:
    async with db.transaction() as conn:
        await conn.execute("SET LOCAL statement_timeout = 10")
        await conn.execute("SELECT pg_sleep(5)")


async def test_a_statement_of_a_connection_stands_for_itself(db: Database) -> None:
    async with db.connection() as conn, db.connection() as other:
        await conn.execute(ADD, {"id": "a"})
        assert await value(other, COUNT) == 1


async def test_a_transaction_is_kept_or_undone_as_a_whole(db: Database) -> None:
    await add(db, "a", "b")
    with pytest.raises(psycopg.errors.UniqueViolation):
        await add(db, "c", "a")
    async with db.connection() as conn:
        assert await value(conn, COUNT) == 2


async def test_every_connection_has_a_name_and_shows_utc(db: Database) -> None:
    own = await db.connect()
    async with own, db.connection() as pooled:
        for conn in (own, pooled):
            assert conn.autocommit
            assert await value(conn, "SHOW application_name") == "heliograph"
            assert await value(conn, "SHOW timezone") == "UTC"


async def test_a_connection_lost_in_the_middle_is_said_so_and_the_next_one_works(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(errors.StoreUnavailable, match="was lost"):
        await lose(db, settings)
    async with db.connection() as conn:
        assert await value(conn, "SELECT 1") == 1


async def test_connections_that_died_while_idle_are_replaced_unseen(db: Database, settings: Settings) -> None:
    async with db.connection(), db.connection(), db.connection():
        pass
    await end_all_connections(settings)
    for _ in range(4):
        async with db.connection() as conn:
            assert await value(conn, "SELECT 1") == 1


async def test_a_task_cancelled_as_its_connection_is_lost_ends(db: Database, settings: Settings) -> None:
    """It does not get StoreUnavailable instead, which a loop would take for a reason to try again."""
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url, autocommit=True) as conn:
        task = asyncio.create_task(sleep_in_the_database(db))
        while not conn.execute(SLEEPERS).fetchall():
            await asyncio.sleep(0.01)
        conn.execute(END_OTHERS)
        while conn.execute(SLEEPERS).fetchall():
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_other_database_errors_pass_as_they_are(db: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        await add(db, "a", "a")
    with pytest.raises(psycopg.errors.QueryCanceled):  # an OperationalError, but the connection is well
        await take_too_long(db)


async def test_more_callers_than_connections_wait_and_then_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.2)
    db = await Database.open(settings, size=1)
    async with db.connection():
        with pytest.raises(errors.StoreUnavailable):
            async with db.connection():
                pass
    async with db.connection() as conn:
        assert await value(conn, "SELECT 1") == 1
    await db.close()


async def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:

    url = "postgresql://heliograph:open-sesame@127.0.0.1:1/texts"
    with pytest.raises(errors.StoreUnavailable) as caught:
        await Database.open(Settings(data=tmp_path, database_url=url))
    assert "texts at 127.0.0.1" in caught.value.message
    assert "open-sesame" not in caught.value.message


async def test_an_outage_ends_when_the_server_is_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.5)
    db = await Database.open(settings, size=2)
    good, db.dsn = db.dsn, "host=127.0.0.1 port=1"
    await end_all_connections(settings)
    for _ in range(2):
        with pytest.raises(errors.StoreUnavailable):
            async with db.connection():
                pass
    db.dsn = good
    async with db.connection() as conn:
        assert await value(conn, "SELECT 1") == 1
    await db.close()


async def test_a_url_that_is_none_is_refused_without_showing_it(tmp_path: Path) -> None:

    with pytest.raises(errors.BadSetting) as caught:
        await Database.open(Settings(data=tmp_path, database_url="postgresql://u:open-sesame@[bad/x"))
    assert caught.value.field == "HELIOGRAPH_DATABASE_URL"
    assert "open-sesame" not in caught.value.message


async def test_a_server_that_is_too_old_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SERVER", 990000)
    with pytest.raises(errors.StoreUnavailable, match=r"is version 1[89].* needs 16 or newer"):
        await Database.open(settings)
