"""Workers and lists that pull: each sync by one of them, and by the next one when it is gone."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from heliograph.engine.worker import Worker
from tests import customer
from tests.pulling import Desk, open_desk, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.config import Settings
    from heliograph.store.database import Database
    from heliograph.store.lists import ContactList
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

COMMAND = [sys.executable, "-c", "from heliograph.cli.main import main; main()", "work"]


@pytest.fixture
async def desk(db: Database, settings: Settings, clock: FrozenClock) -> AsyncIterator[Desk]:
    async with open_desk(db, settings, clock) as opened:
        yield opened


async def until(desk: Desk, target: ContactList, outcomes: list[str]) -> None:
    async with asyncio.timeout(20):
        while [log.outcome for log in await desk.log(target)] != outcomes:
            await asyncio.sleep(0.02)


async def start(desk: Desk) -> tuple[Worker, asyncio.Task[None]]:
    worker = Worker(desk.settings, desk.db, desk.clock)
    task = asyncio.create_task(worker.run())
    await worker.ready.wait()
    return worker, task


async def test_of_two_workers_one_syncs_a_list_once(desk: Desk) -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.json_response([person(100)])

    desk.api.answers["/contacts"] = slow
    workers = [await start(desk), await start(desk)]
    target = await desk.pulling(allow_duplicates=True)
    await until(desk, target, ["completed"])
    await asyncio.sleep(1.5)
    for worker, task in workers:
        worker.stop()
        await task
    assert len(await desk.people(target)) == 1
    assert len(desk.api.asked) == 1
    assert [log.outcome for log in await desk.log(target)] == ["completed"]


async def test_a_worker_that_goes_in_the_middle_leaves_its_sync_to_the_next(desk: Desk) -> None:
    async def mute(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    desk.api.answers["/contacts"] = mute
    target = await desk.pulling()
    _, task = await start(desk)
    await until(desk, target, ["running"])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.api.answers["/contacts"] = [person(100)]
    worker, task = await start(desk)
    await until(desk, target, ["completed", "interrupted"])
    worker.stop()
    await task
    assert len(await desk.people(target)) == 1


async def test_a_worker_that_is_killed_leaves_its_sync_to_another_process(desk: Desk) -> None:
    async def mute(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    desk.api.answers["/contacts"] = mute
    target = await desk.pulling()
    environ = os.environ | {
        "HELIOGRAPH_DATABASE_URL": str(desk.settings.database_url),
        "HELIOGRAPH_DATA": str(desk.settings.data),
        "HELIOGRAPH_PULL_PRIVATE_NETWORKS": customer.HERE,
    }
    first = await asyncio.create_subprocess_exec(*COMMAND, env=environ, stdin=asyncio.subprocess.PIPE)
    try:
        await until(desk, target, ["running"])
    finally:
        first.kill()
        await first.wait()
    desk.api.answers["/contacts"] = [person(100)]
    second = await asyncio.create_subprocess_exec(*COMMAND, env=environ, stdin=asyncio.subprocess.PIPE)
    try:
        await until(desk, target, ["completed", "interrupted"])
    finally:
        second.kill()
        await second.wait()
    assert len(await desk.people(target)) == 1
