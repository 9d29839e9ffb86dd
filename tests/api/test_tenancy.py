"""Two apps that have the same names and numbers for everything: neither sees, counts, reaches or changes the other's.

Every route of the application is tried, and after each every table is looked at, so that a new route or a new
table is covered without a line more.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import sql

from heliograph.actions.seal import Seal
from heliograph.config import Settings
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.test_wrong_values import put, spots
from tests.api.world import STATE, Operation, World, opened
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

OWNED = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'app_id'
ORDER BY table_name
"""
ROWS = "SELECT t::text FROM {} t WHERE app_id = %(app_id)s ORDER BY 1"
NAMED = "SELECT public_id FROM {} WHERE app_id = %(app_id)s"
WITH_IDS = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name IN ('public_id', 'app_id')
GROUP BY table_name HAVING count(*) = 2
"""


@dataclass
class Ledger:
    """What the database holds of an app."""

    world: World
    tables: list[str]

    @classmethod
    async def of(cls, world: World) -> Ledger:
        async with world.db.connection() as conn:
            tables = [str(row[0]) for row in await (await conn.execute(OWNED)).fetchall()]
        assert len(tables) > 10
        return cls(world, tables)

    async def rows(self) -> dict[str, list[str]]:
        """Every row of it, by table."""
        found = {}
        async with self.world.db.connection() as conn:
            for table in self.tables:
                query = sql.SQL(ROWS).format(sql.Identifier(table))
                rows = await (await conn.execute(query, {"app_id": self.world.app.app_id})).fetchall()
                found[table] = [row[0] for row in rows]
        return found

    async def names(self) -> set[str]:
        """Every id that is its alone: of its things, of itself and of its account."""
        app = self.world.app
        found = {app.public_id, app.account_id, app.org_id, app.owner_id}
        async with self.world.db.connection() as conn:
            for (table,) in await (await conn.execute(WITH_IDS)).fetchall():
                query = sql.SQL(NAMED).format(sql.Identifier(table))
                found |= {row[0] async for row in await conn.execute(query, {"app_id": app.app_id})}
        return found


@pytest.fixture
async def worlds(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, tenant: Tenant, second_tenant: Tenant
) -> AsyncIterator[list[World]]:
    async with opened(db, seal, settings, clock, tenant, second_tenant) as both:
        yield both


def seen(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.text


async def use(world: World, operation: Operation) -> str:
    """One of its own requests, as it should be; the text of the answer."""
    await world.fresh(operation)
    answer = await world.send(operation)
    assert answer.status_code in (200, 202, *STATE), (str(operation), answer.text)
    return answer.text + repr(answer.headers)


async def test_what_one_does_leaves_the_other_as_it_was(worlds: list[World]) -> None:
    one, two = worlds
    ledger = await Ledger.of(two)
    before, names = await ledger.rows(), await ledger.names()
    readings = {str(op): seen(await two.send(op)) for op in two.operations if op.verb == "GET"}
    assert sum(status == 200 for status, _ in readings.values()) > 8
    for operation in one.operations:
        text = await use(one, operation)
        assert [name for name in names if name in text] == [], f"{operation} told of another's"
        assert await ledger.rows() == before, f"{operation} changed what is another's"
    again = {str(op): seen(await two.send(op)) for op in two.operations if op.verb == "GET"}
    assert again == readings
    own = await (await Ledger.of(one)).names()
    assert not own & names
    assert not [name for name in own for _, text in again.values() if name in text]


async def test_counting_is_of_one_s_own(worlds: list[World]) -> None:
    one, two = worlds
    for _ in range(3):
        await two.hold(two.renew("campaignId", "listId"))
    path = f"{one.tenant.v2}/campaign"
    for world, campaigns, lists in ((one, 2, 2), (two, 5, 5)):
        prefix, headers = path.replace(one.app.public_id, world.app.public_id), world.tenant.headers
        listed = await world.client.post(f"{prefix}/getAllCampaignDetails", json={"type": "sms"}, headers=headers)
        assert listed.json()["data"]["totalResults"] == len(listed.json()["data"]["results"]) == campaigns
        listed = await world.client.get(f"{prefix}/contactList/getAllListDetails", headers=headers)
        assert len(listed.json()["data"]) == lists
        # The list of the same name, each their own one.
        await world.client.post(
            f"{prefix}/contactList/addContacts",
            json={"contact_list_name": "Leads", "data": [{"phoneNumber": f"+1415555010{n}"} for n in range(lists)]},
            headers=headers,
        )
        contacts = await world.client.get(f"{prefix}/contactList/Leads/getAllContacts", headers=headers)
        assert contacts.json()["data"]["totalResults"] == lists


async def test_what_is_another_s_is_not_there(worlds: list[World]) -> None:
    """With its own token on its own path, but the other's ids: as if they named nothing."""
    one, two = worlds
    ledger = await Ledger.of(two)
    before = await ledger.rows()
    for operation in one.operations:
        for place in operation.places:
            if place in two.ids:
                answer = await one.send(operation, path=one.path(operation, **{place: two.ids[place]}))
                nothing = await one.send(operation, path=one.path(operation, **{place: nobody(two.ids[place])}))
                assert answer.status_code == nothing.status_code == 404, (str(operation), answer.text)
                assert answer.text.replace(two.ids[place], "") == nothing.text.replace(nobody(two.ids[place]), "")
                assert await ledger.rows() == before, str(operation)


def nobody(name: str) -> str:
    """An id of the same kind that names nothing."""
    return name[:-12] + "0" * 12


async def test_another_s_app_is_closed(worlds: list[World]) -> None:
    one, two = worlds
    ledger = await Ledger.of(two)
    before = await ledger.rows()
    for operation in one.operations:
        answer = await two.send(operation, headers={"auth": one.tenant.token})
        assert answer.status_code == 401, (str(operation), answer.text)
    assert await ledger.rows() == before


async def test_another_s_ids_in_a_body_name_nothing(worlds: list[World]) -> None:
    one, two = worlds
    ledger = await Ledger.of(two)
    before = await ledger.rows()
    others = await ledger.names() - set(two.ids.values())  # these are echoed: they were sent
    extra = ("contactListId", "campaignId", "campaignInstanceId", "_id", "id", "appId", "iId", "accountId")
    turns = itertools.cycle(two.ids.values())
    for operation in (op for op in one.handled if op.reads):
        for at, value in spots(operation.example):
            if isinstance(value, str):
                for name in itertools.islice(turns, 3):
                    check(await one.send(operation, json=put(one.named(operation.example), at, name)), others)
        if isinstance(operation.example, dict):
            for name in two.ids.values():
                body = one.named(operation.example) | dict.fromkeys(extra, name)
                check(await one.send(operation, json=body), others)
        assert await ledger.rows() == before, str(operation)


def check(answer: Any, others: set[str]) -> None:
    assert answer.status_code < 500, answer.text
    assert not [name for name in others if name in answer.text], answer.text
