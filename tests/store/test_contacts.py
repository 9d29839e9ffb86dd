"""Contacts and do-not-contact entries: what is kept, in which order, and that hot statements stay on their index."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString

import pytest

from heliograph.actions import access
from heliograph.actions.seal import Seal
from heliograph.errors import Conflict, DuplicateName
from heliograph.store import carrier_accounts, contact_search, contacts, dnc, lists, opt_outs, senders
from heliograph.store.apps import App
from heliograph.store.contact_search import Sought
from heliograph.store.contacts import NewContact
from heliograph.store.database import Conn, Database
from heliograph.store.lists import ContactList
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(db: Database, clock: FrozenClock) -> App:
    return (await access.create_app(db, Seal(bytes(32)), name="First", now=clock())).app


@pytest.fixture
async def leads(db: Database, app: App, clock: FrozenClock) -> ContactList:
    async with db.connection() as conn:
        return await lists.create(
            conn,
            app.app_id,
            kind="call",
            name="Leads",
            description="",
            source="passiveApi",
            allow_duplicates=False,
            now=clock(),
        )


def number(n: int) -> str:
    return f"+1415555{n:07d}"


async def plan(conn: Conn, statement: LiteralString, values: dict[str, Any]) -> str:
    cursor = await conn.execute("EXPLAIN " + statement, values)
    return "\n".join(row[0] for row in await cursor.fetchall())


async def test_fields_come_back_as_they_went_in(db: Database, app: App, leads: ContactList, clock: FrozenClock) -> None:
    fields = '{"b":"tab\\t line\\n back\\\\slash \\"quoted\\"","a":null,"\u00e9\U0001f600":"\\\\N"}'
    async with db.transaction() as conn:
        people = [NewContact("+14155550100", "Europe/London", -3, fields), NewContact("+14155550101", None, None, "{}")]
        await contacts.add(conn, app.app_id, leads.list_id, people, first_seq=1, now=clock())
        first, second = await contacts.list_page(conn, app.app_id, leads.list_id, skip=0, limit=5)
    assert list(first.fields.items()) == [
        ("b", 'tab\t line\n back\\slash "quoted"'),
        ("a", None),
        ("\u00e9\U0001f600", "\\N"),
    ]
    assert (first.time_zone, first.priority, first.created_at) == ("Europe/London", -3, clock())
    assert (second.seq, second.time_zone, second.priority, second.fields) == (2, None, None, {})


async def test_looking_numbers_up_stays_on_the_index_with_and_without_statistics(
    db: Database, app: App, leads: ContactList, clock: FrozenClock
) -> None:
    people = [NewContact(number(n), None, None, "{}") for n in range(20_000)]
    sought = [number(n) for n in range(0, 40_000, 8)]
    values = {"app_id": app.app_id, "list_id": leads.list_id, "numbers": sought}
    async with db.connection() as conn:
        await contacts.add(conn, app.app_id, leads.list_id, people, first_seq=1, now=clock())
        for statistics in (False, True):
            if statistics:
                await contacts.learn_sizes(conn)
            found = await plan(conn, contacts.FIND_NUMBERS, values)
            assert "using contact_number" in found
            assert "Seq Scan" not in found
            assert "Sort" not in found
        page = {"app_id": app.app_id, "list_id": leads.list_id, "skip": 100, "limit": 50}
        assert "contact_number" not in await plan(conn, contacts.LIST_PAGE, page)
        assert await contacts.find_numbers(conn, app.app_id, leads.list_id, sought) == set(sought[:2500])
        assert await contacts.find_numbers(conn, app.app_id, leads.list_id + 1, sought) == set()


async def test_whoever_finds_a_list_being_filled_is_told_and_does_not_wait_it_out(
    db: Database, leads: ContactList
) -> None:
    async with db.transaction() as conn:
        await contacts.hold_writer(conn, leads.list_id, name="Leads")
        async with asyncio.timeout(10):
            with pytest.raises(Conflict, match="being imported into list Leads"):
                await hold(db, leads)
    await hold(db, leads)


async def hold(db: Database, target: ContactList) -> None:
    async with db.transaction() as conn:
        await contacts.hold_writer(conn, target.list_id, name=target.name)


async def test_a_blocked_number_is_found_by_list_until_its_entry_ends(
    db: Database, app: App, clock: FrozenClock
) -> None:
    now = clock()
    async with db.connection() as conn:
        one = await dnc.create(conn, app.app_id, name="One", now=now)
        two = await dnc.create(conn, app.app_id, name="Two", now=now)
        await dnc.add_entries(conn, app.app_id, one.list_id, [number(1), number(2), number(1)], source="api", now=now)
        later = now + timedelta(hours=1)
        await dnc.add_entries(conn, app.app_id, two.list_id, [number(3)], source="api", now=now, expires_at=later)
        await dnc.add_entries(conn, app.app_id, two.list_id, [number(3)], source="api", now=now, expires_at=now)
        await dnc.add_entries(conn, app.app_id, one.list_id, [number(2)], source="api", now=now, expires_at=now)

        async def blocked(*which: ContactList, hours: float = 0) -> set[str]:
            ids = [one.list_id for one in which]
            numbers = [number(n) for n in range(9)]
            return await dnc.find_blocked(conn, app.app_id, ids, numbers, now + timedelta(hours=hours))

        assert await blocked(one) == {number(1), number(2)}, "an entry for good is not shortened"
        assert await blocked(one, two, hours=0.9) == {number(1), number(2), number(3)}
        assert await blocked(one, two, hours=1) == {number(1), number(2)}
        assert await blocked() == set()
        assert await dnc.remove_entries(conn, app.app_id, one.list_id, [number(1), number(7)]) == {number(1)}
        assert await blocked(one, two) == {number(2), number(3)}


async def test_the_do_not_contact_look_up_stays_on_the_primary_key(db: Database, app: App, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        blocked = await dnc.create(conn, app.app_id, name="One", now=clock())
        numbers = [number(n) for n in range(50_000)]
        await dnc.add_entries(conn, app.app_id, blocked.list_id, numbers, source="import", now=clock())
        no = [opt_outs.OptOut(one, "", "no", "reply", "stop", clock()) for one in numbers]
        await opt_outs.put(conn, app.app_id, no)
        values = {"app_id": app.app_id, "list_ids": [blocked.list_id], "numbers": numbers[:500], "now": clock()}
        values |= {"addresses": ["", "12025550100"], "exempt": False}
        for statistics in (False, True):
            if statistics:
                await conn.execute("ANALYZE dnc_entry, opt_out")
            found = await plan(conn, dnc.FIND_BLOCKED, values)
            assert "dnc_entry_pkey" in found
            assert "opt_out_pkey" in found
            assert "Seq Scan on opt_out" not in found
            assert "number = ANY" in found.partition("Index Cond")[2].partition("\n")[0]


async def test_a_prefix_blocks_all_that_begin_with_it_until_it_ends(db: Database, app: App, clock: FrozenClock) -> None:
    now, later = clock(), clock() + timedelta(hours=1)
    async with db.connection() as conn:
        one = await dnc.create(conn, app.app_id, name="One", now=now)
        two = await dnc.create(conn, app.app_id, name="Two", now=now)
        await dnc.add_entries(conn, app.app_id, one.list_id, ["+1415555000000*", "+44*"], source="api", now=now)
        await dnc.add_entries(conn, app.app_id, two.list_id, ["+14155550*"], source="api", now=now, expires_at=later)
        sought = [number(5), number(15), "+447700900123", "+4", "+33639980001", "+1"]

        async def blocked(*which: ContactList, at: datetime = now) -> set[str]:
            return await dnc.find_blocked(conn, app.app_id, [one.list_id for one in which], sought, at)

        assert await blocked(one) == {number(5), "+447700900123"}
        assert await blocked(two) == {number(5), number(15)}
        assert await blocked(two, at=later) == set()
        assert await blocked(one, two, at=later) == {number(5), "+447700900123"}
        assert await dnc.find_blocked(conn, app.app_id + 1, [one.list_id], sought, now) == set()
        await dnc.remove_entries(conn, app.app_id, one.list_id, ["+44*"])
        assert await blocked(one) == {number(5)}


async def test_the_look_up_of_prefixes_reads_only_prefixes(db: Database, app: App, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        blocked = await dnc.create(conn, app.app_id, name="One", now=clock())
        for some in ([number(n) for n in range(20_000)], [f"{number(n)[:-2]}*" for n in range(0, 20_000, 10)]):
            await dnc.add_entries(conn, app.app_id, blocked.list_id, some, source="import", now=clock())
            sought = [f"+1650555{n:07d}" for n in range(500)]
            values = {"app_id": app.app_id, "list_ids": [blocked.list_id], "numbers": sought, "now": clock()}
            values |= {"addresses": ["", ""], "exempt": False}
            for statistics in (False, True):
                if statistics:
                    await conn.execute("ANALYZE dnc_entry")
                found = await plan(conn, dnc.FIND_BLOCKED, values)
                prefixes = found.partition("One-Time Filter")[2]
                assert prefixes.count("using dnc_entry_prefix") == 2, found
                assert "Seq Scan" not in found


async def test_a_list_knows_how_many_entries_it_has(db: Database, app: App, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        made = await dnc.create(conn, app.app_id, name="One", now=clock())
        add = partial(dnc.add_entries, conn, app.app_id, made.list_id, source="api", now=clock())
        assert await add([number(1), number(2), number(2)]) == 2
        assert await add([number(2), number(3), "+1900*"]) == 2
        await dnc.remove_entries(conn, app.app_id, made.list_id, [number(1), number(9)])
        assert (await lists.get(conn, app.app_id, made.public_id)).contact_count == 3
        assert await lists.count(conn, app.account_id, "dnc") == (2, 3)
        assert await lists.count(conn, app.account_id, "call") == (0, 0)


async def test_looking_for_a_number_or_a_priority_stays_on_an_index(
    db: Database, app: App, leads: ContactList, clock: FrozenClock
) -> None:
    people = [NewContact(number(n), None, n % 500 or None, "{}") for n in range(20_000)]
    values = {"app_id": app.app_id, "list_id": leads.list_id, "first": 1, "last": 50}
    async with db.connection() as conn:
        await contacts.add(conn, app.app_id, leads.list_id, people, first_seq=1, now=clock())
        await contacts.learn_sizes(conn)
        assert "contact_number" in await plan(conn, contact_search.FIND + " AND number = '+1'", values)
        assert "contact_priority" in await plan(conn, contact_search.FIND + " AND priority = 3", values)
        sought = Sought(None, 3, {})
        found = await contact_search.find(conn, app.app_id, leads.list_id, sought, skip=39, limit=5)
        assert found == (40, [19_504])


async def test_a_sender_of_that_address_goes_before_the_one_for_any(db: Database, app: App, clock: FrozenClock) -> None:
    async with db.connection() as conn:
        (account,) = await carrier_accounts.list_all(conn, app.app_id)
        assert (account.kind, account.settings) == ("sandbox", {})
        own = await senders.add(
            conn, app.app_id, address="+14155550100", account_id=account.account_id, now=clock(), parts_per_second=2.5
        )
        assert await senders.resolve(conn, app.app_id, "+14155550100") == own
        fallback = await senders.resolve(conn, app.app_id, "+14155550199")
        assert fallback is not None
        assert (fallback.address, fallback.parts_per_second) == ("*", None)
        assert await senders.resolve(conn, app.app_id + 1, "+14155550100") is None
        assert [one.address for one in await senders.list_all(conn, app.app_id)] == ["*", "+14155550100"]
        with pytest.raises(DuplicateName):
            await senders.add(conn, app.app_id, address="*", account_id=account.account_id, now=clock())
