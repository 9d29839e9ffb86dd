"""Who said no, over HTTP: listed, recorded, taken back, decided, in and out as files."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from heliograph.actions import replies
from heliograph.carriers.base import Reply
from heliograph.store import apps, carrier_accounts
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.dnc_client import NOW, NUMBER, Client
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

OTHER = "+14155550101"
AT = "/optOuts"


@pytest.fixture
def no(api: httpx.AsyncClient, tenant: Tenant) -> Client:
    return Client(api, tenant)


async def hear(db: Database, tenant: Tenant, clock: FrozenClock, *texts: str) -> None:
    async with db.transaction() as conn:
        app = await apps.get(conn, tenant.v2.rpartition("/")[2])
        account = (await carrier_accounts.list_all(conn, app.app_id))[0]
        said = [Reply(NUMBER, "+12025550100", text, clock(), text) for text in texts]
        await replies.keep(conn, app.app_id, account.account_id, said, now=clock())


async def test_what_was_said_is_listed_with_its_evidence_and_taken_back_by_request(
    no: Client, db: Database, tenant: Tenant, clock: FrozenClock
) -> None:
    await hear(db, tenant, clock, "Please stop")
    page = (await no.ask("GET", AT))["data"]
    entry = {
        "phoneNumber": NUMBER, "address": None, "kind": "no", "source": "reply", "reason": "stop", "createdAt": NOW,
    }  # fmt: skip
    assert (page["results"], page["totalResults"]) == ([entry], 1)
    found = (await no.ask("GET", f"{AT}/numbers/{NUMBER}"))["data"]
    said = {
        "what": "opt_out", "how": "sentence", "word": "stop", "text": "Please stop", "source": "reply",
        "address": "+12025550100", "by": "", "at": NOW, "recordedAt": NOW,
    }  # fmt: skip
    assert (found["optedOut"], found["entries"], found["evidence"]) == (True, [entry], [said])
    back = (await no.ask("DELETE", f"{AT}/numbers/{NUMBER}"))["data"]
    assert (back["optedOut"], [one["what"] for one in back["evidence"]]) == (False, ["opt_out", "opt_in"])
    assert back["evidence"][1]["by"].startswith("cs-")
    await no.ask("DELETE", f"{AT}/numbers/{NUMBER}", 404)


async def test_the_newest_word_counts_whoever_brings_it(no: Client) -> None:
    async def tell(what: str, at: str) -> Any:
        event = {"phoneNumber": NUMBER, "what": what, "at": at, "text": "By letter"}
        return (await no.ask("POST", AT, json={"events": [event]}))["data"]

    assert await tell("optOut", "2026-02-01T00:00:00Z") == {"optedOut": 1, "optedIn": 0, "older": 0}
    assert await tell("optIn", "2026-01-01T00:00:00Z") == {"optedOut": 0, "optedIn": 0, "older": 1}
    assert (await no.ask("GET", AT))["data"]["totalResults"] == 1
    assert await tell("optIn", "2026-02-01T00:00:00Z") == {"optedOut": 0, "optedIn": 0, "older": 1}
    assert await tell("optIn", "2026-02-01T00:00:01Z") == {"optedOut": 0, "optedIn": 1, "older": 0}
    assert await tell("optOut", "2026-01-15T00:00:00Z") == {"optedOut": 0, "optedIn": 0, "older": 1}
    assert (await no.ask("GET", AT))["data"]["totalResults"] == 0
    assert len((await no.ask("GET", f"{AT}/numbers/{NUMBER}"))["data"]["evidence"]) == 5


async def test_a_person_decides_what_is_to_be_reviewed(
    no: Client, db: Database, tenant: Tenant, clock: FrozenClock
) -> None:
    decide = f"{AT}/numbers/{NUMBER}/review"
    await hear(db, tenant, clock, "Who is this?")
    assert (await no.ask("GET", f"{AT}?kind=review"))["data"]["totalResults"] == 1
    await no.ask("POST", decide, 400, json={"decision": "maybe"})
    kept = (await no.ask("POST", decide, json={"decision": "keep", "note": "They know us"}))["data"]
    assert kept["entries"] == []
    assert [(one["what"], one["word"], one["text"]) for one in kept["evidence"]][1:] == [
        ("decided", "keep", "They know us")
    ]
    await no.ask("POST", decide, 409, json={"decision": "keep"})
    await hear(db, tenant, clock, "wrong number")
    settled = (await no.ask("POST", decide, json={"decision": "optOut"}))["data"]
    assert (settled["optedOut"], settled["entries"][0]["source"]) == (True, "person")
    older = {"phoneNumber": NUMBER, "what": "optIn", "at": "2026-03-01T00:00:00Z"}
    assert (await no.ask("POST", AT, json=older))["data"]["older"] == 1


async def test_files_go_in_and_out_and_in_again(no: Client) -> None:
    good = f"phoneNumber,what,at,text\n{NUMBER},optOut,2026-01-05,=By letter\n12,,,\n{OTHER},,2026-01-06,\n"
    rows = f"{good}{OTHER},optIn,x,\n"
    csv = {"Content-Type": "text/csv"}

    async def send(content: str) -> Any:
        headers = no.tenant.headers | csv
        answer = await no.api.post(f"{no.tenant.v2}{AT}/file", headers=headers, content=content)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    done = await send(rows)
    assert (done["rows"], done["optedOut"], done["rejected"]) == (4, 2, 2)
    assert [(one["row"], one["column"]) for one in done["problems"]] == [(3, "phoneNumber"), (5, "at")]
    out = (await no.api.get(f"{no.tenant.v2}{AT}/export", headers=no.tenant.headers)).text
    assert f'"{NUMBER}","opt_out","2026-01-05T00:00:00.000Z","\'=By letter"' in out
    for number in (NUMBER, OTHER):
        await no.ask("DELETE", f"{AT}/numbers/{number}")
    again = await send(out.lstrip("\ufeff"))
    assert (again["rows"], again["older"], again["rejected"]) == (2, 2, 0)


async def test_evidence_cannot_be_changed(no: Client, db: Database) -> None:
    await no.ask("POST", AT, json={"phoneNumber": NUMBER})
    async with db.connection() as conn:
        for statement in ("DELETE FROM consent", "UPDATE consent SET text = ''"):
            with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
                await conn.execute(statement)


async def test_what_is_said_and_answered_is_a_setting(no: Client) -> None:
    shipped = (await no.ask("GET", "/settings"))["data"]["optOut"]
    assert (shipped["scope"], shipped["confirm"], shipped["startLifts"]) == ("global", True, ["reply"])
    sent = {"scope": "sender", "texts": {"help": "Call us."}, "stop": ["no thanks"], "answersPerHour": 5}
    await no.ask("PUT", "/settings", json={"optOut": sent})
    now = (await no.ask("PUT", "/settings", json={"optOut": {"texts": {"stop": "Done."}}}))["data"]["optOut"]
    assert (now["texts"]["help"], now["texts"]["stop"], now["scope"]) == ("Call us.", "Done.", "sender")
    for wrong in ({"scope": "all"}, {"answersPerHour": -1}, {"startLifts": ["me"]}, {"stop": "no"}, {"other": 1}):
        said = await no.ask("PUT", "/settings", 400, json={"optOut": wrong})
        assert said["errors"][0]["field"].startswith("optOut")
