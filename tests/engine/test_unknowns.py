"""Whoever is unknown is settled by evidence or by a person, and the numbers add up all the while."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import app_settings, asking, unknowns
from heliograph.actions import runs as running
from heliograph.actions import seal as seals
from heliograph.actions.unknowns import By, Choice
from heliograph.carriers.base import Receipt, ReceiptState
from heliograph.engine import plan
from heliograph.engine.sweep import sweep
from heliograph.errors import Conflict, IllegalMove
from heliograph.rules import ids
from heliograph.store import decisions, locks, outcomes, runs, senders
from heliograph.store import unknowns as store
from heliograph.store.campaigns import Campaign
from heliograph.store.session import Session
from heliograph.store.unknowns import Unknown, Wanted
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

PEOPLE = 6
MORNINGS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "6:00 AM", "end": "9:00 AM"}]}

# As a worker that was killed leaves them: taken, and nobody knows whether their bytes left.
TAKE = "UPDATE chunk SET next_seq = first_seq + %(people)s, unsettled = %(people)s WHERE run_id = %(run_id)s"
COUNT = """
UPDATE tally SET waiting = waiting - %(people)s, submitting = submitting + %(people)s
WHERE run_id = %(run_id)s AND sender_id = 0
"""


async def left_unknown(world: World, people: int = PEOPLE, **more: Any) -> Campaign:
    """A campaign under way whose people are all unknown."""
    await world.add_numbers("People", 0, people)
    playing = await world.play(await world.campaign("Left", ["People"], **more))
    assert playing.run_id is not None
    async with world.db.connection() as conn:
        run = await runs.get(conn, world.app.app_id, playing.run_id)
        await locks.take(conn, locks.Kind.PLAN, run.run_id)
        await plan.plan_page(world.db, run, now=world.clock(), limit=people + 1)
        await locks.release(conn, locks.Kind.PLAN, run.run_id)
        sender = (await senders.list_all(conn, world.app.app_id))[0]
    async with world.db.transaction() as conn:
        await conn.execute(TAKE, {"people": people, "run_id": playing.run_id})
        await conn.execute(COUNT, {"people": people, "run_id": playing.run_id})
    async with Session.open(world.db) as session:
        assert await sweep(session, world.app.app_id, sender.sender_id, now=world.clock()) == people
    assert (await world.ledger(playing)).unknown == people
    return playing


async def listed(world: World) -> list[Unknown]:
    async with world.db.connection() as conn:
        found = await store.page(conn, world.app.app_id, Wanted(), offset=0, limit=100)
        assert len(found) == await store.count(conn, world.app.app_id, Wanted())
    return found


async def told(world: World, one: Unknown) -> list[decisions.Decision]:
    async with world.db.connection() as conn:
        return await decisions.list_of(conn, world.app.app_id, one.run_id, one.seq)


def by(world: World, note: str = "") -> By:
    return By("cli:somebody", world.clock(), note)


async def test_it_is_told_what_is_known_of_each(frozen_world: World) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    found = await listed(world)
    assert [one.number for one in found] == [number(n) for n in range(PEOPLE)]
    first = found[0]
    assert (first.campaign_public_id, first.run_public_id) == (playing.public_id, playing.run_public_id)
    assert (first.since, first.submitted_at, first.decision) == (world.clock(), None, None)
    assert first.address == "+12025550100"
    assert first.reason == "the worker was gone before the carrier answered"


async def test_waiting_for_a_receipt_until_a_time(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    until = clock() + timedelta(hours=2)
    done = await unknowns.wait(world.db, world.app, Choice(campaign=playing.public_id), by(world, "asked"), until=until)
    assert len(done.messages) == PEOPLE
    found = await listed(world)
    assert {(one.decision, one.until, one.decided_by, one.note) for one in found} == {
        ("wait", until, "cli:somebody", "asked")
    }
    assert not any(one.overdue(clock()) for one in found)
    clock.advance(7200)
    assert all(one.overdue(clock()) for one in await listed(world))
    assert (await world.ledger(playing)).unknown == PEOPLE


async def test_taking_one_for_sent(frozen_world: World) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    one = (await listed(world))[2]
    name = ids.message_id(one.run_public_id, one.seq)
    await unknowns.accept(world.db, world.app, Choice(message_ids=(name,)), by(world, "they called back"))
    ledger = await world.ledger(playing)
    assert (ledger.accepted, ledger.unknown) == (1, PEOPLE - 1)
    assert (await world.reasons(playing))[one.number] == "accepted_by_person"
    assert [(d.kind, d.decided_by, d.note) for d in await told(world, one)] == [
        ("accept", "cli:somebody", "they called back")
    ]
    with pytest.raises(Conflict, match="not one of the unknown"):
        await unknowns.accept(world.db, world.app, Choice(message_ids=(name,)), by(world))


async def test_sending_again_while_the_run_is_under_way(frozen_world: World) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    before = await listed(world)
    done = await unknowns.resend(world.db, world.app, Choice(run=playing.run_public_id), by(world, "must know"))
    assert len(done.new_ids) == PEOPLE
    ledger = await world.ledger(playing)
    assert (ledger.total, ledger.unknown, ledger.ready) == (PEOPLE, 0, PEOPLE)
    # An answer to the old message that comes only now is not taken for one to the new.
    late = outcomes.NewOutcome(
        world.app.app_id, before[0].run_id, before[0].seq, 1, "accepted", None, before[0].account_id, "late", None
    )
    async with world.db.connection() as conn:
        await outcomes.record(conn, [late], sender_id=before[0].sender_id, now=world.clock())
    assert await world.ledger(playing) == ledger
    async with world.working():
        ledger = await world.until(playing)
    assert (ledger.total, ledger.sent) == (PEOPLE, PEOPLE)
    assert {t["messageId"] for t in world.transcript()} == set(done.new_ids)
    (decision,) = await told(world, before[0])
    assert decision.kind == "resend"
    assert decision.new_seq is not None
    assert ids.message_id(decision.new_run_public_id or "", decision.new_seq) == done.new_ids[0]
    async with world.db.connection() as conn:
        assert await decisions.list_of(conn, world.app.app_id, before[0].run_id, decision.new_seq) == [decision]


async def test_sending_again_once_the_run_is_over(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    playing = await left_unknown(world, hours=MORNINGS)
    await running.stop(world.db, world.app, playing.public_id, now=clock())
    clock.advance(4 * 3600)  # ten o'clock
    done = await unknowns.resend(world.db, world.app, Choice(campaign=playing.public_id), by(world))
    assert len(done.new_ids) == PEOPLE
    old = await world.ledger(playing)
    assert (old.total, old.unknown, old.suppressed) == (PEOPLE, 0, PEOPLE)
    async with world.db.connection() as conn:
        new = await runs.find_public(conn, world.app.app_id, done.new_ids[0].replace("msg-", "cid-")[:40])
    assert new is not None
    assert new.planned_at is not None
    again = await world.again(playing)
    ledger = await world.ledger(again)
    assert (ledger.total, ledger.held) == (PEOPLE, PEOPLE), "closed until the next morning"
    assert await world.status(playing) == "Active"
    clock.advance(20 * 3600 + 60)
    async with world.working():
        assert (await world.until(again)).sent == PEOPLE
    assert {t["text"] for t in world.transcript()} == {"Hello"}


async def test_nothing_is_sent_again_where_it_must_not(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    choice = Choice(run=playing.run_public_id)
    await running.stop(world.db, world.app, playing.public_id, now=clock())
    await running.play(world.db, world.app, playing.public_id, now=clock())
    with pytest.raises(IllegalMove, match="another run"):
        await unknowns.resend(world.db, world.app, choice, by(world))
    await running.delete(world.db, world.app, playing.public_id, now=clock())
    with pytest.raises(Conflict, match="deleted"):
        await unknowns.resend(world.db, world.app, choice, by(world))
    assert (await world.ledger(playing)).unknown == PEOPLE


async def ask(world: World, playing: Campaign) -> asking.Asked:
    choice = Choice(campaign=playing.public_id)
    seal = seals.from_settings(world.settings)
    return await asking.ask(
        world.db, seal, world.app, choice, by(world), transcript=world.settings.transcript, networks=()
    )


async def test_asking_the_carrier(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    found = await listed(world)
    await world.took([ids.message_id(one.run_public_id, one.seq) for one in found[:2]], receipt_ms=[60_000, 60_000])
    done = await ask(world, playing)
    assert done.findings == {"accepted": 2, "nothing": PEOPLE - 2}, "a carrier's list may lag behind"
    ledger = await world.ledger(playing)
    assert (ledger.accepted, ledger.unknown) == (2, PEOPLE - 2)
    clock.advance(15)
    assert (await ask(world, playing)).findings == {"not_there": PEOPLE - 2}
    ledger = await world.ledger(playing)
    assert (ledger.accepted, ledger.unknown, ledger.ready) == (2, 0, PEOPLE - 2)
    assert [(d.kind, d.finding) for d in await told(world, found[0])] == [("ask", "accepted")]
    assert [(d.kind, d.finding) for d in await told(world, found[-1])] == [("ask", "nothing"), ("ask", "not_there")]
    async with world.working():
        ledger = await world.until(playing)
    assert ledger.sent == PEOPLE
    taken = [t["to"] for t in world.transcript()]
    assert sorted(taken) == sorted({*taken}), "nobody twice"


async def test_who_never_got_it_stays_listed_when_the_run_is_over(frozen_world: World, clock: FrozenClock) -> None:
    world = frozen_world
    playing = await left_unknown(world)
    await running.stop(world.db, world.app, playing.public_id, now=clock())
    clock.advance(15)
    for _ in range(2):
        assert (await ask(world, playing)).findings.keys() <= {"not_there"}
    assert {one.finding for one in await listed(world)} == {"not_there"}
    assert (await world.ledger(playing)).unknown == PEOPLE


async def test_a_text_that_is_another_message_s_settles_nobody(frozen_world: World, clock: FrozenClock) -> None:
    """As a look-up by number and time may find it, which is all that some carriers have."""
    world = frozen_world
    playing = await left_unknown(world, people=4)
    first, second, third, fourth = await listed(world)

    def finding(ref: str) -> Receipt:
        return Receipt(ref, ReceiptState.DELIVERED, clock())

    app_id = world.app.app_id
    assert await asking.heed(world.db, app_id, [(first, finding("theirs"))], by(world)) == {"delivered": 1}
    said = [(second, finding("theirs")), (third, finding("one of two")), (fourth, finding("one of two"))]
    assert await asking.heed(world.db, app_id, said, by(world)) == {"nothing": 3}
    assert [one.seq for one in await listed(world)] == [second.seq, third.seq, fourth.seq]
    assert await asking.heed(world.db, app_id, [(third, finding("their own"))], by(world)) == {"delivered": 1}
    assert (await world.ledger(playing)).delivered == 2


async def test_a_worker_asks_by_itself_when_answers_are_lost(world: World) -> None:
    await app_settings.update(world.db, world.app, {"unknownAsk": True}, now=world.clock())
    await world.sandbox(lost_answer=1, answer_timeout_s=0.1, latency_ms=[5, 5], receipt_ms=[300, 300])
    await world.add_numbers("People", 0, PEOPLE)
    playing = await world.play(await world.campaign("Lost", ["People"]))
    async with world.working(), asyncio.timeout(60):
        while (await world.ledger(playing)).delivered < PEOPLE:
            await asyncio.sleep(0.05)
    ledger = await world.ledger(playing)
    assert (ledger.total, ledger.delivered) == (PEOPLE, PEOPLE)
    assert len(world.transcript()) == PEOPLE
