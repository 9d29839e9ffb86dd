"""Imports over HTTP: sent, followed, told of, done for real, cancelled; and nobody else's."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from heliograph.actions import import_runs
from heliograph.rules import quota
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

FILE = b"Handy;Name\n+12025550100;Ada\n12;Bo\n+12025550100;Ada\n+12025550101;Cy\n+12025550102;Di\n"


class User:
    """A tenant with a list called Leads, and a worker's process that is asked for."""

    def __init__(self, client: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> None:
        self.client = client
        self.tenant = tenant
        self.db = db
        self.clock = clock
        self.imports = f"{tenant.v2}/contactLists/Leads/imports"

    async def __call__(self, verb: str, url: str, *, status: int = 200, **rest: Any) -> Any:
        rest.setdefault("headers", self.tenant.headers)
        answer = await self.client.request(verb, url, **rest)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def make_list(self) -> None:
        url = f"{self.tenant.v2}/campaign/contactList/createContactList"
        await self("POST", url, json={"name": "Leads"})

    async def send(self, data: bytes = FILE, *, status: int = 202, **query: Any) -> Any:
        files = {"file": ("people.csv", data, "text/csv")}
        return (await self("POST", self.imports, status=status, files=files, params=query)).get("data")

    async def work(self) -> None:
        while await import_runs.take_next(self.db, self.clock, quota.DEFAULT):
            pass

    async def verdicts(self, import_id: str) -> list[list[str]]:
        answer = await self.client.get(f"{self.imports}/{import_id}/verdicts", headers=self.tenant.headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.count("\ufeff") == 1
        return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.fixture
async def user(api: httpx.AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> User:
    made = User(api, tenant, db, clock)
    await made.make_list()
    return made


async def test_a_file_is_sent_followed_and_told_of(user: User) -> None:
    sent = await user.send()
    assert (sent["state"], sent["size"], sent["rows"], sent["percent"]) == ("waiting", len(FILE), 0, 0)
    assert sent["_id"].startswith("im-")
    await user.work()
    done = (await user("GET", f"{user.imports}/{sent['_id']}"))["data"]
    assert {name: done[name] for name in ("state", "rows", "added", "updated", "duplicates", "rejected")} == {
        "state": "done", "rows": 5, "added": 3, "updated": 0, "duplicates": 1, "rejected": 1,
    }  # fmt: skip
    assert (done["percent"], done["mapping"], done["mappingFrom"]) == (100, {"phoneNumber": "Handy"}, "guessed")
    assert done["form"]["separator"] == ";"
    assert (done["startedAt"], done["endedAt"]) == ("2026-03-02T06:00:00.000Z", "2026-03-02T06:00:00.000Z")
    header, *told = await user.verdicts(sent["_id"])
    assert header == ["row", "verdict", "number", "column", "value", "what"]
    assert [each[:2] for each in told] == [
        ["2", "imported"], ["3", "rejected"], ["4", "duplicate"], ["5", "imported"], ["6", "imported"],
    ]  # fmt: skip
    (listed,) = (await user("GET", user.imports))["data"]["results"]
    assert listed == done


async def test_a_dry_run_is_done_for_real_or_let_go(user: User) -> None:
    query: Any = {"dryRun": "true", "onDuplicate": "update", "region": "us", "mapping": '{"phoneNumber": "Handy"}'}
    sent = await user.send(FILE, **query)
    assert (sent["dryRun"], sent["onDuplicate"], sent["region"], sent["mapping"]) == (
        True, "update", "US", {"phoneNumber": "Handy"},
    )  # fmt: skip
    await user("POST", f"{user.imports}/{sent['_id']}/run", status=409)
    await user.work()
    ran = (await user("POST", f"{user.imports}/{sent['_id']}/run", status=202))["data"]
    assert (ran["dryRun"], ran["state"]) == (False, "waiting")
    await user.work()
    assert (await user("GET", f"{user.imports}/{sent['_id']}"))["data"]["added"] == 3
    await user("DELETE", f"{user.imports}/{sent['_id']}", status=409)
    other = await user.send(dryRun="true")
    await user.work()
    assert (await user("DELETE", f"{user.imports}/{other['_id']}"))["data"]["state"] == "cancelled"


async def test_a_repeat_with_the_same_key_is_the_same_import(user: User) -> None:
    headers = user.tenant.headers | {"Idempotency-Key": "once", "Content-Type": "text/csv"}
    first = await user("POST", user.imports, content=FILE, headers=headers, status=202)
    again = await user("POST", user.imports, content=FILE, headers=headers, status=202)
    assert first == again
    assert first["data"]["fileName"] == "contacts.csv"
    assert (await user("GET", user.imports))["data"]["totalResults"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [({"dryRun": "1"}, "dryRun"), ({"onDuplicate": "x"}, "onDuplicate"), ({"region": "XX"}, "region"),
     ({"mapping": "{"}, "mapping")],
)  # fmt: skip
async def test_a_wish_that_cannot_be_is_a_400(user: User, query: dict[str, str], field: str) -> None:
    answer = await user("POST", user.imports, status=400, content=FILE, params=query)
    assert answer["errors"][0]["field"] == field
    assert (await user("GET", user.imports))["data"]["totalResults"] == 0


async def test_an_empty_file_is_a_400(user: User) -> None:
    await user.send(b"", status=400)


async def test_another_tenant_finds_none_of_it(
    user: User, second_tenant: Tenant, api: httpx.AsyncClient, db: Database, clock: FrozenClock
) -> None:
    sent = await user.send()
    other = User(api, second_tenant, db, clock)
    await other.make_list()
    for verb, more in (("GET", ""), ("GET", "/verdicts"), ("POST", "/run"), ("DELETE", "")):
        await other(verb, f"{other.imports}/{sent['_id']}{more}", status=404)
    await user.work()
    assert (await user("GET", f"{user.imports}/{sent['_id']}"))["data"]["state"] == "done"
