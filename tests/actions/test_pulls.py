"""Lists that pull: when, what comes in, what does not, and what is written down of it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from heliograph.actions import app_secrets, lists, pulls
from heliograph.actions import seal as seals
from heliograph.errors import Conflict, InUse, Invalid, NotFound
from heliograph.rules.pull_answer import Problem
from heliograph.store import list_sources, sync_logs
from tests.pulling import ALLOWED, MAPPING, Desk, open_desk, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Settings
    from heliograph.store.database import Database
    from heliograph.store.sync_logs import Sync
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> AsyncIterator[Desk]:
    async with open_desk(db, settings, clock) as opened:
        yield opened


def counts(log: Sync | None) -> tuple[str, int, int, int, int, int]:
    assert log is not None
    return log.outcome, log.pages, log.fetched, log.added, log.duplicates, log.rejected


async def test_a_sync_brings_in_who_is_new_and_says_what_became_of_the_others(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100), person(101), person(100), {"phone": "12"}, "x"]
    log = await desk.sync(target)
    assert counts(log) == ("completed", 1, 5, 2, 1, 2)
    assert log is not None
    assert [(each["record"], each["field"]) for each in log.problems] == [(4, "phone"), (5, "")]
    assert (log.by_hand, log.reason, log.started_at, log.ended_at) == (False, None, desk.clock(), desk.clock())
    assert await desk.people(target) == [{"phoneNumber": f"+1415555010{n}", "firstName": f"P10{n}"} for n in (0, 1)]
    row = await desk.row(target)
    assert (row.contact_count, row.columns, row.files) == (2, ["phoneNumber", "firstName"], [])


async def test_the_interval_counts_from_the_start_of_the_sync_before(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100)]
    assert await desk.next_sync(target) == desk.clock()
    assert counts(await desk.sync(target)) == ("completed", 1, 1, 1, 0, 0)
    assert await desk.next_sync(target) == desk.clock() + timedelta(minutes=15)
    desk.clock.advance(15 * 60 - 1)
    assert await desk.sync(target) is None
    desk.clock.advance(1)
    desk.api.answers["/contacts"] = [person(100), person(101)]
    assert counts(await desk.sync(target)) == ("completed", 1, 2, 1, 1, 0)
    assert len(await desk.people(target)) == 2


async def test_a_sync_that_brings_nobody_new_leaves_the_list_as_it_was(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100)]
    await desk.sync(target)
    before = await desk.row(target)
    for answer in ([person(100)], []):
        desk.clock.advance(15 * 60)
        desk.api.answers["/contacts"] = answer
        assert counts(await desk.sync(target)) == ("completed", 1, len(answer), 0, len(answer), 0)
    assert await desk.row(target) == before


async def test_a_list_that_keeps_duplicates_keeps_them(desk: Desk) -> None:
    target = await desk.pulling(allow_duplicates=True)
    desk.api.answers["/contacts"] = [person(100), person(100)]
    assert counts(await desk.sync(target)) == ("completed", 1, 2, 2, 0, 0)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "answered 404"),
        ({"data": [1]}, "an object at its top"),
        ([{"phone": "12"}, {"phone": "13"}], "None of the 2 records can be used. Record 1, phone: "),
        (web.Response(text="<html>"), "not JSON"),
        (web.Response(status=302, headers={"Location": "http://10.0.0.1/"}), "may not reach (private)"),
    ],
)
async def test_a_sync_that_fails_leaves_the_list_as_it_was_and_is_tried_again(
    desk: Desk, answer: Any, told: str
) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100)]
    await desk.sync(target)
    before = await desk.row(target)
    desk.api.answers["/contacts"] = answer
    for wait in (15, 1, 2, 4, 8, 16, 32, 60, 60):
        assert await desk.next_sync(target) == desk.clock() + timedelta(minutes=wait)
        desk.clock.advance(60 * wait)
        log = await desk.sync(target)
        assert counts(log) == ("failed", 0, 0, 0, 0, 0)
        assert log is not None
        assert told in (log.reason or "")
    assert await desk.row(target) == before
    desk.clock.advance(3600)
    desk.api.answers["/contacts"] = [person(101)]
    assert counts(await desk.sync(target)) == ("completed", 1, 1, 1, 0, 0)
    assert await desk.next_sync(target) == desk.clock() + timedelta(minutes=15)


async def test_of_pages_all_come_in_or_none(desk: Desk) -> None:
    target = await desk.pulling(recordsPath="items", paging={"nextLink": "next"})
    desk.api.answers |= {
        "/contacts": {"items": [person(100)], "next": "/2?a=1"},
        "/2": {"items": [person(101)], "next": "/3"},
    }
    log = await desk.sync(target)
    assert log is not None
    assert "/3 answered 404" in (log.reason or "")
    assert await desk.people(target) == []
    desk.api.answers["/3"] = {"items": [person(100), person(102)], "next": None}
    desk.clock.advance(60)
    assert counts(await desk.sync(target)) == ("completed", 3, 4, 3, 1, 0)


async def test_pages_are_asked_for_by_number_until_one_is_empty(desk: Desk) -> None:
    async def page(request: web.Request) -> web.Response:
        number = int(request.query["p"])
        return web.json_response([person(number)] if number < 103 else [])

    desk.api.answers["/contacts"] = page
    target = await desk.pulling(paging={"pageParameter": "p", "firstPage": 100})
    assert counts(await desk.sync(target)) == ("completed", 4, 3, 3, 0, 0)
    assert [each.place for each in desk.api.asked] == [f"/contacts?p={n}" for n in range(100, 104)]


async def test_where_pages_are_bounded_it_is_said(desk: Desk) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.json_response([person(int(request.query["p"]))])

    desk.api.answers["/contacts"] = page
    target = await desk.pulling(paging={"pageParameter": "p", "firstPage": 100, "mostPages": 3})
    log = await desk.sync(target)
    assert counts(log) == ("completed", 3, 3, 3, 0, 0)
    assert log is not None
    assert log.reason == "It ended after 3 pages, as paging.mostPages says; there may be more"


async def test_an_api_that_goes_round_in_circles_is_found_out(desk: Desk) -> None:
    desk.api.answers["/contacts"] = [person(100)]
    target = await desk.pulling(allow_duplicates=True, paging={"pageParameter": "p"})
    log = await desk.sync(target)
    assert log is not None
    assert "Pages 1 and 2 are the same" in (log.reason or "")
    desk.api.answers["/contacts"] = {"items": [person(100)], "next": "/contacts"}
    config = {"url": desk.api.url(), "mapping": MAPPING, "recordsPath": "items", "paging": {"nextLink": "next"}}
    await lists.update(desk.db, desk.app, "Leads", {"apiConfigurations": config}, now=desk.clock())
    await pulls.ask(desk.db, desk.app, "Leads", now=desk.clock())
    log = await desk.sync(target)
    assert log is not None
    assert "at the same place" in (log.reason or "")
    assert await desk.people(target) == []


async def test_secrets_are_sent_and_shown_nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seal = seals.from_settings(desk.settings)
    target = await desk.pulling(
        auth={"authorizationType": "bearer", "secret": "TOKEN"}, headers={"X-Key": "{{env:KEY}}"}
    )
    log = await desk.sync(target)
    assert log is not None
    assert log.reason == "There is no secret named KEY. Store one, or name another"
    for name in ("TOKEN", "KEY"):
        await app_secrets.put(desk.db, seal, desk.app, name, {"value": f"hush-{name}"}, now=desk.clock())
    desk.clock.advance(60)
    await desk.sync(target)
    (asked,) = desk.api.asked
    assert (asked.headers["Authorization"], asked.headers["X-Key"]) == ("Bearer hush-TOKEN", "hush-KEY")
    assert "hush" not in caplog.text
    assert "hush" not in str(await desk.log(target))
    async with desk.db.connection() as conn:
        cursor = await conn.execute("SELECT sealed FROM app_secret")
        assert all(b"hush" not in bytes(row[0]) for row in await cursor.fetchall())
    with pytest.raises(InUse, match="Leads"):
        await app_secrets.delete(desk.db, desk.app, "KEY")
    await lists.delete(desk.db, desk.app, "Leads", now=desk.clock())
    await app_secrets.delete(desk.db, desk.app, "KEY")
    with pytest.raises(NotFound):
        await app_secrets.delete(desk.db, desk.app, "KEY")


async def test_by_hand_there_is_a_sync_for_each_time_it_is_asked_for(desk: Desk) -> None:
    target = await desk.pulling(dataSyncInterval=None)
    assert await desk.next_sync(target) is None
    assert await desk.sync(target) is None
    desk.api.answers["/contacts"] = [person(100)]
    await pulls.ask(desk.db, desk.app, "leads", now=desk.clock())
    log = await desk.sync(target)
    assert log is not None
    assert (log.outcome, log.by_hand) == ("completed", True)
    desk.api.answers.clear()
    await pulls.ask(desk.db, desk.app, "leads", now=desk.clock())
    assert counts(await desk.sync(target))[0] == "failed"
    assert await desk.next_sync(target) is None


async def test_who_asks_during_a_sync_gets_another_one_after_it(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = []
    source = await pulls.begin(desk.db, desk.app.app_id, target.list_id, now=desk.clock())
    assert source is not None
    desk.clock.advance(1)
    await pulls.ask(desk.db, desk.app, "Leads", now=desk.clock())
    await desk.run(target, source)
    assert await desk.next_sync(target) == desk.clock()
    log = await desk.sync(target)
    assert log is not None
    assert (log.sync_no, log.by_hand) == (2, True)
    assert await desk.next_sync(target) == desk.clock() + timedelta(minutes=15)


async def test_what_a_dead_worker_began_is_interrupted_and_done_again_and_it_can_add_nobody_any_more(
    desk: Desk,
) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100)]
    dead = await pulls.begin(desk.db, desk.app.app_id, target.list_id, now=desk.clock())
    assert dead is not None
    alive = await pulls.begin(desk.db, desk.app.app_id, target.list_id, now=desk.clock())
    assert alive is not None
    await desk.run(target, dead)
    assert await desk.people(target) == []
    assert [log.outcome for log in await desk.log(target)] == ["running", "interrupted"]
    await desk.run(target, alive)
    assert len(await desk.people(target)) == 1
    assert [(log.outcome, log.reason) for log in await desk.log(target)] == [
        ("completed", None),
        ("interrupted", pulls.LOST),
    ]


async def test_a_deleted_list_is_never_pulled_again(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = [person(100)]
    source = await pulls.begin(desk.db, desk.app.app_id, target.list_id, now=desk.clock())
    assert source is not None
    await lists.delete(desk.db, desk.app, "Leads", now=desk.clock())
    await desk.run(target, source)
    desk.clock.advance(86400)
    async with desk.db.connection() as conn:
        assert await list_sources.list_due(conn, desk.clock()) == []
    assert await desk.people(target) == []
    with pytest.raises(NotFound):
        await pulls.ask(desk.db, desk.app, "Leads", now=desk.clock())


async def test_only_lists_that_pull_are_pulled(desk: Desk) -> None:
    await lists.create(desk.db, desk.app, {"name": "Pushed"}, now=desk.clock())
    await lists.create(desk.db, desk.app, {"name": "Later", "source": "apiIntegration"}, now=desk.clock())
    for name in ("Pushed", "Later"):
        with pytest.raises(Conflict, match="pulls from nowhere"):
            await pulls.ask(desk.db, desk.app, name, now=desk.clock())
    config = {"url": desk.api.url(), "mapping": MAPPING}
    with pytest.raises(Invalid, match="source is passiveApi"):
        await lists.update(desk.db, desk.app, "Pushed", {"apiConfigurations": config}, now=desk.clock())
    body = {"name": "X", "source": "localDrive", "apiConfigurations": config}
    with pytest.raises(Invalid, match="source is localDrive"):
        await lists.create(desk.db, desk.app, body, now=desk.clock())
    mode = {"apiConfigurations": {"dataSyncMode": "allowDuplicates"}}
    changed, _ = await lists.update(desk.db, desk.app, "Pushed", mode, now=desk.clock())
    assert changed.allow_duplicates


async def test_only_the_newest_thousand_syncs_are_kept(desk: Desk) -> None:
    target = await desk.pulling()
    desk.api.answers["/contacts"] = []
    async with desk.db.connection() as conn:
        await conn.execute(
            "INSERT INTO sync_log (app_id, list_id, sync_no, outcome, by_hand, started_at)"
            " SELECT app_id, list_id, n, 'completed', false, updated_at FROM list_source, generate_series(1, 1000) n"
        )
        await conn.execute("UPDATE list_source SET last_sync = 1000")
    await desk.sync(target)
    async with desk.db.connection() as conn:
        assert await sync_logs.count(conn, desk.app.app_id, target.list_id, sync_logs.Wanted()) == 1000
    assert (await desk.log(target))[0].sync_no == 1001


async def test_a_configuration_nobody_can_read_any_more_is_told_and_not_asked_for_ever(desk: Desk) -> None:
    target = await desk.pulling()
    async with desk.db.connection() as conn:
        await conn.execute("UPDATE list_source SET config = '{}'")
    assert counts(await desk.sync(target))[0] == "failed"
    assert await desk.next_sync(target) is None


async def test_trying_out_stores_nothing(desk: Desk) -> None:
    target = await desk.pulling(dataSyncInterval=None)
    seal = seals.from_settings(desk.settings)
    desk.api.answers["/contacts"] = [person(n) for n in range(100, 107)] + [{"phone": "12"}, "x"]
    tried = await pulls.try_out(desk.db, seal, desk.app, "Leads", {}, allowed=ALLOWED)
    assert (tried.reason, tried.fetched, tried.rejected) == (None, 9, 2)
    assert [each.fields["firstName"] for each in tried.records] == [f"P{n}" for n in range(100, 105)]
    assert [type(each) for each in tried.problems] == [Problem, Problem]
    other = {"apiConfigurations": {"url": desk.api.url("/none"), "mapping": MAPPING}}
    tried = await pulls.try_out(desk.db, seal, desk.app, "Leads", other, allowed=ALLOWED)
    assert "answered 404" in (tried.reason or "")
    tried = await pulls.try_out(desk.db, seal, desk.app, "Leads", {}, allowed=())
    assert "may not reach (loopback)" in (tried.reason or "")
    assert await desk.people(target) == []
    assert await desk.log(target) == []
    with pytest.raises(Invalid):
        await pulls.try_out(desk.db, seal, desk.app, "Leads", {"apiConfigurations": {}}, allowed=ALLOWED)
    await lists.create(desk.db, desk.app, {"name": "Pushed"}, now=desk.clock())
    with pytest.raises(Conflict):
        await pulls.try_out(desk.db, seal, desk.app, "Pushed", {}, allowed=ALLOWED)
