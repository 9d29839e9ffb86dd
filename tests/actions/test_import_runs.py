"""Imports: a list is never half of anything, whatever is wrong with a file and whoever is gone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import access, contacts, file_intake, import_runs, imports, lists
from heliograph.actions import seal as seals
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.rules import quota
from heliograph.rules.import_wish import Wish
from heliograph.store import import_files, locks
from heliograph.store import imports as jobs
from tests.importing import Desk, counts, open_desk, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Settings
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> Desk:
    return await open_desk(db, settings, clock)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"name,city\nAda,Paris\n", "'name', 'city'"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "neither text nor a workbook"),
        (people(0, 300) + b'"+12025550999,never closed\n' + b"x,\n" * 500_000, "Row 302 cannot be read"),
        (b"phone,name\n12,Ada\n", "None of the 1 rows can be used. Row 2, phone"),
    ],
)
async def test_a_file_that_cannot_be_used_leaves_the_list_as_it_was(desk: Desk, data: bytes, words: str) -> None:
    job = await desk.done(data)
    assert job.state == "failed"
    assert words in str(job.error)
    assert (await desk.list(), await desk.people()) == (desk.target, [])
    assert not await desk.pieces(job)
    told = await desk.verdicts(job)
    assert [each[1] for each in told] == (["rejected"] if words.startswith("None") else [])


async def test_more_than_may_be_kept_is_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_intake, "PAGE", 10)
    desk.limits = replace(quota.DEFAULT, list_contacts=25)
    job = await desk.done(people(0, 30))
    assert job.state == "failed"
    assert "25" in str(job.error)
    assert (await desk.people(), await desk.verdicts(job)) == ([], [])


async def test_an_empty_file_is_no_import(desk: Desk) -> None:
    with pytest.raises(Invalid, match="empty"):
        await desk.begin(b"")
    async with desk.db.connection() as conn:
        (job,) = await jobs.page(conn, desk.app.app_id, desk.target.list_id, skip=0, limit=10)
    assert job.state == "cancelled"


async def test_a_sender_that_goes_away_leaves_nothing(desk: Desk) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield people(0, 100_000)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await imports.begin(desk.db, desk.app, "People", broken(), file_name="a.csv", wish=Wish(), clock=desk.clock)
    async with desk.db.connection() as conn:
        (job,) = await jobs.page(conn, desk.app.app_id, desk.target.list_id, skip=0, limit=10)
    assert (job.state, await desk.pieces(job)) == ("cancelled", False)


async def test_a_cancelled_import_never_happens(desk: Desk) -> None:
    begun = await desk.begin(people(0, 3))
    await imports.cancel(desk.db, desk.app, "People", begun.public_id, now=desk.clock())
    await desk.take_in()
    assert ((await desk.job(begun)).state, await desk.people(), await desk.pieces(begun)) == ("cancelled", [], False)
    with pytest.raises(Conflict, match="cancelled already"):
        await imports.cancel(desk.db, desk.app, "People", begun.public_id, now=desk.clock())


async def test_an_import_is_cancelled_in_its_middle(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the cancelling has answered, nothing of it comes in, however far it was."""
    monkeypatch.setattr(import_runs, "TOLD", 0)
    monkeypatch.setattr(file_intake, "PAGE", 50)
    begun = await desk.begin(people(0, 5000))
    running = asyncio.create_task(desk.take_in())
    async with asyncio.timeout(60):
        while (await desk.job(begun)).rows < 100:
            await asyncio.sleep(0.001)
        cancelled = await imports.cancel(desk.db, desk.app, "People", begun.public_id, now=desk.clock())
        await running
    assert (cancelled.state, (await desk.job(begun)).state) == ("cancelled", "cancelled")
    assert (await desk.list(), await desk.people(), await desk.verdicts(begun)) == (desk.target, [], [])


async def test_a_dry_run_that_is_done_lets_its_file_go(desk: Desk) -> None:
    job = await desk.done(people(0, 3), dry_run=True)
    assert await desk.pieces(job)
    await imports.cancel(desk.db, desk.app, "People", job.public_id, now=desk.clock())
    assert not await desk.pieces(job)
    with pytest.raises(Conflict):
        await imports.do_for_real(desk.db, desk.app, "People", job.public_id, now=desk.clock())


# ---------------------------------------------------------------- whoever takes it in


