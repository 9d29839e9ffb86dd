"""Conversations: advanced campaigns, replies, time, services; through everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from heliograph.actions import app_settings, flows, replies, runs, singles, stories
from heliograph.carriers.base import Reply
from heliograph.engine.bell import Bell
from heliograph.engine.replies import Replies
from heliograph.rules import why, why_words
from heliograph.store import carrier_accounts, overview, session_numbers
from tests.engine.conftest import number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

US = "+12025550100"


@dataclass
class Phones:
    """What people write, and what they get."""

    world: World
    read: dict[str, int] = field(default_factory=dict[str, int])

    async def write(self, who: str, *texts: str, to: str = US, ref: str | None = None) -> None:
        async with self.world.db.transaction() as conn:
            account = (await carrier_accounts.list_all(conn, self.world.app.app_id))[0]
            said = [Reply(who, to, text, self.world.clock(), ref or uuid4().hex) for text in texts]
            await replies.keep(conn, self.world.app.app_id, account.account_id, said, now=self.world.clock())

    def got(self, who: str) -> list[str]:
        return [each["text"] for each in self.world.transcript() if each["to"] == who]

    async def gets(self, who: str, count: int) -> list[str]:
        """Wait until somebody has got so many texts."""
        async with asyncio.timeout(30):
            while len(found := self.got(who)) < count:
                await asyncio.sleep(0.01)
        return found

    async def result(self, who: str) -> str | None:
        """Wait for the end of somebody's last session."""
        async with asyncio.timeout(30):
            while True:
                async with self.world.db.connection() as conn:
                    cursor = await conn.execute(
                        "SELECT result, ended_at FROM session WHERE number = %s ORDER BY session_id DESC LIMIT 1", [who]
                    )
                    row: Any = await cursor.fetchone()
                if row is not None and row[1] is not None:
                    return row[0]
                await asyncio.sleep(0.02)


async def support(world: World, people: int) -> Campaign:
    await world.add_list("people", [{"number": number(n), "First Name": f"P{n}"} for n in range(people)])
    made = await world.campaign("flow", ["people"], format="advanced", experienceFlowName="SMS Support Flow")
    return await world.play(made)


async def test_everybody_is_talked_to_until_the_end_and_then_the_campaign_is_complete(world: World) -> None:
    campaign = await support(world, 3)
    phones = Phones(world)
    async with world.working():
        await phones.gets(number(0), 1)
        await phones.write(number(0), "1")
        assert "order number" in (await phones.gets(number(0), 2))[1]
        await phones.write(number(0), "1002")
        assert "1002 is on its way" in (await phones.gets(number(0), 3))[2]
        await phones.write(number(0), "No, thanks")
        await phones.gets(number(0), 4)
        assert await phones.result(number(0)) is not None
        assert await world.status(campaign) == "Active"
        async with world.db.connection() as conn:
            standing = await overview.get(conn, world.app.app_id, campaign.public_id, now=world.clock())
            counted = await session_numbers.groups(conn, world.app.app_id, run_id=campaign.run_id)
            told = await stories.of_number(conn, world.app, number(1), world.clock())
        assert [each.split(" until")[0] for each in told.talks] == [
            f"A conversation from {US} begins when its first text has left."
        ]
        words = why_words.plain(why_words.tell(why.causes(standing.facts, world.clock())), world.clock())
        assert words.startswith("Everybody is settled; 2 people are still in a conversation")
        assert sum(group.sessions for group in counted) == 3
        assert [group.answered for group in counted if group.result is not None] == [1]
        await phones.gets(number(1), 1)
        await phones.write(number(1), "agent")
        assert await phones.result(number(1)) == "handed over"
        await phones.gets(number(2), 1)
        await phones.write(number(2), "STOP")
        assert await phones.result(number(2)) == "opted out"
        ledger = await world.until(campaign)
    assert ledger.total == ledger.sent == 3


async def publish(world: World, nodes: dict[str, Any], **more: object) -> str:
    """A flow of these nodes that is published, as the app's default; its id."""
    body = {"name": "Ours", "document": {"nodes": nodes} | more, "publish": True}
    made = (await flows.create(world.db, world.app, body, by="test", now=world.clock())).flow
    await flows.attach(world.db, world.app, made.public_id, {"default": True}, now=world.clock())
    return made.public_id


