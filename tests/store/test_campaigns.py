"""Campaigns as rows: what is written comes back, deleted ones are gone, pages neither overlap nor skip."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules import ids
from heliograph.rules.campaign import CampaignStatus
from heliograph.store import apps, campaign_links, campaigns
from heliograph.store.campaigns import Content, Wanted

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn, Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

PLAIN = Content(
    name="Spring Sale",
    lname="spring sale",
    description=None,
    priority=5,
    format="simple",
    caller_id="+15550100",
    dialing={"callingHours": {"timezone": "Asia/Kolkata", "days": []}, "callerId": {"phoneNumber": "+15550100"}},
    message={"message": "Hello <First Name>", "a": 1},
    flow_id=None,
    schedule={"isSchedulingEnabled": False},
    dnc_list_id=None,
)


def named(name: str, **more: Any) -> Content:
    return replace(PLAIN, name=name, lname=name.lower(), **more)


async def an_app(conn: Conn, now: datetime, account: str = "a" * 24) -> int:
    await apps.add_account(conn, account, now=now)
    app = await apps.add(
        conn,
        public_id=ids.new("st"),
        account_id=account,
        org_id=ids.new("o"),
        owner_id=ids.new("u"),
        name="Shop",
        now=now,
    )
    return app.app_id


async def a_list(conn: Conn, app_id: int, name: str, kind: str, now: datetime) -> int:
    statement = """
    INSERT INTO contact_list (app_id, public_id, kind, name, lname, source, created_at, updated_at)
    VALUES (%(app_id)s, %(public_id)s, %(kind)s, %(name)s, lower(%(name)s), 'passiveApi', %(now)s, %(now)s)
    RETURNING list_id
    """
    values = {"app_id": app_id, "public_id": ids.new("cl"), "kind": kind, "name": name, "now": now}
    row = await (await conn.execute(statement, values)).fetchone()
    assert row is not None
    return int(row[0])


async def a_campaign(conn: Conn, app_id: int, content: Content, now: datetime) -> tuple[str, int]:
    public_id = ids.new("cd")
    return public_id, await campaigns.insert(conn, app_id, public_id, content, CampaignStatus.READY, now=now)


async def test_what_was_written_comes_back_with_the_names_of_its_lists(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        first, second = [await a_list(conn, app_id, name, "call", clock.now) for name in ("Zeta", "Alpha")]
        dnc = await a_list(conn, app_id, "Never", "dnc", clock.now)
        public_id, campaign_id = await a_campaign(conn, app_id, replace(PLAIN, dnc_list_id=dnc), clock.now)
        await campaign_links.link_lists(conn, app_id, campaign_id, [first, second])

        found = await campaigns.get(conn, app_id, public_id)
        locked = await campaigns.lock(conn, app_id, public_id)

    assert found == locked
    assert (found.list_ids, found.list_names) == ((first, second), ("Zeta", "Alpha"))
    assert (found.dnc_list_id, found.dnc_list_name) == (dnc, "Never")
    assert (found.run_id, found.run_public_id, found.run_updated_at) == (None, None, None)
    assert found.status is CampaignStatus.READY
    assert (found.created_at, found.updated_at) == (clock.now, clock.now)
    assert list(found.dialing) == ["callingHours", "callerId"]  # order is kept: it is echoed word for word
    assert found.message == PLAIN.message


async def test_links_are_replaced_whether_they_grow_or_shrink(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        a, b, c = [await a_list(conn, app_id, name, "call", clock.now) for name in "abc"]
        public_id, campaign_id = await a_campaign(conn, app_id, PLAIN, clock.now)
        for lists in ([a, b, c], [c], [b, a], [a, b, c]):
            await campaign_links.link_lists(conn, app_id, campaign_id, lists)
            assert (await campaigns.get(conn, app_id, public_id)).list_ids == tuple(lists)


async def test_update_replaces_the_content_and_leaves_the_rest(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        public_id, campaign_id = await a_campaign(conn, app_id, PLAIN, clock.now)
        before = await campaigns.get(conn, app_id, public_id)
        clock.advance(60)
        content = named("Autumn", message=None, flow_id="cf-1", format="advanced", priority=1)
        await campaigns.update(conn, app_id, campaign_id, content, CampaignStatus.PAUSED, now=clock.now)
        after = await campaigns.get(conn, app_id, public_id)
    expected = replace(
        before,
        name="Autumn",
        lname="autumn",
        message=None,
        flow_id="cf-1",
        format="advanced",
        priority=1,
        status=CampaignStatus.PAUSED,
        updated_at=clock.now,
    )
    assert after == expected


async def test_a_deleted_campaign_is_invisible_and_its_name_is_free(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        public_id, campaign_id = await a_campaign(conn, app_id, PLAIN, clock.now)
        await campaigns.mark_deleted(conn, app_id, campaign_id, CampaignStatus.STOPPED, now=clock.now)

        for read in (campaigns.get, campaigns.lock):
            with pytest.raises(NotFound, match=public_id):
                await read(conn, app_id, public_id)
        assert await campaigns.find(conn, app_id, public_id) is None
        assert await campaigns.find_name(conn, app_id, "Spring Sale") is None
        assert await campaigns.count(conn, app_id, Wanted()) == 0
        await a_campaign(conn, app_id, PLAIN, clock.now)


async def test_names_are_unique_in_an_app_without_regard_to_case(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        here, there = await an_app(conn, clock.now), await an_app(conn, clock.now, "b" * 24)
        public_id, _ = await a_campaign(conn, here, PLAIN, clock.now)
        _, other = await a_campaign(conn, here, named("Other"), clock.now)
        await a_campaign(conn, there, PLAIN, clock.now)

        with pytest.raises(DuplicateName, match="SPRING SALE"):
            await a_campaign(conn, here, named("SPRING SALE"), clock.now)
        with pytest.raises(DuplicateName, match="sPRING sALE"):
            await campaigns.update(conn, here, other, named("sPRING sALE"), CampaignStatus.READY, now=clock.now)
        found = await campaigns.find_name(conn, here, "sprinG salE")
    assert found is not None
    assert found.public_id == public_id


async def test_one_app_never_sees_anothers(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        here, there = await an_app(conn, clock.now), await an_app(conn, clock.now, "b" * 24)
        public_id, _ = await a_campaign(conn, here, PLAIN, clock.now)
        assert await campaigns.find(conn, there, public_id) is None
        assert await campaigns.find_name(conn, there, PLAIN.name) is None
        assert await campaigns.page(conn, there, Wanted(), sort="name", offset=0, limit=9) == []


async def test_set_status_keeps_the_run_it_is_not_given(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        public_id, campaign_id = await a_campaign(conn, app_id, PLAIN, clock.now)
        await campaigns.set_status(conn, app_id, campaign_id, CampaignStatus.ACTIVE, now=clock.now, run_id=7)
        clock.advance(1)
        await campaigns.set_status(conn, app_id, campaign_id, CampaignStatus.STOPPED, now=clock.now)
        found = await campaigns.get(conn, app_id, public_id)
    assert (found.status, found.run_id, found.updated_at) == (CampaignStatus.STOPPED, 7, clock.now)


async def test_whoever_waited_for_the_lock_sees_what_was_done_meanwhile(db: Database, clock: FrozenClock) -> None:
    """Lists too: they are other rows, and a single locking statement would show them as they were."""
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        a, b = [await a_list(conn, app_id, name, "call", clock.now) for name in "ab"]
        public_id, campaign_id = await a_campaign(conn, app_id, PLAIN, clock.now)
        await campaign_links.link_lists(conn, app_id, campaign_id, [a])

    async def wait() -> campaigns.Campaign:
        async with db.transaction() as conn:
            return await campaigns.lock(conn, app_id, public_id)

    async with db.transaction() as conn:
        await campaigns.lock(conn, app_id, public_id)
        waiting = asyncio.create_task(wait())
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await campaigns.update(conn, app_id, campaign_id, named("New"), CampaignStatus.READY, now=clock.now)
        await campaign_links.link_lists(conn, app_id, campaign_id, [b])
    found = await waiting
    assert (found.name, found.list_names) == ("New", ("b",))


async def test_a_list_found_to_be_linked_cannot_vanish_meanwhile(db: Database, clock: FrozenClock) -> None:
    delete = """
    WITH held AS (SELECT list_id FROM contact_list WHERE list_id = %(list_id)s FOR UPDATE)
    UPDATE contact_list l SET deleted_at = now() FROM held WHERE l.list_id = held.list_id
    """
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        list_id = await a_list(conn, app_id, "Leads", "call", clock.now)

    async def vanish() -> None:
        async with db.connection() as conn:
            await conn.execute(delete, {"list_id": list_id})

    async with db.transaction() as conn:
        assert await campaign_links.lists_to_link(conn, app_id, "call", ["leads", "none"]) == {"leads": list_id}
        vanishing = asyncio.create_task(vanish())
        done, _ = await asyncio.wait([vanishing], timeout=0.2)
        assert not done
    await vanishing
    async with db.connection() as conn:
        assert await campaign_links.lists_to_link(conn, app_id, "call", ["leads"]) == {}


async def test_only_lists_of_the_kind_and_the_app_are_linked(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        here, there = await an_app(conn, clock.now), await an_app(conn, clock.now, "b" * 24)
        await a_list(conn, here, "Leads", "call", clock.now)
        assert await campaign_links.lists_to_link(conn, here, "dnc", ["leads"]) == {}
        assert await campaign_links.lists_to_link(conn, there, "call", ["leads"]) == {}


async def test_who_uses_a_list_is_known_for_both_kinds(db: Database, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        app_id = await an_app(conn, clock.now)
        call = await a_list(conn, app_id, "Leads", "call", clock.now)
        idle = await a_list(conn, app_id, "Idle", "call", clock.now)
        dnc = await a_list(conn, app_id, "Never", "dnc", clock.now)
        one, one_id = await a_campaign(conn, app_id, named("One", dnc_list_id=dnc), clock.now)
        two, two_id = await a_campaign(conn, app_id, named("Two"), clock.now)
        for campaign_id in (one_id, two_id):
            await campaign_links.link_lists(conn, app_id, campaign_id, [call])

        used = await campaign_links.using(conn, app_id, [call, dnc, idle])
        assert used == {call: [(one, "One"), (two, "Two")], dnc: [(one, "One")]}

        await campaigns.mark_deleted(conn, app_id, one_id, CampaignStatus.READY, now=clock.now)
        assert await campaign_links.using(conn, app_id, [call, dnc]) == {call: [(two, "Two")]}


MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shelf(db: Database, clock: FrozenClock) -> tuple[int, datetime]:
    """An app with campaigns C0 .. C9 made a minute apart, priority 1-5 in turn, every third one Stopped."""
    start = clock.now
    async with db.transaction() as conn:
        app_id = await an_app(conn, start)
        for number in range(10):
            content = named(f"C{number}", priority=1 + number % 5)
            _, campaign_id = await a_campaign(conn, app_id, content, start + number * MINUTE)
            if number % 3 == 0:
                when = start + (100 - number) * MINUTE
                await campaigns.set_status(conn, app_id, campaign_id, CampaignStatus.STOPPED, now=when)
    return app_id, start


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "0123456789"),
        ("-name", "9876543210"),
        ("createdAt", "0123456789"),
        ("-createdAt", "9876543210"),
        ("updatedAt", "1245789630"),
        ("-updatedAt", "0369875421"),
    ],
)
async def test_every_order_is_total_and_pages_cover_it(
    db: Database, shelf: tuple[int, datetime], sort: campaigns.Sort, expected: str
) -> None:
    app_id, _ = shelf
    seen = ""
    async with db.connection() as conn:
        for offset in range(0, 12, 4):
            rows = await campaigns.page(conn, app_id, Wanted(), sort=sort, offset=offset, limit=4)
            seen += "".join(row.campaign.name[1] for row in rows)
            assert all(row.sent == 0 for row in rows)
    assert seen == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "0123456789"),
        ({"statuses": (CampaignStatus.STOPPED,)}, "0369"),
        ({"statuses": (CampaignStatus.STOPPED, CampaignStatus.READY)}, "0123456789"),
        ({"statuses": (CampaignStatus.ACTIVE,)}, ""),
        ({"priorities": (1, 5)}, "0459"),
        ({"priorities": (1,), "statuses": (CampaignStatus.READY,)}, "5"),
        ({"from": 3, "until": 5}, "345"),
        ({"from": 9}, "9"),
        ({"until": 0}, "0"),
    ],
)
async def test_wanted_narrows_the_page_and_the_count_alike(
    db: Database, shelf: tuple[int, datetime], wanted: dict[str, Any], expected: str
) -> None:
    app_id, start = shelf
    narrowed = Wanted(
        statuses=wanted.get("statuses"),
        priorities=wanted.get("priorities"),
        created_from=start + wanted["from"] * MINUTE if "from" in wanted else None,
        created_until=start + wanted["until"] * MINUTE if "until" in wanted else None,
    )
    async with db.connection() as conn:
        rows = await campaigns.page(conn, app_id, narrowed, sort="createdAt", offset=0, limit=50)
        assert await campaigns.count(conn, app_id, narrowed) == len(expected)
    assert "".join(row.campaign.name[1] for row in rows) == expected
