"""Imports: every state, what is told of each row, and that a list is never half of anything."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import access, contacts, file_intake, import_runs, imports, lists
from heliograph.actions import seal as seals
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.rules import import_wish, quota
from heliograph.rules.import_wish import Wish
from heliograph.store import contacts as rows
from heliograph.store import import_files, locks
from heliograph.store import imports as jobs
from heliograph.store import lists as list_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.imports import Job
    from heliograph.store.lists import ContactList
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

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


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> Desk:
    made = await access.create_app(db, seals.from_settings(settings), name="Shop", now=clock())
    target = await lists.create(db, made.app, {"name": "People", "source": "localDrive"}, now=clock())
    return Desk(db, clock, made.app, target)


def counts(job: Job) -> tuple[str, int, int, int, int, int, int]:
    assert job.rows == job.added + job.updated + job.duplicates + job.rejected
    return job.state, job.rows, job.added, job.updated, job.duplicates, job.rejected, job.noted


UGLY = (
    b"phone,name,time zone\n+12025550100,Ada,Asia/Kolkata\n+12025550101,Bo,Mars\n12,Chidi,\n"
    b"+12025550100,Ada again,\n=1+1,Esi,\n"
)
TOLD = [
    ["2", "imported", number(100), "", "", "Added to the list"],
    ["3", "imported", number(101), "time zone", "Mars",
     "No time zone of that name: the campaign's, or the number's, is used"],
    ["4", "rejected", "", "phone", "12",
     "'12' is not a telephone number. It takes a number with its country code, such as +14155550100"],
    ["5", "duplicate", number(100), "", "",
     "An earlier row of this file has the same number; this one was left out"],
    ["6", "rejected", "", "phone", "'=1+1",
     "'=1+1' is not a telephone number. It takes a number with its country code, such as +14155550100"],
]  # fmt: skip


async def test_a_file_is_taken_in_and_every_row_is_told_of(desk: Desk) -> None:
    begun = await desk.begin(UGLY)
    assert (begun.state, begun.size) == ("waiting", len(UGLY))
    await desk.take_in()
    job = await desk.job(begun)
    assert counts(job) == ("done", 5, 2, 0, 1, 2, 1)
    assert (job.columns, job.used_from, job.bytes_read) == (["phone", "name", "time zone"], "guessed", len(UGLY))
    assert job.form == {"kind": "csv", "encoding": "utf-8", "separator": ",", "sheet": None, "packed": False}
    assert await desk.verdicts(job) == TOLD
    assert [(one["number"], one["zone"]) for one in await desk.people()] == [
        (number(100), "Asia/Kolkata"),
        (number(101), None),
    ]
    target = await desk.list()
    assert (target.contact_count, [each["fileName"] for each in target.files]) == (2, ["a.csv"])
    assert not await desk.pieces(job)


async def test_a_dry_run_tells_the_same_and_can_be_done_for_real(desk: Desk) -> None:
    job = await desk.done(UGLY, dry_run=True)
    assert counts(job) == ("done", 5, 2, 0, 1, 2, 1)
    assert await desk.verdicts(job) == TOLD
    assert (await desk.list(), await desk.people()) == (desk.target, [])
    again = await imports.do_for_real(desk.db, desk.app, "People", job.public_id, now=desk.clock())
    assert (again.state, again.dry_run) == ("waiting", False)
    await desk.take_in()
    job = await desk.job(job)
    assert counts(job) == ("done", 5, 2, 0, 1, 2, 1)
    assert await desk.verdicts(job) == TOLD
    assert len(await desk.people()) == 2
    with pytest.raises(Conflict, match="no dry run"):
        await imports.do_for_real(desk.db, desk.app, "People", job.public_id, now=desk.clock())


async def test_a_dry_run_knows_who_is_on_the_list_and_who_stood_in_an_earlier_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_intake, "PAGE", 2)
    await desk.done(people(0, 1))
    data = people(0, 4) + people(2, 3).split(b"\n", 1)[1]
    for dry in (True, False):
        job = await desk.done(data, dry_run=dry)
        assert [(each[0], each[1]) for each in await desk.verdicts(job)] == [
            ("2", "duplicate"), ("3", "imported"), ("4", "imported"), ("5", "imported"),
            ("6", "duplicate"), ("7", "duplicate"), ("8", "imported"),
        ]  # fmt: skip
        texts = [each[5] for each in await desk.verdicts(job) if each[1] == "duplicate"]
        assert [text.startswith("An earlier row") for text in texts] == [False, True, True]
        assert len(await desk.people()) == (1 if dry else 5)


# ---------------------------------------------------------------- changing who is there


@pytest.mark.parametrize("page", [2, 5000])
async def test_whoever_is_on_the_list_can_be_updated(desk: Desk, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(file_intake, "PAGE", page)
    await desk.done(
        b"phone,First Name,city,time zone,priority\n"
        b"+12025550100,Ada,Pune,Asia/Kolkata,2\n+12025550101,Bo,Leeds,Europe/London,\n"
    )
    data = (
        b"phoneNumber,first_name,plan,timezone\n"
        b"+12025550100,,Gold,\n+12025550101,Bob,,Mars\n+12025550102,Cy,Free,UTC\n"
        b"+12025550102,Cyd,,\n+12025550100,Ada L,,\n"
    )
    dry = await desk.done(data, dry_run=True, on_duplicate="update")
    job = await desk.done(data, on_duplicate="update")
    assert counts(dry) == counts(job) == ("done", 5, 1, 4, 0, 0, 1)
    assert await desk.verdicts(dry) == await desk.verdicts(job)
    assert [each[1] for each in await desk.verdicts(job)] == ["updated", "updated", "imported", "updated", "updated"]
    first, second, third = await desk.people()
    assert (first["First Name"], first["city"], first["plan"], first["zone"], first["priority"]) == (
        "Ada L", "Pune", "Gold", "Asia/Kolkata", 2,
    )  # fmt: skip
    assert (second["First Name"], second["city"], second["zone"]) == ("Bob", "Leeds", None)
    assert (third["first_name"], third["plan"], third["zone"]) == ("Cyd", "Free", "UTC")
    assert (await desk.list()).contact_count == 3


async def test_a_list_that_keeps_duplicates_keeps_them_unless_told_otherwise(desk: Desk) -> None:
    await lists.update(desk.db, desk.app, "People", {"allowDuplicates": True}, now=desk.clock())
    data = people(0, 2) + people(0, 2).split(b"\n", 1)[1]
    assert counts(await desk.done(data)) == ("done", 4, 4, 0, 0, 0, 0)
    assert counts(await desk.done(data, on_duplicate="skip")) == ("done", 4, 0, 0, 4, 0, 0)
    job = await desk.done(b"phone,name\n+12025550000,Zed\n", on_duplicate="update")
    assert counts(job) == ("done", 1, 0, 1, 0, 0, 0)
    assert [one["name"] for one in await desk.people()] == ["Zed", "P1", "Zed", "P1"]


# ---------------------------------------------------------------- mappings


async def test_a_mapping_by_hand_is_used_again_for_the_same_header(desk: Desk) -> None:
    data = b"Rufnummer;Vorname;Kundennr;phone\n+12025550100;Ada;7;+12025550199\n"
    mapping = {"phoneNumber": "Rufnummer", "firstName": "Vorname"}
    job = await desk.done(data, mapping=mapping)
    assert (job.used_from, job.used) == ("given", mapping)
    (person,) = await desk.people()
    assert (person["number"], person["phoneNumber"], person["firstName"]) == (number(100), number(100), "Ada")
    job = await desk.done(data.replace(b"0100;Ada", b"0102;Bo").replace(b"Vorname", b"VORNAME"))
    assert (job.used_from, job.used, job.added) == ("saved", mapping | {"firstName": "VORNAME"}, 1)
    job = await desk.done(data.replace(b"0100;Ada", b"0103;Cy"), mapping={})
    assert (job.used_from, job.used, job.added) == ("guessed", {"phoneNumber": "phone"}, 1)
    job = await desk.done(data.replace(b"0100;Ada", b"0104;Di").replace(b"0199", b"0198"))
    assert (job.used_from, job.added) == ("guessed", 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dryRun": "yes"}, "dryRun is 'yes'"),
        ({"onDuplicate": "merge"}, "skip, update, add"),
        ({"region": "Atlantis"}, "not a region"),
        ({"mapping": "phone"}, "no JSON"),
        ({"mapping": "[1]"}, "JSON object"),
        ({"mapping": '{"phoneNumber": 1}'}, "name of a column"),
        ({"mapping": '{"shoe": "x"}'}, "It takes: firstName"),
    ],
)
def test_a_wish_that_is_none_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        import_wish.read(given)
    assert words in caught.value.message


async def test_numbers_without_a_country_are_the_regions(desk: Desk) -> None:
    wish = import_wish.read({"region": "us", "onDuplicate": "", "dryRun": "False", "mapping": json.dumps({})})
    job = await desk.done(b"phone\n(202) 555-0100\n", region=wish.region)
    assert (job.region, [one["number"] for one in await desk.people()]) == ("US", [number(100)])


# ---------------------------------------------------------------- all or nothing


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