ASK: dict[str, Any] = {
    "ask": {"type": "send", "text": "Tea or coffee?", "next": "wait"},
    "wait": {"type": "wait", "save": "drink", "timeout": "1h", "on_timeout": "nudge", "next": "thanks"},
    "nudge": {"type": "send", "text": "Still there?", "next": "bye"},
    "bye": {"type": "end", "result": "silent"},
    "thanks": {"type": "send", "text": "One {{drink}} for you.", "next": "done"},
    "done": {"type": "end", "result": "served"},
}


async def steps(world: World) -> None:
    """Do all that is to be done now of conversations, without a worker."""
    looked = Replies(world.db, world.clock, Bell())
    while await looked.look():
        pass


async def waiting_texts(world: World, who: str) -> list[tuple[str, Any]]:
    """Texts to somebody as they are on record, and when they are due."""
    async with world.db.connection() as conn:
        cursor = await conn.execute(
            "SELECT coalesce(m.text, ''), c.due_at FROM message m JOIN chunk c ON c.app_id = m.app_id"
            " AND c.run_id = m.run_id AND m.seq BETWEEN c.first_seq AND c.last_seq WHERE m.number = %s"
            " ORDER BY m.run_id, m.seq",
            [who],
        )
        return [(row[0], row[1]) for row in await cursor.fetchall()]


async def became(world: World) -> list[str | None]:
    async with world.db.connection() as conn:
        return [row[0] for row in await (await conn.execute("SELECT became FROM reply ORDER BY reply_id")).fetchall()]


async def test_whoever_writes_without_a_conversation_gets_the_default_flow_and_then_the_inbox(world: World) -> None:
    phones = Phones(world)
    await phones.write(number(1), "hello", "yes")
    await steps(world)
    assert await became(world) == ["inbox", "inbox"]
    await publish(world, ASK)
    async with world.working():
        await phones.write(number(2), "hi there")
        assert await phones.gets(number(2), 1) == ["Tea or coffee?"]
        await phones.write(number(2), "Tea", to=US.removeprefix("+"), ref="same")
        await phones.write(number(2), "Tea", to=US.removeprefix("+"), ref="same")
        assert await phones.gets(number(2), 2) == ["Tea or coffee?", "One Tea for you."]
        assert await phones.result(number(2)) == "served"
    assert (await became(world))[2:] == ["flow", "flow"]


async def test_two_robots_are_not_kept_talking(world: World) -> None:
    await publish(world, {"say": {"type": "send", "text": "Thanks, we will call you back."}})
    await app_settings.update(world.db, world.app, {"conversations": {"answersPerHour": 3}}, now=world.clock())
    phones = Phones(world)
    for _ in range(6):
        await phones.write(number(1), "Thanks, we will call you back.")
        await steps(world)
    await phones.write(number(2), "I am out of the office until Monday")
    await steps(world)
    assert len(await waiting_texts(world, number(1))) == 3
    assert await became(world) == ["flow"] * 3 + ["too_many"] * 3 + ["machine"]


async def test_silence_counts_from_when_the_text_left(frozen_world: World, clock: FrozenClock) -> None:
    world, phones = frozen_world, Phones(frozen_world)
    flow = await publish(world, ASK)
    await world.add_numbers("two", 1, 2)
    hours = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "8:00 PM"}]}
    made = await world.campaign("later", ["two"], format="advanced", experienceFlowName=flow, hours=hours)
    campaign = await world.play(made)  # at six in the morning
    async with world.working():
        async with asyncio.timeout(30):
            while not await waiting_texts(world, number(2)):
                await asyncio.sleep(0.01)
        clock.set(clock.now.replace(hour=8))  # an hour after planning, and nothing has left
        await steps(world)
        assert phones.got(number(1)) == []
        clock.set(clock.now.replace(hour=9, minute=5))
        await phones.gets(number(2), 1)
        await asyncio.sleep(0.1)
        clock.set(clock.now.replace(hour=10, minute=0))
        await steps(world)
        await phones.write(number(1), "coffee")
        await steps(world)
        clock.set(clock.now.replace(hour=10, minute=6))
        await steps(world)
        assert await phones.gets(number(2), 2) == ["Tea or coffee?", "Still there?"]
        assert await phones.gets(number(1), 2) == ["Tea or coffee?", "One coffee for you."]
        assert (await phones.result(number(1)), await phones.result(number(2))) == ("served", "silent")
        await world.until(campaign)


