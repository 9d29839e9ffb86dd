"""What clients of the API change is in the audit; what they only ask, and what goes on all day, is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import audit as book
from heliograph.api import routes
from heliograph.store import audit
from tests.api.test_templates import GREETING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _witnessed(db: Database) -> Iterator[None]:
    db.witness = book.write
    yield
    book.end()


async def entries(db: Database) -> list[tuple[str, str, str, str]]:
    """Verb, what it was in words, who and outcome of each entry, the oldest first."""
    async with db.connection() as conn:
        found = await audit.page(conn, audit.Wanted(None), before=1 << 60, limit=100)
    return [(one.verb, one.what, one.name, one.outcome) for one in reversed(found)]


async def test_settings_and_lists_are_in_it_and_contacts_are_not(
    api: httpx.AsyncClient, tenant: Any, db: Database
) -> None:
    lists = f"{tenant.v2}/campaign/contactList"
    made = await api.post(f"{lists}/createContactList", headers=tenant.headers, json={"name": "Leads"})
    assert made.status_code == 200, made.text
    body = {"contact_list_name": "Leads", "data": [{"phoneNumber": "+14155550101"}]}
    added = await api.post(f"{lists}/addContacts", headers=tenant.headers, json=body)
    assert added.status_code == 200, added.text
    await api.delete(f"{lists}/Leads", headers=tenant.headers)
    name = "quietHours"
    await api.put(f"{tenant.v2}/settings", headers=tenant.headers, json={name: {"enabled": False}})
    await api.get(f"{tenant.v2}/settings", headers=tenant.headers)
    await api.put(f"{tenant.v2}/settings", headers=tenant.headers, json={name: "nonsense"})
    await api.post(f"{tenant.v2}/optOuts", headers=tenant.headers, json={"events": []})
    assert await entries(db) == [
        ("POST campaign contactList createContactList", "Made the list Leads", "First", "done"),
        ("DELETE campaign contactList", "Deleted the list Leads, 1 number", "First", "done"),
        ("PUT settings", "Changed the settings: quietHours", "First", "done"),
    ]


async def test_what_is_asked_twice_with_one_key_is_in_it_once(
    api: httpx.AsyncClient, tenant: Any, db: Database
) -> None:
    headers = tenant.headers | {"Idempotency-Key": "one"}
    first = await api.post(f"{tenant.v2}/templates", headers=headers, json=GREETING)
    again = await api.post(f"{tenant.v2}/templates", headers=headers, json=GREETING)
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (200, "true"), first.text
    assert await entries(db) == [("POST templates", "Made the template Greeting", "First", "done")]


async def test_what_was_refused_is_not_called_done(api: httpx.AsyncClient, tenant: Any, db: Database) -> None:
    for key in ({}, {"Idempotency-Key": "one"}):
        answer = await api.post(f"{tenant.v2}/templates", headers=tenant.headers | key, json={"name": "x" * 1000})
        assert answer.status_code == 400
    assert await entries(db) == []


def test_every_call_that_changes_something_has_a_sentence(api: httpx.AsyncClient) -> None:
    """What an entry says until the verb says more is the first line of what the call's description says."""
    changing = {route.path: route.handler for route in routes.ROUTES if route.verb != "GET"}
    assert len(changing) > 50
    assert [path for path, handler in changing.items() if not (handler.__doc__ or "").partition("\n")[0].strip()] == []
