"""The pages of users and of the audit."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from markupsafe import escape

from heliograph.actions import audit as book
from heliograph.rules import roles
from heliograph.rules.roles import Grant, Grants, Right, Role
from heliograph.store import users as rows
from heliograph.web import door
from tests.web.conftest import enter, signed_in
from tests.web.test_sign_in import entries, post

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from heliograph.config import Clock
    from heliograph.store.database import Database
    from heliograph.store.users import User

pytestmark = pytest.mark.anyio

GRACE = {"name": "Grace Hopper", "email": "grace@example.com", "role": "Supervisor", "module": "role"}


async def grace(db: Database) -> User:
    async with db.connection() as conn:
        found = await rows.find_email(conn, "grace@example.com")
    assert found
    return found


async def test_somebody_is_invited_comes_in_and_is_given_another_role(
    browser: httpx.AsyncClient, console: Starlette, db: Database, stage: Any
) -> None:
    app = await stage.app()
    answer = await post(browser, "/console/users/new", **GRACE)
    found = re.search(r"http://127\.0\.0\.1:8080(/console/link/[\w-]{43})<", answer.text)
    assert found
    async with signed_in(console) as theirs:
        assert "Welcome, Grace Hopper" in (await theirs.get(found[1])).text
        assert (await post(theirs, found[1], password="a harbour at dawn")).headers["location"] == "/"
        assert (await theirs.get("/")).status_code == 200
        user = await grace(db)
        at = f"/console/users/{user.public_id}"
        changes = {"name": "Grace", "role": "Tester", "module": "on", f"role-{app.public_id}": "Agent"}
        assert (await post(browser, at, **changes)).status_code == 303
        user = await grace(db)
        assert user.name == "Grace"
        assert user.grants == Grants(Grant(Role.TESTER, module=True), {app.public_id: Grant(Role.AGENT)})
        assert (await theirs.get(f"/console/{app.public_id}/campaigns")).status_code == 403
        assert (await post(browser, f"{at}/disable")).status_code == 303
        assert (await theirs.get("/console/me")).headers["location"].startswith(door.SIGN_IN)
    page = (await browser.get("/console/users")).text
    assert "Disabled" in page
    assert "Agent in Test app" in page
    assert (await browser.get(f"{at}/disable")).status_code == 404
    assert (await post(browser, f"{at}/enable")).status_code == 303


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"email": "nobody"}, "an address such as ada@example.com is expected"),
        ({"name": " "}, "1 to 100 characters are expected"),
        ({"role": "none"}, "A user needs a role"),
        ({"role": "Chief"}, "one of these is expected"),
        ({"email": "ada@example.com"}, "There is a user with the address"),
        ({"module": "maybe"}, "role, on or off is expected"),
    ],
)
async def test_what_is_wrong_with_an_invitation_is_said_and_what_was_typed_stays(
    browser: httpx.AsyncClient, changes: dict[str, str], told: str
) -> None:
    answer = await post(browser, "/console/users/new", **(GRACE | changes))
    assert answer.status_code == 400
    assert told in answer.text
    if "name" not in changes:
        assert 'value="Grace Hopper"' in answer.text


async def test_the_last_owner_stays_one(browser: httpx.AsyncClient, db: Database) -> None:
    async with db.connection() as conn:
        (ada,) = await rows.list_all(conn)
        await rows.set_password(conn, ada.user_id, "x", now=ada.created_at)
    at = f"/console/users/{ada.public_id}"
    answer = await post(browser, at, name="Ada", role="Agent", module="role")
    assert answer.status_code == 400
    assert "only Owner who can sign in" in answer.text
    assert (await post(browser, f"{at}/disable")).status_code == 409


async def test_only_owners_of_every_app_see_users(console: Starlette, db: Database, clock: Clock, stage: Any) -> None:
    app = await stage.app()
    for number, grants in enumerate(
        (Grants(Grant(Role.DEVELOPER)), Grants(None, {app.public_id: Grant(Role.OWNER)}), Grants(Grant(Role.AGENT)))
    ):
        async with signed_in(console, await enter(db, clock, grants, f"User{number} Somebody")) as browser:
            assert (await browser.get("/console/users")).status_code == 403
            assert (await post(browser, "/console/users/new", "/console/me", **GRACE)).status_code == 403
            assert "/console/users" not in (await browser.get("/console/me")).text


async def test_the_table_of_roles_is_on_the_page_as_it_is(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/console/users")).text
    assert all(str(escape(roles.MEANING[right].view)) in page for right in Right)
    assert page.count("<td>Full</td>") == sum(
        Grant(role).level(right) == roles.Level.FULL for right in Right for role in Role
    )


async def test_the_audit_is_filtered_paged_and_taken_away(
    browser: httpx.AsyncClient, db: Database, stage: Any, console: Starlette, clock: Clock
) -> None:
    app, other = await stage.app("Ours"), await stage.app("Theirs")
    for one, name in ((app, "Reminder"), (other, "=Sale")):
        campaign = await stage.campaign(one, name)
        await post(browser, f"/console/{one.public_id}/campaigns/{campaign.public_id}/start")
    page = (await browser.get("/console/audit")).text
    assert page.count("campaigns start") == 2
    assert "Signed in for a test" in page
    for query, shown in (
        ("text=start", 2),
        ("text=nothing", 0),
        (f"in={app.public_id}", 1),
        ("outcome=refused", 0),
        ("from=2026-03-02&to=2026-03-02", 2),
        ("from=2026-03-03", 0),
        ("kind=user", 2),
        ("kind=command", 0),
        (f"object={campaign.public_id}", 1),
    ):
        assert (await browser.get(f"/console/audit?{query}")).text.count("campaigns start") == shown, query
    assert (await browser.get("/console/audit?from=soon")).status_code == 400
    taken = await browser.get("/console/audit/file?text=start")
    lines = taken.text.removeprefix("\ufeff").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith('"time","kind","who"')
    content = (await browser.get("/console/audit/xlsx?text=start")).content
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Report"]
    assert [cell.value for cell in sheet["A"]] == ["time", datetime(2026, 3, 2, 6), datetime(2026, 3, 2, 6)]  # noqa: DTZ001
    grants = Grants(None, {app.public_id: Grant(Role.SUPERVISOR)})
    async with signed_in(console, await enter(db, clock, grants, "Grace Hopper")) as theirs:
        page = (await theirs.get("/console/audit")).text
        assert page.count("campaigns start") == 1
        assert "Signed in" not in page
        assert "Theirs" not in (await theirs.get("/console/audit/file")).text
        assert (await theirs.get(f"/console/audit?in={other.public_id}")).text.count("campaigns start") == 0
    book.end()
    assert len(await entries(db)) >= 4