async def test_an_answer_goes_at_once_and_a_reminder_waits_for_hours(frozen_world: World, clock: FrozenClock) -> None:
    world, phones = frozen_world, Phones(frozen_world)
    await app_settings.update(world.db, world.app, {"quietHours": {"enabled": True}}, now=clock())
    await publish(world, ASK)
    clock.set(datetime(2026, 3, 3, 4, 0, tzinfo=UTC))  # eleven at night in Washington
    async with world.working():
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        async with asyncio.timeout(30):
            while len(await waiting_texts(world, number(1))) < 2:
                clock.advance(400)
                await asyncio.sleep(0.05)
    night = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)
    assert [due > night + timedelta(hours=8) for _, due in await waiting_texts(world, number(1))] == [False, True]


async def test_an_answer_that_is_late_is_none_any_more(frozen_world: World, clock: FrozenClock) -> None:
    world, phones = frozen_world, Phones(frozen_world)
    await app_settings.update(world.db, world.app, {"quietHours": {"enabled": True}}, now=clock())
    await publish(world, ASK)
    clock.set(datetime(2026, 3, 3, 0, 30, tzinfo=UTC))  # half past seven in the evening
    await phones.write(number(1), "hello")
    await steps(world)
    clock.set(datetime(2026, 3, 3, 5, 0, tzinfo=UTC))  # nothing was sent until midnight
    async with world.working():
        async with asyncio.timeout(30):
            while (await waiting_texts(world, number(1)))[0][1] > clock() or phones.got(number(1)):
                await asyncio.sleep(0.01)
                break
        await asyncio.sleep(0.5)
        assert phones.got(number(1)) == []
        clock.set(datetime(2026, 3, 3, 15, 0, tzinfo=UTC))
        await phones.gets(number(1), 1)


async def test_a_no_made_out_by_a_flow_counts_and_is_confirmed_once(world: World) -> None:
    nodes: dict[str, Any] = {
        "ask": {"type": "send", "text": "May we text you again?", "next": "wait"},
        "wait": {"type": "wait", "next": "yes or no"},
        "yes_or_no": {"type": "branch", "cases": [{"any_word": ["nope"], "next": "out"}], "otherwise": "done"},
        "out": {"type": "opt_out", "next": "goodbye"},
        "goodbye": {"type": "send", "text": "Goodbye, you get no more from us.", "next": "more"},
        "more": {"type": "wait", "next": "ask"},
        "done": {"type": "end"},
    }
    nodes["wait"]["next"] = "yes_or_no"
    await publish(world, nodes)
    phones = Phones(world)
    async with world.working():
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        await phones.write(number(1), "nope")
        assert (await phones.gets(number(1), 2))[1].startswith("Goodbye")
        await phones.write(number(1), "but wait")
        async with asyncio.timeout(30):
            while "do_not_contact" not in await _reasons(world, number(1)):
                await asyncio.sleep(0.02)
    assert len(phones.got(number(1))) == 2


async def _reasons(world: World, who: str) -> list[str]:
    async with world.db.connection() as conn:
        cursor = await conn.execute(
            "SELECT o.reason FROM message m JOIN outcome o USING (app_id, run_id, seq) WHERE m.number = %s", [who]
        )
        return [row[0] for row in await cursor.fetchall() if row[0]]


async def test_the_newest_session_takes_the_place_of_the_one_before(world: World) -> None:
    flow = await publish(world, ASK)
    await world.add_numbers("one", 1, 1)
    phones = Phones(world)
    first = await world.campaign("first", ["one"], format="advanced", experienceFlowName=flow)
    second = await world.campaign("second", ["one"], format="advanced", experienceFlowName="SMS Support Flow")
    async with world.working():
        first = await world.play(first)
        await phones.gets(number(1), 1)
        await world.play(second)
        await phones.gets(number(1), 2)
        await phones.write(number(1), "1")
        assert "order number" in (await phones.gets(number(1), 3))[2]
        await world.until(first)
    assert await results(world, number(1)) == ["replaced", None]


async def results(world: World, who: str) -> list[str | None]:
    async with world.db.connection() as conn:
        cursor = await conn.execute("SELECT result FROM session WHERE number = %s ORDER BY session_id", [who])
        return [row[0] for row in await cursor.fetchall()]


