"""Imports: what becomes of each row, by which columns, and whoever is on the list already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import file_intake, imports, lists
from heliograph.errors import Conflict, Invalid
from heliograph.rules import import_wish
from tests.importing import Desk, counts, number, open_desk, people

if TYPE_CHECKING:
    from heliograph.config import Settings
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> Desk:
    return await open_desk(db, settings, clock)


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
