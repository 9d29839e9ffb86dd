"""Conversations: what people write is kept by person and address, and people of ours answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.actions import access, answers, contacts, inbox, lists, templates
from heliograph.actions import replies as replies_actions
from heliograph.actions.inbox import HandOver, Heard
from heliograph.actions.seal import Seal
from heliograph.carriers.base import Reply
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.rules import inbox as law
from heliograph.store import dnc, inbox_pages, threads
from heliograph.store.apps import App
from heliograph.store.database import Database
from heliograph.store.inbox import Conversation
from heliograph.store.inbox_pages import Wanted
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

ADA, BO = "+14155550100", "+14155550101"
OURS = "+12025550123"
NIGHT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # two in the morning in San Francisco


@dataclass
class Desk:
    """An app, and what happens in its inbox."""

    db: Database
    app: App
    clock: FrozenClock
    heard: int = 0

    async def hear(self, text: str, number: str = ADA, *, by_flow: bool = False, address: str = OURS) -> None:
        """Somebody writes: the reply is kept, and then dealt with."""
        self.heard += 1
        now = self.clock()
        async with self.db.transaction() as conn:
            said = Reply(ref=f"r-{self.heard}", number=number, to=address, text=text, at=now)
            await replies_actions.keep(conn, self.app.app_id, 1, [said], now=now)
            heard = Heard(self.heard, number, address, text, now, by_flow)
            await inbox.heard(conn, self.app.app_id, [heard], now=now)

    async def hand_over(self, *given: HandOver) -> None:
        async with self.db.transaction() as conn:
            await inbox.hand_over(conn, self.app.app_id, given, now=self.clock())

    async def list(self, wanted: Wanted | None = None) -> list[Conversation]:
        async with self.db.connection() as conn:
            return await inbox_pages.page(conn, self.app.app_id, wanted or Wanted(), skip=0, limit=100)

    async def only(self) -> Conversation:
        [found] = await self.list()
        return found

    async def change(self, **body: object) -> Conversation:
        found = await self.only()
        return await inbox.change(self.db, self.app, found.public_id, body, by="ana", now=self.clock())

    async def answer(self, **body: object) -> answers.Answered:
        found = await self.only()
        return await answers.answer(self.db, self.app, found.public_id, body, by="ana", now=self.clock())

    async def thread(self) -> Sequence[threads.Entry]:
        return await self.thread_of(await self.only())

    async def thread_of(self, conversation: Conversation, limit: int = 100) -> Sequence[threads.Entry]:
        """All of it, read in pages, the oldest first."""
        found: list[threads.Entry] = []
        async with self.db.connection() as conn:
            while True:
                before = threads.Before(found[-1].at, found[-1].rank, found[-1].number) if found else None
                page = await threads.page(conn, conversation, before=before, limit=limit, now=self.clock())
                found += page
                if len(page) < limit:
                    return found[::-1]


@pytest.fixture
async def desk(db: Database, clock: FrozenClock) -> Desk:
    made = await access.create_app(db, Seal(bytes(range(32))), name="A", now=clock())
    return Desk(db, made.app, clock)


async def test_a_reply_that_nobody_answers_opens_a_conversation(desk: Desk) -> None:
    await desk.hear("Hello?")
    await desk.hear("Anybody there?", number="14155550100", address="12025550123")
    found = await desk.only()
    assert (found.number, found.open, found.why_open, found.unread) == (ADA, True, "reply", 2)
    assert found.preview == "Anybody there?"
    assert [(e.kind, e.who, e.text) for e in await desk.thread()] == [
        ("in", "person", "Hello?"),
        ("in", "person", "Anybody there?"),
        ("event", "opened", "reply"),
    ]


async def test_what_a_flow_answers_can_be_looked_up_and_waits_for_nobody(desk: Desk) -> None:
    await desk.hear("2", by_flow=True)
    found = await desk.only()
    assert (found.open, found.why_open, found.unread) == (False, None, 0)
    assert await desk.list(Wanted(open=True)) == []
    assert [one.number for one in await desk.list(Wanted(open=False))] == [ADA]


async def test_a_flow_hands_over_with_a_note_and_a_team(desk: Desk) -> None:
    await desk.hear("agent", by_flow=True)
    await desk.hand_over(HandOver(ADA, OURS, 7, "Wants a refund", "billing"))
    found = await desk.only()
    assert (found.open, found.why_open, found.unread, found.team, found.session_id) == (
        True,
        "handed_over",
        1,
        "billing",
        7,
    )
    assert found.preview == "agent"
    assert [(e.who, e.text) for e in await desk.thread() if e.kind == "event"] == [("handed_over", "Wants a refund")]


async def test_a_batch_opens_each_conversation_once(desk: Desk) -> None:
    now = desk.clock()
    batch = [
        Heard(n, ADA if n % 2 else BO, OURS, f"text {n}", now + timedelta(seconds=n), by_flow=n % 3 == 0)
        for n in range(1, 13)
    ]
    async with desk.db.transaction() as conn:
        await inbox.heard(conn, desk.app.app_id, batch, now=now)
        await inbox.heard(conn, desk.app.app_id, batch[:2], now=now)
    found = {one.number: one for one in await desk.list()}
    assert {number: one.unread for number, one in found.items()} == {ADA: 5, BO: 5}
    assert {number: one.preview for number, one in found.items()} == {ADA: "text 11", BO: "text 12"}
    async with desk.db.connection() as conn:
        cursor = await conn.execute("SELECT count(*) FROM conversation_event WHERE kind = 'opened'")
        assert await cursor.fetchone() == (2,)


async def test_people_assign_read_close_and_the_next_message_opens_it_again(desk: Desk) -> None:
    await desk.hear("Hello?")
    found = await desk.change(assignee="ana", team="sales", unread=False)
    assert (found.assignee, found.team, found.unread) == ("ana", "sales", 0)
    found = await desk.change(status="closed")
    assert (found.open, found.unread) == (False, 0)
    await desk.hear("One more thing")
    found = await desk.only()
    assert (found.open, found.why_open, found.unread, found.assignee) == (True, "reply", 1, "ana")
    await desk.change(assignee=None)
    assert [e.who for e in await desk.thread() if e.kind == "event"] == [
        "opened",
        "assigned",
        "closed",
        "opened",
        "unassigned",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"color": "red"}, None),
        ({"status": "shut"}, "status"),
        ({"assignee": ""}, "assignee"),
        ({"unread": 1}, "unread"),
        ({"status": "closed", "unread": True}, "unread"),
    ],
)
def test_what_cannot_be_done_is_refused(body: dict[str, object], field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        law.changed(law.Standing(open=True, unread=1, assignee=None, team=None), body)
    assert caught.value.field == field


async def test_an_answer_goes_before_all_campaigns_and_reads_the_conversation(desk: Desk) -> None:
    desk.clock.set(NIGHT)
    await desk.hear("Hello?")
    done = await desk.answer(text="Good evening, Ada!")
    assert not done.held
    found = await desk.only()
    assert (found.unread, found.preview, found.preview_out) == (0, "Good evening, Ada!", True)
    last = (await desk.thread())[-1]
    assert (last.kind, last.who, last.by, last.text) == ("out", "agent", "ana", "Good evening, Ada!")
    assert last.standing(desk.clock())[0].word == "ready"


async def test_long_after_their_message_an_answer_keeps_quiet_hours_and_says_so(desk: Desk) -> None:
    desk.clock.set(NIGHT - law.AT_ONCE - timedelta(seconds=1))
    await desk.hear("Hello?")
    desk.clock.set(NIGHT)
    done = await desk.answer(text="Are you still there?")
    assert done.held
    assert done.due_at > NIGHT
    status, why = (await desk.thread())[-1].standing(NIGHT)
    assert (status.word, why[:14]) == ("held", "quiet hours in")


async def test_the_same_key_is_the_same_answer(desk: Desk) -> None:
    await desk.hear("Hello?")
    first = await desk.answer(text="Yes?", key="k1")
    assert await desk.answer(text="Yes?", key="k1") == first
    await desk.answer(text="Yes?", key="k2")
    assert len([e for e in await desk.thread() if e.kind == "out"]) == 2


async def test_somebody_who_said_no_is_not_answered(desk: Desk) -> None:
    await desk.hear("STOP", by_flow=True)
    with pytest.raises(Conflict, match=r"said no on 2 March 2026 \(stop\)"):
        await desk.answer(text="Sorry!")
    assert [e.kind for e in await desk.thread()] == ["in"]


async def test_somebody_on_a_global_list_is_not_answered(desk: Desk) -> None:
    await desk.hear("Hello?")
    async with desk.db.transaction() as conn:
        everywhere = await dnc.list_global(conn, desk.app.app_id)
        await dnc.add_entries(
            conn, desk.app.app_id, everywhere[0], [ADA], reason="asked", source="person", now=desk.clock()
        )
    with pytest.raises(Conflict, match="do-not-contact"):
        await desk.answer(text="Sorry!")


async def test_a_canned_answer_is_filled_in_or_says_what_is_missing(desk: Desk) -> None:
    await desk.hear("Hello?")
    draft = {"name": "Greeting", "body": "Hello <first name>, how can we help?"}
    await templates.create(desk.db, desk.app, draft, now=desk.clock())
    with pytest.raises(Invalid, match="no value for firstname"):
        await desk.answer(template="greeting")
    await lists.create(desk.db, desk.app, {"name": "Leads"}, now=desk.clock())
    lead = {"contact_list_name": "Leads", "data": [{"phoneNumber": ADA, "first name": "Ada"}]}
    await contacts.add(desk.db, desk.app, lead, now=desk.clock())
    await desk.answer(template="greeting")
    assert (await desk.thread())[-1].text == "Hello Ada, how can we help?"
    with pytest.raises(NotFound):
        await desk.answer(template="nothing of the kind")


async def test_a_person_may_begin_a_conversation(desk: Desk) -> None:
    body = {"phoneNumber": ADA, "address": OURS}
    made = await inbox.start(desk.db, desk.app, body, by="ana", now=desk.clock())
    assert (made.open, made.why_open, made.unread) == (True, "person", 0)
    again = await inbox.start(desk.db, desk.app, body, by="ana", now=desk.clock())
    assert again.public_id == made.public_id
    await inbox.note(desk.db, desk.app, made.public_id, {"text": "Call back on Monday"}, by="ana", now=desk.clock())
    await desk.hear("Hi", number=ADA)
    assert [(e.kind, e.who) for e in await desk.thread()] == [("in", "person"), ("event", "opened"), ("event", "note")]


async def test_they_are_found_by_number_by_words_and_by_whose_they_are(desk: Desk) -> None:
    await desk.hear("Where is my parcel?", number=ADA)
    await desk.hear("thanks", number=BO)
    await desk.hear("bye", number=ADA)
    first = next(one for one in await desk.list() if one.number == ADA)
    await inbox.change(desk.db, desk.app, first.public_id, {"assignee": "ana"}, by="ana", now=desk.clock())

    async def numbers(**wanted: object) -> list[str]:
        return [one.number for one in await desk.list(Wanted(**wanted))]  # pyright: ignore[reportArgumentType]

    assert await numbers(words="PARCEL") == [ADA]
    assert await numbers(digits="0101") == [BO]
    assert await numbers(number=ADA) == [ADA]
    assert await numbers(assignee="ana", unread=True) == [ADA]
    assert await numbers(unassigned=True) == [BO]
    assert await numbers(words="nothing") == []
    async with desk.db.connection() as conn:
        counts = await inbox_pages.count(conn, desk.app.app_id, mine="ana")
    assert (counts.open, counts.unassigned, counts.unread, counts.mine, counts.mine_unread) == (2, 1, 2, 1, 1)


# ---------------------------------------------------------------- whatever happens, in whatever order

PEOPLE = (ADA, BO)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "flow", "hand", "close", "open", "read", "unread", "answer"]),
        st.sampled_from(PEOPLE),
        st.integers(min_value=0, max_value=2),  # minutes that pass before it
    ),
    max_size=12,
)


@dataclass
class Model:
    """How a conversation is to stand, told by what happened to it."""

    open: bool = False
    unread: int = 0
    texts: list[str] | None = None

    def after(self, step: str, text: str) -> None:
        match step:
            case "hear" | "flow":
                self.texts = [*(self.texts or []), text]
                self.open |= step == "hear"
                self.unread += step == "hear"
            case "hand":
                self.texts = self.texts or []
                self.open, self.unread = True, max(self.unread, 1)
            case "answer":
                self.texts = [*(self.texts or []), text]
                self.open, self.unread = True, 0
            case "close":
                self.open, self.unread = False, 0
            case "open":
                self.open = True
            case "read":
                self.unread = 0
            case _:
                self.unread = max(self.unread, 1)


BODIES: dict[str, dict[str, object]] = {
    "close": {"status": "closed"},
    "open": {"status": "open"},
    "read": {"unread": False},
    "unread": {"unread": True},
}


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens_what_is_unread_and_the_order_of_messages_are_right(
    db: Database, clock: FrozenClock, steps: list[tuple[str, str, int]]
) -> None:
    made = await access.create_app(db, Seal(bytes(range(32))), name="A", now=clock())
    desk = Desk(db, made.app, clock)
    models = {number: Model() for number in PEOPLE}
    for place, (step, number, minutes) in enumerate(steps):
        model, text = models[number], f"{step} {place}"
        clock.advance(minutes * 60)
        if model.texts is None and step not in {"hear", "flow", "hand"}:
            continue  # there is no conversation yet
        if step == "unread" and not model.open:
            continue  # refused, as another test says
        await _do(desk, step, number, text)
        model.after(step, text)
    found = {one.number: one for one in await desk.list()}
    for number, model in models.items():
        assert (number in found) == (model.texts is not None)
        if model.texts is not None:
            one = found[number]
            assert (one.open, one.unread) == (model.open, model.unread), (number, steps)
            whole, in_pages = await desk.thread_of(one, limit=100), await desk.thread_of(one, limit=2)
            assert whole == in_pages
            assert [e.at for e in whole] == sorted(e.at for e in whole)
            # What left in one instant stands in no order that anybody could know.
            said = [(e.at, e.text) for e in whole if e.kind != "event"]
            assert sorted(text for _, text in said) == sorted(model.texts)
    async with db.connection() as conn:
        counts = await inbox_pages.count(conn, made.app.app_id)
    assert counts.open == sum(model.open for model in models.values())
    assert counts.unread == sum(model.unread > 0 for model in models.values())


async def _do(desk: Desk, step: str, number: str, text: str) -> None:
    if step in {"hear", "flow"}:
        await desk.hear(text, number, by_flow=step == "flow")
    elif step == "hand":
        await desk.hand_over(HandOver(number, OURS, None, text, None))
    else:
        one = next(each for each in await desk.list() if each.number == number)
        if step == "answer":
            body = {"text": text}
            await answers.answer(desk.db, desk.app, one.public_id, body, by="ana", now=desk.clock())
        else:
            await inbox.change(desk.db, desk.app, one.public_id, BODIES[step], by="ana", now=desk.clock())