async def test_or_a_second_session_waits_for_the_first(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    flow = await publish(world, ASK)
    await app_settings.update(world.db, world.app, {"conversations": {"secondSession": "queue"}}, now=clock())
    await world.add_numbers("one", 1, 2)
    phones = Phones(world)
    async with world.working():
        await phones.write(number(1), "hello")
        await phones.gets(number(1), 1)
        made = await world.campaign("second", ["one"], format="advanced", experienceFlowName=flow)
        await world.play(made)
        await phones.gets(number(2), 1)
        await phones.write(number(1), "tea")
        assert await phones.gets(number(1), 2) == ["Tea or coffee?", "One tea for you."]
        clock.advance(3700)
        await phones.gets(number(1), 3)


async def test_columns_and_lists_change(world: World) -> None:
    nodes: dict[str, Any] = {
        "ask": {"type": "send", "text": "How many, {{first name}}?", "next": "wait"},
        "wait": {"type": "wait", "save": "party", "next": "set"},
        "set": {"type": "set", "field": "Party Size", "value": "{{party}}", "next": "on"},
        "on": {"type": "list_add", "list": "Guests", "next": "off"},
        "off": {"type": "list_remove", "list": "people", "next": "thanks"},
        "thanks": {"type": "send", "text": "{{context.userInfo.First Name}}, {{party size}} of you."},
    }
    await world.add_list("Guests", [])
    await world.add_list("people", [{"number": number(1), "First Name": "Ada"}])
    flow = await publish(world, nodes)
    phones = Phones(world)
    made = await world.campaign("dinner", ["people"], format="advanced", experienceFlowName=flow)
    async with world.working():
        await world.play(made)
        await phones.gets(number(1), 1)
        await phones.write(number(1), "4")
        assert (await phones.gets(number(1), 2))[1] == "Ada, 4 of you."
        assert await phones.result(number(1)) == "completed"
    async with world.db.connection() as conn:
        cursor = await conn.execute(
            "SELECT l.name, c.fields, l.contact_count FROM contact_list l LEFT JOIN contact c USING (app_id, list_id)"
            " WHERE l.name IN ('Guests', 'people') ORDER BY l.name"
        )
        found = await cursor.fetchall()
    assert found == [("Guests", {"First Name": "Ada", "Party Size": "4"}, 1), ("people", None, 0)]


async def test_a_deleted_campaign_says_nothing_more_and_its_sessions_are_over(world: World) -> None:
    campaign = await support(world, 20)
    phones = Phones(world)
    async with world.working():
        for n in range(20):
            await phones.gets(number(n), 1)
            await phones.write(number(n), "1")
        await phones.gets(number(0), 2)
        await runs.delete(world.db, world.app, campaign.public_id, now=world.clock())
        said = len(world.transcript())
        for n in range(20):
            await phones.write(number(n), "1002")
        async with asyncio.timeout(30):
            while None in await became(world):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
    assert len(world.transcript()) == said
    assert {result for n in range(20) for result in await results(world, number(n))} == {"deleted"}
    assert (await became(world))[20:] == ["inbox"] * 20


async def test_a_one_off_text_without_words_begins_the_flow(world: World) -> None:
    await publish(world, ASK)
    phones = Phones(world)
    async with world.working():
        await singles.send(world.db, world.app, {"fromNo": US, "toNo": "+12025550123"}, now=world.clock())
        assert await phones.gets("+12025550123", 1) == ["Tea or coffee?"]
        await phones.write("+12025550123", "Tea")
        assert (await phones.gets("+12025550123", 2))[1] == "One Tea for you."


async def test_what_is_at_fault_is_left_to_a_person_and_holds_nobody_up(world: World) -> None:
    await publish(world, ASK)
    phones = Phones(world)
    await phones.write(number(1), "hello")
    await steps(world)
    async with world.db.connection() as conn:
        await conn.execute("UPDATE session SET data = '{}'")
    await phones.write(number(1), "tea")
    await phones.write(number(2), "hello")
    await steps(world)
    assert await became(world) == ["flow", "inbox", "flow"]
    async with world.db.connection() as conn:
        await conn.execute("UPDATE session SET due = %s WHERE number = %s", [world.clock(), number(1)])
    await steps(world)
    async with world.db.connection() as conn:
        (row,) = await (await conn.execute("SELECT due FROM session WHERE number = %s", [number(1)])).fetchall()
    assert row[0] > world.clock() + timedelta(minutes=30)
