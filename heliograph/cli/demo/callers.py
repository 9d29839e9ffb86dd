"""People of the demonstration who write by themselves: the support flow answers them and hands them to the inbox."""

from __future__ import annotations

import asyncio
import csv
import io
from uuid import uuid4

from heliograph.actions import flows, replies
from heliograph.carriers.base import Reply
from heliograph.cli.demo import cast
from heliograph.cli.desk import Desk
from heliograph.store import carrier_accounts, inbox_pages, threads
from heliograph.store import flows as flow_rows
from heliograph.store.apps import App
from heliograph.store.inbox_pages import Wanted

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 15.0  # for each answer of the flow; what is written after that is read all the same
SEEN = 20  # entries of a conversation, which are more than these have


async def welcome(here: Desk, app: App) -> None:
    """Have the support flow answer whoever writes without a conversation."""
    async with here.db.connection() as conn:
        there = await flow_rows.list_system(conn, app.app_id)
    support = next(one for one in there if one.name == cast.SEED["experienceFlowName"])
    await flows.attach(here.db, app, support.public_id, {"default": True}, now=here.clock())


async def write(here: Desk, app: App, people: bytes) -> None:
    """Let the first people of the list write what they have to say, each line after the answer to the one before."""
    rows = csv.DictReader(io.StringIO(people.decode()))
    talks = zip(cast.CALLERS, [row["phoneNumber"] for row in rows], strict=False)
    await asyncio.gather(*(_talk(here, app, number, lines) for lines, number in talks))


async def _talk(here: Desk, app: App, number: str, lines: tuple[str, ...]) -> None:
    for place, line in enumerate(lines):
        now = here.clock()
        async with here.db.transaction() as conn:
            account = (await carrier_accounts.list_all(conn, app.app_id))[0]
            said = Reply(number, cast.CALLER, line, now, uuid4().hex)
            await replies.keep(conn, app.app_id, account.account_id, [said], now=now)
        if place + 1 < len(lines):
            await _answered(here, app, number, place + 1)


async def _answered(here: Desk, app: App, number: str, times: int) -> None:
    """Wait until the flow has sent a number so many texts."""
    for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
        if await _answers(here, app, number) >= times:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _answers(here: Desk, app: App, number: str) -> int:
    """How many texts the flow has sent to a number."""
    async with here.db.connection() as conn:
        found = await inbox_pages.page(conn, app.app_id, Wanted(open=None, number=number), skip=0, limit=1)
        if not found:
            return 0
        entries = await threads.page(conn, found[0], before=None, limit=SEEN, now=here.clock())
    return sum(one.kind == "out" and one.who == "flow" for one in entries)