async def test_files_of_one_list_come_in_one_after_the_other(desk: Desk) -> None:
    first = await desk.begin(people(0, 2))
    second = await desk.begin(b"phone,name\n+12025550000,Later\n", on_duplicate="update")
    await asyncio.gather(*(desk.take_in() for _ in range(3)))
    assert counts(await desk.job(first))[:3] == ("done", 2, 2)
    assert counts(await desk.job(second))[:4] == ("done", 1, 0, 1)
    assert [one["name"] for one in await desk.people()] == ["Later", "P1"]


async def test_whoever_is_told_to_stop_leaves_it_to_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_runs, "TOLD", 0)
    monkeypatch.setattr(file_intake, "PAGE", 50)
    begun = await desk.begin(people(0, 5000))
    running = asyncio.create_task(desk.take_in())
    async with asyncio.timeout(60):
        while (await desk.job(begun)).rows < 100:
            await asyncio.sleep(0.001)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    job = await desk.job(begun)
    assert (job.state, job.tries, await desk.people()) == ("waiting", 0, [])
    await desk.take_in()
    assert counts(await desk.job(begun))[:3] == ("done", 5000, 5000)
    assert (await desk.list()).contact_count == len(await desk.people()) == 5000


async def test_a_file_that_kills_whoever_takes_it_in_is_given_up(desk: Desk) -> None:
    begun = await desk.begin(people(0, 2))
    for _ in range(import_runs.MOST_TRIES):
        async with desk.db.connection() as conn:  # claimed by somebody who was killed in the same moment
            due = await jobs.find_due(conn)
            assert due is not None
            assert await jobs.claim(conn, due.app_id, due.import_id, now=desk.clock())
    await desk.take_in()
    job = await desk.job(begun)
    assert (job.state, await desk.people()) == ("failed", [])
    assert "5 times" in str(job.error)


async def test_what_somebody_takes_in_is_left_to_them(desk: Desk) -> None:
    begun = await desk.begin(people(0, 2))
    async with desk.db.apart() as somebody:
        assert await locks.take(somebody, locks.Kind.IMPORT, begun.import_id)
        assert not await import_runs.take_next(desk.db, desk.clock, desk.limits)
    assert await import_runs.take_next(desk.db, desk.clock, desk.limits)


async def test_an_import_waits_for_whoever_fills_the_list(desk: Desk) -> None:
    begun = await desk.begin(people(0, 2))
    async with desk.db.transaction() as conn:
        await contacts.hold(conn, desk.app, "People")
        running = asyncio.create_task(desk.take_in())
        async with asyncio.timeout(60):
            while (await desk.job(begun)).form is None:
                await asyncio.sleep(0.001)
        assert (await desk.job(begun)).state == "running"
    await running
    assert (await desk.job(begun)).state == "done"


async def test_a_list_that_goes_meanwhile_fails_its_import(desk: Desk) -> None:
    begun = await desk.begin(people(0, 2))
    await lists.delete(desk.db, desk.app, "People", now=desk.clock())
    await desk.take_in()
    async with desk.db.connection() as conn:
        job = await jobs.get(conn, desk.app.app_id, desk.target.list_id, begun.public_id)
    assert job.state == "failed"
    assert "not found" in str(job.error)


async def test_nobody_sees_the_imports_of_another_app(desk: Desk, settings: Settings) -> None:
    other = await access.create_app(desk.db, seals.from_settings(settings), name="Other", now=desk.clock())
    await lists.create(desk.db, other.app, {"name": "People", "source": "localDrive"}, now=desk.clock())
    mine = await desk.done(b"Rufnummer,x\n+12025550100,1\n", mapping={"phoneNumber": "x"}, dry_run=True)
    for verb in (imports.cancel, imports.do_for_real):
        with pytest.raises(NotFound):
            await verb(desk.db, other.app, "People", mine.public_id, now=desk.clock())
    theirs = replace(desk, app=other.app)
    job = await theirs.done(b"Rufnummer,x\n+12025550100,1\n")
    assert (job.used_from, job.added) == ("guessed", 1)


async def test_imports_are_forgotten_after_a_while_and_files_before(desk: Desk) -> None:
    job = await desk.done(people(0, 2), dry_run=True)
    async with desk.db.connection() as conn:
        await import_files.forget_files(conn, before=desk.clock())
        assert await import_files.get_piece(conn, job.app_id, job.import_id, 0) is not None
        desk.clock.advance(1)
        await import_files.forget_files(conn, before=desk.clock())
        assert await import_files.get_piece(conn, job.app_id, job.import_id, 0) is None
        assert await import_files.forget(conn, before=desk.clock(), stale=desk.clock()) == 1
        assert await jobs.count(conn, desk.app.app_id, desk.target.list_id) == 0
