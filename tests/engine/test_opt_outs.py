"""Saying no by a reply: heeded at once by whatever is under way, confirmed once, and taken back by the person alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import app_settings, auto_answers, panics, replies, singles, stories
from heliograph.actions import receipts as receipt_actions
from heliograph.carriers.base import Reply
from heliograph.store import carrier_accounts, consents, senders
from heliograph.store import opt_outs as rows
from heliograph.store import replies as reply_rows
from heliograph.store.receipts import NewReceipt
from tests.engine.conftest import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

OURS = "+12025550100"
OTHER = "+12025550177"
PERSON = "+14155550100"
GATHER = """
SELECT extract(epoch FROM r.received_at)::float8, r.number FROM reply r WHERE r.app_id = %(app_id)s
"""


async def say(world: World, *texts: str, who: str = PERSON, to: str = OURS, ref: str = "") -> int:
    """Somebody writes; answers how many of it were new."""
    async with world.db.transaction() as conn:
        account = (await carrier_accounts.list_all(conn, world.app.app_id))[0]
        said = [
            Reply(who, to, text, datetime(2026, 3, 2, tzinfo=UTC), f"{ref}-{n}" if ref else "")
            for n, text in enumerate(texts)
        ]
        return await replies.keep(conn, world.app.app_id, account.account_id, said, now=world.clock())


async def no(world: World, who: str = PERSON) -> list[tuple[str, str, str]]:
    """What keeps somebody from being texted: address, kind, source."""
    async with world.db.connection() as conn:
        return [(one.address, one.kind, one.source) for one in await rows.list_of(conn, world.app.app_id, who)]


async def evidence(world: World, who: str = PERSON) -> list[tuple[str, str, str]]:
    async with world.db.connection() as conn:
        found = await consents.list_of(conn, world.app.app_id, who, limit=100)
    return [(one.what, one.how, one.text) for one in found]


async def answer(world: World) -> int:
    return await auto_answers.work(world.db, world.app.app_id, now=world.clock())


async def waiting(world: World) -> list[tuple[str, str]]:
    """The answers on record: kind and text."""
    statement = """
        SELECT a.kind, m.text FROM auto_answer a
        JOIN message m ON m.app_id = a.app_id AND m.run_id = a.run_id AND m.seq = a.seq
        WHERE a.app_id = %(app_id)s ORDER BY a.run_id, a.seq
    """
    async with world.db.connection() as conn:
        found = await (await conn.execute(statement, {"app_id": world.app.app_id})).fetchall()
    return [(str(row[0]), str(row[1])) for row in found]


async def settle(world: World, **settings: object) -> None:
    await app_settings.update(world.db, world.app, {"optOut": settings}, now=world.clock())


async def single(world: World, **more: object) -> str:
    body = {"fromNo": OURS, "toNo": PERSON, "message": "Hello"} | more
    return await singles.send(world.db, world.app, body, now=world.clock())


# ---------------------------------------------------------------- what a reply does


async def test_a_stop_counts_when_it_is_kept_and_is_confirmed_once(world: World) -> None:
    await say(world, "Stop please")
    assert await no(world) == [("", "no", "reply")]
    assert await evidence(world) == [("opt_out", "sentence", "Stop please")]
    await single(world)
    async with world.working():
        await world.taken(1)
        await say(world, "STOP", ref="again")
        async with asyncio.timeout(30):
            while await _unhandled(world):
                await asyncio.sleep(0.02)
    async with world.db.connection() as conn:
        story = await stories.of_number(conn, world.app, PERSON, world.clock())
    assert (story.would_be_texted, story.because) == (False, f"{PERSON} is on the do-not-contact list the opt-outs")
    assert "said no by reply: Stop please" in [event.words for event in story.messages[0].events]
    texts = [(t["to"], t["from"], t["text"]) for t in world.transcript()]
    assert [(to, from_) for to, from_, _ in texts] == [(PERSON, OURS)], "the confirmation, and nothing else"
    assert "unsubscribed" in texts[0][2]


async def _unhandled(world: World) -> bool:
    async with world.db.connection() as conn:
        return bool(await reply_rows.list_waiting(conn))


async def test_a_start_takes_away_only_what_a_stop_of_theirs_put_there(frozen_world: World) -> None:
    await say(frozen_world, "STOP", "START", ref="one")
    assert await no(frozen_world) == []
    async with frozen_world.db.connection() as conn:
        by_hand = rows.OptOut(PERSON, "", "no", "person", "asked", frozen_world.clock())
        await rows.put(conn, frozen_world.app.app_id, [by_hand])
    await say(frozen_world, "STOP", "START", ref="two")
    assert await no(frozen_world) == [("", "no", "person")]
    await settle(frozen_world, startLifts=["reply", "person"])
    await say(frozen_world, "START", ref="three")
    assert await no(frozen_world) == []
    assert [what for what, _, _ in await evidence(frozen_world)] == ["opt_out", "opt_in"] * 2 + ["opt_in"]


async def test_a_no_may_count_for_the_address_it_was_written_to_alone(frozen_world: World) -> None:
    world = frozen_world
    await settle(world, scope="sender")
    async with world.db.connection() as conn:
        account = (await carrier_accounts.list_all(conn, world.app.app_id))[0]
        await senders.add(conn, world.app.app_id, address=OTHER, account_id=account.account_id, now=world.clock())
    await say(world, "STOP", to=OTHER.removeprefix("+"), ref="one")  # some carriers leave the plus out
    assert await no(world) == [(OTHER.removeprefix("+"), "no", "reply")]
    await single(world)
    await single(world, fromNo=OTHER, message="Never")
    await say(world, "STOP", who="+14155550101", to="29999", ref="two")  # an address that we do not know: everywhere
    assert await no(world, "+14155550101") == [("", "no", "reply")]
    async with world.working():
        await world.taken(3)
    left = sorted((t["from"], t["text"][:7]) for t in world.transcript())
    assert left == [(OURS, "Hello"), (OTHER, "You are"), ("29999", "You are")]
    await say(world, "START", to=OTHER, ref="three")
    assert await no(world) == []


async def test_words_to_be_reviewed_hold_what_is_promotional(world: World) -> None:
    await say(world, "wrong number, who is this")
    assert await no(world) == [("", "review", "reply")]
    assert await evidence(world) == [("review", "phrase", "wrong number, who is this")]
    await single(world, message="Buy!")
    await single(world, message="Your code", transactional=True)
    async with world.working():
        await world.taken(1)
    assert [t["text"] for t in world.transcript()] == ["Your code"]
    await say(world, "STOP", ref="later")
    assert await no(world) == [("", "no", "reply")]


async def test_help_is_answered_and_two_machines_are_not_kept_talking(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    await say(world, *["HELP"] * 10, ref="a")
    assert await answer(world) == 10
    assert await answer(world) == 0
    assert [kind for kind, _ in await waiting(world)] == ["help"] * 3
    clock.now += timedelta(minutes=61)
    await say(world, "HELP", ref="b")
    await say(world, "STOP: automatic reply, I am out of office", ref="c")
    await answer(world)
    assert [kind for kind, _ in await waiting(world)] == ["help"] * 4
    await settle(world, confirm=False)
    await say(world, "HELP", who="+14155550102", ref="d")
    await answer(world)
    assert len(await waiting(world)) == 4


async def test_a_confirmation_comes_once_a_day_and_within_five_minutes_or_not(
    frozen_world: World, clock: FrozenClock
) -> None:
    world = frozen_world
    await settle(world, texts={"stop": "Done.", "start": "Back."})
    await say(world, "STOP", "STOP", "START", "STOP", ref="a")
    await answer(world)
    assert await waiting(world) == [("stop", "Done."), ("start", "Back.")]
    clock.now += timedelta(hours=25)
    await say(world, "STOP", ref="b")
    clock.now += timedelta(minutes=5)
    assert await answer(world) == 1, "looked at, and too late to answer"
    assert len(await waiting(world)) == 2
    await say(world, "STOP", ref="c")
    await answer(world)
    clock.now += timedelta(minutes=5, seconds=1)
    async with world.working():
        statement = "SELECT count(*) FROM outcome WHERE reason = 'too_late'"
        async with asyncio.timeout(30):
            while True:
                async with world.db.connection() as conn:
                    row = await (await conn.execute(statement)).fetchone()
                if row is not None and row[0] == 3:
                    break
                await asyncio.sleep(0.02)
    assert world.transcript() == []


async def test_a_yes_is_not_confirmed_to_somebody_who_is_still_not_texted(world: World) -> None:
    await world.block(PERSON)
    await say(world, "START", "HELP")
    async with world.working():
        await world.taken(1)
        async with asyncio.timeout(30):
            while await _unhandled(world):
                await asyncio.sleep(0.02)
    assert ["Reply STOP to end them." in t["text"] for t in world.transcript()] == [True]


async def test_a_reply_is_heeded_and_answered_once_however_often_it_is_brought(frozen_world: World) -> None:
    for _ in range(3):
        await say(frozen_world, "STOP", "HELP", ref="same")
        await asyncio.gather(*(answer(frozen_world) for _ in range(3)))
    assert [kind for kind, _ in await waiting(frozen_world)] == ["stop", "help"]
    assert len(await evidence(frozen_world)) == 1


async def test_nothing_is_answered_from_where_nothing_may_leave(frozen_world: World) -> None:
    await panics.press(frozen_world.db, frozen_world.app, None, {}, who="me", now=frozen_world.clock())
    await say(frozen_world, "STOP")
    assert await answer(frozen_world) == 1
    assert await waiting(frozen_world) == []
    assert await no(frozen_world) == [("", "no", "reply")]


# ---------------------------------------------------------------- what a carrier tells


async def test_a_carrier_that_says_they_opted_out_is_believed(world: World) -> None:
    await world.sandbox(refuse=1, refuse_code="opted_out", latency_ms=[1, 2])
    await world.add_numbers("People", 0, 300)
    playing = await world.play(await world.campaign("One", ["People"]))
    async with world.working():
        await world.until(playing)
    async with world.db.connection() as conn:
        assert await rows.count(conn, world.app.app_id, kind="no", number=None) == 300
    assert await no(world, number(7)) == [("", "no", "carrier")]
    assert await evidence(world, number(7)) == [("opt_out", "code", "")]


async def test_a_receipt_that_says_they_opted_out_is_believed(world: World) -> None:
    await world.sandbox(latency_ms=[1, 2], receipt_lost=1)
    await world.add_numbers("People", 0, 3)
    playing = await world.play(await world.campaign("One", ["People"]))
    async with world.working():
        await world.until(playing)
    taken = {t["to"]: t["ref"] for t in world.transcript()}
    async with world.db.connection() as conn:
        account = (await carrier_accounts.list_all(conn, world.app.app_id))[0].account_id
    said = [
        NewReceipt(taken[number(0)], "failed", "opted_out", world.clock()),
        NewReceipt(taken[number(1)], "failed", "absent", world.clock()),
    ]
    await receipt_actions.record(world.db, world.app.app_id, account, said, now=world.clock())
    assert [await no(world, number(n)) for n in range(2)] == [[("", "no", "carrier")], []]


# ---------------------------------------------------------------- the race


async def test_nobody_is_texted_more_than_a_second_after_their_stop(world: World) -> None:
    """Two campaigns to the same 2,000 people, who all write STOP to the first while both are being sent."""
    people = 2_000
    await world.sandbox(latency_ms=[1, 20], receipt_lost=1, reply=1, reply_ms=[0, 300])
    await settle(world, confirm=False)
    await world.add_numbers("People", 0, people)
    backwards = [{"number": number(n)} for n in reversed(range(people))]
    await world.add_list("Backwards", backwards)
    await world.rate(1500)
    one = await world.play(await world.campaign("One", ["People"]))
    two = await world.play(await world.campaign("Two", ["Backwards"]))
    async with world.working(), world.working():
        ledgers = [await world.until(each, seconds=60) for each in (one, two)]
    late = await too_late(world)
    assert late == []
    assert sum(ledger.suppressed for ledger in ledgers) > 0
    assert all(ledger.total == people for ledger in ledgers)


async def too_late(world: World, seconds: float = 1.0) -> Sequence[str]:
    """Numbers of texts that were taken more than so long after their STOP was received."""
    async with world.db.connection() as conn:
        found = await (await conn.execute(GATHER, {"app_id": world.app.app_id})).fetchall()
    received: dict[str, float] = {}
    for at, who in found:
        received[who] = min(float(at), received.get(who, float("inf")))
    return [t["to"] for t in world.transcript() if t["at"] > received.get(t["to"], float("inf")) + seconds]
