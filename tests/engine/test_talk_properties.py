"""Whatever people write, however often it is brought, whenever texts leave and whatever crashes: one transcript."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.actions import app_settings, flows, replies
from heliograph.carriers.base import Reply
from heliograph.engine.bell import Bell
from heliograph.engine.replies import Replies
from heliograph.errors import StoreUnavailable
from heliograph.rules.flow import acts, document, machine
from heliograph.rules.flow.session import Session
from heliograph.store import carrier_accounts
from heliograph.store.database import Database
from tests.conftest import FrozenClock
from tests.engine.conftest import World, make_world, number

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.config import Settings
    from heliograph.store.database import Conn

OURS = "+12025550100"
NODES: dict[str, Any] = {
    "ask": {"type": "send", "text": "Red or blue?", "next": "wait"},
    "wait": {"type": "wait", "save": "colour", "timeout": "30m", "on_timeout": "nudge", "next": "which"},
    "nudge": {"type": "send", "text": "Still there?", "next": "last"},
    "last": {"type": "wait", "timeout": "1h", "on_timeout": "gone", "next": "which"},
    "gone": {"type": "end", "result": "silent"},
    "which": {
        "type": "branch",
        "cases": [{"any_word": ["red"], "next": "red"}, {"any_word": ["blue"], "next": "soon"}],
        "otherwise": "sorry",
        "max": 2,
        "then": "done",
    },
    "sorry": {"type": "send", "text": "Sorry, {{colour}}?", "next": "wait"},
    "red": {"type": "send", "text": "Red it is.", "next": "twice"},
    "twice": {"type": "send", "text": "Good choice.", "next": "done"},
    "soon": {"type": "delay", "for": "10m", "next": "blue"},
    "blue": {"type": "send", "text": "Blue it is. Dark?", "next": "shade"},
    "shade": {"type": "wait", "save": "shade", "timeout": "30m", "on_timeout": "done", "next": "shown"},
    "shown": {"type": "send", "text": "Blue, {{shade}}.", "next": "done"},
    "done": {"type": "end", "result": "chosen"},
}
DOCUMENT = {"name": "Colours", "nodes": NODES}

Step = tuple[str, Any]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(["red", "blue", "green", "hm"])),
        st.tuples(st.just("again"), st.none()),  # the carrier brings the last reply once more
        st.tuples(st.just("leave"), st.none()),  # what waits leaves
        st.tuples(st.just("pass"), st.sampled_from([5, 11, 31, 61])),  # minutes
        st.tuples(st.just("crash"), st.integers(1, 3)),  # the next so many commits fail
    ),
    min_size=1,
    max_size=12,
)


class Crash(StoreUnavailable):
    """The process dies before it commits."""


@dataclass
class Model:
    """What the pure machine makes of it, and what it says: each with when it left."""

    flow: document.Flow
    clock: FrozenClock
    session: Session | None = None
    asked_at: datetime | None = None
    begun: int = 0
    said: list[list[Any]] = field(default_factory=list[list[Any]])  # session, text, left at

    def step(self, event: acts.Event) -> None:
        assert self.session is not None
        who = acts.Person("", {}, self.clock())
        before = self.session
        self.session, done = machine.advance(lambda _name, _version: (1, self.flow), before, event, who)
        if self.session.with_(kept=None) != before.with_(kept=None):  # what is kept moves no time
            self.asked_at = self.clock()
        self.said += [[self.begun, act.text, None] for act in done if isinstance(act, acts.Say)]
        if self.session.over:
            self.session = None

    def say(self, text: str) -> None:
        if self.session is None:
            self.begun += 1
            self.session, self.asked_at = Session("any", "Colours", 1), self.clock()
            self.step(acts.Begin(text))
        else:
            self.step(acts.Answered(text))

    def leave(self) -> None:
        for each in self.said:
            each[2] = each[2] or self.clock()

    def time(self) -> None:
        """Silence counts from when the last text of the session left."""
        while self.session is not None and self.session.deadline is not None and self.asked_at is not None:
            mine = [left for begun, _, left in self.said if begun == self.begun]
            if mine and mine[-1] is None:
                return
            base = max([self.asked_at, *mine[-1:]])
            if self.clock() < base + (self.session.deadline - self.asked_at):
                return
            self.step(acts.Passed())


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def _try(steps: list[Step], house: House) -> None:
    house.run(steps)


def test_one_transcript_whatever_happens(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        house = House(runner, runner.run(_open(settings)))
        _try(house=house)
        runner.run(house.world.db.close())


async def _open(settings: Settings) -> World:
    world = await make_world(await Database.open(settings), settings, FrozenClock())
    body = {"document": DOCUMENT, "publish": True}
    made = (await flows.create(world.db, world.app, body, by="test", now=world.clock())).flow
    await flows.attach(world.db, world.app, made.public_id, {"default": True}, now=world.clock())
    many = {"conversations": {"answersPerHour": 1000}}
    await app_settings.update(world.db, world.app, many, now=world.clock())
    return world


class House:
    """One installation for all scripts; each is about another person."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        self.world = world
        self._runner = runner
        self._people = count(1)
        self._refs = count(1)
        self._left = 0

    def run(self, steps: list[Step]) -> None:
        self._runner.run(self._script(steps))

    async def _script(self, steps: list[Step]) -> None:
        clock = self.world.clock
        assert isinstance(clock, FrozenClock)
        who, model = number(next(self._people)), Model(document.read(DOCUMENT), clock)
        last: Reply | None = None
        for what, value in steps:
            if what == "say":
                last = Reply(who, OURS, value, clock(), str(next(self._refs)))
                await self._bring(last)
                model.say(value)
            elif what == "again" and last is not None:
                await self._bring(last)
            elif what == "leave":
                await self._all_leave(who)
                model.leave()
            elif what == "pass":
                clock.advance(value * 60)
            elif what == "crash":
                self._left = value
            await self._work()
            model.time()
            assert await self._transcript(who) == [(begun, text) for begun, text, _ in model.said]
            assert await self._open(who) == (model.session is not None)

    async def _bring(self, reply: Reply) -> None:
        world = self.world
        async with world.db.transaction() as conn:
            account = (await carrier_accounts.list_all(conn, world.app.app_id))[0]
            await replies.keep(conn, world.app.app_id, account.account_id, [reply], now=world.clock())

    async def _work(self) -> None:
        """Do all there is to do, beginning again after each crash."""
        world = self.world
        looked = Replies(world.db, world.clock, Bell())
        while True:
            world.db.witness = self._dies
            try:
                if not await looked.look():
                    return
            except Crash:
                continue
            finally:
                world.db.witness = None

    async def _dies(self, _conn: Conn) -> None:
        if self._left:
            self._left -= 1
            raise Crash("the process is gone")

    async def _all_leave(self, who: str) -> None:
        values = {"number": who, "now": self.world.clock()}
        async with self.world.db.connection() as conn:
            await conn.execute(
                "INSERT INTO outcome (app_id, run_id, seq, status, submitted_at, settled_at)"
                " SELECT app_id, run_id, seq, 'accepted', %(now)s, %(now)s FROM message WHERE number = %(number)s"
                " ON CONFLICT DO NOTHING",
                values,
            )

    async def _transcript(self, who: str) -> list[tuple[int, str]]:
        async with self.world.db.connection() as conn:
            cursor = await conn.execute(
                "SELECT dense_rank() OVER (ORDER BY t.session_id)::int, m.text FROM session_text t"
                " JOIN message m USING (app_id, run_id, seq) WHERE m.number = %s ORDER BY t.session_id, t.act",
                [who],
            )
            return [(int(row[0]), str(row[1])) for row in await cursor.fetchall()]

    async def _open(self, who: str) -> bool:
        async with self.world.db.connection() as conn:
            cursor = await conn.execute("SELECT count(*) FROM session WHERE number = %s AND ended_at IS NULL", [who])
            row = await cursor.fetchone()
        return row is not None and bool(row[0])
