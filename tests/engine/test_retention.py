"""What an app does not keep is removed: numbers still add up, evidence stays, and a message tells that it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors as database_errors

from heliograph import config
from heliograph.actions import app_settings, reruns, singles, stories
from heliograph.actions import replies as replies_actions
from heliograph.actions import retention as keeping
from heliograph.carriers.base import Reply
from heliograph.engine.retention import Retention
from heliograph.errors import Conflict, Invalid
from heliograph.rules import ids, retention
from heliograph.rules.retention import Terms
from heliograph.store import audit, carrier_accounts, consents, tallies
from tests.engine.conftest import World, number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

pytestmark = pytest.mark.anyio
PEOPLE = 60


@dataclass
class Later:
    """The system's clock, some days on."""

    days: int = 0

    def __call__(self) -> datetime:
        return config.utc_now() + timedelta(days=self.days)


async def sweep(world: World, later: Later) -> int:
    """Until nothing is left to remove."""
    removed = 0
    while gone := await Retention(world.db, later).sweep():
        removed += gone
    return removed


async def rows(world: World, statement: Any) -> list[tuple[Any, ...]]:
    async with world.db.connection() as conn:
        return await (await conn.execute(statement)).fetchall()


async def terms(world: World, **days: int | None) -> None:
    await app_settings.update(world.db, world.app, {"retention": days}, now=world.clock())


async def ran(world: World, name: str = "Old") -> Any:
    """A campaign that has ended, in all kinds of ways."""
    await world.sandbox(refuse=0.2, receipt_failed=0.2, latency_ms=[1, 2], receipt_ms=[1, 50])
    people = [{"number": number(n), "name": f"N{n}"} for n in range(PEOPLE)]
    await world.add_list(f"List {name}", people)
    await world.block(*(number(n) for n in range(0, PEOPLE, 10)))
    campaign = await world.campaign(name, [f"List {name}"], text="Dear {{name}}")
    async with world.working():
        playing = await world.play(campaign)
        await world.until(playing)
        await settled(lambda: world.ledger(playing))
    return await world.again(campaign)


async def settled(look: Callable[[], Awaitable[tallies.Ledger]]) -> None:
    async with asyncio.timeout(60):
        while (await look()).accepted:
            await asyncio.sleep(0.05)


async def test_texts_go_first_then_people_and_the_numbers_still_add_up(world: World) -> None:
    campaign = await ran(world)
    before = await world.ledger(campaign)
    await terms(world, textsDays=30, peopleDays=90)
    later = Later(29)
    assert await sweep(world, later) == 0
    later.days = 31
    assert await sweep(world, later) > 0
    assert await rows(world, "SELECT FROM message WHERE text <> ''") == []
    assert await rows(world, "SELECT count(DISTINCT number) FROM message") == [(PEOPLE,)]
    ((seq,),) = await rows(world, "SELECT min(seq) FROM message WHERE text = ''")
    one = ids.message_id(campaign.run_public_id, seq)
    async with world.db.connection() as conn:
        told = await stories.of_message(conn, world.app, one, later())
    assert f"its text removed by retention on {later():%Y-%m-%d}" in [each.words for each in told.events]

    later.days = 91
    async with world.db.connection() as conn:
        would = await keeping.count(conn, world.app.app_id, Terms(texts=30, people=90), later())
    assert (would.texts, would.people) == (0, PEOPLE)
    assert await sweep(world, later) > 0
    assert await sweep(world, later) == 0
    assert await rows(world, "SELECT DISTINCT number, list_id, contact_seq FROM message") == [("", 0, 0)]
    assert await world.ledger(campaign) == before  # which holds it against a recount of the rows
    async with world.db.connection() as conn:
        told = await stories.of_message(conn, world.app, one, later())
    assert (told.message.number, told.message.text) == ("", "")
    assert any("its number and text removed by retention on" in each.words for each in told.events)
    with pytest.raises(Conflict, match="removed by retention on"):
        await reruns.retry(world.db, world.app, campaign.public_id, run_id=None, classes=["failed"], now=later())


async def test_nothing_goes_of_a_run_with_somebody_unknown_or_under_way_nor_without_terms(world: World) -> None:
    campaign = await ran(world)
    later = Later(4000)
    assert await sweep(world, later) == 0
    await terms(world, peopleDays=1)
    async with world.db.connection() as conn:
        await conn.execute("UPDATE tally SET unknown = unknown + 1 WHERE sender_id > 0")
    assert await sweep(world, later) == 0
    async with world.db.connection() as conn:
        await conn.execute("UPDATE tally SET unknown = unknown - 1 WHERE sender_id > 0")
        await conn.execute("UPDATE run SET ended_at = NULL WHERE run_id = %(run)s", {"run": campaign.run_id})
    assert await sweep(world, later) == 0


