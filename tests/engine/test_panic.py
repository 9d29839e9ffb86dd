"""The panic button: nothing of an app, or of a sender, leaves after the answer, until a person releases it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import panics, runs, singles, trials
from heliograph.actions import seal as seals
from heliograph.errors import Conflict, NotFound, Stopping
from heliograph.store import carrier_accounts, locks, senders
from heliograph.store import panics as rows
from tests.engine.conftest import ALWAYS, number

if TYPE_CHECKING:
    from heliograph.store.panics import Panic
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

OTHER = "+12025550177"
TEXT = {"fromNo": OTHER, "toNo": "+14155550100", "message": "One"}


async def press(world: World, sender: str | None = None, reason: str | None = None) -> Panic:
    return await panics.press(world.db, world.app, sender, {"reason": reason}, who="cs-me", now=world.clock())


async def release(world: World, sender: str | None = None) -> Panic:
    return await panics.release(world.db, world.app, sender, who="cs-you", now=world.clock())


async def add_sender(world: World, address: str) -> None:
    async with world.db.connection() as conn:
        account = (await carrier_accounts.list_all(conn, world.app.app_id))[0]
        await senders.add(conn, world.app.app_id, address=address, account_id=account.account_id, now=world.clock())


async def test_nothing_of_the_app_leaves_after_the_answer_and_nobody_is_lost(world: World) -> None:
    """Two campaigns on two senders, two workers, answers after two seconds: pressed and released again and again."""
    await world.sandbox(latency_ms=[2000, 2000])
    await add_sender(world, OTHER)
    await world.add_numbers("People", 0, 4000)
    await world.add_numbers("Others", 4000, 4000)
    strategy = {"callerId": {"phoneNumber": OTHER}, "callingHours": ALWAYS}
    one = await world.campaign("One", ["People"])
    two = await world.campaign("Two", ["Others"], dialingStrategy=strategy)
    moments = random.Random(3)
    async with world.working(), world.working():
        playing = [await world.play(one), await world.play(two)]
        for _ in range(8):
            await asyncio.sleep(moments.uniform(0, 0.15))
            await press(world)
            answered, taken = time.time(), len(world.transcript())
            await asyncio.sleep(0.1)
            assert len(world.transcript()) == taken
            assert all(t["at"] <= answered for t in world.transcript())
            await release(world)
        ledgers = [await world.until(each) for each in playing]
    assert sorted(t["to"] for t in world.transcript()) == [number(n) for n in range(8000)]
    assert [ledger.sent for ledger in ledgers] == [4000, 4000]


async def test_a_sender_is_held_alone_and_everything_new_on_it_is_refused(world: World) -> None:
    await world.rate(50)
    await add_sender(world, OTHER)
    await world.add_numbers("People", 0, 500)
    held = await world.campaign("Held", ["People"])
    seal = seals.from_settings(world.settings)
    async with world.working():
        playing = await world.play(held)
        await world.taken(1, held)
        pressed = await press(world, "*", "wrong link")
        assert (pressed.address, pressed.pressed_by, pressed.reason) == ("*", "cs-me", "wrong link")
        assert (await press(world, "*", "again")).reason == "wrong link", "the first one stays"
        taken = len(world.transcript(held))
        await singles.send(world.db, world.app, TEXT, now=world.clock())
        await world.taken(taken + 1)  # the other sender goes on
        assert len(world.transcript(held)) == taken
        with pytest.raises(Conflict, match=r"Nothing leaves sender \* .*cs-me .*wrong link.*Release it first"):
            await world.play(await world.campaign("New", ["People"]))
        with pytest.raises(Conflict, match="panic"):
            await singles.send(world.db, world.app, TEXT | {"fromNo": "+12025550100"}, now=world.clock())
        with pytest.raises(Conflict, match="panic"):
            await trials.of_sender(
                world.db, seal, world.app, "*", {"to": "+14155550100", "from": "+12025550100"},
                transcript=world.settings.transcript, networks=(), now=world.clock(),
            )  # fmt: skip
        await runs.pause(world.db, world.app, playing.public_id, now=world.clock())
        await runs.resume(world.db, world.app, playing.public_id, now=world.clock())
        await asyncio.sleep(0.3)
        assert len(world.transcript(held)) == taken
        released = await release(world, "*")
        assert (released.released_by, released.reason) == ("cs-you", "wrong link")
        await world.taken(taken + 10, held)
        with pytest.raises(NotFound, match="no panic to release"):
            await release(world, "*")
        await runs.stop(world.db, world.app, playing.public_id, now=world.clock())
    async with world.db.connection() as conn:
        (kept,) = await rows.list_latest(conn, world.app.app_id)
    assert (kept.pressed_by, kept.released_by) == ("cs-me", "cs-you")


async def test_a_trial_that_writes_is_waited_for_and_a_stuck_gate_makes_the_button_say_so(world: World) -> None:
    frozen = await world.db.connect()
    async with frozen:
        assert await locks.enter_gate(frozen, world.app.app_id, kind=locks.Kind.TRIAL)
        with pytest.raises(Stopping, match="Nothing more is taken"):
            await press(world)
    with pytest.raises(Conflict, match="Nothing leaves this app"):  # it holds nevertheless
        await singles.send(world.db, world.app, TEXT, now=world.clock())
    await press(world)


async def test_another_app_is_not_concerned(world: World) -> None:
    await press(world)
    async with world.db.connection() as conn:
        assert await rows.list_everywhere(conn) == {(world.app.app_id, None)}
        await panics.check(conn, world.app.app_id + 1, [1])
    assert json.dumps((await release(world)).address) == "null"
