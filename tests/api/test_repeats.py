"""A POST with a key is done once, and whoever asks again hears the first answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response

from heliograph.engine import purge
from heliograph.store import apps
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

LIST = "/campaign/contactList"
CREATE = LIST + "/createContactList"
DAY = 24 * 60 * 60


class Desk:
    """Somebody with a token and a key."""

    def __init__(self, api: AsyncClient, tenant: Tenant, db: Database) -> None:
        self.api, self.tenant, self.db = api, tenant, db

    async def post(self, path: str, body: Any, key: str, *, who: Tenant | None = None, prefix: str = "v2") -> Response:
        sender = who or self.tenant
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"auth": sender.token, "Idempotency-Key": key}
        return await self.api.post(getattr(sender, prefix) + path, content=content, headers=headers)

    async def count(self, table: str) -> int:
        async with self.db.connection() as conn:
            row = await (await conn.execute(f"SELECT count(*) FROM {table}")).fetchone()  # pyright: ignore[reportCallIssue, reportArgumentType]
            return 0 if row is None else int(row[0])


@pytest.fixture
def desk(api: AsyncClient, tenant: Tenant, db: Database) -> Desk:
    return Desk(api, tenant, db)


def replayed(answer: Response) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


async def test_a_repeat_gets_the_first_answer_and_does_nothing(desk: Desk, clock: FrozenClock) -> None:
    first = await desk.post(CREATE, {"name": "Leads"}, "k-1")
    assert first.status_code == 200
    assert not replayed(first)
    clock.advance(DAY - 1)
    again = await desk.post(CREATE, {"name": "Leads"}, "k-1")
    assert replayed(again)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await desk.count("contact_list WHERE kind = 'call'") == 1


async def test_without_a_key_a_repeat_is_another_request(desk: Desk) -> None:
    headers = {"auth": desk.tenant.token}
    answers = [await desk.api.post(desk.tenant.v2 + CREATE, json={"name": "Leads"}, headers=headers) for _ in "12"]
    assert [one.status_code for one in answers] == [200, 409]
    assert await desk.count("answer") == 0


async def test_a_refusal_is_kept_too(desk: Desk) -> None:
    missing = await desk.post(LIST + "/addContacts", {"contact_list_name": "Leads", "data": []}, "k-1")
    assert missing.status_code == 400
    await desk.post(CREATE, {"name": "Leads"}, "k-2")
    again = await desk.post(LIST + "/addContacts", {"contact_list_name": "Leads", "data": []}, "k-1")
    assert replayed(again)
    assert (again.status_code, again.content) == (missing.status_code, missing.content)


async def test_the_same_key_with_another_body_is_a_conflict(desk: Desk) -> None:
    await desk.post(CREATE, {"name": "Leads"}, "k-1")
    other = await desk.post(CREATE, {"name": "Others"}, "k-1")
    assert other.status_code == 409
    assert other.json()["message"] == (
        "Idempotency-Key k-1 came with another body before; a different request takes a key of its own"
    )
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert await desk.count("contact_list WHERE kind = 'call'") == 1


async def test_a_key_belongs_to_one_client_and_one_address(desk: Desk, second_tenant: Tenant) -> None:
    body = {"name": "Leads", "contact_list_name": "Leads", "data": [{"phoneNumber": "+12025550143"}]}
    answers = [
        await desk.post(CREATE, body, "k-1"),
        await desk.post(CREATE, body, "k-1", who=second_tenant),
        await desk.post(LIST + "/addContacts", body, "k-1"),
        await desk.post(LIST + "/getAllListDetails", body, "k-1"),
        await desk.post(LIST + "/getAllListDetails?type=dnc", body, "k-1"),
    ]
    assert [(one.status_code, replayed(one)) for one in answers] == [(200, False)] * 5
    assert await desk.count("answer") == 5


async def test_the_spellings_of_an_address_are_one(desk: Desk) -> None:
    first = await desk.post(CREATE, {"name": "Leads"}, "k-1", prefix="v1")
    again = await desk.post(
        CREATE.replace("/contactList", "//contactList") + "/", {"name": "Leads"}, "k-1", prefix="v1"
    )
    assert replayed(again)
    assert again.json() == first.json()


async def test_whoever_was_not_let_in_hears_nothing_of_it(desk: Desk, second_tenant: Tenant) -> None:
    await desk.post(CREATE, {"name": "Leads"}, "k-1")
    headers = {"auth": second_tenant.token, "Idempotency-Key": "k-1"}
    stranger = await desk.api.post(desk.tenant.v2 + CREATE, json={"name": "Leads"}, headers=headers)
    assert stranger.status_code == 401
    assert not replayed(stranger)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "caf\u00e9", "a\tb"], ids=ascii)
async def test_a_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    headers = {b"auth": desk.tenant.token.encode(), b"Idempotency-Key": key.encode("latin-1")}
    answer = await desk.api.post(desk.tenant.v2 + CREATE, json={"name": "Leads"}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert await desk.count("contact_list WHERE kind = 'call'") == 0


@pytest.mark.parametrize("key", ["!", "~" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324", '"quoted"'])
async def test_any_visible_ascii_is_a_key(desk: Desk, key: str) -> None:
    assert (await desk.post(CREATE, {"name": "Leads"}, key)).status_code == 200
    assert replayed(await desk.post(CREATE, {"name": "Leads"}, key))


async def test_other_verbs_do_not_heed_it(desk: Desk) -> None:
    headers = {"auth": desk.tenant.token, "Idempotency-Key": "k-1"}
    for _ in range(2):
        answer = await desk.api.get(desk.tenant.v2 + LIST + "/getAllListDetails", headers=headers)
        assert not replayed(answer)
    assert await desk.count("answer") == 0


# ---------------------------------------------------------------- time, faults and races


async def test_after_a_day_a_key_is_as_new_and_the_sweep_forgets_it(desk: Desk, clock: FrozenClock) -> None:
    first = await desk.post(CREATE, {"name": "Leads"}, "k-1")
    await desk.post(CREATE, {"name": "Others"}, "k-2")
    clock.advance(DAY)
    again = await desk.post(CREATE, {"name": "Leads"}, "k-1")
    assert (again.status_code, replayed(again)) == (409, False)
    assert again.content != first.content
    assert await desk.count("answer") == 2
    await purge.purge(desk.db, clock)
    assert await desk.count("answer") == 1
    assert replayed(await desk.post(CREATE, {"name": "Leads"}, "k-1"))


ADD = {"contact_list_name": "Leads", "data": [{"phoneNumber": "+12025550143"}]}
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def _waiting(db: Database) -> list[int]:
    async with db.connection() as conn:
        return [int(row[0]) for row in await (await conn.execute(WAITING)).fetchall()]


@contextlib.asynccontextmanager
async def held(desk: Desk) -> AsyncIterator[asyncio.Task[Response]]:
    """A request on its way that waits: somebody else is changing the list it is to add to."""
    await desk.post(CREATE, {"name": "Leads"}, "k-0")
    async with desk.db.transaction() as conn:
        await conn.execute("SELECT FROM contact_list WHERE name = 'Leads' FOR UPDATE")
        task = asyncio.create_task(desk.post(LIST + "/addContacts", ADD, "k-1"))
        while not await _waiting(desk.db):
            await asyncio.sleep(0.01)
        yield task


async def test_a_repeat_while_the_first_is_worked_on_is_told_to_ask_again(desk: Desk) -> None:
    async with held(desk) as first:
        early = await desk.post(LIST + "/addContacts", ADD, "k-1")
        assert early.status_code == 409
        assert early.headers["retry-after"] == "1"
        assert "still being worked on" in early.json()["message"]
        assert (await desk.post(CREATE, {"name": "Others"}, "k-1")).status_code == 200
    assert (await first).status_code == 200
    again = await desk.post(LIST + "/addContacts", ADD, "k-1")
    assert replayed(again)
    assert again.json() == (await first).json()


async def test_a_crash_in_the_middle_leaves_nothing_done_and_the_key_free(desk: Desk) -> None:
    async with held(desk) as first:
        (pid,) = await _waiting(desk.db)
        async with desk.db.connection() as conn:
            await conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert (await first).status_code == 503
        assert await desk.count("contact") == 0
    repeat = await desk.post(LIST + "/addContacts", ADD, "k-1")
    assert (repeat.status_code, replayed(repeat)) == (200, False)
    assert await desk.count("contact") == 1


async def test_a_fault_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk.db.connection() as conn:
        await conn.execute("ALTER TABLE contact_list ADD CONSTRAINT closed CHECK (name <> 'Leads')")
    assert (await desk.post(CREATE, {"name": "Leads"}, "k-1")).status_code == 500
    async with desk.db.connection() as conn:
        await conn.execute("ALTER TABLE contact_list DROP CONSTRAINT closed")
    done = await desk.post(CREATE, {"name": "Leads"}, "k-1")
    assert (done.status_code, replayed(done)) == (200, False)


async def test_twenty_at_once_do_it_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.post(CREATE, {"name": "Leads"}, "k-1") for _ in range(20)))
    assert {one.status_code for one in answers} <= {200, 409}
    done = [one for one in answers if one.status_code == 200]
    assert sum(not replayed(one) for one in done) == 1
    assert len({one.content for one in done}) == 1
    assert await desk.count("contact_list WHERE kind = 'call'") == 1


# ---------------------------------------------------------------- bodies


def multipart(boundary: bytes, rows: bytes) -> tuple[bytes, dict[str, str]]:
    body = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%s\r\n--%s--\r\n'
    return body % (boundary, rows, boundary), {"content-type": f"multipart/form-data; boundary={boundary.decode()}"}


async def test_a_file_is_the_same_whatever_divides_its_parts_and_however_it_is_cut(desk: Desk) -> None:
    await desk.post(CREATE, {"name": "Leads"}, "k-1")
    url = f"{desk.tenant.v2}/contactLists/Leads/file"
    rows = b"phoneNumber\r\n" + b"".join(b"+1202555%04d\r\n" % n for n in range(100, 200))

    async def send(boundary: bytes, what: bytes, size: int) -> Response:
        body, headers = multipart(boundary, what)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        more = {"auth": desk.tenant.token, "Idempotency-Key": "file"}
        return await desk.api.post(url, content=pieces(), headers=headers | more)

    first = await send(b"first-time", rows, 7)
    assert first.json()["data"]["imported"] == 100
    for boundary, size in ((b"first-time", 100_000), (b"another-time-by-another-library", 13)):
        again = await send(boundary, rows, size)
        assert replayed(again)
        assert again.content == first.content
    assert (await send(b"first-time", rows + b"+12025550199\r\n", 50)).status_code == 409


async def test_a_body_over_the_limit_is_refused_with_a_key_as_without(desk: Desk) -> None:
    answer = await desk.post(CREATE, b" " * (10 * 1024 * 1024 + 1), "k-1")
    assert answer.status_code == 413
    assert await desk.count("answer") == 0


async def test_every_kind_of_start_is_done_once(desk: Desk, clock: FrozenClock) -> None:
    await desk.post(CREATE, {"name": "Leads"}, "k-1")
    await desk.post(LIST + "/addContacts", ADD, "k-1")
    draft = {
        "name": "Spring Sale",
        "contactLists": ["Leads"],
        "campaignType": "sms",
        "format": "simple",
        "message": {"message": "Hello"},
        "dialingStrategy": {
            "callerId": {"phoneNumber": "+12025550143"},
            "callingHours": {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]},
        },
    }
    made = await desk.post("/campaign?campaignType=sms", draft, "k-1")
    one = f"/campaign/{made.json()['data']['_id']}"
    for path in (one + "?trigger=play", one + "?trigger=stop", one + "/status?view=ledger"):
        first = await desk.post(path, {}, "k-1")
        clock.advance(60)
        again = await desk.post(path, {}, "k-1")
        assert first.status_code == 200
        assert (replayed(first), replayed(again)) == (False, True)
        assert again.content == first.content
    assert await desk.count("run") == 1


async def test_a_text_to_one_person_is_sent_once_and_keeps_its_id(desk: Desk) -> None:
    body = {"fromNo": "+12025550142", "toNo": "+447700900123", "message": "Your code is 2718"}
    url = f"/api/public/bot/{desk.tenant.app.public_id}/outboundsms"
    headers = {"auth": desk.tenant.token, "Idempotency-Key": "k-1"}
    first, again = [await desk.api.post(url, json=body, headers=headers) for _ in "12"]
    assert first.status_code == 200
    assert replayed(again)
    assert again.headers["message-id"] == first.headers["message-id"]
    assert await desk.count("message") == 1


async def test_a_transaction_seen_from_inside_is_one(db: Database, clock: FrozenClock) -> None:
    account = "0123456789abcdef01234567"
    undone = asyncio.Event()
    with contextlib.suppress(ZeroDivisionError):
        async with db.transaction() as conn:
            inside = db.inside(conn)
            async with inside.connection() as same:
                await apps.add_account(same, account, now=clock())
            async with inside.transaction() as same:
                assert same is conn
            undone.set()
            raise ZeroDivisionError
    assert undone.is_set()
    async with db.connection() as conn:
        cursor = await conn.execute("SELECT FROM account WHERE account_id = %s", (account,))
        assert await cursor.fetchone() is None