async def test_one_off_texts_go_by_their_own_age(world: World) -> None:
    await terms(world, peopleDays=10)
    async with world.working():
        for n in (1, 2):
            body = {"toNo": f"+1202555010{n}", "message": "Your code is 1234", "fromNo": "+12025550100"}
            await singles.send(world.db, world.app, body, now=world.clock())
        await world.taken(2)
    later = Later(9)
    assert await sweep(world, later) == 0
    kept = Terms(texts=10, people=10)
    for later.days, going in ((9, 0), (11, 2)):
        async with world.db.connection() as conn:
            would = await keeping.count(conn, world.app.app_id, kept, later())
        assert (would.texts, would.people) == (going, going)
    assert await sweep(world, later) == 2
    async with world.db.connection() as conn:
        assert (await keeping.count(conn, world.app.app_id, kept, later())).people == 0
    assert await rows(world, "SELECT DISTINCT number, text FROM message") == [("", "")]
    assert await sweep(world, later) == 0


async def test_conversations_go_and_what_people_said_of_being_texted_stays(world: World) -> None:
    async with world.db.transaction() as conn:
        (account,) = await carrier_accounts.list_all(conn, world.app.app_id)
        said = [
            Reply(ref=str(n), number=number(n), at=world.clock(), to="+12025550100", text=text)
            for n, text in enumerate(("STOP", "Where is it?", "Hello?"))
        ]
        await replies_actions.keep(conn, world.app.app_id, account.account_id, said, now=world.clock())
    async with world.working():
        await settled_replies(world)
    assert len(await rows(world, "SELECT FROM conversation")) == 3
    async with world.db.connection() as conn:
        await conn.execute("UPDATE conversation SET open = false, unread = 0 WHERE number <> %(n)s", {"n": number(2)})
    await terms(world, conversationsDays=365)
    later = Later(366)
    assert await sweep(world, later) > 0
    assert await rows(world, "SELECT text FROM reply") == [("Hello?",)]  # its conversation is open
    assert await rows(world, "SELECT number FROM conversation") == [(number(2),)]
    async with world.db.connection() as conn:
        (evidence,) = await consents.list_of(conn, world.app.app_id, number(0), limit=9)
    assert (evidence.what, evidence.text) == ("opt_out", "STOP")
    assert await opt_outs_of(world) == [number(0)]


async def settled_replies(world: World) -> None:
    async with asyncio.timeout(60):
        while await rows(world, "SELECT FROM reply WHERE handled_at IS NULL"):
            await asyncio.sleep(0.05)


async def opt_outs_of(world: World) -> list[str]:
    return [str(row[0]) for row in await rows(world, "SELECT number FROM opt_out")]


async def test_the_audit_goes_by_its_term_only_and_cannot_be_emptied_otherwise(world: World) -> None:
    entry = audit.NewEntry("user", "us-1", "Ada", "", "changed something", app=world.app.public_id)
    async with world.db.transaction() as conn:
        await audit.add(conn, entry, now=world.clock())
        await audit.add(conn, audit.NewEntry("user", "us-1", "Ada", "", "of no app"), now=world.clock())
    with pytest.raises(database_errors.RaiseException):
        async with world.db.connection() as conn:
            await conn.execute("DELETE FROM audit")
    with pytest.raises(Invalid, match="It takes days, 90 to 3650"):
        await terms(world, auditDays=7)
    await terms(world, auditDays=90)
    later = Later(91)
    assert await sweep(world, later) == 1
    assert await rows(world, "SELECT verb FROM audit") == [("of no app",)]


def test_terms_are_read_kept_and_told() -> None:
    kept = retention.setting({"textsDays": 30, "peopleDays": 90}, None)
    kept = retention.setting({"peopleDays": None, "auditDays": 365}, kept)
    assert retention.read(kept) == Terms(texts=30, audit=365)
    assert retention.told(kept) == {"textsDays": 30, "peopleDays": None, "conversationsDays": None, "auditDays": 365}
    assert retention.setting({"textsDays": None, "auditDays": None}, kept) is None
    for wrong in ({"textsDays": 0}, {"textsDays": True}, {"textsDays": "30"}, {"texts": 30}, {"peopleDays": 9999}, 3):
        with pytest.raises(Invalid):
            retention.setting(wrong, None)
